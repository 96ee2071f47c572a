//! What the examples share: where results go, how progress and pictures look; and the network that reads digits, with
//! its training, as it judges what the GANs paint.

pub mod books;
pub mod digits;
pub mod finite;
pub mod flags;
pub mod frechet;
pub mod history;
pub mod judge;
pub mod letters;
pub mod pca;
pub mod pipe;
pub mod profile;
pub mod reader;
pub mod resume;
pub mod sheet;
pub mod strips;

/// What [`progress`] gives.
pub use indicatif::ProgressBar;
/// Pictures with axes, for the benches, too. Those made of images are in [`sheet`] and [`strips`].
pub use plot;

use anyhow::{Context, Result};
use autograd::{Rng, Tensor};
use indicatif::ProgressStyle;
use std::fs;
use std::path::{Path, PathBuf};

/// How every example begins: with its flags, which end it if they are wrong, as a closed pipe does later.
pub fn begin<Flags: clap::Parser>() -> Flags {
    pipe::end_quietly_when_closed();
    flags::parse()
}

/// Flags that every example takes.
#[derive(clap::Args, Clone, Debug)]
pub struct Common {
    /// Seed of all random numbers
    #[arg(long, default_value_t = 42, global = true)]
    pub seed: u64,

    /// Those that examples with their own way with seeds take, too.
    #[command(flatten)]
    pub output: Output,
}

impl std::ops::Deref for Common {
    type Target = Output;
    fn deref(&self) -> &Output {
        &self.output
    }
}

/// The flags of an example that has its own way with seeds.
#[derive(clap::Args, Clone, Debug)]
pub struct Output {
    /// Where pictures and weights go [default: out/NAME]
    #[arg(long, global = true, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// A run of seconds that only shows that everything works; what other flags say goes before
    #[arg(long, global = true)]
    pub quick: bool,

    /// Measure the first training steps, operation by operation: a table, and profile.json for ui.perfetto.dev
    #[arg(long, global = true)]
    pub profile: bool,
}

impl Output {
    /// The output folder, made if need be.
    pub fn out_dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.out.clone().unwrap_or_else(|| Path::new("out").join(name));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make the output folder {}", dir.display()))?;
        Ok(dir)
    }
}

/// A progress bar over `steps`, with room for a message such as the loss.
pub fn progress(steps: usize, label: &str) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{prefix:>12} {bar:30} {pos}/{len}  {msg}  {elapsed} (eta {eta})")
        .expect("a valid template");
    bar.set_style(style);
    bar.set_prefix(label.to_string());
    bar
}

/// Prints a line above a progress bar; where there is no terminal, and so no bar, all the same.
pub fn say(bar: &ProgressBar, line: String) {
    if bar.is_hidden() { println!("{line}") } else { bar.println(line) }
}

/// An index, as likely as its probability.
///
/// # Panics
/// If the probabilities are not numbers.
pub fn draw(probabilities: &Tensor, rng: &mut Rng) -> usize {
    let mut left = rng.uniform();
    for (index, probability) in probabilities.iter().enumerate() {
        assert!(probability.is_finite(), "draw: a probability of {probability}");
        left -= f64::from(probability);
        if left < 0.0 {
            return index;
        }
    }
    // Rounded, they may add up to a little less than 1.
    probabilities.count() - 1
}
