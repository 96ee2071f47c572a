//! Where the boxes go, and the arrows between them: the four steps of Sugiyama, Tagawa and Toda (1981).
//!
//! 1. *Layers*, from left to right: a box stands one layer behind the last of those that lead to it. One
//!    that nothing leads to moves up to the first that it leads to.
//! 2. *Stops*: an arrow over several layers gets a stop in each of those between, a place of its own
//!    that no box covers. Arrows from one box share their stops.
//! 3. *Order* within each layer: every place moves to the mean position of its neighbours in the layer
//!    before, then of those in the layer behind, and so on; the order with the fewest crossings wins.
//! 4. *Heights*, after Brandes and Köpf (2001): each place joins a row with the median of its neighbours,
//!    so that arrows, long ones first of all, run straight; in four ways, from either side and from the
//!    top or the bottom, of which a mean is taken.

use std::collections::HashSet;

/// What is to be laid out. Arrows lead from smaller indices to larger ones.
pub(super) struct Sketch<'a> {
    /// Width and height of each box.
    pub sizes: &'a [[f64; 2]],
    /// From which box to which.
    pub arrows: &'a [[usize; 2]],
}

/// Where everything went.
pub(super) struct Layout {
    /// The middle of each box.
    pub middles: Vec<[f64; 2]>,
    /// For each arrow a start, then where curves and straight lines end, in turn, beginning with a line.
    pub paths: Vec<Vec<[f64; 2]>>,
    /// Width and height of the whole.
    pub size: [f64; 2],
}

/// The least space between boxes of a layer.
const GAP: f64 = 18.0;
/// The space that an arrow has for itself on the way past boxes.
const LANE: f64 = 10.0;
/// The least space between layers.
const ALLEY: f64 = 34.0;
/// Arrows into one box arrive so far apart, if there is room.
const PORT: f64 = 9.0;
/// Rounds of step 3; little changes after half as many.
const ROUNDS: usize = 24;

impl Layout {
    pub fn new(sketch: &Sketch<'_>) -> Layout {
        let mut places = Places::new(sketch);
        places.order();
        let heights = places.heights();
        places.assemble(sketch, &heights)
    }
}

/// Boxes and stops. The first places are the boxes.
struct Places {
    layer: Vec<usize>,
    height: Vec<f64>,
    /// The neighbours in the layer before and in the one behind.
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// The places of each layer, from top to bottom.
    layers: Vec<Vec<usize>>,
    /// For each box, its stops, from left to right.
    stops: Vec<Vec<usize>>,
}

impl Places {
    fn new(sketch: &Sketch<'_>) -> Places {
        let boxes = sketch.sizes.len();
        let layer = layers(boxes, sketch.arrows);
        let mut places = Places {
            height: sketch.sizes.iter().map(|size| size[1]).collect(),
            before: vec![Vec::new(); boxes],
            behind: vec![Vec::new(); boxes],
            layers: vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)],
            stops: vec![Vec::new(); boxes],
            layer,
        };
        for place in 0..boxes {
            places.layers[places.layer[place]].push(place);
        }
        for &[from, to] in sketch.arrows {
            let mut last = from;
            for layer in places.layer[from] + 1..places.layer[to] {
                last = places.stop(from, last, layer);
            }
            places.connect(last, to);
        }
        places
    }

    /// The stop of `from` in `layer`, made behind `last` if it is not there yet.
    fn stop(&mut self, from: usize, last: usize, layer: usize) -> usize {
        let number = layer - self.layer[from] - 1;
        if let Some(&stop) = self.stops[from].get(number) {
            return stop;
        }
        let stop = self.layer.len();
        self.layer.push(layer);
        self.height.push(LANE);
        self.before.push(Vec::new());
        self.behind.push(Vec::new());
        self.layers[layer].push(stop);
        self.stops[from].push(stop);
        self.connect(last, stop);
        stop
    }

    fn connect(&mut self, from: usize, to: usize) {
        self.behind[from].push(to);
        self.before[to].push(from);
    }

    fn is_stop(&self, place: usize) -> bool {
        place >= self.stops.len()
    }

    // ---- 3: order ----

    fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for round in 0..ROUNDS {
            if round % 2 == 0 {
                (1..self.layers.len()).for_each(|layer| self.sort(layer, true));
            } else {
                (0..self.layers.len().saturating_sub(1)).rev().for_each(|layer| self.sort(layer, false));
            }
            self.exchange();
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    /// The position of every place in its layer.
    fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.layer.len()];
        for layer in &self.layers {
            layer.iter().enumerate().for_each(|(position, &place)| positions[place] = position);
        }
        positions
    }

    /// Sorts a layer by the mean positions of its neighbours in the layer before, or behind.
    fn sort(&mut self, layer: usize, before: bool) {
        let positions = self.positions();
        let neighbours = if before { &self.before } else { &self.behind };
        let key = |place: usize| match &neighbours[place][..] {
            [] => positions[place] as f64,
            some => some.iter().map(|&other| positions[other] as f64).sum::<f64>() / some.len() as f64,
        };
        self.layers[layer].sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }

    /// Exchanges neighbours in a layer as long as that undoes crossings.
    fn exchange(&mut self) {
        let mut positions = self.positions();
        for layer in 0..self.layers.len() {
            let mut again = true;
            while again {
                again = false;
                for i in 1..self.layers[layer].len() {
                    let (upper, lower) = (self.layers[layer][i - 1], self.layers[layer][i]);
                    if self.crossings_of(lower, upper, &positions) < self.crossings_of(upper, lower, &positions) {
                        self.layers[layer].swap(i - 1, i);
                        positions.swap(upper, lower);
                        again = true;
                    }
                }
            }
        }
    }

    /// How often the arrows of two places cross if the first is above the second.
    fn crossings_of(&self, upper: usize, lower: usize, positions: &[usize]) -> usize {
        let count = |neighbours: &[Vec<usize>]| -> usize {
            let crossed = |a: usize| neighbours[lower].iter().filter(|&&b| positions[b] < positions[a]).count();
            neighbours[upper].iter().map(|&a| crossed(a)).sum()
        };
        count(&self.before) + count(&self.behind)
    }

    fn crossings(&self) -> usize {
        let positions = self.positions();
        let mut crossings = 0;
        for layer in &self.layers {
            for (i, &upper) in layer.iter().enumerate() {
                for &lower in &layer[i + 1..] {
                    let crossed =
                        |&a: &usize| self.behind[lower].iter().filter(|&&b| positions[b] < positions[a]).count();
                    crossings += self.behind[upper].iter().map(crossed).sum::<usize>();
                }
            }
        }
        crossings
    }

    // ---- 4: heights ----

    /// The height of the middle of each place.
    fn heights(&self) -> Vec<f64> {
        let crossed = self.crossed();
        let sides = [(true, true), (true, false), (false, true), (false, false)];
        let mut four = sides.map(|(from_left, from_top)| self.aligned(from_left, from_top, &crossed));
        // The four agree at the top or at the bottom, whichever they were aligned to, of the lowest one.
        let bounds = four.each_ref().map(|y| {
            let edge = |sign: f64| (0..y.len()).map(move |place| y[place] + sign * self.height[place] / 2.0);
            [edge(-1.0).fold(f64::INFINITY, f64::min), edge(1.0).fold(f64::NEG_INFINITY, f64::max)]
        });
        let [top, bottom] = bounds.into_iter().min_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0]))).expect("four");
        for (y, ([own_top, own_bottom], (_, from_top))) in four.iter_mut().zip(bounds.into_iter().zip(sides)) {
            let shift = if from_top { top - own_top } else { bottom - own_bottom };
            y.iter_mut().for_each(|y| *y += shift);
        }
        let mean = |place: usize| {
            let mut heights = four.each_ref().map(|y| y[place]);
            heights.sort_by(f64::total_cmp);
            (heights[1] + heights[2]) / 2.0
        };
        let y: Vec<f64> = (0..self.layer.len()).map(mean).collect();
        let top = (0..y.len()).map(|place| y[place] - self.height[place] / 2.0).fold(f64::INFINITY, f64::min);
        y.iter().map(|y| y - top).collect()
    }

    /// How far the middles of two neighbours in a layer must be apart.
    fn distance(&self, a: usize, b: usize) -> f64 {
        let gap = if self.is_stop(a) && self.is_stop(b) { 4.0 } else { GAP };
        (self.height[a] + self.height[b]) / 2.0 + gap
    }

    /// The steps of arrows that cross a step between two stops, which has the right to be straight.
    fn crossed(&self) -> HashSet<[usize; 2]> {
        let positions = self.positions();
        let mut crossed = HashSet::new();
        for layer in &self.layers {
            let steps = || layer.iter().flat_map(|&from| self.behind[from].iter().map(move |&to| [from, to]));
            let straight = |[from, to]: [usize; 2]| self.is_stop(from) && self.is_stop(to);
            for [a, b] in steps().filter(|&step| straight(step)) {
                let crosses = |[from, to]: [usize; 2]| {
                    let sides =
                        [(positions[from], positions[a]), (positions[to], positions[b])].map(|(x, y)| x.cmp(&y));
                    sides[0] == sides[1].reverse() && sides[0].is_ne()
                };
                crossed.extend(steps().filter(|&step| !straight(step) && crosses(step)));
            }
        }
        crossed
    }

    /// One of the four alignments. Each place that can joins a row with the median of its neighbours on
    /// one side; then the rows are pushed together as far as their distances permit.
    fn aligned(&self, from_left: bool, from_top: bool, crossed: &HashSet<[usize; 2]>) -> Vec<f64> {
        let mut layers = self.layers.clone();
        if !from_left {
            layers.reverse();
        }
        if !from_top {
            layers.iter_mut().for_each(|layer| layer.reverse());
        }
        let mut position = vec![0; self.layer.len()];
        layers.iter().for_each(|layer| layer.iter().enumerate().for_each(|(at, &place)| position[place] = at));

        // A row is named by its first place.
        let mut row: Vec<usize> = (0..self.layer.len()).collect();
        for layer in &layers {
            // Rows do not cross: the next one must be below the last.
            let mut free = 0;
            for &place in layer {
                let mut neighbours = if from_left { self.before[place].clone() } else { self.behind[place].clone() };
                neighbours.sort_by_key(|&other| position[other]);
                let Some(last) = neighbours.len().checked_sub(1) else { continue };
                for median in [neighbours[last / 2], neighbours[last.div_ceil(2)]] {
                    let step = if from_left { [median, place] } else { [place, median] };
                    if row[place] == place && position[median] >= free && !crossed.contains(&step) {
                        row[place] = row[median];
                        free = position[median] + 1;
                    }
                }
            }
        }

        // The rows below each row, and how far.
        let mut below = vec![Vec::new(); self.layer.len()];
        let mut above = vec![0; self.layer.len()];
        for pair in layers.iter().flat_map(|layer| layer.windows(2)) {
            below[row[pair[0]]].push((row[pair[1]], self.distance(pair[0], pair[1])));
            above[row[pair[1]]] += 1;
        }
        let mut sorted: Vec<usize> = (0..row.len()).filter(|&place| row[place] == place && above[place] == 0).collect();
        let mut y = vec![0.0_f64; self.layer.len()];
        let mut next = 0;
        while let Some(&upper) = sorted.get(next) {
            for &(lower, distance) in &below[upper] {
                y[lower] = y[lower].max(y[upper] + distance);
                above[lower] -= 1;
                if above[lower] == 0 {
                    sorted.push(lower);
                }
            }
            next += 1;
        }
        // What has room below moves down to its neighbours.
        for &upper in sorted.iter().rev() {
            let room = below[upper].iter().map(|&(lower, distance)| y[lower] - distance).fold(f64::INFINITY, f64::min);
            if room.is_finite() {
                y[upper] = y[upper].max(room);
            }
        }
        let sign = if from_top { 1.0 } else { -1.0 };
        row.iter().map(|&row| sign * y[row]).collect()
    }

    // ---- the result ----

    fn assemble(&self, sketch: &Sketch<'_>, y: &[f64]) -> Layout {
        // Left and right bounds of each layer.
        let mut bounds: Vec<[f64; 2]> = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let boxes = layer.iter().filter(|&&place| !self.is_stop(place));
            let width = boxes.map(|&place| sketch.sizes[place][0]).fold(0.0, f64::max);
            let left = match number {
                0 => 0.0,
                _ => bounds[number - 1][1] + self.alley(number - 1, y),
            };
            bounds.push([left, left + width]);
        }
        let middle = |place: usize| bounds[self.layer[place]].iter().sum::<f64>() / 2.0;
        let middles: Vec<_> = (0..sketch.sizes.len()).map(|place| [middle(place), y[place]]).collect();
        let ports = self.ports(sketch, y);

        let path = |(&[from, to], port): (&[usize; 2], f64)| {
            let half = |place: usize| sketch.sizes[place][0] / 2.0;
            let mut path = vec![[middles[from][0] + half(from), y[from]], [bounds[self.layer[from]][1], y[from]]];
            for &stop in &self.stops[from][..self.layer[to] - self.layer[from] - 1] {
                path.extend(bounds[self.layer[stop]].map(|x| [x, y[stop]]));
            }
            let arrival = y[to] + port;
            path.extend([[bounds[self.layer[to]][0], arrival], [middles[to][0] - half(to), arrival]]);
            path
        };
        let paths = sketch.arrows.iter().zip(ports).map(path).collect();
        let bottom = (0..y.len()).map(|place| y[place] + self.height[place] / 2.0).fold(0.0, f64::max);
        Layout { middles, paths, size: [bounds.last().map_or(0.0, |last| last[1]), bottom] }
    }

    /// The space behind a layer: wider where arrows climb far, so that they do not climb steeply.
    fn alley(&self, layer: usize, y: &[f64]) -> f64 {
        let climb = |&from: &usize| self.behind[from].iter().map(|&to| (y[from] - y[to]).abs()).fold(0.0, f64::max);
        let highest = self.layers[layer].iter().map(climb).fold(0.0, f64::max);
        ALLEY + (highest / 6.0).min(80.0)
    }

    /// How far from the middle of its goal each arrow arrives: in the order in which they come from above.
    fn ports(&self, sketch: &Sketch<'_>, y: &[f64]) -> Vec<f64> {
        let mut arriving: Vec<Vec<(f64, usize)>> = vec![Vec::new(); sketch.sizes.len()];
        for (arrow, &[from, to]) in sketch.arrows.iter().enumerate() {
            let stops = self.layer[to] - self.layer[from] - 1;
            let last = if stops == 0 { from } else { self.stops[from][stops - 1] };
            arriving[to].push((y[last], arrow));
        }
        let mut ports = vec![0.0; sketch.arrows.len()];
        for (to, mut arrows) in arriving.into_iter().enumerate() {
            arrows.sort_by(|a, b| a.0.total_cmp(&b.0));
            let last = arrows.len().saturating_sub(1) as f64;
            let step = PORT.min((self.height[to] - 12.0) / last.max(1.0));
            for (i, (_, arrow)) in arrows.into_iter().enumerate() {
                ports[arrow] = (i as f64 - last / 2.0) * step;
            }
        }
        ports
    }
}

// ---- 1: layers ----

/// The layer of each box.
fn layers(boxes: usize, arrows: &[[usize; 2]]) -> Vec<usize> {
    let mut into = vec![Vec::new(); boxes];
    let mut out_of = vec![Vec::new(); boxes];
    for &[from, to] in arrows {
        assert!(from < to, "arrows lead from earlier boxes to later ones");
        into[to].push(from);
        out_of[from].push(to);
    }
    let mut layer = vec![0; boxes];
    for place in 0..boxes {
        layer[place] = into[place].iter().map(|&from| layer[from] + 1).max().unwrap_or(0);
    }
    for place in 0..boxes {
        if into[place].is_empty() {
            layer[place] = out_of[place].iter().map(|&to| layer[to] - 1).min().unwrap_or(0);
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// A random graph: mostly short arrows, some long ones, some doubled.
    fn random(boxes: usize, rng: &mut Rng) -> (Vec<[f64; 2]>, Vec<[usize; 2]>) {
        let sizes = (0..boxes).map(|_| [30.0 + 100.0 * rng.uniform(), 20.0 + 60.0 * rng.uniform()]).collect();
        let mut arrows = Vec::new();
        for to in 1..boxes {
            for _ in 0..rng.below(4) {
                let reach = if rng.below(5) == 0 { to } else { to.min(6) };
                arrows.push([to - 1 - rng.below(reach as u64) as usize, to]);
            }
        }
        (sizes, arrows)
    }

    /// Whether a horizontal line and a box have a point in common.
    fn meets([from, to]: [[f64; 2]; 2], [x, y]: [f64; 2], [width, height]: [f64; 2]) -> bool {
        (from[1] - y).abs() < height / 2.0 && from[0] < x + width / 2.0 - 1e-6 && to[0] > x - width / 2.0 + 1e-6
    }

    #[test]
    fn nothing_overlaps_and_arrows_go_right() {
        let mut rng = Rng::seeded(11);
        for boxes in [1, 2, 3, 10, 40, 120, 300] {
            let (sizes, arrows) = random(boxes, &mut rng);
            let Layout { middles, paths, size } = Layout::new(&Sketch { sizes: &sizes, arrows: &arrows });
            for a in 0..boxes {
                for axis in 0..2 {
                    let (low, high) =
                        (middles[a][axis] - sizes[a][axis] / 2.0, middles[a][axis] + sizes[a][axis] / 2.0);
                    assert!(low >= -1e-6 && high <= size[axis] + 1e-6, "box {a} of {boxes} is outside");
                }
                for b in 0..a {
                    let apart = |axis: usize| {
                        (middles[a][axis] - middles[b][axis]).abs() >= (sizes[a][axis] + sizes[b][axis]) / 2.0
                    };
                    assert!(apart(0) || apart(1), "boxes {a} and {b} of {boxes} overlap");
                }
            }
            for (path, &[from, to]) in paths.iter().zip(&arrows) {
                assert!(
                    path.windows(2).all(|pair| pair[0][0] <= pair[1][0] + 1e-6),
                    "an arrow from {from} to {to} turns back"
                );
                // Curves stay between two layers; the straight lines are what could run through a box.
                for line in path.chunks_exact(2) {
                    let through = (0..boxes).find(|&at| meets([line[0], line[1]], middles[at], sizes[at]));
                    assert_eq!(through, None, "the arrow from {from} to {to} runs through a box");
                }
            }
        }
    }

    #[test]
    fn crossings_that_can_be_avoided_are() {
        // Two chains side by side, given in an order in which their arrows would cross twice.
        let arrows = [[0, 3], [1, 2], [2, 5], [3, 4]];
        let Layout { middles, .. } = Layout::new(&Sketch { sizes: &[[40.0, 20.0]; 6], arrows: &arrows });
        assert_eq!(middles[0][1] < middles[1][1], middles[3][1] < middles[2][1]);
        assert_eq!(middles[3][1] < middles[2][1], middles[4][1] < middles[5][1]);
    }

    #[test]
    fn a_chain_is_straight_and_a_source_stands_next_to_its_use() {
        let arrows = [[0, 1], [1, 3], [2, 3], [3, 4]];
        let Layout { middles, .. } = Layout::new(&Sketch { sizes: &[[40.0, 20.0]; 5], arrows: &arrows });
        assert_eq!(middles[2][0], middles[1][0], "not in the first layer");
        assert!((middles[0][1] - middles[1][1]).abs() < 1.0 && (middles[3][1] - middles[4][1]).abs() < 1.0);
    }
}
