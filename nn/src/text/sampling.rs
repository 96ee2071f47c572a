//! The two kinds of chance in word2vec: which occurrences of frequent words are skipped, and which words serve as
//! negative examples (Mikolov et al. 2013, "Distributed representations of words and phrases and their
//! compositionality").

use rand::Rng;

/// 2³², the number of values that 32 random bits have.
const RANGE: f64 = 4_294_967_296.0;

/// Sub-sampling of frequent words. An occurrence of a word whose share of the text is f is kept with the probability
///
/// ```text
/// keep(f) = min(1, √(t/f) + t/f)
/// ```
///
/// where the threshold t is about 10⁻³ to 10⁻⁵. This is what word2vec.c and gensim do (there as
/// `(√(f/t) + 1)·t/f`); the paper's own formula is √(t/f). Words whose share is below 2.6·t are always kept.
///
/// ```
/// use autograd::Rng;
/// use nn::text::{NegativeTable, Subsampler};
/// let counts = [900, 90, 10];
/// let subsampler = Subsampler::new(&counts, 0.1);
/// assert!((subsampler.keep_probability(0) - (1.0_f64 / 3.0 + 1.0 / 9.0)).abs() < 1e-9);
/// assert_eq!(subsampler.keep_probability(1), 1.0);
///
/// let mut rng = Rng::seeded(0);
/// let kept = subsampler.sample(&[0, 1, 0, 0, 2, 0], &mut rng);
/// assert!(kept.contains(&1) && kept.contains(&2) && kept.len() < 6);
///
/// let negatives = NegativeTable::new(&counts, 0.75);
/// assert!(negatives.draw(&mut rng) < 3);
/// ```
#[derive(Clone, Debug)]
pub struct Subsampler {
    /// keep·2³²: an occurrence is kept if 32 random bits are below.
    keep: Vec<u64>,
}

impl Subsampler {
    /// For words that occur this often, all together once through the text. A threshold of 0 keeps everything, as it
    /// does in word2vec.
    ///
    /// # Panics
    /// If the threshold is negative or no number.
    #[track_caller]
    pub fn new(counts: &[u64], threshold: f64) -> Subsampler {
        assert!(threshold >= 0.0, "Subsampler: a threshold of {threshold}; 0 or more is wanted");
        let total = counts.iter().sum::<u64>() as f64;
        let keep = counts.iter().map(|&count| {
            let ratio = threshold * total / count as f64;
            let keep = if threshold == 0.0 || count == 0 { 1.0 } else { (ratio.sqrt() + ratio).min(1.0) };
            (keep * RANGE).round() as u64
        });
        Subsampler { keep: keep.collect() }
    }

    /// The probability that an occurrence of the word `id` is kept.
    ///
    /// # Panics
    /// If there is no such word; so do the other methods.
    pub fn keep_probability(&self, id: u32) -> f64 {
        self.keep[id as usize] as f64 / RANGE
    }

    /// Whether an occurrence of the word `id` is kept, decided by 32 random bits.
    #[inline]
    pub fn keeps(&self, id: u32, bits: u32) -> bool {
        u64::from(bits) < self.keep[id as usize]
    }

    /// What is kept of a text. Draws 32 bits for each word, whether they matter or not, so that what is kept of one
    /// part does not depend on the words of another.
    pub fn sample(&self, ids: &[u32], rng: &mut impl Rng) -> Vec<u32> {
        let mut kept = Vec::with_capacity(ids.len());
        for &id in ids {
            if self.keeps(id, rng.next_u32()) {
                kept.push(id);
            }
        }
        kept
    }
}

/// A distribution of words by a power of their counts, drawn from in constant time: Walker's and Vose's alias method.
/// word2vec draws its negative examples so, with the power 0.75, between the words' own frequencies (1) and all words
/// alike (0).
///
/// Each of the V columns of the table holds 1/V of the probability, made up of at most two words. A draw takes 64
/// random bits: the upper half is the column, the lower half decides between its two words. gensim searches 31 bits in
/// cumulative sums instead, log₂ V steps; word2vec.c looks them up in a table of 10⁸ entries.
#[derive(Clone, Debug)]
pub struct NegativeTable {
    columns: Vec<Column>,
}

/// Its own word, if 32 bits are below `threshold`; otherwise another.
#[derive(Clone, Copy, Debug)]
struct Column {
    threshold: u32,
    other: u32,
}

impl NegativeTable {
    /// Words that occur this often, each with a probability in proportion to `count^power`. Words that do not occur
    /// are never drawn.
    ///
    /// # Panics
    /// If no word occurs, there are 2³² or more, or the power is no finite number.
    #[track_caller]
    pub fn new(counts: &[u64], power: f64) -> NegativeTable {
        assert!(power.is_finite(), "NegativeTable: a power of {power}");
        assert!(counts.len() < RANGE as usize, "NegativeTable: {} words; fewer than 2^32 are wanted", counts.len());
        let weights: Vec<f64> =
            counts.iter().map(|&count| if count == 0 { 0.0 } else { (count as f64).powf(power) }).collect();
        let total: f64 = weights.iter().sum();
        assert!(total > 0.0, "NegativeTable: {} words, none of which occurs", counts.len());
        // In units of a column's share. Columns with too little are filled up from those with too much.
        let mut share: Vec<f64> = weights.iter().map(|weight| weight / total * counts.len() as f64).collect();
        let mut columns: Vec<Column> = (0..counts.len() as u32).map(|id| Column { threshold: 0, other: id }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..counts.len()).partition(|&id| share[id] < 1.0);
        while let (Some(&from), Some(to)) = (large.last(), small.pop()) {
            columns[to] = Column { threshold: (share[to] * RANGE).round() as u32, other: from as u32 };
            share[from] -= 1.0 - share[to];
            if share[from] < 1.0 {
                large.pop();
                small.push(from);
            }
        }
        // What is left over has a whole column but for rounding, and `other` is the word itself. A word that does not
        // occur has share 0 exactly, so rounding cannot leave it over: something large is there to fill it up.
        NegativeTable { columns }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The word that 64 random bits draw.
    #[inline]
    pub fn pick(&self, bits: u64) -> u32 {
        // Multiplied, not divided: some columns get one of the 2³² values more than others.
        let column = ((bits >> 32) * self.columns.len() as u64) >> 32;
        let Column { threshold, other } = self.columns[column as usize];
        if (bits as u32) < threshold { column as u32 } else { other }
    }

    /// A word drawn at random.
    #[inline]
    pub fn draw(&self, rng: &mut impl Rng) -> u32 {
        self.pick(rng.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of each word, added up over the columns.
    fn probabilities(table: &NegativeTable) -> Vec<f64> {
        let mut probabilities = vec![0.0; table.len()];
        for (id, column) in table.columns.iter().enumerate() {
            let own = f64::from(column.threshold) / RANGE;
            probabilities[id] += own / table.len() as f64;
            probabilities[column.other as usize] += (1.0 - own) / table.len() as f64;
        }
        probabilities
    }

    #[test]
    fn the_table_has_the_probabilities_it_should() {
        let many: Vec<u64> = (1..=5000).map(|rank| 1_000_000 / rank).collect();
        for counts in [&[1][..], &[5, 5, 5], &[1000, 0, 10, 1, 0], &[0, 1, 0], &many] {
            for power in [0.0, 0.75, 1.0] {
                let table = NegativeTable::new(counts, power);
                let weights: Vec<f64> =
                    counts.iter().map(|&n| if n == 0 { 0.0 } else { (n as f64).powf(power) }).collect();
                let total: f64 = weights.iter().sum();
                for (id, probability) in probabilities(&table).into_iter().enumerate() {
                    // Each of V columns rounds its threshold to 2⁻³³ at most, and takes 1/V of it.
                    let expected = weights[id] / total;
                    assert!((probability - expected).abs() <= 1.0 / RANGE, "{counts:?}: {probability} {expected}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_occur_is_never_drawn() {
        let table = NegativeTable::new(&[3, 0, 7, 0, 1], 0.75);
        let mut rng = autograd::Rng::seeded(1);
        let mut drawn = [0_u32; 5];
        for _ in 0..100_000 {
            drawn[table.draw(&mut rng) as usize] += 1;
        }
        assert_eq!((drawn[1], drawn[3]), (0, 0));
        let total: f64 = [3.0_f64, 7.0, 1.0].iter().map(|n| n.powf(0.75)).sum();
        for (id, count) in [(0, 3.0_f64), (2, 7.0), (4, 1.0)] {
            let p = count.powf(0.75) / total;
            // Five standard deviations of a binomial count.
            assert!((f64::from(drawn[id]) - p * 1e5).abs() < 5.0 * (p * (1.0 - p) * 1e5).sqrt(), "{drawn:?}");
        }
        // The ends of the range of bits stay inside the table.
        assert!(table.pick(0) < 5 && table.pick(u64::MAX) < 5);
    }

    /// `sample_int` of gensim 4.4 for these counts and `sample=1e-3`, as a share of 2³² − 1.
    #[test]
    fn occurrences_are_kept_as_in_gensim() {
        let subsampler = Subsampler::new(&[60000, 5000, 300, 100, 20, 5], 1e-3);
        let gensim = [0.03411187418599424, 0.12747468476357746, 0.6850772659958054, 1.0, 1.0, 1.0];
        for (id, expected) in gensim.into_iter().enumerate() {
            assert!((subsampler.keep_probability(id as u32) - expected).abs() < 1e-9, "{id}");
        }
        // A probability of one keeps whatever the bits are.
        assert!(subsampler.keeps(5, u32::MAX));
        let mut rng = autograd::Rng::seeded(2);
        let kept = subsampler.sample(&[0; 100_000], &mut rng).len() as f64;
        let p = subsampler.keep_probability(0);
        assert!((kept - p * 1e5).abs() < 5.0 * (p * (1.0 - p) * 1e5).sqrt(), "{kept}");
        assert_eq!(Subsampler::new(&[9, 1], 0.0).sample(&[0; 9], &mut rng).len(), 9);
    }
}
