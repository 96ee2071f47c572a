//! Every operation against PyTorch: values, gradients, and second derivatives of what is smooth.
//!
//! `tests/fixtures/make_ops.py` ran PyTorch and wrote down what it computed; no Python runs here. Its table and
//! the one in [`tables`] have a line for each operation and are held against each other and against the
//! library's source, so that none is forgotten.

mod fixture;
mod tables;

use autograd::{GradOptions, Tensor, grad, profile};
use fixture::{Args, Case, Expected, FIXTURE, Outputs, dy, v, weights};
use std::collections::BTreeSet;
use tables::Entry;

/// What the operation of a case does here, held against the file. The complaints, if any.
fn replay(case: &Case, run: &dyn Fn(&Args) -> Outputs) -> Vec<String> {
    let mut complaints = Vec::new();
    // Backward has two ways: in one pass by a kernel, or in operations that are recorded in turn.
    for create_graph in [false, true] {
        let args = Args::new(&case.inputs);
        let outputs = run(&args);
        let mut check = |what: &str, expected: &[Expected], got: &Outputs| {
            let way = if create_graph { " (create_graph)" } else { "" };
            let found = fixture::differences(expected, got, what == "output");
            complaints.extend(found.into_iter().map(|difference| format!("{what}{way} {difference}")));
        };
        check("output", &case.outputs, &outputs);
        let Some(expected) = &case.gradients else { continue };

        let connected: Vec<&Tensor<f64>> = outputs.floats().filter(|y| y.has_history()).collect();
        let all: Vec<&Tensor<f64>> = outputs.floats().collect();
        let dys = weights(dy, &all).into_iter().zip(&all).filter(|(_, y)| y.has_history()).map(|(dy, _)| dy);
        let leaves: Vec<&Tensor<f64>> = args.leaves().collect();
        let options =
            GradOptions { grad_outputs: Some(dys.collect()), create_graph, allow_unused: true, ..Default::default() };
        let gradients = match connected.is_empty() {
            true => leaves.iter().map(|x| x.zeros_like()).collect(),
            false => grad(&connected, &leaves, options),
        };
        if let (true, Some(expected)) = (create_graph, &case.second) {
            let weights = weights(v, &gradients.iter().collect::<Vec<_>>());
            let (gradients, weights): (Vec<_>, Vec<_>) =
                gradients.iter().zip(weights).filter(|(gradient, _)| gradient.has_history()).unzip();
            let options = GradOptions { grad_outputs: Some(weights), allow_unused: true, ..Default::default() };
            check("second derivative", expected, &grad(&gradients, &leaves, options).into());
        }
        check("gradient", expected, &gradients.into());
    }
    complaints
}

#[test]
fn every_operation_agrees_with_pytorch() {
    let entries = tables::all();
    let mut complaints = Vec::new();
    for case in &FIXTURE.cases {
        let Entry { run, .. } = entries.iter().find(|entry| entry.name == case.op).unwrap_or_else(|| {
            panic!("{}: in make_ops.py but in no table of autograd/tests/suite/conformance/tables", case.op)
        });
        for complaint in replay(case, run) {
            complaints.push(format!("{} of {}: {complaint}", case.op, case.describe()));
        }
    }
    assert!(complaints.is_empty(), "{} differences from PyTorch:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_operation_tells_a_profile_its_name() {
    let entries = tables::all();
    for case in &FIXTURE.cases {
        let Some(entry) = entries.iter().find(|entry| entry.name == case.op) else { continue };
        let args = Args::new(&case.inputs);
        let (_, profile) = profile(|| (entry.run)(&args));
        let unnamed = profile.spans().iter().find(|span| span.name == "unnamed");
        assert!(unnamed.is_none(), "{} of {} made {unnamed:?}", case.op, case.describe());
    }
}

#[test]
fn the_tables_have_the_same_operations() {
    let here: Vec<_> = tables::all().into_iter().map(|entry| entry.name).collect();
    let (unique, there): (BTreeSet<_>, BTreeSet<_>) =
        (here.iter().map(String::as_str).collect(), FIXTURE.cases.iter().map(|case| case.op.as_str()).collect());
    assert_eq!(unique.len(), here.len(), "an operation stands in the tables twice");
    let only_here: Vec<_> = unique.difference(&there).collect();
    assert!(only_here.is_empty(), "not in make_ops.py, or that was not run again: {only_here:?}");
}

/// Methods of `autograd/src/ops` that no PyTorch function stands beside: the losses' other spelling,
/// `options.forward(logits, targets)`, and options that are set by name.
const NOT_OPERATIONS: [&str; 6] = ["forward", "stride", "padding", "output_padding", "dilation", "groups"];

#[test]
fn no_operation_is_forgotten() {
    let tables = include_str!("tables/elementwise.rs").to_string()
        + include_str!("tables/reductions.rs")
        + include_str!("tables/moving.rs")
        + include_str!("tables/products.rs")
        + include_str!("tables/convolutions.rs")
        + include_str!("tables/images.rs");
    let missing = not_called_in(&tables);
    assert!(missing.is_empty(), "in no table of autograd/tests/suite/conformance/tables: {missing:?}");
}

#[test]
fn every_operation_is_compiled_with_the_engine() {
    let missing = not_called_in(include_str!("../../../src/compiled.rs"));
    assert!(missing.is_empty(), "not called in autograd/src/compiled.rs: {missing:?}");
}

/// The public methods of `autograd/src/ops` that a source file does not call.
fn not_called_in(source: &str) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops");
    let mut missing = Vec::new();
    let mut found = 0;
    for file in std::fs::read_dir(folder).expect("the folder of operations") {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a source file");
        // Public methods, and those that the macro of comparisons and its like make.
        for line in text.lines() {
            let line = line.trim_start();
            let name = line.strip_prefix("pub fn ").or_else(|| {
                let made = ["comparison!(", "test_of_a_float!(", "connective!("];
                made.iter().find_map(|made| line.strip_prefix(made))
            });
            let Some(name) = name.map(|rest| rest.split(['(', '<', ',']).next().expect("a name")) else { continue };
            let private = ["rows.rs", "classes.rs", "signed_power.rs", "reduction.rs", "recurrent.rs"];
            if name.starts_with('$') || private.iter().any(|file| path.ends_with(file)) {
                continue;
            }
            found += 1;
            let called = [format!(".{name}("), format!(".{name}::<"), format!("::{name}(")];
            if !NOT_OPERATIONS.contains(&name) && !called.iter().any(|call| source.contains(call)) {
                missing.push(format!("{name} ({})", path.file_name().expect("a name").display()));
            }
        }
    }
    assert!(found > 100, "only {found} operations found: has their source another form?");
    missing
}
