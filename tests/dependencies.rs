//! The two libraries stay small to build: what they depend on is listed here, and nothing comes in unseen.

use std::collections::BTreeSet;
use std::process::Command;

/// Everything below `package`, with its version cut off.
fn dependencies(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_string());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "-p",
            package,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(str::to_string).collect()
}

#[test]
fn the_engine_needs_little() {
    let names = dependencies("chainrule-autograd");
    let everywhere = ["matrixmultiply", "rand", "rand_chacha", "rand_distr", "rayon"];
    for name in everywhere.into_iter().chain(cfg!(target_os = "linux").then_some("libc")) {
        assert!(names.contains(name), "{name} is no longer used: {names:?}");
    }
    assert!(names.len() <= 30, "the engine depends on {} crates: {names:?}", names.len());
    for heavy in ["serde", "clap", "image", "kuva", "tokio"] {
        assert!(!names.contains(heavy), "the engine depends on {heavy}");
    }
}

#[test]
fn the_layers_need_little_more() {
    let names = dependencies("chainrule-nn");
    let direct = ["flate2", "safetensors", "serde_json", "thiserror", "unicode-normalization", "unicode-segmentation"];
    for name in direct {
        assert!(names.contains(name), "{name} is no longer used: {names:?}");
    }
    assert!(names.len() <= 56, "the layers depend on {} crates: {names:?}", names.len());
    for heavy in ["clap", "image", "kuva", "tokio"] {
        assert!(!names.contains(heavy), "the layers depend on {heavy}");
    }
}
