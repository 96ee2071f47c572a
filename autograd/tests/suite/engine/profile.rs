//! What a profile says was run, and what it says that took.

use autograd::profile::{Phase, Row, Span, timing};
use autograd::{Grads, Op, Profile, Rng, Tensor, no_grad, profile};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

/// How often each operation ran forward and backward.
fn calls(profile: &Profile) -> BTreeMap<&'static str, [usize; 2]> {
    profile.table().rows.iter().map(|row| (row.name, [row.forward.calls, row.backward.calls])).collect()
}

fn row(profile: &Profile, name: &str) -> Row {
    profile.table().rows.into_iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"))
}

fn names(spans: &[Span]) -> Vec<&'static str> {
    spans.iter().map(|span| span.name).collect()
}

/// x·w through tanh, `[20, 30]` times `[30, 5]`.
fn small() -> [Tensor; 2] {
    let mut rng = Rng::seeded(1);
    [Tensor::randn([20, 30], &mut rng), Tensor::randn([30, 5], &mut rng).requires_grad()]
}

#[test]
fn names_and_counts_are_what_was_run() {
    let [x, w] = small();
    let ((), profile) = profile(|| {
        for _ in 0..3 {
            (x.matmul(&w).tanh() * 2.0).sum(..).backward();
        }
    });
    let expected = [
        ("full", [3, 0]), // the gradient of the sum with respect to itself
        ("leaf", [0, 3]),
        ("matmul", [3, 3]),
        ("mul", [3, 3]),
        ("sum", [3, 3]),
        ("tanh", [3, 3]),
    ];
    assert_eq!(calls(&profile), expected.into());
}

#[test]
fn bytes_are_those_of_the_tensors_that_were_made() {
    let [x, w] = small();
    let ((), profile) = profile(|| x.matmul(&w).tanh().sum(..).backward());
    let bytes = |name| (row(&profile, name).forward.bytes, row(&profile, name).backward.bytes);
    assert_eq!(bytes("matmul"), (20 * 5 * 4, 30 * 5 * 4));
    assert_eq!(bytes("sum").0, 4);
    // tanh's backward makes the gradient of the sum, which is one number repeated, a tensor of its own.
    assert_eq!(bytes("tanh"), (20 * 5 * 4, 20 * 5 * 4));
    let views = autograd::profile(|| x.reshape([600]).narrow(0, 3, 5)).1;
    assert_eq!(calls(&views), [("reshape", [1, 0]), ("slice", [1, 0])].into());
    assert!(views.spans().iter().all(|span| span.bytes == 0));
}

#[test]
fn operations_without_a_gradient_have_names_too() {
    let x = Tensor::from([[3.0, -1.0], [f32::NAN, 2.0]]);
    let ((), profile) = profile(|| {
        let positive = x.gt(0.0) & !x.isnan();
        let _ = (positive.cast::<f32>(), x.argmax(0).one_hot(2), x.argsort(0, false));
        let _ = no_grad(|| (x.clone() + 1.0) + 1.0);
        let _ = (x.t().to_vec(), x.t().contiguous());
        let _ = (Tensor::zeros([2]), Tensor::from([1.0]), Tensor::randn([3], &mut Rng::seeded(0)));
    });
    assert!(calls(&profile).values().all(|calls| calls[1] == 0));
    let forward: BTreeMap<_, _> = calls(&profile).into_iter().map(|(name, calls)| (name, calls[0])).collect();
    for (name, count) in [
        ("gt", 1),
        ("isnan", 1),
        ("logical_not", 1),
        ("logical_and", 1),
        ("cast", 1),
        ("argmax", 1),
        ("one_hot", 1),
        ("argsort", 1),
        ("add", 2),
        ("contiguous", 2),
        ("full", 1),
        ("from_slice", 1),
        ("randn", 1),
    ] {
        assert_eq!(forward.get(name), Some(&count), "{name} in {forward:?}");
    }
    assert!(!forward.contains_key("unnamed"));
}

#[test]
fn views_on_the_way_to_an_operations_name_take_nothing_from_it() {
    // Along axis 0 a softmax packs its rows, and puts its result back in order by views, before it is recorded.
    let x = Tensor::randn([30, 20], &mut Rng::seeded(2));
    let (_, profile) = profile(|| x.softmax(0));
    assert_eq!(row(&profile, "softmax").forward.calls, 1);
    let softmax = profile.spans().last().unwrap();
    assert_eq!((softmax.name, *softmax.shape == [30, 20]), ("softmax", true));
    assert!(softmax.bytes >= 30 * 20 * 4);
}

#[test]
fn nothing_is_measured_where_there_is_no_profile() {
    let [x, w] = small();
    let ((), empty) = profile(|| ());
    assert!(empty.spans().is_empty() && empty.table().rows.is_empty());
    let ((), first) = profile(|| drop(x.exp()));
    x.matmul(&w).sum(..).backward();
    drop(timing("alone"));
    let ((), second) = profile(|| drop(x.tanh()));
    assert_eq!((names(first.spans()), names(second.spans())), (vec!["exp"], vec!["tanh"]));
}

/// y = x³, made of other operations.
#[derive(Clone)]
struct Cube(Tensor);

impl Op<f32> for Cube {
    const NAME: &'static str = "cube";
    fn backward(self, dy: Tensor, grads: &mut Grads<f32>) {
        grads.set(0, || self.0.square() * 3.0 * dy);
    }
}

fn cube(x: &Tensor) -> Tensor {
    (x.detach() * x.detach() * x.detach()).recorded([x], || Cube(x.clone()))
}

#[test]
fn operations_inside_of_others_count_once() {
    let x = Tensor::randn([300, 200], &mut Rng::seeded(3)).requires_grad();
    let ((), profile) = profile(|| {
        let _timing = timing("a step");
        let loss = {
            let _timing = timing("forward");
            cube(&x).sum(..)
        };
        loss.backward();
    });
    let calls = calls(&profile);
    assert_eq!((calls["mul"], calls["cube"], calls["a step"]), ([2, 0], [1, 1], [1, 0]));
    assert!(!calls.contains_key("square"), "it counts for the backward of cube: {calls:?}");
    let inside: Vec<_> = profile.spans().iter().filter(|span| span.inside).collect();
    assert!(inside.iter().any(|span| span.name == "square"));
    assert!(inside.iter().all(|span| span.phase == Phase::Backward));

    let table = profile.table();
    // All of it is in "a step", so self times must add up to that, to the last nanosecond.
    let step = profile.spans().iter().find(|span| span.name == "a step").unwrap();
    assert_eq!(table.in_operations(), step.time);
    assert!(step.time <= table.wall);
    assert_eq!(table.in_operations() + table.outside(), table.wall);
    let sum: Duration = profile.spans().iter().map(|span| span.time).sum();
    assert!(sum > table.wall, "without taking out what is inside, it is more than there was");
}

#[test]
fn the_lines_are_the_callers() {
    let [x, w] = small();
    let line = line!() + 1;
    let ((), profile) = profile(|| (x.matmul(&w).gt(0.0).cast::<f32>() * x.matmul(&w)).sum(..).backward());
    for span in profile.spans().iter().filter(|span| !span.inside && !["full", "leaf"].contains(&span.name)) {
        assert_eq!((span.line.file(), span.line.line()), (file!(), line), "{}", span.name);
    }
}

#[test]
fn results_are_the_same_bits() {
    let run = || {
        let [x, w] = small();
        let loss = x.matmul(&w).softmax(0).log().mean(..);
        loss.backward();
        (loss.item().to_bits(), w.grad().unwrap().to_vec())
    };
    assert_eq!(profile(run).0, run());
}

#[test]
fn a_profile_within_a_profile_is_part_of_both() {
    let [x, _] = small();
    let (inner, outer) = profile(|| {
        drop(x.exp());
        let ((), inner) = profile(|| drop(x.tanh()));
        drop(x.sin());
        inner
    });
    assert_eq!((names(inner.spans()), names(outer.spans())), (vec!["tanh"], vec!["exp", "tanh", "sin"]));
}

#[test]
fn each_thread_has_its_own() {
    let run = |f: fn(&Tensor) -> Tensor, name: &str| {
        let job = move || profile(|| (0..50).for_each(|_| drop(f(&small()[0])))).1;
        thread::Builder::new().name(name.to_string()).spawn(job).unwrap()
    };
    let (here, there) = (run(Tensor::exp, "first"), run(Tensor::tanh, "second"));
    let ((), mine) = profile(|| drop(small()[0].sin()));
    let (mut both, there) = (here.join().unwrap(), there.join().unwrap());
    let count = |profile: &Profile, name| calls(profile).get(name).map_or(0, |calls| calls[0]);
    assert_eq!(["exp", "tanh", "sin"].map(|name| count(&both, name)), [50, 0, 0]);
    assert_eq!(["exp", "tanh", "sin"].map(|name| count(&there, name)), [0, 50, 0]);
    assert_eq!(["exp", "tanh", "sin"].map(|name| count(&mine, name)), [0, 0, 1]);

    let wall = both.wall() + there.wall();
    both.extend(there);
    assert_eq!(["exp", "tanh", "sin"].map(|name| count(&both, name)), [50, 50, 0]);
    assert_eq!(both.wall(), wall);
    assert!(both.table().in_operations() <= wall);
    let trace: serde_json::Value = serde_json::from_str(&both.chrome_trace()).unwrap();
    let named = trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "M");
    let names: BTreeSet<_> = named.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "second"].into());
}

#[test]
fn a_panic_ends_its_profile_and_no_other() {
    let [x, _] = small();
    let ((), outer) = profile(|| {
        let panics = || drop(profile(|| -> () { panic!("after {}", x.tanh().rank()) }));
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        drop(x.exp());
    });
    assert_eq!(names(outer.spans()), ["exp"]);
    drop(x.cos());
    assert_eq!(names(profile(|| drop(x.sin())).1.spans()), ["sin"]);
}

#[test]
fn perfetto_finds_in_the_trace_what_it_needs() {
    let [x, w] = small();
    let ((), profile) = profile(|| {
        let _timing = timing("a \"quoted\" \\ name");
        x.matmul(&w).tanh().sum(..).backward();
    });
    let path = std::env::temp_dir().join(format!("chainrule-trace-{}.json", std::process::id()));
    profile.write_chrome_trace(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
    let events: Vec<_> = trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").collect();
    assert_eq!(events.len(), profile.spans().len());
    for (event, span) in events.iter().zip(profile.spans()) {
        assert!(event["ts"].as_f64().unwrap() >= 0.0);
        assert_eq!(event["dur"].as_f64().unwrap(), span.time.as_nanos() as f64 / 1e3);
        assert_eq!(event["pid"], std::process::id());
        assert_eq!(event["tid"], span.thread);
        assert_eq!(event["args"]["bytes"], span.bytes);
        assert_eq!(event["args"]["shape"], span.shape.to_string());
    }
    let find = |name: &str| *events.iter().find(|event| event["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!((&find("tanh")["cat"], &find("tanh (backward)")["cat"]), (&"forward".into(), &"backward".into()));
    assert_eq!(find("tanh")["args"]["shape"], "[20, 5]");
    assert!(find("tanh")["args"]["line"].as_str().unwrap().contains("profile.rs:"));
    // Whole in the file, and around everything else.
    let step = find("a \"quoted\" \\ name");
    assert!(step["ts"].as_f64().unwrap() <= find("matmul")["ts"].as_f64().unwrap());
}

#[test]
fn a_table_is_aligned_and_adds_up() {
    let [x, w] = small();
    let ((), profile) = profile(|| (0..9).for_each(|_| x.matmul(&w).tanh().sum(..).backward()));
    let table = profile.table();
    assert!(table.rows.windows(2).all(|pair| pair[0].time() >= pair[1].time()), "longest first");
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), table.rows.len() + 4);
    assert!(lines[0].starts_with("operation ") && lines[0].ends_with("share"));
    assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()), "{text}");
    assert!(lines[lines.len() - 1].starts_with("total ") && lines[lines.len() - 1].ends_with("100.0 %"));
    assert_eq!(table.in_operations(), table.rows.iter().map(Row::time).sum());
}
