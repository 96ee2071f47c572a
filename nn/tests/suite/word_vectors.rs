//! Word vectors: what gensim finds in them, and files that lie. `tests/fixtures/make_word_vectors.py` made the numbers.

use super::fixture::array;
use nn::text::{Analogies, EvaluationOptions, Format, ReadOptions, SectionScore, TextError, WordPairs, WordVectors};
use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

const FORMATS: [(Format, &str); 3] =
    [(Format::Text, "vectors.txt"), (Format::Binary, "vectors.bin"), (Format::TextWithoutHeader, "glove.txt")];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/word_vectors").join(name)
}

fn gensims() -> WordVectors {
    WordVectors::read(&fixture("vectors.txt"), Format::Text).unwrap()
}

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("expected.json")).unwrap()).unwrap()
}

/// A file of these bytes while `f` runs.
fn with_file<R>(bytes: &[u8], f: impl FnOnce(&Path) -> R) -> R {
    let thread = std::thread::current().id();
    let path = std::env::temp_dir().join(format!("chainrule-vectors-{}-{thread:?}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let result = f(&path);
    std::fs::remove_file(path).unwrap();
    result
}

#[test]
fn all_of_gensims_forms_are_read_and_written_again_byte_for_byte() {
    let text = gensims();
    assert_eq!((text.len(), text.width()), (28, 6));
    assert_eq!(text.words()[1..3], ["naïve", "Faster"]);
    for (format, name) in FORMATS {
        let read = WordVectors::read(&fixture(name), format).unwrap();
        assert_eq!((read.words(), read.vectors().to_vec()), (text.words(), text.vectors().to_vec()), "{format:?}");
        let original = std::fs::read(fixture(name)).unwrap();
        with_file(b"", |path| {
            read.write(path, format).unwrap();
            let written = std::fs::read(path).unwrap();
            assert!(written == original, "{format:?}: {}", String::from_utf8_lossy(&written));
        });
    }
    // The header is optional in text.
    assert_eq!(WordVectors::read(&fixture("glove.txt"), Format::Text).unwrap().words(), text.words());
}

#[test]
fn neighbours_and_analogies_are_gensims() {
    let (vectors, expected) = (gensims(), expected());
    // Both divide and add up six products in f32, in their own orders: a few times 6·2⁻²⁴.
    let close = |a: f32, b: &Value| (f64::from(a) - b.as_f64().unwrap()).abs() < 2e-6;
    let check = |found: Vec<(&str, f32)>, expected: &Value| {
        assert_eq!(found.len(), array(expected).len());
        for ((word, cosine), expected) in found.into_iter().zip(array(expected)) {
            assert_eq!(word, expected[0]);
            assert!(close(cosine, &expected[1]), "{word}: {cosine} {expected}");
        }
    };
    check(vectors.neighbours("king", 5).unwrap(), &expected["king"]);
    check(vectors.analogy(&["king", "woman"], &["man"], 5).unwrap(), &expected["king - man + woman"]);
    assert!(close(vectors.similarity("man", "uncle").unwrap(), &expected["man ~ uncle"]));
}

#[test]
fn evaluations_are_gensims() {
    let (vectors, expected) = (gensims(), expected());
    let pairs = WordPairs::read(&fixture("pairs.tsv")).unwrap();
    let analogies = Analogies::read(&fixture("questions.txt")).unwrap();
    let any_case = EvaluationOptions::default();
    for (name, options) in [
        ("any case", any_case),
        ("this case", EvaluationOptions { ignore_case: false, ..any_case }),
        ("first 15", EvaluationOptions { restrict: 15, ..any_case }),
    ] {
        let expected = &expected[name];
        let number = |key: &str| expected[key].as_f64().unwrap();
        let score = pairs.evaluate(&vectors, options);
        // gensim's cosines are rounded to f32, some 10⁻⁷; ranks are not moved by that.
        assert!((score.spearman - number("spearman")).abs() < 1e-12, "{name}: {score:?}");
        assert!((score.pearson - number("pearson")).abs() < 1e-6, "{name}: {score:?}");
        assert_eq!(score.pairs + score.unknown, pairs.pairs.len());
        let unknown = 100.0 * score.unknown as f64 / pairs.pairs.len() as f64;
        assert!((unknown - number("unknown_percent")).abs() < 1e-9, "{name}: {score:?}");

        let score = analogies.evaluate(&vectors, options);
        let sections = score.sections.iter().chain([&score.total]);
        for (SectionScore { name: section, correct, asked, unknown }, expected) in
            sections.zip(array(&expected["sections"]))
        {
            assert_eq!(
                (*correct as u64, *asked as u64),
                (expected[1].as_u64().unwrap(), expected[2].as_u64().unwrap())
            );
            assert!(expected[0] == **section || section == "total");
            assert!(*unknown > 0, "each section has a word without a vector");
        }
        assert_eq!(array(&expected["sections"]).len(), score.sections.len() + 1);
    }
}

/// Reading these bytes is refused with these words, after the file's own name.
#[track_caller]
fn refused(format: Format, bytes: &[u8], words: &str) {
    let error = with_file(bytes, |path| WordVectors::read(path, format)).err();
    let error = error.unwrap_or_else(|| panic!("taken for good; expected: {words}")).to_string();
    assert!(error.contains("chainrule-vectors") && error.ends_with(words), "{error}\nexpected: {words}");
}

#[test]
fn every_fault_of_a_text_is_named_with_its_line() {
    let refused = |text: &str, words: &str| refused(Format::Text, text.as_bytes(), words);
    refused("", ", line 1: nothing; expected a word and its numbers");
    refused("\n\n", ", line 1: nothing; expected a word and its numbers");
    refused("the\n", ", line 1: expected a word and its numbers");
    refused("the 1 2\na 1\n", ", line 2: 1 numbers; expected 2");
    refused("the 1 2\na 1 2 3\n", ", line 2: 3 numbers; expected 2");
    refused("the 1 2\na 1 x\n", r#", line 2: "x"; expected a finite number"#);
    refused("the 1 2\na 1  2\n", r#", line 2: ""; expected a finite number"#);
    refused("the 1 2\na nan 2\n", r#", line 2: "nan"; expected a finite number"#);
    refused("the 1 2\na 1e39 2\n", r#", line 2: "1e39"; expected a finite number"#);
    refused("the 1 2\n\na 1 2\n", ", line 2: an empty line; expected a word and its numbers");
    refused("the 1 2\n 1 2\n", ", line 2: expected a word before the numbers");
    refused("2 0\nthe\n", ", line 1: vectors of 0 numbers; expected 1 or more");
    refused("3 2\nthe 1 2\na 1 2\n", ", line 4: the end, after 2 of the 3 words that line 1 says");
    refused("1 2\nthe 1 2\na 1 2\n", ", line 3: expected the end, after the 1 words that line 1 says");
    refused("2 2\nthe 1 2\nthe 1 2\n", r#", line 3: the word "the" stands there twice, first on line 2"#);
    refused("the 1 2\na 1 2\nthe 1 2\n", r#", line 3: the word "the" stands there twice, first on line 1"#);
    // Nothing is allocated for what a header only says.
    let huge = usize::MAX;
    refused(&format!("{huge} {huge}\nthe 1 2\n"), &format!(", line 2: 2 numbers; expected {huge}"));
    let words = format!(", line 3: the end, after 1 of the {huge} words that line 1 says");
    refused(&format!("{huge} 2\nthe 1 2\n"), &words);
    self::refused(Format::TextWithoutHeader, b"2 2\nthe 1 2\n", ", line 2: 2 numbers; expected 1");
    self::refused(Format::Text, b"the 1 2\nna\xefve 1 2\n", ", line 2: no UTF-8 from byte 2 of the line on");
}

#[test]
fn every_fault_of_a_binary_file_is_named_with_its_record() {
    let refused = |bytes: &[u8], words: &str| refused(Format::Binary, bytes, words);
    let good = std::fs::read(fixture("vectors.bin")).unwrap();
    let header = ", line 1: expected two whole numbers: how many words, and the width of a vector";
    refused(b"", header);
    refused(b"the 1 2\n", header);
    refused(b"1 2", header);
    refused(b"1 0\na ", header);
    let vector = [0, 0, 128, 63].repeat(2);
    let file = |header: &str, words: &[&[u8]]| -> Vec<u8> {
        let records = words.iter().flat_map(|word| [word, &b" "[..], &vector].concat());
        header.bytes().chain([b'\n']).chain(records).collect()
    };
    refused(&file("1 2", &[b""]), ", record 1 at byte 4: expected a word before the numbers");
    refused(
        &file("2 2", &[b"a", b"\na"]),
        r#", record 2 at byte 14: the word "a" stands there twice, first in record 1"#,
    );
    refused(&file("1 2", &[b"\xff"]), ", record 1 at byte 4: no UTF-8 from byte 0 of the word on");
    let end = "the end, in record 2 of the 2 that line 1 says; expected a word and a space";
    refused(&file("2 2", &[b"a"]), &format!(", record 2 at byte 14: {end}"));
    refused(&file("1 2", &[b"a", b"b"]), ", record 2 at byte 14: expected the end, after the 1 words that line 1 says");
    refused(&file("1 3", &[b"a"]), r#", record 1 at byte 4: the end, after 8 bytes of the 3 numbers of "a""#);
    for width in [usize::MAX, usize::MAX / 4] {
        let words = format!(": the end, after 8 bytes of the {width} numbers of \"a\"");
        refused(&file(&format!("{} {width}", usize::MAX), &[b"a"]), &words);
    }
    refused(b"1 1\na \x00\x00\x80\x7f", r#", record 1 at byte 4: inf in the vector of "a"; expected a finite number"#);
    let long = [&b"1 1\n"[..], &[b'x'; 70_000]].concat();
    refused(&long, ", record 1 at byte 4: no space in 65536 bytes; expected a word and a space");
    for len in 0..good.len() {
        let read = with_file(&good[..len], |path| WordVectors::read(path, Format::Binary));
        assert!(read.is_err(), "{len} of {} bytes were taken for whole", good.len());
    }
    // word2vec.c ends each record with the end of a line.
    let with_ends = [&b"2 2\na "[..], &vector, b"\nb ", &vector, b"\n"].concat();
    let read = with_file(&with_ends, |path| WordVectors::read(path, Format::Binary)).unwrap();
    assert_eq!((read.words(), read.vectors().to_vec()), (&["a".to_string(), "b".to_string()][..], vec![1.0; 4]));
}

#[test]
fn what_real_files_have_is_read() {
    let read = |text: &[u8], options| with_file(text, |path| WordVectors::read_with(path, Format::Text, options));
    // fastText's spaces at the end, words that are numbers, words with spaces of other kinds and of the common kind.
    let text = "5 2\nthe 1 2 \n1990 1 2 \na\u{a0}b -1e-3 .5 \n. . . 1 2\nat name@domain.com 1 2\n\n";
    let vectors = read(text.as_bytes(), ReadOptions::default()).unwrap();
    assert_eq!(vectors.words(), ["the", "1990", "a\u{a0}b", ". . .", "at name@domain.com"]);
    assert_eq!(vectors.vector("a\u{a0}b").unwrap(), [-0.001, 0.5]);
    // gensim would not read a word with a space again, and no one could in the binary form.
    let error = with_file(b"old", |path| {
        let error = vectors.write(path, Format::Binary).unwrap_err();
        assert_eq!(std::fs::read(path).unwrap(), b"old");
        error
    });
    assert!(matches!(&error, TextError::Word { word, .. } if word == ". . ."), "{error}");

    let lenient = ReadOptions { lenient: true, ..Default::default() };
    let vectors = read(b"3 1\r\na 1\r\na 2\r\nna\xefve 3\r\n", lenient).unwrap();
    assert_eq!(
        (vectors.words(), vectors.vectors().to_vec()),
        (&["a".into(), "na\u{fffd}ve".into()][..], vec![1.0, 3.0])
    );
    let two = ReadOptions { limit: Some(2), ..Default::default() };
    assert_eq!(read(b"9 1\na 1\nb 2\nthis is not read", two).unwrap().words(), ["a", "b"]);
    assert!(read(b"0 3\n", ReadOptions::default()).unwrap().is_empty());
}

#[test]
fn faults_of_pairs_and_questions_are_named_with_their_line() {
    let pairs = |text: &str| with_file(text.as_bytes(), WordPairs::read).unwrap_err().to_string();
    assert!(
        pairs("# a\nx\ty\t1\nx y 1\n")
            .ends_with(r#", line 3: "x y 1"; expected two words and a number with tabs between them"#)
    );
    assert!(pairs("x\ty\tz\n").contains(", line 1: "));
    let questions = |text: &str| with_file(text.as_bytes(), Analogies::read).unwrap_err().to_string();
    assert!(questions("a b c d\n").ends_with(", line 1: expected a section's name first, as `: family`"));
    assert!(questions(": s\na b c d\n\na b c\n").ends_with(r#", line 4: "a b c"; expected four words"#));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Any few bytes of a good file replaced by any others, in any form and read as any: no panic, and what is
    /// read is whole.
    #[test]
    fn mutated_files_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        (made, taken) in (0..3_usize, 0..3_usize),
        lenient in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(fixture(FORMATS[made].1)).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let options = ReadOptions { lenient, limit: None };
        let read = with_file(&bytes, |path| WordVectors::read_with(path, FORMATS[taken].0, options));
        if let Ok(vectors) = read {
            prop_assert_eq!(vectors.vectors().count(), vectors.len() * vectors.width());
            prop_assert!(vectors.vectors().iter().all(f32::is_finite));
            if let Some(word) = vectors.words().first() {
                vectors.neighbours(word, 3).unwrap();
            }
        }
    }
}
