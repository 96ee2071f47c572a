//! Words as sets of character n-grams, as fastText makes them (Bojanowski et al. 2017): a word that was never seen
//! still has a vector, the mean of its n-grams'.

/// The n-grams of `<word>`, of `min` to `max` characters: at each character the short ones first, the whole `<word>`
/// among them if it is short enough, but neither `<` nor `>` alone. As fastText's `computeSubwords`, and gensim's
/// `compute_ngrams_bytes`.
///
/// ```
/// use nn::text::{fasttext_hash, ngrams, subword_ids};
/// assert_eq!(ngrams("where", 5, 6), ["<wher", "<where", "where", "where>", "here>"]);
/// assert_eq!(fasttext_hash("<wh"), 1048167652);
/// let ids = subword_ids("where", 3, 6, 2_000_000);
/// assert_eq!((ids.len(), ids[0]), (14, 1048167652 % 2_000_000));
/// ```
pub fn ngrams(word: &str, min: usize, max: usize) -> Vec<String> {
    let extended = format!("<{word}>");
    spans(&extended, min, max).map(String::from).collect()
}

/// The rows of an n-gram table that stand for a word: [`fasttext_hash`] of each of its [`ngrams`], modulo `buckets`.
/// fastText's defaults are 3 to 6 characters and 2,000,000 buckets.
///
/// # Panics
/// If there are no buckets.
#[track_caller]
pub fn subword_ids(word: &str, min: usize, max: usize, buckets: u32) -> Vec<u32> {
    assert!(buckets > 0, "subword_ids: no buckets");
    let extended = format!("<{word}>");
    spans(&extended, min, max).map(|ngram| fasttext_hash(ngram) % buckets).collect()
}

fn spans(extended: &str, min: usize, max: usize) -> impl Iterator<Item = &str> {
    let end = extended.len();
    extended.char_indices().flat_map(move |(start, _)| {
        let ends = extended[start..].char_indices().map(move |(at, c)| start + at + c.len_utf8());
        let all = (1..=max).zip(ends).filter(move |&(n, _)| n >= min);
        let wanted = all.filter(move |&(n, stop)| n > 1 || !(start == 0 || stop == end));
        wanted.map(move |(_, stop)| &extended[start..stop])
    })
}

/// fastText's hash of a text: FNV-1a of 32 bits over its UTF-8 bytes, but each byte is taken as signed, so that those
/// from 128 on flip the upper 24 bits too.
pub fn fasttext_hash(text: &str) -> u32 {
    let mut hash = 2_166_136_261_u32;
    for byte in text.bytes() {
        hash = (hash ^ byte as i8 as u32).wrapping_mul(16_777_619);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What gensim 4.4's `compute_ngrams_bytes` and `ft_hash_bytes` say.
    #[test]
    fn ngrams_and_hashes_are_gensims() {
        let cases: [(&str, usize, usize, &[&str], &[u32]); 7] = [
            (
                "where",
                3,
                6,
                &[
                    "<wh", "<whe", "<wher", "<where", "whe", "wher", "where", "where>", "her", "here", "here>", "ere",
                    "ere>", "re>",
                ],
                &[
                    1048167652, 3668989715, 2761526707, 4089071586, 888420941, 2608312621, 90969176, 4012121234,
                    4105473420, 557540811, 1166114991, 2073529033, 2257568469, 2062867498,
                ],
            ),
            ("a", 1, 3, &["<a", "<a>", "a", "a>"], &[1761008750, 2359087600, 3826002220, 287614806]),
            ("", 3, 6, &[], &[]),
            (
                "naïve",
                3,
                4,
                &["<na", "<naï", "naï", "naïv", "aïv", "aïve", "ïve", "ïve>", "ve>"],
                &[
                    1267806890, 785907692, 3249590546, 1297719404, 3608356832, 405223007, 1813711570, 445788548,
                    3325088654,
                ],
            ),
            ("字", 1, 6, &["<字", "<字>", "字", "字>"], &[1634268806, 272393128, 998922848, 416039418]),
            ("éa字", 2, 2, &["<é", "éa", "a字", "字>"], &[672036627, 2654122976, 3871000895, 416039418]),
            ("ab", 4, 9, &["<ab>"], &[674621742]),
        ];
        for (word, min, max, expected, hashes) in cases {
            let found = ngrams(word, min, max);
            assert_eq!(found, expected, "{word}");
            assert_eq!(found.iter().map(|ngram| fasttext_hash(ngram)).collect::<Vec<_>>(), hashes, "{word}");
            let ids: Vec<u32> = hashes.iter().map(|hash| hash % 1000).collect();
            assert_eq!(subword_ids(word, min, max, 1000), ids);
        }
    }
}
