//! What the benches of training steps are asked for: as in `compare/protocol.rs`, with help, and with names that are
//! checked.

use crate::protocol::{Wanted, seconds_of};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};

/// Reads the command line of a bench that has workloads of these names; where it is wrong, clap says so and ends it.
/// Each is timed for `seconds` unless it says otherwise.
pub fn wanted(about: &'static str, names: &[&'static str], seconds: &'static str) -> Wanted {
    let name = Arg::new("name")
        .value_name("NAME")
        .num_args(0..)
        .value_parser(PossibleValuesParser::new(names))
        .help("Only these workloads [default: all]");
    let seconds = Arg::new("seconds")
        .long("seconds")
        .value_name("S")
        .default_value(seconds)
        .value_parser(seconds_of)
        .help("How long each is timed");
    // cargo tells every bench that it is one.
    let bench = Arg::new("bench").long("bench").action(ArgAction::SetTrue).hide(true);
    let mut matches = Command::new("cargo bench --").about(about).args([name, seconds, bench]).get_matches();
    Wanted {
        seconds: matches.remove_one("seconds").expect("it has a default"),
        names: matches.remove_many("name").into_iter().flatten().collect(),
    }
}
