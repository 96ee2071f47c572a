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

#[test]
fn a_file_that_is_too_long_is_an_error() {
    let mut bytes = good();
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(CheckpointError::Malformed { .. })));
}

#[test]
fn a_header_that_promises_memory_beyond_the_file_is_an_error() {
    let header = br#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[0; 16]);
    assert!(matches!(read(&bytes), Err(CheckpointError::Malformed { .. })));
    let mut bytes = u64::MAX.to_le_bytes().to_vec();
    bytes.extend_from_slice(&[0; 100]);
    assert!(matches!(read(&bytes), Err(CheckpointError::Malformed { .. })));
}

#[test]
fn other_types_of_numbers_are_an_error_that_names_the_entry() {
    let header = br#"{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[0; 4]);
    let error = read(&bytes).err().expect("an error");
    assert!(error.to_string().contains(r#"entry "a": I32 of shape [1]; expected F32"#), "{error}");
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
