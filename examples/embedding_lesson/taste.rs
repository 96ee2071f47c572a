//! Collaborative filtering: what will a viewer think of a film that they have not rated?

use crate::nearest::{share_in_group, vectors};
use crate::ratings::{FILM_COUNT, FILMS, GENRES, Ratings, VIEWERS, genre};
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labelled, Labels, Panel, Series, save, save_map};
use common::progress;
use nn::losses::mse_loss;
use nn::optim::{AdamW, AdamWOptions, Optimizer};
use nn::{Embedding, Module, impl_module};
use std::path::Path;

/// Numbers that stand for a viewer, and for a film.
const WIDTH: usize = 2;
/// Ratings in a step.
const BATCH: usize = 64;

// ANCHOR: model
/// stars = mean + bias of the viewer + bias of the film (+ viewer · film)
struct Taste {
    viewer_bias: Embedding,
    film_bias: Embedding,
    viewer: Option<Embedding>,
    film: Option<Embedding>,
    mean: f32,
}
impl_module!(Taste { viewer_bias, film_bias, viewer, film, mean });

impl Taste {
    fn forward(&self, ratings: &Ratings) -> Tensor {
        let biases = self.viewer_bias.forward(&ratings.viewer) + self.film_bias.forward(&ratings.film); // [B, 1]
        let mut stars = biases.squeeze(1) + self.mean; // [B]
        if let (Some(viewer), Some(film)) = (&self.viewer, &self.film) {
            let (viewer, film) = (viewer.forward(&ratings.viewer), film.forward(&ratings.film)); // [B, 2] both
            stars = stars + (viewer * film).sum(1); // [B, 2] -> [B]
        }
        stars
    }
}
// ANCHOR_END: model

fn new(mean: f32, with_embeddings: bool, rng: &mut Rng) -> Taste {
    // With both at zero, neither would have a gradient: each is the slope of the other.
    let mut table = |rows| with_embeddings.then(|| Embedding::from_table(Tensor::randn([rows, WIDTH], rng) * 0.1));
    let (viewer, film) = (table(VIEWERS), table(FILM_COUNT));
    let zero = |rows| Embedding::from_table(Tensor::zeros([rows, 1]));
    Taste { viewer_bias: zero(VIEWERS), film_bias: zero(FILM_COUNT), viewer, film, mean }
}

/// The root mean square error.
fn rmse(predicted: &Tensor, ratings: &Ratings) -> f64 {
    f64::from(mse_loss(predicted, &ratings.stars).item()).sqrt()
}

/// Trains; returns (epoch, error) on held-out ratings.
fn train(model: &Taste, train: &Ratings, held_out: &Ratings, epochs: usize, label: &str) -> Vec<(f64, f64)> {
    let mut rng = Rng::seeded(0);
    // A viewer has ten ratings, and three numbers to learn from them: without decay they are learnt by heart.
    let options = AdamWOptions { lr: 0.01, weight_decay: 0.5, ..Default::default() };
    let mut adam = AdamW::new(model.named_parameters(), options);
    let mut order: Vec<i64> = (0..train.len() as i64).collect();
    let bar = progress(epochs, label);
    let mut errors = Vec::new();
    for epoch in 1..=epochs {
        rng.shuffle(&mut order);
        for rows in order.chunks(BATCH) {
            let ratings = train.select(rows);
            let loss = mse_loss(&model.forward(&ratings), &ratings.stars);
            adam.zero_grad();
            loss.backward();
            adam.step();
        }
        errors.push((epoch as f64, no_grad(|| rmse(&model.forward(held_out), held_out))));
        bar.inc(1);
    }
    bar.finish_and_clear();
    errors
}

/// The figures of the last line.
pub struct Outcome {
    pub mean: f64,
    pub embeddings: f64,
}

/// Prints the lesson, draws `ratings.png` and `films.png`, saves the embeddings.
pub fn lesson(epochs: usize, seed: u64, out: &Path) -> Result<Outcome> {
    let ratings = Ratings::new(seed);
    let mut rng = Rng::seeded(seed);
    let mut order: Vec<i64> = (0..ratings.len() as i64).collect();
    rng.shuffle(&mut order);
    let (held_out, training) = order.split_at(ratings.len() / 5);
    let (training, held_out) = (ratings.select(training), ratings.select(held_out));
    println!(
        "\n2. Who likes what\n\n\
         {VIEWERS} viewers have rated 12 of {FILM_COUNT} films each, from 1 to 5; made up as well. A fifth of the {} ratings is\n\
         held out. Nobody says what a film is about: all there is to learn from is who liked what.\n",
        ratings.len()
    );
    let mean = training.stars.mean(..).item();
    let by_mean = rmse(&held_out.stars.full_like(mean), &held_out);
    let best = rmse(&held_out.expected, &held_out);
    let biases = new(mean, false, &mut rng);
    let model = new(mean, true, &mut rng);
    let bias_errors = train(&biases, &training, &held_out, epochs, "biases");
    let errors = train(&model, &training, &held_out, epochs, "embeddings");
    let last = |errors: &[(f64, f64)]| errors.last().map_or(f64::NAN, |last| last.1);
    let (by_biases, by_embeddings) = (last(&bias_errors), last(&errors));
    println!(
        "                                               RMSE on held-out ratings\n\
         \x20   always the mean, {mean:.2}                                        {by_mean:.4}\n\
         \x20   + a bias for each viewer and each film                        {by_biases:.4}\n\
         \x20   + viewer · film, {WIDTH} numbers each                             {by_embeddings:.4}\n\
         \x20   who knows how the table was made, but not the moods           {best:.4}\n"
    );

    let film = model.film.as_ref().expect("it has embeddings").weight.value().detach(); // [24, 2]
    let points = vectors(&film);
    let same = share_in_group(&points, genre);
    println!(
        "{:.0} of {FILM_COUNT} films have as their nearest neighbour one of their own genre, which nobody named.",
        same * FILM_COUNT as f64
    );
    recommend(&model, &training);

    let lines = [Series { label: "biases", points: bias_errors }, Series { label: "and embeddings", points: errors }];
    let loss = Panel::lines(Labels { title: "Held-out ratings", x: "epoch", y: "RMSE, stars" }, &lines)
        .reference(by_mean, "the mean")
        .reference(best, "the moods")
        .y_range(0.5, 1.2);
    save(&out.join("ratings.png"), "", 1, vec![loss])?;
    let plane: Vec<_> = points.iter().map(|point| (point[0], point[1])).collect();
    let texts: Vec<String> = FILMS.iter().flatten().map(|title| title.to_string()).collect();
    let groups: Vec<usize> = (0..FILM_COUNT).map(genre).collect();
    let labels = Labels { title: "What the films have become", x: "first number", y: "second number" };
    let of = Labelled { points: &plane, texts: &texts, groups: &groups, names: &GENRES };
    save_map(&out.join("films.png"), Panel::labelled_groups(labels, of))?;
    nn::checkpoint::save_module(&model, &out.join("taste.safetensors"))?;
    Ok(Outcome { mean: by_mean, embeddings: by_embeddings })
}

/// What the first viewer liked, and what they should see next.
fn recommend(model: &Taste, known: &Ratings) {
    let title = |film: usize| FILMS[genre(film)][film % FILMS[0].len()];
    let mut rated: Vec<(usize, f32)> = (0..known.len())
        .filter(|&row| known.viewer.value_at([row]) == 0)
        .map(|row| (known.film.value_at([row]) as usize, known.stars.value_at([row])))
        .collect();
    rated.sort_by(|a, b| b.1.total_cmp(&a.1));
    let unseen: Vec<i64> =
        (0..FILM_COUNT as i64).filter(|&film| rated.iter().all(|&(seen, _)| seen as i64 != film)).collect();
    let count = unseen.len();
    let nothing = Tensor::zeros([count]);
    let rows = Ratings {
        viewer: Tensor::full_of([count], 0_i64),
        film: Tensor::from_slice(&unseen, [count]),
        stars: nothing.clone(),
        expected: nothing,
    };
    let predicted = no_grad(|| model.forward(&rows)); // [count]
    let (stars, order) = predicted.sort(0, true);
    let seen: Vec<_> = rated.iter().take(4).map(|&(film, stars)| format!("{} {stars:.0}", title(film))).collect();
    let next: Vec<_> = order
        .iter()
        .zip(stars.iter())
        .take(3)
        .map(|(row, stars)| format!("{} {stars:.1}", title(unseen[row as usize] as usize)))
        .collect();
    println!("The first viewer liked most: {}.\nOf the rest, they should see: {}.", seen.join(", "), next.join(", "));
}
