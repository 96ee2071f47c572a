//! Batches in a seeded order, prepared in the background if wanted.

use super::dataset::Dataset;
use super::position::Position;
use autograd::Rng;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// How a [`Loader`] draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Examples in a batch.
    pub batch_size: usize,
    /// Another order in each epoch; otherwise as the set has them.
    pub shuffle: bool,
    /// Leave out the last batch of an epoch if it is not full.
    pub drop_last: bool,
    /// Batches that a thread in the background prepares ahead; 0 prepares each when it is asked for.
    pub prefetch: usize,
    /// Seed of the orders.
    pub seed: u64,
}

impl Default for LoaderOptions {
    fn default() -> LoaderOptions {
        LoaderOptions { batch_size: 32, shuffle: true, drop_last: false, prefetch: 0, seed: 0 }
    }
}

/// Draws batches from a set. The order of an epoch depends on the seed and the epoch's number alone, so
/// training can be resumed in the middle of one: see [`Position`].
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{Loader, LoaderOptions, TensorDataset};
///
/// let data = TensorDataset::new(Tensor::arange(0.0, 10.0, 1.0), Tensor::arange(0.0, 10.0, 1.0));
/// let loader = Loader::new(data, LoaderOptions { batch_size: 4, ..Default::default() });
/// let sizes: Vec<usize> = loader.epoch(0).map(|(x, _)| x.count()).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// ```
pub struct Loader<D> {
    dataset: Arc<D>,
    options: LoaderOptions,
}

impl<D: Dataset + 'static> Loader<D> {
    /// A loader of this set.
    ///
    /// # Panics
    /// If the batch size is 0.
    #[track_caller]
    pub fn new(dataset: D, options: LoaderOptions) -> Loader<D> {
        assert!(options.batch_size > 0, "Loader: a batch of 0 examples");
        Loader { dataset: Arc::new(dataset), options }
    }

    /// The set.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// Batches in an epoch.
    pub fn batches(&self) -> usize {
        let LoaderOptions { batch_size, drop_last, .. } = self.options;
        if drop_last { self.dataset.len() / batch_size } else { self.dataset.len().div_ceil(batch_size) }
    }

    /// The batches of the epoch of this number.
    pub fn epoch(&self, number: u64) -> Batches<D> {
        self.resume(Position { epoch: number, batch: 0 })
    }

    /// The batches of an epoch from `position` on. Those before it are not put together; if there are none
    /// left, none come.
    pub fn resume(&self, position: Position) -> Batches<D> {
        let LoaderOptions { batch_size, shuffle, prefetch, seed, .. } = self.options;
        let mut order: Vec<usize> = (0..self.dataset.len()).collect();
        if shuffle {
            Rng::seeded(seed).stream(position.epoch).shuffle(&mut order);
        }
        let count = self.batches();
        let next = usize::try_from(position.batch).unwrap_or(count).min(count);
        let batches = Order { dataset: self.dataset.clone(), order, batch_size, next, count };
        let source = if prefetch == 0 { Source::Here(batches) } else { Source::prefetch(batches, prefetch) };
        Batches { source, position }
    }
}

/// The batches that are left in an epoch.
struct Order<D> {
    dataset: Arc<D>,
    order: Vec<usize>,
    batch_size: usize,
    next: usize,
    count: usize,
}

impl<D: Dataset> Order<D> {
    /// The numbers of the examples of the next batch.
    fn advance(&mut self) -> Option<std::ops::Range<usize>> {
        (self.next < self.count).then(|| {
            let start = self.next * self.batch_size;
            self.next += 1;
            start..(start + self.batch_size).min(self.order.len())
        })
    }
}

impl<D: Dataset> Iterator for Order<D> {
    type Item = D::Batch;

    fn next(&mut self) -> Option<D::Batch> {
        let range = self.advance()?;
        Some(self.dataset.batch(&self.order[range]))
    }
}

/// Where batches come from.
enum Source<D: Dataset> {
    Here(Order<D>),
    Thread { batches: Option<Receiver<D::Batch>>, thread: Option<JoinHandle<()>> },
}

impl<D: Dataset + 'static> Source<D> {
    fn prefetch(order: Order<D>, ahead: usize) -> Source<D> {
        // The channel holds all but the batch that the thread is waiting to send.
        let (sender, batches) = sync_channel(ahead - 1);
        let thread = std::thread::spawn(move || {
            for batch in order {
                // Nobody is listening any more: the epoch was left early.
                if sender.send(batch).is_err() {
                    return;
                }
            }
        });
        Source::Thread { batches: Some(batches), thread: Some(thread) }
    }
}

/// An epoch's batches, one after the other.
pub struct Batches<D: Dataset> {
    source: Source<D>,
    position: Position,
}

impl<D: Dataset> Batches<D> {
    /// Where the next batch stands, or the end of the epoch. What was prepared ahead and not asked for yet
    /// does not count.
    pub fn position(&self) -> Position {
        self.position
    }

    fn take(&mut self) -> Option<D::Batch> {
        match &mut self.source {
            Source::Here(order) => order.next(),
            Source::Thread { batches, thread } => {
                let batch = batches.as_ref()?.recv().ok();
                if batch.is_none()
                    && let Some(Err(panic)) = thread.take().map(JoinHandle::join)
                {
                    // The set panicked in the background: the panic goes on here.
                    std::panic::resume_unwind(panic);
                }
                batch
            }
        }
    }
}

impl<D: Dataset> Iterator for Batches<D> {
    type Item = D::Batch;

    fn next(&mut self) -> Option<D::Batch> {
        let batch = self.take();
        self.position.batch += u64::from(batch.is_some());
        batch
    }
}

impl<D: Dataset> Drop for Batches<D> {
    fn drop(&mut self) {
        if let Source::Thread { batches, thread } = &mut self.source {
            // First the receiver, so that the thread does not wait for it.
            *batches = None;
            // A panic of a thread that nobody asks any more has no one to go to.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TensorDataset;
    use autograd::Tensor;

    fn loader(options: LoaderOptions) -> Loader<TensorDataset<i64, i64>> {
        let x = Tensor::arange_of(0_i64, 10, 1);
        Loader::new(TensorDataset::new(x.clone(), x), options)
    }

    fn numbers(batches: impl Iterator<Item = (Tensor<i64>, Tensor<i64>)>) -> Vec<Vec<i64>> {
        batches.map(|(x, _)| x.to_vec()).collect()
    }

    #[test]
    fn an_epoch_has_every_example_once_in_an_order_of_its_own() {
        let loader = loader(LoaderOptions { batch_size: 3, ..Default::default() });
        let (first, second) = (numbers(loader.epoch(0)), numbers(loader.epoch(1)));
        assert_ne!(first, second);
        assert_eq!(first, numbers(loader.epoch(0)));
        for epoch in [first, second] {
            let mut all = epoch.concat();
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn options_do_what_they_say() {
        let options = LoaderOptions { batch_size: 4, shuffle: false, drop_last: true, ..Default::default() };
        assert_eq!(numbers(loader(options).epoch(5)), [[0, 1, 2, 3], [4, 5, 6, 7]]);
        assert_eq!(loader(options).batches(), 2);
    }

    #[test]
    fn prefetching_and_skipping_change_nothing() {
        let options = LoaderOptions { batch_size: 3, ..Default::default() };
        let plain = numbers(loader(options).epoch(2));
        let ahead = loader(LoaderOptions { prefetch: 2, ..options });
        assert_eq!(numbers(ahead.epoch(2)), plain);
        assert_eq!(numbers(ahead.epoch(2).skip(2)), plain[2..]);
        for loader in [loader(options), ahead] {
            for batch in 0..=4 {
                let mut rest = loader.resume(Position { epoch: 2, batch: batch as u64 });
                assert_eq!(numbers(rest.by_ref()), plain[batch..]);
                assert_eq!(rest.position(), Position { epoch: 2, batch: 4 });
            }
            assert_eq!(loader.resume(Position { epoch: 2, batch: u64::MAX }).count(), 0);
        }
    }

    #[test]
    fn resuming_puts_no_batch_together_that_is_done() {
        /// Knows only the second half of its examples.
        struct Half;
        impl Dataset for Half {
            type Batch = Vec<usize>;
            fn len(&self) -> usize {
                10
            }
            fn batch(&self, indices: &[usize]) -> Vec<usize> {
                assert!(indices.iter().all(|&i| i >= 5), "{indices:?} were asked for");
                indices.to_vec()
            }
        }
        for prefetch in [0, 3] {
            let options = LoaderOptions { batch_size: 5, shuffle: false, prefetch, ..Default::default() };
            let rest = Loader::new(Half, options).resume(Position { epoch: 0, batch: 1 });
            assert_eq!(rest.collect::<Vec<_>>(), [[5, 6, 7, 8, 9]]);
        }
    }

    #[test]
    fn leaving_an_epoch_early_does_not_hang() {
        let ahead = loader(LoaderOptions { batch_size: 3, prefetch: 2, ..Default::default() });
        drop(ahead.epoch(2).next());
    }

    #[test]
    fn a_panic_in_the_background_arrives() {
        struct Broken;
        impl Dataset for Broken {
            type Batch = ();
            fn len(&self) -> usize {
                3
            }
            fn batch(&self, indices: &[usize]) {
                assert!(!indices.contains(&2), "example 2 is broken");
            }
        }
        let options = LoaderOptions { batch_size: 1, shuffle: false, prefetch: 1, ..Default::default() };
        let panic = std::panic::catch_unwind(|| Loader::new(Broken, options).epoch(0).count()).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"example 2 is broken"));
    }
}
