//! The machine's own peak: how many fused multiply-adds a core does when nothing else holds it up.

use autograd::kernels::gemm::Isa;
use autograd::kernels::simd::{Loop, vectorised};
use std::hint::black_box;
use std::time::Instant;

/// Accumulators that do not wait for one another. A core starts two vector operations in each cycle and
/// finishes each after four: eight would do, if nothing ever came late.
const CHAINS: usize = 12;
/// Rounds between two looks at the clock.
const ROUNDS: usize = 200_000;

/// `ROUNDS` multiply-adds on each of `CHAINS` vectors of `LANES` numbers.
struct Chains<const LANES: usize> {
    factor: [f32; LANES],
    term: [f32; LANES],
}

impl<const LANES: usize> Loop for Chains<LANES> {
    type Out = f32;
    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [[0.0_f32; LANES]; CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                for lane in 0..LANES {
                    sum[lane] = sum[lane].mul_add(self.factor[lane], self.term[lane]);
                }
            }
        }
        sums.iter().flatten().sum()
    }
}

fn measure<const LANES: usize>() -> f64 {
    let start = Instant::now();
    black_box(vectorised(Chains { factor: black_box([0.5; LANES]), term: black_box([0.25; LANES]) }));
    2.0 * (ROUNDS * CHAINS * LANES) as f64 / start.elapsed().as_secs_f64() / 1e9
}

/// GFLOP/s of one core in `f32`, of one look that takes half a millisecond or less: the best of many is the peak.
pub fn gflops() -> f64 {
    // As many lanes as a register has, so that all chains stay in registers.
    match Isa::best() {
        Isa::Avx512 => measure::<16>(),
        Isa::Avx2 => measure::<8>(),
        _ => measure::<4>(),
    }
}
