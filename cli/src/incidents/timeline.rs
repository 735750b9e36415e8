//! Everything that is known to have happened to an incident, in its order.

use std::io;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use remedy::{Answer, Entry, Incident, State, Turn, Undone};

use crate::output::{Output, Span, Tone};
use crate::report::told;

/// Something that happened, or will.
#[derive(Debug, Clone, PartialEq)]
struct Moment {
    /// Missing where the ledger does not keep the time; it was then after what stands before it.
    at: Option<DateTime<Utc>>,
    tone: Tone,
    what: String,
}

/// Shows the timeline as a table: times, how long after the event, and what.
pub(super) fn tell(incident: &Incident, now: DateTime<Utc>, out: &mut Output) -> io::Result<()> {
    let begin = incident.event_time.unwrap_or(incident.opened);
    let rows = moments(incident, now).into_iter().map(|Moment { at, tone, what }| {
        let time: Span<'_> = match at {
            Some(at) => at.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
            None => Tone::Faint.of("time not kept"),
        };
        let after = at.filter(|at| *at != begin).map_or_else(String::new, |at| offset(at - begin));
        [time, Tone::Faint.of(after), tone.of(what)]
    });
    out.table(["TIME", "AFTER", "WHAT"], rows.collect())
}

/// How much later, as people say it.
fn offset(time: TimeDelta) -> String {
    if time < TimeDelta::zero() { format!("-{}", told(-time)) } else { format!("+{}", told(time)) }
}

fn moments(incident: &Incident, now: DateTime<Utc>) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut tell = |at: Option<DateTime<Utc>>, tone: Tone, what: String| moments.push(Moment { at, tone, what });
    let earlier = incident.contest.iter().flat_map(|contest| contest.turns.iter().skip(1).rev());
    for Turn { incident, actor, event_name, event_time, contained } in earlier {
        tell(*event_time, Tone::Faint, format!("earlier: {event_name} by {} (incident {incident})", actor.principal));
        if contained.is_some() {
            tell(*contained, Tone::Faint, "earlier: we took it back".to_owned());
        }
    }
    if let Some(at) = incident.event_time {
        tell(Some(at), Tone::Plain, format!("event: {}", incident.event_name));
    }
    tell(Some(incident.opened), Tone::Plain, noticed(incident));
    if let Some(until) = incident.expires() {
        let what = if until > now {
            format!("can be approved until then: {} left", told(until - now))
        } else {
            "expired: nobody approved it in time".to_owned()
        };
        tell(Some(until), Tone::Warning, what);
    }
    if let Some(Answer { approved, by, at, reason }) = &incident.answer {
        let said = if *approved { "approved" } else { "rejected" };
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        tell(Some(*at), Tone::Strong, format!("{said} by {by}{reason}"));
        if let (true, Some(what)) = (*approved, looked_again(incident)) {
            tell(None, Tone::Plain, what);
        }
    }
    for Entry { did, at, presumed, .. } in &incident.receipt {
        let presumed = if *presumed { " (presumed: the run that did it died)" } else { "" };
        tell(Some(*at), Tone::Plain, format!("did: {did}{presumed}"));
    }
    if let Some(at) = incident.contained {
        tell(Some(at), Tone::Good, contained(incident, at));
    }
    if let Some(error) = &incident.error {
        tell(None, Tone::Bad, format!("failed: {error}"));
    }
    if let (State::Claimed, Some(lease)) = (incident.state, &incident.lease) {
        let what = if lease.until > now {
            "the function that is at work must have ended by then"
        } else {
            "the function that was at work must have ended; it died, or could not say how it ended"
        };
        tell(Some(lease.until), Tone::Warning, what.to_owned());
    }
    for Entry { did, undone, .. } in &incident.receipt {
        if let Some(at) = undone {
            tell(Some(*at), Tone::Plain, format!("taken back: {did}"));
        }
    }
    if let Some(Answer { by, at, reason, .. }) = &incident.confirmed {
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        tell(Some(*at), Tone::Strong, format!("confirmed by {by}{reason}; it stays"));
    }
    if let Some(at) = incident.release_at.filter(|_| incident.state == State::Contained) {
        tell(Some(at), Tone::Warning, "its lease ends, and it is taken back unless confirmed".to_owned());
    }
    if let Some(Undone { by, at, forced, lease_ended }) = &incident.undone {
        let forced = if *forced { ", by force: the account had changed meanwhile" } else { "" };
        let ended = if *lease_ended { ", as its lease had ended" } else { "" };
        tell(Some(*at), Tone::Strong, format!("undone by {by}{ended}{forced}"));
    }
    in_order(moments)
}

/// What the first look came to. What a person approved was decided once more, later.
fn noticed(incident: &Incident) -> String {
    if incident.answer.is_some() || matches!(incident.state, State::Pending | State::Contested) {
        return "noticed, and left to a person".to_owned();
    }
    let verdict = &incident.verdict;
    match incident.state {
        State::AlreadySafe => format!("noticed; decided: {verdict}; it was already safe"),
        State::Uncontainable => format!("noticed; decided: {verdict}; no change of ours can help"),
        _ => format!("noticed; decided: {verdict}"),
    }
}

/// What the look after an approval came to, where it came to no change.
fn looked_again(incident: &Incident) -> Option<String> {
    match incident.state {
        State::AlreadySafe => Some("looked again: it was already safe".to_owned()),
        State::Uncontainable => Some("looked again: no change of ours can help".to_owned()),
        State::Exempt | State::Observed => Some(format!("looked again; decided: {}", incident.verdict)),
        _ => None,
    }
}

fn contained(incident: &Incident, at: DateTime<Utc>) -> String {
    let (since, what) = match &incident.answer {
        Some(answer) => (answer.at, "it was approved"),
        None => (incident.opened, "it was noticed"),
    };
    let ours = format!("{} after {what}", told(at - since));
    match incident.event_time {
        Some(happened) => format!("contained {} after the event, {ours}", told(at - happened)),
        None => format!("contained {ours}"),
    }
}

/// By time, and where times are the same or not kept in the order they were told in.
fn in_order(moments: Vec<Moment>) -> Vec<Moment> {
    let mut last = DateTime::<Utc>::MIN_UTC;
    let mut dated: Vec<(DateTime<Utc>, Moment)> = Vec::new();
    for moment in moments {
        last = moment.at.unwrap_or(last);
        dated.push((last, moment));
    }
    dated.sort_by_key(|(at, _)| *at);
    dated.into_iter().map(|(_, moment)| moment).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::incidents::fixture::{self, entry, time};

    const NOW: &str = "2026-11-22T09:00:00Z";

    /// The times of day, as far as they are kept, and what happened.
    fn timeline(incident: &Incident) -> Vec<String> {
        let tell = |Moment { at, what, .. }| {
            let at = at.map_or_else(|| "?".to_owned(), |at: DateTime<Utc>| at.format("%d %H:%M:%S%.3f").to_string());
            format!("{at} {what}")
        };
        moments(incident, time(NOW)).into_iter().map(tell).collect()
    }

    fn approved(reason: Option<&str>) -> Answer {
        Answer {
            approved: true,
            by: "olivia".to_owned(),
            at: time("2026-11-22T08:00:00Z"),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn a_lease_ends_or_is_confirmed() {
        let mut leased = fixture::incident();
        leased.state = State::Contained;
        leased.release_at = Some(time("2026-11-22T11:00:00Z"));
        let text = timeline(&leased).join("\n");
        assert!(text.contains("its lease ends, and it is taken back unless confirmed"), "{text}");
        leased.release_at = None;
        let said = json!({ "approved": true, "by": "olivia", "at": "2026-11-22T08:00:00Z", "reason": "right so" });
        leased.confirmed = Some(from_value(said).unwrap());
        let text = timeline(&leased).join("\n");
        assert!(text.contains("confirmed by olivia: right so; it stays") && !text.contains("lease ends"), "{text}");
    }

    #[test]
    fn a_fight_is_told_from_its_beginning() {
        let mut contested = fixture::incident();
        contested.state = State::Contested;
        let turn = |id: &str, at: &str, contained: Option<&str>| {
            json!({ "incident": id, "actor": contested.actor, "eventName": "Authorize", "eventTime": at,
                "contained": contained })
        };
        let turns = [
            turn("now", "2026-11-22T07:00:00Z", None),
            turn("first", "2026-11-22T06:30:00Z", Some("2026-11-22T06:30:04Z")),
        ];
        contested.contest = from_value(json!({ "flips": 1, "windowSeconds": 3600, "turns": turns })).unwrap();
        let told = timeline(&contested);
        assert!(told[0].contains("earlier: Authorize by") && told[0].contains("(incident first)"), "{told:#?}");
        assert!(told[1].contains("earlier: we took it back"), "{told:#?}");
        assert!(told.iter().any(|line| line.contains("noticed, and left to a person")), "{told:#?}");
    }

    #[test]
    fn a_contained_incident_tells_how_long_it_took() {
        let mut incident = fixture::incident();
        incident.state = State::Contained;
        incident.receipt = vec![entry("07:00:03.500"), entry("07:00:04.250")];
        incident.contained = Some(time("2026-11-22T07:00:04.250Z"));
        assert_eq!(
            timeline(&incident),
            [
                "22 07:00:00.000 event: AuthorizeSecurityGroupIngress",
                "22 07:00:03.000 noticed; decided: enforce",
                "22 07:00:03.500 did: revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)",
                "22 07:00:04.250 did: revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)",
                "22 07:00:04.250 contained 4.2 s after the event, 1.2 s after it was noticed",
            ]
        );
    }

    #[test]
    fn an_undo_tells_each_step_and_by_whom() {
        let mut incident = fixture::incident();
        incident.state = State::Undone;
        incident.receipt = vec![entry("07:00:03.500"), entry("07:00:04.250")];
        incident.receipt[1].undone = Some(time("2026-11-22T08:00:00Z"));
        incident.receipt[0].undone = Some(time("2026-11-23T08:00:00Z"));
        incident.receipt[0].presumed = true;
        incident.undone = from_value(json!({ "by": "olivia", "at": "2026-11-23T08:00:00Z", "forced": true })).unwrap();
        let told = timeline(&incident);
        assert!(told[2].ends_with("(sgr-1) (presumed: the run that did it died)"), "{told:#?}");
        assert_eq!(
            told[4..],
            [
                "22 08:00:00.000 taken back: revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)",
                "23 08:00:00.000 taken back: revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)",
                "23 08:00:00.000 undone by olivia, by force: the account had changed meanwhile",
            ]
        );
    }

    #[test]
    fn what_waits_tells_how_long_is_left() {
        let mut incident = fixture::incident();
        incident.state = State::Pending;
        assert_eq!(
            timeline(&incident)[1..],
            [
                "22 07:00:03.000 noticed, and left to a person",
                "23 07:00:03.000 can be approved until then: 22 h 0 min left",
            ]
        );
        let late = moments(&incident, time("2026-11-24T00:00:00Z"));
        assert_eq!(late[2].what, "expired: nobody approved it in time");
        incident.state = State::Rejected;
        incident.answer = Some(Answer { approved: false, ..approved(None) });
        assert_eq!(timeline(&incident)[2..], ["22 08:00:00.000 rejected by olivia"]);
    }

    #[test]
    fn what_was_approved_tells_what_the_second_look_came_to() {
        let mut incident = fixture::incident();
        incident.answer = Some(approved(Some("nobody knows it")));
        incident.state = State::AlreadySafe;
        assert_eq!(
            timeline(&incident)[2..],
            ["22 08:00:00.000 approved by olivia: nobody knows it", "? looked again: it was already safe"]
        );
        incident.state = State::Contained;
        incident.receipt = vec![entry("08:00:02")];
        incident.contained = Some(time("2026-11-22T08:00:02Z"));
        assert_eq!(
            timeline(&incident)[3..],
            [
                "22 08:00:02.000 did: revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)",
                "22 08:00:02.000 contained 1 h 0 min after the event, 2.0 s after it was approved",
            ]
        );
    }

    #[test]
    fn a_failure_stands_after_what_was_done_and_before_what_was_taken_back() {
        let mut incident = fixture::incident();
        incident.state = State::Failed;
        incident.error = Some("access denied".to_owned());
        incident.receipt = vec![entry("07:00:03.500")];
        incident.receipt[0].undone = Some(time("2026-11-22T08:00:00Z"));
        let told = timeline(&incident);
        assert_eq!(told[3], "? failed: access denied");
        assert!(told[4].starts_with("22 08:00:00.000 taken back"), "{told:#?}");
    }

    #[test]
    fn a_run_that_does_not_end_tells_when_it_must_have() {
        let incident = fixture::incident();
        assert!(timeline(&incident)[2].starts_with("22 07:01:00.000 the function that was at work must have ended;"));
        let early = moments(&incident, time("2026-11-22T07:00:30Z"));
        assert_eq!(early[2].what, "the function that is at work must have ended by then");
    }

    #[test]
    fn times_are_told_from_the_event_on() {
        let offset = |milliseconds| offset(TimeDelta::milliseconds(milliseconds));
        assert_eq!([offset(4_200), offset(125_000), offset(-1_300)], ["+4.2 s", "+2 min 5 s", "-1.3 s"]);
    }
}
