//! Every layer in f32: output, gradient of the input and gradients of the parameters.

use super::fixture::{FIXTURE, Options, array, check, floats, integers, shape};
use autograd::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, Rng, Tensor};
use nn::layers::*;
use nn::{Layer, Module};
use serde_json::Value;

fn layer(name: &str, options: &Value, inputs: &[Value]) -> Box<dyn Layer> {
    let mut rng = Rng::seeded(0);
    match name {
        "Linear" if inputs.len() == 2 => Box::new(Linear::without_bias(3, 4, &mut rng)),
        "Linear" => Box::new(Linear::new(3, 4, &mut rng)),
        "LayerNorm" => {
            let shape = shape(&options["shape"]);
            let mut norm = match inputs.len() {
                1 => LayerNorm::without_affine(shape),
                2 => LayerNorm::without_bias(shape),
                _ => LayerNorm::new(shape),
            };
            norm.eps = Options(options).number("eps", norm.eps);
            Box::new(norm)
        }
        "Conv1d" | "Conv2d" | "ConvTranspose2d" => convolution(name, options, inputs.len() == 3, &mut rng),
        "Relu" => Box::new(Relu),
        "Tanh" => Box::new(Tanh),
        "Sigmoid" => Box::new(Sigmoid),
        "LogSigmoid" => Box::new(LogSigmoid),
        "Gelu" => Box::new(Gelu),
        "GeluTanh" => Box::new(GeluTanh),
        "Silu" => Box::new(Silu),
        "LeakyRelu" => Box::new(LeakyRelu::default()),
        "Elu" => Box::new(Elu::default()),
        "Softplus" => Box::new(Softplus::default()),
        "Hardtanh" => Box::new(Hardtanh::default()),
        "Softmax" => Box::new(Softmax::default()),
        "LogSoftmax" => Box::new(LogSoftmax::default()),
        "Flatten" => Box::new(Flatten::default()),
        "Identity" => Box::new(Identity),
        _ => panic!("{name}: a layer that the fixture has and this test does not know"),
    }
}

fn convolution(name: &str, options: &Value, bias: bool, rng: &mut Rng) -> Box<dyn Layer> {
    let numbers = |name: &str| options.get(name).map(shape);
    let pair = |name: &str, usual: usize| numbers(name).map_or([usual; 2], |pair| [pair[0], pair[1]]);
    let one = |name: &str, usual: usize| numbers(name).map_or(usual, |one| one[0]);
    let [inputs, outputs] = pair("channels", 0);
    let groups = options["groups"].as_u64().map_or(1, |groups| groups as usize);
    match name {
        "Conv1d" => {
            let (stride, padding, dilation) = (one("stride", 1), one("padding", 0), one("dilation", 1));
            let options = Conv1dOptions { stride, padding, dilation, groups };
            let conv = Conv1d::with_options(inputs, outputs, one("kernel", 0), options, rng);
            if bias { Box::new(conv) } else { Box::new(conv.without_bias()) }
        }
        "Conv2d" => {
            let (stride, padding, dilation) = (pair("stride", 1), pair("padding", 0), pair("dilation", 1));
            let options = Conv2dOptions { stride, padding, dilation, groups };
            let conv = Conv2d::with_options(inputs, outputs, pair("kernel", 0), options, rng);
            if bias { Box::new(conv) } else { Box::new(conv.without_bias()) }
        }
        _ => {
            let (stride, padding, dilation) = (pair("stride", 1), pair("padding", 0), pair("dilation", 1));
            let output_padding = pair("output_padding", 0);
            let options = ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups };
            let conv = ConvTranspose2d::with_options(inputs, outputs, pair("kernel", 0), options, rng);
            if bias { Box::new(conv) } else { Box::new(conv.without_bias()) }
        }
    }
}

/// Gives a module the parameters of the fixture; they are its leaves from then on.
fn load(module: &(impl Module + ?Sized), values: &[Value]) -> Vec<Option<Tensor>> {
    let parameters = module.parameters();
    assert_eq!(parameters.len(), values.len());
    parameters.iter().zip(values).for_each(|(parameter, value)| parameter.set(&floats(value)));
    parameters.iter().map(|parameter| Some(parameter.value())).collect()
}

#[test]
fn layers_agree_with_pytorch() {
    let cases = array(&FIXTURE["layers"]);
    for case in cases {
        let (name, options) = (case["layer"].as_str().unwrap(), &case["options"]);
        let inputs = array(&case["inputs"]);
        let what = format!("{name} with {options}");
        if name == "Embedding" {
            for sparse in [false, true] {
                let padding_idx = options.get("padding_idx").map(|row| row.as_u64().unwrap() as usize);
                let embedding = Embedding { padding_idx, sparse, ..Embedding::new(6, 3, &mut Rng::seeded(0)) };
                let leaves = [vec![None], load(&embedding, &inputs[1..])].concat();
                check(&what, &embedding.forward(&integers(&inputs[0])), &leaves, case);
            }
            continue;
        }
        let layer = layer(name, options, inputs);
        let x = floats::<f32>(&inputs[0]).requires_grad();
        let leaves = [vec![Some(x.clone())], load(&*layer, &inputs[1..])].concat();
        check(&what, &layer.forward(&x), &leaves, case);
    }
    assert!(cases.len() >= 31, "the fixture has lost layers");
}
