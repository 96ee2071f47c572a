//! Spans as a file for Perfetto: JSON in the trace event format of Chrome, whose times are in microseconds.

use super::{Phase, Profile, Span};
use std::fmt::Write;
use std::time::Instant;

pub(super) fn write(profile: &Profile) -> String {
    let began = profile.spans().iter().map(|span| span.start).min();
    let names = profile.threads.iter().map(|(thread, name)| thread_name(*thread, name));
    let spans = profile.spans().iter().map(|span| event(span, began.expect("there is a span")));
    let events: Vec<String> = names.chain(spans).collect();
    format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
}

/// One operation, as a complete event: `"ph":"X"`.
fn event(span: &Span, began: Instant) -> String {
    let micros = |time: std::time::Duration| time.as_nanos() as f64 / 1e3;
    let (name, category) = match span.phase {
        Phase::Forward => (span.name.to_string(), "forward"),
        Phase::Backward if span.inside => (span.name.to_string(), "backward"),
        Phase::Backward => (format!("{} (backward)", span.name), "backward"),
    };
    format!(
        "{{\"name\":{},\"cat\":\"{category}\",\"ph\":\"X\",\"ts\":{:.3},\"dur\":{:.3},\"pid\":{},\"tid\":{},\
         \"args\":{{\"shape\":{},\"bytes\":{},\"line\":{}}}}}",
        quoted(&name),
        micros(span.start - began),
        micros(span.time),
        std::process::id(),
        span.thread,
        quoted(&span.shape.to_string()),
        span.bytes,
        quoted(&span.line.to_string())
    )
}

fn thread_name(thread: u64, name: &str) -> String {
    let (pid, name) = (std::process::id(), quoted(name));
    format!("{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":{pid},\"tid\":{thread},\"args\":{{\"name\":{name}}}}}")
}

/// A string as JSON has it.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).expect("a string takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn any_text_can_be_read_back() {
        for text in ["", "tanh", r#"a "quoted" \ name"#, "two\nlines\tand\u{0}\u{1f}", "λ → ∞ 🙂", "C:\\x\\main.rs:3:1"]
        {
            let back: String = serde_json::from_str(&quoted(text)).unwrap();
            assert_eq!(back, text);
        }
    }
}
