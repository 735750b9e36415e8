//! `countermand incidents show`: the whole story of an incident.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use cloudtrail::Actor;
use policy::{Cause, Severity};
use remedy::{Answer, Certainty, Contest, Entry, Incident, Predicted, Shadow, State, Undone};
use serde::Serialize;
use serde_json::Value;

use super::metrics::{self, Metrics};
use super::{Session, is_partly_undone, timeline, tone};
use crate::args::Connection;
use crate::exit::Exit;
use crate::explain::fact_text;
use crate::failure::Failure;
use crate::output::{Output, Span, Tone};
use crate::responders;

/// An incident as a program gets it. Other programs rely on this form.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    incident: &'a str,
    state: State,
    opened: DateTime<Utc>,
    responder: &'a str,
    event_id: &'a str,
    event_name: &'a str,
    event_time: Option<DateTime<Utc>>,
    account: &'a str,
    region: &'a str,
    actor: String,
    resource: &'a str,
    certainty: Certainty,
    severity: Severity,
    verdict: &'a str,
    policies: Vec<&'a str>,
    because: &'a str,
    shadow: Option<&'a Shadow>,
    contained: Option<DateTime<Utc>>,
    answer: Option<&'a Answer>,
    undone: Option<&'a Undone>,
    release_at: Option<DateTime<Utc>>,
    confirmed: Option<&'a Answer>,
    contest: Option<&'a Contest>,
    error: Option<&'a str>,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    identity: &'a Actor,
    causes: &'a [Cause],
    facts: &'a Value,
    before: &'a Value,
    after: Option<&'a Value>,
    plan: &'a [Value],
    receipt: &'a [Entry],
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<&'a Metrics>,
}

impl<'a> Line<'a> {
    /// What a list tells of it.
    pub(super) fn brief(incident: &'a Incident) -> Self {
        Self {
            incident: incident.id.as_str(),
            state: incident.state,
            opened: incident.opened,
            responder: &incident.responder,
            event_id: incident.event_id.as_str(),
            event_name: &incident.event_name,
            event_time: incident.event_time,
            account: incident.account.as_str(),
            region: incident.region.as_str(),
            actor: incident.actor.principal.to_string(),
            resource: incident.resource.arn.as_str(),
            certainty: incident.certainty,
            severity: incident.severity,
            verdict: &incident.verdict,
            policies: incident.policies.iter().map(|cause| cause.id.as_str()).collect(),
            because: &incident.because,
            shadow: incident.shadow.as_ref(),
            contained: incident.contained,
            answer: incident.answer.as_ref(),
            undone: incident.undone.as_ref(),
            release_at: incident.release_at,
            confirmed: incident.confirmed.as_ref(),
            contest: incident.contest.as_ref(),
            error: incident.error.as_deref(),
            details: None,
        }
    }

    fn full(incident: &'a Incident, metrics: Option<&'a Metrics>) -> Self {
        let Incident { actor: identity, policies: causes, facts, before, after, plan, receipt, .. } = incident;
        let after = after.as_ref();
        let details = Details { identity, causes, facts, before, after, plan, receipt, metrics };
        Self { details: Some(details), ..Self::brief(incident) }
    }
}

pub(super) async fn run(
    id: &str,
    with_metrics: bool,
    connection: &Connection,
    now: DateTime<Utc>,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let session = Session::open(connection).await?;
    let incident = match session.find(id).await? {
        Ok(incident) => incident,
        Err(none) => {
            out.error(&none, Some(none.help()))?;
            return Ok(Exit::Failed);
        }
    };
    let (metrics, unseen) = if with_metrics {
        let (metrics, unseen) = metrics::gather(&session, &incident, now).await?;
        (Some(metrics), unseen)
    } else {
        (None, Vec::new())
    };
    if out.is_json() {
        out.object(&Line::full(&incident, metrics.as_ref()))?;
    } else {
        tell(&incident, metrics.as_ref(), now, out)?;
    }
    for error in &unseen {
        out.error(error, error.help().as_deref())?;
    }
    Ok(if unseen.is_empty() { Exit::Done } else { Exit::Failed })
}

fn tell(incident: &Incident, metrics: Option<&Metrics>, now: DateTime<Utc>, out: &mut Output) -> io::Result<()> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    out.line([
        Tone::Strong.of(format!("incident {}  ", incident.id)),
        tone(incident.state).of(incident.state.to_string()),
        Tone::Warning.of(if is_partly_undone(incident) { ", partly undone" } else { "" }),
    ])?;
    out.field("event", [incident.event_name.as_str().into(), Tone::Faint.of(format!("  {}", incident.event_id))])?;
    let when = incident.event_time.map_or_else(|| "unknown".to_owned(), time);
    out.field("when", [format!("{when}, noticed {}", time(incident.opened)).into()])?;
    out.field("where", [format!("{} {}", incident.account, incident.region).into()])?;
    out.gap()?;
    who(&incident.actor, out)?;
    out.fields("from", incident.source_ip.map(|address| address.to_string().into()))?;
    out.fields("agent", incident.user_agent.as_deref().map(Span::from))?;
    out.gap()?;
    let Incident { severity, resource, .. } = incident;
    out.field("what", [Tone::Strong.of(&incident.responder), format!(", {severity} ({})", severity.get()).into()])?;
    out.field("resource", [resource.arn.as_str().into()])?;
    let tags = resource.tags.iter().flatten().map(|(key, value)| format!("{key} = {value}").into());
    out.fields("tags", tags)?;
    let facts = incident.facts.as_object().into_iter().flatten();
    out.fields("facts", facts.map(|(name, value)| format!("{name} = {}", fact_text(value)).into()))?;
    out.gap()?;
    out.field("decided", [Tone::Strong.of(&incident.verdict), format!(": {}", incident.because).into()])?;
    let causes =
        incident.policies.iter().filter_map(|Cause { id, reason }| Some(format!("`{id}`: {}", reason.as_ref()?)));
    out.fields("reasons", causes.map(Span::from))?;
    if let Some(Shadow { verdict, because, .. }) = incident.shadow.as_ref().filter(|shadow| shadow.differs()) {
        out.field("shadow", [Tone::Warning.of(verdict), format!(": {because}").into()])?;
    }
    waiting(incident, out)?;
    let words: Vec<Result<Predicted, String>> =
        incident.plan.iter().map(|change| words(&incident.responder, change)).collect();
    out.fields(
        "plan",
        words.iter().enumerate().map(|(index, words)| {
            let text = words.as_ref().map_or_else(String::as_str, |words| words.does.as_str());
            format!("{}. {text}", index + 1).into()
        }),
    )?;
    out.gap()?;
    timeline::tell(incident, now, out)?;
    out.gap()?;
    if let Some(metrics) = metrics {
        metrics::tell(metrics, incident, out)?;
    }
    let before = serde_json::to_string_pretty(&incident.before)?;
    out.fields("before", before.lines().map(Span::from))?;
    out.gap()?;
    undoing(incident, out)
}

fn who(actor: &Actor, out: &mut Output) -> io::Result<()> {
    let Actor { principal, account, session, access_key_id, invoked_by, mfa } = actor;
    out.field("who", [Tone::Strong.of(principal.to_string())])?;
    let mfa = mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
    let more = [
        ("account", account.as_ref().map(ToString::to_string)),
        ("session", session.clone()),
        ("key", access_key_id.as_ref().map(ToString::to_string)),
        ("through", invoked_by.clone()),
        ("mfa", mfa),
    ];
    for (label, text) in more {
        out.fields(label, text.map(Span::from))?;
    }
    Ok(())
}

/// Until when a person can say what becomes of it, and how.
fn waiting(incident: &Incident, out: &mut Output) -> io::Result<()> {
    if let Some(end) = incident.release_at.filter(|_| incident.state == State::Contained) {
        let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
        out.field("lease", [Tone::Warning.of(format!("taken back at {end}, unless you confirm it"))])?;
        out.field("", [Tone::Strong.of(format!("countermand incidents confirm {}", incident.id))])?;
    }
    if let Some(owner) = incident.contest.as_ref().and_then(|contest| contest.belongs_to.as_ref()) {
        out.field("belongs to", [Tone::Warning.of(owner)])?;
    }
    let Some(until) = incident.expires() else { return Ok(()) };
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    out.field("waits", [Tone::Warning.of(format!("for you, until {until}"))])?;
    for said in ["approve", "reject"] {
        out.field("", [Tone::Strong.of(format!("countermand incidents {said} {}", incident.id))])?;
    }
    Ok(())
}

fn undoing(incident: &Incident, out: &mut Output) -> io::Result<()> {
    if let Some(Undone { by, at, forced, .. }) = &incident.undone {
        let forced = if *forced { ", by force: the account had changed meanwhile" } else { "" };
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        return out.field("undo", [format!("undone by {by} at {at}{forced}").into()]);
    }
    let left: Vec<&Entry> = incident.receipt.iter().rev().filter(|entry| entry.undone.is_none()).collect();
    if left.is_empty() {
        return out.field("undo", ["nothing of ours is there to undo".into()]);
    }
    let undo = left.iter().map(|entry| match words(&incident.responder, &entry.change) {
        Ok(words) => words.undo.into(),
        Err(raw) => format!("the opposite of {raw}").into(),
    });
    out.fields("undo", undo.collect::<Vec<Span<'_>>>())?;
    out.field("", [Tone::Strong.of(format!("countermand incidents undo {}", incident.id))])
}

/// A change in words; as it is stored where the responder of this build does not know it.
fn words(responder: &str, change: &Value) -> Result<Predicted, String> {
    let entry = responders::Entry::named(responder).ok_or_else(|| change.to_string())?;
    (entry.words)(change).map_err(|_| change.to_string())
}
