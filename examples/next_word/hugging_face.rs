//! Tokens from Hugging Face's `tokenizer.json`: BPE, WordPiece, or whatever else the file describes.

use crate::tokens::{Tokenizer, Tokens};
use anyhow::{Context, Result, anyhow, ensure};
use nn::text::{BOS, EOS, Normalizer};
use std::fs;
use std::path::Path;
use tokenizers::AddedToken;

/// What models call the begin and the end of a text. Some have one token for both.
const ENDS: [[&str; 2]; 6] = [
    [BOS, EOS],
    ["<s>", "</s>"],
    ["[BOS]", "[EOS]"],
    ["[CLS]", "[SEP]"],
    ["<|startoftext|>", "<|endoftext|>"],
    ["<|endoftext|>", "<|endoftext|>"],
];

/// Reads a file.
///
/// # Errors
/// If it cannot be read or is no `tokenizer.json`; the error names the file.
pub fn read(path: &Path) -> Result<Tokens> {
    let json = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&json, path).with_context(|| format!("{} is no tokenizer.json that can be used", path.display()))
}

fn parse(json: &[u8], path: &Path) -> Result<Tokens> {
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(plain)?;
    // A file may come with the lengths that some model was trained on. Here, sentences are cut into pieces.
    tokenizer.with_truncation(None).map_err(plain)?.with_padding(None);
    let [begin, end] = ends(&mut tokenizer)?;
    let unknown = unknown(&tokenizer, json)?;

    let count = tokenizer.get_vocab_size(true);
    let mut names = Vec::with_capacity(count);
    for id in 0..count as u32 {
        let token = tokenizer
            .id_to_token(id)
            .with_context(|| format!("{count} tokens, of which none has the number {id}: there may be no gap"))?;
        names.push(name(&token, id));
    }
    let special = tokenizer.get_added_tokens_decoder().into_iter().filter(|(_, token)| token.special);
    let mut never: Vec<u32> = special.map(|(id, _)| id).chain(unknown).filter(|&id| id != end).collect();
    never.sort_unstable();
    never.dedup();
    let reasons = format!(
        "\
         \x20   cleaning     left to the file, but that lines are joined: its tokens were made for one way of writing\n\
         \x20   vocabulary   the {count} tokens of {}; a rare word is several, so a perplexity per token is\n\
         \x20                not to be compared with one per word",
        path.display()
    );
    Ok(Tokens {
        names,
        unit: "tokens",
        normalizer: Normalizer {
            lowercase: false,
            strip_accents: false,
            strip_punctuation: false,
            collapse_whitespace: true,
        },
        begin,
        end,
        unknown,
        never,
        reasons,
        tokenizer: Box::new(File(tokenizer)),
    })
}

/// The numbers of the tokens for begin and end: special ones of the file, or two that are added.
fn ends(tokenizer: &mut tokenizers::Tokenizer) -> Result<[u32; 2]> {
    let special = tokenizer.get_added_tokens_decoder();
    let id = |token: &str| tokenizer.token_to_id(token).filter(|id| special.get(id).is_some_and(|token| token.special));
    for [begin, end] in ENDS {
        if let (Some(begin), Some(end)) = (id(begin), id(end)) {
            return Ok([begin, end]);
        }
    }
    tokenizer.add_special_tokens([BOS, EOS].map(|token| AddedToken::from(token, true))).map_err(plain)?;
    Ok([BOS, EOS].map(|token| tokenizer.token_to_id(token).expect("it was added")))
}

/// The number of whatever has none. The models name it in different ways, but all in the same part of the file.
fn unknown(tokenizer: &tokenizers::Tokenizer, json: &[u8]) -> Result<Option<u32>> {
    let json: serde_json::Value = serde_json::from_slice(json)?;
    let model = &json["model"];
    match model["unk_token"].as_str() {
        Some(token) => {
            let id = tokenizer.token_to_id(token);
            // Without it, encoding would fail at the first word that is unknown.
            ensure!(id.is_some(), "the unknown token {token:?} is not in the vocabulary");
            Ok(id)
        }
        None => Ok(model["unk_id"].as_u64().map(u32::try_from).transpose()?),
    }
}

/// A token as it stands in a file of vectors, where it may not be empty or have a space in it. No two become the same.
fn name(token: &str, id: u32) -> String {
    if token.is_empty() {
        return format!("\\{id}");
    }
    token.replace('\\', "\\\\").replace(' ', "\\s").replace('\n', "\\n")
}

/// The crate's errors are boxes that anyhow does not take.
fn plain(error: tokenizers::Error) -> anyhow::Error {
    anyhow!("{error}")
}

/// The crate's tokeniser. (It has methods of the names that are wanted here, with other arguments.)
struct File(tokenizers::Tokenizer);

impl Tokenizer for File {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        // Begin and end are put around each piece of a sentence, and not where the file would have them.
        let encoding = self.0.encode_fast(text, false).map_err(plain)?;
        Ok(encoding.get_ids().to_vec())
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.0.decode(ids, true).map_err(plain)
    }

    fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join("tokenizer.json");
        self.0.save(&path, true).map_err(plain).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of letters, merged; a word ends with "</w>". No special token but the unknown one.
    const BPE: &str = r#"{
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null,
        "decoder": {"type": "BPEDecoder", "suffix": "</w>"},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false,
            "vocab": {"<unk>": 0, "k": 1, "i": 2, "n": 3, "g</w>": 4, "s</w>": 5, "in": 6, "kin": 7, "king</w>": 8, "g": 9},
            "merges": ["i n", "k in", "kin g</w>"]
        }
    }"#;

    /// The longest pieces first; what goes on with a word has "##" before it. BERT's special tokens.
    const WORD_PIECE: &str = r###"{
        "version": "1.0",
        "truncation": null,
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [
            {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "the": 4, "king": 5, "##dom": 6, "##s": 7, ".": 8}
        }
    }"###;

    fn tokens(json: &str) -> Tokens {
        parse(json.as_bytes(), Path::new("test.json")).unwrap()
    }

    #[test]
    fn byte_pairs() {
        let tokens = tokens(BPE);
        assert_eq!(tokens.names.len(), 12, "begin and end are added to the ten");
        assert_eq!(tokens.names[8..], ["king</w>", "g", BOS, EOS]);
        assert_eq!((tokens.begin, tokens.end, tokens.unknown, &tokens.never[..]), (10, 11, Some(0), &[0, 10][..]));
        // "x" is unknown; and three tokens come out, though the file says that two are enough.
        let ids = tokens.tokenizer.encode("King kings x").unwrap();
        assert_eq!(ids, [8, 7, 9, 5, 0]);
        assert_eq!(tokens.tokenizer.decode(&ids[..4]).unwrap(), "king kings");
        assert_eq!(tokens.lacking("king x").unwrap(), ["x"]);
        assert_eq!(tokens.continuation(&[8], &[7, 4]).unwrap(), " king");
        assert_eq!(tokens.continuation(&[7], &[4]).unwrap(), "g", "a word goes on");
    }

    #[test]
    fn word_pieces() {
        let tokens = tokens(WORD_PIECE);
        assert_eq!(tokens.names.len(), 9);
        assert_eq!((tokens.begin, tokens.end, tokens.unknown, &tokens.never[..]), (2, 3, Some(1), &[0, 1, 2][..]));
        // Neither [CLS] and [SEP] around it, nor [PAD] behind.
        let ids = tokens.tokenizer.encode("The Kingdoms, the king.").unwrap();
        assert_eq!(ids, [4, 5, 6, 7, 1, 4, 5, 8]);
        assert_eq!(tokens.tokenizer.decode(&ids).unwrap(), "the kingdoms the king.");
        assert_eq!(tokens.continuation(&[4, 5], &[6, 8]).unwrap(), "dom.");
        assert_eq!(tokens.lacking("the queen").unwrap(), ["queen"]);
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let folder = std::env::temp_dir().join(format!("chainrule-tokenizer-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = tokens(BPE);
        first.tokenizer.save(&folder).unwrap();
        let again = read(&folder.join("tokenizer.json")).unwrap();
        assert_eq!((again.names, again.begin, again.end, again.never), (first.names, 10, 11, first.never));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn names_have_no_spaces_and_stay_different() {
        let names = [name("a b", 1), name("a\\sb", 2), name("\n", 3), name("", 4), name("ĠKönig", 5)];
        assert_eq!(names, ["a\\sb", "a\\\\sb", "\\n", "\\4", "ĠKönig"]);
    }

    #[test]
    fn a_file_that_is_none_is_named() {
        let path = std::env::temp_dir().join(format!("chainrule-tokenizer-{}.json", std::process::id()));
        let refused = |json: &str, words: &str| {
            fs::write(&path, json).unwrap();
            let error = format!("{:#}", read(&path).err().expect("it is refused"));
            assert!(error.contains("chainrule-tokenizer") && error.contains(words), "{error}\nexpected: {words}");
        };
        refused("", "EOF while parsing a value at line 1 column 0");
        refused(&BPE[..BPE.len() / 2], "is no tokenizer.json that can be used: ");
        refused(&BPE.replace("\"<unk>\": 0", "\"<UNK>\": 0"), "the unknown token \"<unk>\" is not in the vocabulary");
        refused(
            &BPE.replace("\"g\": 9", "\"g\": 19"),
            "12 tokens, of which none has the number 9: there may be no gap",
        );
        refused(&BPE.replace("k in", "k um"), "is no tokenizer.json that can be used: ");
        fs::remove_file(&path).unwrap();
        assert!(format!("{:#}", read(&path).err().unwrap()).starts_with("cannot read "));
    }
}
