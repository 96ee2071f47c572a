//! Drawings of graphs. The pictures that these tests check are left in `target/tmp/drawings`, to look at.

use autograd::{Drawing, GradOptions, Rng, Tensor, draw, grad, watch};
use std::path::PathBuf;

/// The drawing as SVG, which is also left for people, after a look at whether it is well-formed.
fn svg_of(name: &str, drawing: &Drawing) -> String {
    let svg = drawing.svg();
    assert_eq!(svg, drawing.svg(), "a drawing is the same every time");
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') && !text.contains("NaN\""), "{text}");
        let word = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(word));
        } else if !tag.ends_with('/') {
            open.push(word);
        }
    }
    assert!(open.is_empty(), "{open:?} is not closed");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("drawings");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name).with_extension("svg"), &svg).unwrap();
    svg
}

/// How many boxes of this class there are (one more stands in the legend).
fn boxes(svg: &str, class: &str) -> usize {
    svg.matches(&format!("<g class=\"{class}\" transform")).count()
}

fn arrows(svg: &str) -> usize {
    svg.matches("class=\"arrow\"").count()
}

/// The texts that stand in the drawing.
fn texts(svg: &str) -> Vec<&str> {
    svg.split("<text").skip(1).map(|text| text.split_once('>').unwrap().1.split_once("</text>").unwrap().0).collect()
}

fn count(svg: &str, text: &str) -> usize {
    texts(svg).iter().filter(|&&it| it == text).count()
}

/// A small regression: two layers, a loss, all values small enough to be written out.
fn regression() -> ([Tensor; 6], impl Fn() -> Tensor) {
    let mut rng = Rng::seeded(1);
    let mut draw = |shape: &[usize]| Tensor::randn(shape, &mut rng);
    let all = [
        draw(&[4, 3]),
        draw(&[3, 5]).requires_grad(),
        draw(&[5]).requires_grad(),
        draw(&[5, 2]).requires_grad(),
        draw(&[2]).requires_grad(),
        draw(&[4, 2]),
    ];
    let [x, w1, b1, w2, b2, target] = all.clone();
    (all, move || {
        let hidden = (x.matmul(&w1) + &b1).tanh();
        let error = hidden.matmul(&w2) + &b2 - &target;
        (&error * &error).sum(..) * 0.125
    })
}

/// The neuron of micrograd's lecture, with its numbers.
#[test]
fn a_neuron_shows_the_data_and_the_gradient_of_every_number() {
    let leaf = |x: f32| Tensor::from(x).requires_grad();
    let (x1, x2, w1, w2, b) = (leaf(2.0), leaf(0.0), leaf(-3.0), leaf(1.0), leaf(6.881_373_6));
    let o = watch(|| (&x1 * &w1 + &x2 * &w2 + &b).tanh());
    o.backward();
    let drawing = draw(&o).label(&x1, "x1").label(&x2, "x2").label(&w1, "w1").label(&w2, "w2").label(&b, "b");
    let svg = svg_of("neuron", &drawing.label(&o, "o").title("a neuron"));

    assert_eq!((boxes(&svg, "leaf"), boxes(&svg, "op"), boxes(&svg, "result"), boxes(&svg, "output")), (5, 5, 4, 1));
    // Two into each product and each sum, one into tanh, one out of each.
    assert_eq!(arrows(&svg), 2 + 2 + 2 + 2 + 1 + 5);
    assert_eq!((count(&svg, "data"), count(&svg, "grad")), (10, 10));
    for text in ["a neuron", "x1", "x2", "w1", "w2", "b", "o", "×", "+", "tanh", "6.8814", "0.8814", "0.7071", "-1.5"]
    {
        assert!(count(&svg, text) > 0, "{text:?} is missing");
    }
    assert_eq!(count(&svg, "0.5"), 6, "the gradient of the five numbers before tanh, and of x2");
    assert!(svg.contains(&format!("<title>tanh at {}:", file!())), "hovering tells the line");
}

#[test]
fn matrices_are_written_out_and_constants_stand_once() {
    let ([x, w1, b1, w2, b2, target], forward) = regression();
    let loss = watch(forward);
    loss.backward();
    let drawing = draw(&loss).label(&x, "x").label(&w1, "w1").label(&b1, "b1").label(&w2, "w2").label(&b2, "b2");
    let svg = svg_of("regression", &drawing.label(&target, "target").label(&loss, "loss"));
    assert_eq!(boxes(&svg, "constant"), 3, "x, target, and the factor of the sum");
    assert_eq!((count(&svg, "x"), count(&svg, "target")), (1, 1));
    let first_row = w1.to_vec()[..5].iter().map(|w| format!("{w:7.4}")).collect::<Vec<_>>().join("  ");
    assert_eq!(count(&svg, &first_row), 1, "{first_row:?}");
}

#[test]
fn without_watching_there_are_shapes_and_the_values_of_what_is_labelled() {
    let ([_, w1, ..], forward) = regression();
    let loss = forward();
    let svg = svg_of("shapes", &draw(&loss).label(&w1, "w1"));
    assert_eq!((boxes(&svg, "constant"), count(&svg, "data"), count(&svg, "grad")), (0, 1, 0));
    assert_eq!((count(&svg, "[4, 5]"), count(&svg, "[3, 5]"), count(&svg, "scalar")), (3, 1, 2));
    // Backward frees what was saved, not the graph; the leaves have gradients now.
    loss.backward();
    let svg = draw(&loss).svg();
    assert_eq!((boxes(&svg, "op"), count(&svg, "grad")), (9, 4));
}

#[test]
fn a_leaf_shows_the_value_it_was_last_used_with() {
    let mut w = Tensor::from(1.0).requires_grad();
    watch(|| &w * 2.0);
    w.slice_mut()[0] = 7.0;
    let y = watch(|| &w * 3.0);
    let svg = draw(&y).svg();
    assert_eq!((count(&svg, "7.0"), count(&svg, "1.0"), count(&svg, "21.0")), (1, 0, 1));
}

#[test]
fn what_a_backward_pass_records_is_told_apart() {
    let x = Tensor::from(0.5).requires_grad();
    let dx = watch(|| {
        let y = x.tanh() * &x;
        grad(&[&y], &[&x], GradOptions::create_graph()).remove(0)
    });
    dx.backward();
    let svg = svg_of("second_derivative", &draw(&dx).label(&x, "x").label(&dx, "dy/dx"));
    assert_eq!(boxes(&svg, "op"), 1, "of the forward pass, tanh is what the derivative is calculated from");
    assert!(boxes(&svg, "op backward") >= 5);
    assert!(svg.contains("(in the backward of tanh)"));
    // d/dx (x tanh x) and d²/dx² at ½.
    assert_eq!((count(&svg, "0.8553"), count(&svg, "1.2095")), (1, 1));
}

/// Residual blocks whose outputs are all used at the end: many long arrows.
#[test]
fn a_drawing_that_stops_says_so() {
    let mut rng = Rng::seeded(1);
    let weights: Vec<_> = (0..8).map(|_| Tensor::randn([64, 64], &mut rng).requires_grad()).collect();
    let mut hidden = vec![Tensor::randn([32, 64], &mut rng)];
    for w in &weights {
        let h = hidden.last().unwrap();
        hidden.push(h + h.matmul(w).tanh() * 0.5);
    }
    let loss = Tensor::cat(&hidden[1..].iter().collect::<Vec<_>>(), 1).sum(..);
    let labelled = || weights.iter().enumerate().fold(draw(&loss), |drawing, (i, w)| drawing.label(w, format!("w{i}")));
    let svg = svg_of("residual", &labelled());
    assert_eq!((boxes(&svg, "leaf"), boxes(&svg, "op")), (8, 8 * 4 + 2));
    assert!(!svg.contains("the last"));

    let svg = svg_of("residual_end", &labelled().max_nodes(12));
    assert_eq!(boxes(&svg, "op") + boxes(&svg, "leaf"), 12);
    assert!(boxes(&svg, "beyond") > 0);
    assert_eq!(count(&svg, "the last 12 of 42 leaves and operations"), 1);
    assert!(svg.contains("not in this drawing: w0, w1"));
}

#[test]
fn a_graph_of_a_hundred_thousand_operations_is_cut() {
    let x = Tensor::from(1.0).requires_grad();
    let y = (0..100_000).fold(x.clone(), |y, _| y + &x);
    let svg = draw(&y).svg();
    assert_eq!(boxes(&svg, "op"), 300);
    assert_eq!(count(&svg, "the last 300 of 100001 leaves and operations"), 1);
}

#[test]
fn dot_has_every_box_and_arrow() {
    let x = Tensor::from([1.0, 2.0]).requires_grad();
    let y = watch(|| (&x * &x).sum(..));
    y.backward();
    let dot = draw(&y).label(&x, r#"a {"b"} | <c> \"#).title("squares").dot();
    assert!(dot.starts_with("digraph {") && dot.trim_end().ends_with('}'));
    assert!(dot.contains("label=\"squares\";"));
    assert!(
        dot.contains(r#"label="{ a\ \{\"b\"\}\ \|\ \<c\>\ \\ [2] | data 1.0\ \ 2.0 | grad 2.0\ \ 4.0 }""#),
        "{dot}"
    );
    for arrow in ["n0 -> n1;\n  n0 -> n1;", "n1 -> n2;", "n2 -> n3;", "n3 -> n4;"] {
        assert!(dot.contains(arrow), "{arrow} in {dot}");
    }
}

#[test]
fn labels_may_contain_anything() {
    let x = Tensor::from(f32::NAN).requires_grad();
    let svg = svg_of("label", &draw(&(&x * 2.0)).label(&x, "<b> & \"c\"\u{7}").title("x < y"));
    assert_eq!((count(&svg, "&lt;b&gt; &amp; &quot;c&quot; "), count(&svg, "NaN"), count(&svg, "x &lt; y")), (1, 1, 1));
}

#[test]
#[should_panic(expected = "draw: a tensor of shape [2] without history")]
fn there_must_be_a_graph() {
    let _ = draw(&Tensor::zeros(2));
}
