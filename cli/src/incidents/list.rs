//! `countermand incidents list`.

use std::io;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use cloudtrail::Principal;
use remedy::Incident;

use super::{Session, is_partly_undone, tone};
use crate::args::List;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::show::Line;
use crate::output::{Output, Span, Stream, Tone};
use crate::records::Record;

pub(super) async fn run(args: &List, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let List { limit, filter, connection } = args;
    let period = filter.period(now)?;
    let session = Session::open(connection).await?;
    let (incidents, more) = filter.list(&session, period, usize::try_from(*limit).unwrap_or(usize::MAX)).await?;
    if out.is_json() {
        incidents.iter().try_for_each(|incident| out.object(&Line::brief(incident)))?;
    } else if incidents.is_empty() {
        out.note(["no incidents".into()])?;
    } else {
        table(&incidents, now, out)?;
    }
    if more {
        out.note([
            Tone::Warning.of(format!("these are the newest {limit}, and there are more: say --limit, or filter"))
        ])?;
    }
    Ok(Exit::Done)
}

fn table(incidents: &[Incident], now: DateTime<Utc>, out: &mut Output) -> io::Result<()> {
    let records = incidents.iter().map(|incident| Record {
        cells: [
            Tone::Strong.of(incident.id.as_str()),
            incident.opened.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            state(incident, now),
            incident.responder.as_str().into(),
            incident.resource.arn.resource().into(),
            actor(incident).into(),
            incident.account.as_str().into(),
        ],
        beneath: Vec::new(),
    });
    let waits = incidents.iter().any(|incident| incident.expires().is_some());
    let state = if waits { "STATE (LEFT)" } else { "STATE" };
    let headings = ["ID", "OPENED", state, "RESPONDER", "RESOURCE", "ACTOR", "ACCOUNT"];
    out.records(Stream::Results, headings, records.collect())
}

/// Where it stands; for what waits for a person, how much time is left; and what an undo has not finished.
fn state(incident: &Incident, now: DateTime<Utc>) -> Span<'static> {
    if is_partly_undone(incident) {
        return Tone::Warning.of("partly undone");
    }
    let text = match incident.expires().map(|until| until - now) {
        None => incident.state.to_string(),
        Some(left) if left <= TimeDelta::zero() => "expired".to_owned(),
        Some(left) if left < TimeDelta::hours(1) => format!("{} ({} min)", incident.state, left.num_minutes()),
        Some(left) => format!("{} ({} h)", incident.state, left.num_hours()),
    };
    tone(incident.state).of(text)
}

/// Who did it. Somebody of the incident's account is known by kind and name: `role/…/deploy`.
fn actor(incident: &Incident) -> String {
    let who = match &incident.actor.principal {
        Principal::User(arn) | Principal::Role(arn) | Principal::Root(arn)
            if arn.account().as_ref() == Some(&incident.account) =>
        {
            match arn.resource().split_once('/') {
                Some((kind, name)) if name != arn.name() => format!("{kind}/…/{}", arn.name()),
                _ => arn.resource().to_owned(),
            }
        }
        other => other.to_string(),
    };
    match &incident.actor.session {
        Some(session) => format!("{who} as {session}"),
        None => who,
    }
}

#[cfg(test)]
mod tests {
    use remedy::State;

    use super::*;
    use crate::incidents::fixture::{self, entry, time};

    #[test]
    fn what_waits_shows_how_long_is_left() {
        let mut incident = fixture::incident();
        let shown = |incident: &Incident, now: &str| state(incident, time(now)).text().to_owned();
        assert_eq!(shown(&incident, "2026-11-22T08:00:00Z"), "claimed");
        incident.state = State::Pending;
        assert_eq!(shown(&incident, "2026-11-22T08:00:00Z"), "pending (23 h)");
        assert_eq!(shown(&incident, "2026-11-23T06:30:03Z"), "pending (30 min)");
        assert_eq!(shown(&incident, "2026-11-23T07:00:03Z"), "expired");
    }

    #[test]
    fn an_undo_that_did_not_end_is_seen() {
        let mut incident = fixture::incident();
        incident.receipt = vec![entry("07:00:03"), entry("07:00:04")];
        incident.receipt[1].undone = Some(time("2026-11-22T08:00:00Z"));
        assert_eq!(state(&incident, time("2026-11-22T09:00:00Z")).text(), "partly undone");
    }

    #[test]
    fn somebody_of_another_account_is_known_by_the_whole_arn() {
        let mut incident = fixture::incident();
        assert_eq!(actor(&incident), "role/deploy as alice");
        incident.account = cloudtrail::AccountId::parse("999988887777").unwrap();
        assert_eq!(actor(&incident), "arn:aws:iam::123456789012:role/deploy as alice");
        let arn = cloudtrail::Arn::parse("arn:aws:iam::999988887777:user/people/alice").unwrap();
        incident.actor.principal = Principal::User(arn);
        incident.actor.session = None;
        assert_eq!(actor(&incident), "user/…/alice");
    }
}
