//! From a text to the events in it.

use std::borrow::Cow;

use cloudtrail::Event;
use json_spans::members;
use memchr::{memchr, memchr_iter};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;
use simdutf8::basic::from_utf8;

use crate::object::object;
use crate::place::Place;
use crate::problem::Problem;
use crate::report::Report;
use crate::selection::Selection;
use crate::walk::{Container, Ending, Fault, Piece, Step, Walker};
use crate::wanted::Wanted;

/// Four times as large as CloudTrail's records may be (CloudTrail User Guide, "CloudTrail record contents"). Parsed, a
/// hostile one of this size takes some 30 MiB.
pub(crate) const MAX_RECORD: usize = 1 << 20;

/// Finds the events that are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) selection: &'a Selection,
}

#[derive(Deserialize)]
struct LookedUp<'a> {
    #[serde(borrow, rename = "CloudTrailEvent")]
    record: Cow<'a, str>,
}

/// What seemed to be a value of several lines is none.
struct Broken;

/// Why a value was not read.
enum Unread {
    TooLarge,
    Json(serde_json::Error),
}

impl Reader<'_> {
    /// Hands over the events in `text`, which begins where the walker says, and leaves the walker at its end.
    pub(crate) fn read(&self, text: &[u8], walker: &mut Walker, ending: Ending, report: &mut Report<'_>) {
        loop {
            let step = walker.step(text, ending);
            match &step {
                Step::Done => return,
                Step::Piece(piece) => {
                    if self.piece(text, piece, report).is_err() {
                        walker.retry(piece);
                    }
                }
                &Step::Broken { fault, line, record } => {
                    let place = report.place(line, record);
                    report.problem(match fault {
                        Fault::Unexpected(found) => Problem::Unexpected { place, found },
                        Fault::Cut if ending == Ending::TooLarge => Problem::TooLarge { place },
                        Fault::Cut => Problem::Cut { place },
                    });
                }
            }
        }
    }

    fn piece(&self, text: &[u8], piece: &Piece, report: &mut Report<'_>) -> Result<(), Broken> {
        let value = text.get(piece.span.clone()).unwrap_or_default();
        let alone = piece.held_by.is_none();
        let place = || report.place(piece.line, piece.record);
        if piece.object.wide && from_utf8(value).is_err() {
            let problem = Problem::NotUtf8 { place: place() };
            report.totals().records += 1;
            report.problem(problem);
            return Ok(());
        }
        // Several lines that seem to be one value may be several broken ones: only parsing tells.
        let lines = alone && piece.object.lines && memchr(b'\n', value).is_some();
        let looked_up = piece.held_by == Some(Container::Events);
        if !lines && !looked_up && self.wanted.passes_over(value, &piece.object) {
            report.totals().records += 1;
            return Ok(());
        }
        let place = place();
        let read = if looked_up {
            self.looked_up(&place, value, report)
        } else if alone && self.wanted.may_hold_records(value, &piece.object) {
            self.holder(&place, value, report)
        } else {
            self.record(&place, value, report)
        };
        read.or_else(|unread| {
            report.problem(match unread {
                Unread::TooLarge => Problem::TooLarge { place },
                Unread::Json(error) => Problem::Json { place, what: without_place(&error) },
            });
            if lines { Err(Broken) } else { Ok(()) }
        })
    }

    /// A record or an envelope.
    fn record(&self, place: &Place, text: &[u8], report: &mut Report<'_>) -> Result<(), Unread> {
        report.totals().records += 1;
        if text.len() > MAX_RECORD {
            return Err(Unread::TooLarge);
        }
        // That all of it is UTF-8 is seen faster than that each string is.
        let read = from_utf8(text).map_or_else(|_| serde_json::from_slice(text), serde_json::from_str);
        let value: Value = read.map_err(Unread::Json)?;
        if !self.wanted.concerns(&value) {
            return Ok(());
        }
        match Event::decode(value) {
            Ok(event) if self.selection.admits(&event) => report.event(place, event),
            Ok(_) => {}
            Err(source) => report.problem(Problem::Event { place: place.clone(), source }),
        }
        Ok(())
    }

    /// One of what `aws cloudtrail lookup-events` found: the record is text within it.
    fn looked_up(&self, place: &Place, text: &[u8], report: &mut Report<'_>) -> Result<(), Unread> {
        match serde_json::from_slice(text) {
            Ok(LookedUp { record }) => {
                let record = record.as_bytes();
                if object(record).is_some_and(|object| self.wanted.passes_over(record, &object)) {
                    report.totals().records += 1;
                    return Ok(());
                }
                self.record(place, record, report)
            }
            Err(error) if error.is_data() => {
                report.totals().records += 1;
                report.problem(Problem::Field { place: place.clone(), field: "CloudTrailEvent" });
                Ok(())
            }
            Err(error) => Err(Unread::Json(error)),
        }
    }

    /// An object with records in it, which do not come first, or one record after all.
    fn holder(&self, place: &Place, text: &[u8], report: &mut Report<'_>) -> Result<(), Unread> {
        let members =
            str::from_utf8(text).map_err(serde_json::Error::custom).and_then(members).map_err(Unread::Json)?;
        let named = |name: &str| members.iter().rev().find(|(key, _)| key == name).map(|(_, span)| span.clone());
        let (field, container, array) = match (named("Records"), named("Events")) {
            (Some(records), _) => ("Records", Container::Records, records),
            (None, Some(events)) => ("Events", Container::Events, events),
            (None, None) => return self.record(place, text, report),
        };
        let before = text.get(..array.start).unwrap_or_default();
        let array = text.get(array).unwrap_or_default();
        if !array.starts_with(b"[") {
            report.problem(Problem::Field { place: place.clone(), field });
            return Ok(());
        }
        let line = place.line + memchr_iter(b'\n', before).count();
        self.read(array, &mut Walker::before(container, line), Ending::Torn, report);
        Ok(())
    }
}

fn without_place(error: &serde_json::Error) -> String {
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}
