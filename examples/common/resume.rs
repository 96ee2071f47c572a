//! What a training that is resumed must share with the run that wrote its checkpoint.
//!
//! A checkpoint has the weights, but what the rest of the training does is up to the flags: a learning rate's schedule
//! is as long as its epochs, batches are as large as `--batch` says. With others it would be another training, or none.

use anyhow::{Context, Result, bail, ensure};
use nn::checkpoint::{Checkpoint, CheckpointError};
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

/// The entry of a checkpoint that says what its run depends on.
const ENTRY: &str = "run";

/// What the rest of a training depends on, by name: flags with their values, and the size of the data.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    flags: Vec<(&'static str, String)>,
    /// What there is to learn from.
    data: String,
    scheduled: bool,
}

impl Terms {
    /// A training on so many `units`.
    pub fn on(count: usize, units: &str) -> Terms {
        Terms { data: format!("{count} {units}"), ..Terms::default() }
    }

    /// It depends on the value of this flag.
    pub fn flag(mut self, name: &'static str, value: impl Display) -> Terms {
        self.flags.push((name, value.to_string()));
        self
    }

    /// Its learning rate follows a schedule over so many epochs, and has come down at their end: there can be no more.
    pub fn scheduled(mut self, epochs: usize) -> Terms {
        self.scheduled = true;
        self.flag("--epochs", epochs)
    }

    /// Notes them in a checkpoint.
    pub fn put(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        let text = serde_json::to_string(&(&self.data, &self.flags))?;
        checkpoint.put_text(ENTRY, text);
        Ok(())
    }

    /// The checkpoint of a run that had the same.
    pub fn read(&self, path: &Path) -> Result<Checkpoint> {
        let checkpoint = match Checkpoint::read(path) {
            Err(CheckpointError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => bail!(
                "--resume: there is no {}. Start without --resume, or give the --out of the run to go on with",
                path.display()
            ),
            checkpoint => checkpoint.context("--resume: start anew without it")?,
        };
        self.check(&checkpoint).with_context(|| format!("cannot go on from {}", path.display()))?;
        Ok(checkpoint)
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<()> {
        let (data, flags): (String, Vec<(String, String)>) = checkpoint
            .text(ENTRY)
            .and_then(|text| serde_json::from_str(text).ok())
            .context("it does not say which flags it was trained with. Start anew without --resume")?;
        let theirs = |name: &str| flags.iter().find(|(flag, _)| flag == name).map(|(_, value)| value.as_str());
        let (mut had, mut has, mut cure) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in &self.flags {
            let found = theirs(name).unwrap_or("unknown");
            if found != value {
                had.push(format!("{name} {found}"));
                has.push(format!("{name} {value}"));
                cure.push(format!("{name} {found}"));
            }
        }
        if data != self.data {
            had.push(data);
            has.push(self.data.clone());
            cure.push("the same --data, with --quick or without".to_string());
        }
        let why = match cure.iter().any(|flag| flag.starts_with("--epochs ")) {
            true => {
                " (the learning rate's schedule is as long as all epochs together, so they cannot become more or fewer)"
            }
            false => "",
        };
        ensure!(
            cure.is_empty(),
            "its run had {}, and this one has {}{why}. Give {}, or start anew without --resume",
            had.join(" and "),
            has.join(" and "),
            cure.join(" and ")
        );
        Ok(())
    }

    /// An error if none of the epochs is left.
    pub fn left(&self, done: usize, epochs: usize) -> Result<()> {
        let cure = match self.scheduled {
            true => "their learning rate has come down for good. For more of them start anew, without --resume",
            false => "give more --epochs",
        };
        ensure!(done < epochs, "--resume: {done} of {epochs} epochs are done: {cure}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(batch: usize, lr: f64, images: usize) -> Terms {
        Terms::on(images, "images").flag("--batch", batch).flag("--lr", lr)
    }

    #[test]
    fn what_differs_is_named_with_both_values_and_the_cure() {
        let mut checkpoint = Checkpoint::new();
        terms(32, 6e-3, 1497).scheduled(4).put(&mut checkpoint).unwrap();
        let refused = |terms: Terms| terms.check(&checkpoint).unwrap_err().to_string();
        terms(32, 0.006, 1497).scheduled(4).check(&checkpoint).unwrap();
        assert_eq!(
            refused(terms(64, 6e-3, 1497).scheduled(4)),
            "its run had --batch 32, and this one has --batch 64. Give --batch 32, or start anew without --resume"
        );
        assert_eq!(
            refused(terms(32, 0.5, 512).scheduled(4)),
            "its run had --lr 0.006 and 1497 images, and this one has --lr 0.5 and 512 images. \
             Give --lr 0.006 and the same --data, with --quick or without, or start anew without --resume"
        );
        let longer = refused(terms(32, 6e-3, 1497).scheduled(8));
        assert!(longer.contains("had --epochs 4, and this one has --epochs 8 (the learning rate's"), "{longer}");
        let unknown = refused(terms(32, 6e-3, 1497).scheduled(4).flag("--width", 3));
        assert!(unknown.starts_with("its run had --width unknown, and this one has --width 3."), "{unknown}");
    }

    #[test]
    fn a_checkpoint_of_nothing_and_one_that_is_not_there() {
        let error = terms(1, 1.0, 1).check(&Checkpoint::new()).unwrap_err().to_string();
        assert_eq!(error, "it does not say which flags it was trained with. Start anew without --resume");
        let error = terms(1, 1.0, 1).read(Path::new("no/such/file")).err().unwrap();
        assert!(format!("{error:#}").starts_with("--resume: there is no no/such/file. Start without"), "{error:#}");
    }

    #[test]
    fn a_schedule_has_an_end_and_a_constant_rate_has_none() {
        assert!(terms(1, 1.0, 1).left(3, 4).is_ok());
        let more = terms(1, 1.0, 1).left(4, 4).unwrap_err().to_string();
        assert_eq!(more, "--resume: 4 of 4 epochs are done: give more --epochs");
        let over = terms(1, 1.0, 1).scheduled(4).left(4, 4).unwrap_err().to_string();
        assert!(over.ends_with("start anew, without --resume"), "{over}");
    }
}
