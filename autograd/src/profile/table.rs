//! From spans to a row for each operation.

use super::{Phase, Profile, Span};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How often an operation ran in one direction, and what that took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often.
    pub calls: usize,
    /// How long, without the operations inside of it that have rows of their own.
    pub time: Duration,
    /// The size of the tensors that were made.
    pub bytes: usize,
}

/// What became of one operation.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// From inputs to output.
    pub forward: Tally,
    /// From the gradient of the output to those of the inputs.
    pub backward: Tally,
}

impl Row {
    /// How long it took in both directions.
    pub fn time(&self) -> Duration {
        self.forward.time + self.backward.time
    }

    /// The size of the tensors that were made in both directions.
    pub fn bytes(&self) -> usize {
        self.forward.bytes + self.backward.bytes
    }
}

/// A [`Profile`] as a table; printed, it has columns that are aligned.
#[derive(Clone, Debug)]
pub struct Table {
    /// Operations, those that took longest first.
    pub rows: Vec<Row>,
    /// How long the profiled code ran.
    pub wall: Duration,
}

impl Table {
    pub(super) fn new(profile: &Profile) -> Table {
        let mut rows = BTreeMap::new();
        for (span, time) in self_times(profile.spans()) {
            let none = Row { name: span.name, forward: Tally::default(), backward: Tally::default() };
            let row = rows.entry(span.name).or_insert(none);
            let tally = match span.phase {
                Phase::Forward => &mut row.forward,
                Phase::Backward => &mut row.backward,
            };
            *tally = Tally { calls: tally.calls + 1, time: tally.time + time, bytes: tally.bytes + span.bytes };
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_by_key(|row| Reverse(row.time()));
        Table { rows, wall: profile.wall() }
    }

    /// How much of the time was in operations.
    pub fn in_operations(&self) -> Duration {
        self.rows.iter().map(Row::time).sum()
    }

    /// How much of the time was outside of all operations.
    pub fn outside(&self) -> Duration {
        self.wall.saturating_sub(self.in_operations())
    }
}

/// The spans that have a row, each with its time less that of those directly inside of it.
fn self_times(spans: &[Span]) -> Vec<(&Span, Duration)> {
    let mut spans: Vec<&Span> = spans.iter().filter(|span| !span.inside).collect();
    // An outer one before those inside of it, which follow until it ends.
    spans.sort_by_key(|span| (span.thread, span.start, Reverse(span.time)));
    let mut times: Vec<(&Span, Duration)> = Vec::with_capacity(spans.len());
    let mut open: Vec<usize> = Vec::new();
    for span in spans {
        let end = span.start + span.time;
        let holds = |outer: &Span| outer.thread == span.thread && outer.start + outer.time >= end;
        while open.last().is_some_and(|&outer| !holds(times[outer].0)) {
            open.pop();
        }
        if let Some(&outer) = open.last() {
            times[outer].1 = times[outer].1.saturating_sub(span.time);
        }
        open.push(times.len());
        times.push((span, span.time));
    }
    times
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outside = "outside of operations";
        let width = self.rows.iter().map(|row| row.name.chars().count()).fold(outside.len(), usize::max);
        let ms = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
        let mut line = |name: &str, columns: [String; 6]| {
            let [calls, forward, back_calls, backward, bytes, share] = columns;
            writeln!(f, "{name:width$} {calls:>8} {forward:>11} {back_calls:>9} {backward:>11} {bytes:>11} {share:>8}")
        };
        let share = |time: Duration| {
            let of = self.wall.as_secs_f64();
            format!("{:.1} %", if of > 0.0 { 100.0 * time.as_secs_f64() / of } else { 0.0 })
        };
        let both = |name: &str, forward: Tally, backward: Tally| {
            let columns = [
                forward.calls.to_string(),
                ms(forward.time),
                backward.calls.to_string(),
                ms(backward.time),
                format!("{:.3}", (forward.bytes + backward.bytes) as f64 / 1e6),
                share(forward.time + backward.time),
            ];
            (name.to_string(), columns)
        };
        let sum = |tally: fn(&Row) -> Tally| {
            self.rows.iter().map(tally).fold(Tally::default(), |a, b| Tally {
                calls: a.calls + b.calls,
                time: a.time + b.time,
                bytes: a.bytes + b.bytes,
            })
        };

        let mut lines: Vec<_> = self.rows.iter().map(|row| both(row.name, row.forward, row.backward)).collect();
        lines.push(both("all operations", sum(|row| row.forward), sum(|row| row.backward)));
        line("operation", ["forward", "ms", "backward", "ms", "MB made", "share"].map(String::from))?;
        for (name, columns) in lines {
            line(&name, columns)?;
        }
        let whole = |name: &str, time: Duration| {
            (name.to_string(), [String::new(), ms(time), String::new(), String::new(), String::new(), share(time)])
        };
        for (name, columns) in [whole(outside, self.outside()), whole("total", self.wall)] {
            line(&name, columns)?;
        }
        Ok(())
    }
}
