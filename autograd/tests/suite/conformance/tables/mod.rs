//! A line for each operation: the name under which `tests/fixtures/make_ops.py` has it, and how it is written
//! here. `x[0]` is the first input, where it is of floats; `x.i(0)` is one of integers, `x.b(0)` a mask.

mod convolutions;
mod elementwise;
mod images;
mod moving;
mod products;
mod reductions;

use crate::conformance::fixture::{Args, Outputs};

pub struct Entry {
    pub name: String,
    pub run: Box<dyn Fn(&Args) -> Outputs>,
}

fn op<O: Into<Outputs>>(name: impl Into<String>, run: impl Fn(&Args) -> O + 'static) -> Entry {
    Entry { name: name.into(), run: Box::new(move |x| run(x).into()) }
}

pub fn all() -> Vec<Entry> {
    let tables = [
        elementwise::table(),
        reductions::table(),
        moving::table(),
        products::table(),
        convolutions::table(),
        images::table(),
    ];
    tables.into_iter().flatten().collect()
}
