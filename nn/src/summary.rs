//! The printed summary of a module: PyTorch's nested text, with the number of parameters beside each line.

use crate::module::{Module, Part, Walk};
use crate::parameter::Parameter;
use std::fmt::Write;

/// A module, a parameter or a buffer, and what stands inside it.
struct Entry {
    path: String,
    text: String,
    /// Whether the text says all there is to say of the parameters inside: that of a layer, `Linear(in_features=…)`,
    /// does; the mere name of a struct does not.
    says_all: bool,
    is_module: bool,
    parameters: Vec<Parameter>,
}

/// A line of the summary: the text and, in a column to the right of all texts, the number of parameters.
struct Line {
    text: String,
    count: String,
    note: &'static str,
}

/// See [`Module::summary`].
pub(crate) fn summary<M: Module + ?Sized>(module: &M) -> String {
    let entries = collect(module);
    let mut lines = Vec::new();
    let mut at = 0;
    print(&entries, &mut at, 0, &mut lines);

    let width = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
    let digits = lines.iter().map(|line| line.count.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Line { text: line, count, note } in lines {
        let line = format!("{line:width$}  {count:>digits$}{note}");
        writeln!(text, "{}", line.trim_end()).expect("writing to a string cannot fail");
    }
    let total = module.parameter_count();
    let frozen = count(module.parameters().iter().filter(|parameter| !parameter.is_trainable()));
    write!(text, "{} parameters, {} of them trainable", grouped(total), grouped(total - frozen))
        .expect("writing to a string cannot fail");
    text
}

/// Everything that is printed, each behind the module it is in.
fn collect<M: Module + ?Sized>(module: &M) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    Walk::over(module, &mut |path, part| {
        let entry = |text: String| Entry {
            path: path.to_string(),
            says_all: text.contains('('),
            text,
            is_module: false,
            parameters: Vec::new(),
        };
        match part {
            Part::Module(module) if !module.text().is_empty() => {
                entries.push(Entry { is_module: true, ..entry(module.text()) });
            }
            Part::Parameter(parameter) => {
                entries.push(entry(format!("Parameter({})", parameter.shape())));
                for outer in entries.iter_mut().filter(|outer| is_inside(path, &outer.path)) {
                    if !outer.parameters.iter().any(|other| other.is(parameter)) {
                        outer.parameters.push(parameter.clone());
                    }
                }
            }
            Part::Buffer(buffer) => entries.push(entry(format!("Buffer({})", buffer.value().shape()))),
            _ => {}
        }
    });
    entries
}

/// Whether `path` is `outer` or somewhere inside it.
fn is_inside(path: &str, outer: &str) -> bool {
    outer.is_empty() || path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Prints the entry at `at` and all inside it, and moves `at` behind them.
fn print(entries: &[Entry], at: &mut usize, depth: usize, lines: &mut Vec<Line>) {
    let entry = &entries[*at];
    *at += 1;
    let name = entry.path.rsplit('.').next().filter(|name| !name.is_empty());
    let label = name.map(|name| format!("({name}): ")).unwrap_or_default();
    let indent = "  ".repeat(depth);

    let first = lines.len();
    lines.push(counted(format!("{indent}{label}{}", entry.text), &entry.parameters));
    let has_modules = entries[*at..]
        .iter()
        .take_while(|inner| entry.is_module && is_inside(&inner.path, &entry.path))
        .any(|inner| inner.is_module);
    while let Some(inner) = entries.get(*at).filter(|inner| entry.is_module && is_inside(&inner.path, &entry.path)) {
        if entry.says_all && !has_modules && !inner.is_module {
            *at += 1;
        } else {
            print(entries, at, depth + 1, lines);
        }
    }
    if lines.len() > first + 1 {
        lines[first].text.push('(');
        lines.push(counted(format!("{indent})"), &[]));
    } else if entry.is_module && !entry.says_all {
        lines[first].text.push_str("()");
    }
}

/// A line about these parameters.
fn counted(text: String, parameters: &[Parameter]) -> Line {
    if parameters.is_empty() {
        return Line { text, count: String::new(), note: "" };
    }
    let note = if parameters.iter().any(Parameter::is_trainable) { "" } else { " frozen" };
    Line { text, count: grouped(count(parameters)), note }
}

fn count<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> usize {
    parameters.into_iter().map(|parameter| parameter.shape().count()).sum()
}

/// 1234567 as `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

/// As Python prints it, for descriptions that read as PyTorch's.
pub(crate) fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

#[cfg(test)]
mod tests {
    use crate::layers::{Dropout, Linear, Sequential, Tanh};
    use crate::{Buffer, Module, Parameter, impl_module};
    use autograd::{Rng, Tensor};

    struct Model {
        body: Sequential,
        heads: Vec<Linear>,
        extra: Option<Linear>,
        scale: Parameter,
        steps: Buffer,
    }
    impl_module!(Model { body, heads, extra, scale, steps });

    #[test]
    fn reads_as_pytorch_prints_it_with_counts() {
        let mut rng = Rng::seeded(0);
        let body = Sequential::new().then(Linear::new(20, 100, &mut rng)).then(Tanh).then(Dropout::new(0.5, &mut rng));
        let model = Model {
            body,
            heads: vec![Linear::new(100, 1, &mut rng), Linear::without_bias(100, 2, &mut rng)],
            extra: None,
            scale: Parameter::new(Tensor::ones([3])),
            steps: Buffer::new(Tensor::zeros([1])),
        };
        model.heads[1].weight.set_trainable(false);
        let expected = "\
Model(                                                        2,404
  (body): Sequential(                                         2,100
    (0): Linear(in_features=20, out_features=100, bias=True)  2,100
    (1): Tanh()
    (2): Dropout(p=0.5)
  )
  (heads): ModuleList(                                          301
    (0): Linear(in_features=100, out_features=1, bias=True)     101
    (1): Linear(in_features=100, out_features=2, bias=False)    200 frozen
  )
  (scale): Parameter([3])                                         3
  (steps): Buffer([1])
)
2,404 parameters, 2,204 of them trainable";
        assert_eq!(model.summary(), expected);
    }

    #[test]
    fn a_layer_alone_is_a_line_and_an_empty_model_says_so() {
        let mut rng = Rng::seeded(1);
        let line = "Linear(in_features=2, out_features=1, bias=True)  3\n3 parameters, 3 of them trainable";
        assert_eq!(Linear::new(2, 1, &mut rng).summary(), line);
        assert_eq!(Sequential::new().summary(), "Sequential()\n0 parameters, 0 of them trainable");
    }

    /// Tied weights count where they stand, and once in all that is around both.
    #[test]
    fn tied_weights_count_once() {
        let mut rng = Rng::seeded(2);
        let first = Linear::without_bias(4, 4, &mut rng);
        let second = Linear { weight: first.weight.clone(), bias: None };
        let summary = vec![first, second].summary();
        let counts: Vec<_> = summary.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(counts, ["16", "16", "16", ")", "trainable"], "{summary}");
        assert!(summary.ends_with("16 parameters, 16 of them trainable"));
    }
}
