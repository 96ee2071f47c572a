//! One training step of each workload in Burn, on the processor: those of `benches/workloads.rs`.
//!
//! `chainrule-compare-burn [--seconds=S] [NAME ...]` prints `NAME median_ms min_ms` for each workload.
//! `RAYON_NUM_THREADS` sets the threads.

#[path = "../../protocol.rs"]
mod protocol;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, Linear, LinearConfig, Lstm, LstmConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::{leaky_relu, relu, sigmoid};
use burn::tensor::module::embedding;
use burn::tensor::{Device, Distribution, Int, Tensor};
use protocol::Wanted;

/// A training step.
type Step = Box<dyn FnMut()>;

fn main() -> Result<(), String> {
    let wanted = Wanted::parse(std::env::args().skip(1), 4.0)?;
    // The backend that Burn advises for processors.
    let device = Device::flex().autodiff();
    let workloads: [(&str, fn(&Device) -> Step); 9] = [
        ("makemore_16384", |device| makemore([16_384, 50, 100], true, device)),
        ("makemore_32", |device| makemore([32, 10, 200], false, device)),
        ("baseline_embedding_32", baseline_embedding),
        ("vowel_lstm_1", |device| vowel_lstm(1, device)),
        ("vowel_lstm_64", |device| vowel_lstm(64, device)),
        ("char_lm", char_lm),
        ("cdcgan_128", |device| cdcgan(128, device)),
        ("cifar_cnn_64", |device| cifar_cnn(64, device)),
        ("additions_1000", |device| additions(1_000, device)),
    ];
    for (name, make) in wanted.of(workloads) {
        println!("{name:24} {}", wanted.measure(make(&device)));
    }
    Ok(())
}

/// Random whole numbers below `n`.
fn below<const D: usize>(n: usize, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::random(shape, Distribution::Uniform(0.0, n as f64), device)
}

/// From a normal distribution.
fn normal<const D: usize>(deviation: f64, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, deviation), device)
}

/// A network and its optimiser, which takes the network and gives it back.
struct Training<M> {
    network: Option<M>,
    optimizer: ModuleOptimizer,
    rate: f64,
}

impl<M: Module> Training<M> {
    fn new(network: M, optimizer: ModuleOptimizer, rate: f64) -> Training<M> {
        Training { network: Some(network), optimizer, rate }
    }

    fn network(&self) -> &M {
        self.network.as_ref().expect("it was given back")
    }

    fn step(&mut self, loss: Tensor<1>) {
        let network = self.network.take().expect("it was given back");
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(self.rate, network, gradients));
    }
}

/// The weights of makemore's network; the last, if there is a direct connection.
#[derive(Module, Debug)]
struct Makemore {
    c: Param<Tensor<2>>,
    w1: Param<Tensor<2>>,
    b1: Param<Tensor<1>>,
    w2: Param<Tensor<2>>,
    b2: Param<Tensor<1>>,
    w3: Option<Param<Tensor<2>>>,
}

/// Bengio's network on characters, with plain SGD; with or without the direct connection.
fn makemore([batch, features, hidden]: [usize; 3], direct: bool, device: &Device) -> Step {
    const EXAMPLES: usize = 182_625;
    let small = |shape: [usize; 2]| Param::from_tensor(Tensor::random(shape, Distribution::Uniform(0.0, 0.01), device));
    let network = Makemore {
        c: Param::from_tensor(normal(1.0, [27, features], device)),
        w1: Param::from_tensor(normal(0.1, [3 * features, hidden], device)),
        b1: Param::from_tensor(normal(1.0, [hidden], device)),
        w2: small([hidden, 27]),
        b2: Param::from_tensor(Tensor::zeros([27], device)),
        w3: direct.then(|| small([3 * features, 27])),
    };
    let mut sgd = Training::new(network, SgdConfig::new().init(), 0.1);
    let (contexts, targets) = (below(27, [EXAMPLES, 3], device), below(27, [EXAMPLES], device));
    let (loss, device) = (CrossEntropyLossConfig::new().init(device), device.clone());
    Box::new(move || {
        let Makemore { c, w1, b1, w2, b2, w3 } = sgd.network();
        let rows = below(EXAMPLES, [batch], &device);
        let x = contexts.clone().select(0, rows.clone()); // [B, 3]
        let e = embedding(c.val(), x).reshape([batch, 3 * features]); // [B, 3E]
        let h = (e.clone().matmul(w1.val()) + b1.val().unsqueeze()).tanh(); // [B, H]
        let mut logits = h.matmul(w2.val()) + b2.val().unsqueeze(); // [B, 27]
        if let Some(w3) = w3 {
            logits = logits + e.matmul(w3.val());
        }
        sgd.step(loss.forward(logits, targets.clone().select(0, rows)));
    })
}

#[derive(Module, Debug)]
struct Baseline {
    embedding: Embedding,
    fc1: Linear,
    fc2: Linear,
}

/// Embedding(50, 16), flatten, Linear(160, 64), ReLU, Linear(64, 1), sigmoid; BCE and Adam.
fn baseline_embedding(device: &Device) -> Step {
    let network = Baseline {
        embedding: EmbeddingConfig::new(50, 16).init(device),
        fc1: LinearConfig::new(160, 64).init(device),
        fc2: LinearConfig::new(64, 1).init(device),
    };
    let mut adam = Training::new(network, AdamConfig::new().init(), 1e-3);
    let (x, y) = (below(50, [32, 10], device), below(2, [32], device));
    let loss = BinaryCrossEntropyLossConfig::new().init(device);
    Box::new(move || {
        let Baseline { embedding, fc1, fc2 } = adam.network();
        let h = relu(fc1.forward(embedding.forward(x.clone()).flatten::<2>(1, 2))); // [32, 64]
        let p = sigmoid(fc2.forward(h)).flatten::<1>(0, 1); // [32]
        adam.step(loss.forward(p, y.clone()));
    })
}

/// An LSTM over an embedding, and a linear layer.
#[derive(Module, Debug)]
struct Recurrent {
    embedding: Embedding,
    lstm: Lstm,
    head: Linear,
}

impl Recurrent {
    fn new([features, hidden, classes]: [usize; 3], device: &Device) -> Recurrent {
        Recurrent {
            embedding: EmbeddingConfig::new(27, features).init(device),
            lstm: LstmConfig::new(features, hidden, true).init(device),
            head: LinearConfig::new(hidden, classes).init(device),
        }
    }
}

/// Whether a vowel or a consonant follows 20 characters: the last hidden state decides.
fn vowel_lstm(batch: usize, device: &Device) -> Step {
    let network = Recurrent::new([20, 50, 2], device);
    let mut adam = Training::new(network, AdamConfig::new().init(), 1e-3);
    let (x, y) = (below(27, [batch, 20], device), below(2, [batch], device));
    let loss = CrossEntropyLossConfig::new().init(device);
    Box::new(move || {
        let Recurrent { embedding, lstm, head } = adam.network();
        let (_, state) = lstm.forward(embedding.forward(x.clone()), None); // [B, 50]
        adam.step(loss.forward(head.forward(state.hidden), y.clone()));
    })
}

/// A language model of characters: each of 64 hidden states says what comes next.
fn char_lm(device: &Device) -> Step {
    let network = Recurrent::new([64, 256, 27], device);
    let mut adam = Training::new(network, AdamConfig::new().init(), 1e-3);
    let (x, y) = (below(27, [32, 64], device), below(27, [32 * 64], device));
    let loss = CrossEntropyLossConfig::new().init(device);
    Box::new(move || {
        let Recurrent { embedding, lstm, head } = adam.network();
        let (h, _) = lstm.forward(embedding.forward(x.clone()), None); // [32, 64, 256]
        adam.step(loss.forward(head.forward(h).reshape([32 * 64, 27]), y.clone()));
    })
}

/// Noise and a label to an image.
#[derive(Module, Debug)]
struct Generator {
    blocks: Vec<(ConvTranspose2d, BatchNorm)>,
    last: ConvTranspose2d,
}

impl Generator {
    fn new(device: &Device) -> Generator {
        let conv = |channels: [usize; 2], kernel: usize, stride: usize| {
            ConvTranspose2dConfig::new(channels, [kernel; 2]).with_stride([stride; 2]).init(device)
        };
        Generator {
            blocks: vec![
                (conv([74, 256], 3, 2), BatchNormConfig::new(256).init(device)), // [N, 256, 3, 3]
                (conv([256, 128], 4, 1), BatchNormConfig::new(128).init(device)), // [N, 128, 6, 6]
                (conv([128, 64], 3, 2), BatchNormConfig::new(64).init(device)),  // [N, 64, 13, 13]
            ],
            last: conv([64, 1], 4, 2), // [N, 1, 28, 28]
        }
    }

    fn forward(&self, noise: Tensor<2>, labels: Tensor<2>) -> Tensor<4> {
        let x = Tensor::cat(vec![noise, labels], 1).unsqueeze_dims(&[2, 3]); // [N, 74, 1, 1]
        let h = self.blocks.iter().fold(x, |h, (conv, norm)| relu(norm.forward(conv.forward(h))));
        self.last.forward(h).tanh()
    }
}

/// An image and a label to a score.
#[derive(Module, Debug)]
struct Discriminator {
    blocks: Vec<(Conv2d, BatchNorm)>,
    last: Conv2d,
}

impl Discriminator {
    fn new(device: &Device) -> Discriminator {
        let conv = |channels: [usize; 2]| Conv2dConfig::new(channels, [4, 4]).with_stride([2, 2]).init(device);
        Discriminator {
            blocks: vec![
                (conv([11, 64]), BatchNormConfig::new(64).init(device)), // [N, 64, 13, 13]
                (conv([64, 128]), BatchNormConfig::new(128).init(device)), // [N, 128, 5, 5]
            ],
            last: conv([128, 1]), // [N, 1, 1, 1]
        }
    }

    fn forward(&self, images: Tensor<4>, planes: Tensor<4>) -> Tensor<1> {
        let x = Tensor::cat(vec![images, planes], 1); // [N, 11, 28, 28]
        let h = self.blocks.iter().fold(x, |h, (conv, norm)| leaky_relu(norm.forward(conv.forward(h)), 0.2));
        self.last.forward(h).flatten(0, 3) // [N]
    }
}

/// A conditional DCGAN on images of 28 × 28: a step of the discriminator, and one of the generator.
fn cdcgan(batch: usize, device: &Device) -> Step {
    let mut g = Training::new(Generator::new(device), AdamConfig::new().init(), 2e-4);
    let mut d = Training::new(Discriminator::new(device), AdamConfig::new().init(), 2e-4);
    let real = Tensor::<4>::random([batch, 1, 28, 28], Distribution::Uniform(0.0, 1.0), device);
    let labels = below(10, [batch], device).one_hot::<2>(10).float(); // [N, 10]
    let planes = labels.clone().unsqueeze_dims::<4>(&[2, 3]).expand([batch, 10, 28, 28]);
    let (ones, zeros) = (Tensor::<1, Int>::ones([batch], device), Tensor::<1, Int>::zeros([batch], device));
    let (loss, device) = (BinaryCrossEntropyLossConfig::new().with_logits(true).init(device), device.clone());
    Box::new(move || {
        let fake = g.network().forward(normal(1.0, [batch, 64], &device), labels.clone()); // [N, 1, 28, 28]
        let judge = |d: &Discriminator, images: Tensor<4>, y: &Tensor<1, Int>| {
            loss.forward(d.forward(images, planes.clone()), y.clone())
        };
        let of_fake = judge(d.network(), fake.clone().detach(), &zeros);
        let of_real = judge(d.network(), real.clone(), &ones);
        d.step((of_fake + of_real) / 2.0);
        g.step(judge(d.network(), fake, &ones));
    })
}

/// Four 3 × 3 convolutions with ReLU, and a linear layer with one.
#[derive(Module, Debug)]
struct CifarCnn {
    convs: Vec<Conv2d>,
    fc: Linear,
}

/// Cross-entropy over a hundred classes, and SGD.
fn cifar_cnn(batch: usize, device: &Device) -> Step {
    const CHANNELS: [usize; 5] = [3, 40, 56, 40, 48];
    let conv = |pair: &[usize]| Conv2dConfig::new([pair[0], pair[1]], [3, 3]).init(device);
    let network = CifarCnn {
        convs: CHANNELS.windows(2).map(conv).collect(),
        fc: LinearConfig::new(48 * 24 * 24, 100).init(device),
    };
    let mut sgd = Training::new(network, SgdConfig::new().init(), 0.008);
    let x = Tensor::<4>::random([batch, 3, 32, 32], Distribution::Uniform(0.0, 1.0), device);
    let (y, loss) = (below(100, [batch], device), CrossEntropyLossConfig::new().init(device));
    Box::new(move || {
        let CifarCnn { convs, fc } = sgd.network();
        let h = convs.iter().fold(x.clone(), |h, conv| relu(conv.forward(h))); // [64, 48, 24, 24]
        let logits = relu(fc.forward(h.flatten::<2>(1, 3))); // [64, 100]
        sgd.step(loss.forward(logits, y.clone()));
    })
}

/// What an operation costs by itself: so many additions of one number to another, forward and backward.
fn additions(count: usize, device: &Device) -> Step {
    let x = Tensor::<1>::ones([1], device).require_grad();
    Box::new(move || {
        let mut y = x.clone();
        for _ in 0..count {
            y = y + x.clone();
        }
        drop(y.backward());
    })
}
