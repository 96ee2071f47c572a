//! What comes of it: neighbours, analogies, a map, and files for other programs.

use crate::subword::Parts;
use crate::train::{History, Word2Vec};
use anyhow::{Context, Result, ensure};
use autograd::Tensor;
use common::pca::principal_plane;
use common::plot::{Labelled, Labels, Panel, Series, save, save_map};
use nn::text::{Analogies, Format, WordPairs, WordVectors};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Words whose neighbours are shown, if the text has them.
const PROBES: [&str; 8] = ["king", "water", "son", "sword", "bread", "heart", "house", "day"];

/// a is to b as c is to what?
const QUESTIONS: [[&str; 3]; 6] = [
    ["man", "king", "woman"],
    ["father", "son", "mother"],
    ["brother", "brethren", "father"],
    ["eye", "eyes", "hand"],
    ["go", "went", "come"],
    ["israel", "jerusalem", "egypt"],
];

/// The three nearest words of the probes, in a line.
pub fn neighbours(vectors: &WordVectors, count: usize, near: usize) -> String {
    let known = PROBES.into_iter().filter_map(|probe| Some((probe, vectors.neighbours(probe, near).ok()?)));
    let mut line = String::new();
    for (probe, near) in known.take(count) {
        let near: Vec<&str> = near.into_iter().map(|(word, _)| word).collect();
        write!(line, "  {probe}: {}", near.join(" ")).expect("writing to a string cannot fail");
    }
    line
}

/// Neighbours with their cosines, and what the vectors make of a few analogies.
pub fn tell(vectors: &WordVectors) {
    println!("\nnearest words (cosine)");
    for probe in PROBES {
        if let Ok(near) = vectors.neighbours(probe, 6) {
            let near: Vec<String> = near.iter().map(|(word, cosine)| format!("{word} {cosine:.2}")).collect();
            println!("  {probe:>8}: {}", near.join(", "));
        }
    }
    println!("\nanalogies (b - a + c)");
    for [a, b, c] in QUESTIONS {
        if let Ok(found) = vectors.analogy(&[b, c], &[a], 3) {
            let found: Vec<&str> = found.into_iter().map(|(word, _)| word).collect();
            println!("  {a} is to {b} as {c} is to: {}", found.join(", "));
        }
    }
}

/// Words that no translation of the Bible has, nor a novel of the nineteenth century: subwords know them all the same.
const UNSEEN: [&str; 3] = ["kingliness", "unrighteousnesses", "waterfalls"];

/// The nearest words of some that the text does not have, by their subwords.
pub fn tell_unseen(vectors: &WordVectors, model: &Word2Vec, parts: &Parts) {
    println!("\nwords that were never seen");
    let table = model.in_embed.weight.value().detach();
    for word in UNSEEN.into_iter().filter(|word| vectors.id(word).is_none()) {
        if let Some(vector) = parts.unseen(word, &table) {
            let near: Vec<&str> = vectors.nearest(&vector.to_vec(), &[], 5).into_iter().map(|(word, _)| word).collect();
            println!("  {word}: {}", near.join(", "));
        }
    }
}

/// Loss, and a map of some words and their neighbours.
pub fn pictures(vectors: &WordVectors, history: &History, out: &Path) -> Result<()> {
    let labels = Labels { title: "Loss", x: "epoch", y: "mean loss of a pair" };
    let mut lines = vec![Series { label: "training", points: history.losses.clone() }];
    if !history.held_out.is_empty() {
        lines.push(Series { label: "held out", points: history.held_out.clone() });
    }
    save(&out.join("loss.png"), "", 1, vec![Panel::lines(labels, &lines)])?;
    let (words, groups) = families(vectors);
    if words.len() < 3 {
        return Ok(());
    }
    let rows: Vec<i64> = words.iter().filter_map(|word| Some(i64::from(vectors.id(word)?))).collect();
    let chosen = vectors.vectors().embedding(&Tensor::from_slice(&rows, rows.len())); // [N, D]
    let unit = &chosen / chosen.square().sum_keepdim(-1).sqrt(); // [N, D]
    let plane = principal_plane(&unit).to_vec(); // [N, 2]
    let points: Vec<_> = plane.chunks(2).map(|xy| (f64::from(xy[0]), f64::from(xy[1]))).collect();
    let labels = Labels { title: "Words and their nearest, in their two main directions", x: "first", y: "second" };
    let map = Panel::labelled_groups(labels, Labelled { points: &points, texts: &words, groups: &groups, names: &[] });
    save_map(&out.join("map.png"), map)
}

/// Probes with their nearest words, each word once; and whose family it belongs to.
fn families(vectors: &WordVectors) -> (Vec<String>, Vec<usize>) {
    let (mut words, mut groups) = (Vec::<String>::new(), Vec::new());
    for (group, probe) in PROBES.into_iter().enumerate() {
        let Ok(near) = vectors.neighbours(probe, 6) else { continue };
        for word in std::iter::once(probe).chain(near.into_iter().map(|(word, _)| word)) {
            if !words.iter().any(|other| other == word) {
                words.push(word.to_string());
                groups.push(group);
            }
        }
    }
    (words, groups)
}

/// The vectors as word2vec and gensim write them, as text and binary, and as TensorBoard's projector reads them.
pub fn files(vectors: &WordVectors, counts: &[u64], out: &Path) -> Result<()> {
    vectors.write(&out.join("vectors.txt"), Format::Text)?;
    vectors.write(&out.join("vectors.bin"), Format::Binary)?;
    let folder = out.join("projector");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let (rows, width) = (vectors.len(), vectors.width());
    let config = format!(
        "embeddings {{\n  tensor_name: \"in_embed.weight\"\n  tensor_shape: {rows}\n  tensor_shape: {width}\n  \
         tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n}}\n"
    );
    write("projector_config.pbtxt", config)?;
    let mut tensors = String::new();
    for row in vectors.vectors().to_vec().chunks(width) {
        let numbers: Vec<String> = row.iter().map(f32::to_string).collect();
        tensors.push_str(&numbers.join("\t"));
        tensors.push('\n');
    }
    write("tensors.tsv", tensors)?;
    // With two columns or more, the first line names them.
    let mut metadata = "word\tcount\n".to_string();
    for (word, count) in vectors.words().iter().zip(counts) {
        writeln!(metadata, "{word}\t{count}").expect("writing to a string cannot fail");
    }
    write("metadata.tsv", metadata)
}

/// What `--similarity` and `--analogies` ask.
pub struct Tests<'a> {
    pairs: Option<(&'a Path, WordPairs)>,
    analogies: Option<Analogies>,
}

impl Tests<'_> {
    /// Reads the files, before anything is learnt: what is wrong with them should not come out hours later.
    pub fn read<'a>(similarity: Option<&'a Path>, analogies: Option<&Path>) -> Result<Tests<'a>> {
        let mut tests = Tests { pairs: None, analogies: None };
        if let Some(path) = similarity {
            let read = WordPairs::read(path)?;
            let pairs = read.pairs.len();
            ensure!(pairs >= 2, "{}: {pairs} pairs; expected lines of two words and a number", path.display());
            tests.pairs = Some((path, read));
        }
        if let Some(path) = analogies {
            let read = Analogies::read(path)?;
            let any = read.sections.iter().any(|section| !section.questions.is_empty());
            ensure!(any, "{}: no analogies; expected lines of four words", path.display());
            tests.analogies = Some(read);
        }
        Ok(tests)
    }

    /// How the vectors do, as text for the result line.
    pub fn judge(&self, vectors: &WordVectors) -> String {
        let mut results = String::new();
        if let Some((path, pairs)) = &self.pairs {
            let score = pairs.evaluate(vectors, Default::default());
            let (pairs, unknown) = (score.pairs, score.unknown);
            println!("{}: Spearman {:.4} over {pairs} pairs; {unknown} have no vector", path.display(), score.spearman);
            results += &format!(" spearman={:.4}", score.spearman);
        }
        if let Some(analogies) = &self.analogies {
            let score = analogies.evaluate(vectors, Default::default());
            for section in score.sections.iter().filter(|section| section.asked > 0) {
                println!("  {:<28} {:>5.1} % of {}", section.name, 100.0 * section.accuracy(), section.asked);
            }
            results += &format!(" analogies={:.4}", score.total.accuracy());
        }
        results
    }
}
