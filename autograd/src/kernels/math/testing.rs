//! Measures a f32 function against the same function in double precision.

/// Every how many floats to test: all of them if the environment says `CHAINRULE_EXHAUSTIVE=1`.
fn stride() -> u64 {
    if std::env::var_os("CHAINRULE_EXHAUSTIVE").is_some_and(|value| value == "1") { 1 } else { 4099 }
}

/// |got − want| in units of the last place of an f32 near `want`; infinite if just one of them is a NaN.
pub fn error_in_ulp(got: f32, want: f64) -> f64 {
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    // ∞ stands for 2¹²⁸, the float that would follow the largest: so rounding to it counts as rounding.
    let limit = 2f64.powi(128);
    let (got, want) = (f64::from(got).clamp(-limit, limit), want.clamp(-limit, limit));
    let exponent = (want.abs().to_bits() >> 52) as i32 - 1023;
    (got - want).abs() / 2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// Prints the largest error of `f` over the floats, and asserts that it is within `bound` ulp.
pub fn assert_ulp(name: &str, f: fn(f32) -> f32, oracle: fn(f64) -> f64, bound: f64) {
    let stride = stride();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let worst_of = |thread: u64| {
        let mut worst = (0.0, 0.0);
        for bits in (thread * stride..1 << 32).step_by((threads * stride) as usize) {
            let x = f32::from_bits(bits as u32);
            let error = error_in_ulp(f(x), oracle(f64::from(x)));
            if error > worst.0 {
                worst = (error, x);
            }
        }
        worst
    };
    let (error, x) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || worst_of(thread))).collect();
        let worsts = workers.into_iter().map(|worker| worker.join().expect("a test thread panicked"));
        worsts.max_by(|a, b| a.0.total_cmp(&b.0)).expect("at least one thread")
    });
    println!("{name}: largest error {error:.3} ulp, at x = {x:e} (every {stride}. float)");
    assert!(error <= bound, "{name}({x:e}) = {:e} is off by {error} ulp, more than {bound}", f(x));
    assert!(f(f32::NAN).is_nan(), "{name}(NaN)");
}

/// Asserts `f(x) == y` for each pair, the signs of zeros included, and NaN equal to NaN.
pub fn assert_bits(name: &str, f: fn(f32) -> f32, pairs: &[(f32, f32)]) {
    for &(x, want) in pairs {
        let got = f(x);
        let equal = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
        assert!(equal, "{name}({x:e}) = {got:e}, expected {want:e}");
    }
}
