//! Numeric code on slices. Knows no tensor and no graph.
pub mod cross_entropy;
pub mod element;
pub mod elementwise;
pub mod gemm;
pub mod lanes;
pub mod math;
pub mod parallel;
pub mod reduce;
pub mod rows;
pub mod simd;
pub mod softmax;
pub mod strided;
pub mod update;
