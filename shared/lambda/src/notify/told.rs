//! What is told of an incident, whoever it is told to: who, what, decided why, changed what, and what to do now.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use remedy::{Incident, State};

/// A command that a person may want to run next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// What it is for: `To take it back`.
    pub what: String,
    /// `countermand incidents undo …`.
    pub command: String,
}

/// What became of it, in two or three words, to go after our name.
#[must_use]
pub fn became(incident: &Incident) -> &'static str {
    match incident.state {
        State::Contained => "contained",
        State::Pending => "waits for you",
        State::Contested => "contested",
        State::Undone => "took back",
        State::Observed => "observed only",
        State::Uncontainable => "needs a person",
        State::Failed => "FAILED",
        State::Rejected => "left it as it is",
        _ => "looked at",
    }
}

/// What became of it, in a sentence.
#[must_use]
pub fn headline(incident: &Incident) -> &'static str {
    let lease_ended = incident.undone.as_ref().is_some_and(|undone| undone.lease_ended);
    match incident.state {
        State::Contained if incident.error.is_some() => {
            "The lease of a change has ended, and it could not be taken back: the account is no longer as Countermand left it."
        }
        State::Contained => "A dangerous change was undone, and seen to be undone.",
        State::Pending => "A dangerous change was found. Nothing was done about it yet: that is for you to decide.",
        State::Observed => "A dangerous change was found. No policy permits acting, so nothing was done about it.",
        State::Uncontainable => "A dangerous change was found that Countermand cannot undo. Somebody must.",
        State::Contested => {
            "Somebody keeps reversing what Countermand does. It has stopped: that is for you to settle."
        }
        State::Undone if lease_ended => {
            "The lease of a change has ended without anybody's word, and the change was taken back."
        }
        State::Undone => "Somebody took back what Countermand had changed. What was dangerous is there again.",
        State::Rejected => "Somebody decided to leave a dangerous change as it is.",
        State::Failed => {
            "A dangerous change was found, and undoing it FAILED. Part of it may be done; it is tried again."
        }
        _ => "A change was found that turned out to need nothing done.",
    }
}

/// Names and values, in the order in which they are read. The values are as hostile as the event.
#[must_use]
pub fn facts(incident: &Incident) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Who", who(incident)),
        ("Did", incident.event_name.clone()),
        ("On", incident.resource.arn.to_string()),
        ("In", format!("{}, {}", incident.account, incident.region)),
    ];
    if let Some(time) = incident.event_time {
        facts.push(("At", time.format("%Y-%m-%d %H:%M:%S UTC").to_string()));
    }
    facts.push(("Severity", incident.severity.label().to_owned()));
    facts.push(("Decided", incident.verdict.clone()));
    facts.push(("Because", incident.because.clone()));
    for cause in &incident.policies {
        let reason = cause.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        facts.push(("Policy", format!("{}{reason}", cause.id)));
    }
    if let Some(error) = &incident.error {
        facts.push(("Error", error.clone()));
    }
    if let Some(answer) = &incident.answer {
        let word = if answer.approved { "Approved" } else { "Rejected" };
        let reason = answer.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        facts.push((word, format!("by {}{reason}", answer.by)));
    }
    if let Some(undone) = incident.undone.as_ref().filter(|undone| !undone.lease_ended) {
        facts.push(("Undone", format!("by {}{}", undone.by, if undone.forced { ", forced" } else { "" })));
    }
    facts
}

/// The actor, with the session and the service that called for it.
#[must_use]
pub fn who(incident: &Incident) -> String {
    let actor = &incident.actor;
    let mut who = actor.principal.to_string();
    for (label, value) in [("session", &actor.session), ("through", &actor.invoked_by)] {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(who, ", {label} {value}");
        }
    }
    who
}

/// What a person may want to do next, as the incident stands. `home` is the account of the deployment, whose own incidents an
/// operator undoes without another account's role.
#[must_use]
pub fn next_steps(incident: &Incident, home: Option<&AccountId>) -> Vec<NextStep> {
    let id = &incident.id;
    let is_elsewhere = home.is_some_and(|home| *home != incident.account);
    let mut steps = Vec::new();
    let mut step = |what: String, verb: &str| {
        let role = if verb == "undo" && is_elsewhere { " --role NAME" } else { "" };
        steps.push(NextStep { what, command: format!("countermand incidents {verb} {id}{role}") });
    };
    let minute = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC");
    if incident.receipt.iter().any(|entry| entry.undone.is_none()) {
        step(
            if is_elsewhere {
                format!(
                    "To take it back, where NAME is a role of account {} that you may take and that may undo it",
                    incident.account
                )
            } else {
                "To take it back".to_owned()
            },
            "undo",
        );
    }
    if let Some(end) = incident.release_at.filter(|_| incident.state == State::Contained) {
        step(format!("It is taken back by itself at {}. To let it stay", minute(end)), "confirm");
    }
    if let Some(until) = incident.expires() {
        step(format!("To let it happen, until {}", minute(until)), "approve");
        step("To leave everything as it is".to_owned(), "reject");
    }
    step("To see everything about it".to_owned(), "show");
    steps
}
