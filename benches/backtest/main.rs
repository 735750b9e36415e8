//! How fast history is read: the engine of `countermand backtest` beside the floor below it, which is inflating the same
//! files, and beside what else one would count events with.
//!
//! ```sh
//! cargo bench -p benches --bench backtest                      # a million records: 1.4 GB of JSON in 200 MB of gzip
//! cargo bench -p benches --bench backtest -- --records 100000  # a tenth
//! cargo build --release -p countermand                         # and the whole command, which judges, too
//! cargo bench -p benches --bench backtest -- --command "$PWD/target/release/countermand"
//! ```
//!
//! The logs are generated from a seed into `--folder` (by default below the target folder) and kept for the next time. In
//! each of `--rounds` rounds every program runs once, one after the other, over the same files, so that whatever else the
//! machine does falls on all of them alike; the table has the medians, and the medians of each round's ratio to the engine.
//! All must count the same, and what was generated. Programs that are not installed are named and left out.

mod contest;
mod engine;
mod error;
mod generate;
mod kinds;
mod measure;
mod records;
mod rivals;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::contest::contest;
use crate::error::BenchError;

/// What the user asks for.
#[derive(Debug)]
struct Arguments {
    folder: Option<PathBuf>,
    records: u64,
    rounds: usize,
    seed: u64,
    /// A release build of `countermand`.
    command: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Err(error) = run(std::env::args().skip(1).collect(), &mut std::io::stdout().lock()) else {
        return ExitCode::SUCCESS;
    };
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    // Whoever cannot be told sees the exit code.
    writeln!(std::io::stderr(), "{text}").ok();
    ExitCode::FAILURE
}

fn run(arguments: Vec<String>, out: &mut impl Write) -> Result<(), BenchError> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["count", folder] => engine::count(Path::new(folder), out),
        ["inflate", folder] => engine::inflate(Path::new(folder)),
        _ => contest(&Arguments::parse(arguments)?, out),
    }
}

impl Arguments {
    fn parse(given: Vec<String>) -> Result<Self, BenchError> {
        let mut arguments = Self { folder: None, records: 1_000_000, rounds: 5, seed: 1, command: None };
        let mut given = given.into_iter();
        while let Some(name) = given.next() {
            let mut number = || {
                let number = given.next().and_then(|text| text.parse::<u64>().ok()).filter(|number| *number > 0);
                number.ok_or(BenchError::Number { name: name.clone() })
            };
            match name.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--records" => arguments.records = number()?,
                "--rounds" => arguments.rounds = usize::try_from(number()?).unwrap_or(usize::MAX),
                "--seed" => arguments.seed = number()?,
                "--command" => arguments.command = Some(given.next().ok_or(BenchError::Argument(name))?.into()),
                "--folder" => arguments.folder = Some(given.next().ok_or(BenchError::Argument(name))?.into()),
                _ => return Err(BenchError::Argument(name)),
            }
        }
        Ok(arguments)
    }
}
