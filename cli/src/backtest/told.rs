//! What a backtest has to say, and where it goes.

use std::io;
use std::path::Path;

use ::backtest::{Finding, Report};
use chrono::{DateTime, Utc};

use super::{BacktestError, Form, human, writing};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

/// So many problems are told on standard error; JSON and HTML name more.
const PROBLEMS: usize = 10;

/// What is told, and to whom.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) report: Report,
    /// Whether two sets of policies are compared.
    pub(super) compares: bool,
    /// When the backtest was made.
    pub(super) made: DateTime<Utc>,
    /// From where: a phrase.
    pub(super) source: String,
}

impl Told {
    /// The findings that are told one by one.
    pub(super) fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        self.report.findings().filter(|finding| !self.compares || finding.has_changed())
    }

    pub(super) fn tell(
        &self,
        form: Form,
        path: Option<&Path>,
        out: &mut Output,
    ) -> Result<Result<(), BacktestError>, Failure> {
        match (form.writer(), path) {
            (None, _) => human::tell(self, out)?,
            (Some(writer), None) => writing::to_screen(self, writer, out)?,
            (Some(writer), Some(path)) => {
                if let Err(source) = writing::to_file(self, writer, path) {
                    return Ok(Err(BacktestError::Write { path: path.to_owned(), source }));
                }
                out.note([format!("{} in {}", human::in_a_line(self), path.display()).into()])?;
            }
        }
        self.tell_problems(out)?;
        Ok(Ok(()))
    }

    fn tell_problems(&self, out: &mut Output) -> io::Result<()> {
        let problems = &self.report.summary.problems;
        let told = problems.named.iter().take(PROBLEMS);
        let more = problems.count.saturating_sub(u64::try_from(told.len()).unwrap_or_default());
        for problem in told {
            out.note([Tone::Bad.of("error"), format!(": {problem}").into()])?;
        }
        if more > 0 {
            out.note([Tone::Bad.of("error"), format!(": {more} more like these").into()])?;
        }
        Ok(())
    }

    /// What could not be read outweighs what was found.
    pub(super) fn exit(&self) -> Exit {
        let summary = &self.report.summary;
        let acting = match &summary.comparison {
            Some(comparison) => comparison.newly_acted_on,
            None => summary.acted_on + summary.perhaps_acted_on,
        };
        let found = if acting > 0 { Exit::Found } else { Exit::Done };
        if summary.problems.count > 0 { found.and(Exit::Failed) } else { found }
    }
}

/// What a person recognises an ARN by: `security-group/sg-0a1b`, `role/ci/deploy`. Other text is shown whole.
pub(super) fn short(arn: &str) -> &str {
    match arn.splitn(6, ':').nth(5) {
        Some(resource) if arn.starts_with("arn:") => resource,
        _ => arn,
    }
}

/// `depends on live state`, or the verdict.
pub(super) fn verdict_in_words(finding: &Finding<'_>) -> &'static str {
    if finding.live { "depends on live state" } else { finding.verdict.name() }
}
