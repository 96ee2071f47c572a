//! What to do when nobody reads on: `... | head -1` closes the pipe that the rest would go through, and then `println!`
//! panics.

use std::panic;

/// From here on a closed pipe ends the program, quietly and without an error: whoever closed it has all that was
/// wanted. Rust's programs are not told of it by a signal, as those in C are, and to ask for that takes `unsafe`.
pub fn end_quietly_when_closed() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<String>().is_some_and(|message| is_closed_pipe(message)) {
            std::process::exit(0);
        }
        report(panic);
    }));
}

/// Whether this is what `println!` says, or `eprintln!`, of a pipe that was closed: by Unix's number or Windows's.
fn is_closed_pipe(message: &str) -> bool {
    message.starts_with("failed printing to std")
        && ["(os error 32)", "(os error 109)", "(os error 232)"].iter().any(|number| message.ends_with(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        assert!(is_closed_pipe("failed printing to stdout: Broken pipe (os error 32)"));
        assert!(!is_closed_pipe("failed printing to stdout: No space left on device (os error 28)"));
        assert!(!is_closed_pipe("the file says: Broken pipe (os error 32)"));
    }

    /// What the standard library says may change; this is what it says now.
    #[cfg(unix)]
    #[test]
    fn the_systems_number_is_the_one_that_is_looked_for() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        drop(reader);
        let error = std::io::Write::write_all(&mut writer, b"x").unwrap_err();
        assert!(is_closed_pipe(&format!("failed printing to stdout: {error}")), "{error}");
    }
}
