//! The printed summary of a module.

use crate::module::{Module, Part, Walk};
use std::fmt::Write;

/// A line for each layer with its description, and one for each parameter with its shape and count.
pub(crate) fn summary<M: Module + ?Sized>(module: &M) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        let depth = if name.is_empty() { 0 } else { 1 + name.matches('.').count() };
        let last = name.rsplit('.').next().unwrap_or_default();
        let label = if last.is_empty() { String::new() } else { format!("({last}) ") };
        writeln!(text, "{}{label}{what}", "  ".repeat(depth)).expect("writing to a string cannot fail");
    };
    Walk::over(module, &mut |name, part| match part {
        Part::Module(module) if !module.text().is_empty() => line(name, module.text()),
        Part::Parameter(parameter) => {
            let frozen = if parameter.is_trainable() { "" } else { ", frozen" };
            line(name, format!("{} = {}{frozen}", parameter.shape(), parameter.shape().count()));
        }
        Part::Buffer(buffer) => line(name, format!("{} (buffer)", buffer.value().shape())),
        _ => {}
    });
    let trainable: usize = module.parameters().iter().filter(|p| p.is_trainable()).map(|p| p.shape().count()).sum();
    write!(text, "parameters: {}, of which trainable: {trainable}", module.parameter_count())
        .expect("writing to a string cannot fail");
    text
}
