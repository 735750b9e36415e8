//! One row an incident, for spreadsheets.
//!
//! INVARIANT (inert): every cell goes through [`cell`], which leaves nothing for a spreadsheet to compute, and no line
//! breaks, so that one incident is one line. Quoting is left to the `csv` crate: it is small, long in use and kept
//! well, and the tests read back with it.

use std::borrow::Cow;
use std::io;

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use chrono::{DateTime, SecondsFormat, Utc};

use super::row::{Row, Undo};
use crate::explain::fact_text;
use crate::terminal::visible;

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

/// Text that a spreadsheet takes for text.
///
/// One that begins with `=`, `+`, `-`, `@`, a tab or a line break may be taken for a formula, in some regions also with
/// the wide forms of these; space before them does not always help. Source: OWASP, "CSV Injection".
fn cell(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    let start = |text: &str| text.trim_start_matches(|char: char| char.is_whitespace() || char == '"').chars().next();
    let computed = |char| matches!(char, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%');
    let breaks = text.starts_with(['\t', '\r', '\n', '\0']);
    if breaks || start(&shown).is_some_and(computed) { Cow::Owned(format!("'{shown}")) } else { shown }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_be_computed_is_text() {
        for (text, expected) in [
            ("=cmd|'/C calc'!A1", "'=cmd|'/C calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("  =1", "'  =1"),
            ("\"=1", "'\"=1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("arn:aws:iam::1:user/=x", "arn:aws:iam::1:user/=x"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    proptest! {
        /// By the rule as spreadsheets have it, which is not the code's.
        #[test]
        fn no_cell_is_computed_and_none_breaks_the_line(text in "[=+\\-@\t\r\n \"',;a]{0,6}\\PC{0,6}\\p{Cc}{0,3}") {
            let cell = cell(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            prop_assert!(!cell.contains(char::is_control), "{cell:?}");
            let shown = visible(&text);
            prop_assert!(cell == shown || cell.strip_prefix('\'') == Some(&shown), "{cell:?} says more than {shown:?}");
        }
    }
}
