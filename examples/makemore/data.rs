//! Names as training examples: which character follows three others?

use anyhow::{Context, Result, bail, ensure};
use autograd::{Rng, Tensor};
use fake::locales::{Data as _, EN};
use rand_mt::Mt;
use std::path::Path;

/// The number of tokens: "." and the letters.
pub const VOCABULARY: usize = 27;
/// Token 0: what stands before a name and what ends it.
pub const DOT: i64 = 0;

/// The character of a token.
pub fn character(token: i64) -> char {
    if token == DOT { '.' } else { (b'a' + token as u8 - 1) as char }
}

fn token(character: char) -> i64 {
    if character == '.' { DOT } else { i64::from(character as u8 - b'a') + 1 }
}

/// Names from a file with one in each line, lower case a to z.
pub fn read_names(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut names = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let name = line.trim();
        if let Some(found) = name.chars().find(|c| !c.is_ascii_lowercase()) {
            bail!("{}, line {}: {found:?} in {name:?}; names are written in a to z", path.display(), i + 1);
        }
        if !name.is_empty() {
            names.push(name.to_string());
        }
    }
    ensure!(names.len() >= 10, "{}: {} names; at least 10 are needed for three splits", path.display(), names.len());
    Ok(names)
}

/// English first names that come with the `fake` crate, as the default.
pub fn embedded_names() -> Vec<String> {
    let lower = EN::NAME_FIRST_NAME.iter().map(|name| name.to_ascii_lowercase());
    lower.filter(|name| name.chars().all(|c| c.is_ascii_lowercase())).collect()
}

/// Contexts and what follows them.
pub struct Examples {
    /// `[N, context]`
    pub x: Tensor<i64>,
    /// `[N]`
    pub y: Tensor<i64>,
}

impl Examples {
    /// Slides a window of `context` characters over each name and its end: "emma" gives
    /// ...→e ..e→m .em→m emm→a mma→.
    pub fn new(names: &[String], context: usize) -> Examples {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for name in names {
            let mut window = vec![DOT; context];
            for next in name.chars().chain(['.']).map(token) {
                x.extend_from_slice(&window);
                y.push(next);
                window.rotate_left(1);
                if let Some(last) = window.last_mut() {
                    *last = next;
                }
            }
        }
        Examples { x: Tensor::from_slice(&x, [y.len(), context]), y: Tensor::from_slice(&y, y.len()) }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.y.count()
    }

    /// `batch` of them, drawn with replacement.
    pub fn draw(&self, batch: usize, rng: &mut Rng) -> Examples {
        let rows = Tensor::randint(0, self.len() as i64, [batch], rng); // [B]
        Examples { x: self.x.index_select(0, &rows), y: self.y.index_select(0, &rows) } // [B, context], [B]
    }
}

/// The three parts of the names: to train on, to choose by, to judge with.
pub struct Splits {
    pub train: Vec<String>,
    pub dev: Vec<String>,
    pub test: Vec<String>,
}

impl Splits {
    /// 80, 10 and 10 % of the names, shuffled as Python does after `random.seed(seed)`: so seed 42 gives
    /// the very split that the reference's figures were measured on.
    pub fn new(mut names: Vec<String>, seed: u32) -> Splits {
        shuffle_as_python(&mut names, seed);
        let (first, second) = (names.len() * 8 / 10, names.len() * 9 / 10);
        let test = names.split_off(second);
        let dev = names.split_off(first);
        Splits { train: names, dev, test }
    }
}

/// `random.seed(seed); random.shuffle(values)` of Python 3: Fisher-Yates from the end, where each index
/// is drawn as the fewest bits that can hold it, again and again until it is in range.
fn shuffle_as_python<V>(values: &mut [V], seed: u32) {
    let mut twister = Mt::new_with_key([seed]);
    for last in (1..values.len()).rev() {
        let bits = u64::BITS - (last as u64 + 1).leading_zeros();
        let index = loop {
            let index = (twister.next_u32() >> (32 - bits)) as usize;
            if index <= last {
                break index;
            }
        };
        values.swap(last, index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_over_a_name_and_its_end() {
        let Examples { x, y } = Examples::new(&["ab".to_string()], 3);
        assert_eq!(x.to_vec(), [0, 0, 0, 0, 0, 1, 0, 1, 2]);
        assert_eq!(y.to_vec(), [1, 2, 0]);
    }

    #[test]
    fn the_shuffle_is_pythons() {
        // python3 -c "import random; v = list(range(10)); random.seed(42); random.shuffle(v); print(v)"
        let mut values: Vec<usize> = (0..10).collect();
        shuffle_as_python(&mut values, 42);
        assert_eq!(values, [7, 3, 2, 8, 5, 6, 9, 4, 0, 1]);
    }
}
