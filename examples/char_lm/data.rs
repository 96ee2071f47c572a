//! Text in 27 characters: to learn from, to tune by, to judge by.

use anyhow::{Context, Result, ensure};
use common::{books, letters};
use std::fmt;
use std::fs;
use std::path::Path;

/// Texts as numbers.
pub struct Data {
    /// To learn from.
    pub train: Vec<i64>,
    /// The last 5 % of the text, to choose between recipes: judging by what one chose by would be flattery.
    pub held_out: Vec<i64>,
    /// To judge by.
    pub dev: Vec<i64>,
    /// What that is, for a person.
    pub dev_name: String,
    source: String,
}

impl Data {
    /// A folder with text8's two files, any one text, or the King James Bible.
    pub fn load(path: Option<&Path>) -> Result<Data> {
        let Some(path) = path else {
            /// As long as the other text, so that both take as long.
            const LENGTH: usize = 100_000;
            let text = books::verses(books::KING_JAMES)?.join(" ");
            let tokens = letters::encode(&letters::clean(&text));
            // The development text from far behind: Exodus is not Genesis, but the language is one.
            let dev = tokens[2 * LENGTH..2 * LENGTH + 5_000].to_vec();
            return Data::split(&tokens[..LENGTH], dev, "5,000 characters further on", "the King James Bible");
        };
        if path.is_dir() {
            let read = |name: &str| -> Result<Vec<i64>> {
                let path = path.join(name);
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                Ok(letters::encode(&letters::clean(&text)))
            };
            let (text, dev) = (read("text8-100k.txt")?, read("text8-dev.txt")?);
            return Data::split(&text, dev, "text8-dev", &path.display().to_string());
        }
        let tokens = letters::encode(&letters::clean(&books::texts(path)?.join(" ")));
        let (text, dev) = tokens.split_at(tokens.len() - tokens.len() / 20);
        Data::split(text, dev.to_vec(), "the last twentieth", &path.display().to_string())
    }

    fn split(text: &[i64], dev: Vec<i64>, dev_name: &str, source: &str) -> Result<Data> {
        let letters = text.len();
        ensure!(
            letters >= 5_000,
            "{source}: {letters} letters a to z and spaces to learn from; 5,000 are wanted at least"
        );
        ensure!(!dev.is_empty(), "{source}: {dev_name} has no letters to judge by");
        let (train, held_out) = text.split_at(text.len() / 20 * 19);
        Ok(Data {
            train: train.to_vec(),
            held_out: held_out.to_vec(),
            dev,
            dev_name: dev_name.to_string(),
            source: source.to_string(),
        })
    }

    /// Little enough for a run of seconds.
    pub fn shorten(&mut self) {
        self.train.truncate(6_000);
        self.held_out.truncate(500);
        self.dev.truncate(500);
        self.dev_name = format!("the first {} of {}", self.dev.len(), self.dev_name);
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Data { train, held_out, dev, dev_name, source } = self;
        let counts = [train.len(), held_out.len(), dev.len()];
        write!(
            f,
            "{source}: {} characters to learn from, the last {} to tune by; {} of {dev_name} to judge by",
            counts[0], counts[1], counts[2]
        )
    }
}
