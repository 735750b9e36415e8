//! `countermand incidents list`.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use lambda::Listing;
use remedy::Incident;

use super::{Session, tone};
use crate::args::List;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::show::Line;
use crate::output::{Output, Tone};

pub(super) async fn run(args: &List, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let List { since, responder, actor, state, account, limit, connection } = args;
    let session = Session::open(connection).await?;
    let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
    let listing = Listing {
        responder: responder.clone(),
        account: account.clone(),
        state: *state,
        about: actor.clone(),
        // One more than is shown, to know whether there are more. What is said about a resource instead of an actor
        // comes off only here, so with an actor the ledger cannot know when there are enough.
        limit: if actor.is_some() { usize::MAX } else { limit.saturating_add(1) },
        ..Listing::between(since.before(now), now)
    };
    let mut incidents = session.list(&listing).await?;
    if let Some(actor) = actor {
        incidents.retain(|incident| incident.actor.principal.to_string().contains(actor));
    }
    let more = incidents.len() > limit;
    incidents.truncate(limit);
    if out.is_json() {
        incidents.iter().try_for_each(|incident| out.object(&Line::brief(incident)))?;
    } else if incidents.is_empty() {
        out.note(["no incidents".into()])?;
    } else {
        table(&incidents, out)?;
    }
    if more {
        out.note([Tone::Warning.of(format!("there are more than these {limit}: say --limit, or filter"))])?;
    }
    Ok(Exit::Done)
}

fn table(incidents: &[Incident], out: &mut Output) -> io::Result<()> {
    let rows = incidents.iter().map(|incident| {
        [
            Tone::Strong.of(incident.id.as_str()),
            incident.opened.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            tone(incident.state).of(incident.state.to_string()),
            incident.responder.as_str().into(),
            incident.resource.arn.resource().into(),
            incident.actor.principal.to_string().into(),
            incident.account.as_str().into(),
        ]
    });
    out.table(["ID", "OPENED", "STATE", "RESPONDER", "RESOURCE", "ACTOR", "ACCOUNT"], rows.collect())
}
