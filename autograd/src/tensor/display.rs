//! Printing, as PyTorch prints: `tensor([[1.0000, 2.5000], [3.0000, 4.0000]])`, with columns aligned.
//!
//! The rules are those of `torch/_tensor_str.py`. All elements are looked at first, to find one format
//! for all of them:
//!
//! - floats that are all whole numbers print without decimals, `1.`;
//! - floats of very different size (a ratio above 1000), above 10⁸ or below 10⁻⁴ print as `1.0000e+05`;
//! - other floats print with four decimals.
//!
//! Lines are at most 80 characters. Of a tensor with more than 1000 elements only the first and last
//! three of each axis are printed, and looked at. Behind the elements stand the element type, unless it
//! is `f32`, `i64` or `bool`, and where the tensor comes from.

use super::handle::Tensor;
use crate::kernels::element::{Element, Scalar};
use std::fmt::{self, Write};

/// The decimals of a float.
const PRECISION: usize = 4;
/// The characters of a line.
const LINE: usize = 80;
/// A tensor with more elements is summarised.
const THRESHOLD: usize = 1000;
/// How many entries a summary shows at each end of an axis.
const EDGE: usize = 3;
/// What everything starts with; later lines are indented to stand under its end.
const PREFIX: &str = "tensor(";

impl<T: Element> fmt::Display for Tensor<T> {
    /// As PyTorch prints.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([[1.0, 2.5], [30.0, 4.0]]).requires_grad();
    /// assert_eq!(
    ///     x.tanh().to_string(),
    ///     "tensor([[0.7616, 0.9866],\n        [1.0000, 0.9993]], grad_fn=<TanhBackward>)"
    /// );
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self))
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    /// As [`Display`](fmt::Display).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn print<T: Element>(x: &Tensor<T>) -> String {
    let mut out = String::from(PREFIX);
    if x.count() == 0 {
        out.push_str("[]");
    } else {
        let summarise = x.count() > THRESHOLD;
        let mut shown = Vec::new();
        collect(x, summarise, 0, 0, &mut shown);
        Printer { x, summarise, format: Format::of(&shown), out: &mut out }.axis(0, 0, PREFIX.len());
    }
    let mut width = out.chars().rev().take_while(|&c| c != '\n').count() + 2;
    for suffix in suffixes(x) {
        if width + suffix.len() + 2 > LINE {
            write!(out, ",\n{:1$}{suffix}", "", PREFIX.len()).expect("a string takes everything");
            width = PREFIX.len() + suffix.len();
        } else {
            write!(out, ", {suffix}").expect("a string takes everything");
            width += suffix.len() + 2;
        }
    }
    out.push(')');
    out
}

/// What is said behind the elements.
fn suffixes<T: Element>(x: &Tensor<T>) -> Vec<String> {
    let mut suffixes = Vec::new();
    let empty = x.count() == 0;
    if empty && x.rank() != 1 {
        let sizes: Vec<String> = x.shape().iter().map(usize::to_string).collect();
        suffixes.push(format!("size=({})", sizes.join(", ")));
    }
    // Elements show that they are integers or not; without any, nothing does.
    let shows = matches!(T::default().scalar(), Scalar::Int(_) | Scalar::Bool(_)) && !empty;
    if T::DTYPE != f32::DTYPE && !shows {
        suffixes.push(format!("dtype={}", T::DTYPE));
    }
    match x.history.node().map(|node| node.name()) {
        Some("leaf") => suffixes.push("requires_grad=True".to_string()),
        Some(name) => suffixes.push(format!("grad_fn=<{}Backward>", in_camel_case(name))),
        None => {}
    }
    suffixes
}

/// `log_softmax` as `LogSoftmax`.
fn in_camel_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(capital).collect()
}

/// The indices of an axis that are printed.
fn shown(size: usize, summarise: bool) -> impl Iterator<Item = usize> {
    let skip = if summarise && size > 2 * EDGE { EDGE..size - EDGE } else { size..size };
    (0..skip.start).chain(skip.end..size)
}

/// Appends the elements that are printed, from `axis` on.
fn collect<T: Element>(x: &Tensor<T>, summarise: bool, axis: usize, at: usize, out: &mut Vec<Scalar>) {
    if axis == x.rank() {
        return out.push(x.view()[at].scalar());
    }
    for i in shown(x.shape()[axis], summarise) {
        collect(x, summarise, axis + 1, at + i * x.strides()[axis], out);
    }
}

/// How every element prints.
struct Format {
    style: Style,
    /// The characters of the widest.
    width: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// `1.`
    Whole,
    /// `1.0000`
    Decimals,
    /// `1.0000e+00`
    Scientific,
}

impl Format {
    /// The format for these elements.
    fn of(elements: &[Scalar]) -> Format {
        let floats: Vec<f64> =
            elements.iter().filter_map(|x| if let Scalar::Float(x) = x { Some(*x) } else { None }).collect();
        // What is zero, infinite or NaN adapts to the format of the others.
        let ordinary: Vec<f64> = floats.iter().copied().filter(|x| x.is_finite() && *x != 0.0).collect();
        let largest = ordinary.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        let smallest = ordinary.iter().fold(f64::INFINITY, |a: f64, b| a.min(b.abs()));
        let style = if !ordinary.is_empty() && (largest / smallest > 1000.0 || largest > 1e8 || smallest < 1e-4) {
            Style::Scientific
        } else if ordinary.iter().all(|x| x.trunc() == *x) {
            Style::Whole
        } else {
            Style::Decimals
        };
        let mut format = Format { style, width: 1 };
        let width = |x: Scalar| format.unpadded(x).chars().count();
        let widest = |elements: &mut dyn Iterator<Item = Scalar>| elements.map(width).max().unwrap_or(1);
        format.width = if floats.is_empty() {
            widest(&mut elements.iter().copied())
        } else {
            widest(&mut ordinary.iter().map(|&x| Scalar::Float(x)))
        };
        format
    }

    fn unpadded(&self, x: Scalar) -> String {
        match x {
            Scalar::Int(x) => x.to_string(),
            Scalar::Bool(x) => (if x { "True" } else { "False" }).to_string(),
            Scalar::Float(x) if x.is_nan() => "nan".to_string(),
            Scalar::Float(x) if x.is_infinite() => x.to_string(),
            Scalar::Float(x) => match self.style {
                Style::Whole => format!("{x:.0}."),
                Style::Decimals => format!("{x:.PRECISION$}"),
                Style::Scientific => {
                    let text = format!("{x:.PRECISION$e}");
                    let (digits, exponent) = text.split_once('e').expect("just formatted so");
                    let exponent: i32 = exponent.parse().expect("just formatted so");
                    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
                }
            },
        }
    }

    fn padded(&self, x: Scalar) -> String {
        format!("{:>1$}", self.unpadded(x), self.width)
    }
}

struct Printer<'a, T: Element> {
    x: &'a Tensor<T>,
    summarise: bool,
    format: Format,
    out: &'a mut String,
}

impl<T: Element> Printer<'_, T> {
    /// Prints what lies along `axis` and those after it, at offset `at`, beginning `indent` characters into
    /// the line.
    fn axis(&mut self, axis: usize, at: usize, indent: usize) {
        let x = self.x;
        if axis == x.rank() {
            let text = self.format.padded(x.view()[at].scalar());
            return self.out.push_str(&text);
        }
        let (size, stride, last) = (x.shape()[axis], x.strides()[axis], axis + 1 == x.rank());
        let cut = self.summarise && size > 2 * EDGE;
        let per_line = (LINE.saturating_sub(indent) / (self.format.width + 2)).max(1);
        self.out.push('[');
        let mut entries: Vec<_> = shown(size, self.summarise).map(Some).collect();
        if cut {
            // The dots count as an entry.
            entries.insert(EDGE, None);
        }
        for (i, entry) in entries.into_iter().enumerate() {
            if i > 0 {
                let newlines = if !last { x.rank() - axis - 1 } else { usize::from(i % per_line == 0) };
                self.out.push(',');
                self.out.extend(std::iter::repeat_n('\n', newlines));
                self.out.extend(std::iter::repeat_n(' ', if newlines > 0 { indent + 1 } else { 1 }));
            }
            match entry {
                Some(index) => self.axis(axis + 1, at + index * stride, indent + 1),
                None => self.out.push_str(if last { " ..." } else { "..." }),
            }
        }
        self.out.push(']');
    }
}
