//! `countermand policy check`: everything that is wrong with the policies, before they are deployed; and `policy test`.

mod examples;

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use policy::{Effect, Level, Policies, PolicyError, Problem, Schema, Source};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::{self, ShadowArgs};
use crate::output::{Output, Tone};
use crate::responders::ENTRIES;

/// Work with policies.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// Say everything that is wrong with the policies in a folder
    Check(Check),
    /// Try the examples beside the policies: of each event what is expected, and of which policy
    Test(examples::Test),
    /// Say where the shadow policies of a deployment would have decided otherwise than those in force, in live findings
    Shadow(ShadowArgs),
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Check {
    /// The folder with the Cedar policies
    #[arg(value_name = "DIR", default_value = "policies")]
    folder: PathBuf,
}

pub(crate) fn run(command: &Command, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Check(args) => check(args, out),
        Command::Test(args) => examples::test(args, out),
        Command::Shadow(args) => incidents::compare(args, now, out),
    }
}

fn check(Check { folder }: &Check, out: &mut Output) -> Result<Exit, Failure> {
    let unusable = |source| Failure::Policies { folder: folder.clone(), source };
    let sources = policy::sources(folder).map_err(unusable)?;
    let mut problems = policy::check(&sources, &schema()?);
    match policy::beside(folder) {
        Ok(_) => {}
        Err(PolicyError::Invalid { problems: more }) => problems.extend(more),
        Err(error) => return Err(unusable(error)),
    }
    for problem in &problems {
        show(problem, out)?;
    }
    let wrong = problems.iter().any(|problem| problem.level == Level::Error);
    if !out.is_json() {
        let files = sources.len();
        if wrong {
            let errors = problems.iter().filter(|problem| problem.level == Level::Error).count();
            let plural = if errors == 1 { "" } else { "s" };
            out.line([Tone::Bad.of(format!("{errors} error{plural}: do not deploy these policies"))])?;
        } else {
            praise(&Policies::parse(sources).map_err(unusable)?, files, out)?;
        }
    }
    Ok(if wrong { Exit::Failed } else { Exit::Done })
}

/// What policies may speak of: the schemas of all responders together.
fn schema() -> Result<Schema, Failure> {
    let sources = ENTRIES
        .iter()
        .map(|entry| Source::new(format!("functions/{}/schema.cedarschema", entry.spec.name), entry.spec.schema));
    Schema::merge(sources).map_err(Failure::Schemas)
}

fn show(problem: &Problem, out: &mut Output) -> io::Result<()> {
    if out.is_json() {
        return out.object(problem);
    }
    let Problem { file, line, col, level, message, help } = problem;
    let level = match level {
        Level::Error => Tone::Bad.of("error"),
        Level::Warning => Tone::Warning.of("warning"),
    };
    out.line([Tone::Strong.of(format!("{file}:{line}:{col}: ")), level, format!(": {message}").into()])?;
    match help {
        Some(help) => out.line([Tone::Good.of("  help"), format!(": {help}").into()]),
        None => Ok(()),
    }
}

fn praise(policies: &Policies, files: usize, out: &mut Output) -> io::Result<()> {
    let count = |effect| policies.rules().iter().filter(|rule| rule.effect == effect).count();
    let (permits, forbids) = (count(Effect::Permit), count(Effect::Forbid));
    let plural = if files == 1 { "" } else { "s" };
    out.line([Tone::Good.of("ok"), format!(": {permits} permit, {forbids} forbid in {files} file{plural}").into()])?;
    if permits == 0 {
        out.line(["nothing is permitted: Countermand would observe and report, and change nothing".into()])?;
    }
    Ok(())
}
