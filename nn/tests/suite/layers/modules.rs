//! Every layer in f32: output, gradient of the input and gradients of the parameters.

use super::fixture::{FIXTURE, Options, array, assert_close, check, floats, integers, shape};
use autograd::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, Rng, Tensor, UpsampleMode};
use nn::layers::*;
use nn::{Layer, Module, Part, Walk};
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
        "BatchNorm1d" => Box::new(BatchNorm1d::with_options(channels(options), norm(options, true, inputs))),
        "BatchNorm2d" => Box::new(BatchNorm2d::with_options(channels(options), norm(options, true, inputs))),
        "InstanceNorm2d" => Box::new(InstanceNorm2d::with_options(channels(options), norm(options, false, inputs))),
        "GroupNorm" => {
            let groups = Options(options).number("groups", 1.0) as usize;
            let new = if inputs.len() == 1 { GroupNorm::without_affine } else { GroupNorm::new };
            Box::new(new(groups, channels(options)))
        }
        "MaxPool2d" => Box::new(MaxPool2d::new(2)),
        "AvgPool2d" => Box::new(AvgPool2d::new(2)),
        "AdaptiveAvgPool2d" => Box::new(AdaptiveAvgPool2d { output_size: [3, 2] }),
        "UpsampleNearest" => Box::new(Upsample::new(2.0, UpsampleMode::Nearest)),
        "UpsampleBilinear" => Box::new(Upsample::new([7, 8], UpsampleMode::Bilinear { align_corners: true })),
        "PixelShuffle" => Box::new(PixelShuffle { upscale_factor: 2 }),
        "PixelUnshuffle" => Box::new(PixelUnshuffle { downscale_factor: 2 }),
        "Flatten(2)" => Box::new(Flatten { first: 2, ..Default::default() }),
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

fn channels(options: &Value) -> usize {
    Options(options).number("channels", 3.0) as usize
}

/// With a weight and a bias if there are inputs for them.
fn norm(options: &Value, track_running_stats: bool, inputs: &[Value]) -> NormOptions {
    let eps = Options(options).number("eps", 1e-5);
    NormOptions { eps, affine: inputs.len() == 3, track_running_stats, ..Default::default() }
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
    assert!(cases.len() >= 46, "the fixture has lost layers");
}

#[test]
fn running_statistics_are_those_of_pytorch() {
    let cases = array(&FIXTURE["running"]);
    for case in cases {
        let (name, momentum) = (case["layer"].as_str().unwrap(), case["options"]["momentum"].as_f64());
        let options = NormOptions { momentum, ..Default::default() };
        let layer: Box<dyn Layer> = match name {
            "BatchNorm1d" => Box::new(BatchNorm1d::with_options(3, options)),
            "BatchNorm2d" => Box::new(BatchNorm2d::with_options(3, options)),
            _ => Box::new(InstanceNorm2d::with_options(3, options)),
        };
        let what = format!("{name} with momentum {momentum:?}");
        let mut last = Tensor::zeros([0]);
        for step in array(&case["steps"]) {
            last = floats(&step["x"]);
            layer.forward(&last);
            let state = layer.state();
            assert_eq!(state.len(), step["state"].as_object().unwrap().len());
            for (name, value) in state {
                assert_close(&format!("{what}: {name}"), &value, &step["state"][&name]);
            }
        }
        layer.eval();
        assert_close(&format!("{what}: evaluation"), &layer.forward(&last), &case["evaluation"]);
    }
    assert_eq!(cases.len(), 9);
}

#[test]
fn spectral_norm_agrees_with_pytorch() {
    let cases = array(&FIXTURE["spectral"]);
    let rng = &mut Rng::seeded(0);
    for case in cases {
        match case["layer"].as_str().unwrap() {
            "Linear" if case["state"].get("bias").is_none() => check_spectral(Linear::without_bias(4, 3, rng), case),
            "Linear" => check_spectral(Linear::new(4, 3, rng), case),
            "Conv1d" => check_spectral(Conv1d::new(2, 3, 2, rng), case),
            "Conv2d" => check_spectral(Conv2d::new(2, 3, 2, rng), case),
            _ => check_spectral(ConvTranspose2d::new(2, 3, 2, rng), case),
        }
    }
    assert_eq!(cases.len(), 5);
}

fn check_spectral(layer: impl Weighted, case: &Value) {
    let what = layer.describe();
    let norm = SpectralNorm::new(layer, &mut Rng::seeded(0));
    Walk::over(&norm, &mut |name, part| match part {
        Part::Parameter(parameter) => parameter.set(&floats(&case["state"][name])),
        Part::Buffer(buffer) => buffer.set(&floats(&case["state"][name])),
        _ => {}
    });
    let x = floats::<f32>(&case["inputs"][0]).requires_grad();
    let parameters = norm.parameters().into_iter().map(|parameter| Some(parameter.value()));
    let leaves: Vec<_> = std::iter::once(Some(x.clone())).chain(parameters).collect();
    check(&what, &norm.forward(&x), &leaves, case);
    let state = norm.state();
    assert_eq!(state.len(), case["after"].as_object().unwrap().len());
    for (name, value) in state {
        assert_close(&format!("{what}: {name}"), &value, &case["after"][&name]);
    }
    norm.eval();
    assert_close(&format!("{what}: evaluation"), &norm.forward(&x), &case["evaluation"]);
}
