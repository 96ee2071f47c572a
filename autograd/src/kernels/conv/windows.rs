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
        let mut copy = Copying { data: self.data, taps, runs, out };
        match width {
            // Any copy of a known length is a few instructions.
            4 => vectorised(Wide::<'_, T, 4>(copy)),
            8 => vectorised(Wide::<'_, T, 8>(copy)),
            12 => vectorised(Wide::<'_, T, 12>(copy)),
            16 => vectorised(Wide::<'_, T, 16>(copy)),
            24 => vectorised(Wide::<'_, T, 24>(copy)),
            48 => vectorised(Wide::<'_, T, 48>(copy)),
            _ => copy.as_they_are(width, 0..taps.len()),
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
    out: &'a mut [T],
}

impl<T: Float> Copying<'_, T> {
    /// Copies each run of each of these taps, and nothing but it.
    #[inline(always)]
    fn as_they_are(&mut self, width: usize, taps: Range<usize>) {
        for i in taps {
            for &Run { lane, start, len } in self.runs {
                let from = self.taps[i] + start;
                self.out[i * width + lane..][..len].copy_from_slice(&self.data[from..from + len]);
            }
        }
    }
}

/// A copy into panels of `W` lanes.
struct Wide<'a, T, const W: usize>(Copying<'a, T>);

impl<T: Float, const W: usize> Loop for Wide<'_, T, W> {
    type Out = ();

    // ANCHOR: copy
    /// Copies `W` elements for every run, however short it is: what is too much lands where the next run goes, or the
    /// next tap, which are written later. Only where that would reach beyond the end is a run copied as it is.
    #[inline(always)]
    fn run(self) {
        let Wide(mut copy) = self;
        for i in 0..copy.taps.len() {
            for &Run { lane, start, .. } in copy.runs {
                let (from, to) = (copy.taps[i] + start, i * W + lane);
                let from = copy.data.get(from..).and_then(|from| from.first_chunk::<W>());
                let to = copy.out.get_mut(to..).and_then(|to| to.first_chunk_mut::<W>());
                let (Some(from), Some(to)) = (from, to) else {
                    copy.as_they_are(W, i..i + 1);
                    break;
                };
                *to = *from;
            }
        }
    }
    // ANCHOR_END: copy
}
