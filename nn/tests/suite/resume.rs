//! Training that is saved, stopped and resumed goes on as if it had never stopped, bit for bit.

use autograd::{Rng, Tensor, no_grad};
use nn::checkpoint::{Checkpoint, CheckpointError};
use nn::data::{Loader, LoaderOptions, Position, TensorDataset};
use nn::optim::*;
use nn::{Dropout, Embedding, LayerNorm, Linear, Module, Part, Walk, impl_module};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WORDS: usize = 12;
const CONTEXT: usize = 3;
const EXAMPLES: usize = 44;
const EPOCHS: u64 = 5;
/// Batches of 8, the last of 4.
const STEPS_AN_EPOCH: usize = 6;
const STEPS: usize = EPOCHS as usize * STEPS_AN_EPOCH;

/// Predicts a word from those before it.
struct Model {
    embedding: Embedding,
    norm: LayerNorm,
    dropout: Dropout,
    fc: Linear,
}
impl_module!(Model { embedding, norm, dropout, fc });

impl Model {
    fn new(rng: &mut Rng) -> Model {
        let width = CONTEXT * 8;
        Model {
            embedding: Embedding::new(WORDS, 8, rng),
            norm: LayerNorm::new(width),
            dropout: Dropout::new(0.25, rng),
            fc: Linear::new(width, WORDS, rng),
        }
    }

    fn forward(&self, words: &Tensor<i64>) -> Tensor {
        let x = self.embedding.forward(words).reshape([words.size(0), CONTEXT * 8]); // [B, 24]
        self.fc.forward(&self.dropout.forward(&self.norm.forward(&x))) // [B, 12]
    }
}

/// What sets the learning rates: every step by a formula, or every epoch by what came of it.
enum Pace {
    OneCycle(Scheduler<OneCycleLr>),
    Plateau(ReduceLrOnPlateau, EarlyStopping),
}

/// Everything that training consists of.
struct Training {
    model: Model,
    optimizer: AdamW,
    pace: Pace,
    loader: Loader<TensorDataset<i64, i64>>,
    rng: Rng,
    position: Position,
    losses: Vec<u32>,
    lrs: Vec<f64>,
}

impl Training {
    fn new(one_cycle: bool, prefetch: usize, seed: u64) -> Training {
        let mut rng = Rng::seeded(seed);
        let model = Model::new(&mut rng);
        let (decayed, plain): (Vec<_>, Vec<_>) = model
            .named_parameters()
            .into_iter()
            .partition(|(name, _)| name == "embedding.weight" || name == "fc.weight");
        let mut optimizer = AdamW::new(decayed, AdamWOptions { lr: 0.02, weight_decay: 0.1, ..Default::default() });
        optimizer.add_group(plain, AdamWOptions { lr: 0.005, weight_decay: 0.0, ..Default::default() });
        let pace = if one_cycle {
            Pace::OneCycle(Scheduler::new(OneCycleLr::new(0.03, STEPS), &mut optimizer))
        } else {
            // Only the first loss is improvement enough: the rates fall, and patience and cooldown count.
            let threshold = Threshold::Absolute(10.0);
            let plateau = PlateauOptions { factor: 0.5, patience: 1, cooldown: 1, threshold, ..Default::default() };
            let stopping = EarlyStoppingOptions { min_delta: 0.05, ..Default::default() };
            Pace::Plateau(ReduceLrOnPlateau::new(plateau), EarlyStopping::new(stopping))
        };
        // The data are always the same.
        let words = Tensor::from_fn([EXAMPLES, CONTEXT], |i| (i * i + i / 5) as i64 % WORDS as i64);
        let next = Tensor::from_fn([EXAMPLES], |i| (i * 7 + i / 4) as i64 % WORDS as i64);
        let options = LoaderOptions { batch_size: 8, prefetch, seed: 9, ..Default::default() };
        let loader = Loader::new(TensorDataset::new(words, next), options);
        assert_eq!(loader.batches(), STEPS_AN_EPOCH);
        Training { model, optimizer, pace, loader, rng, position: Position::default(), losses: vec![], lrs: vec![] }
    }

    /// Goes on for so many steps, into the next epochs if need be.
    fn run(&mut self, steps: usize) {
        let end = self.losses.len() + steps;
        while self.losses.len() < end {
            let mut batches = self.loader.resume(self.position);
            while self.losses.len() < end
                && let Some((words, next)) = batches.next()
            {
                self.step(&words, &next);
                self.position = batches.position();
            }
            if self.position.batch == STEPS_AN_EPOCH as u64 {
                self.end_epoch();
                self.position = self.position.next_epoch();
            }
        }
    }

    fn step(&mut self, words: &Tensor<i64>, next: &Tensor<i64>) {
        // Random numbers of the loop's own.
        let noise = Tensor::randn([words.size(0), WORDS], &mut self.rng) * 0.01;
        let loss = (self.model.forward(words) + noise).cross_entropy(next);
        self.optimizer.zero_grad();
        loss.backward();
        clip_grad_norm(&self.model.parameters(), 1.0);
        self.optimizer.step();
        if let Pace::OneCycle(scheduler) = &mut self.pace {
            scheduler.step(&mut self.optimizer);
        }
        self.losses.push(loss.item().to_bits());
        self.lrs.push(self.optimizer.lr());
    }

    fn end_epoch(&mut self) {
        if let Pace::Plateau(plateau, stopping) = &mut self.pace {
            self.model.eval();
            let (words, next) = self.loader.epoch(0).next().unwrap();
            let loss = f64::from(no_grad(|| self.model.forward(&words).cross_entropy(&next)).item());
            self.model.train();
            plateau.step(loss, &mut self.optimizer);
            stopping.observe(loss, &self.model);
        }
    }

    fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut checkpoint = Checkpoint::new();
        checkpoint.put_module("model", &self.model);
        checkpoint.put_state("optimizer", &self.optimizer.state());
        match &self.pace {
            Pace::OneCycle(scheduler) => checkpoint.put_state("scheduler", &scheduler.state()),
            Pace::Plateau(plateau, stopping) => {
                checkpoint.put_state("plateau", &plateau.state());
                checkpoint.put_state("stopping", &stopping.state());
            }
        }
        checkpoint.put_rng("rng", &self.rng);
        checkpoint.put_state("position", &self.position.state());
        checkpoint.write(path)
    }

    fn load(&mut self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let checkpoint = Checkpoint::read(path)?;
        checkpoint.module("model", &self.model)?;
        self.optimizer.load_state(&checkpoint.state("optimizer"))?;
        match &mut self.pace {
            Pace::OneCycle(scheduler) => scheduler.load_state(&checkpoint.state("scheduler"), &mut self.optimizer)?,
            Pace::Plateau(plateau, stopping) => {
                plateau.load_state(&checkpoint.state("plateau"))?;
                stopping.load_state(&checkpoint.state("stopping"))?;
            }
        }
        self.rng = checkpoint.rng("rng")?;
        self.position = Position::from_state(&checkpoint.state("position"))?;
        Ok(())
    }

    /// All numbers that training has changed, by name, as bits.
    fn bits(&self) -> BTreeMap<String, Vec<u64>> {
        let mut found = BTreeMap::new();
        let bits = |values: &Tensor| values.to_vec().into_iter().map(|x| u64::from(x.to_bits())).collect::<Vec<_>>();
        for (name, value) in self.model.state() {
            found.insert(format!("model.{name}"), bits(&value));
        }
        let mut add = |group: &str, state: State| {
            found.extend(state.tensors.iter().map(|(name, value)| (format!("{group}.{name}"), bits(value))));
            found.extend(state.scalars.iter().map(|(name, value)| (format!("{group}.{name}"), vec![value.to_bits()])));
        };
        add("optimizer", self.optimizer.state());
        match &self.pace {
            Pace::OneCycle(scheduler) => add("scheduler", scheduler.state()),
            Pace::Plateau(plateau, stopping) => {
                add("plateau", plateau.state());
                add("stopping", stopping.state());
            }
        }
        add("position", self.position.state());
        let mut rngs = vec![("rng".to_string(), self.rng.state())];
        Walk::over(&self.model, &mut |name, part| {
            if let Part::Rng(rng) = part {
                rngs.push((name.to_string(), rng.lock().state()));
            }
        });
        assert_eq!(rngs.len(), 2, "the loop's generator and that of dropout");
        found.extend(rngs.into_iter().map(|(name, rng)| (name, vec![rng.seed, rng.stream, rng.counter as u64])));
        found
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("chainrule-resume-{name}-{}.safetensors", std::process::id()))
}

/// One run without a pause, and one that is stopped after each number of steps and resumed by new objects.
fn resumes(one_cycle: bool) -> Training {
    let path = scratch(if one_cycle { "one-cycle" } else { "plateau" });
    let mut whole = Training::new(one_cycle, 0, 1);
    whole.run(STEPS);
    let expected = whole.bits();
    for stop in 0..STEPS {
        // Batches prepared ahead must not count as done.
        let prefetch = stop % 3;
        let mut first = Training::new(one_cycle, prefetch, 1);
        first.run(stop);
        first.save(&path).unwrap();

        // Other weights and random numbers at first: what was forgotten in the file would show.
        let mut second = Training::new(one_cycle, prefetch, 2);
        second.load(&path).unwrap();
        assert_eq!(second.bits(), first.bits(), "loaded after {stop} steps");
        second.run(STEPS - stop);
        assert_eq!([first.losses, second.losses.clone()].concat(), whole.losses, "losses, stopped after {stop} steps");
        assert_eq!(second.bits(), expected, "stopped after {stop} steps");
    }
    std::fs::remove_file(path).unwrap();
    whole
}

#[test]
fn a_schedule_that_changes_every_step() {
    let whole = resumes(true);
    assert!(whole.lrs.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", whole.lrs);
}

#[test]
fn a_plateau_and_early_stopping() {
    let whole = resumes(false);
    assert!(whole.lrs.last() < whole.lrs.first(), "the rates were to fall: {:?}", whole.lrs);
    let Pace::Plateau(_, stopping) = &whole.pace else { unreachable!() };
    assert!(stopping.best_at().is_some());
}
