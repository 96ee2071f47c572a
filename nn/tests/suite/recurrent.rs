//! Recurrent layers and cells against PyTorch, and the losses of whole runs of the vowel classifier and of the language
//! model. `tests/fixtures/make_recurrent.py` made the numbers.

use crate::fixture::{Lcg, array, numbers};
use crate::panics::message_at_callers_line;
use autograd::{GradOptions, Tensor, grad};
use nn::layers::{GruCell, LstmCell, LstmState, RecurrentOptions, RnnCell};
use nn::optim::{Adam, AdamOptions, Optimizer};
use nn::{Embedding, Gru, Linear, Lstm, Module, Parameter, Rnn, impl_module};
use serde_json::Value;
use std::sync::LazyLock;

static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/recurrent.json")).expect("valid JSON"));

const STEPS: usize = 4;
const BATCH: usize = 3;
const INPUTS: usize = 2;
const HIDDEN: usize = 3;

/// Draws all parameters in the order in which they are named.
fn fill(module: &dyn Module, lcg: &mut Lcg, scale: f64) {
    for parameter in module.parameters() {
        let values: Tensor = lcg.uniform(scale, &parameter.shape());
        parameter.update(|parameter| parameter.copy_from_slice(&values.to_vec()));
    }
}

/// Any of the layers.
enum Layer {
    Lstm(Lstm),
    Gru(Gru),
    Rnn(Rnn),
}

impl Layer {
    fn of(case: &Value) -> Layer {
        let options = &case["options"];
        let flag = |name: &str, default: bool| options.get(name).map_or(default, |x| x.as_bool().expect("a flag"));
        let built = RecurrentOptions {
            num_layers: options.get("num_layers").map_or(1, |x| x.as_u64().expect("a count") as usize),
            bias: flag("bias", true),
            batch_first: flag("batch_first", false),
            bidirectional: flag("bidirectional", false),
            dropout: 0.0,
        };
        let rng = &mut autograd::Rng::seeded(0);
        match case["kind"].as_str().expect("a name") {
            "LSTM" => Layer::Lstm(Lstm::with_options(INPUTS, HIDDEN, built, rng)),
            "GRU" => Layer::Gru(Gru::with_options(INPUTS, HIDDEN, built, rng)),
            "RNN" if options.get("nonlinearity").is_some() => {
                Layer::Rnn(Rnn::with_options(INPUTS, HIDDEN, built, rng).relu())
            }
            "RNN" => Layer::Rnn(Rnn::with_options(INPUTS, HIDDEN, built, rng)),
            other => panic!("no layer {other}"),
        }
    }

    fn module(&self) -> &dyn Module {
        match self {
            Layer::Lstm(layer) => layer,
            Layer::Gru(layer) => layer,
            Layer::Rnn(layer) => layer,
        }
    }

    /// Outputs, and the final states.
    fn run(&self, x: &Tensor, states: &[Tensor], lengths: Option<&[usize]>) -> Vec<Tensor> {
        match self {
            Layer::Lstm(layer) => {
                let initial = states.first().map(|h| LstmState { hidden: h.clone(), cell: states[1].clone() });
                let (y, last) = layer.forward_with(x, initial.as_ref(), lengths);
                vec![y, last.hidden, last.cell]
            }
            Layer::Gru(layer) => {
                let (y, h) = layer.forward_with(x, states.first(), lengths);
                vec![y, h]
            }
            Layer::Rnn(layer) => {
                let (y, h) = layer.forward_with(x, states.first(), lengths);
                vec![y, h]
            }
        }
    }
}

/// Numbers here are of size 10 at the most and come of at most 4 steps in 2 layers of sums of 6 products, a few hundred
/// roundings of ε/2 each, which later steps may double: 200·10·2·ε/2 = 2.4·10⁻⁴.
const BOUND: f64 = 2.4e-4;

#[track_caller]
fn assert_close(what: &str, ours: impl Iterator<Item = f32>, theirs: &Value) {
    let (ours, theirs): (Vec<f32>, _) = (ours.collect(), numbers(theirs));
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert!((f64::from(*ours) - theirs).abs() <= BOUND, "{what}: number {i} is {ours} and should be {theirs}");
    }
}

#[test]
fn layers_agree_with_pytorch() {
    for case in array(&FIXTURE["layers"]) {
        let what =
            format!("{} {} lengths {} initial {}", case["kind"], case["options"], case["lengths"], case["initial"]);
        let (layer, mut lcg) = (Layer::of(case), Lcg::new());
        let names: Vec<_> = layer.module().named_parameters().into_iter().map(|(name, _)| name).collect();
        let theirs: Vec<_> = array(&case["names"]).iter().map(|name| name.as_str().expect("a name")).collect();
        assert_eq!(names, theirs, "{what}");
        fill(layer.module(), &mut lcg, 2.0);

        let flag = |value: &Value| value.as_bool().expect("a flag");
        let batched = flag(&case["batched"]);
        let batch_first = case["options"].get("batch_first").is_some_and(flag);
        let shape: &[usize] = match (batched, batch_first) {
            (false, _) => &[STEPS, INPUTS],
            (true, true) => &[BATCH, STEPS, INPUTS],
            (true, false) => &[STEPS, BATCH, INPUTS],
        };
        let x = lcg.uniform(2.0, shape).requires_grad();
        let options = &case["options"];
        let layers = options.get("num_layers").map_or(1, |x| x.as_u64().expect("a count") as usize);
        let count = layers * if options.get("bidirectional").is_some() { 2 } else { 1 };
        let size: &[usize] = if batched { &[count, BATCH, HIDDEN] } else { &[count, HIDDEN] };
        let states: Vec<Tensor> = match (flag(&case["initial"]), &layer) {
            (false, _) => vec![],
            (true, Layer::Lstm(_)) => (0..2).map(|_| lcg.uniform(2.0, size).requires_grad()).collect(),
            (true, _) => vec![lcg.uniform(2.0, size).requires_grad()],
        };
        let lengths: Option<Vec<usize>> = case["lengths"]
            .as_array()
            .map(|lengths| lengths.iter().map(|x| x.as_u64().expect("a length") as usize).collect());
        let outputs = layer.run(&x, &states, lengths.as_deref());
        for (output, theirs) in outputs.iter().zip(array(&case["outputs"])) {
            assert_close(&format!("{what}: output"), output.iter(), theirs);
        }
        let loss = outputs
            .iter()
            .map(|output| (output * lcg.uniform(2.0, output.shape())).sum(..))
            .reduce(|a, b| a + b)
            .expect("there are outputs");
        let parameters: Vec<Tensor> = layer.module().parameters().iter().map(Parameter::value).collect();
        let leaves: Vec<&Tensor> = std::iter::once(&x).chain(&states).chain(&parameters).collect();
        let gradients = grad(&[&loss], &leaves, GradOptions::default());
        for (i, (gradient, theirs)) in gradients.iter().zip(array(&case["gradients"])).enumerate() {
            assert_close(&format!("{what}: gradient {i}"), gradient.iter().step_by(5), theirs);
        }
    }
}

#[test]
fn cells_agree_with_pytorch() {
    let rng = &mut autograd::Rng::seeded(0);
    for case in array(&FIXTURE["cells"]) {
        let mut lcg = Lcg::new();
        let mut draw = |module: &dyn Module, states: usize| {
            fill(module, &mut lcg, 2.0);
            let x: Tensor = lcg.uniform(2.0, &[BATCH, INPUTS]);
            let states: Vec<Tensor> = (0..states).map(|_| lcg.uniform(2.0, &[BATCH, HIDDEN])).collect();
            (x, states)
        };
        let outputs = match case["kind"].as_str().expect("a name") {
            "LSTMCell" => {
                let cell = LstmCell::new(INPUTS, HIDDEN, rng);
                let (x, states) = draw(&cell, 2);
                let state = LstmState { hidden: states[0].clone(), cell: states[1].clone() };
                let last = cell.forward(&x, Some(&state));
                vec![last.hidden, last.cell]
            }
            "GRUCell" => {
                let cell = GruCell::new(INPUTS, HIDDEN, rng);
                let (x, states) = draw(&cell, 1);
                vec![cell.forward(&x, Some(&states[0]))]
            }
            _ => {
                let cell = RnnCell::new(INPUTS, HIDDEN, rng);
                let (x, states) = draw(&cell, 1);
                vec![cell.forward(&x, Some(&states[0]))]
            }
        };
        for (output, theirs) in outputs.iter().zip(array(&case["outputs"])) {
            assert_close(&format!("{}", case["kind"]), output.iter(), theirs);
        }
    }
}

#[test]
fn dropout_between_layers_is_for_training_only() {
    let rng = &mut autograd::Rng::seeded(1);
    let options = RecurrentOptions { num_layers: 2, dropout: 0.5, ..Default::default() };
    let lstm = Lstm::with_options(INPUTS, HIDDEN, options, rng);
    let x = Tensor::randn([STEPS, BATCH, INPUTS], rng);
    let run = || lstm.forward(&x).0.to_vec();
    assert_ne!(run(), run());
    lstm.eval();
    assert_eq!(run(), run());
    assert_eq!(lstm.describe(), "LSTM(2, 3, num_layers=2, dropout=0.5)");
}

#[test]
#[should_panic(expected = "Lstm: an input of shape [4, 3, 5] for a layer of input size 2; it must be [T, B, 2]")]
fn an_input_of_another_size_is_refused() {
    Lstm::new(INPUTS, HIDDEN, &mut autograd::Rng::seeded(0)).forward(&Tensor::zeros([4, 3, 5]));
}

/// Embedding, LSTM, linear layer.
struct Model {
    embedding: Embedding,
    lstm: Lstm,
    head: Linear,
}
impl_module!(Model { embedding, lstm, head });

/// Losses of 20 steps of Adam: of a class for each sequence, or (`every`) of the character after each.
fn losses([embedding, hidden, classes, batch, steps]: [usize; 5], every: bool) -> Vec<f32> {
    let (rng, mut lcg) = (&mut autograd::Rng::seeded(0), Lcg::new());
    let options = RecurrentOptions { batch_first: true, ..Default::default() };
    let model = Model {
        embedding: Embedding::new(27, embedding, rng),
        lstm: Lstm::with_options(embedding, hidden, options, rng),
        head: Linear::new(hidden, classes, rng),
    };
    fill(&model, &mut lcg, 0.5);
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: 1e-2, ..Default::default() });
    let step = || {
        let x = lcg.below(27, &[batch, steps]);
        let (h, state) = model.lstm.forward(&model.embedding.forward(&x)); // [B, T, H]
        let (logits, y) = if every {
            let y = Tensor::from_fn([batch * steps], |i| (x.value_at([i / steps, i % steps]) * 5 + 3) % 27);
            (model.head.forward(&h).reshape([batch * steps, classes]), y)
        } else {
            let y = Tensor::from_fn([batch], |i| x.value_at([i, steps - 3]) % classes as i64);
            (model.head.forward(&state.hidden.squeeze(0)), y)
        };
        let loss = logits.cross_entropy(&y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        loss.item()
    };
    std::iter::repeat_with(step).take(20).collect()
}

/// The bound is the one that was asked for; the runs are in f32 here, in f64 there.
#[test]
fn whole_runs_have_the_losses_of_pytorch() {
    for (name, ours) in
        [("vowel_classifier", losses([20, 50, 2, 16, 20], false)), ("char_lm", losses([16, 32, 27, 8, 24], true))]
    {
        for (step, (ours, theirs)) in ours.iter().zip(numbers(&FIXTURE[name])).enumerate() {
            assert!((f64::from(*ours) - theirs).abs() <= 1e-4, "{name}, step {step}: {ours} and {theirs}");
        }
    }
}

/// A mistake is the caller's, and so is the line that the panic names; which axis is the batch is often the mistake.
#[test]
fn wrong_lengths_are_refused_at_the_callers_line() {
    let lstm = Lstm::new(2, 3, &mut autograd::Rng::seeded(1));
    let (x, lengths) = (Tensor::zeros([5, 4, 2]), Some(&[5, 5, 5, 5, 5][..]));
    let message = message_at_callers_line(|| drop(lstm.forward_with(&x, None, lengths)));
    assert!(
        message
            .contains("input of shape [5, 4, 2], which is a batch of 4 sequences of 5 steps, as batch_first is false"),
        "{message}"
    );
}
