//! Who is compared, where they are, and how they are run.
//!
//! Every program takes `[--seconds=S] NAME ...` and prints a line `NAME median_ms min_ms` for each workload that it
//! has.

use crate::times::Turn;
use anyhow::{Context, Result, ensure};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Another library.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Peer {
    /// PyTorch
    Torch,
    /// JAX, compiled by XLA
    Jax,
    /// candle
    Candle,
    /// Burn, with its backend in Rust for processors, Flex
    Burn,
}

/// A command that times workloads.
pub struct Program {
    /// What to call it, with its version.
    pub name: String,
    command: Vec<OsString>,
}

/// How each program is run.
#[derive(Clone, Copy)]
pub struct Setting {
    pub threads: usize,
    pub seconds: f64,
}

impl Peer {
    /// The program of this library, if what it needs is here.
    pub fn find(self, python: &Path) -> Result<Program> {
        match self {
            Peer::Torch => script(python, "PyTorch", "torch", "torch_steps.py"),
            Peer::Jax => script(python, "JAX", "jax", "jax_steps.py"),
            Peer::Candle => package("candle", "candle-core", "candle"),
            Peer::Burn => package("Burn", "burn", "burn"),
        }
    }
}

impl Program {
    /// This library. It is built first, so that nobody's turn waits for the compiler.
    pub fn ours() -> Result<Program> {
        let root = here().join("../..");
        let bench = [
            cargo(),
            "bench".into(),
            "--manifest-path".into(),
            root.join("Cargo.toml").into(),
            "--package".into(),
            "chainrule-benches".into(),
            "--bench".into(),
            "steps".into(),
        ];
        let [cargo, arguments @ ..] = &bench;
        println!("Building this library for speed, which takes a minute or two the first time …");
        let status = Command::new(cargo).args(arguments).arg("--no-run").status().context("cannot run cargo")?;
        ensure!(status.success(), "this library cannot be built");
        let command = [&bench[..], &["--quiet".into(), "--".into()]].concat();
        Ok(Program { name: "chainrule".to_string(), command })
    }

    /// Times a workload; `None`, if the program does not have it.
    pub fn run(&self, workload: &str, setting: Setting) -> Result<Option<Turn>> {
        let threads = setting.threads.to_string();
        let [program, arguments @ ..] = &self.command[..] else { unreachable!("a command has a program") };
        let output = Command::new(program)
            .args(arguments)
            .arg(format!("--seconds={}", setting.seconds))
            .arg(workload)
            // Rust's thread pools, and so candle's and Burn's, read the first, PyTorch the two of OpenMP and MKL, and
            // JAX the last.
            .envs(["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"].map(|name| (name, &threads)))
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.name))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} failed at {workload}:\n{errors}", self.name);
        Turn::parse(&String::from_utf8_lossy(&output.stdout), workload)
            .with_context(|| format!("what {} printed for {workload} cannot be read", self.name))
    }
}

/// A script beside this package, for a Python that has a certain module.
fn script(python: &Path, library: &str, module: &str, file: &str) -> Result<Program> {
    let version = answer(python, &["-c".as_ref(), format!("import {module}; print({module}.__version__)").as_ref()])
        .with_context(|| format!("{} has no module {module} (pip install {module}; --python)", python.display()))?;
    Ok(Program { name: format!("{library} {version}"), command: vec![python.into(), here().join(file).into()] })
}

/// A package in a folder beside this one, once somebody has built it.
fn package(library: &str, dependency: &str, folder: &str) -> Result<Program> {
    let folder = here().join(folder);
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let version =
        version_in(&text, dependency).with_context(|| format!("{}: no version of {dependency}", manifest.display()))?;
    let command = built(&folder, std::env::var_os("CARGO_TARGET_DIR"))?;
    Ok(Program { name: format!("{library} {version}"), command: vec![command.into()] })
}

/// The version that a Cargo.toml pins: `name = "=1.2.3"`, or in a table.
fn version_in<'a>(manifest: &'a str, dependency: &str) -> Option<&'a str> {
    let is_named = |line: &&str| line.split('=').next().is_some_and(|name| name.trim() == dependency);
    let (_, version) = manifest.lines().find(is_named)?.split_once("\"=")?;
    version.split('"').next()
}

/// The program that `cargo build --release` makes of a package, in the folder that cargo is told to use or in the
/// package's own.
fn built(package: &Path, target: Option<OsString>) -> Result<PathBuf> {
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    let file = format!("release/chainrule-compare-{name}{}", std::env::consts::EXE_SUFFIX);
    let targets = target.map(PathBuf::from).into_iter().chain([package.join("target")]);
    targets.map(|target| target.join(&file)).find(|path| path.is_file()).with_context(|| {
        let manifest = package.join("Cargo.toml");
        format!("it is not built (cargo build --release --manifest-path {})", manifest.display())
    })
}

/// What a command prints.
fn answer(program: &Path, arguments: &[&OsStr]) -> Result<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", errors.lines().last().unwrap_or("it failed"));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The folder of this package.
fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The cargo that runs this, or else the one on the path.
fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said() {
        for (peer, module) in [(Peer::Torch, "torch"), (Peer::Jax, "jax")] {
            let error = peer.find(Path::new("/no/such/python")).err().expect("there is none");
            let (words, expected) = (
                format!("{error:#}"),
                format!("/no/such/python has no module {module} (pip install {module}; --python)"),
            );
            assert!(words.starts_with(&expected), "{words}");
        }
        let error = built(Path::new("/no/such/candle"), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it is not built (cargo build --release --manifest-path /no/such/candle/Cargo.toml)"
        );
    }

    #[test]
    fn a_package_is_found_where_cargo_built_it() {
        let root = std::env::temp_dir().join(format!("chainrule-compare-{}", std::process::id()));
        let (package, elsewhere) = (root.join("candle"), root.join("elsewhere"));
        let file = format!("release/chainrule-compare-candle{}", std::env::consts::EXE_SUFFIX);
        let build = |target: &Path| {
            std::fs::create_dir_all(target.join("release")).unwrap();
            std::fs::write(target.join(&file), "").unwrap();
        };
        build(&package.join("target"));
        let (own, named) = (package.join("target").join(&file), elsewhere.join(&file));
        assert_eq!(built(&package, None).unwrap(), own);
        assert_eq!(built(&package, Some(elsewhere.clone().into())).unwrap(), own);
        build(&elsewhere);
        assert_eq!(built(&package, Some(elsewhere.into())).unwrap(), named);
        assert_eq!(built(&package, None).unwrap(), own);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn each_package_pins_its_library() {
        assert_eq!(version_in("burn-nn = \"=0.1.0\"\nburn = { version = \"=0.2.0\" }\n", "burn"), Some("0.2.0"));
        assert_eq!(version_in("burn = \"1\"\n", "burn"), None);
        for (folder, dependency) in [("candle", "candle-core"), ("burn", "burn")] {
            let text = std::fs::read_to_string(here().join(folder).join("Cargo.toml")).unwrap();
            assert_eq!(
                version_in(&text, dependency).map(|version| version.split('.').count()),
                Some(3),
                "{dependency}"
            );
            // Where `built` looks for the program, and what keeps it out of the project's workspace.
            assert!(text.contains(&format!("\nname = \"chainrule-compare-{folder}\"\n")), "{folder}");
            assert!(text.contains("\n[workspace]\n"), "{folder}");
        }
    }
}
