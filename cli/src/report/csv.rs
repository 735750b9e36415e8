//! One row an incident, for spreadsheets.
//!
//! INVARIANT (inert): every cell goes through [`cell`], which leaves nothing for a spreadsheet to compute, and no line
//! breaks, so that one incident is one line. Quoting is left to the `csv` crate: it is small, long in use and kept
//! well, and the tests read back with it.

use std::io;

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use chrono::{DateTime, SecondsFormat, Utc};
use hostile_text::cell;

use super::row::{Row, Undo};
use crate::explain::fact_text;

const COLUMNS: [&str; 26] = [
    "incident",
    "state",
    "opened",
    "responder",
    "event_name",
    "event_time",
    "event_id",
    "account",
    "region",
    "actor",
    "session",
    "source_ip",
    "resource",
    "severity",
    "certainty",
    "facts",
    "verdict",
    "policies",
    "because",
    "changes",
    "contained",
    "seconds_to_contain",
    "undo",
    "undone_by",
    "undone_at",
    "error",
];

pub(super) fn table(rows: &[Row]) -> io::Result<String> {
    // As RFC 4180 has it. Everything is quoted: the separator of a spreadsheet depends on where in the world it runs.
    let mut builder = WriterBuilder::new();
    let mut writer = builder.quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let cells = cells(row);
        writer.write_record(cells.iter().map(|text| cell(text).into_owned()))?;
    }
    let bytes = writer.into_inner().map_err(::csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn cells(row: &Row) -> [String; COLUMNS.len()] {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let facts = row.facts.iter().filter_map(|facts| facts.as_object()).flatten();
    let undo = match row.undo() {
        Undo::Nothing => "nothing changed",
        Undo::Possible => "possible",
        Undo::Partly { .. } => "partly done",
        Undo::Done(undone) if undone.forced => "done by force",
        Undo::Done(_) => "done",
    };
    [
        row.incident.clone(),
        row.state.to_string(),
        time(row.opened),
        row.responder.clone(),
        row.event_name.clone(),
        row.event_time.map(time).unwrap_or_default(),
        row.event_id.clone(),
        row.account.clone(),
        row.region.clone(),
        row.actor.clone(),
        row.identity.as_ref().and_then(|identity| identity.session.clone()).unwrap_or_default(),
        row.source_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        row.resource.clone(),
        row.severity.to_string(),
        match row.certainty {
            remedy::Certainty::Event => "event".to_owned(),
            remedy::Certainty::Live => "live".to_owned(),
        },
        facts.map(|(name, value)| format!("{name} = {}", fact_text(value))).collect::<Vec<_>>().join("; "),
        row.verdict.clone(),
        row.policies.join("; "),
        row.because.clone(),
        row.receipt.iter().map(|entry| entry.did.as_str()).collect::<Vec<_>>().join("; "),
        row.contained.map(time).unwrap_or_default(),
        row.took().map(|took| format!("{:.3}", took.as_seconds_f64())).unwrap_or_default(),
        undo.to_owned(),
        row.undone.as_ref().map(|undone| undone.by.clone()).unwrap_or_default(),
        row.undone.as_ref().map(|undone| time(undone.at)).unwrap_or_default(),
        row.error.clone().unwrap_or_default(),
    ]
}
