//! What is told of an undo: before it, of each incident, and at its end.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use remedy::{Drift, Incident, UndoReport};
use serde::Serialize;
use serde_json::Value;

use super::prospect::Prospect;
use super::refusal::Refusal;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::Operator;
use crate::incidents::difference::{self, Difference};
use crate::output::{Output, Span, Stream, Tone};
use crate::records::Record;
use crate::report::many;

/// What became of one incident. Other programs rely on this form.
#[derive(Serialize)]
struct Line<'a> {
    incident: &'a str,
    status: Status,
    did: &'a [String],
    already: &'a [String],
    drifts: Vec<Drifted<'a>>,
    differences: Vec<Difference>,
    error: Option<String>,
    next_step: Option<String>,
}

#[derive(Serialize)]
struct Drifted<'a> {
    did: &'a str,
    before: &'a Value,
    after: Option<&'a Value>,
    now: &'a Value,
}

impl<'a> Line<'a> {
    fn of(incident: &'a str, status: Status) -> Self {
        let (drifts, differences) = (Vec::new(), Vec::new());
        Self { incident, status, did: &[], already: &[], drifts, differences, error: None, next_step: None }
    }

    fn drifted(self, drifts: &'a [Drift]) -> Self {
        let told = |Drift { did, before, after, now }: &'a Drift| Drifted { did, before, after: after.as_ref(), now };
        // Drifts of one incident share one look at the account.
        let differences = drifts.first().map(difference::differences).unwrap_or_default();
        Self { drifts: drifts.iter().map(told).collect(), differences, ..self }
    }
}

/// What became of an incident, in the order in which it is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Undone,
    WouldUndo,
    /// The operator said no.
    LeftAlone,
    /// The account is no longer as we left it, and nothing was changed. To programs it is refused, and has drifts.
    #[serde(rename = "refused")]
    Drifted,
    /// Nothing was changed.
    Refused,
    /// Perhaps something was changed.
    Failed,
    /// Somebody undid it before.
    AlreadyUndone,
}

impl Status {
    fn words(self) -> &'static str {
        match self {
            Self::Undone => "undone",
            Self::WouldUndo => "would be undone",
            Self::LeftAlone => "left alone",
            Self::Drifted => "no longer as we left it",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::AlreadyUndone => "undone before",
        }
    }

    fn is_bad(self) -> bool {
        matches!(self, Self::Drifted | Self::Refused | Self::Failed)
    }
}

/// Tells it, and counts.
pub(super) struct Teller<'a> {
    out: &'a mut Output,
    operator: &'a Operator,
    count: BTreeMap<Status, usize>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(out: &'a mut Output, operator: &'a Operator) -> Self {
        Self { out, operator, count: BTreeMap::new() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.out.is_json()
    }

    fn count(&mut self, status: Status) {
        *self.count.entry(status).or_default() += 1;
    }

    /// What would be done.
    pub(super) fn preview(&mut self, prospects: &[Prospect], stream: Stream) -> Result<(), Failure> {
        for Prospect { incident, drifts, newer, .. } in prospects {
            if !drifts.is_empty() && newer.is_none() {
                let text = format!("incident {}, though the account is no longer as we left it", incident.id);
                self.out.field_on(stream, "forced", [Tone::Warning.of(text)])?;
                difference::tell(drifts, stream, self.out)?;
            }
        }
        if !prospects.is_empty() {
            let records = prospects.iter().map(record).collect();
            self.out.records(stream, ["ID", "OPENED", "RESPONDER", "RESOURCE"], records)?;
        }
        Ok(())
    }

    /// Asks whether to go on.
    pub(super) fn confirm(&mut self, number: usize) -> Result<bool, Failure> {
        let what = if number == 1 { "it".to_owned() } else { format!("these {number}, newest first,") };
        Ok(self.out.confirm(&format!("undo {what} as {}?", self.operator.arn))?)
    }

    /// An incident was undone.
    pub(super) fn undone(&mut self, UndoReport { incident, did, already }: &UndoReport) -> Result<(), Failure> {
        self.count(Status::Undone);
        let id = incident.id.as_str();
        if self.out.is_json() {
            self.out.object(&Line { did, already, ..Line::of(id, Status::Undone) })?;
            return Ok(());
        }
        let by = Tone::Faint.of(format!("  by {}", self.operator.arn));
        self.out.line([Tone::Strong.of(format!("incident {id}  ")), Tone::Good.of("undone"), by])?;
        self.out.fields("did", did.iter().map(|text| text.as_str().into()))?;
        self.out.fields("already", already.iter().map(|text| format!("taken back before: {text}").into()))?;
        Ok(())
    }

    /// Incidents were shown, and nothing was done about them.
    pub(super) fn left(&mut self, status: Status, prospects: &[Prospect]) -> Result<(), Failure> {
        for Prospect { incident, would, already, drifts, newer, .. } in prospects {
            self.count(status);
            if self.out.is_json() {
                let (did, already): (&[_], &[_]) =
                    if status == Status::WouldUndo { (would, already) } else { (&[], &[]) };
                let next_step = newer.as_ref().map(|newer| format!("it is looked at again when {newer} is undone"));
                let line = Line { did, already, next_step, ..Line::of(incident.id.as_str(), status) };
                self.out.object(&line.drifted(drifts))?;
            }
        }
        Ok(())
    }

    /// Incidents that a filter means had been undone.
    pub(super) fn undone_before(&mut self, incidents: &[Incident]) -> Result<(), Failure> {
        for incident in incidents {
            self.count(Status::AlreadyUndone);
            if self.out.is_json() {
                self.out.object(&Line::of(incident.id.as_str(), Status::AlreadyUndone))?;
            }
        }
        Ok(())
    }

    /// An incident was not undone.
    pub(super) fn refused(&mut self, id: &str, refusal: &Refusal) -> Result<(), Failure> {
        let (status, drifts, next_step) = (refusal.status(), refusal.drifts(), refusal.help(id));
        self.count(status);
        if self.out.is_json() {
            let line = Line { error: Some(remedy::in_full(refusal)), next_step, ..Line::of(id, status) };
            self.out.object(&line.drifted(drifts))?;
            return Ok(());
        }
        if status == Status::AlreadyUndone {
            return Ok(self.out.note([refusal.to_string().into()])?);
        }
        if !drifts.is_empty() {
            let text = Tone::Warning.of("no longer as we left it");
            self.out.line([Tone::Strong.of(format!("incident {id}  ")), text])?;
            difference::tell(drifts, Stream::Results, self.out)?;
        }
        self.out.error(refusal, next_step.as_deref())?;
        Ok(())
    }

    /// Sums up, for a person, and says how it ended.
    pub(super) fn end(self, sum_up: bool) -> Result<Exit, Failure> {
        let is_bad = self.count.keys().any(|status| status.is_bad());
        if self.count.is_empty() {
            self.out.note(["nothing to undo".into()])?;
        } else if sum_up && !self.out.is_json() {
            let tone = if is_bad { Tone::Bad } else { Tone::Good };
            self.out.line([tone.of(summary(&self.count))])?;
            if self.count.contains_key(&Status::Failed) {
                self.out.note(["the same command again goes on with what is left".into()])?;
            }
        }
        Ok(if is_bad { Exit::Failed } else { Exit::Done })
    }
}

fn summary(count: &BTreeMap<Status, usize>) -> String {
    let parts: Vec<String> = count.iter().map(|(status, number)| format!("{number} {}", status.words())).collect();
    format!("{}: {}", many(count.values().sum(), "incident"), parts.join(", "))
}

/// An incident in the table of what would be done.
fn record(prospect: &Prospect) -> Record<'_, 4> {
    let Prospect { incident, would, already, drifts, newer, .. } = prospect;
    let caution = match (newer, drifts.is_empty()) {
        (Some(newer), _) => Some(format!("not as we left it, and looked at again when {newer} is undone")),
        (None, false) => Some("by force: the account is no longer as we left it".to_owned()),
        (None, true) => None,
    };
    let beneath = would.iter().map(|text| Span::from(format!("would {text}")));
    let beneath = beneath.chain(already.iter().map(|text| Tone::Faint.of(format!("taken back already: {text}"))));
    Record {
        cells: [
            Tone::Strong.of(incident.id.as_str()),
            incident.opened.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            incident.responder.as_str().into(),
            incident.resource.arn.as_str().into(),
        ],
        beneath: beneath.chain(caution.map(|text| Tone::Warning.of(text))).collect(),
    }
}
