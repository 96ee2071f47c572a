//! Two models of the same table, side by side: one sees its categories as one-hot, one as embeddings.

use crate::nearest::{nearest, share_in_group, vectors};
use crate::sales::{COUNT, DAYS, KINDS, LEAST_LOSS, PRODUCTS, Rows, Sales, kind};
use anyhow::{Result, ensure};
use autograd::{Rng, Tensor, no_grad};
use common::plot::{Labelled, Labels, Panel, Series, save, save_map};
use common::{profile, progress};
use nn::losses::mse_loss;
use nn::optim::{Adam, AdamOptions, Optimizer};
use nn::{Embedding, Linear, Module, impl_module};
use std::path::Path;

/// Numbers that stand for a product, and for a day.
const WIDTH: usize = 2;

/// Anything that says how much will be sold.
trait Model: Module {
    /// Rows to `[B, 1]`.
    fn forward(&self, rows: &Rows) -> Tensor;
}

// ANCHOR: models
/// Sees a product as 32 numbers, of which one is not zero.
struct OneHot {
    fc1: Linear,
    fc2: Linear,
}
impl_module!(OneHot { fc1, fc2 });

impl Model for OneHot {
    fn forward(&self, rows: &Rows) -> Tensor {
        let (product, day) = (rows.product.one_hot(COUNT), rows.day.one_hot(7)); // [B, 32], [B, 7]
        let x = Tensor::cat(&[&product, &day, &rows.temperature], 1); // [B, 40]
        self.fc2.forward(&self.fc1.forward(&x).relu()) // [B, 1]
    }
}

/// Sees a product as two numbers, which it learns.
struct Embedded {
    product: Embedding,
    day: Embedding,
    fc1: Linear,
    fc2: Linear,
}
impl_module!(Embedded { product, day, fc1, fc2 });

impl Model for Embedded {
    fn forward(&self, rows: &Rows) -> Tensor {
        let (product, day) = (self.product.forward(&rows.product), self.day.forward(&rows.day)); // [B, 2] both
        let x = Tensor::cat(&[&product, &day, &rows.temperature], 1); // [B, 5]
        self.fc2.forward(&self.fc1.forward(&x).relu()) // [B, 1]
    }
}
// ANCHOR_END: models

/// How to train, both models alike.
#[derive(Clone, Copy)]
pub struct Training {
    pub hidden: usize,
    pub epochs: usize,
    pub batch: usize,
    pub lr: f64,
}

/// (epoch, loss) on the rows to learn from, and on those held out.
struct History {
    train: Vec<(f64, f64)>,
    held_out: Vec<(f64, f64)>,
}

impl History {
    fn last(&self) -> [f64; 2] {
        [&self.train, &self.held_out].map(|losses| losses.last().map_or(f64::NAN, |last| last.1))
    }
}

fn train(model: &impl Model, sales: &Sales, training: Training, seed: u64, label: &str) -> Result<History> {
    let mut rng = Rng::seeded(seed);
    let mut adam = Adam::new(model.named_parameters(), AdamOptions { lr: training.lr, ..Default::default() });
    let mut history = History { train: Vec::new(), held_out: Vec::new() };
    let mut order: Vec<i64> = (0..sales.train.len() as i64).collect();
    let bar = progress(training.epochs, label);
    for epoch in 1..=training.epochs {
        rng.shuffle(&mut order);
        for rows in order.chunks(training.batch) {
            let _step = profile::step();
            let rows = sales.train.select(rows);
            let loss = mse_loss(&model.forward(&rows), &rows.sold);
            adam.zero_grad();
            loss.backward();
            adam.step();
        }
        let loss = |rows: &Rows| no_grad(|| f64::from(mse_loss(&model.forward(rows), &rows.sold).item()));
        let (train, held_out) = (loss(&sales.train), loss(&sales.held_out));
        ensure!(train.is_finite(), "the loss is {train} after {epoch} epochs: try a smaller --lr");
        history.train.push((epoch as f64, train));
        history.held_out.push((epoch as f64, held_out));
        bar.set_message(format!("held-out loss {held_out:.4}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(history)
}

/// The figures of the last line.
pub struct Outcome {
    pub one_hot: f64,
    pub embedding: f64,
    pub neighbours: f64,
}

/// Prints the lesson, draws `loss.png`, `products.png` and `days.png`, saves the embedding model.
pub fn lesson(sales: &Sales, training: Training, seed: u64, out: &Path) -> Result<Outcome> {
    println!(
        "1. Categories in a table\n\n\
         A kiosk's sales, made up by this program: {} rows to learn from and {} held out, each with a product (of {COUNT}),\n\
         a day of the week, a temperature, and how much was sold. What the models are not told: products come in four\n\
         kinds, sold on hot days, on cold days, on workdays and at weekends. What nothing in the table explains has a\n\
         variance of {LEAST_LOSS:.2}; no model can have a smaller squared error on rows that it has not seen.\n",
        sales.train.len(),
        sales.held_out.len()
    );
    let mut rng = Rng::seeded(seed);
    let hidden = training.hidden;
    let one_hot = OneHot { fc1: Linear::new(COUNT + 7 + 1, hidden, &mut rng), fc2: Linear::new(hidden, 1, &mut rng) };
    // Close together at the start, so that what is apart in the end was moved apart by the data.
    let small = |rows, rng: &mut Rng| Embedding::from_table(Tensor::randn([rows, WIDTH], rng) * 0.1);
    let embedded = Embedded {
        product: small(COUNT, &mut rng),
        day: small(7, &mut rng),
        fc1: Linear::new(2 * WIDTH + 1, hidden, &mut rng),
        fc2: Linear::new(hidden, 1, &mut rng),
    };
    let apart = train(&one_hot, sales, training, seed, "one-hot")?;
    let together = train(&embedded, sales, training, seed, "embedding")?;
    let ([one_hot_train, one_hot_held], [embedded_train, embedded_held]) = (apart.last(), together.last());
    println!(
        "                 parameters   loss on rows learnt from   on held-out rows\n\
         \x20   one-hot      {:>10}   {one_hot_train:>24.4}   {one_hot_held:>16.4}\n\
         \x20   embedding    {:>10}   {embedded_train:>24.4}   {embedded_held:>16.4}\n\n\
         One-hot gives each product {hidden} weights of its own, to be learnt from its {:.0} rows. The embedding leaves it\n\
         {WIDTH} numbers, and all products share what is made of them: what is learnt of ice cream helps with sorbet.",
        one_hot.parameter_count(),
        embedded.parameter_count(),
        sales.train.len() as f64 / COUNT as f64
    );

    let table = embedded.product.weight.value().detach(); // [32, 2]
    let points = vectors(&table);
    let neighbours = share_in_group(&points, kind);
    let chance = (PRODUCTS[0].len() - 1) as f64 / (COUNT - 1) as f64;
    // Row p of the transposed weights is what product p brings to the hidden layer: an embedding as well.
    let first_layer = one_hot.fc1.weight.value().detach().t().narrow(0, 0, COUNT).contiguous(); // [32, H]
    let in_first_layer = share_in_group(&vectors(&first_layer), kind);
    println!(
        "\nAlike is close: {:.0} of {COUNT} products have as their nearest neighbour one of their own kind ({:.0} % by chance).\n\
         As one-hot rows, all are equally far from each other, √2. But look at what one-hot is multiplied by: the column of\n\
         the first layer that a product picks is its embedding, {hidden} numbers wide, and there it is {:.0} of {COUNT}.\n",
        neighbours * COUNT as f64,
        chance * 100.0,
        in_first_layer * COUNT as f64
    );
    let names: Vec<String> = PRODUCTS.iter().flatten().map(|name| name.to_string()).collect();
    let closest = nearest(&points);
    for product in [0, 8, 16, 24] {
        println!("    nearest to {:>9}: {}", names[product], names[closest[product]]);
    }

    let lines = [
        Series { label: "one-hot, learnt from", points: apart.train },
        Series { label: "one-hot, held out", points: apart.held_out },
        Series { label: "embedding, learnt from", points: together.train },
        Series { label: "embedding, held out", points: together.held_out },
    ];
    let labels = Labels { title: "Two ways to see a category", x: "epoch", y: "squared error" };
    let loss = Panel::lines(labels, &lines).y_range(0.0, 0.5).reference(LEAST_LOSS, "noise");
    save(&out.join("loss.png"), "", 1, vec![loss])?;

    let plane = |points: &[Vec<f64>]| points.iter().map(|point| (point[0], point[1])).collect::<Vec<_>>();
    let groups: Vec<usize> = (0..COUNT).map(kind).collect();
    let labels = Labels { title: "What the products have become", x: "first number", y: "second number" };
    let of = Labelled { points: &plane(&points), texts: &names, groups: &groups, names: &KINDS };
    save_map(&out.join("products.png"), Panel::labelled_groups(labels, of))?;
    let days: Vec<String> = DAYS.iter().map(|day| day.to_string()).collect();
    let labels = Labels { title: "What the days have become", x: "first number", y: "second number" };
    let of = Labelled {
        points: &plane(&vectors(&embedded.day.weight.value().detach())),
        texts: &days,
        groups: &[0, 0, 0, 0, 0, 1, 1],
        names: &["workdays", "weekend"],
    };
    save_map(&out.join("days.png"), Panel::labelled_groups(labels, of))?;
    nn::checkpoint::save_module(&embedded, &out.join("sales.safetensors"))?;
    Ok(Outcome { one_hot: one_hot_held, embedding: embedded_held, neighbours })
}
