//! One row a finding, for spreadsheets.
//!
//! INVARIANT (inert): every cell goes through [`cell`], which leaves nothing for a spreadsheet to compute, and no line
//! breaks, so that one finding is one line.

use std::io::{self, Write};

use ::backtest::Finding;
use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use chrono::SecondsFormat;
use remedy::Certainty;

use super::told::Told;
use hostile_text::cell;

const COLUMNS: [&str; 19] = [
    "event_id",
    "event_time",
    "event_name",
    "account",
    "region",
    "actor",
    "session",
    "responder",
    "resource",
    "certainty",
    "verdict",
    "policies",
    "severity",
    "because",
    "depends_on_live_state",
    "plan",
    "incident",
    "verdict_before",
    "policies_before",
];

pub(super) fn table(told: &Told, to: &mut dyn Write) -> io::Result<()> {
    // As RFC 4180 has it. Everything is quoted: the separator of a spreadsheet depends on where in the world it runs.
    let mut builder = WriterBuilder::new();
    let mut writer = builder.quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(to);
    writer.write_record(COLUMNS)?;
    for finding in told.findings() {
        let cells = cells(&finding);
        writer.write_record(cells.iter().map(|text| cell(text).into_owned()))?;
    }
    writer.flush()
}

fn cells(finding: &Finding<'_>) -> [String; COLUMNS.len()] {
    let before = finding.before.as_ref();
    [
        finding.event_id.to_string(),
        finding.event_time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default(),
        finding.event_name.to_string(),
        finding.account.to_string(),
        finding.region.to_string(),
        finding.actor.to_string(),
        finding.session.as_deref().unwrap_or_default().to_owned(),
        finding.responder.to_string(),
        finding.resource.to_string(),
        match finding.certainty {
            Certainty::Event => "event".to_owned(),
            Certainty::Live => "live".to_owned(),
        },
        finding.verdict.name().to_owned(),
        finding.policies.join("; "),
        finding.severity.to_string(),
        finding.because.to_string(),
        if finding.live { "yes" } else { "no" }.to_owned(),
        finding.plan.name().to_owned(),
        finding.incident.to_string(),
        before.map(|before| before.verdict.name().to_owned()).unwrap_or_default(),
        before.map(|before| before.policies.join("; ")).unwrap_or_default(),
    ]
}
