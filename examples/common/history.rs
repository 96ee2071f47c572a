//! What was measured in each epoch, as a checkpoint keeps it.

use anyhow::{Context, Result, ensure};
use nn::checkpoint::Checkpoint;
use std::path::Path;

/// Puts the numbers of each epoch in a checkpoint.
pub fn put_history<const N: usize>(
    checkpoint: &mut Checkpoint,
    epochs: impl IntoIterator<Item = [f64; N]>,
) -> Result<()> {
    // JSON has no NaN: what was not measured in an epoch is `null`.
    let known = |number: f64| (!number.is_nan()).then_some(number);
    let rows: Vec<Vec<Option<f64>>> = epochs.into_iter().map(|epoch| epoch.into_iter().map(known).collect()).collect();
    checkpoint.put_text("history", serde_json::to_string(&rows)?);
    Ok(())
}

/// The numbers of each epoch in the checkpoint that was read from `path`.
pub fn history<const N: usize>(checkpoint: &Checkpoint, path: &Path) -> Result<Vec<[f64; N]>> {
    let at = || format!("{}: history", path.display());
    let text = checkpoint.text("history").with_context(|| format!("{}: no history in it", path.display()))?;
    let rows: Vec<Vec<Option<f64>>> = serde_json::from_str(text).with_context(at)?;
    rows.iter()
        .enumerate()
        .map(|(epoch, row)| {
            let found = row.len();
            ensure!(found == N, "{}: {found} numbers of epoch {}; expected {N}", at(), epoch + 1);
            Ok(std::array::from_fn(|i| row[i].unwrap_or(f64::NAN)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_what_was_not_measured_is_not_a_number() {
        let mut checkpoint = Checkpoint::new();
        put_history(&mut checkpoint, [[0.1, f64::NAN], [-2.0, 3.5e-300]]).unwrap();
        let back: Vec<[f64; 2]> = history(&checkpoint, Path::new("x")).unwrap();
        assert_eq!((back[0][0], back[1]), (0.1, [-2.0, 3.5e-300]));
        assert!(back[0][1].is_nan());
    }

    #[test]
    fn a_history_of_something_else_is_refused() {
        let mut checkpoint = Checkpoint::new();
        let refused = |checkpoint: &Checkpoint| format!("{:#}", history::<2>(checkpoint, Path::new("x")).unwrap_err());
        assert_eq!(refused(&checkpoint), "x: no history in it");
        put_history(&mut checkpoint, [[1.0, 2.0, 3.0]]).unwrap();
        assert_eq!(refused(&checkpoint), "x: history: 3 numbers of epoch 1; expected 2");
    }
}
