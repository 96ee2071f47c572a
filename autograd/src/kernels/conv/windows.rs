//! A matrix of windows as an operand of a product, which packs itself from where the pixels are.

use crate::kernels::element::Float;
use crate::kernels::gemm::{PackSource, Panel, WIDEST_PANEL};
use crate::kernels::simd::{Loop, vectorised};
use std::ops::Range;

/// A matrix with a row for each tap and a column for each window, whose element (t, w) is at
/// `taps[t] + the place of w`. Windows come in runs of neighbours, of which it is said where they begin.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a, T> {
    pub data: &'a [T],
    pub taps: &'a [usize],
    /// Where each run begins.
    pub starts: &'a [usize],
    /// Windows of a run.
    pub run: usize,
}

impl<T> Windows<'_, T> {
    /// The runs of neighbours among `windows`: the number of the first, where it is, how many there are.
    #[inline(always)]
    fn for_each_run(&self, windows: Range<usize>, mut f: impl FnMut(usize, usize, usize)) {
        let mut window = windows.start;
        while window < windows.end {
            let (run, within) = (window / self.run, window % self.run);
            let len = (self.run - within).min(windows.end - window);
            f(window, self.starts[run] + within, len);
            window += len;
        }
    }
}

/// As B of a product: windows are lanes, and what is summed over are taps.
impl<T: Float> PackSource<T> for Windows<'_, T> {
    fn lanes(&self) -> usize {
        self.starts.len() * self.run
    }

    fn depth(&self) -> usize {
        self.taps.len()
    }

    fn pack(&self, panel: Panel<'_, T>) {
        let Panel { depth, lanes, width, out, .. } = panel;
        let mut runs = [Run::default(); WIDEST_PANEL];
        let mut count = 0;
        self.for_each_run(lanes.clone(), |window, start, len| {
            runs[count] = Run { lane: window - lanes.start, start, len };
            count += 1;
        });
        let (taps, runs) = (&self.taps[depth], &runs[..count]);
        let longest = runs.iter().map(|run| run.len).max().unwrap_or(0);
        let copy = Copying { data: self.data, taps, runs, width, out };
        // Any copy of a known length is a few instructions.
        match longest {
            0..=4 => vectorised(Whole::<'_, T, 4>(copy)),
            5..=8 => vectorised(Whole::<'_, T, 8>(copy)),
            9..=16 => vectorised(Whole::<'_, T, 16>(copy)),
            17..=32 => vectorised(Whole::<'_, T, 32>(copy)),
            _ => vectorised(Whole::<'_, T, WIDEST_PANEL>(copy)),
        }
    }
}

/// Windows that are neighbours, from a lane of the panel on.
#[derive(Clone, Copy, Default)]
struct Run {
    lane: usize,
    start: usize,
    len: usize,
}

/// What a panel is filled from.
struct Copying<'a, T> {
    data: &'a [T],
    taps: &'a [usize],
    runs: &'a [Run],
    /// Lanes of the panel.
    width: usize,
    out: &'a mut [T],
}

impl<T: Float> Copying<'_, T> {
    /// Copies each run of tap `i`, and nothing but it.
    #[inline(always)]
    fn exactly(&mut self, i: usize) {
        for &Run { lane, start, len } in self.runs {
            let from = self.taps[i] + start;
            self.out[i * self.width + lane..][..len].copy_from_slice(&self.data[from..from + len]);
        }
    }
}

/// A copy of runs that have no more than `N` windows.
struct Whole<'a, T, const N: usize>(Copying<'a, T>);

impl<T: Float, const N: usize> Loop for Whole<'_, T, N> {
    type Out = ();

    // ANCHOR: copy
    /// Copies `N` elements for every run, however short it is: what is too much lands where the next run goes, or the
    /// next tap, which are written later. Only where that would reach beyond the end is a run copied as it is.
    #[inline(always)]
    fn run(self) {
        let Whole(mut copy) = self;
        for i in 0..copy.taps.len() {
            for &Run { lane, start, .. } in copy.runs {
                let (from, to) = (copy.taps[i] + start, i * copy.width + lane);
                let from = copy.data.get(from..).and_then(|from| from.first_chunk::<N>());
                let to = copy.out.get_mut(to..).and_then(|to| to.first_chunk_mut::<N>());
                let (Some(from), Some(to)) = (from, to) else {
                    copy.exactly(i);
                    break;
                };
                *to = *from;
            }
        }
    }
    // ANCHOR_END: copy
}
