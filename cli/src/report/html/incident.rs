//! One incident, with everything that is known of it.

use cloudtrail::Actor;
use maud::{Markup, html};
use remedy::{Answer, Contest, Entry, State, Turn, Undone};

use super::overview::words;
use super::{Moment, anchor, badge, short};
use crate::explain::fact_text;
use crate::report::count::many;
use crate::report::row::{Row, Undo};
use crate::report::spread::told;

pub(super) fn article(index: usize, row: &Row) -> Markup {
    html! {
        article #(anchor(index)) {
            h3 {
                (badge(row.standing(), &words(row))) " "
                span.name { (row.event_name) } " on " span.name { (short(&row.resource)) }
            }
            p.because {
                b { (row.verdict) } ": " (row.because) "."
                @if let Some(error) = &row.error { " " span.error { "The last run failed: " (error) } }
            }
            dl {
                (term("When", &html! {
                    @match row.event_time { Some(time) => (Moment(time)), None => "at an unknown time" }
                    ", noticed " (Moment(row.opened))
                }))
                (term("Where", &html! { "account " (row.account) ", " (row.region) }))
                (term("Who", &who(row)))
                (term("Resource", &html! {
                    span.long { (row.resource) }
                    @for (key, value) in row.tags.iter().flatten() { " " span.tag { (key) " = " (value) } }
                }))
                (term("Finding", &html! {
                    (row.responder) ", severity " (row.severity) " (" (row.severity.get()) "), "
                    @match row.certainty {
                        remedy::Certainty::Event => "shown by the event alone",
                        remedy::Certainty::Live => "seen in the account",
                    }
                }))
                (term("Evidence", &evidence(row)))
                (term("Policies", &policies(row)))
                (planned(row))
                (term("Changed", &changed(row)))
                @if let Some(took) = row.took() { (term("Contained", &html! { (told(took)) " after the event" })) }
                @if let Some(answer) = &row.answer { (term("Answer", &answered(answer))) }
                @if let Some(at) = row.release_at.filter(|_| row.state == State::Contained) {
                    (term("Lease ends", &html! { (Moment(at)) ", unless somebody confirms it" }))
                }
                @if let Some(answer) = &row.confirmed { (term("Confirmed", &confirmed(answer))) }
                @if let Some(contest) = &row.contest { (term("Fought over", &fought(contest))) }
                @if let Some(until) = row.expires() {
                    (term("Waits", &html! {
                        "for a person until " (Moment(until)) ": "
                        code.command { "countermand incidents approve " (row.incident) } " "
                        code.command { "countermand incidents reject " (row.incident) }
                    }))
                }
                (term("Undo", &undo(row)))
                (term("Ids", &html! { "incident " code { (row.incident) } ", event " code { (row.event_id) } }))
            }
            @if !row.before.is_null() { (before(row)) }
        }
    }
}

fn term(name: &str, says: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (says) } } }
}

fn who(row: &Row) -> Markup {
    let mut more = Vec::new();
    if let Some(Actor { account, session, access_key_id, invoked_by, mfa, .. }) = &row.identity {
        let known = [
            ("session", session.clone()),
            ("access key", access_key_id.as_ref().map(ToString::to_string)),
            ("account", account.as_ref().map(ToString::to_string)),
            ("through", invoked_by.clone()),
            ("MFA", mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned())),
        ];
        more.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
    more.extend(row.source_ip.map(|ip| ("from", ip.to_string())));
    more.extend(row.user_agent.clone().map(|agent| ("with", agent)));
    html! {
        span.long { (row.actor) }
        @for (name, value) in more { br; span.faint { (name) " " } span.long { (value) } }
    }
}

fn evidence(row: &Row) -> Markup {
    let Some(facts) = &row.facts else {
        return html! { span.faint { "not told by the file: a list tells none, save it with report --format json" } };
    };
    html! {
        @match facts.as_object() {
            Some(facts) if !facts.is_empty() => table.facts {
                tbody { @for (name, value) in facts { tr { th { (name) } td.long { (fact_text(value)) } } } }
            },
            _ => span.faint { "no facts" },
        }
    }
}

/// The policies by id; with their reasons, where these are told.
fn policies(row: &Row) -> Markup {
    if row.policies.is_empty() && row.causes.is_empty() {
        return html! { span.faint { "none" } };
    }
    html! {
        ul {
            @for cause in &row.causes {
                li { code { (cause.id) } @if let Some(reason) = &cause.reason { ": " (reason) } }
            }
            @if row.causes.is_empty() { @for id in &row.policies { li { code { (id) } } } }
        }
    }
}

/// What was planned, where it is not what was done.
fn planned(row: &Row) -> Markup {
    if row.plan.len() <= row.receipt.len() {
        return html! {};
    }
    let plan = row.plan.iter().map(|change| row.words(change).map_or_else(|raw| raw, |words| words.does));
    term("Planned", &html! { ol { @for does in plan { li.long { (does) } } } })
}

fn changed(row: &Row) -> Markup {
    if row.facts.is_none() {
        return html! { span.faint { "not told by the file" } };
    }
    if row.receipt.is_empty() {
        return html! { span.faint { "nothing" } };
    }
    html! {
        ol {
            @for Entry { did, at, presumed, undone, .. } in &row.receipt {
                li {
                    span.long { (did) } span.faint {
                        ", " (Moment(*at))
                        @if *presumed { ", presumed: the run that did it died" }
                        @if let Some(undone) = undone { ", taken back " (Moment(*undone)) }
                    }
                }
            }
        }
    }
}

fn answered(Answer { approved, by, at, reason }: &Answer) -> Markup {
    html! {
        @if *approved { "approved" } @else { "rejected" } " by " span.long { (by) } ", " (Moment(*at))
        @if let Some(reason) = reason { ": " (reason) }
    }
}

fn confirmed(Answer { by, at, reason, .. }: &Answer) -> Markup {
    html! {
        "by " span.long { (by) } ", " (Moment(*at))
        @if let Some(reason) = reason { ": " (reason) }
    }
}

/// Who reversed it, the latest first.
fn fought(Contest { turns, belongs_to, .. }: &Contest) -> Markup {
    html! {
        @if let Some(owner) = belongs_to { "it belongs to " span.long { (owner) } }
        ol {
            @for Turn { incident, actor, event_name, event_time, contained } in turns {
                li {
                    span.long { (event_name) " by " (actor.principal) } span.faint {
                        @if let Some(at) = event_time { ", " (Moment(*at)) }
                        @if let Some(at) = contained { ", taken back " (Moment(*at)) } @else { ", left as it is" }
                        " (" (incident) ")"
                    }
                }
            }
        }
    }
}

fn undo(row: &Row) -> Markup {
    let command = html! { code.command { "countermand incidents undo " (row.incident) } };
    match row.undo() {
        Undo::Done(Undone { by, at, forced, lease_ended }) => html! {
            "taken back by " span.long { (by) } ", " (Moment(*at))
            @if *lease_ended { ", as its lease had ended" }
            @if *forced { ", by force: the account had changed meanwhile" }
        },
        Undo::Nothing if row.facts.is_none() => html! { span.faint { "not told by the file" } },
        Undo::Nothing => html! { span.faint { "nothing of ours is there to undo" } },
        Undo::Partly { done, all } => html! {
            (done) " of " (many(all, "change")) " taken back; to go on: " (command)
        },
        Undo::Possible => {
            let left = row.receipt.iter().rev().map(|entry| match row.words(&entry.change) {
                Ok(words) => words.undo,
                Err(raw) => format!("the opposite of {raw}"),
            });
            html! { ol { @for undo in left { li.long { (undo) } } } (command) }
        }
    }
}

fn before(row: &Row) -> Markup {
    // A value is text, numbers and lists: there is nothing in it that JSON cannot say.
    let json = serde_json::to_string_pretty(&row.before).unwrap_or_default();
    html! {
        details {
            summary { "How it looked before" }
            pre { @for line in json.lines() { span { (line) } } }
        }
    }
}
