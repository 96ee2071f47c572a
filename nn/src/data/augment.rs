//! Images changed at random, so that a network does not learn them by heart; and their values brought to mean 0.
//!
//! The random numbers are drawn one image after the other, before any work is shared among threads: a seed gives the
//! same images at any number of threads.

use autograd::kernels::parallel::for_each_block;
use autograd::{Rng, Tensor, grad_enabled};

/// What lies beyond an image's edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    #[default]
    Zero,
    /// The image in a mirror, whose edge is not repeated: `c b | a b c | b a`.
    Reflect,
}

/// Mirrors each of the images `[N, C, H, W]`, left to right, with probability `p`, as
/// `torchvision.transforms.RandomHorizontalFlip` does with one.
///
/// ```
/// use autograd::{Rng, Tensor};
/// use nn::data::random_horizontal_flip;
/// let images = Tensor::arange(0.0, 6.0, 1.0).reshape([1, 1, 2, 3]);
/// let flipped = random_horizontal_flip(&images, 1.0, &mut Rng::seeded(1));
/// assert_eq!(flipped.to_vec(), [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
/// ```
///
/// # Panics
/// If `p` is no probability, the images have another number of axes, or require a gradient: they are data.
#[track_caller]
pub fn random_horizontal_flip(images: &Tensor, p: f64, rng: &mut Rng) -> Tensor {
    assert!((0.0..=1.0).contains(&p), "random_horizontal_flip: a probability of {p}");
    let [count, _, height, width] = sizes("random_horizontal_flip", images);
    let flips: Vec<bool> = (0..count).map(|_| rng.uniform() < p).collect();
    let same = |size: usize| (0..size).map(Some).collect();
    redrawn(images, [height, width], |image| {
        let columns = if flips[image] { (0..width).rev().map(Some).collect() } else { same(width) };
        [same(height), columns]
    })
}

/// Moves each of the images `[N, C, H, W]` by its own number of pixels, from −`most` to `most`, down and to the right;
/// what comes in is the `border`.
///
/// # Panics
/// As [`random_crop`] with a padding of `most`.
#[track_caller]
pub fn random_shift(images: &Tensor, most: usize, border: Border, rng: &mut Rng) -> Tensor {
    let [_, _, height, width] = sizes("random_shift", images);
    random_crop(images, &RandomCrop { size: (height, width), padding: most, border }, rng)
}

/// What [`random_crop`] cuts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomCrop {
    /// Height and width of what is cut out.
    pub size: (usize, usize),
    /// How many pixels of border are put around the image before.
    pub padding: usize,
    /// What they are.
    pub border: Border,
}

/// Cuts a part out of each of the images `[N, C, H, W]`, at a place of its own, after a border was put around it, as
/// `torchvision.transforms.RandomCrop` does with one: `[N, C, height, width]`.
///
/// # Panics
/// If the part is larger than the image with its border, or what the border mirrors is not there (its padding must be
/// smaller than height and width); if the images have another number of axes, or require a gradient: they are data.
#[track_caller]
pub fn random_crop(images: &Tensor, crop: &RandomCrop, rng: &mut Rng) -> Tensor {
    let [count, _, height, width] = sizes("random_crop", images);
    let &RandomCrop { size, padding, border } = crop;
    let room = [(height, size.0), (width, size.1)].map(|(size, wanted)| (size + 2 * padding).checked_sub(wanted));
    let [Some(down), Some(right)] = room else {
        panic!("random_crop: a part of {} × {} from images of {height} × {width} with {padding} around", size.0, size.1)
    };
    assert!(
        border == Border::Zero || padding < height.min(width) || padding == 0,
        "random_crop: a mirror of {padding} pixels around images of {height} × {width}"
    );
    let places: Vec<[usize; 2]> =
        (0..count).map(|_| [down, right].map(|most| rng.below(most as u64 + 1) as usize)).collect();
    // Where line `i` of the part lies in an image's `size` lines.
    let line = |i: usize, place: usize, size: usize| match (place + i).checked_sub(padding) {
        Some(inside) if inside < size => Some(inside),
        _ if border == Border::Zero => None,
        Some(behind) => Some(2 * (size - 1) - behind),
        None => Some(padding - place - i),
    };
    redrawn(images, [size.0, size.1], |image| {
        let [top, left] = places[image];
        let rows = (0..size.0).map(|i| line(i, top, height)).collect();
        [rows, (0..size.1).map(|j| line(j, left, width)).collect()]
    })
}

#[track_caller]
fn sizes(name: &str, images: &Tensor) -> [usize; 4] {
    let shape = images.shape();
    assert!(shape.len() == 4, "{name}: images of shape {shape}; [N, C, H, W] would fit");
    assert!(!(grad_enabled() && images.has_history()), "{name}: there is no gradient through it; detach the images");
    [shape[0], shape[1], shape[2], shape[3]]
}

/// Images `[N, C, H, W]` put together anew: which row and which column of each image its new rows and columns are, or
/// none for zeros.
fn redrawn(
    images: &Tensor,
    [rows, columns]: [usize; 2],
    maps: impl Fn(usize) -> [Vec<Option<usize>>; 2] + Sync,
) -> Tensor {
    let [count, channels, height, width] = [0, 1, 2, 3].map(|axis| images.size(axis));
    let mut out = Tensor::zeros([count, channels, rows, columns]);
    let images = images.detach().contiguous();
    let pixels = images.try_slice().expect("contiguous");
    let work = out.count();
    for_each_block(out.slice_mut(), channels * rows * columns, work, |image, out| {
        let [of_rows, of_columns] = maps(image);
        for (line, out) in out.chunks_exact_mut(columns).enumerate() {
            let Some(row) = of_rows[line % rows] else { continue };
            let start = ((image * channels + line / rows) * height + row) * width;
            let row = &pixels[start..start + width];
            for (x, column) in out.iter_mut().zip(&of_columns) {
                *x = column.map_or(0.0, |column| row[column]);
            }
        }
    });
    out
}

/// A mean and a standard deviation for each channel, which [`forward`](Normalize::forward) takes away, as
/// `torchvision.transforms.Normalize`, and [`inverse`](Normalize::inverse) brings back.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::Normalize;
/// let to_tanh = Normalize::new(&[0.5], &[0.5]); // from 0 … 1 to -1 … 1
/// let images = Tensor::from([0.0, 0.25, 1.0]).reshape([3, 1, 1, 1]);
/// assert_eq!(to_tanh.forward(&images).to_vec(), [-1.0, -0.5, 1.0]);
/// assert_eq!(to_tanh.inverse(&to_tanh.forward(&images)).to_vec(), images.to_vec());
/// ```
#[derive(Clone, Debug)]
pub struct Normalize {
    /// `[C, 1, 1]`
    mean: Tensor,
    /// `[C, 1, 1]`
    std: Tensor,
}

impl Normalize {
    /// With a mean and a standard deviation for each channel.
    ///
    /// # Panics
    /// If there are not as many of the one as of the other, or a deviation is not above 0.
    #[track_caller]
    pub fn new(mean: &[f32], std: &[f32]) -> Normalize {
        assert!(mean.len() == std.len(), "Normalize: {} means and {} deviations", mean.len(), std.len());
        assert!(std.iter().all(|&std| std > 0.0), "Normalize: deviations {std:?}; all above 0 would fit");
        let column = |values: &[f32]| Tensor::from_slice(values, [values.len(), 1, 1]);
        Normalize { mean: column(mean), std: column(std) }
    }

    /// (x − mean) / std for images `[N, C, H, W]` or an image `[C, H, W]`. Differentiable.
    ///
    /// # Panics
    /// If the images have another number of channels.
    #[track_caller]
    pub fn forward(&self, images: &Tensor) -> Tensor {
        self.check(images);
        (images - &self.mean) / &self.std
    }

    /// x · std + mean.
    ///
    /// # Panics
    /// If the images have another number of channels.
    #[track_caller]
    pub fn inverse(&self, images: &Tensor) -> Tensor {
        self.check(images);
        images * &self.std + &self.mean
    }

    #[track_caller]
    fn check(&self, images: &Tensor) {
        let channels = self.mean.size(0);
        assert!(
            matches!(images.rank(), 3 | 4) && images.size(-3) == channels,
            "Normalize: images of shape {}; [N, {channels}, H, W] would fit",
            images.shape()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[N, C, H, W]`, every element another.
    fn images(shape: [usize; 4]) -> Tensor {
        Tensor::arange(1.0, 1.0 + shape.iter().product::<usize>() as f32, 1.0).reshape(shape)
    }

    #[test]
    fn about_p_of_the_images_are_flipped_and_all_of_their_channels() {
        let x = images([1000, 2, 2, 3]);
        let y = random_horizontal_flip(&x, 0.25, &mut Rng::seeded(2));
        let mirrored = x.flip(3);
        let same = |a: &Tensor, b: &Tensor, i: usize| a.narrow(0, i, 1).to_vec() == b.narrow(0, i, 1).to_vec();
        let flipped = (0..1000).filter(|&i| same(&y, &mirrored, i)).count();
        assert_eq!((0..1000).filter(|&i| same(&y, &x, i)).count(), 1000 - flipped);
        // Four standard deviations of 13.7.
        assert!(flipped.abs_diff(250) < 55, "{flipped}");
        // A view is read as what it shows.
        let y = random_horizontal_flip(&x.transpose(2, 3), 1.0, &mut Rng::seeded(2));
        assert_eq!(y.to_vec(), x.transpose(2, 3).flip(3).to_vec());
    }

    #[test]
    fn crops_are_parts_of_the_padded_image() {
        let x = images([200, 2, 4, 5]);
        for border in [Border::Zero, Border::Reflect] {
            // Each place by itself, from the definition.
            let at = |image: usize, channel: usize, y: isize, x_: isize| {
                let inside = |i: isize, size: isize| (0..size).contains(&i);
                let mirror = |i: isize, size: isize| {
                    if i < 0 {
                        -i
                    } else if i >= size {
                        2 * (size - 1) - i
                    } else {
                        i
                    }
                };
                if border == Border::Zero && !(inside(y, 4) && inside(x_, 5)) {
                    return 0.0;
                }
                x.value_at([image, channel, mirror(y, 4) as usize, mirror(x_, 5) as usize])
            };
            let crop = RandomCrop { size: (3, 6), padding: 2, border };
            let y = random_crop(&x, &crop, &mut Rng::seeded(5));
            assert_eq!(*y.shape(), [200, 2, 3, 6]);
            let mut seen = [[0; 4]; 6];
            for image in 0..200 {
                let fits = |top: isize, left: isize| {
                    (0..36_usize).all(|i| {
                        let (channel, row, column) = (i / 18, i / 6 % 3, i % 6);
                        y.value_at([image, channel, row, column])
                            == at(image, channel, top + row as isize, left + column as isize)
                    })
                };
                let places = (0..24).filter(|&i| fits(i / 4 - 2, i % 4 - 2)).collect::<Vec<isize>>();
                assert_eq!(places.len(), 1, "image {image}: {places:?}");
                seen[places[0] as usize / 4][places[0] as usize % 4] += 1;
            }
            // 200 images at 24 places: that one is never hit has a probability of 24·(23/24)^200 = 0.5 %.
            assert!(seen.concat().iter().all(|&count| count > 0), "{seen:?}");
        }
    }

    #[test]
    fn shifts_go_both_ways_and_no_farther() {
        let mut x = vec![0.0; 300 * 49];
        x.chunks_exact_mut(49).for_each(|image| image[24] = 1.0);
        let x = Tensor::from_slice(&x, [300, 1, 7, 7]);
        let y = random_shift(&x, 2, Border::Zero, &mut Rng::seeded(7));
        let total = y.sum([0, 1]);
        for row in 0..7_usize {
            for column in 0..7_usize {
                let near = row.abs_diff(3) <= 2 && column.abs_diff(3) <= 2;
                assert_eq!(total.value_at([row, column]) > 0.0, near, "{total}");
            }
        }
        assert_eq!(random_shift(&x, 0, Border::Reflect, &mut Rng::seeded(7)).to_vec(), x.to_vec());
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let x = images([128, 1, 28, 28]);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let rng = &mut Rng::seeded(3);
                random_horizontal_flip(&random_shift(&x, 3, Border::Reflect, rng), 0.5, rng).to_vec()
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn channels_have_their_own_mean() {
        let normalize = Normalize::new(&[1.0, -2.0], &[2.0, 0.5]);
        let x = Tensor::from([[[3.0]], [[-1.0]]]);
        assert_eq!(normalize.forward(&x).to_vec(), [1.0, 2.0]);
        assert_eq!(normalize.inverse(&normalize.forward(&x.unsqueeze(0))).to_vec(), [3.0, -1.0]);
    }

    #[test]
    #[should_panic(expected = "random_crop: a part of 5 × 7 from images of 4 × 4 with 1 around")]
    fn a_part_larger_than_the_whole_is_refused() {
        let crop = RandomCrop { size: (5, 7), padding: 1, border: Border::Zero };
        random_crop(&images([1, 1, 4, 4]), &crop, &mut Rng::seeded(1));
    }

    #[test]
    #[should_panic(expected = "random_shift: there is no gradient through it; detach the images")]
    fn images_that_require_a_gradient_are_refused() {
        random_shift(&images([1, 1, 4, 4]).requires_grad(), 1, Border::Zero, &mut Rng::seeded(1));
    }
}
