//! Bengio, Ducharme, Vincent and Jauvin, "A Neural Probabilistic Language Model" (JMLR 2003), on
//! characters, and the ways to initialise it.

use crate::data::VOCABULARY;
use autograd::{Rng, Tensor};
use common::flags;
use nn::{Parameter, impl_module, init};

/// The sizes of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Characters that the network sees
    pub context: usize,
    /// Numbers that stand for a character
    pub embedding: usize,
    /// Neurons of the hidden layer
    pub hidden: usize,
}

/// Flags that change a [`Shape`]; each exercise has its own to start from.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ShapeFlags {
    /// Characters that the network sees
    #[arg(long, value_parser = flags::count)]
    context: Option<usize>,

    /// Numbers that stand for a character
    #[arg(long, value_parser = flags::count)]
    embedding: Option<usize>,

    /// Neurons of the hidden layer
    #[arg(long, value_parser = flags::count)]
    hidden: Option<usize>,
}

impl ShapeFlags {
    /// `shape`, but for the flags that were given.
    pub fn over(&self, shape: Shape) -> Shape {
        Shape {
            context: self.context.unwrap_or(shape.context),
            embedding: self.embedding.unwrap_or(shape.embedding),
            hidden: self.hidden.unwrap_or(shape.hidden),
        }
    }
}

/// logits = tanh(C[x]·W1 + b1)·W2 + b2 (+ C[x]·W3)
pub struct Bengio {
    /// `[27, E]`: what each character looks like to the network
    pub c: Parameter,
    /// `[context·E, H]`
    pub w1: Parameter,
    /// `[H]`
    pub b1: Parameter,
    /// `[H, 27]`
    pub w2: Parameter,
    /// `[27]`
    pub b2: Parameter,
    /// `[context·E, 27]`, the direct connections from embedding to output
    pub w3: Option<Parameter>,
}
impl_module!(Bengio { c, w1, b1, w2, b2, w3 });

/// What the network calculates on its way, for the pictures.
pub struct Activations {
    /// tanh(C[x]·W1 + b1), `[B, H]`
    pub hidden: Tensor,
    /// `[B, 27]`
    pub logits: Tensor,
}

/// How the weights start.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Start {
    /// Everything N(0, 1)
    Normal,
    /// Everything uniform in [0, 1)
    Uniform,
    /// Uniform in [0, 1), but W2 and b2 zero
    UniformZeroW2,
    /// Uniform in [0, 1), but W2 a hundredth of that and b2 zero
    UniformSmallW2,
    /// N(0, 1), but W2 zero and b2 zero
    NormalZeroW2,
    /// N(0, 1), but W2 uniform in [0, 0.01) and b2 zero
    NormalSmallW2,
    /// C N(0, 1), W1 N(0, (5/3)²/fan_in), b1 and b2 zero, W2 a tenth of its Kaiming scale
    Kaiming,
}

impl Start {
    /// Every way, in the order in which the exercise looks at them.
    pub const ALL: [Start; 7] = [
        Start::Normal,
        Start::Uniform,
        Start::UniformZeroW2,
        Start::UniformSmallW2,
        Start::NormalZeroW2,
        Start::NormalSmallW2,
        Start::Kaiming,
    ];

    /// What pictures and tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Start::Normal => "all normal",
            Start::Uniform => "all uniform",
            Start::UniformZeroW2 => "uniform, W2 = 0",
            Start::UniformSmallW2 => "uniform, small W2",
            Start::NormalZeroW2 => "normal, W2 = 0",
            Start::NormalSmallW2 => "normal, small W2",
            Start::Kaiming => "Kaiming",
        }
    }
}

impl Bengio {
    /// A network of this shape; with `direct`, with W3, which starts uniform in [0, 0.01).
    pub fn new(shape: Shape, start: Start, direct: bool, rng: &mut Rng) -> Bengio {
        let Shape { context, embedding, hidden } = shape;
        let fan_in = context * embedding;
        let body = |sizes: &[usize], rng: &mut Rng| match start {
            Start::Uniform | Start::UniformZeroW2 | Start::UniformSmallW2 => Tensor::rand(sizes, rng),
            _ => Tensor::randn(sizes, rng),
        };
        let c = body(&[VOCABULARY, embedding], rng);
        // ANCHOR: start
        let (w1, b1) = match start {
            Start::Kaiming => {
                // Keeps the variance through tanh: gain 5/3 over the square root of the inputs.
                (Tensor::randn([fan_in, hidden], rng) * (5.0 / 3.0 / (fan_in as f32).sqrt()), Tensor::zeros([hidden]))
            }
            _ => (body(&[fan_in, hidden], rng), body(&[hidden], rng)),
        };
        let w2_shape = [hidden, VOCABULARY];
        let (w2, b2) = match start {
            Start::Normal | Start::Uniform => (body(&w2_shape, rng), body(&[VOCABULARY], rng)),
            Start::UniformZeroW2 | Start::NormalZeroW2 => (Tensor::zeros(w2_shape), Tensor::zeros([VOCABULARY])),
            Start::UniformSmallW2 | Start::NormalSmallW2 => {
                (init::uniform(w2_shape, 0.0, 0.01, rng), Tensor::zeros([VOCABULARY]))
            }
            Start::Kaiming => {
                (Tensor::randn(w2_shape, rng) * (0.1 / (hidden as f32).sqrt()), Tensor::zeros([VOCABULARY]))
            }
        };
        // ANCHOR_END: start
        let w3 = direct.then(|| Parameter::new(init::uniform([fan_in, VOCABULARY], 0.0, 0.01, rng)));
        let [c, w1, b1, w2, b2] = [c, w1, b1, w2, b2].map(Parameter::new);
        Bengio { c, w1, b1, w2, b2, w3 }
    }

    // ANCHOR: forward
    /// The logits of the next character for each context `[B, context]`, and what led to them.
    pub fn forward(&self, x: &Tensor<i64>, dropout: impl Fn(Tensor) -> Tensor) -> Activations {
        let e = self.c.value().embedding(x).flatten(1); // [B, context, E] -> [B, context·E]
        let e = dropout(e);
        let hidden = e.addmm(&self.w1.value(), &self.b1.value()).tanh(); // [B, H]
        let mut logits = dropout(hidden.clone()).addmm(&self.w2.value(), &self.b2.value()); // [B, 27]
        if let Some(w3) = &self.w3 {
            logits = logits + e.matmul(&w3.value());
        }
        Activations { hidden, logits }
    }
    // ANCHOR_END: forward

    /// λ0·mean(C²) + λ1·mean(W1²) + λ2·mean(W2²); nothing if all are 0.
    pub fn penalty(&self, lambda: [f32; 3]) -> Option<Tensor> {
        let weights = [&self.c, &self.w1, &self.w2];
        let terms = weights.iter().zip(lambda).filter(|(_, lambda)| *lambda != 0.0);
        terms.map(|(weight, lambda)| weight.value().square().mean(..) * lambda).reduce(|a, b| a + b)
    }

    /// The sizes.
    pub fn shape(&self) -> Shape {
        let (c, w1) = (self.c.shape(), self.w1.shape());
        Shape { context: w1[0] / c[1], embedding: c[1], hidden: w1[1] }
    }
}
