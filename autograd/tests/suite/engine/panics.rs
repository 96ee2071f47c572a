//! Looking at a panic: its message, and where it says that it happened.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// While a panic is expected here: what it was.
    static EXPECTED: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Panicked {
    message: String,
    file: String,
    line: u32,
}

/// Runs `f`, which must panic, and returns the message. The panic must say that it happened on the line
/// of this call, which is where the mistake stands.
#[track_caller]
pub fn message_at_callers_line(f: impl FnOnce()) -> String {
    let panicked = panic_of(f);
    let here = Location::caller();
    assert_eq!((panicked.file.as_str(), panicked.line), (here.file(), here.line()), "{}", panicked.message);
    panicked.message
}

/// Runs `f`, which must panic, and returns the message.
#[track_caller]
pub fn message(f: impl FnOnce()) -> String {
    panic_of(f).message
}

#[track_caller]
fn panic_of(f: impl FnOnce()) -> Panicked {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            let expected = EXPECTED.with_borrow_mut(|expected| {
                let Some(expected) = expected else { return false };
                let location = info.location().expect("panics have a place");
                expected.message = match info.payload().downcast_ref::<String>() {
                    Some(message) => message.clone(),
                    None => info.payload().downcast_ref::<&str>().expect("panics have a message").to_string(),
                };
                (expected.file, expected.line) = (location.file().to_string(), location.line());
                true
            });
            if !expected {
                others(info);
            }
        }));
    });
    EXPECTED.set(Some(Panicked::default()));
    let result = catch_unwind(AssertUnwindSafe(f));
    let panicked = EXPECTED.take().expect("set above");
    assert!(result.is_err(), "this should have panicked");
    panicked
}
