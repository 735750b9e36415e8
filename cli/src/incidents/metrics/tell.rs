//! How the metrics look on a terminal.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use remedy::Incident;

use super::sparkline::{draw, range};
use super::window::Window;
use super::{Metrics, Other, Panel, Series};
use crate::output::{Output, Span, Tone};

const MARK: char = '▼';

/// Of as many other incidents of an actor the list is still read.
const MOST_OTHERS: usize = 10;

/// Shows the series one under another, so that what happened at the same time is in the same column.
pub(in crate::incidents) fn tell(
    Metrics { window, panels, same_actor }: &Metrics,
    incident: &Incident,
    out: &mut Output,
) -> io::Result<()> {
    if !panels.is_empty() {
        let [from, to] = [window.from, window.to].map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
        out.field(
            "around it",
            [format!("{from} to {to}, a mark each {} min; · is unknown", window.slot.num_minutes()).into()],
        )?;
        for line in marks(incident, *window) {
            out.field("", [Tone::Warning.of(line)])?;
        }
    }
    for Panel { of, series, note } in panels {
        out.field("", [Tone::Strong.of(of)])?;
        for Series { label, values, unit, .. } in series {
            if let Some(range) = range(values, *unit) {
                out.field(label, [draw(values).into(), Tone::Faint.of(format!("  {range}"))])?;
            }
        }
        out.fields("", note.iter().map(|note| Tone::Faint.of(note)))?;
    }
    if !panels.is_empty() {
        out.gap()?;
    }
    let mut others: Vec<Span<'_>> = same_actor.iter().take(MOST_OTHERS).map(|other| line(other).into()).collect();
    if let Some(more) = same_actor.len().checked_sub(MOST_OTHERS).filter(|more| *more > 0) {
        others.push(Tone::Faint.of(format!("and {more} more: `countermand incidents list --actor …` shows them")));
    }
    if others.is_empty() {
        others.push(Tone::Faint.of("no other incident around this one"));
    }
    out.fields("same actor", others)?;
    out.gap()
}

fn line(Other { incident, opened, responder, state, .. }: &Other) -> String {
    let opened = opened.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{incident}  {opened}  {state}: {responder}")
}

/// What happened when: a line for each slot in which something did, its mark above the values of that slot.
fn marks(incident: &Incident, window: Window) -> Vec<String> {
    let at = |time: Option<DateTime<Utc>>| time.and_then(|time| window.slot_of(time));
    let event = at(Some(incident.event_time.unwrap_or(incident.opened)));
    let contained = at(incident.contained);
    let mark = |slot: Option<usize>, what: &str| slot.map(|slot| format!("{}{MARK} {what}", " ".repeat(slot)));
    if event.is_some() && event == contained {
        return mark(event, "event, and contained").into_iter().collect();
    }
    [mark(event, "event"), mark(contained, "contained")].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture::{self, time};

    #[test]
    fn marks_stand_above_the_slots_of_what_happened() {
        let mut incident = fixture::incident();
        let window = Window::around(incident.event_time.unwrap(), time("2026-11-23T00:00:00Z"));
        let event = format!("{}▼ event", " ".repeat(36));
        assert_eq!(marks(&incident, window), std::slice::from_ref(&event));
        incident.contained = Some(time("2026-11-22T07:00:04Z"));
        assert_eq!(marks(&incident, window), [format!("{event}, and contained")]);
        incident.contained = Some(time("2026-11-22T07:05:00Z"));
        assert_eq!(marks(&incident, window), [event.clone(), format!("{}▼ contained", " ".repeat(37))]);
        incident.contained = Some(time("2026-11-23T07:05:00Z"));
        assert_eq!(marks(&incident, window), [event]);
    }
}
