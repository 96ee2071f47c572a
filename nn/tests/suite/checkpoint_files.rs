//! Files that lie: whatever bytes stand in a checkpoint, reading it gives a checkpoint or an error.

use autograd::Rng;
use nn::checkpoint::{Checkpoint, CheckpointError, save_module};
use nn::{Linear, Module};
use proptest::prelude::*;
use std::path::PathBuf;

/// The bytes of a good file.
fn good() -> Vec<u8> {
    let path = scratch("good");
    save_module(&Linear::new(3, 2, &mut Rng::seeded(1)), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("chainrule-lies-{name}-{}-{:?}", std::process::id(), std::thread::current().id()))
}

/// What reading these bytes gives.
fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let path = scratch("file");
    std::fs::write(&path, bytes).unwrap();
    let read = Checkpoint::read(&path);
    std::fs::remove_file(path).unwrap();
    read
}

#[test]
fn every_truncation_is_an_error_that_names_the_file() {
    let bytes = good();
    for len in 0..bytes.len() {
        let error =
            read(&bytes[..len]).err().unwrap_or_else(|| panic!("{len} of {} bytes were taken for whole", bytes.len()));
        assert!(error.to_string().contains("chainrule-lies-file"), "{error}");
    }
}

/// A file of this header, with so many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

/// Each file is refused with these words, after its own name.
#[track_caller]
fn refused(bytes: &[u8], words: &str) {
    let error = read(bytes).err().unwrap_or_else(|| panic!("taken for good; expected: {words}")).to_string();
    assert!(error.contains("chainrule-lies-file"), "{error}");
    assert!(error.ends_with(words), "{error}\nexpected: {words}");
}

/// A lie, and the words that name it.
#[test]
fn every_lie_is_named() {
    let entry = |fields: &str, data: usize| file(&format!(r#"{{"a":{{{fields}}}}}"#), data);
    let pair = |a: &str, b: &str, data: usize| {
        let entry = |offsets: &str| format!(r#"{{"dtype":"F32","shape":[2],"data_offsets":{offsets}}}"#);
        file(&format!(r#"{{"a":{},"b":{}}}"#, entry(a), entry(b)), data)
    };

    // The length of the header.
    refused(&[1, 2, 3], "3 bytes, where the length of the header takes 8");
    let mut huge = file("{}", 100);
    huge[..8].fill(0xff);
    refused(&huge, "its first 8 bytes say that a header of 18446744073709551615 bytes follows; 102 do");
    let mut short = file("{}", 0);
    short[0] = 3;
    refused(&short, "its first 8 bytes say that a header of 3 bytes follows; 2 do");

    // The header's text.
    let mut bad = file(r#"{"a":1}"#, 0);
    bad[8 + 2] = 0xff;
    refused(&bad, "the header, at byte 2: no UTF-8");
    refused(&file(r#"{"a":"#, 0), "the header: EOF while parsing a value at line 1 column 5");
    refused(&file("[]", 0), "the header is []; expected entries by their names");
    refused(&file(r#"{"a":1}"#, 0), r#"entry "a": is 1; expected dtype, shape and data_offsets"#);
    refused(&entry(r#""dtype":"F32","shape":[2]"#, 8), r#"entry "a": has no data_offsets"#);
    refused(&file(r#"{"__metadata__":{"k":1}}"#, 0), r#"__metadata__: "k" is 1; expected a text"#);
    let nested = file(&"[".repeat(100_000), 0);
    assert!(read(&nested).err().unwrap().to_string().contains("the header: recursion limit exceeded"));

    // A name that stands twice, with the same data or other data.
    let one = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    refused(&file(&format!("{{{one},{one}}}"), 8), r#"the name "a" stands there twice at line 1 column 107"#);
    let fields = r#""dtype":"F32","shape":[2],"shape":[3],"data_offsets":[0,8]"#;
    refused(&entry(fields, 8), r#"the name "shape" stands there twice at line 1 column 43"#);

    // Types and shapes.
    let fields = r#""dtype":"I32","shape":[1],"data_offsets":[0,4]"#;
    refused(&entry(fields, 4), r#"entry "a": I32 of shape [1]; expected F32, or F64 or I64 without axes"#);
    let fields = r#""dtype":"F64","shape":[1],"data_offsets":[0,8]"#;
    refused(&entry(fields, 8), r#"entry "a": F64 of shape [1]; expected F32, or F64 or I64 without axes"#);
    let fields = r#""dtype":32,"shape":[1],"data_offsets":[0,4]"#;
    refused(&entry(fields, 4), r#"entry "a": dtype 32; expected F32, or F64 or I64 without axes"#);
    let fields = r#""dtype":"F32","shape":[-1,2],"data_offsets":[0,8]"#;
    refused(&entry(fields, 8), r#"entry "a": shape [-1, 2]; expected a list of sizes, none negative"#);
    let fields = r#""dtype":"F32","shape":[1.5],"data_offsets":[0,8]"#;
    refused(&entry(fields, 8), r#"entry "a": shape [1.5]; expected a list of sizes, none negative"#);
    // 2⁶² · 4 · 4 bytes would be none, counted in 64 bits; and an empty axis hides no other.
    for shape in ["[4611686018427387904,4]", "[0,4611686018427387904]", "[4611686018427387904,0]"] {
        let fields = format!(r#""dtype":"F32","shape":{shape},"data_offsets":[0,0]"#);
        let shape = shape.replace(',', ", ");
        let words = format!("F32 of shape {shape}: more bytes than can be counted; 0 follow the header");
        refused(&entry(&fields, 0), &words);
    }
    let fields = r#""dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]"#;
    refused(&entry(fields, 4), r#"entry "a": 9 axes; expected 8 at most"#);

    // Offsets.
    let part = "expected a part of the 8 bytes that follow the header";
    for offsets in ["[8, 0]", "[8, 16]", "[0, 9]"] {
        let fields = format!(r#""dtype":"F32","shape":[2],"data_offsets":{offsets}"#);
        refused(&entry(&fields, 8), &format!(r#"entry "a": data_offsets {offsets}; {part}"#));
    }
    for offsets in ["[0]", "[-8, 0]", "[0, 8, 8]"] {
        let fields = format!(r#""dtype":"F32","shape":[2],"data_offsets":{offsets}"#);
        refused(&entry(&fields, 8), &format!(r#"entry "a": data_offsets {offsets}; expected [begin, end]"#));
    }
    let fields = r#""dtype":"F32","shape":[2,2],"data_offsets":[0,8]"#;
    refused(&entry(fields, 8), r#"entry "a": data_offsets [0, 8] are 8 bytes; F32 of shape [2, 2] has 16"#);
    refused(&pair("[0,8]", "[4,12]", 12), r#"entries "a" and "b" share bytes 4..8 of the data"#);
    refused(&pair("[0,8]", "[0,8]", 8), r#"entries "a" and "b" share bytes 0..8 of the data"#);
    refused(&pair("[12,20]", "[0,8]", 20), r#"bytes 8..12 of the data, before entry "a", belong to none"#);
    refused(&pair("[0,8]", "[8,16]", 17), "bytes 16..17 of the data, the last ones, belong to no entry");

    // And no lie at all, whatever the order, with an entry that has no elements.
    assert!(read(&pair("[8,16]", "[0,8]", 16)).is_ok());
    assert!(read(&entry(r#""dtype":"F32","shape":[2,0],"data_offsets":[0,0]"#, 0)).is_ok());
    assert!(read(&file("{}", 0)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any few bytes of a good file replaced by any others: no panic, and what is read can be offered to a
    /// module, which takes all of it or nothing.
    #[test]
    fn mutated_files_are_read_or_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = good();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(checkpoint) = read(&bytes) {
            let model = Linear::new(3, 2, &mut Rng::seeded(2));
            let before: Vec<_> = model.state().iter().flat_map(|(_, value)| value.to_vec()).map(f32::to_bits).collect();
            if checkpoint.module("", &model).is_err() {
                let after: Vec<_> = model.state().iter().flat_map(|(_, value)| value.to_vec()).map(f32::to_bits).collect();
                prop_assert_eq!(before, after);
            }
        }
    }
}
