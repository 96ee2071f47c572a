//! Numeric code on slices. Knows no tensor and no graph.
pub mod gemm;
