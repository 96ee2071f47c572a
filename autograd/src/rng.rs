//! Randomness: an explicit generator that can be saved and put back.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Infallible, Rng as _, SeedableRng, TryRng};
use rand_distr::{Distribution, StandardNormal, StandardUniform};

/// A random number generator of the `rand` family (so `rand_distr`'s distributions take it), counter
/// based: its whole state is a seed, a stream and a position, and equal states give equal numbers on
/// every machine.
///
/// There is no global generator: whatever needs randomness takes `&mut Rng` or owns one.
///
/// ```
/// use autograd::Rng;
/// let mut rng = Rng::seeded(42);
/// rng.uniform();
/// let saved = rng.state();
/// let next = rng.uniform();
/// assert_eq!(Rng::from_state(saved).uniform(), next);
/// ```
#[derive(Clone, Debug)]
pub struct Rng {
    seed: u64,
    chacha: ChaCha8Rng,
}

/// All that it takes to continue a generator where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngState {
    /// What [`Rng::seeded`] was given.
    pub seed: u64,
    /// Which of the seed's independent streams.
    pub stream: u64,
    /// How many 32-bit words have been drawn.
    pub counter: u128,
}

impl Rng {
    /// The generator of this seed.
    pub fn seeded(seed: u64) -> Rng {
        Rng { seed, chacha: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Another generator of the same seed, independent of this one: one for each `stream`.
    pub fn stream(&self, stream: u64) -> Rng {
        let mut rng = Rng::seeded(self.seed);
        rng.chacha.set_stream(stream);
        rng
    }

    /// A new generator, seeded by this one.
    pub fn fork(&mut self) -> Rng {
        Rng::seeded(self.chacha.next_u64())
    }

    /// Where this generator stands.
    pub fn state(&self) -> RngState {
        RngState { seed: self.seed, stream: self.chacha.get_stream(), counter: self.chacha.get_word_pos() }
    }

    /// The generator that stands where `state` says.
    pub fn from_state(state: RngState) -> Rng {
        let mut rng = Rng::seeded(state.seed);
        rng.chacha.set_stream(state.stream);
        rng.chacha.set_word_pos(state.counter);
        rng
    }

    /// Goes on as if `words` 32-bit words had been drawn: how several threads draw their own parts of one sequence.
    pub fn skip(&mut self, words: usize) {
        self.chacha.set_word_pos(self.chacha.get_word_pos().wrapping_add(words as u128));
    }

    /// A number from [0, 1).
    pub fn uniform(&mut self) -> f64 {
        StandardUniform.sample(self)
    }

    /// A number from the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(self)
    }

    /// An integer from 0 to, not including, `bound`, without bias (Lemire 2019).
    ///
    /// # Panics
    /// If `bound` is 0.
    #[track_caller]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "below: no integer below 0");
        loop {
            let product = u128::from(self.chacha.next_u64()) * u128::from(bound);
            // Some low halves occur once too often; those below 2^64 mod bound are drawn again.
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts `values` into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

impl TryRng for Rng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.chacha.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.chacha.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.chacha.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_generator_continues_where_it_stood() {
        let mut rng = Rng::seeded(3).stream(9);
        for _ in 0..1001 {
            rng.normal();
        }
        let mut copy = Rng::from_state(rng.state());
        for _ in 0..100 {
            assert_eq!(rng.normal(), copy.normal());
        }
    }

    #[test]
    fn skipping_is_drawing() {
        let (mut drawn, mut skipped) = (Rng::seeded(3), Rng::seeded(3));
        for words in [1, 16, 63, 1000] {
            for _ in 0..words {
                drawn.next_u32();
            }
            skipped.skip(words);
            assert_eq!((skipped.state(), skipped.next_u32()), (drawn.state(), drawn.next_u32()));
        }
    }

    #[test]
    fn below_is_uniform() {
        let mut rng = Rng::seeded(1);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        // Chi-squared with 6 degrees of freedom: above 22.5 once in a thousand seeds.
        let chi: f64 = counts.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.5, "{counts:?}");
    }

    #[test]
    fn shuffling_keeps_every_element() {
        let mut values: Vec<u32> = (0..100).collect();
        Rng::seeded(5).shuffle(&mut values);
        assert_ne!(values, (0..100).collect::<Vec<_>>());
        values.sort_unstable();
        assert_eq!(values, (0..100).collect::<Vec<_>>());
    }
}
