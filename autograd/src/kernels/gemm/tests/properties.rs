//! Any product at all, small: shapes, layouts, scales, epilogues and ways drawn at random.

use super::*;
use proptest::prelude::*;

fn cases() -> impl Strategy<Value = (Case, &'static str)> {
    let shape = if cfg!(miri) { [0usize..9, 0..20, 0..7] } else { [0..40, 0..70, 0..50] };
    let layouts = [
        prop::sample::select(&Layout::INPUT[..]),
        prop::sample::select(&Layout::INPUT[..]),
        prop::sample::select(&Layout::OUTPUT[..]),
    ];
    let scale = || prop::sample::select(vec![0.0, 1.0, -1.0, 0.75]);
    (shape, layouts, scale(), scale(), any::<[bool; 3]>(), prop::sample::select(&Case::WAYS[..])).prop_map(
        |(shape, layouts, alpha, beta, [row_bias, col_bias, relu], way)| {
            (Case { shape, layouts, alpha, beta, row_bias, col_bias, relu }, way)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 500 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_product_is_right_on_every_instruction_set((case, way) in cases()) {
        for isa in Isa::available() {
            case.check::<f32>(dispatch::kernels(isa), way);
            case.check::<f64>(dispatch::kernels(isa), way);
        }
    }
}
