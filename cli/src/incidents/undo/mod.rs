//! `countermand incidents undo`: takes back what was changed, with the operator's own credentials.
//!
//! First all that is meant is looked at, and what would be done is shown. Then it is undone, newest first: where a newer
//! incident changed again what an older one had changed, only the newer one is as we left it until it is undone.

mod outcome;
mod prospect;
mod refusal;
mod selection;

use std::cell::RefCell;

use chrono::{DateTime, Utc};
use remedy::UndoError;

use self::outcome::{Status, Teller};
use self::prospect::{Prospect, Undoer};
use self::refusal::Refusal;
use self::selection::Selection;
use super::Session;
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Stream};
use crate::report::many;

/// Looking at so many takes a while, and is told.
const A_WHILE: usize = 10;

pub(super) async fn run(args: &args::Undo, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let period = args.filter.period(now)?;
    let session = Session::open(&args.connection).await?;
    let operator = session.operator().await?;
    let (role, elsewhere) = (args.role.as_deref(), RefCell::default());
    let undoer = Undoer { session: &session, operator: &operator, role, elsewhere, now, force: args.force };
    let is_one = args.ids.len() == 1;
    let Selection { incidents, unknown, before } = selection::select(&session, args, period).await?;
    if incidents.len() > A_WHILE && !out.is_json() {
        out.note([format!("looking at {} …", many(incidents.len(), "incident")).into()])?;
    }
    let mut teller = Teller::new(out, &operator);

    let (mut prospects, mut refusals) = (Vec::<Prospect>::new(), Vec::new());
    for incident in incidents {
        let id = incident.id.clone();
        match undoer.look(incident, &prospects).await {
            Ok(prospect) => prospects.push(prospect),
            // A filter means what there is to undo. Whoever names an incident is told that there is nothing.
            Err(Refusal::Undo(UndoError::NothingDone { .. })) if args.ids.is_empty() => (),
            Err(refusal) => refusals.push((id.to_string(), refusal)),
        }
    }
    let is_for_people = !teller.is_json();
    if args.dry_run && is_for_people {
        teller.preview(&prospects, Stream::Results)?;
    } else if !args.dry_run && (!args.yes || is_for_people && !is_one) {
        teller.preview(&prospects, Stream::Notes)?;
    }
    let unknown = unknown.into_iter().map(|(id, none)| (id, none.into()));
    for (id, refusal) in unknown.chain(refusals) {
        teller.refused(&id, &refusal)?;
    }
    teller.undone_before(&before)?;

    if prospects.is_empty() {
        return teller.end(!is_one);
    }
    if args.dry_run {
        teller.left(Status::WouldUndo, &prospects)?;
        return teller.end(!is_one);
    }
    if !args.yes && !teller.confirm(prospects.len())? {
        teller.left(Status::LeftAlone, &prospects)?;
        return teller.end(true);
    }
    for prospect in prospects {
        let id = prospect.incident.id.to_string();
        match undoer.undo(prospect).await {
            Ok(report) => teller.undone(&report)?,
            Err(refusal) => teller.refused(&id, &refusal)?,
        }
    }
    teller.end(!is_one)
}
