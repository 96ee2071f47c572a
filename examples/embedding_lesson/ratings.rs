//! The table of ratings: who gave which film how many stars.

use autograd::{Rng, Tensor};

/// Films that do not exist. That the rows of this list are genres is not told to any model.
pub const FILMS: [[&str; 6]; 4] = [
    ["Orbit Nine", "Airlock", "Red Dust", "Signal Lost", "Gravity Bay", "Star Ferry"],
    ["Letters", "Two Umbrellas", "Slow Train", "Waltz", "Dear Margot", "Harbour"],
    ["Cold Ledger", "The Witness", "Reckoning", "Alibi", "The Forger", "Night Shift"],
    ["Bruno", "Paper Pirates", "Moon Hat", "Carrot", "Snail Post", "Dragon School"],
];
/// What the pictures call the rows of [`FILMS`].
pub const GENRES: [&str; 4] = ["space", "romance", "crime", "cartoon"];
pub const FILM_COUNT: usize = FILMS.len() * FILMS[0].len();
pub const VIEWERS: usize = 200;
/// Films that each viewer has rated.
const RATED: usize = 12;

/// The genre of a film.
pub fn genre(film: usize) -> usize {
    film / FILMS[0].len()
}

/// Some of the ratings.
pub struct Ratings {
    /// `[N]`
    pub viewer: Tensor<i64>,
    /// `[N]`
    pub film: Tensor<i64>,
    /// `[N]`: 1 to 5
    pub stars: Tensor,
    /// `[N]`: what the viewer would say on average, could one ask again and again
    pub expected: Tensor,
}

impl Ratings {
    pub fn len(&self) -> usize {
        self.stars.count()
    }

    /// Those of these numbers.
    pub fn select(&self, rows: &[i64]) -> Ratings {
        let rows = Tensor::from_slice(rows, rows.len()); // [B]
        Ratings {
            viewer: self.viewer.index_select(0, &rows),
            film: self.film.index_select(0, &rows),
            stars: self.stars.index_select(0, &rows),
            expected: self.expected.index_select(0, &rows),
        }
    }

    /// Each film lies somewhere in a plane, near the others of its genre; each viewer looks in some direction of
    /// that plane, and likes what lies there. Beside that, some films are better, some viewers kinder, and all moody.
    pub fn new(seed: u64) -> Ratings {
        let mut rng = Rng::seeded(seed);
        let centres = [[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
        let mut around = |[x, y]: [f64; 2], spread: f64| [x + spread * rng.normal(), y + spread * rng.normal()];
        let places: Vec<[f64; 2]> = (0..FILM_COUNT).map(|film| around(centres[genre(film)], 0.15)).collect();
        let tastes: Vec<[f64; 2]> = (0..VIEWERS).map(|_| around([0.0, 0.0], 1.0)).collect();
        let better: Vec<f64> = (0..FILM_COUNT).map(|_| 0.3 * rng.normal()).collect();
        let kinder: Vec<f64> = (0..VIEWERS).map(|_| 0.3 * rng.normal()).collect();
        let (mut viewer, mut film, mut stars, mut expected) = (vec![], vec![], vec![], vec![]);
        for (u, taste) in tastes.iter().enumerate() {
            let mut films: Vec<usize> = (0..FILM_COUNT).collect();
            rng.shuffle(&mut films);
            for &i in &films[..RATED] {
                let liking = taste[0] * places[i][0] + taste[1] * places[i][1];
                let mean = (3.2 + better[i] + kinder[u] + liking).clamp(1.0, 5.0);
                viewer.push(u as i64);
                film.push(i as i64);
                expected.push(mean as f32);
                stars.push((mean + 0.5 * rng.normal()).round().clamp(1.0, 5.0) as f32);
            }
        }
        let count = stars.len();
        Ratings {
            viewer: Tensor::from_slice(&viewer, [count]),
            film: Tensor::from_slice(&film, [count]),
            stars: Tensor::from_slice(&stars, [count]),
            expected: Tensor::from_slice(&expected, [count]),
        }
    }
}
