//! The machine's own peak: how many fused multiply-adds a core does when nothing else holds it up.

use autograd::kernels::gemm::Isa;
use autograd::kernels::simd::{Loop, vectorised};
use std::hint::black_box;
use std::time::Instant;

/// Vectors of sums that do not wait for one another. A core starts two vector operations in each cycle and
/// finishes each after four: eight would do, if nothing ever came late.
const CHAINS: usize = 12;
/// Rounds between two looks at the clock.
const ROUNDS: usize = 200_000;

/// `ROUNDS` multiply-adds on each of `SUMS` numbers.
///
/// They are one row, not vectors in a row of vectors: with AVX-512 the compiler would take a lane of each vector
/// together, collect them from memory one by one, and reach a sixtieth of the peak.
struct Chains<const SUMS: usize> {
    factor: f32,
    term: f32,
}

impl<const SUMS: usize> Loop for Chains<SUMS> {
    type Out = f32;
    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [0.0_f32; SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = sum.mul_add(self.factor, self.term);
            }
        }
        sums.iter().sum()
    }
}

fn measure<const SUMS: usize>() -> f64 {
    let start = Instant::now();
    black_box(vectorised(Chains::<SUMS> { factor: black_box(0.5), term: black_box(0.25) }));
    2.0 * (ROUNDS * SUMS) as f64 / start.elapsed().as_secs_f64() / 1e9
}

/// GFLOP/s of one core in `f32`, in one look of half a millisecond.
fn gflops() -> f64 {
    // As many lanes as a register has, so that all chains stay in registers.
    match Isa::best() {
        Isa::Avx512 => measure::<{ CHAINS * 16 }>(),
        Isa::Avx2 => measure::<{ CHAINS * 8 }>(),
        _ => measure::<{ CHAINS * 4 }>(),
    }
}

/// The peak of one core in `f32`, GFLOP/s: the best of so many looks, each of half a millisecond.
pub fn best_of(looks: usize) -> f64 {
    (0..looks).map(|_| gflops()).fold(0.0, f64::max)
}
