//! What an error says, it says once: its message has the cause, so a report of the whole chain must not find it again.
//! And a mistake is its caller's, whose line a panic names.

use crate::panics::message_at_callers_line;
use autograd::Rng;
use nn::checkpoint::Checkpoint;
use nn::data::read_mnist;
use nn::text::{Format, WordVectors, read_texts};
use nn::{Conv1d, Conv2d, ConvTranspose2d};
use std::error::Error;
use std::path::Path;

/// All that a report of the whole chain prints.
fn report(error: &dyn Error) -> String {
    let mut report = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        report += &format!(": {error}");
        next = error.source();
    }
    report
}

#[test]
fn a_file_that_is_not_there_is_so_once() {
    let path = Path::new("no/such/place");
    let system = std::fs::read(path).unwrap_err().to_string();
    let errors: [Box<dyn Error>; 4] = [
        Box::new(Checkpoint::read(path).err().unwrap()),
        Box::new(read_mnist(path).err().unwrap()),
        Box::new(read_texts(path).err().unwrap()),
        Box::new(WordVectors::read(path, Format::Text).err().unwrap()),
    ];
    for error in errors {
        let report = report(&*error);
        assert_eq!(report.matches(&system).count(), 1, "{report}");
        assert!(report.starts_with("no/such/place"), "{report}");
    }
}

#[test]
fn what_does_not_fit_a_module_is_listed_once() {
    use autograd::Rng;
    let mut rng = Rng::seeded(0);
    let mut checkpoint = Checkpoint::new();
    checkpoint.put_module("a", &nn::Linear::new(2, 1, &mut rng));
    let error = checkpoint.module("a", &nn::Linear::new(3, 1, &mut rng)).unwrap_err();
    assert_eq!(report(&error).matches("weight").count(), 1, "{}", report(&error));
}

#[test]
fn a_kernel_of_0_is_the_callers_mistake() {
    let mut rng = Rng::seeded(0);
    let messages = [
        message_at_callers_line(|| drop(Conv1d::new(3, 8, 0, &mut rng))),
        message_at_callers_line(|| drop(Conv2d::new(3, 8, [3, 0], &mut rng))),
        message_at_callers_line(|| drop(ConvTranspose2d::new(3, 8, 0, &mut rng))),
    ];
    for (message, kernel) in messages.iter().zip([
        "Conv1d: a kernel of [0]",
        "Conv2d: a kernel of [3, 0]",
        "ConvTranspose2d: a kernel of [0, 0]",
    ]) {
        assert!(message.starts_with(kernel), "{message}");
    }
}
