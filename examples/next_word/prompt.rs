//! Going on from a prompt.

use crate::model::NextWord;
use crate::tokens::Tokens;
use anyhow::Result;
use autograd::{Rng, Tensor, no_grad};
use common::flags;
use nn::Module;

/// How words are drawn
#[derive(clap::Args, Clone, Debug)]
pub struct Sampling {
    /// What logits are divided by: near 0 always the likeliest word, above 1 more of the unlikely ones
    #[arg(long, default_value_t = 0.8, value_parser = flags::not_negative::<f32>)]
    pub temperature: f32,

    /// Draw among so many of the likeliest words
    #[arg(long, default_value_t = 20, value_parser = flags::count)]
    pub top_k: usize,

    /// Words or tokens to add, at the most
    #[arg(long, default_value_t = 20, value_parser = flags::count)]
    pub words: usize,
}

/// Continues the prompt in several ways.
pub fn show(model: &NextWord, tokens: &Tokens, prompt: &str, sampling: &Sampling, seed: u64) -> Result<()> {
    let clean = tokens.normalizer.normalize(prompt);
    let lacking = tokens.lacking(&clean)?;
    if !lacking.is_empty() {
        let how = tokens.unknown.map_or("left out".to_string(), |id| format!("read as {}", tokens.names[id as usize]));
        println!("Not in the vocabulary, and {how}: {}", lacking.join(", "));
    }
    let all = tokens.names.len();
    let mut rng = Rng::seeded(seed);
    let Sampling { temperature, top_k, words: count } = *sampling;
    for (temperature, top_k) in [(0.0, 1), (temperature, top_k), (temperature, top_k), (1.5, all)] {
        let how = match (temperature, top_k) {
            (0.0, _) => "always the likeliest".to_string(),
            (_, k) if k >= all => format!("temperature {temperature}, all {}", tokens.unit),
            (_, k) => format!("temperature {temperature}, the first {k}"),
        };
        let sampling = Sampling { temperature, top_k, words: count };
        println!("    {how:<32} {prompt} …{}", continue_from(model, tokens, &clean, &sampling, &mut rng)?);
    }
    Ok(())
}

// ANCHOR: sample
/// What follows: one word after the other, each read before the next is drawn.
fn continue_from(
    model: &NextWord,
    tokens: &Tokens,
    prompt: &str,
    sampling: &Sampling,
    rng: &mut Rng,
) -> Result<String> {
    model.eval();
    // <pad>, <unk> and <bos> are no words to write.
    let never: Vec<i64> = tokens.never.iter().map(|&id| i64::from(id)).collect();
    let never = Tensor::from_slice(&never, never.len());
    let prompt = tokens.tokenizer.encode(prompt)?;
    let mut next = [&[tokens.begin], &prompt[..]].concat();
    let (mut state, mut added) = (None, Vec::new());
    no_grad(|| {
        while added.len() < sampling.words {
            let ids: Vec<i64> = next.iter().map(|&id| i64::from(id)).collect();
            let (logits, after) = model.read(&Tensor::from_slice(&ids, ids.len()), state.as_ref()); // [V]
            state = Some(after);
            let word = draw(&logits.scatter_value(0, &never, f32::NEG_INFINITY), sampling, rng);
            if word == tokens.end {
                break;
            }
            added.push(word);
            next = vec![word];
        }
    });
    tokens.continuation(&prompt, &added)
}

/// A word by its logits `[V]`.
fn draw(logits: &Tensor, sampling: &Sampling, rng: &mut Rng) -> u32 {
    let k = sampling.top_k.clamp(1, logits.count());
    let (best, words) = logits.topk(k, 0, true); // [k] both, the likeliest first
    if sampling.temperature <= 0.0 {
        return words.value_at([0]) as u32;
    }
    let p = (best / sampling.temperature).softmax(0); // [k]
    words.value_at([common::draw(&p, rng)]) as u32
}
// ANCHOR_END: sample

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperature_and_top_k() {
        let logits = Tensor::from([0.0, 3.0, 2.9, -1.0]);
        let sampling = |temperature, top_k| Sampling { temperature, top_k, words: 1 };
        let mut rng = Rng::seeded(1);
        let mut draws = |sampling| {
            let mut counts = [0; 4];
            (0..400).for_each(|_| counts[draw(&logits, &sampling, &mut rng) as usize] += 1);
            counts
        };
        assert_eq!(draws(sampling(0.0, 4)), [0, 400, 0, 0]);
        assert_eq!(draws(sampling(5.0, 1)), [0, 400, 0, 0]);
        let [none, often, as_often, never] = draws(sampling(1.0, 2));
        assert_eq!((none, never), (0, 0));
        // 210 of 400, with a standard deviation of 10.
        assert!((170..250).contains(&often) && often + as_often == 400, "{often}");
        assert!(draws(sampling(100.0, 4)).iter().all(|&count| count > 50));
    }
}
