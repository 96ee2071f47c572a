//! The alphabet of text8: 26 letters and the space.

use autograd::Tensor;

/// Letters and the space.
pub const COUNT: usize = 27;
/// The number of the space.
pub const SPACE: i64 = 26;

/// The number of a letter of the alphabet.
pub fn encode_one(letter: char) -> Option<i64> {
    match letter {
        'a'..='z' => Some(letter as i64 - 'a' as i64),
        ' ' => Some(SPACE),
        _ => None,
    }
}

/// The letter of a number.
pub fn decode_one(token: i64) -> char {
    if token == SPACE { ' ' } else { char::from(b'a' + token as u8) }
}

/// Any text in this alphabet: in lower case, apostrophes dropped, and every other run of characters a space.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' => out.push(letter),
            '\'' | '’' => {}
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out
}

/// The numbers of a clean text.
///
/// # Panics
/// If it is not clean.
pub fn encode(text: &str) -> Vec<i64> {
    text.chars().map(|letter| encode_one(letter).expect("a letter of the alphabet")).collect()
}

/// `[1, T]`
pub fn as_batch(tokens: &[i64]) -> Tensor<i64> {
    Tensor::from_slice(tokens, [1, tokens.len()])
}

/// Whether a number stands for a, e, i, o or u.
pub fn is_vowel(token: i64) -> bool {
    "aeiou".contains(decode_one(token))
}
