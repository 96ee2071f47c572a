//! The networks' shapes, and flags beside --quick.

use crate::Cli;
use crate::networks::*;
use autograd::{Rng, Tensor};
use clap::Parser;
use nn::Layer;
use nn::layers::Sequential;

#[test]
fn shapes_are_those_of_the_paper_trail() {
    let mut rng = Rng::seeded(0);
    let (generator, discriminator) = (Generator::new(64, &mut rng), Discriminator::new(&mut rng));
    let labels = one_hot_labels(&Tensor::of([3_i64, 9]), CLASSES);
    assert_eq!(labels.to_vec()[3], 1.0);
    assert_eq!(labels.sum(1).to_vec(), [1.0, 1.0]);
    let images = generator.forward(&Tensor::randn([2, 64], &mut rng), &labels);
    assert_eq!(*images.shape(), [2, 1, 28, 28]);
    assert!(images.iter().all(|x| x.abs() <= 1.0));
    assert_eq!(*discriminator.forward(&images, &labels).shape(), [2]);
    assert_eq!(input_dimensions(64, 1, 10), (74, 11));
    assert_eq!(
        *make_gen_block(10, 20, 3, 2, false, &mut rng).forward(&Tensor::zeros([2, 10, 4, 4])).shape(),
        [2, 20, 9, 9]
    );
    let last: Sequential = make_disc_block(10, 20, 4, 2, true, &mut rng);
    assert_eq!(last.layers().len(), 1);
}

#[test]
fn a_label_is_a_channel_of_ones() {
    let channels = label_channels(&one_hot_labels(&Tensor::of([1_i64]), 3));
    assert_eq!(channels.mean([2, 3]).to_vec(), [0.0, 1.0, 0.0]);
}

#[test]
fn what_a_flag_says_goes_before_quick() {
    let epochs = |flags: &[&str]| Cli::parse_from([&["cdcgan"], flags].concat()).recipe.epochs;
    assert_eq!(epochs(&[]), None);
    assert_eq!(epochs(&["--quick"]), Some(1));
    assert_eq!(epochs(&["--quick", "--epochs", "3"]), Some(3));
}
