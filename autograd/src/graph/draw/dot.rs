//! A picture in the language of Graphviz.

use super::picture::{Item, Picture, Role};
use std::fmt::Write;

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from(
        "digraph {\n  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=11];\n  edge [color=\"#94a3b8\", arrowsize=0.7];\n",
    );
    let notes: Vec<_> = picture.title.iter().chain(&picture.notes).map(|line| quoted(line)).collect();
    if !notes.is_empty() {
        line(&mut out, format_args!("  label=\"{}\";", notes.join("\\n")));
    }
    for (i, item) in picture.boxes.iter().enumerate() {
        let look = match item.role {
            Role::Leaf => "shape=record, style=\"filled,rounded\", fillcolor=\"#ecfdf5\", color=\"#059669\"",
            Role::Constant => "shape=record, style=\"dashed,rounded\", color=\"#94a3b8\"",
            Role::Result => "shape=record, style=rounded, color=\"#94a3b8\"",
            Role::Output => "shape=record, style=\"filled,rounded\", fillcolor=\"#eff6ff\", color=\"#2563eb\"",
            Role::Operation => "shape=oval, style=filled, fillcolor=\"#334155\", fontcolor=white",
            Role::Backward => "shape=oval, style=filled, fillcolor=\"#7e22ce\", fontcolor=white",
            Role::Beyond => "shape=plaintext",
        };
        line(
            &mut out,
            format_args!("  n{i} [label=\"{}\", tooltip=\"{}\", {look}];", label(item), quoted(&item.hover)),
        );
    }
    for [from, to] in &picture.arrows {
        line(&mut out, format_args!("  n{from} -> n{to};"));
    }
    out.push_str("}\n");
    out
}

fn line(out: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(out, "{what}").expect("a String takes everything");
}

/// The fields of a tensor's record, name and shape, data, gradient; the name of an operation.
fn label(item: &Item) -> String {
    if item.role.is_operation() || item.role == Role::Beyond {
        return quoted(&item.name);
    }
    let name = [&item.name, &item.shape].into_iter().filter(|part| !part.is_empty());
    let name = name.map(|part| in_record(part)).collect::<Vec<_>>().join(" ");
    let mut fields: Vec<_> = [name].into_iter().filter(|name| !name.is_empty()).collect();
    for (word, rows) in [("data", &item.data), ("grad", &item.grad)] {
        match &rows[..] {
            [] => {}
            [row] => fields.push(format!("{word} {}", in_record(row))),
            // \l ends a line that is flush left.
            rows => {
                fields.push(format!("{word}\\l{}", rows.iter().map(|row| in_record(row) + "\\l").collect::<String>()))
            }
        }
    }
    if fields.is_empty() {
        fields.push("scalar".into());
    }
    format!("{{ {} }}", fields.join(" | "))
}

/// Text within double quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

/// Text in a field of a record, where more characters mean something.
fn in_record(text: &str) -> String {
    let mut out = String::new();
    for c in quoted(text).chars() {
        if "{}|<> ".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
