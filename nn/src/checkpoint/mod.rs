//! Checkpoints: weights, and all else that training needs to continue, in safetensors files.
//!
//! A file that holds a module's state alone has PyTorch's names and layouts: `safetensors.torch.load_file`
//! reads it, and [`load_module`] reads what `save_file(model.state_dict(), ..)` wrote.
//!
//! Saving writes a new file beside the old one and renames it: whoever is killed half-way leaves the old
//! file whole. Loading trusts nothing: a file that is cut short, or whose header lies about what follows,
//! is an error that names the file and what is wrong, and what does not fit a module is listed in full
//! before anything is changed.

mod header;

use crate::files::write_at_one_stroke;
use crate::module::{Module, Part, Walk};
use crate::optim::{Misshapen, State, StateError};
use autograd::{MAX_RANK, Rng, RngState, Tensor};
use header::{Entry, Header, Lie};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// What can go wrong with a checkpoint.
///
/// The message says all of it, also what the system said; there is no `source` to be printed after it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is no safetensors file, is cut short, or its header does not match what follows it.
    #[error("{path}: not a whole safetensors file: {reason}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An entry of the file is of a kind that does not belong there.
    #[error("{path}: entry {name:?}: {reason}")]
    Entry {
        /// Which file.
        path: PathBuf,
        /// Which entry.
        name: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// The entries are not those of what they are loaded into.
    #[error("{path}: {mismatch}")]
    Mismatch {
        /// Which file.
        path: PathBuf,
        /// All that is missing, unexpected or misshapen.
        mismatch: StateError,
    },
}

/// Writes the parameters and buffers of `module` to `path`.
///
/// # Errors
/// If the file cannot be written; then the old one, if any, is as it was.
pub fn save_module<M: Module + ?Sized>(module: &M, path: &Path) -> Result<(), CheckpointError> {
    let mut checkpoint = Checkpoint::new();
    checkpoint.put_module("", module);
    checkpoint.write(path)
}

/// Reads the parameters and buffers of `module` from `path`.
///
/// # Errors
/// If the file cannot be read, is malformed, or its entries are not those of the module; then the module
/// is as it was.
pub fn load_module<M: Module + ?Sized>(module: &M, path: &Path) -> Result<(), CheckpointError> {
    Checkpoint::read(path)?.module("", module)
}

/// Several things in one file: a model, an optimiser, a schedule, random numbers, a position.
///
/// ```
/// use autograd::Rng;
/// use nn::checkpoint::Checkpoint;
/// use nn::optim::{Adam, AdamOptions, Optimizer};
/// use nn::{Linear, Module};
///
/// let mut rng = Rng::seeded(0);
/// let model = Linear::new(2, 1, &mut rng);
/// let mut adam = Adam::new(model.named_parameters(), AdamOptions::default());
/// let path = std::env::temp_dir().join(format!("chainrule-doc-{}.safetensors", std::process::id()));
///
/// let mut checkpoint = Checkpoint::new();
/// checkpoint.put_module("model", &model);
/// checkpoint.put_state("adam", &adam.state());
/// checkpoint.put_rng("rng", &rng);
/// checkpoint.put_text("epoch", "7");
/// checkpoint.write(&path)?;
///
/// let checkpoint = Checkpoint::read(&path)?;
/// checkpoint.module("model", &model)?;
/// adam.load_state(&checkpoint.state("adam"))?;
/// let mut rng = checkpoint.rng("rng")?;
/// assert_eq!(checkpoint.text("epoch"), Some("7"));
/// # rng.uniform();
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    scalars: BTreeMap<String, f64>,
    texts: BTreeMap<String, String>,
}

/// `name` inside of `group`; just `name`, if the group has none.
fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_string() } else { format!("{group}.{name}") }
}

/// What stands in `group`, by its name inside of it.
fn inside<'a, V>(group: &'a str, entries: &'a BTreeMap<String, V>) -> impl Iterator<Item = (String, &'a V)> {
    entries.iter().filter_map(move |(name, value)| {
        let rest = if group.is_empty() { name } else { name.strip_prefix(group)?.strip_prefix('.')? };
        Some((rest.to_string(), value))
    })
}

impl Checkpoint {
    /// Nothing yet.
    pub fn new() -> Checkpoint {
        Checkpoint::default()
    }

    /// Adds the parameters, the buffers and the random numbers of `module`'s layers, as `group.name`.
    pub fn put_module<M: Module + ?Sized>(&mut self, group: &str, module: &M) {
        self.tensors.extend(module.state().into_iter().map(|(name, value)| (join(group, &name), value)));
        let mut rngs = Vec::new();
        Walk::over(module, &mut |name, part| {
            if let Part::Rng(rng) = part {
                rngs.push((join(group, name), rng.lock().state()));
            }
        });
        for (name, state) in rngs {
            self.texts.insert(name, rng_to_text(state));
        }
    }

    /// Adds the state of an optimiser or a schedule.
    pub fn put_state(&mut self, group: &str, state: &State) {
        self.tensors.extend(state.tensors.iter().map(|(name, value)| (join(group, name), value.clone())));
        self.scalars.extend(state.scalars.iter().map(|(name, &value)| (join(group, name), value)));
    }

    /// Adds where a generator stands.
    pub fn put_rng(&mut self, name: &str, rng: &Rng) {
        self.texts.insert(name.to_string(), rng_to_text(rng.state()));
    }

    /// Adds a text, such as the position in the data.
    pub fn put_text(&mut self, name: &str, text: impl Into<String>) {
        self.texts.insert(name.to_string(), text.into());
    }

    /// Sets parameters, buffers and random numbers of `module` to what stands in `group`. Random numbers may be
    /// missing, as they are in PyTorch's files: those layers go on drawing as they did.
    ///
    /// # Errors
    /// If anything is missing, unexpected or of another shape, all of which is listed; then nothing changes.
    pub fn module<M: Module + ?Sized>(&self, group: &str, module: &M) -> Result<(), CheckpointError> {
        let mut mismatch = StateError::default();
        let mut here: BTreeMap<String, &Tensor> = inside(group, &self.tensors).collect();
        let mut rngs = HashMap::new();
        for (name, value) in module.state() {
            match here.get(&name) {
                None => mismatch.missing.push(name),
                Some(found) if found.shape() != value.shape() => {
                    mismatch.misshapen.push(Misshapen { name, expected: *value.shape(), found: *found.shape() })
                }
                Some(_) => {}
            }
        }
        let mut broken = None;
        Walk::over(module, &mut |name, part| {
            if let Part::Rng(_) = part
                && let Some(text) = self.texts.get(&join(group, name))
            {
                match rng_from_text(text) {
                    Some(state) => drop(rngs.insert(name.to_string(), state)),
                    None => broken = Some(self.entry(name, format!("{text:?} is no state of a generator"))),
                }
            }
        });
        if let Some(error) = broken {
            return Err(error);
        }
        let names: Vec<String> = module.state().into_iter().map(|(name, _)| name).collect();
        mismatch.unexpected = here.keys().filter(|name| !names.contains(name)).cloned().collect();
        if mismatch != StateError::default() {
            return Err(CheckpointError::Mismatch { path: self.path.clone(), mismatch });
        }
        Walk::over(module, &mut |name, part| match part {
            Part::Parameter(parameter) => here.remove(name).into_iter().for_each(|value| parameter.set(value)),
            Part::Buffer(buffer) => here.remove(name).into_iter().for_each(|value| buffer.set(value)),
            Part::Rng(rng) => rngs.remove(name).into_iter().for_each(|state| *rng.lock() = Rng::from_state(state)),
            _ => {}
        });
        Ok(())
    }

    /// What stands in `group`, for an optimiser's or a schedule's `load_state`.
    pub fn state(&self, group: &str) -> State {
        State {
            tensors: inside(group, &self.tensors).map(|(name, value)| (name, value.clone())).collect(),
            scalars: inside(group, &self.scalars).map(|(name, &value)| (name, value)).collect(),
        }
    }

    /// The generator of this name, where it stood.
    ///
    /// # Errors
    /// If there is none, or the entry is no state of one.
    pub fn rng(&self, name: &str) -> Result<Rng, CheckpointError> {
        let Some(text) = self.texts.get(name) else {
            return Err(self.entry(name, "missing; expected the state of a generator".to_string()));
        };
        let Some(state) = rng_from_text(text) else {
            return Err(self.entry(name, format!("{text:?} is no state of a generator")));
        };
        Ok(Rng::from_state(state))
    }

    /// The text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    fn entry(&self, name: &str, reason: String) -> CheckpointError {
        CheckpointError::Entry { path: self.path.clone(), name: name.to_string(), reason }
    }

    /// Writes everything to `path`, in the place of the file there, if any, at one stroke.
    ///
    /// # Errors
    /// If the file cannot be written; then the old one is as it was.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        // Numbers as little-endian bytes, before views of them can be taken.
        let tensors = self.tensors.iter().map(|(name, value)| {
            let bytes: Vec<u8> = value.iter().flat_map(f32::to_le_bytes).collect();
            (name, Dtype::F32, value.shape().to_vec(), bytes)
        });
        let scalars = self.scalars.iter().map(|(name, value)| (name, Dtype::F64, vec![], value.to_le_bytes().to_vec()));
        let entries: Vec<_> = tensors.chain(scalars).collect();
        let views = entries.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).expect("as many bytes as the shape says");
            (name.as_str(), view)
        });
        let texts = (!self.texts.is_empty()).then(|| self.texts.clone().into_iter().collect());
        let bytes = safetensors::serialize(views, texts)
            .map_err(|error| CheckpointError::Malformed { path: path.to_path_buf(), reason: error.to_string() })?;
        write_at_one_stroke(path, |file| file.write_all(&bytes))
            .map_err(|cause| CheckpointError::Io { path: path.to_path_buf(), cause })
    }

    /// Reads what [`write`](Checkpoint::write), or PyTorch's safetensors, wrote.
    ///
    /// # Errors
    /// If the file cannot be read, is not whole, its header does not fit the data (entries that share bytes or
    /// leave some out, sizes that are none, a name that stands twice), or it holds entries of a type other than
    /// `f32` (tensors), `f64` without axes (numbers) and `i64` without axes (counts, which become tensors).
    pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
        let bytes = fs::read(path).map_err(|cause| CheckpointError::Io { path: path.to_path_buf(), cause })?;
        let mut checkpoint = Checkpoint { path: path.to_path_buf(), ..Checkpoint::default() };
        let Header { entries, texts } = header::read(&bytes).map_err(|Lie { entry, reason }| match entry {
            Some(name) => checkpoint.entry(&name, reason),
            None => CheckpointError::Malformed { path: path.to_path_buf(), reason },
        })?;
        checkpoint.texts.extend(texts);
        for Entry { name, dtype, shape, data } in entries {
            let data = &bytes[data];
            if shape.len() > MAX_RANK {
                return Err(checkpoint.entry(&name, format!("{} axes; expected {MAX_RANK} at most", shape.len())));
            }
            match dtype {
                Dtype::F32 => {
                    let values: Vec<f32> = data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
                    checkpoint.tensors.insert(name, Tensor::from_slice(&values, &shape[..]));
                }
                // A count, as PyTorch's batch norm has one of its batches.
                Dtype::I64 => {
                    let count = data.try_into().map(i64::from_le_bytes).expect("the size has been checked");
                    if count as f32 as i64 != count {
                        return Err(
                            checkpoint.entry(&name, format!("{count}, which no f32 is; expected a smaller count"))
                        );
                    }
                    checkpoint.tensors.insert(name, Tensor::from(count as f32));
                }
                _ => {
                    let number = data.try_into().map(f64::from_le_bytes).expect("the size has been checked");
                    checkpoint.scalars.insert(name, number);
                }
            }
        }
        Ok(checkpoint)
    }
}

fn rng_to_text(state: RngState) -> String {
    format!("seed {} stream {} counter {}", state.seed, state.stream, state.counter)
}

fn rng_from_text(text: &str) -> Option<RngState> {
    let words: Vec<&str> = text.split(' ').collect();
    let ["seed", seed, "stream", stream, "counter", counter] = words[..] else { return None };
    Some(RngState { seed: seed.parse().ok()?, stream: stream.parse().ok()?, counter: counter.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Linear;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("chainrule-checkpoint-{name}-{}.safetensors", std::process::id()))
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let path = path("round");
        let (a, b) = (Linear::new(3, 2, &mut Rng::seeded(1)), Linear::new(3, 2, &mut Rng::seeded(2)));
        save_module(&a, &path).unwrap();
        load_module(&b, &path).unwrap();
        assert_eq!(a.weight.value().to_vec(), b.weight.value().to_vec());
        assert!(b.weight.is_trainable());
        fs::remove_file(&path).unwrap();
    }

    /// PyTorch's `num_batches_tracked`.
    #[test]
    fn a_count_of_pytorch_is_a_tensor() {
        let path = path("count");
        let file = |count: i64| {
            let header = br#"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
            let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &count.to_le_bytes()].concat();
            fs::write(&path, bytes).unwrap();
            Checkpoint::read(&path)
        };
        assert_eq!(file(938).unwrap().tensors["n"].item(), 938.0);
        let error = file((1 << 24) + 1).err().unwrap().to_string();
        assert!(error.contains("entry \"n\": 16777217, which no f32 is"), "{error}");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn everything_that_does_not_fit_is_listed_and_nothing_changes() {
        let path = path("mismatch");
        let mut rng = Rng::seeded(1);
        let mut checkpoint = Checkpoint::new();
        checkpoint.put_module("fc", &Linear::without_bias(4, 2, &mut rng));
        checkpoint.put_module("other", &Linear::without_bias(1, 1, &mut rng));
        checkpoint.write(&path).unwrap();
        struct Model {
            fc: Linear,
        }
        crate::impl_module!(Model { fc });
        let model = Model { fc: Linear::new(3, 2, &mut rng) };
        let before = model.fc.weight.value().to_vec();
        let error = load_module(&model, &path).unwrap_err();
        let CheckpointError::Mismatch { mismatch, .. } = &error else { panic!("{error}") };
        assert_eq!(mismatch.missing, ["fc.bias"]);
        assert_eq!(mismatch.unexpected, ["other.weight"]);
        assert_eq!(mismatch.misshapen[0].name, "fc.weight");
        assert_eq!(model.fc.weight.value().to_vec(), before);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_failed_save_leaves_the_old_file() {
        let path = path("kept");
        let model = Linear::new(3, 2, &mut Rng::seeded(1));
        save_module(&model, &path).unwrap();
        let before = fs::read(&path).unwrap();
        // The new file cannot take the name of a folder, and must not stay behind either.
        let folder = std::env::temp_dir().join(format!("chainrule-folder-{}", std::process::id()));
        fs::create_dir_all(folder.join("inside")).unwrap();
        assert!(matches!(save_module(&model, &folder), Err(CheckpointError::Io { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
        let left = fs::read_dir(std::env::temp_dir()).unwrap().filter_map(Result::ok);
        let part = format!("chainrule-folder-{}.", std::process::id());
        assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&part)));
        fs::remove_dir_all(&folder).unwrap();
        fs::remove_file(&path).unwrap();
    }
}
