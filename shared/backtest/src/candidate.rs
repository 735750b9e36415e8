//! Actors that a policy may want to exempt: those that do the same thing day after day, as pipelines do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::finding::{ActorKind, Verdict};
use crate::findings::Findings;
use crate::row::Seen;

/// So many findings are many.
pub const MANY: u64 = 10;

/// On so many days they are no single mishap.
pub const DAYS: u64 = 5;

/// An actor with at least [`MANY`] findings, which no policy exempts, on at least [`DAYS`] days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The actor.
    pub actor: String,
    /// Its findings that no policy exempts.
    pub findings: u64,
    /// On how many days, in UTC.
    pub days: u64,
    /// The first of these days.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
    /// The responders concerned.
    pub responders: Vec<String>,
    /// A policy that exempts it from them. To be thought about before it is taken: it may as well be an intruder.
    pub snippet: String,
}

/// What is known of one actor.
#[derive(Debug)]
struct Habit<'a> {
    findings: u64,
    days: u64,
    first: NaiveDate,
    last: NaiveDate,
    responders: BTreeSet<&'a str>,
}

impl Candidate {
    /// Those with the most findings, and how many more there are. The findings must be in the order of time.
    pub(crate) fn among(findings: &Findings, top: usize) -> (Vec<Self>, u64) {
        let mut habits: BTreeMap<(&str, ActorKind), Habit<'_>> = BTreeMap::new();
        for seen in findings.seen().filter(is_concerned) {
            let Some(day) = seen.row.day() else { continue };
            let habit = habits.entry((findings.text(seen.who.actor), seen.who.kind)).or_insert(Habit {
                findings: 0,
                days: 1,
                first: day,
                last: day,
                responders: BTreeSet::new(),
            });
            habit.findings += 1;
            habit.days += u64::from(habit.last != day);
            habit.last = day;
            habit.responders.insert(findings.text(seen.what.responder));
        }
        habits.retain(|_, habit| habit.findings >= MANY && habit.days >= DAYS);
        let mut habits: Vec<_> = habits.into_iter().collect();
        habits.sort_by_key(|(_, habit)| Reverse(habit.findings));
        let more = habits.len().saturating_sub(top);
        let candidates = habits.into_iter().take(top).map(|((actor, kind), habit)| Self {
            actor: actor.to_owned(),
            findings: habit.findings,
            days: habit.days,
            first: habit.first,
            last: habit.last,
            responders: habit.responders.iter().map(|responder| (*responder).to_owned()).collect(),
            snippet: snippet(actor, kind, &habit),
        });
        (candidates.collect(), u64::try_from(more).unwrap_or(u64::MAX))
    }
}

/// Nobody should exempt root, and nobody can exempt somebody unknown.
fn is_concerned(seen: &Seen<'_>) -> bool {
    let can_be_named = !matches!(seen.who.kind, ActorKind::Root | ActorKind::Unknown);
    can_be_named && seen.what.said.verdict != Verdict::Exempt
}

/// Text of the event comes into it in two places: as the id of an entity, escaped, and in `@id`, where it is reduced to
/// what may be there.
fn snippet(actor: &str, kind: ActorKind, habit: &Habit<'_>) -> String {
    let Habit { findings, days, first, last, responders } = habit;
    let actions: Vec<String> = responders.iter().map(|name| format!("Action::\"{}\"", name.escape_debug())).collect();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _infallible = write!(
        text,
        "@id(\"{}\")\n\
         @reason(\"{findings} findings on {days} days from {first} to {last}: write here why they are expected\")\n\
         forbid (\n  principal == {}::\"{}\",\n  action in [{}],\n  resource\n);\n",
        policy_id(actor),
        kind.entity_type(),
        actor.escape_debug(),
        actions.join(", "),
    );
    text
}

/// `exempt-111122223333-role/deploy` for an ARN. An id may have 128 letters, digits and few signs.
fn policy_id(actor: &str) -> String {
    let mut parts = actor.splitn(6, ':').skip(4);
    let name = match (actor.starts_with("arn:"), parts.next(), parts.next()) {
        (true, Some(account), Some(resource)) => format!("{account}-{resource}"),
        _ => actor.to_owned(),
    };
    let allowed = |char: char| if char.is_ascii_alphanumeric() || "-_.:/".contains(char) { char } else { '_' };
    format!("exempt-{}", name.chars().take(100).map(allowed).collect::<String>())
}
