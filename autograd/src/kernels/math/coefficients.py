"""Derives every polynomial coefficient of this folder: `pip install mpmath && python coefficients.py`.

A polynomial here is sum(c[k] * x**powers[k]). `remez` finds the c whose largest weighted error on an
interval is smallest (the exchange algorithm of Remez, in 50 digits). `fit` then rounds c[0] to the
precision of the code, fits the remaining coefficients again around the rounded one, rounds the next,
and so on, so that the later coefficients absorb the rounding of the earlier ones.
"""
from mpmath import mp, mpf

mp.dps = 50
GRID = 600


def remez(samples, powers):
    """The c with the smallest largest error weight * |value - sum(c[k] * x**powers[k])| over the samples."""
    count = len(powers)
    # Start near the extrema of the Chebyshev polynomial of that degree.
    chosen = [samples[(2 * i + 1) * len(samples) // (2 * (count + 1))] for i in range(count + 1)]
    for _ in range(40):
        # Solve for c and e: the weighted error is +e, -e, +e, ... at the chosen points.
        rows = [[w * x**p for p in powers] + [(-1) ** i] for i, (x, _, w) in enumerate(chosen)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([w * y for _, y, w in chosen]))
        c, e = list(solution[:count]), abs(solution[count])
        errors = [w * (y - polynomial(c, powers, x)) for x, y, w in samples]
        if max(abs(error) for error in errors) <= e * mpf("1.001"):
            break
        # Exchange: take the largest error of each run of one sign.
        peaks = []
        for sample, error in zip(samples, errors):
            if not peaks or (peaks[-1][1] > 0) != (error > 0):
                peaks.append((sample, error))
            elif abs(error) > abs(peaks[-1][1]):
                peaks[-1] = (sample, error)
        while len(peaks) > count + 1:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        if len(peaks) < count + 1:
            break
        chosen = [sample for sample, _ in peaks]
    return c


def polynomial(c, powers, x):
    return sum(ck * x**p for ck, p in zip(c, powers))


def nearest(x, bits):
    """x rounded to a floating-point number of `bits` bits."""
    with mp.workprec(bits):
        return +x


def fit(f, weight, powers, lo, hi, bits):
    """Coefficients of `bits` bits for f on [lo, hi], and their largest weighted error."""
    # Chebyshev nodes: dense at the ends, and never on them, where f may be 0/0.
    nodes = [(hi + lo) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * GRID)) for i in range(GRID)]
    samples = [(x, f(x), weight(x)) for x in nodes]
    done = []
    for k, power in enumerate(powers):
        done.append(nearest(remez(samples, powers[k:])[0], bits))
        samples = [(x, y - done[k] * x**power, w) for x, y, w in samples]
    return done, max(abs(w * y) for _, y, w in samples)


def show(name, f, weight, powers, lo, hi, bits=24):
    coefficients, error = fit(f, weight, list(powers), mpf(lo), mpf(hi), bits)
    print(f"{name}: largest error 2^{mp.nstr(mp.log(error, 2), 4)}")
    for c, p in zip(coefficients, powers):
        print(f"    {mp.nstr(c, 9 if bits == 24 else 17, min_fixed=-20)}, // x^{p}")


def sqrt_of(f):
    """The f of an odd or even function, in z = x^2."""
    return lambda z: f(mp.sqrt(z))


if __name__ == "__main__":
    r = mp.log(2) / 2 * mpf("1.01")
    show("exp.rs EXP: (e^r - 1 - r) / r^2, error relative to e^r - 1",
         lambda r: (mp.expm1(r) - r) / r**2, lambda r: abs(r**2 / mp.expm1(r)), range(5), -r, r)
    show("ln.rs ATANH: 2 (atanh(s) / s - 1) / s^2 in z = s^2",
         sqrt_of(lambda s: 2 * (mp.atanh(s) / s - 1) / s**2), lambda z: z / 2, range(4), 0, mpf(1) / 9)
    small = sqrt_of(lambda x: mp.erf(x) / x - 1), sqrt_of(lambda x: x / mp.erf(x))
    show("erf.rs SMALL: erf(x) / x - 1 in z = x^2", *small, range(6), 0, mpf("0.875") ** 2)
    show("erf.rs SMALL_F64", *small, range(12), 0, mpf("0.875") ** 2, bits=53)
    large = lambda x: -mp.log(mp.erfc(x)), lambda x: mp.erfc(x) / mp.erf(x)
    show("erf.rs LARGE: -ln(1 - erf(x))", *large, range(7), mpf("0.875"), 4)
    show("erf.rs LARGE_F64", *large, range(20), mpf("0.875"), 6, bits=53)
