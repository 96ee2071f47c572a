//! The table of sales: how much of which product, on which day, at which temperature.

use autograd::{Rng, Tensor};

/// What there is to buy. That the rows of this list are kinds of products is not told to any model.
pub const PRODUCTS: [[&str; 8]; 4] = [
    ["ice cream", "lemonade", "iced tea", "sorbet", "cola", "melon", "sun cream", "salad"],
    ["cocoa", "soup", "tea", "coffee", "stew", "gloves", "honey", "broth"],
    ["rolls", "milk", "yoghurt", "newspaper", "sandwich", "apples", "bagels", "pretzels"],
    ["charcoal", "sausages", "beer", "crisps", "flowers", "cake", "wine", "pizza"],
];
/// What the pictures call the rows of [`PRODUCTS`].
pub const KINDS: [&str; 4] = ["on hot days", "on cold days", "on workdays", "at the weekend"];
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// How many products there are.
pub const COUNT: usize = PRODUCTS.len() * PRODUCTS[0].len();

/// How a kind's sales follow the temperature, and how much more of it is sold at weekends.
const EFFECTS: [[f64; 2]; 4] = [[1.0, 0.0], [-1.0, 0.0], [0.0, -1.6], [0.0, 1.6]];
/// The standard deviation of what nothing in the table explains.
const NOISE: f64 = 0.3;
/// The loss of a model that knows everything but that.
pub const LEAST_LOSS: f64 = NOISE * NOISE;

/// Some rows of the table.
pub struct Rows {
    /// `[N]`
    pub product: Tensor<i64>,
    /// `[N]`
    pub day: Tensor<i64>,
    /// `[N, 1]`, on a scale on which its mean is 0 and its standard deviation 1
    pub temperature: Tensor,
    /// `[N, 1]`, on such a scale, too
    pub sold: Tensor,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.product.count()
    }

    /// Those of these numbers.
    pub fn select(&self, rows: &[i64]) -> Rows {
        let rows = Tensor::from_slice(rows, rows.len()); // [B]
        Rows {
            product: self.product.index_select(0, &rows),
            day: self.day.index_select(0, &rows),
            temperature: self.temperature.index_select(0, &rows),
            sold: self.sold.index_select(0, &rows),
        }
    }
}

/// The kind of a product.
pub fn kind(product: usize) -> usize {
    product / PRODUCTS[0].len()
}

/// The rows to learn from, and those that are held out.
pub struct Sales {
    pub train: Rows,
    pub held_out: Rows,
}

impl Sales {
    // ANCHOR: sales
    /// Each product follows the temperature and the weekend as its kind does, a little more or less, and has a
    /// popularity of its own.
    pub fn new(train: usize, seed: u64) -> Sales {
        let mut rng = Rng::seeded(seed);
        let own: Vec<[f64; 3]> = (0..COUNT).map(|_| [0.1; 3].map(|spread| spread * rng.normal())).collect();
        let mut draw = |count: usize| {
            let (mut product, mut day, mut temperature, mut sold) = (vec![], vec![], vec![], vec![]);
            for _ in 0..count {
                let (p, d, t) = (rng.below(COUNT as u64) as usize, rng.below(7) as i64, rng.normal());
                let weekend = if d >= 5 { 5.0 / 7.0 } else { -2.0 / 7.0 }; // 0 in the mean of a week
                let [by_heat, by_weekend] = EFFECTS[kind(p)];
                let explained = own[p][0] + (by_heat + own[p][1]) * t + (by_weekend + own[p][2]) * weekend;
                product.push(p as i64);
                day.push(d);
                temperature.push(t as f32);
                sold.push((explained + NOISE * rng.normal()) as f32);
            }
            Rows {
                product: Tensor::from_slice(&product, [count]),
                day: Tensor::from_slice(&day, [count]),
                temperature: Tensor::from_slice(&temperature, [count, 1]),
                sold: Tensor::from_slice(&sold, [count, 1]),
            }
        };
        Sales { train: draw(train), held_out: draw(train / 2) }
    }
    // ANCHOR_END: sales
}
