//! What `countermand dlq` says.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Found;
use crate::output::{Output, Stream, Tone};
use crate::records::Record;

/// A message. Other programs rely on this form.
#[derive(Serialize)]
struct Line<'a> {
    message: &'a str,
    queue: &'static str,
    sent: Option<DateTime<Utc>>,
    function: Option<&'a str>,
    rule: Option<&'a str>,
    event_id: Option<&'a str>,
    event_time: Option<DateTime<Utc>>,
    event_name: Option<&'a str>,
    actor: Option<&'a str>,
    resource: Option<&'a str>,
    why: &'a str,
    status: Status,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It is in the queue.
    Waiting,
    /// A dry run: it would be handed over.
    WouldHandOver,
    /// Lambda has taken it.
    HandedOver,
}

impl<'a> Line<'a> {
    fn of(Found { queue, letter, function, said }: &'a Found, status: Status) -> Self {
        Self {
            message: &letter.id,
            queue,
            sent: letter.sent,
            // A function that is none of ours is called by what the message says.
            function: function.as_deref().or(letter.function.as_deref()),
            rule: letter.rule.as_deref(),
            event_id: said.id.as_deref(),
            event_time: said.time,
            event_name: said.name.as_deref(),
            actor: said.actor.as_deref(),
            resource: said.resource.as_deref(),
            why: &letter.why,
            status,
        }
    }
}

pub(super) fn list(found: &[Found], out: &mut Output) -> io::Result<()> {
    if out.is_json() {
        return found.iter().try_for_each(|found| out.object(&Line::of(found, Status::Waiting)));
    }
    if found.is_empty() {
        return out.note(["the dead-letter queues are empty".into()]);
    }
    table(found.iter().collect(), Stream::Results, out)
}

fn table(found: Vec<&Found>, stream: Stream, out: &mut Output) -> io::Result<()> {
    let records = found.into_iter().map(|found| {
        let line = Line::of(found, Status::Waiting);
        let cell = |text: Option<&str>| text.unwrap_or("?").to_owned().into();
        let why = match line.rule {
            Some(rule) => format!("{}: undelivered by {rule}", line.why),
            None => line.why.to_owned(),
        };
        Record {
            cells: [
                Tone::Strong.of(line.message.to_owned()),
                time(line.sent).into(),
                cell(line.function),
                cell(line.event_name),
                cell(line.actor),
                cell(line.resource),
            ],
            beneath: vec![Tone::Faint.of(why)],
        }
    });
    out.records(stream, ["MESSAGE", "SENT", "FUNCTION", "EVENT", "ACTOR", "RESOURCE"], records.collect())
}

/// That there is more than was looked at.
pub(super) fn more(more: bool, limit: u32, out: &mut Output) -> io::Result<()> {
    if !more {
        return Ok(());
    }
    let text = format!("a queue holds more than {limit} messages: say --limit, or --function");
    out.note([Tone::Warning.of(text)])
}

pub(super) fn nothing(out: &mut Output) -> io::Result<()> {
    out.note(["no event to hand over".into()])
}

/// What a person is asked about.
pub(super) fn ask<'a>(agreed: impl Iterator<Item = &'a (String, Found)>, out: &mut Output) -> io::Result<()> {
    table(agreed.map(|(_, found)| found).collect(), Stream::Notes, out)
}

pub(super) fn question(number: usize) -> String {
    let what = if number == 1 {
        "this event to its function".to_owned()
    } else {
        format!("these {number} events to their functions")
    };
    format!("hand {what} again?")
}

/// That an event was handed over, or would be.
pub(super) fn handed_over(found: &Found, function: &str, dry_run: bool, out: &mut Output) -> io::Result<()> {
    let status = if dry_run { Status::WouldHandOver } else { Status::HandedOver };
    let line = Line { function: Some(function), ..Line::of(found, status) };
    if out.is_json() {
        return out.object(&line);
    }
    let word = if dry_run { Tone::Warning.of("would hand over") } else { Tone::Good.of("handed over") };
    let name = line.event_name.unwrap_or("an event that cannot be read");
    let actor = line.actor.map(|actor| format!(" by {actor}")).unwrap_or_default();
    out.line([word, "  ".into(), Tone::Strong.of(name), format!("{actor}, to {function} ({})", line.message).into()])
}

pub(super) fn summary(handed_over: usize, wanted: usize, out: &mut Output) -> io::Result<()> {
    if out.is_json() {
        return Ok(());
    }
    out.line([Tone::Strong.of(format!("{handed_over} of {wanted} handed over and taken out of the queue"))])?;
    if handed_over > 0 {
        out.note(["the functions look at the account before they act; `countermand incidents list` tells".into()])?;
    }
    Ok(())
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "?".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
