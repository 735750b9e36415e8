//! `countermand incidents undo`: takes back what was changed, with the operator's own credentials.

use aws_config::Region;
use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use remedy::{CallError, CallErrorKind, Drift, Incident, Undo, UndoError, UndoReport};
use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{NoIncident, Operator, Session};
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Span, Tone};
use crate::responders::Entry;

/// Why one incident was not undone.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    NoIncident(#[from] NoIncident),
    #[error("incident {incident} is of responder `{responder}`, which this build does not know")]
    Responder { incident: String, responder: String },
    #[error("incident {incident} is of account {theirs}, and your credentials are of account {yours}")]
    Account { incident: String, theirs: AccountId, yours: AccountId },
    #[error(transparent)]
    Undo(#[from] UndoError),
}

/// What became of one incident. Other programs rely on this form.
#[derive(Serialize)]
struct Line<'a> {
    incident: &'a str,
    status: Status,
    did: &'a [String],
    already: &'a [String],
    drifts: Vec<Difference<'a>>,
    error: Option<String>,
    next_step: Option<String>,
}

#[derive(Serialize)]
struct Difference<'a> {
    did: &'a str,
    before: &'a Value,
    now: &'a Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Undone,
    WouldUndo,
    /// Somebody undid it before.
    AlreadyUndone,
    /// The operator said no.
    LeftAlone,
    /// Nothing was changed.
    Refused,
    /// Perhaps something was changed.
    Failed,
}

pub(super) async fn run(args: &args::Undo, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let session = Session::open(&args.connection).await?;
    let operator = session.operator().await?;
    let mut exit = Exit::Done;
    for id in &args.ids {
        let incident = match session.find(id).await? {
            Ok(incident) => incident,
            Err(none) => {
                refuse(id, &none.into(), out)?;
                exit = exit.and(Exit::Failed);
                continue;
            }
        };
        let id = incident.id.to_string();
        if let Err(refusal) = undo(&session, &operator, incident, args, now, out).await? {
            refuse(&id, &refusal, out)?;
            if !matches!(refusal, Refusal::Undo(UndoError::Before { .. })) {
                exit = exit.and(Exit::Failed);
            }
        }
    }
    Ok(exit)
}

/// Looks, shows what would be done, asks, and does it.
async fn undo(
    session: &Session,
    operator: &Operator,
    incident: Incident,
    args: &args::Undo,
    now: DateTime<Utc>,
    out: &mut Output,
) -> Result<Result<(), Refusal>, Failure> {
    let id = incident.id.to_string();
    if incident.account != operator.account {
        let (theirs, yours) = (incident.account, operator.account.clone());
        return Ok(Err(Refusal::Account { incident: id, theirs, yours }));
    }
    let Some(entry) = Entry::named(&incident.responder) else {
        return Ok(Err(Refusal::Responder { incident: id, responder: incident.responder }));
    };
    let region = Region::new(incident.region.as_str().to_owned());
    let config = session.config.to_builder().region(region).build();
    let look =
        Undo { ledger: &session.ledger, by: &operator.arn, now, force: false, dry_run: true, lease_ended: false };

    let expected = match (entry.undo)(&look, &config, incident.clone()).await {
        Err(UndoError::Drifted { drifts, .. }) if args.force => {
            if !out.is_json() {
                out.line([Tone::Warning.of(format!("incident {id}: the account is no longer as we left it"))])?;
                differences(&drifts, out)?;
            }
            (entry.undo)(&Undo { force: true, ..look }, &config, incident.clone()).await
        }
        other => other,
    };
    let expected = match expected {
        Ok(report) => report,
        Err(error) => return Ok(Err(error.into())),
    };
    if args.dry_run {
        tell(&expected, Status::WouldUndo, operator, out)?;
        return Ok(Ok(()));
    }
    if !args.yes {
        out.note([
            Tone::Strong.of(format!("incident {id}")),
            format!(" in {} {}", incident.account, incident.region).into(),
        ])?;
        for text in &expected.did {
            out.note([format!("  would {text}").into()])?;
        }
        for text in &expected.already {
            out.note([Tone::Faint.of(format!("  taken back already: {text}"))])?;
        }
        if !out.confirm(&format!("as {}?", operator.arn))? {
            tell(&UndoReport { did: Vec::new(), already: Vec::new(), ..expected }, Status::LeftAlone, operator, out)?;
            return Ok(Ok(()));
        }
    }
    let really = Undo { force: args.force, dry_run: false, ..look };
    match (entry.undo)(&really, &config, incident).await {
        Ok(report) => tell(&report, Status::Undone, operator, out)?,
        Err(error) => return Ok(Err(error.into())),
    }
    Ok(Ok(()))
}

fn tell(report: &UndoReport, status: Status, operator: &Operator, out: &mut Output) -> Result<(), Failure> {
    let UndoReport { incident, did, already } = report;
    if out.is_json() {
        let incident = incident.id.as_str();
        let nothing = (Vec::new(), None, None);
        let (drifts, error, next_step) = nothing;
        out.object(&Line { incident, status, did, already, drifts, error, next_step })?;
        return Ok(());
    }
    let (tone, text, verb) = match status {
        Status::Undone => (Tone::Good, "undone", "did"),
        Status::WouldUndo => (Tone::Warning, "would be undone", "would"),
        _ => (Tone::Plain, "left alone", ""),
    };
    out.line([
        Tone::Strong.of(format!("incident {}  ", incident.id)),
        tone.of(text),
        Tone::Faint.of(format!("  by {}", operator.arn)),
    ])?;
    out.fields(verb, did.iter().map(|text| text.as_str().into()))?;
    out.fields("already", already.iter().map(|text| format!("taken back before: {text}").into()))?;
    Ok(())
}

fn refuse(id: &str, refusal: &Refusal, out: &mut Output) -> Result<(), Failure> {
    let drifts: &[Drift] = match refusal {
        Refusal::Undo(UndoError::Drifted { drifts, .. }) => drifts,
        _ => &[],
    };
    let help = refusal.help(id);
    if out.is_json() {
        let drifts = drifts.iter().map(|Drift { did, before, now }| Difference { did, before, now }).collect();
        let (error, next_step) = (Some(remedy::in_full(refusal)), help);
        out.object(&Line { incident: id, status: refusal.status(), did: &[], already: &[], drifts, error, next_step })?;
        return Ok(());
    }
    differences(drifts, out)?;
    if refusal.status() == Status::AlreadyUndone {
        out.note([refusal.to_string().into()])?;
    } else {
        out.error(refusal, help.as_deref())?;
    }
    Ok(())
}

impl Refusal {
    fn status(&self) -> Status {
        match self {
            Self::Undo(UndoError::Before { .. }) => Status::AlreadyUndone,
            Self::Undo(UndoError::Apply { .. } | UndoError::Ledger(_)) => Status::Failed,
            _ => Status::Refused,
        }
    }

    fn help(&self, id: &str) -> Option<String> {
        let denied = |source: &CallError| {
            let action = source.action;
            (source.kind == CallErrorKind::Denied)
                .then(|| format!("your role needs `{action}`: see `countermand responders`"))
        };
        match self {
            Self::NoIncident(none) => Some(none.help().to_owned()),
            Self::Responder { .. } => Some("use the version of countermand that is deployed".to_owned()),
            Self::Account { theirs, .. } => {
                Some(format!("use credentials of account {theirs} (--profile), and say --table with the table's ARN"))
            }
            Self::Undo(error) => match error {
                UndoError::Drifted { .. } => Some(format!(
                    "put back by hand what is still missing, or `countermand incidents undo {id} --force`"
                )),
                UndoError::Observe(source) | UndoError::Apply { source, .. } => denied(source),
                UndoError::NothingDone { .. } => Some(format!("`countermand incidents show {id}` says why")),
                UndoError::Ledger(_) => Some("run the same command again; what was undone already stays so".to_owned()),
                UndoError::AtWork { .. } | UndoError::Before { .. } | UndoError::Unreadable { .. } => None,
            },
        }
    }
}

/// For each drift what we did, and how the account differs from how it was before us.
fn differences(drifts: &[Drift], out: &mut Output) -> Result<(), Failure> {
    let mut shown: Option<(&Value, &Value)> = None;
    for Drift { did, before, now } in drifts {
        out.field("we did", [did.as_str().into()])?;
        // Drifts of one incident share one look at the account.
        if shown != Some((before, now)) {
            difference(before, now, out)?;
            shown = Some((before, now));
        }
    }
    Ok(())
}

fn difference(before: &Value, now: &Value, out: &mut Output) -> Result<(), Failure> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string());
    let (before, now) = (pretty(before), pretty(now));
    if before == now {
        out.field("now", ["as it was before us".into()])?;
        return Ok(());
    }
    out.field("difference", [Tone::Bad.of("- before us"), "  ".into(), Tone::Good.of("+ now")])?;
    let diff = TextDiff::from_lines(&before, &now);
    for (index, group) in diff.grouped_ops(3).iter().enumerate() {
        if index > 0 {
            out.field("", [Tone::Faint.of("…")])?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n');
            let span: Span<'_> = match change.tag() {
                ChangeTag::Delete => Tone::Bad.of(format!("- {text}")),
                ChangeTag::Insert => Tone::Good.of(format!("+ {text}")),
                ChangeTag::Equal => format!("  {text}").into(),
            };
            out.field("", [span])?;
        }
    }
    Ok(())
}
