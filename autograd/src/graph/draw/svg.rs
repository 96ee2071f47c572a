//! A picture as SVG.

use super::layout::{Layout, Sketch};
use super::picture::{Item, Picture, Role};
use std::fmt::Write;

/// The size of the letters, and how much of it the advance of a letter of a monospaced font is.
const FONT: f64 = 13.0;
const ADVANCE: f64 = 0.602;
/// From one line of text to the next.
const LINE: f64 = 18.0;
/// From the border of a box to its text.
const PADDING: f64 = 9.0;
/// The height of an operation.
const PILL: f64 = 30.0;
/// The margin around everything.
const MARGIN: f64 = 24.0;

/// How the boxes of a role look: the class of the styles below, and the name in the legend.
fn look(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Leaf => ("leaf", "leaf"),
        Role::Constant => ("constant", "constant"),
        Role::Result => ("result", "result"),
        Role::Output => ("output", "output"),
        Role::Operation => ("op", "operation"),
        Role::Backward => ("op backward", "operation of a backward pass"),
        Role::Beyond => ("beyond", "not drawn"),
    }
}

const STYLE: &str = "\
text { font-family: ui-monospace, 'DejaVu Sans Mono', 'SF Mono', Menlo, Consolas, monospace; font-size: 13px; \
fill: #0f172a; white-space: pre }
.name { font-weight: 700 }
.shape, .word, .note { fill: #64748b }
.word, .note { font-size: 11px }
.grad { fill: #b45309 }
.box { stroke-width: 1.25; rx: 7 }
.rule { stroke: #0f172a; stroke-opacity: .13 }
.leaf .box { fill: #ecfdf5; stroke: #059669 }
.constant .box { fill: #f8fafc; stroke: #94a3b8; stroke-dasharray: 4 3 }
.result .box { fill: #ffffff; stroke: #94a3b8 }
.output .box { fill: #eff6ff; stroke: #2563eb; stroke-width: 2 }
.beyond .box { fill: none; stroke: #cbd5e1; stroke-dasharray: 2 3 }
.op .box { fill: #334155; stroke: none; rx: 15 }
.backward .box { fill: #7e22ce }
.op text { fill: #ffffff; font-weight: 700 }
.arrow { fill: none; stroke: #94a3b8; stroke-width: 1.5 }
";

/// What stands in a box, line by line.
struct Card<'a> {
    item: &'a Item,
    size: [f64; 2],
}

fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * FONT * ADVANCE
}

impl Card<'_> {
    fn new(item: &Item) -> Card<'_> {
        if item.role.is_operation() || item.role == Role::Beyond {
            let width = (text_width(&item.name) + 2.0 * PADDING + 4.0).max(PILL);
            return Card { item, size: [width, PILL] };
        }
        let mut card = Card { item, size: [0.0, 0.0] };
        let gap = if item.name.is_empty() || item.shape.is_empty() { 0.0 } else { 2.0 * FONT * ADVANCE };
        let header = text_width(&item.name) + gap + text_width(shape(item));
        let numbers = item.data.iter().chain(&item.grad).map(|row| WORD + text_width(row)).fold(0.0, f64::max);
        let heights = [card.header(), section(&item.data), section(&item.grad)];
        card.size = [header.max(numbers).max(24.0) + 2.0 * PADDING, heights.iter().sum()];
        card
    }

    /// The height of the first line, which a scalar without a label does not have.
    fn header(&self) -> f64 {
        if self.item.name.is_empty() && shape(self.item).is_empty() { 0.0 } else { LINE + 8.0 }
    }
}

/// The shape as it is written: that of a scalar goes without saying, unless there is nothing else to say.
fn shape(item: &Item) -> &str {
    let empty =
        [&item.name, &item.shape].iter().all(|part| part.is_empty()) && item.data.is_empty() && item.grad.is_empty();
    if empty { "scalar" } else { &item.shape }
}

/// The width of the words "data" and "grad" and the space behind them.
const WORD: f64 = 38.0;

/// The height of the rows of a value.
fn section(rows: &[String]) -> f64 {
    if rows.is_empty() { 0.0 } else { rows.len() as f64 * LINE + 8.0 }
}

pub(super) fn write(picture: &Picture) -> String {
    let cards: Vec<_> = picture.boxes.iter().map(Card::new).collect();
    let sizes: Vec<_> = cards.iter().map(|card| card.size).collect();
    let layout = Layout::new(&Sketch { sizes: &sizes, arrows: &picture.arrows });

    let mut legend = Legend { out: String::new(), width: 0.0 };
    for role in [Role::Leaf, Role::Constant, Role::Operation, Role::Backward, Role::Result, Role::Output, Role::Beyond]
    {
        if picture.boxes.iter().any(|item| item.role == role) {
            legend.entry(role);
        }
    }
    for note in &picture.notes {
        legend.note(note);
    }

    let title = if picture.title.is_some() { 34.0 } else { 0.0 };
    let title_width = picture.title.as_deref().map_or(0.0, |title| text_width(title) * 16.0 / FONT);
    let width = layout.size[0].max(legend.width).max(title_width) + 2.0 * MARGIN;
    let height = layout.size[1] + title + 3.0 * MARGIN + 20.0;
    let left = (width - layout.size[0]) / 2.0;

    let mut svg = String::new();
    let out = &mut svg;
    put(
        out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <style>\n{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0.5 0.5 L7.5 4 L0.5 7.5 Z\" fill=\"#94a3b8\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ),
    );
    if let Some(title) = &picture.title {
        put(
            out,
            format_args!(
                "<text x=\"{MARGIN}\" y=\"{:.1}\" style=\"font-size: 16px; font-weight: 700\">{}</text>\n",
                MARGIN + 12.0,
                escaped(title)
            ),
        );
    }
    put(out, format_args!("<g transform=\"translate({left:.1} {:.1})\">\n", MARGIN + title));
    for path in &layout.paths {
        arrow(out, path);
    }
    for (card, middle) in cards.iter().zip(&layout.middles) {
        card.write(out, *middle);
    }
    put(
        out,
        format_args!(
            "</g>\n<g transform=\"translate({MARGIN} {:.1})\">\n{}</g>\n</svg>\n",
            height - MARGIN - 14.0,
            legend.out
        ),
    );
    svg
}

/// A line, then curves and lines in turn.
fn arrow(out: &mut String, path: &[[f64; 2]]) {
    put(out, format_args!("<path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{:.1} {:.1}", path[0][0], path[0][1]));
    for (i, pair) in path.windows(2).enumerate() {
        let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
        if i % 2 == 0 {
            put(out, format_args!(" H{x1:.1}"));
        } else {
            let half = (x0 + x1) / 2.0;
            put(out, format_args!(" C{half:.1} {y0:.1} {half:.1} {y1:.1} {x1:.1} {y1:.1}"));
        }
    }
    out.push_str("\"/>\n");
}

impl Card<'_> {
    fn write(&self, out: &mut String, [x, y]: [f64; 2]) {
        let Card { item, size: [width, height] } = *self;
        let (left, top) = (x - width / 2.0, y - height / 2.0);
        put(out, format_args!("<g class=\"{}\" transform=\"translate({left:.1} {top:.1})\">", look(item.role).0));
        if !item.hover.is_empty() {
            put(out, format_args!("<title>{}</title>", escaped(&item.hover)));
        }
        put(
            out,
            format_args!("<rect class=\"box\" width=\"{width:.1}\" height=\"{height:.1}\"{}/>", corners(item.role)),
        );
        if item.role.is_operation() || item.role == Role::Beyond {
            text(out, &item.name, [width / 2.0, height / 2.0 + 4.5], "text-anchor=\"middle\"");
            out.push_str("</g>\n");
            return;
        }
        let right = width - PADDING;
        let mut top = self.header();
        if top > 0.0 {
            let base = top / 2.0 + 4.5;
            if item.name.is_empty() {
                text(out, shape(item), [width / 2.0, base], "class=\"shape\" text-anchor=\"middle\"");
            } else {
                text(out, &item.name, [PADDING, base], "class=\"name\"");
                text(out, shape(item), [right, base], "class=\"shape\" text-anchor=\"end\"");
            }
        }
        for (word, rows) in [("data", &item.data), ("grad", &item.grad)] {
            if rows.is_empty() {
                continue;
            }
            if top > 0.0 {
                put(out, format_args!("<path class=\"rule\" d=\"M0 {top:.1} H{width:.1}\"/>"));
            }
            let mut base = top + 4.0 + LINE / 2.0 + 4.5;
            text(out, word, [PADDING, base], "class=\"word\"");
            for row in rows {
                text(out, row, [right, base], &format!("class=\"{word}\" text-anchor=\"end\" xml:space=\"preserve\""));
                base += LINE;
            }
            top += section(rows);
        }
        out.push_str("</g>\n");
    }
}

/// What tells the boxes apart, and what there is to say about the whole.
struct Legend {
    out: String,
    width: f64,
}

impl Legend {
    fn entry(&mut self, role: Role) {
        let (class, name) = look(role);
        let x = self.width;
        put(
            &mut self.out,
            format_args!(
                "<g class=\"{class}\"><rect class=\"box\" x=\"{x:.1}\" width=\"22\" height=\"14\"{}/></g>",
                corners(role)
            ),
        );
        self.width += 28.0;
        self.note(name);
    }

    fn note(&mut self, note: &str) {
        text(&mut self.out, note, [self.width, 11.0], "class=\"note\"");
        self.width += text_width(note) * 11.0 / FONT + 20.0;
        self.out.push('\n');
    }
}

fn corners(role: Role) -> &'static str {
    if role.is_operation() { " rx=\"15\"" } else { " rx=\"7\"" }
}

fn text(out: &mut String, text: &str, [x, y]: [f64; 2], attributes: &str) {
    if !text.is_empty() {
        put(out, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{}</text>", escaped(text)));
    }
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a String takes everything");
}

/// With the characters that mean something in XML written so that they do not.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Not even escaped ones are allowed.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
