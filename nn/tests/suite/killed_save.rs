//! A save that is killed, or fails, half-way leaves the old file whole.
//!
//! The saving is done by a child process, which is this very test binary, told to run one "test" only.

#![cfg(unix)]

use autograd::Tensor;
use nn::Parameter;
use nn::checkpoint::{CheckpointError, load_module, save_module};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// 4 MiB, so that there is a middle to be killed in.
const COUNT: usize = 1 << 20;
const FOLDER: &str = "CHAINRULE_KILLED_SAVE";

/// A module whose values are all the same number.
fn filled(number: f32) -> Parameter {
    Parameter::new(Tensor::full([COUNT], number))
}

/// The number that the file holds all over.
fn number_in(path: &Path) -> f32 {
    let parameter = filled(-1.0);
    load_module(&parameter, path).unwrap_or_else(|error| panic!("the file is not whole: {error}"));
    let values = parameter.value().to_vec();
    assert!(values.iter().all(|&x| x == values[0]), "parts of two saves");
    values[0]
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("chainrule-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The files that a save which has not ended has left.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "part")).collect()
}

/// The command that runs one of the children below.
fn child(program: &str, before: &[&str], test: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(before).args([&format!("killed_save::{test}"), "--exact", "--nocapture"]).env(FOLDER, folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A child: saves one number after the other until it is killed. Without a parent it has nothing to do.
#[test]
fn child_that_saves_for_ever() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let path = Path::new(&folder).join("model.safetensors");
    for number in 1.. {
        save_module(&filled(number as f32), &path).unwrap();
    }
}

/// A child: saves once, and says in its exit code that the file could not be written.
#[test]
fn child_that_may_not_write_so_much() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let path = Path::new(&folder).join("model.safetensors");
    match save_module(&filled(2.0), &path) {
        Err(CheckpointError::Io { path: named, .. }) if named == path => std::process::exit(42),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_killed_save_leaves_the_old_file_whole() {
    let folder = folder("killed");
    let path = folder.join("model.safetensors");
    save_module(&filled(0.0), &path).unwrap();
    let this = std::env::current_exe().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut in_the_middle = 0;
    while in_the_middle < 5 {
        assert!(Instant::now() < deadline, "only {in_the_middle} kills came in the middle of a save");
        let mut child = child(this.to_str().unwrap(), &[], "child_that_saves_for_ever", &folder).spawn().unwrap();
        // As soon as it is writing.
        while parts(&folder).is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it was writing is still there, unless it had just ended and had been given its name.
        for part in parts(&folder) {
            in_the_middle += 1;
            std::fs::remove_file(part).unwrap();
        }
        number_in(&path);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The system stops the write after 1 MiB of 4, as a full disk would.
#[test]
fn a_save_that_fails_half_way_leaves_the_old_file_whole_and_nothing_else() {
    let folder = folder("full");
    let path = folder.join("model.safetensors");
    save_module(&filled(1.0), &path).unwrap();
    let this = std::env::current_exe().unwrap();
    // Blocks of 512 bytes in a POSIX shell, of 1024 in some: 1 or 2 MiB. Ignoring the signal makes the write fail.
    let limited = "trap '' XFSZ; ulimit -f 2048; exec \"$@\"";
    let before = ["-c", limited, "sh", this.to_str().unwrap()];
    let output = child("sh", &before, "child_that_may_not_write_so_much", &folder).output().unwrap();
    assert_eq!(output.status.code(), Some(42), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(number_in(&path), 1.0);
    assert_eq!(parts(&folder), [] as [PathBuf; 0]);
    std::fs::remove_dir_all(folder).unwrap();
}
