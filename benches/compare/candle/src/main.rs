//! One training step of each workload in candle, on the processor: those of `benches/workloads.rs`.
//!
//! `chainrule-compare-candle [--seconds=S] [NAME ...]` prints `NAME median_ms min_ms` for each workload.
//! `RAYON_NUM_THREADS` sets the threads.

#[path = "../../protocol.rs"]
mod protocol;

use candle_core::Device::Cpu;
use candle_core::{DType, Error, Result, Shape, Tensor, Var};
use candle_nn::encoding::one_hot;
use candle_nn::loss::{binary_cross_entropy_with_logit, cross_entropy};
use candle_nn::ops::leaky_relu;
use candle_nn::{
    AdamW, BatchNorm, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig, Embedding, LSTM, LSTMConfig,
    Linear, Module, ModuleT, Optimizer, ParamsAdamW, RNN, SGD, VarBuilder, VarMap, batch_norm, conv_transpose2d,
    conv2d, embedding, linear, lstm,
};
use protocol::Wanted;

/// A training step.
type Step = Box<dyn FnMut() -> Result<()>>;

fn main() -> Result<()> {
    let wanted = Wanted::parse(std::env::args().skip(1), 4.0).map_err(Error::msg)?;
    let workloads: [(&str, fn() -> Result<Step>); 9] = [
        ("makemore_16384", || makemore(16_384, 50, 100, true)),
        ("makemore_32", || makemore(32, 10, 200, false)),
        ("baseline_embedding_32", baseline_embedding),
        ("vowel_lstm_1", || vowel_lstm(1)),
        ("vowel_lstm_64", || vowel_lstm(64)),
        ("char_lm", char_lm),
        ("cdcgan_128", || cdcgan(128)),
        ("cifar_cnn_64", || cifar_cnn(64)),
        ("additions_1000", || additions(1_000)),
    ];
    for (name, make) in wanted.of(workloads) {
        let mut step = make()?;
        println!("{name:24} {}", wanted.measure(|| step().expect("a step")));
    }
    Ok(())
}

/// Random whole numbers below `n`.
fn below(n: usize, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::rand(0_f32, n as f32, shape, &Cpu)?.to_dtype(DType::U32)
}

/// Where layers put their weights, so that an optimiser finds them.
fn builder(weights: &VarMap) -> VarBuilder<'static> {
    VarBuilder::from_varmap(weights, DType::F32, &Cpu)
}

/// AdamW without decay is Adam.
fn adam(weights: &VarMap, lr: f64) -> Result<AdamW> {
    AdamW::new(weights.all_vars(), ParamsAdamW { lr, weight_decay: 0.0, ..Default::default() })
}

/// Bengio's network on characters, with plain SGD; with or without the direct connection.
fn makemore(batch: usize, embedding: usize, hidden: usize, direct: bool) -> Result<Step> {
    const EXAMPLES: usize = 182_625;
    let c = Var::randn(0_f32, 1.0, (27, embedding), &Cpu)?;
    let w1 = Var::randn(0_f32, 0.1, (3 * embedding, hidden), &Cpu)?;
    let b1 = Var::randn(0_f32, 1.0, hidden, &Cpu)?;
    let w2 = Var::rand(0_f32, 0.01, (hidden, 27), &Cpu)?;
    let b2 = Var::zeros(27, DType::F32, &Cpu)?;
    let w3 = Var::rand(0_f32, 0.01, (3 * embedding, 27), &Cpu)?;
    let mut sgd = SGD::new([&c, &w1, &b1, &w2, &b2, &w3].map(Var::clone).to_vec(), 0.1)?;
    let (contexts, targets) = (below(27, (EXAMPLES, 3))?, below(27, EXAMPLES)?);
    Ok(Box::new(move || {
        let rows = below(EXAMPLES, batch)?;
        let x = contexts.index_select(&rows, 0)?.flatten_all()?; // [3B]
        let e = c.index_select(&x, 0)?.reshape((batch, 3 * embedding))?; // [B, 3E]
        let h = e.matmul(&w1)?.broadcast_add(&b1)?.tanh()?; // [B, H]
        let mut logits = h.matmul(&w2)?.broadcast_add(&b2)?; // [B, 27]
        if direct {
            logits = (logits + e.matmul(&w3)?)?;
        }
        sgd.backward_step(&cross_entropy(&logits, &targets.index_select(&rows, 0)?)?)
    }))
}

/// Embedding(50, 16), flatten, Linear(160, 64), ReLU, Linear(64, 1), sigmoid; BCE and Adam.
fn baseline_embedding() -> Result<Step> {
    let weights = VarMap::new();
    let vb = builder(&weights);
    let embedding = embedding(50, 16, vb.pp("embedding"))?;
    let (fc1, fc2) = (linear(160, 64, vb.pp("fc1"))?, linear(64, 1, vb.pp("fc2"))?);
    let mut adam = adam(&weights, 1e-3)?;
    let (x, y) = (below(50, (32, 10))?, below(2, (32, 1))?.to_dtype(DType::F32)?);
    Ok(Box::new(move || {
        let h = fc1.forward(&embedding.forward(&x)?.flatten_from(1)?)?.relu()?; // [32, 64]
        // candle's loss begins with the sigmoid.
        adam.backward_step(&binary_cross_entropy_with_logit(&fc2.forward(&h)?, &y)?)
    }))
}

/// An LSTM over an embedding, and a linear layer.
struct Recurrent {
    embedding: Embedding,
    lstm: LSTM,
    head: Linear,
}

impl Recurrent {
    fn new([features, hidden, classes]: [usize; 3], vb: &VarBuilder) -> Result<Recurrent> {
        Ok(Recurrent {
            embedding: embedding(27, features, vb.pp("embedding"))?,
            lstm: lstm(features, hidden, LSTMConfig::default(), vb.pp("lstm"))?,
            head: linear(hidden, classes, vb.pp("head"))?,
        })
    }
}

/// Whether a vowel or a consonant follows 20 characters: the last hidden state decides.
fn vowel_lstm(batch: usize) -> Result<Step> {
    let weights = VarMap::new();
    let model = Recurrent::new([20, 50, 2], &builder(&weights))?;
    let mut adam = adam(&weights, 1e-3)?;
    let (x, y) = (below(27, (batch, 20))?, below(2, batch)?);
    Ok(Box::new(move || {
        let states = model.lstm.seq(&model.embedding.forward(&x)?)?;
        let hidden = states.last().expect("20 states").h(); // [B, 50]
        adam.backward_step(&cross_entropy(&model.head.forward(hidden)?, &y)?)
    }))
}

/// A language model of characters: each of 64 hidden states says what comes next.
fn char_lm() -> Result<Step> {
    let weights = VarMap::new();
    let model = Recurrent::new([64, 256, 27], &builder(&weights))?;
    let mut adam = adam(&weights, 1e-3)?;
    let (x, y) = (below(27, (32, 64))?, below(27, 32 * 64)?);
    Ok(Box::new(move || {
        let states = model.lstm.seq(&model.embedding.forward(&x)?)?;
        let h = model.lstm.states_to_tensor(&states)?.reshape((32 * 64, 256))?;
        adam.backward_step(&cross_entropy(&model.head.forward(&h)?, &y)?)
    }))
}

/// Noise and a label to an image.
struct Generator {
    blocks: Vec<(ConvTranspose2d, BatchNorm)>,
    last: ConvTranspose2d,
}

impl Generator {
    fn new(vb: &VarBuilder) -> Result<Generator> {
        let conv = |[inputs, outputs, kernel, stride]: [usize; 4], name: &str| {
            let config = ConvTranspose2dConfig { stride, ..Default::default() };
            conv_transpose2d(inputs, outputs, kernel, config, vb.pp(name))
        };
        Ok(Generator {
            blocks: vec![
                (conv([74, 256, 3, 2], "conv1")?, batch_norm(256, 1e-5, vb.pp("norm1"))?), // [N, 256, 3, 3]
                (conv([256, 128, 4, 1], "conv2")?, batch_norm(128, 1e-5, vb.pp("norm2"))?), // [N, 128, 6, 6]
                (conv([128, 64, 3, 2], "conv3")?, batch_norm(64, 1e-5, vb.pp("norm3"))?),  // [N, 64, 13, 13]
            ],
            last: conv([64, 1, 4, 2], "conv4")?, // [N, 1, 28, 28]
        })
    }

    fn forward(&self, noise: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let mut h = Tensor::cat(&[noise, labels], 1)?.unsqueeze(2)?.unsqueeze(3)?; // [N, 74, 1, 1]
        for (conv, norm) in &self.blocks {
            h = norm.forward_t(&conv.forward(&h)?, true)?.relu()?;
        }
        self.last.forward(&h)?.tanh()
    }
}

/// An image and a label to a score.
struct Discriminator {
    blocks: Vec<(Conv2d, BatchNorm)>,
    last: Conv2d,
}

impl Discriminator {
    fn new(vb: &VarBuilder) -> Result<Discriminator> {
        let conv = |inputs: usize, outputs: usize, name: &str| {
            conv2d(inputs, outputs, 4, Conv2dConfig { stride: 2, ..Default::default() }, vb.pp(name))
        };
        Ok(Discriminator {
            blocks: vec![
                (conv(11, 64, "conv1")?, batch_norm(64, 1e-5, vb.pp("norm1"))?), // [N, 64, 13, 13]
                (conv(64, 128, "conv2")?, batch_norm(128, 1e-5, vb.pp("norm2"))?), // [N, 128, 5, 5]
            ],
            last: conv(128, 1, "conv3")?, // [N, 1, 1, 1]
        })
    }

    fn forward(&self, images: &Tensor, planes: &Tensor) -> Result<Tensor> {
        let mut h = Tensor::cat(&[images, planes], 1)?; // [N, 11, 28, 28]
        for (conv, norm) in &self.blocks {
            h = leaky_relu(&norm.forward_t(&conv.forward(&h)?, true)?, 0.2)?;
        }
        self.last.forward(&h)?.flatten_all() // [N]
    }
}

/// A conditional DCGAN on images of 28 × 28: a step of the discriminator, and one of the generator.
fn cdcgan(batch: usize) -> Result<Step> {
    let (weights_g, weights_d) = (VarMap::new(), VarMap::new());
    let (g, d) = (Generator::new(&builder(&weights_g))?, Discriminator::new(&builder(&weights_d))?);
    let (mut adam_g, mut adam_d) = (adam(&weights_g, 2e-4)?, adam(&weights_d, 2e-4)?);
    let real = Tensor::rand(0_f32, 1.0, (batch, 1, 28, 28), &Cpu)?;
    let labels = one_hot(below(10, batch)?, 10, 1_f32, 0.0)?; // [N, 10]
    let planes = labels.reshape((batch, 10, 1, 1))?.expand((batch, 10, 28, 28))?;
    let (ones, zeros) = (Tensor::ones(batch, DType::F32, &Cpu)?, Tensor::zeros(batch, DType::F32, &Cpu)?);
    let loss = binary_cross_entropy_with_logit;
    Ok(Box::new(move || {
        let fake = g.forward(&Tensor::randn(0_f32, 1.0, (batch, 64), &Cpu)?, &labels)?; // [N, 1, 28, 28]
        let (of_fake, of_real) = (d.forward(&fake.detach(), &planes)?, d.forward(&real, &planes)?); // [N]
        adam_d.backward_step(&((loss(&of_fake, &zeros)? + loss(&of_real, &ones)?)? / 2.0)?)?;
        adam_g.backward_step(&loss(&d.forward(&fake, &planes)?, &ones)?)
    }))
}

/// Four 3 × 3 convolutions with ReLU, and a linear layer with one; SGD.
fn cifar_cnn(batch: usize) -> Result<Step> {
    const CHANNELS: [usize; 5] = [3, 40, 56, 40, 48];
    let weights = VarMap::new();
    let vb = builder(&weights);
    let mut convs = Vec::new();
    for (i, pair) in CHANNELS.windows(2).enumerate() {
        convs.push(conv2d(pair[0], pair[1], 3, Conv2dConfig::default(), vb.pp(format!("conv{i}")))?);
    }
    let fc = linear(48 * 24 * 24, 100, vb.pp("fc"))?;
    let mut sgd = SGD::new(weights.all_vars(), 0.008)?;
    let (x, y) = (Tensor::rand(0_f32, 1.0, (batch, 3, 32, 32), &Cpu)?, below(100, batch)?);
    Ok(Box::new(move || {
        let mut h = x.clone();
        for conv in &convs {
            h = conv.forward(&h)?.relu()?;
        }
        let logits = fc.forward(&h.flatten_from(1)?)?.relu()?; // [64, 100]
        sgd.backward_step(&cross_entropy(&logits, &y)?)
    }))
}

/// What an operation costs by itself: so many additions of one number to another, forward and backward.
fn additions(count: usize) -> Result<Step> {
    let x = Var::ones(1, DType::F32, &Cpu)?;
    Ok(Box::new(move || {
        let mut y = x.as_tensor().clone();
        for _ in 0..count {
            y = (y + x.as_tensor())?;
        }
        y.backward().map(drop)
    }))
}
