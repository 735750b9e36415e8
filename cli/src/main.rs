//! `countermand`, the operator's command.
//!
//! One module a subcommand. What they say goes through [`output`], which shows hostile text instead of obeying it; how
//! they end is an [`exit::Exit`]. No responder is known here by name: [`responders`] holds them all.

use std::process::{ExitCode, Termination};

use chrono::Utc;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};
use crate::backtest::function;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Output};

#[macro_use]
mod responders;

mod args;
mod backtest;
mod baseline;
#[cfg(test)]
mod canned;
mod catalogue;
mod cloudwatch;
mod coverage;
mod demo;
mod deployment;
mod dlq;
mod doctor;
mod elsewhere;
mod event_bus;
mod event_history;
mod events;
mod exit;
mod explain;
mod failure;
mod heartbeat;
mod incidents;
mod output;
mod policies;
mod reconcile;
mod records;
mod registry;
mod release;
mod report;
mod tell;

fn main() -> ExitCode {
    match lambda::handler() {
        None => ask_operator().report(),
        Some(handler) if handler == release::HANDLER => release::serve(),
        Some(handler) if handler == heartbeat::HANDLER => heartbeat::serve(),
        Some(handler) if handler == tell::HANDLER => tell::serve(),
        Some(handler) if handler == function::PART => function::serve_part(),
        Some(handler) if handler == function::SUMMARY => function::serve_summary(),
        Some(handler) => {
            let _unheard = Output::new(Format::Human).error(&NoHandler(handler), Some(HANDLERS));
            ExitCode::FAILURE
        }
    }
}

/// This program runs as a Lambda function too, for what an operator would do if he had to do it by the clock, and for
/// backtests of what one machine would read for too long.
#[derive(Debug, thiserror::Error)]
#[error("there is no handler `{0}`")]
struct NoHandler(String);

const HANDLERS: &str =
    "set the function's Handler to release-leases, heartbeat, tell-incidents, backtest-part or backtest-summary";

const TABLE_TIP: &str = "set COUNTERMAND_TABLE once: the ledger's table is the output `Ledger` of your stack";

/// Whether the command would have been understood, had it been told where the ledger is.
fn lacks_table(answer: &clap::Error) -> bool {
    let Some(ContextValue::Strings(missing)) = answer.get(ContextKind::InvalidArg) else { return false };
    answer.kind() == ErrorKind::MissingRequiredArgument
        && missing.iter().any(|argument| argument.starts_with("--table"))
}

fn ask_operator() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut answer) => {
            if lacks_table(&answer) {
                let tip = ContextValue::StyledStrs(vec![TABLE_TIP.into()]);
                answer.insert(ContextKind::Suggested, tip);
            }
            // Nobody is left to be told that it cannot be told.
            let _unheard = answer.print();
            return if answer.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let mut out = Output::new(cli.format);
    match run(cli, &mut out) {
        Ok(exit) => exit,
        // `countermand incidents list | head`: whoever reads has read enough, and nothing went wrong.
        Err(failure) if failure.is_broken_pipe() => Exit::Done,
        Err(failure) => {
            let _unheard = out.error(&failure, failure.help());
            failure.exit()
        }
    }
}

fn run(cli: Cli, out: &mut Output) -> Result<Exit, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the command's one look at the clock; everybody else is given it")]
    let now = Utc::now();
    match cli.command {
        Command::Responders => catalogue::run(out)?,
        Command::Coverage => coverage::run(out)?,
        Command::Explain(args) => return explain::run(&args, now, out),
        Command::Backtest(args) => return backtest::run(&args, now, out),
        Command::Policy(command) => return policies::run(&command, now, out),
        Command::Baseline(command) => return baseline::run(&command, now, out),
        Command::Incidents(command) => return incidents::run(&command, now, out),
        Command::Reconcile(args) => return reconcile::run(&args, now, out),
        Command::Dlq(command) => return dlq::run(&command, now, out),
        Command::Doctor(args) => return doctor::run(&args, out),
        Command::Report(args) => return report::run(&args, now, out),
        Command::Demo(args) => return demo::run(&args, out),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "countermand", &mut script);
            out.script(&script)?;
        }
    }
    Ok(Exit::Done)
}
