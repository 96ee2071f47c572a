//! The hierarchical softmax (Morin and Bengio 2005): a word is the leaf that a walk from the root of a tree ends at.
//!
//! ```text
//! p(word | h) = Π σ(±h·o[node])      over the inner nodes on the way, + where it turns right, − where left
//! ```
//!
//! At each node the two turns have p = σ(z) and σ(−z) = 1 − σ(z), so the p of all words add up to one: it is a
//! softmax over V words for the price of about log₂ V products. The tree is Huffman's, as in word2vec.c: frequent words
//! are close to the root, which makes the mean way shortest.

use crate::lists::Lists;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Huffman's tree over the words.
pub struct Tree {
    /// For each word, the inner nodes from the root on.
    nodes: Lists,
    /// For each of these, whether the way turns right there.
    turns: Vec<bool>,
}

impl Tree {
    // ANCHOR: huffman
    /// The tree of words that occur this often; its inner nodes are numbered from 0 to V − 2.
    ///
    /// # Panics
    /// If there are fewer than two words.
    pub fn new(counts: &[u64]) -> Tree {
        let words = counts.len();
        assert!(words > 1, "Tree: {words} words; a tree has two leaves or more");
        // Again and again, the two rarest become one. Leaves are 0..V, inner node i is V + i.
        let mut heap: BinaryHeap<_> = counts.iter().zip(0..).map(|(&count, word)| Reverse((count, word))).collect();
        let mut parent = vec![(0, false); 2 * words - 1];
        for node in words..2 * words - 1 {
            let [(left, a), (right, b)] = [(); 2].map(|()| heap.pop().expect("two are left").0);
            (parent[a], parent[b]) = ((node, false), (node, true));
            heap.push(Reverse((left + right, node)));
        }
        // ANCHOR_END: huffman
        let root = 2 * words - 2;
        let (mut nodes, mut turns) = (Lists::with_capacity(words, 16 * words), Vec::new());
        for word in 0..words {
            let mut way = Vec::new();
            let mut at = word;
            while at != root {
                let (up, right) = parent[at];
                way.push(((up - words) as u32, right));
                at = up;
            }
            for &(node, right) in way.iter().rev() {
                nodes.push(node);
                turns.push(right);
            }
            nodes.finish();
        }
        Tree { nodes, turns }
    }

    /// The questions about `word`: at each node on its way, does it turn right?
    pub fn ask(&self, word: u32, outputs: &mut Lists, answers: &mut Vec<bool>) {
        outputs.extend(self.nodes.get(word as usize).iter().copied());
        outputs.finish();
        answers.extend(&self.turns[self.nodes.range(word as usize)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_shortest_for_the_most_frequent_words() {
        let tree = Tree::new(&[50, 20, 15, 10, 5]);
        let lengths: Vec<usize> = tree.nodes.iter().map(<[u32]>::len).collect();
        assert_eq!(lengths, [1, 2, 3, 4, 4]);
    }

    /// Whatever is answered at the nodes, the probabilities of all words add up to one.
    #[test]
    fn probabilities_add_up_to_one() {
        let counts: Vec<u64> = (1..40).map(|rank| 1000 / rank).collect();
        let tree = Tree::new(&counts);
        let right = |node: u32| f64::from(node * 37 % 100) / 100.0;
        let total: f64 = (0..counts.len())
            .map(|word| {
                let (mut outputs, mut answers) = (Lists::with_capacity(1, 0), Vec::new());
                tree.ask(word as u32, &mut outputs, &mut answers);
                let p = outputs.items().iter().zip(&answers);
                p.map(|(&node, &yes)| if yes { right(node) } else { 1.0 - right(node) }).product::<f64>()
            })
            .sum();
        // 39 products of at most a dozen factors.
        assert!((total - 1.0).abs() < 39.0 * 12.0 * f64::EPSILON, "{total}");
    }
}
