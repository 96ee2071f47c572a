//! A buffer of images that a generator made before (Shrivastava et al. 2017).

use anyhow::{Result, ensure};
use autograd::{Rng, Tensor};
use nn::optim::State;

// ANCHOR: buffer
/// The last images, or rather some of them: a discriminator that sees older ones does not forget them, and the two
/// networks do not run in circles.
pub struct ImageBuffer {
    capacity: usize,
    /// Each `[1, 1, 28, 28]`.
    images: Vec<Tensor>,
}

impl ImageBuffer {
    pub fn new(capacity: usize) -> ImageBuffer {
        ImageBuffer { capacity, images: Vec::new() }
    }

    /// As many images as come in, `[N, 1, 28, 28]`. While there is room, they are kept and come back. After that, each
    /// comes back with probability ½, and else an older one, whose place it takes.
    pub fn swap(&mut self, images: &Tensor, rng: &mut Rng) -> Tensor {
        let mut out = Vec::with_capacity(images.size(0));
        for row in 0..images.size(0) {
            // A copy: a view would keep the whole batch.
            let image = images.detach().index_select(0, &Tensor::of([row as i64]));
            if self.images.len() < self.capacity {
                self.images.push(image.clone());
                out.push(image);
            } else if self.capacity > 0 && rng.uniform() < 0.5 {
                let place = rng.below(self.capacity as u64) as usize;
                out.push(std::mem::replace(&mut self.images[place], image));
            } else {
                out.push(image);
            }
        }
        Tensor::cat(&out.iter().collect::<Vec<_>>(), 0)
    }
}
// ANCHOR_END: buffer

impl ImageBuffer {
    /// For a checkpoint.
    pub fn state(&self) -> State {
        let mut state = State::default();
        if !self.images.is_empty() {
            let images = Tensor::cat(&self.images.iter().collect::<Vec<_>>(), 0);
            state.tensors.insert("images".to_string(), images);
        }
        state
    }

    /// Takes what a checkpoint has.
    pub fn load_state(&mut self, state: &State) -> Result<()> {
        self.images.clear();
        if let Some(images) = state.tensors.get("images") {
            let count = images.size(0);
            ensure!(count <= self.capacity, "{count} images for a buffer of {}", self.capacity);
            self.images = (0..count).map(|row| images.index_select(0, &Tensor::of([row as i64]))).collect();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of one pixel, which is their number.
    fn numbered(from: usize, count: usize) -> Tensor {
        Tensor::from_fn([count, 1, 1, 1], |i| (from + i) as f32)
    }

    #[test]
    fn the_first_ones_come_back() {
        let (mut buffer, mut rng) = (ImageBuffer::new(4), Rng::seeded(0));
        assert_eq!(buffer.swap(&numbered(0, 3), &mut rng).to_vec(), [0.0, 1.0, 2.0]);
        let before = rng.state();
        assert_eq!(buffer.swap(&numbered(3, 1), &mut rng).to_vec(), [3.0]);
        assert_eq!(rng.state(), before, "nothing is drawn before the buffer is full");
        assert_eq!(buffer.images.len(), 4);
    }

    #[test]
    fn half_of_what_comes_back_is_old_and_nothing_is_lost() {
        let (mut buffer, mut rng) = (ImageBuffer::new(50), Rng::seeded(1));
        buffer.swap(&numbered(0, 50), &mut rng);
        let (mut old, mut all) = (0, Vec::new());
        for batch in 0..100 {
            let images = numbered(50 + batch * 20, 20);
            let out = buffer.swap(&images, &mut rng);
            assert_eq!(out.shape(), images.shape());
            old += out.ne(&images).count_true();
            all.extend(out.iter());
        }
        // 2,000 throws of a coin: five deviations are 5·√500 = 112.
        assert!((888..=1112).contains(&old), "{old} of 2,000");
        // Each image comes out at most once after it was exchanged, or is still there.
        all.extend(buffer.images.iter().map(Tensor::item));
        all.sort_by(f32::total_cmp);
        assert_eq!(all, (0..2050).map(|number| number as f32).collect::<Vec<_>>());
    }

    #[test]
    fn without_room_it_gives_back_what_comes() {
        let (mut buffer, mut rng) = (ImageBuffer::new(0), Rng::seeded(2));
        assert_eq!(buffer.swap(&numbered(7, 2), &mut rng).to_vec(), [7.0, 8.0]);
        assert!(buffer.state().tensors.is_empty());
    }

    #[test]
    fn a_checkpoint_brings_all_images_back() {
        let (mut buffer, mut rng) = (ImageBuffer::new(4), Rng::seeded(3));
        buffer.swap(&numbered(1, 4), &mut rng);
        let mut other = ImageBuffer::new(4);
        other.load_state(&buffer.state()).unwrap();
        let mut again = rng.clone();
        let (images, expected) = (numbered(5, 8), buffer.swap(&numbered(5, 8), &mut rng));
        assert_eq!(other.swap(&images, &mut again).to_vec(), expected.to_vec());
        let error = ImageBuffer::new(3).load_state(&buffer.state()).unwrap_err().to_string();
        assert_eq!(error, "4 images for a buffer of 3");
    }
}
