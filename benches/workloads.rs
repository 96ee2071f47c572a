//! The workloads: what one training step is, in the operations of the PyTorch program it is compared with, for any
//! batch.

pub mod cli;
#[path = "../examples/cdcgan/networks.rs"]
mod networks;
#[path = "compare/protocol.rs"]
pub mod protocol;

use autograd::{Rng, Tensor};
use networks::{Discriminator, Generator, one_hot_labels};
use nn::layers::RecurrentOptions;
use nn::optim::{Adam, AdamOptions, Optimizer, Sgd, SgdOptions};
use nn::{Conv2d, Embedding, Linear, Lstm, Module, impl_module};

/// A training step, again and again.
pub type Step = Box<dyn FnMut()>;

/// Examples in the data set of the workload: contexts `[N, 3]` and the characters that follow.
const EXAMPLES: usize = 182_625;

/// One step of plain SGD.
fn descend(parameters: &mut [Tensor], rate: f32) {
    for parameter in parameters {
        let gradient = parameter.grad().expect("backward has run");
        let gradient = gradient.try_slice().expect("gradients are row-major");
        for (value, slope) in parameter.slice_mut().iter_mut().zip(gradient) {
            *value -= rate * slope;
        }
        parameter.take_gradient();
    }
}

/// The weights of makemore's network.
struct Weights {
    c: Tensor,
    w1: Tensor,
    b1: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
}

impl Weights {
    fn new(embedding: usize, hidden: usize, rng: &mut Rng) -> Weights {
        Weights {
            c: Tensor::randn([27, embedding], rng),
            w1: Tensor::randn([3 * embedding, hidden], rng) * 0.1,
            b1: Tensor::randn([hidden], rng),
            w2: Tensor::rand([hidden, 27], rng) * 0.01,
            b2: Tensor::zeros([27]),
            w3: Tensor::rand([3 * embedding, 27], rng) * 0.01,
        }
    }
}

/// Bengio's network on characters: the embeddings of 3 characters side by side, a tanh layer, logits; with or without
/// the direct connection.
pub fn makemore(batch: usize, embedding: usize, hidden: usize, direct: bool) -> Step {
    let mut rng = Rng::seeded(0);
    let Weights { c, w1, b1, w2, b2, w3 } = Weights::new(embedding, hidden, &mut rng);
    let mut parameters = vec![c, w1, b1, w2, b2];
    if direct {
        parameters.push(w3);
    }
    let mut parameters: Vec<Tensor> = parameters.iter().map(Tensor::requires_grad).collect();
    let contexts = Tensor::randint(0, 27, [EXAMPLES, 3], &mut rng);
    let targets = Tensor::randint(0, 27, [EXAMPLES], &mut rng);
    Box::new(move || {
        let rows = Tensor::randint(0, EXAMPLES as i64, [batch], &mut rng);
        let [c, w1, b1, w2, b2, w3 @ ..] = &parameters[..] else { unreachable!("five weights or six") };
        let e = c.embedding(&contexts.index_select(0, &rows)).reshape([batch, 3 * embedding]); // [B, 3E]
        let h = e.addmm(w1, b1).tanh(); // [B, H]
        let mut logits = h.addmm(w2, b2); // [B, 27]
        if let [w3] = w3 {
            logits = logits + e.matmul(w3);
        }
        logits.cross_entropy(&targets.index_select(0, &rows)).backward();
        descend(&mut parameters, 0.1);
    })
}

/// The same network with the embedding folded into the first layer: C·W₁ and C·W₃ are tables of 27 rows
/// for each position, so the two products with the batch become sums of three table rows. The same
/// function and the same gradients with less arithmetic, which is why it has a line of its own.
pub fn makemore_folded(batch: usize, embedding: usize, hidden: usize) -> Step {
    let mut rng = Rng::seeded(0);
    let Weights { c, w1, b1, w2, b2, w3 } = Weights::new(embedding, hidden, &mut rng);
    let mut parameters: Vec<Tensor> = [c, w1, b1, w2, b2, w3].iter().map(Tensor::requires_grad).collect();
    let contexts = Tensor::randint(0, 27, [EXAMPLES, 3], &mut rng);
    let targets = Tensor::randint(0, 27, [EXAMPLES], &mut rng);
    // Position p of a context looks up row 27·p + token.
    let offsets = Tensor::of([0_i64, 27, 54]);
    Box::new(move || {
        let rows = Tensor::randint(0, EXAMPLES as i64, [batch], &mut rng);
        let [c, w1, b1, w2, b2, w3] = &parameters[..] else { unreachable!("six weights") };
        let x = contexts.index_select(0, &rows) + &offsets; // [B, 3]
        let table = |w: &Tensor, width: usize| {
            c.unsqueeze(0).matmul(&w.reshape([3, embedding, width])).reshape([3 * 27, width]) // [81, width]
        };
        let h = (table(w1, hidden).embedding(&x).sum(1) + b1).tanh(); // [B, H]
        let logits = h.addmm(w2, b2) + table(w3, 27).embedding(&x).sum(1); // [B, 27]
        logits.cross_entropy(&targets.index_select(0, &rows)).backward();
        descend(&mut parameters, 0.1);
    })
}

struct Baseline {
    embedding: Embedding,
    fc1: Linear,
    fc2: Linear,
}
impl_module!(Baseline { embedding, fc1, fc2 });

/// Embedding(50, 16), flatten, Linear(160, 64), ReLU, Linear(64, 1), sigmoid; BCE and Adam.
pub fn baseline_embedding(batch: usize) -> Step {
    let mut rng = Rng::seeded(0);
    let model = Baseline {
        embedding: Embedding::new(50, 16, &mut rng),
        fc1: Linear::new(160, 64, &mut rng),
        fc2: Linear::new(64, 1, &mut rng),
    };
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 1e-3, ..Default::default() });
    let x = Tensor::randint(0, 50, [batch, 10], &mut rng);
    let y = Tensor::from_fn([batch, 1], |_| rng.below(2) as f32);
    Box::new(move || {
        adam.zero_grad();
        let h = model.fc1.forward(&model.embedding.forward(&x).flatten(1)).relu(); // [B, 64]
        let p = model.fc2.forward(&h).sigmoid(); // [B, 1]
        p.binary_cross_entropy(&y).backward();
        adam.step();
    })
}

/// An LSTM over an embedding, and a linear layer.
struct Recurrent {
    embedding: Embedding,
    lstm: Lstm,
    head: Linear,
}
impl_module!(Recurrent { embedding, lstm, head });

impl Recurrent {
    fn new([features, hidden, classes]: [usize; 3], rng: &mut Rng) -> Recurrent {
        Recurrent {
            embedding: Embedding::new(27, features, rng),
            lstm: Lstm::with_options(
                features,
                hidden,
                RecurrentOptions { batch_first: true, ..Default::default() },
                rng,
            ),
            head: Linear::new(hidden, classes, rng),
        }
    }
}

/// Whether a vowel or a consonant follows 20 characters: the last hidden state decides.
pub fn vowel_lstm(batch: usize) -> Step {
    let mut rng = Rng::seeded(0);
    let model = Recurrent::new([20, 50, 2], &mut rng);
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 1e-3, ..Default::default() });
    let x = Tensor::randint(0, 27, [batch, 20], &mut rng);
    let y = Tensor::randint(0, 2, [batch], &mut rng);
    Box::new(move || {
        adam.zero_grad();
        let (_, state) = model.lstm.forward(&model.embedding.forward(&x)); // [1, B, 50]
        model.head.forward(&state.hidden.squeeze(0)).cross_entropy(&y).backward();
        adam.step();
    })
}

/// A language model of characters: each of 64 hidden states says what comes next.
pub fn char_lm(batch: usize) -> Step {
    let mut rng = Rng::seeded(0);
    let model = Recurrent::new([64, 256, 27], &mut rng);
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 1e-3, ..Default::default() });
    let x = Tensor::randint(0, 27, [batch, 64], &mut rng);
    let y = Tensor::randint(0, 27, [batch * 64], &mut rng);
    Box::new(move || {
        adam.zero_grad();
        let (h, _) = model.lstm.forward(&model.embedding.forward(&x)); // [B, 64, 256]
        model.head.forward(&h).reshape([batch * 64, 27]).cross_entropy(&y).backward();
        adam.step();
    })
}

/// The conditional DCGAN of the example. In the generator's step the discriminator's weights may get gradients, too
/// (`d_gradients_in_g`), which the next step throws away: so it is in the PyTorch program.
pub fn cdcgan(batch: usize, d_gradients_in_g: bool) -> Step {
    let mut rng = Rng::seeded(0);
    let (g, d) = (Generator::new(64, &mut rng), Discriminator::new(&mut rng));
    let options = AdamOptions { lr: 2e-4, ..Default::default() };
    let mut adam_g = Adam::new(g.named_parameters(), options.clone());
    let mut adam_d = Adam::new(d.named_parameters(), options);
    let real = Tensor::rand([batch, 1, 28, 28], &mut rng);
    let labels = one_hot_labels(&Tensor::randint(0, 10, [batch], &mut rng), 10);
    let (ones, zeros) = (Tensor::ones([batch]), Tensor::zeros([batch]));
    Box::new(move || {
        adam_d.zero_grad();
        let fake = g.forward(&Tensor::randn([batch, 64], &mut rng), &labels); // [B, 1, 28, 28]
        let (of_fake, of_real) = (d.forward(&fake.detach(), &labels), d.forward(&real, &labels)); // [B]
        ((of_fake.bce_with_logits(&zeros) + of_real.bce_with_logits(&ones)) / 2.0).backward();
        adam_d.step();
        adam_g.zero_grad();
        d.set_trainable(d_gradients_in_g);
        let loss = d.forward(&fake, &labels).bce_with_logits(&ones);
        d.set_trainable(true);
        loss.backward();
        adam_g.step();
    })
}

/// Four 3 × 3 convolutions with ReLU, and a linear layer with one.
struct CifarCnn {
    convs: Vec<Conv2d>,
    fc: Linear,
}
impl_module!(CifarCnn { convs, fc });

/// Cross-entropy over a hundred classes, and SGD.
pub fn cifar_cnn(batch: usize) -> Step {
    const CHANNELS: [usize; 5] = [3, 40, 56, 40, 48];
    let mut rng = Rng::seeded(0);
    let convs = CHANNELS.windows(2).map(|pair| Conv2d::new(pair[0], pair[1], 3, &mut rng)).collect();
    let model = CifarCnn { convs, fc: Linear::new(48 * 24 * 24, 100, &mut rng) };
    let mut sgd = Sgd::new(model.named_parameters(), SgdOptions { lr: 0.008, ..Default::default() });
    let x = Tensor::rand([batch, 3, 32, 32], &mut rng);
    let y = Tensor::randint(0, 100, [batch], &mut rng);
    Box::new(move || {
        sgd.zero_grad();
        let h = model.convs.iter().fold(x.clone(), |h, conv| conv.forward(&h).relu()); // [B, 48, 24, 24]
        model.fc.forward(&h.flatten(1)).relu().cross_entropy(&y).backward();
        sgd.step();
    })
}

/// What an operation costs by itself: so many additions of one number to another, forward and backward.
pub fn additions(count: usize) -> Step {
    let x = Tensor::ones([1]).requires_grad();
    Box::new(move || {
        let mut y = x.clone();
        for _ in 0..count {
            y = y + &x;
        }
        y.backward();
        x.take_gradient();
    })
}
