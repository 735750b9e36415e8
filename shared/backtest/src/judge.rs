//! The same detect and the same decision as in the functions.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use cloudtrail::{Arn, Body, Event, EventError, Principal};
use policy::{Decision, Policies, Request, Resource};
use remedy::{Certainty, ChangeKey, Explanation};

use crate::finding::{ActorKind, Expected, Finding, FindingId, NotAFinding, Opinion, Verdict};
use crate::held::Held;
use crate::live::hangs_on_tags;

/// One responder, as far as events alone concern it.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    /// Its name.
    pub name: &'static str,
    /// Its findings in an event, with the verdicts on them.
    pub explain: Explain,
}

/// [`remedy::explain_briefly`] of a responder.
pub type Explain = fn(&Event, &Policies, DateTime<Utc>) -> Result<Vec<Explanation<ChangeKey>>, EventError>;

/// Why a responder says nothing to an event that it should know.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The event has not the shape that the responder relies on. In an account it would reach the dead-letter queue.
    #[error("{responder} cannot read this event")]
    Event {
        /// The responder.
        responder: &'static str,
        /// Why.
        source: EventError,
    },
    /// The finding cannot be told from others.
    #[error("a finding of {responder} has no incident id that we know")]
    Incident {
        /// The responder.
        responder: &'static str,
        /// Why.
        source: NotAFinding,
    },
}

/// Says of an event what the functions would have found, and what policies say to it.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The responders.
    pub detectors: &'a [Detector],
    /// The policies.
    pub policies: &'a Policies,
    /// The policies to compare them with.
    pub before: Option<&'a Policies>,
    /// The roles of the functions, whose own calls are never findings.
    pub own_roles: &'a [Arn],
    /// Stands in for the time of an event whose own cannot be read.
    pub now: DateTime<Utc>,
}

impl Judge<'_> {
    /// Every finding in the event. The time of the decision is the event's, which is seconds before a function would
    /// have seen it.
    pub fn judge<'e>(&self, event: &'e Event) -> impl Iterator<Item = Result<Finding<'e>, Unreadable>> {
        let own = matches!(&event.actor.principal, Principal::Role(role) if self.own_roles.contains(role));
        let detectors = if own { &[] } else { self.detectors };
        let now = event.time.unwrap_or(self.now);
        detectors.iter().flat_map(move |detector| {
            let responder = detector.name;
            let (error, found) = match (detector.explain)(event, self.policies, now) {
                Ok(found) => (None, found),
                Err(source) => (Some(Err(Unreadable::Event { responder, source })), Vec::new()),
            };
            error.into_iter().chain(found.into_iter().map(move |explanation| {
                self.finding(event, &explanation, now).map_err(|source| Unreadable::Incident { responder, source })
            }))
        })
    }

    fn finding<'e>(
        &self,
        event: &'e Event,
        explanation: &Explanation<ChangeKey>,
        now: DateTime<Utc>,
    ) -> Result<Finding<'e>, NotAFinding> {
        let Explanation { incident, responder, certainty, severity, plan, decision, .. } = explanation;
        let before =
            self.before.map(|policies| (policies, policies.decide(&request(event, explanation, &plan.resource, now))));
        let mut tags = hangs_on_tags(event, explanation, decision, self.policies, now);
        if let Some((policies, decision)) = &before {
            tags = tags || hangs_on_tags(event, explanation, decision, policies, now);
        }
        let before = before.map(|(_, decision)| opinion(&decision));
        let Opinion { verdict, policies, because } = opinion(decision);
        let acts = verdict.acts() || before.as_ref().is_some_and(|before| before.verdict.acts());
        Ok(Finding {
            event_id: event.id.as_str().into(),
            event_time: event.time,
            event_name: event_name(event).into(),
            account: event.account.as_str().into(),
            region: event.region.as_str().into(),
            actor: event.actor.principal.to_string().into(),
            responder: (*responder).into(),
            resource: plan.resource.arn.as_str().to_owned().into(),
            certainty: *certainty,
            verdict,
            policies,
            severity: *severity,
            because,
            live: tags || *certainty == Certainty::Live,
            plan: Expected::from(&plan.remedy),
            actor_kind: ActorKind::from(&event.actor.principal),
            session: event.actor.session.as_deref().map(Cow::Borrowed),
            incident: FindingId::try_from(incident)?,
            held: Held::of(explanation, acts, tags),
            before,
        })
    }
}

fn opinion(decision: &Decision) -> Opinion<'static> {
    Opinion {
        verdict: Verdict::from(&decision.verdict),
        policies: decision.policies.iter().map(|cause| cause.id.as_str().to_owned().into()).collect(),
        because: decision.because().into(),
    }
}

/// What was asked of the policies for this explanation, about `resource`: the explanation's own, or it with other tags.
#[must_use]
pub fn request<'a, C>(
    event: &'a Event,
    explanation: &'a Explanation<C>,
    resource: &'a Resource,
    now: DateTime<Utc>,
) -> Request<'a> {
    let Explanation { responder, severity, plan, .. } = explanation;
    Request { responder, now, event, resource, severity: *severity, facts: &plan.facts }
}

/// The operation or the type of finding.
#[must_use]
pub fn event_name(event: &Event) -> &str {
    match &event.body {
        Body::Call(call) => &call.name,
        Body::GuardDuty(finding) => &finding.kind,
        Body::Health(health) => &health.event_type_code,
        Body::Approved { .. } => cloudtrail::APPROVAL_TYPE,
        Body::Alarm(alarm) => &alarm.name,
        Body::Missed { .. } => cloudtrail::MISSED_TYPE,
        Body::Heartbeat { .. } => cloudtrail::HEARTBEAT_TYPE,
        Body::Other => "",
    }
}
