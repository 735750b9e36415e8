//! `countermand explain`: what would be done about an event, and why. Needs no AWS.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::backtest::event_name;
use chrono::{DateTime, SecondsFormat, Utc};
use cloudtrail::{Arn, Body, Event, EventError, Principal};
use policy::{Facts, Policies, Severity, Verdict};
use remedy::{Certainty, Explanation, Predicted, Remedy};
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Permission;
use crate::events::{self, Place};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Span, Tone};
use crate::responders::{ENTRIES, Entry};

/// What would Countermand do about these events?
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Files of events; `-` is standard input. A file holds EventBridge events, CloudTrail records or log files
    /// (`{"Records": […]}`), one or one a line, or what `aws cloudtrail lookup-events` printed
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The folder with the Cedar policies
    #[arg(long, value_name = "DIR", env = "COUNTERMAND_POLICIES", default_value = "policies")]
    policies: PathBuf,
    /// The roles of your functions, whose own calls are never findings
    #[arg(long = "own-role", value_name = "ARN", env = "COUNTERMAND_OWN_ROLES", value_delimiter = ',')]
    #[arg(value_parser = |arn: &str| Arn::parse(arn.trim()))]
    own_roles: Vec<Arn>,
}

/// A responder cannot read an event that it should be able to.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {responder} cannot read this event")]
struct Unreadable {
    place: Place,
    responder: &'static str,
    source: EventError,
}

/// One finding. Other programs rely on this form.
#[derive(Serialize)]
struct Line<'a> {
    event_id: &'a str,
    event_time: Option<DateTime<Utc>>,
    event_name: &'a str,
    account: &'a str,
    region: &'a str,
    actor: String,
    responder: &'a str,
    resource: &'a str,
    certainty: Certainty,
    severity: Severity,
    verdict: &'static str,
    policies: Vec<&'a str>,
    because: String,
    facts: &'a Facts,
    plan: Vec<&'a str>,
    undo: Vec<&'a str>,
    /// Whether the live account may lead to another answer.
    live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Tally {
    events: usize,
    sure: usize,
    live: usize,
    /// Policy lets Countermand act or ask.
    acting: usize,
    /// Those of them that no change of ours could help.
    for_a_person: usize,
}

pub(crate) fn run(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let policies =
        Policies::load(&args.policies).map_err(|source| Failure::Policies { folder: args.policies.clone(), source })?;
    let policies = policies.sparing(&args.own_roles);
    let mut exit = Exit::Done;
    let mut tally = Tally::default();
    for found in args.files.iter().flat_map(|path| events::read(path)) {
        match found {
            Ok((place, event)) => exit = exit.and(explain(&place, &event, args, &policies, now, &mut tally, out)?),
            Err(error) => {
                out.error(&error, None)?;
                exit = exit.and(Exit::Failed);
            }
        }
    }
    if tally.acting > 0 {
        exit = exit.and(Exit::Found);
    }
    if !out.is_json() {
        let Tally { events, sure, live, acting, for_a_person } = tally;
        let many = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let findings = match (sure, live) {
            (0, 0) => "no finding".to_owned(),
            (_, 0) => many(sure, "finding"),
            (0, _) => format!("{}, depending on live state", many(live, "finding")),
            _ => format!("{}, {live} of them depending on live state", many(sure + live, "finding")),
        };
        let text = format!("{}: {findings}; {} would be acted on", many(events, "event"), acting - for_a_person);
        let beyond = match for_a_person {
            0 => String::new(),
            number => format!(", {number} left to a person"),
        };
        out.line([Tone::Strong.of(text + &beyond)])?;
    }
    Ok(exit)
}

fn explain(
    place: &Place,
    event: &Event,
    args: &Args,
    policies: &Policies,
    now: DateTime<Utc>,
    tally: &mut Tally,
    out: &mut Output,
) -> Result<Exit, Failure> {
    tally.events += 1;
    if matches!(&event.actor.principal, Principal::Role(role) if args.own_roles.contains(role)) {
        if !out.is_json() {
            headline(place, event, out)?;
            out.field("finding", ["none: our own call".into()])?;
            out.gap()?;
        }
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    let mut explanations = Vec::new();
    for entry in ENTRIES {
        match (entry.explain)(event, policies, now) {
            Ok(findings) => explanations.extend(findings.into_iter().map(|finding| (entry, finding))),
            Err(source) => {
                out.error(&Unreadable { place: place.clone(), responder: entry.spec.name, source }, None)?;
                exit = Exit::Failed;
            }
        }
    }
    for (_, explanation) in &explanations {
        match explanation.certainty {
            Certainty::Event => tally.sure += 1,
            Certainty::Live => tally.live += 1,
        }
        if would_be_acted_on(explanation) {
            tally.acting += 1;
            tally.for_a_person += usize::from(matches!(explanation.plan.remedy, Remedy::Uncontainable { .. }));
        }
    }
    if out.is_json() {
        for (_, explanation) in &explanations {
            out.object(&Line::new(event, explanation, &Live::of(event, explanation, policies, now)))?;
        }
    } else if exit == Exit::Done || !explanations.is_empty() {
        headline(place, event, out)?;
        if explanations.is_empty() {
            out.field("finding", [not_found(event).into()])?;
            out.gap()?;
        }
        for (entry, explanation) in &explanations {
            tell(entry, explanation, &Live::of(event, explanation, policies, now), out)?;
            out.gap()?;
        }
    }
    Ok(exit)
}

fn would_be_acted_on(explanation: &Explanation<Predicted>) -> bool {
    matches!(explanation.decision.verdict, Verdict::Enforce(_) | Verdict::Approve)
}

/// What only the account can tell.
struct Live<'a> {
    /// Whether it may lead to another answer.
    matters: bool,
    /// The policies that ask for the resource's tags.
    asking_for_tags: Vec<&'a str>,
}

impl<'a> Live<'a> {
    fn of(event: &Event, explanation: &Explanation<Predicted>, policies: &'a Policies, now: DateTime<Utc>) -> Self {
        let matters = ::backtest::depends_on_live_state(event, explanation, &explanation.decision, policies, now);
        let request = ::backtest::request(event, explanation, &explanation.plan.resource, now);
        let asking_for_tags = policies.asking_for_tags(&request).map(|rule| rule.id.as_str()).collect();
        Self { matters, asking_for_tags }
    }
}

fn changes(explanation: &Explanation<Predicted>) -> &[Predicted] {
    match &explanation.plan.remedy {
        Remedy::Changes(changes) => changes,
        Remedy::AlreadySafe | Remedy::Uncontainable { .. } => &[],
    }
}

impl<'a> Line<'a> {
    fn new(event: &'a Event, explanation: &'a Explanation<Predicted>, live: &Live<'_>) -> Self {
        let Explanation { responder, certainty, severity, plan, decision, .. } = explanation;
        let next_step = match &plan.remedy {
            Remedy::Uncontainable { next_step } => Some(next_step.as_str()),
            Remedy::Changes(_) | Remedy::AlreadySafe => None,
        };
        Self {
            event_id: event.id.as_str(),
            event_time: event.time,
            event_name: event_name(event),
            account: event.account.as_str(),
            region: event.region.as_str(),
            actor: event.actor.principal.to_string(),
            responder,
            resource: plan.resource.arn.as_str(),
            certainty: *certainty,
            severity: *severity,
            verdict: decision.verdict.name(),
            policies: decision.policies.iter().map(|cause| cause.id.as_str()).collect(),
            because: decision.because(),
            facts: &plan.facts,
            plan: changes(explanation).iter().map(|change| change.does.as_str()).collect(),
            undo: changes(explanation).iter().rev().map(|change| change.undo.as_str()).collect(),
            live: live.matters,
            next_step,
        }
    }
}

fn headline(place: &Place, event: &Event, out: &mut Output) -> Result<(), Failure> {
    let name = match event_name(event) {
        "" => "another kind of event",
        name => name,
    };
    let time = event
        .time
        .map_or_else(|| "at an unknown time".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let rest = format!("  {time}  {} {}", event.account, event.region);
    out.line([Tone::Strong.of(name), rest.into(), Tone::Faint.of(format!("  {place}"))])?;
    let mut actor = vec![Span::from(event.actor.principal.to_string())];
    if let Some(session) = &event.actor.session {
        actor.push(Tone::Faint.of(format!(" as {session}")));
    }
    out.field("actor", actor)?;
    Ok(())
}

fn not_found(event: &Event) -> &'static str {
    use cloudtrail::Happened;
    match &event.body {
        Body::Call(call) => match call.happened {
            Happened::Yes => "none",
            Happened::DryRun => "none: a dry run changes nothing",
            Happened::Refused => "none: AWS refused the call",
        },
        _ => "none",
    }
}

fn tell(entry: &Entry, explanation: &Explanation<Predicted>, live: &Live<'_>, out: &mut Output) -> Result<(), Failure> {
    let Explanation { responder, certainty, severity, plan, decision, incident, .. } = explanation;
    let sure = match certainty {
        Certainty::Event => "certain by the event alone",
        Certainty::Live => "possible: only the live account can tell",
    };
    let tone = match severity.label() {
        "CRITICAL" | "HIGH" => Tone::Bad,
        _ => Tone::Warning,
    };
    out.field("finding", [Tone::Strong.of(*responder), format!(", {sure}").into()])?;
    out.field("severity", [tone.of(format!("{severity} ({})", severity.get()))])?;
    out.field("resource", [plan.resource.arn.as_str().into()])?;
    // A fact is text, a number or a list of them: there is nothing in it that JSON cannot say.
    let facts = plan.facts.iter().map(|(name, fact)| (name, serde_json::to_value(fact).unwrap_or_default()));
    out.fields("facts", facts.map(|(name, fact)| format!("{name} = {}", fact_text(&fact)).into()))?;
    let tone = match decision.verdict {
        Verdict::Enforce(_) => Tone::Good,
        Verdict::Approve => Tone::Warning,
        Verdict::Observe | Verdict::Exempt => Tone::Faint,
    };
    out.field("verdict", [tone.of(decision.verdict.name()), format!(": {}", decision.because()).into()])?;
    let limits = decision.limits.iter().map(|limit| format!("`{}` at most {limit}", limit.policy).into());
    out.fields("limits", limits)?;
    // What was said in `because` is not said again.
    let said = decision.because();
    let faults = decision.errors.iter().filter(|fault| !said.contains(&fault.message));
    out.fields(
        "errors",
        faults.map(|fault| {
            let policy = fault.policy.as_ref().map_or("the policies", |id| id.as_str());
            Tone::Warning.of(format!("`{policy}`: {}", fault.message))
        }),
    )?;

    let numbered = |texts: Vec<&str>| {
        texts.into_iter().enumerate().map(|(index, text)| format!("{}. {text}", index + 1)).collect::<Vec<_>>()
    };
    match &plan.remedy {
        Remedy::AlreadySafe => out.field("plan", ["nothing, as far as the event tells".into()])?,
        Remedy::Uncontainable { next_step } => {
            out.field("plan", [Tone::Warning.of("nothing that we could change would help")])?;
            out.field("next step", [next_step.as_str().into()])?;
        }
        Remedy::Changes(changes) => {
            let does = numbered(changes.iter().map(|change| change.does.as_str()).collect());
            let undo = numbered(changes.iter().rev().map(|change| change.undo.as_str()).collect());
            out.fields("plan", does.into_iter().map(Span::from))?;
            out.fields("undo", undo.into_iter().map(Span::from))?;
        }
    }
    out.field("incident", [Tone::Faint.of(incident.as_str())])?;
    if live.matters {
        out.field("live state", [Tone::Warning.of("depends on live state; before it decides it looks up")])?;
        // One action may be listed for several resources.
        let looks: BTreeMap<String, String> = Permission::of(&entry.spec)
            .into_iter()
            .filter(Permission::looks)
            .map(|permission| (permission.action, permission.why))
            .collect();
        out.fields("", looks.into_iter().map(|(action, why)| format!("{action}: {why}").into()))?;
        let tags = live.asking_for_tags.iter();
        let tags = tags.map(|id| format!("the tags of the resource, for policy `{id}`").into());
        out.fields("", tags)?;
    }
    Ok(())
}

/// A fact as a person reads it: text without quotes, a set as a list.
pub(crate) fn fact_text(fact: &Value) -> String {
    match fact {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(fact_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
