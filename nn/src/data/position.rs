//! Where training stands in its data.

use crate::optim::{Reader, State, StateError};

/// A place between two batches: the epoch, and how many of its batches are done.
///
/// ```
/// use autograd::Tensor;
/// use nn::checkpoint::Checkpoint;
/// use nn::data::{Loader, LoaderOptions, Position, TensorDataset};
///
/// let x = Tensor::arange(0.0, 10.0, 1.0);
/// let loader = Loader::new(TensorDataset::new(x.clone(), x), LoaderOptions { batch_size: 4, ..Default::default() });
/// let mut checkpoint = Checkpoint::new();
///
/// let mut batches = loader.epoch(7);
/// batches.next();
/// checkpoint.put_state("data", &batches.position().state());
/// let rest: Vec<Vec<f32>> = batches.map(|(x, _)| x.to_vec()).collect();
///
/// let position = Position::from_state(&checkpoint.state("data"))?;
/// assert_eq!(position, Position { epoch: 7, batch: 1 });
/// let resumed: Vec<Vec<f32>> = loader.resume(position).map(|(x, _)| x.to_vec()).collect();
/// assert_eq!(resumed, rest);
/// # Ok::<(), nn::optim::StateError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The number of the epoch.
    pub epoch: u64,
    /// The batches of that epoch that are done.
    pub batch: u64,
}

impl Position {
    /// The beginning of the next epoch.
    pub fn next_epoch(self) -> Position {
        Position { epoch: self.epoch + 1, batch: 0 }
    }

    /// Both numbers, for a checkpoint.
    pub fn state(&self) -> State {
        let mut state = State::default();
        state.scalars.insert("epoch".to_string(), self.epoch as f64);
        state.scalars.insert("batch".to_string(), self.batch as f64);
        state
    }

    /// The position that `state` says.
    ///
    /// # Errors
    /// If anything is missing, unexpected or no count. The error lists it all.
    pub fn from_state(state: &State) -> Result<Position, StateError> {
        let mut reader = Reader::new(state);
        let (epoch, batch) = (reader.count("epoch".to_string()), reader.count("batch".to_string()));
        reader.finish()?;
        Ok(Position { epoch: epoch.unwrap_or_default(), batch: batch.unwrap_or_default() })
    }
}
