//! What the values of flags may be. They are checked as they are read, before anything is done with any of them.

use clap::{Arg, Command, Parser};
use std::path::PathBuf;
use std::str::FromStr;

/// The flags of this program. Where they are wrong, clap says so and ends it.
pub fn parse<C: Parser>() -> C {
    crate::profile::launched();
    match C::from_arg_matches(&with_negative_numbers(C::command()).get_matches()) {
        Ok(flags) => flags,
        Err(error) => error.format(&mut C::command()).exit(),
    }
}

/// `--lr -1` gives -1 to --lr, which then says what would fit; clap alone takes it for a flag called -1.
fn with_negative_numbers(command: Command) -> Command {
    let allow = |flag: Arg| match flag.get_action().takes_values() {
        true => flag.allow_negative_numbers(true),
        false => flag,
    };
    command.mut_args(allow).mut_subcommands(with_negative_numbers)
}

/// Numbers that a flag takes, as they are written.
pub trait Number: FromStr + Copy + Into<f64> {}
impl Number for f32 {}
impl Number for f64 {}

/// A whole number of at least so many.
pub fn at_least<const LEAST: usize>(text: &str) -> Result<usize, String> {
    let wanted = || format!("it must be a whole number, at least {LEAST}");
    text.parse().ok().filter(|&number| number >= LEAST).ok_or_else(wanted)
}

/// How many of something that cannot be missing.
pub fn count(text: &str) -> Result<usize, String> {
    at_least::<1>(text)
}

/// A number above 0: a learning rate, a temperature.
pub fn positive<T: Number>(text: &str) -> Result<T, String> {
    number(text, "above 0", |x| x > 0.0)
}

/// A number that is not below 0: the weight of a penalty.
pub fn not_negative<T: Number>(text: &str) -> Result<T, String> {
    number(text, "of at least 0", |x| x >= 0.0)
}

/// What share is dropped, held out or kept: never all.
pub fn share<T: Number>(text: &str) -> Result<T, String> {
    number(text, "from 0 to below 1", |x| (0.0..1.0).contains(&x))
}

/// How likely something is.
pub fn probability<T: Number>(text: &str) -> Result<T, String> {
    number(text, "from 0 to 1", |x| (0.0..=1.0).contains(&x))
}

/// Any number, but neither NaN nor infinite.
pub fn finite<T: Number>(text: &str) -> Result<T, String> {
    number(text, "that is finite", |_| true)
}

/// A finite number that `fits`, which is one that is `range`.
pub fn number<T: Number>(text: &str, range: &str, fits: impl Fn(f64) -> bool) -> Result<T, String> {
    let fits = |number: &T| -> bool {
        let number: f64 = (*number).into();
        number.is_finite() && fits(number)
    };
    text.trim().parse().ok().filter(fits).ok_or_else(|| format!("it must be a number {range}"))
}

/// A file or folder that is there.
pub fn existing(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err("there is no such file or folder".to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, FromArgMatches};

    #[test]
    fn a_negative_number_is_no_flag() {
        #[derive(Parser, Debug)]
        struct Flags {
            #[arg(long, value_parser = positive::<f64>)]
            lr: f64,
            #[arg(long)]
            quick: bool,
        }
        let parse = |flags: &[&str]| with_negative_numbers(Flags::command()).try_get_matches_from(flags);
        let error = parse(&["x", "--lr", "-1"]).unwrap_err().to_string();
        assert!(error.contains("'-1' for '--lr <LR>': it must be a number above 0"), "{error}");
        let flags = Flags::from_arg_matches(&parse(&["x", "--quick", "--lr", "1"]).unwrap()).unwrap();
        assert!(flags.quick && flags.lr == 1.0);
    }

    #[test]
    fn counts_begin_at_one() {
        assert_eq!((count("1"), count("128")), (Ok(1), Ok(128)));
        for text in ["0", "-1", "1.5", "many", "", "99999999999999999999"] {
            assert_eq!(count(text).unwrap_err(), "it must be a whole number, at least 1");
        }
        assert_eq!((at_least::<8>("8"), at_least::<8>("7").is_err()), (Ok(8), true));
    }

    #[test]
    fn numbers_are_in_their_range() {
        let fits: [(fn(&str) -> Result<f64, String>, &[&str], &[&str]); 5] = [
            (positive, &["1e-3", "0.5", "8"], &["0", "-1", "nan", "inf", "x", "1e999"]),
            (not_negative, &["0", "1e-3"], &["-1e-9", "NaN"]),
            (share, &["0", "0.999"], &["1", "1.5", "-0.1"]),
            (probability, &["0", "1"], &["1.01", "-0.1"]),
            (finite, &["-3", "0"], &["inf", "-inf", "nan"]),
        ];
        for (parser, good, bad) in fits {
            good.iter().for_each(|text| assert_eq!(parser(text), Ok(text.parse().unwrap())));
            bad.iter().for_each(|text| assert!(parser(text).unwrap_err().starts_with("it must be a number ")));
        }
        // What an f64 can hold, an f32 may not.
        assert!(positive::<f32>("1e39").is_err() && positive::<f32>("1e-60").is_err());
    }

    #[test]
    fn files_are_there() {
        assert_eq!(existing("no/such/file").unwrap_err(), "there is no such file or folder");
        assert_eq!(existing("."), Ok(PathBuf::from(".")));
    }
}
