//! What `tests/fixtures/make_ops.py` wrote, and how results are held against it.

use autograd::{Dims, Tensor, by};
use serde_json::Value;
use std::ops::Index;
use std::sync::LazyLock;

pub static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    // Read when the test runs: to make it again compiles nothing.
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ops.json")).expect("the fixture");
    Fixture::read(&serde_json::from_slice(&text).expect("valid JSON"))
});

pub struct Fixture {
    pub cases: Vec<Case>,
}

/// An operation on some inputs.
pub struct Case {
    pub op: String,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Expected>,
    /// Of each input that is a float.
    pub gradients: Option<Vec<Expected>>,
    pub second: Option<Vec<Expected>>,
}

/// A tensor as it is stored, and the views through which the operation sees it.
#[derive(Clone)]
pub struct Input {
    stored: Stored,
    views: Vec<String>,
}

#[derive(Clone)]
enum Stored {
    Float(Tensor<f64>),
    Int(Tensor<i64>),
    Bool(Tensor<bool>),
}

/// A tensor that PyTorch computed.
pub struct Expected {
    shape: Dims,
    values: Vec<Value>,
    /// By how much each element may differ, in units of ε; nothing if by nothing.
    bounds: Option<Vec<f64>>,
}

// ---- reading ----

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn float(value: &Value) -> f64 {
    match value.as_str() {
        Some(text) => text.parse().expect("inf, -inf or nan"),
        None => value.as_f64().expect("a number"),
    }
}

fn shape(value: &Value) -> Dims {
    list(&value["shape"]).iter().map(|size| size.as_u64().expect("a size") as usize).collect()
}

impl Fixture {
    fn read(file: &Value) -> Fixture {
        let inputs: Vec<Input> = list(&file["inputs"]).iter().map(Input::read).collect();
        let expected = |value: &Value| -> Vec<Expected> { list(value).iter().map(Expected::read).collect() };
        let case = |value: &Value| Case {
            op: value["op"].as_str().expect("a name").to_string(),
            inputs: list(&value["inputs"]).iter().map(|i| inputs[i.as_u64().unwrap() as usize].clone()).collect(),
            outputs: expected(&value["outputs"]),
            gradients: value.get("gradients").map(expected),
            second: value.get("second").map(expected),
        };
        Fixture { cases: list(&file["cases"]).iter().map(case).collect() }
    }
}

impl Input {
    fn read(value: &Value) -> Input {
        let (shape, values) = (shape(value), list(&value["values"]));
        let stored = match value["kind"].as_str().expect("a kind") {
            "float" => Stored::Float(Tensor::from_fn(shape, |i| float(&values[i]))),
            "int" => Stored::Int(Tensor::from_fn(shape, |i| values[i].as_i64().expect("an integer"))),
            "bool" => Stored::Bool(Tensor::from_fn(shape, |i| values[i].as_bool().expect("true or false"))),
            kind => panic!("{kind}: a kind of number that this test does not know"),
        };
        let views = list(&value["views"]).iter().map(|view| view.as_str().expect("a view").to_string()).collect();
        Input { stored, views }
    }

    fn describe(&self) -> String {
        let shape = match &self.stored {
            Stored::Float(x) => x.shape(),
            Stored::Int(x) => x.shape(),
            Stored::Bool(x) => x.shape(),
        };
        std::iter::once(shape.to_string()).chain(self.views.iter().cloned()).collect::<Vec<_>>().join(" ")
    }
}

impl Expected {
    fn read(value: &Value) -> Expected {
        let bounds = value.get("bounds").map(|bounds| list(bounds).iter().map(float).collect());
        Expected { shape: shape(value), values: list(&value["values"]).to_vec(), bounds }
    }
}

impl Case {
    /// The shapes of the inputs.
    pub fn describe(&self) -> String {
        self.inputs.iter().map(Input::describe).collect::<Vec<_>>().join(" and ")
    }
}

// ---- running ----

/// The inputs of an operation as it sees them: `x[0]` for floats, `x.i(0)` and `x.b(0)` for integers and masks.
pub struct Args {
    leaves: Vec<Stored>,
    seen: Vec<Stored>,
}

fn seen<T: autograd::Element>(x: &Tensor<T>, views: &[String]) -> Tensor<T> {
    views.iter().fold(x.clone(), |x, view| match view.as_str() {
        "transposed" => x.transpose(0, -1),
        "stepped" => x.index((autograd::Ellipsis, by(1.., 2))),
        "narrowed" => x.index(1..-1),
        "expanded" => x.expand([2].iter().chain(x.shape().iter()).copied().collect::<Dims>()),
        view => panic!("{view}: a view that this test does not know"),
    })
}

impl Args {
    pub fn new(inputs: &[Input]) -> Args {
        let leaf = |input: &Input| match &input.stored {
            Stored::Float(x) => Stored::Float(x.requires_grad()),
            other => other.clone(),
        };
        let leaves: Vec<Stored> = inputs.iter().map(leaf).collect();
        let through = |(leaf, input): (&Stored, &Input)| match leaf {
            Stored::Float(x) => Stored::Float(seen(x, &input.views)),
            Stored::Int(x) => Stored::Int(seen(x, &input.views)),
            Stored::Bool(x) => Stored::Bool(seen(x, &input.views)),
        };
        let seen = leaves.iter().zip(inputs).map(through).collect();
        Args { leaves, seen }
    }

    pub fn leaves(&self) -> impl Iterator<Item = &Tensor<f64>> {
        self.leaves.iter().filter_map(|leaf| match leaf {
            Stored::Float(x) => Some(x),
            _ => None,
        })
    }

    pub fn i(&self, position: usize) -> &Tensor<i64> {
        let Stored::Int(x) = &self.seen[position] else { panic!("input {position} is not of integers") };
        x
    }

    pub fn b(&self, position: usize) -> &Tensor<bool> {
        let Stored::Bool(x) = &self.seen[position] else { panic!("input {position} is not a mask") };
        x
    }
}

impl Index<usize> for Args {
    type Output = Tensor<f64>;
    fn index(&self, position: usize) -> &Tensor<f64> {
        let Stored::Float(x) = &self.seen[position] else { panic!("input {position} is not of floats") };
        x
    }
}

/// What an operation returns: one tensor or several.
pub struct Outputs(Vec<Stored>);

impl Outputs {
    pub fn floats(&self) -> impl Iterator<Item = &Tensor<f64>> {
        self.0.iter().filter_map(|y| match y {
            Stored::Float(y) => Some(y),
            _ => None,
        })
    }
}

impl From<Tensor<f64>> for Stored {
    fn from(x: Tensor<f64>) -> Stored {
        Stored::Float(x)
    }
}
impl From<Tensor<i64>> for Stored {
    fn from(x: Tensor<i64>) -> Stored {
        Stored::Int(x)
    }
}
impl From<Tensor<bool>> for Stored {
    fn from(x: Tensor<bool>) -> Stored {
        Stored::Bool(x)
    }
}
impl<T: autograd::Element> From<Tensor<T>> for Outputs
where
    Stored: From<Tensor<T>>,
{
    fn from(y: Tensor<T>) -> Outputs {
        Outputs(vec![y.into()])
    }
}
impl<T: autograd::Element> From<Vec<Tensor<T>>> for Outputs
where
    Stored: From<Tensor<T>>,
{
    fn from(ys: Vec<Tensor<T>>) -> Outputs {
        Outputs(ys.into_iter().map(Stored::from).collect())
    }
}
impl<A: Into<Outputs>, B: Into<Outputs>> From<(A, B)> for Outputs {
    fn from((a, b): (A, B)) -> Outputs {
        Outputs(a.into().0.into_iter().chain(b.into().0).collect())
    }
}

// ---- comparing ----

/// The upstream gradient of element `i`, as in make_ops.py.
pub fn dy(i: usize) -> f64 {
    (((37 * i + 11) % 16) as f64 - 7.5) / 8.0
}

/// The weight of element `i` of the gradients in the second derivative, as in make_ops.py.
pub fn v(i: usize) -> f64 {
    (((29 * i + 3) % 16) as f64 - 7.5) / 8.0
}

/// `weight(i)` for the elements of these tensors, counted through.
pub fn weights(weight: fn(usize) -> f64, like: &[&Tensor<f64>]) -> Vec<Tensor<f64>> {
    let mut first = 0;
    let mut next = |y: &&Tensor<f64>| {
        let start = first;
        first += y.count();
        Tensor::from_fn(*y.shape(), |i| weight(start + i))
    };
    like.iter().map(&mut next).collect()
}

/// Where `got` is not what PyTorch computed.
///
/// Whether a zero is a negative one is compared if `signed`. It is not in gradients, where it depends on which of
/// many formulas an implementation has chosen, and PyTorch's own ways differ in it.
pub fn differences(expected: &[Expected], got: &Outputs, signed: bool) -> Vec<String> {
    if expected.len() != got.0.len() {
        return vec![format!("is {} tensors and not {}", got.0.len(), expected.len())];
    }
    let pairs = expected.iter().zip(&got.0).enumerate();
    pairs.filter_map(|(i, (expected, got))| Some(format!("{i}: {}", difference(expected, got, signed)?))).collect()
}

fn difference(expected: &Expected, got: &Stored, signed: bool) -> Option<String> {
    match got {
        Stored::Float(got) => expected.differs(got, |i, x| {
            let want = float(&expected.values[i]);
            let bound = expected.bounds.as_ref().map_or(0.0, |bounds| bounds[i] * f64::EPSILON);
            let same = match x == want {
                true => x != 0.0 || !signed || x.is_sign_negative() == want.is_sign_negative(),
                false => x.is_nan() && want.is_nan() || want.is_finite() && (x - want).abs() <= bound,
            };
            (!same).then(|| format!("{want:e} (± {bound:e})"))
        }),
        Stored::Int(got) => expected.differs(got, |i, x| {
            let want = expected.values[i].as_i64().expect("an integer");
            (x != want).then(|| want.to_string())
        }),
        Stored::Bool(got) => expected.differs(got, |i, x| {
            let want = expected.values[i].as_bool().expect("true or false");
            (x != want).then(|| want.to_string())
        }),
    }
}

impl Expected {
    /// The first element for which `wanted` says that it should be another, with how many there are.
    fn differs<T: autograd::Element>(
        &self,
        got: &Tensor<T>,
        wanted: impl Fn(usize, T) -> Option<String>,
    ) -> Option<String> {
        if *got.shape() != self.shape {
            return Some(format!("has shape {} and not {}", got.shape(), self.shape));
        }
        let wrong: Vec<_> = got.iter().enumerate().filter_map(|(i, x)| Some((i, x, wanted(i, x)?))).collect();
        let (i, x, want) = wrong.first()?;
        Some(format!("element {i} is {x:?} and not {want}; {} of {} differ", wrong.len(), got.count()))
    }
}
