//! Every loss with several sets of options, under every reduction, in f64.

use super::fixture::{FIXTURE, Options, array, check, floats, integers, tensor_option};
use autograd::Tensor;
use nn::losses::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The inputs of a case: as leaves, and as classes those that are.
struct Inputs<'a> {
    case: &'a Value,
    leaves: Vec<Option<Tensor<f64>>>,
}

impl Inputs<'_> {
    fn of<'a>(case: &'a Value, result: &Value) -> Inputs<'a> {
        let differentiable = array(&result["gradients"]).iter().map(|gradient| !gradient.is_null());
        let inputs = array(&case["inputs"]).iter().zip(differentiable);
        Inputs { case, leaves: inputs.map(|(x, float)| float.then(|| floats::<f64>(x).requires_grad())).collect() }
    }

    fn float(&self, at: usize) -> &Tensor<f64> {
        self.leaves[at].as_ref().expect("a float")
    }

    fn classes(&self, at: usize) -> Tensor<i64> {
        integers(&self.case["inputs"][at])
    }

    /// The last argument, if it is a constant.
    fn target(&self) -> Tensor<f64> {
        floats(&self.case["target"])
    }
}

fn reduction(name: &str) -> Reduction {
    match name {
        "none" => Reduction::None,
        "sum" => Reduction::Sum,
        "mean" | "batchmean" => Reduction::Mean,
        _ => panic!("reduction {name}"),
    }
}

fn loss(name: &str, options: &Options<'_>, x: &Inputs<'_>, by: &str) -> Tensor<f64> {
    let reduction = reduction(by);
    let margin = |default| options.number("margin", default);
    let weight = tensor_option(options, "weight");
    let ignore_index = options.number("ignore_index", -100.0) as i64;
    match name {
        "CrossEntropyLoss" => {
            let label_smoothing = options.number("label_smoothing", 0.0);
            let loss = CrossEntropyLoss { weight, ignore_index, label_smoothing, reduction };
            if x.leaves[1].is_some() {
                loss.forward(x.float(0), x.float(1))
            } else {
                loss.forward(x.float(0), &x.classes(1))
            }
        }
        "NllLoss" => NllLoss { weight, ignore_index, reduction }.forward(x.float(0), &x.classes(1)),
        "BceLoss" => BceLoss { weight, reduction }.forward(x.float(0), x.float(1)),
        "BceWithLogitsLoss" => {
            let pos_weight = tensor_option(options, "pos_weight");
            BceWithLogitsLoss { weight, pos_weight, reduction }.forward(x.float(0), x.float(1))
        }
        "MseLoss" => MseLoss { reduction }.forward(x.float(0), x.float(1)),
        "L1Loss" => L1Loss { reduction }.forward(x.float(0), x.float(1)),
        "SmoothL1Loss" => SmoothL1Loss { beta: options.number("beta", 1.0), reduction }.forward(x.float(0), x.float(1)),
        "HuberLoss" => HuberLoss { delta: options.number("delta", 1.0), reduction }.forward(x.float(0), x.float(1)),
        "KlDivLoss" => {
            let (log_target, batch_mean) = (options.flag("log_target"), by == "batchmean");
            KlDivLoss { log_target, batch_mean, reduction }.forward(x.float(0), x.float(1))
        }
        "CosineEmbeddingLoss" => {
            CosineEmbeddingLoss { margin: margin(0.0), reduction }.forward(x.float(0), x.float(1), &x.target())
        }
        "TripletMarginLoss" => {
            let (p, swap) = (options.number("p", 2.0), options.flag("swap"));
            let loss = TripletMarginLoss { margin: margin(1.0), p, swap, reduction, ..Default::default() };
            loss.forward(x.float(0), x.float(1), x.float(2))
        }
        "HingeEmbeddingLoss" => HingeEmbeddingLoss { margin: margin(1.0), reduction }.forward(x.float(0), &x.target()),
        "MultiMarginLoss" => {
            let p = options.number("p", 1.0) as i32;
            MultiMarginLoss { p, margin: margin(1.0), weight, reduction }.forward(x.float(0), &x.classes(1))
        }
        "MarginRankingLoss" => {
            MarginRankingLoss { margin: margin(0.0), reduction }.forward(x.float(0), x.float(1), x.float(2))
        }
        _ => panic!("{name}: a loss that the fixture has and this test does not know"),
    }
}

#[test]
fn losses_agree_with_pytorch() {
    let mut names = BTreeSet::new();
    for case in array(&FIXTURE["losses"]) {
        let (name, options) = (case["loss"].as_str().unwrap(), &case["options"]);
        names.insert(name);
        for result in array(&case["results"]) {
            let by = result["reduction"].as_str().unwrap();
            let inputs = Inputs::of(case, result);
            let y = loss(name, &Options(options), &inputs, by);
            check(&format!("{name} with {options}, {by}"), &y, &inputs.leaves, result);
        }
    }
    assert_eq!(names.len(), 14, "{names:?}");
}

/// The short forms have PyTorch's defaults.
#[test]
fn functions_have_the_defaults_of_their_structs() {
    let (a, b) = (Tensor::of([[0.5, -2.0, 1.0]]), Tensor::of([[0.25, 1.5, 0.75]]));
    let signs = Tensor::of([[1.0, -1.0, 1.0]]);
    let one = Tensor::of([-1.0]);
    let class = Tensor::of([2_i64]);
    for (function, default) in [
        (mse_loss(&a, &b), MseLoss::default().forward(&a, &b)),
        (l1_loss(&a, &b), L1Loss::default().forward(&a, &b)),
        (smooth_l1_loss(&a, &b), SmoothL1Loss { beta: 1.0, reduction: Reduction::Mean }.forward(&a, &b)),
        (huber_loss(&a, &b), HuberLoss { delta: 1.0, reduction: Reduction::Mean }.forward(&a, &b)),
        (kl_div(&a, &b), KlDivLoss::default().forward(&a, &b)),
        (hinge_loss(&a, &signs), HingeLoss { margin: 1.0, reduction: Reduction::Mean }.forward(&a, &signs)),
        (
            hinge_embedding_loss(&a, &signs),
            HingeEmbeddingLoss { margin: 1.0, reduction: Reduction::Mean }.forward(&a, &signs),
        ),
        (multi_margin_loss(&a, &class), MultiMarginLoss { margin: 1.0, ..Default::default() }.forward(&a, &class)),
        (
            margin_ranking_loss(&a, &b, &signs),
            MarginRankingLoss { margin: 0.0, reduction: Reduction::Mean }.forward(&a, &b, &signs),
        ),
        (cosine_embedding_loss(&a, &b, &one), CosineEmbeddingLoss::default().forward(&a, &b, &one)),
        (triplet_margin_loss(&a, &b, &signs), TripletMarginLoss::default().forward(&a, &b, &signs)),
    ] {
        assert_eq!(function.item(), default.item());
    }
}
