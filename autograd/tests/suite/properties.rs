//! Shapes, broadcasting, slicing and moving elements about, for any shape and layout, against their
//! definitions by index arithmetic.
//!
//! Elements are small integers in `f64`, so that sums are exact in any order and everything can be
//! compared for equality.

use autograd::tensor::index::{Bounds, Entry, Pick, by};
use autograd::{Dims, GradOptions, Tensor, grad};
use proptest::prelude::*;
use std::panic::catch_unwind;

// ---- the naive array ----

/// Every index of an array of shape `shape`, in row-major order.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for &size in shape {
        all = all.iter().flat_map(|index| (0..size).map(|i| [&index[..], &[i]].concat())).collect();
    }
    all
}

/// Where `index` is in row-major order.
fn position(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (size, i)| at * size + i)
}

/// An array that is nothing but its definition.
#[derive(Clone, Debug, PartialEq)]
struct Naive {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Naive {
    fn new(shape: &[usize], f: impl Fn(&[usize]) -> f64) -> Naive {
        Naive { shape: shape.to_vec(), values: indices(shape).iter().map(|index| f(index)).collect() }
    }
    fn at(&self, index: &[usize]) -> f64 {
        self.values[position(&self.shape, index)]
    }
    /// The same array as a tensor, in one of several layouts.
    fn tensor(&self, layout: Layout) -> Tensor<f64> {
        let x = Tensor::from_slice(&self.values, self.shape.as_slice());
        if x.rank() == 0 {
            return x;
        }
        match layout {
            Layout::RowMajor => x,
            Layout::Transposed => x.transpose(0, -1).contiguous().transpose(0, -1),
            Layout::Sliced => {
                let wide = Tensor::cat(&[&x, &x], -1);
                let last = wide.rank() as isize - 1;
                wide.narrow(last, 0, x.size(-1))
            }
            Layout::Stepped => x.repeat_interleave(2, 0).index(by(1.., 2)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    RowMajor,
    Transposed,
    Sliced,
    Stepped,
}

/// What a tensor holds.
fn naive(x: &Tensor<f64>) -> Naive {
    Naive { shape: x.shape().to_vec(), values: x.to_vec() }
}

/// Checks the values of a linear function at `x`, and its backward, which must be its transpose: element
/// `i` of the gradient of ⟨f(x), w⟩ is ⟨f(eᵢ), w⟩.
fn check_linear(
    x: &Tensor<f64>,
    f: impl Fn(&Tensor<f64>) -> Tensor<f64>,
    expected: &Naive,
) -> Result<(), TestCaseError> {
    let x = x.requires_grad();
    let y = f(&x);
    prop_assert_eq!(&naive(&y), expected);
    let w = Tensor::from_fn(*y.shape(), |i| (i * 7 % 11) as f64 - 5.0);
    let dx = grad(&[&(y * &w).sum(..)], &[&x], GradOptions::default()).remove(0);
    let unit = |i: usize| Tensor::from_fn(*x.shape(), |j| if i == j { 1.0 } else { 0.0 });
    let transposed = Tensor::from_fn(*x.shape(), |i| (f(&unit(i)) * &w).sum(..).item());
    prop_assert_eq!(naive(&dx), naive(&transposed));
    Ok(())
}

// ---- what is drawn at random ----

fn layout() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::RowMajor), Just(Layout::Transposed), Just(Layout::Sliced), Just(Layout::Stepped)]
}

fn shape(ranks: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1 => Just(0_usize), 3 => Just(1), 8 => 2..5_usize], ranks)
}

fn filled(shape: Vec<usize>) -> impl Strategy<Value = Naive> {
    let count: usize = shape.iter().product();
    prop::collection::vec(-9..10_i32, count)
        .prop_map(move |values| Naive { shape: shape.clone(), values: values.into_iter().map(f64::from).collect() })
}

fn array(ranks: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Naive> {
    shape(ranks).prop_flat_map(filled)
}

/// An array and one of its axes.
fn array_and_axis() -> impl Strategy<Value = (Naive, usize)> {
    array(1..=4).prop_flat_map(|x| {
        let rank = x.shape.len();
        (Just(x), 0..rank)
    })
}

/// `array` with an order of its axes.
fn array_and_order() -> impl Strategy<Value = (Naive, Vec<usize>)> {
    array(0..=4).prop_flat_map(|x| {
        let axes: Vec<usize> = (0..x.shape.len()).collect();
        (Just(x), Just(axes).prop_shuffle())
    })
}

/// A shape that broadcasts to `shape`.
fn broadcasts_to(shape: Vec<usize>) -> impl Strategy<Value = Vec<usize>> {
    let rank = shape.len();
    (prop::collection::vec(any::<bool>(), rank), 0..=rank)
        .prop_map(move |(ones, missing)| (missing..rank).map(|axis| if ones[axis] { 1 } else { shape[axis] }).collect())
}

/// Two arrays that broadcast to each other's shape.
fn two_arrays() -> impl Strategy<Value = (Naive, Naive)> {
    shape(0..=4)
        .prop_flat_map(|shape| (broadcasts_to(shape.clone()), broadcasts_to(shape)))
        .prop_flat_map(|(a, b)| (filled(a), filled(b)))
}

/// A range of an axis, its ends perhaps outside, or one index inside.
fn pick(size: usize) -> BoxedStrategy<Pick> {
    let n = size as isize;
    let end = || prop::option::of(-n - 2..n + 3);
    let slice = (end(), end(), 1..4_usize).prop_map(|(start, end, step)| Pick::Slice(Bounds { start, end }, step));
    if size == 0 { slice.boxed() } else { prop_oneof![2 => slice, 1 => (-n..n).prop_map(Pick::At)].boxed() }
}

/// An array with an index of its first axes, in which new axes and an ellipsis may stand.
fn array_and_index() -> impl Strategy<Value = (Naive, Vec<Pick>)> {
    (array(0..=4), 0..=4_usize)
        .prop_flat_map(|(x, named)| {
            let picks: Vec<_> = x.shape.iter().take(named).map(|&size| pick(size)).collect();
            (Just(x), picks, prop::option::of(0..=4_usize), prop::option::of(0..=4_usize))
        })
        .prop_map(|(x, mut picks, new_axis, ellipsis)| {
            // At the end, an ellipsis changes nothing; elsewhere it would move the entries to other axes.
            if ellipsis.is_some() || picks.len() == x.shape.len() {
                let at =
                    if picks.len() == x.shape.len() { ellipsis.unwrap_or(0).min(picks.len()) } else { picks.len() };
                picks.insert(at, Pick::Ellipsis);
            }
            if let Some(at) = new_axis {
                picks.insert(at.min(picks.len()), Pick::NewAxis);
            }
            (x, picks)
        })
}

/// The indices that a slice of Python's picks from an axis.
fn python_slice(bounds: Bounds, step: usize, size: usize) -> Vec<usize> {
    let n = size as isize;
    let start = bounds.start.map_or(0, |start| if start < 0 { (start + n).max(0) } else { start });
    let end = bounds.end.map_or(n, |end| if end < 0 { end + n } else { end });
    (0..n).filter(|i| start <= *i && *i < end && (i - start) % step as isize == 0).map(|i| i as usize).collect()
}

proptest! {
    #[test]
    fn broadcasting((a, b) in two_arrays(), (layout_a, layout_b) in (layout(), layout())) {
        let rank = a.shape.len().max(b.shape.len());
        // Aligned at the last axis, missing ones count as 1.
        let size = |shape: &[usize], axis: usize| {
            (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
        };
        let shape: Vec<usize> = (0..rank)
            .map(|axis| match (size(&a.shape, axis), size(&b.shape, axis)) {
                (1, n) | (n, _) => n,
            })
            .collect();
        let read = |x: &Naive, index: &[usize]| {
            let own = &index[rank - x.shape.len()..];
            x.at(&own.iter().zip(&x.shape).map(|(&i, &size)| if size == 1 { 0 } else { i }).collect::<Vec<_>>())
        };
        let (x, y) = (a.tensor(layout_a), b.tensor(layout_b));
        prop_assert_eq!(naive(&(&x - &y)), Naive::new(&shape, |index| read(&a, index) - read(&b, index)));
        let expected = Naive::new(&shape, |index| read(&a, index) * read(&b, index));
        check_linear(&x, |x| x * &y, &expected)?;
        check_linear(&y, |y| &x * y, &expected)?;
        check_linear(&x, |x| x.expand(&shape[..]), &Naive::new(&shape, |index| read(&a, index)))?;
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_refused(a in shape(0..=4), b in shape(0..=4)) {
        let fits = a.iter().rev().zip(b.iter().rev()).all(|(&m, &n)| m == n || m == 1 || n == 1);
        let sum = catch_unwind(|| Tensor::zeros(&a[..]) + Tensor::zeros(&b[..]));
        prop_assert_eq!(sum.is_ok(), fits);
    }

    #[test]
    fn slicing((x, picks) in array_and_index(), layout in layout()) {
        let named = picks.iter().filter(|pick| matches!(pick, Pick::At(_) | Pick::Slice(..))).count();
        // Which indices of each axis of x are picked, and the shape of the result.
        let (mut axes, mut shape): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        let at_end = (!picks.iter().any(|pick| matches!(pick, Pick::Ellipsis))).then_some(&Pick::Ellipsis);
        for pick in picks.iter().chain(at_end) {
            match *pick {
                Pick::At(i) => axes.push(vec![i.rem_euclid(x.shape[axes.len()] as isize) as usize]),
                Pick::Slice(bounds, step) => {
                    axes.push(python_slice(bounds, step, x.shape[axes.len()]));
                    shape.extend(axes.last().map(Vec::len));
                }
                Pick::Ellipsis => {
                    for _ in named..x.shape.len() {
                        axes.push((0..x.shape[axes.len()]).collect());
                        shape.extend(axes.last().map(Vec::len));
                    }
                }
                Pick::NewAxis => shape.push(1),
            }
        }
        let sizes: Vec<usize> = axes.iter().map(Vec::len).collect();
        let picked = Naive::new(&sizes, |index| {
            x.at(&index.iter().zip(&axes).map(|(&i, picked)| picked[i]).collect::<Vec<_>>())
        });
        let tensor = x.tensor(layout);
        prop_assert!(tensor.index(&picks[..]).shares_storage(&tensor));
        check_linear(&tensor, |x| x.index(&picks[..]), &Naive { shape, ..picked })?;
    }

    #[test]
    fn the_syntax_of_slices(size in 0..9_usize, start in -11..12_isize, end in -11..12_isize, step in 1..4_usize) {
        let x = Tensor::from_fn([size], |i| i as f64);
        let check = |entry: &dyn Entry, start: Option<isize>, end: Option<isize>, step: usize| {
            let picked = python_slice(Bounds { start, end }, step, size);
            let expected: Vec<f64> = picked.into_iter().map(|i| i as f64).collect();
            prop_assert_eq!(x.index(entry.pick()).to_vec(), expected);
            Ok(())
        };
        check(&(start..end), Some(start), Some(end), 1)?;
        check(&(start..), Some(start), None, 1)?;
        check(&(..end), None, Some(end), 1)?;
        check(&(..), None, None, 1)?;
        check(&by(start..end, step), Some(start), Some(end), step)?;
        check(&by(.., step), None, None, step)?;
        // The last index included: the end is one further, but behind -1 there is no number for it.
        let behind = (end != -1).then_some(end + 1);
        check(&(start..=end), Some(start), behind, 1)?;
        check(&by(..=end, step), None, behind, step)?;
    }

    #[test]
    fn reshaping((x, layout) in (array(0..=4), layout()), split in 1..5_usize, at in 0..5_usize) {
        // All sizes in one, and one of them taken apart where it divides.
        let flat = Naive { shape: vec![x.values.len()], values: x.values.clone() };
        check_linear(&x.tensor(layout), |x| x.reshape([-1]), &flat)?;
        let mut shape = x.shape.clone();
        if let Some(size) = shape.get_mut(at).filter(|size| **size % split == 0) {
            *size /= split;
            shape.insert(at, split);
        }
        let expected = Naive { shape: shape.clone(), values: x.values.clone() };
        check_linear(&x.tensor(layout), |x| x.reshape(&shape[..]), &expected)?;
        check_linear(&x.tensor(layout), |y| y.reshape([-1]).reshape(&shape[..]).reshape(&x.shape[..]), &x)?;
    }

    #[test]
    fn permuting((x, order) in array_and_order(), layout in layout()) {
        let shape: Vec<usize> = order.iter().map(|&axis| x.shape[axis]).collect();
        let expected = Naive::new(&shape, |index| {
            let mut from = vec![0; index.len()];
            order.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
            x.at(&from)
        });
        // `permute` takes arrays, so the order is made of exchanges of two axes.
        let permuted = |x: &Tensor<f64>| {
            let (mut y, mut now): (_, Vec<usize>) = (x.clone(), (0..order.len()).collect());
            for (to, from) in order.iter().enumerate() {
                let at = now.iter().position(|axis| axis == from).expect("an order of all axes");
                now.swap(to, at);
                y = y.transpose(to as isize, at as isize);
            }
            y
        };
        let tensor = x.tensor(layout);
        prop_assert!(permuted(&tensor).shares_storage(&tensor));
        check_linear(&tensor, permuted, &expected)?;
        check_linear(&tensor, |x| permuted(x).contiguous(), &expected)?;
        if let &[a, b, c] = &order[..] {
            prop_assert_eq!(naive(&tensor.permute([a, b, c].map(|axis| axis as isize))), expected);
        }
    }

    #[test]
    fn cat_joins_what_split_takes_apart((x, axis) in array_and_axis(), layout in layout(), part in 1..4_usize) {
        let (tensor, size) = (x.tensor(layout), x.shape[axis]);
        let axis = axis as isize;
        let joined = |parts: Vec<Tensor<f64>>, f: fn(&[&Tensor<f64>], isize) -> Tensor<f64>| {
            f(&parts.iter().collect::<Vec<_>>(), axis)
        };
        check_linear(&tensor, |x| joined(x.split(part, axis), Tensor::cat), &x)?;
        check_linear(&tensor, |x| joined(x.chunk(part, axis), Tensor::cat), &x)?;
        check_linear(&tensor, |x| joined(x.split_sizes(&[size / 2, 0, size - size / 2], axis), Tensor::cat), &x)?;
        if size > 0 {
            check_linear(&tensor, |x| joined(x.unbind(axis), Tensor::stack), &x)?;
        }
    }

    #[test]
    fn cat_puts_one_behind_the_other((x, axis) in array_and_axis(), layout in layout(), front in 0..3_usize) {
        let mut shape = x.shape.clone();
        shape[axis] = front;
        let before = Naive::new(&shape, |index| index.iter().sum::<usize>() as f64 + 20.0);
        let y = Tensor::cat(&[&before.tensor(Layout::RowMajor), &x.tensor(layout)], axis as isize);
        shape[axis] = front + x.shape[axis];
        let expected = Naive::new(&shape, |index| {
            let mut own = index.to_vec();
            match index[axis].checked_sub(front) {
                None => before.at(index),
                Some(i) => {
                    own[axis] = i;
                    x.at(&own)
                }
            }
        });
        prop_assert_eq!(naive(&y), expected);
    }

    #[test]
    fn sums(x in array(0..=4), layout in layout(), chosen in prop::collection::vec(any::<bool>(), 4)) {
        let axes: Dims = (0..x.shape.len()).filter(|&axis| chosen[axis]).collect();
        let stays: Vec<usize> = (0..x.shape.len()).filter(|axis| !axes.contains(axis)).collect();
        let kept = |of: &[usize]| stays.iter().map(|&axis| of[axis]).collect::<Vec<_>>();
        let mut sums = Naive::new(&kept(&x.shape), |_| 0.0);
        for index in indices(&x.shape) {
            sums.values[position(&kept(&x.shape), &kept(&index))] += x.at(&index);
        }
        check_linear(&x.tensor(layout), |x| x.sum(axes), &sums)?;
    }

    #[test]
    fn picking_along_an_axis((x, axis) in array_and_axis(), layout in layout(), seed in any::<u32>()) {
        let (size, signed) = (x.shape[axis], axis as isize);
        let random = |i: usize| (seed as usize).wrapping_mul(2 * i + 1) / 7 % size.max(1);
        let count = if size == 0 { 0 } else { seed as usize % 6 };
        let tensor = x.tensor(layout);

        // Whole slices.
        let picked: Vec<i64> = (0..count).map(|i| random(i) as i64).collect();
        let list = Tensor::from_slice(&picked, [count]);
        let mut shape = x.shape.clone();
        shape[axis] = count;
        let there = |index: &[usize], to: usize| {
            let mut index = index.to_vec();
            index[axis] = to;
            index
        };
        let selected = Naive::new(&shape, |index| x.at(&there(index, picked[index[axis]] as usize)));
        check_linear(&tensor, |x| x.index_select(signed, &list), &selected)?;

        // Single elements.
        let index_tensor = Tensor::from_fn(&shape[..], |i| random(i) as i64);
        let leads = |index: &[usize]| there(index, random(position(&shape, index)));
        check_linear(&tensor, |x| x.gather(signed, &index_tensor), &Naive::new(&shape, |index| x.at(&leads(index))))?;

        // And back.
        let v = Naive::new(&shape, |index| (index.iter().sum::<usize>() % 5) as f64 - 2.0);
        let (mut rows_added, mut added, mut written) = (x.clone(), x.clone(), x.clone());
        for index in indices(&shape) {
            let row = there(&index, picked[index[axis]] as usize);
            rows_added.values[position(&x.shape, &row)] += v.at(&index);
            added.values[position(&x.shape, &leads(&index))] += v.at(&index);
            written.values[position(&x.shape, &leads(&index))] = v.at(&index);
        }
        let values = v.tensor(layout);
        prop_assert_eq!(naive(&tensor.index_add(signed, &list, &values)), rows_added.clone());
        prop_assert_eq!(naive(&tensor.scatter_add(signed, &index_tensor, &values)), added.clone());
        prop_assert_eq!(naive(&tensor.scatter(signed, &index_tensor, &values)), written);
        let from_zero = |y: &Naive| {
            Naive { shape: y.shape.clone(), values: y.values.iter().zip(&x.values).map(|(y, x)| y - x).collect() }
        };
        let zeros = tensor.zeros_like();
        check_linear(&values, |v| zeros.index_add(signed, &list, v), &from_zero(&rows_added))?;
        check_linear(&values, |v| zeros.scatter_add(signed, &index_tensor, v), &from_zero(&added))?;
    }

    #[test]
    fn moving_along_an_axis((x, axis) in array_and_axis(), layout in layout(), by in -5..6_isize, n in 0..4_usize) {
        let (tensor, size, signed) = (x.tensor(layout), x.shape[axis], axis as isize);
        let from = |shape: &[usize], source: &dyn Fn(usize) -> Option<usize>| {
            Naive::new(shape, |index| {
                let mut index = index.to_vec();
                source(index[axis]).map_or(0.0, |i| {
                    index[axis] = i;
                    x.at(&index)
                })
            })
        };
        let sized = |size: usize| {
            let mut shape = x.shape.clone();
            shape[axis] = size;
            shape
        };
        check_linear(&tensor, |x| x.flip(signed), &from(&x.shape, &|i| Some(size - 1 - i)))?;
        let rolled = from(&x.shape, &|i| Some((i as isize - by).rem_euclid(size as isize) as usize));
        check_linear(&tensor, |x| x.roll([by], [signed]), &rolled)?;
        let mut counts = vec![1; x.shape.len()];
        counts[axis] = n;
        check_linear(&tensor, |x| x.repeat(&counts[..]), &from(&sized(size * n), &|i| Some(i % size)))?;
        check_linear(&tensor, |x| x.repeat_interleave(n, signed), &from(&sized(size * n), &|i| Some(i / n)))?;

        // Padded: the axis moved to the end, where `pad` begins.
        let (front, back) = (by.max(-(size as isize)), n as isize);
        let padded = from(&sized((size as isize + front + back) as usize), &|i| {
            usize::try_from(i as isize - front).ok().filter(|&i| i < size)
        });
        let pad = |x: &Tensor<f64>| x.transpose(signed, -1).pad([(front, back)], 0.0).transpose(signed, -1);
        check_linear(&tensor, pad, &padded)?;
    }

    #[test]
    fn triangles_and_diagonals(x in array(2..=4), layout in layout(), k in -4..5_isize) {
        let tensor = x.tensor(layout);
        let rank = x.shape.len();
        let above = |index: &[usize]| index[rank - 1] as isize - index[rank - 2] as isize;
        let kept = |keep: &dyn Fn(isize) -> bool| {
            Naive::new(&x.shape, |index| if keep(above(index)) { x.at(index) } else { 0.0 })
        };
        check_linear(&tensor, |x| x.tril(k), &kept(&|d| d <= k))?;
        check_linear(&tensor, |x| x.triu(k), &kept(&|d| d >= k))?;
        let on = |i: usize| [i + (-k).max(0) as usize, i + k.max(0) as usize];
        let inside = |i: &usize| on(*i)[0] < x.shape[rank - 2] && on(*i)[1] < x.shape[rank - 1];
        let mut shape = x.shape[..rank - 2].to_vec();
        shape.push((0..5).filter(inside).count());
        let diagonal = Naive::new(&shape, |index| x.at(&[&index[..rank - 2], &on(index[rank - 2])].concat()));
        check_linear(&tensor, |x| x.diagonal(k, -2, -1), &diagonal)?;
    }
}
