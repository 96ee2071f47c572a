//! Numeric code on slices. Knows no tensor and no graph.
//!
//! Entrances to large kernels are `#[inline(never)]`, so that they are compiled with this crate and not with every
//! program that uses it: `compiled.rs` says how.
pub mod along;
pub mod batch_norm;
pub mod conv;
pub mod cross_entropy;
pub mod element;
pub mod elementwise;
pub mod extreme;
pub mod fold;
pub mod gemm;
pub mod lanes;
pub mod layer_norm;
pub mod lstm;
pub mod math;
pub mod max_pool;
pub mod parallel;
pub mod reduce;
pub mod remap;
pub mod resample;
pub mod rows;
pub mod scan;
pub mod simd;
pub mod softmax;
pub mod sort;
pub mod strided;
pub mod update;
pub mod variance;

/// Whether a case of so many elements is for this run of the tests: Miri, ten thousand times slower, gets those that
/// are just long enough to go to several threads.
#[cfg(test)]
fn is_tested_here(elements: usize) -> bool {
    !cfg!(miri) || elements <= 5 * parallel::ELEMENTS
}
