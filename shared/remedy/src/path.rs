//! The path of an event: detect, observe, plan, decide, claim, apply, verify, receipt, notify.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cloudtrail::{Arn, Body, Event, EventError, Principal, Region};
use futures_util::future::{FutureExt, join};
use policy::{Decision, Limit, Per, Policies, Rate, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use crate::carry_out::Price;
use crate::change::Change;
use crate::contest;
use crate::incident::{Entry, Incident, IncidentId, Lease, State};
use crate::ledger::{Charge, Ledger, Memory, MemoryKey, Recall};
use crate::outcome::{Outcome, Responded, Status};
use crate::respond_error::RespondError;
use crate::responder::{Finding, Plan, Remedy, Responder, Situation};
use crate::shadow::{Decided, question};

/// The time, and waiting.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Clock {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
    /// Returns after this long.
    async fn sleep(&self, duration: Duration);
}

/// A notification could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("the notification was not sent")]
pub struct NotifyError(#[source] pub Box<dyn Error + Send + Sync>);

/// Tells people.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Notifier {
    /// Tells what became of an incident.
    async fn notify(&self, incident: &Incident) -> Result<(), NotifyError>;
}

/// Everything an event needs on its way, borrowed for one invocation.
#[derive(Debug)]
pub struct Path<'a, L, N, C> {
    /// The user's policies.
    pub policies: &'a Policies,
    /// Policies that are only asked what they would have said.
    pub shadow: Option<&'a Policies>,
    /// The durable memory.
    pub ledger: &'a L,
    /// Who is told.
    pub notifier: &'a N,
    /// The time.
    pub clock: &'a C,
    /// The region that the responder sees.
    pub region: &'a Region,
    /// The roles of our own functions, whose calls are never findings.
    pub own_roles: &'a [Arn],
    /// How often a change of ours may be reversed and made again before we stop; never, if `None`.
    pub flips: Option<Rate>,
    /// Whether this deployment takes back what was done under a lease that ended.
    pub leases: bool,
    /// The Lambda request id.
    pub owner: &'a str,
    /// When Lambda ends the invocation.
    pub deadline: DateTime<Utc>,
}

/// Whether the event is a call of one of our own functions.
fn is_own(event: &Event, own_roles: &[Arn]) -> bool {
    matches!(&event.actor.principal, Principal::Role(role) if own_roles.contains(role))
}

/// Whether there is anything for the responder to look at: a finding in an event that is not our own doing, or an alarm.
pub fn concerns<R: Responder>(event: &Event, own_roles: &[Arn]) -> Result<bool, EventError> {
    let is_alarm = matches!(event.body, Body::Alarm(_));
    Ok(!is_own(event, own_roles) && (is_alarm || !R::detect(event)?.is_empty()))
}

/// A finding that was looked at, on its way to a verdict.
pub(crate) struct Case<'e, R: Responder> {
    pub(crate) event: &'e Event,
    pub(crate) finding: Finding<R::Subject>,
    pub(crate) memory: Memory,
    pub(crate) plan: Plan<R::Change>,
    pub(crate) incident: Incident,
    pub(crate) decided: Decided,
    /// The record of an earlier run that did not settle.
    pub(crate) seen: Option<Incident>,
}

impl<L: Ledger, N: Notifier, C: Clock> Path<'_, L, N, C> {
    /// Deals with every finding of the event. One that fails does not keep the others from being dealt with.
    pub async fn respond<R: Responder>(&self, responder: &R, event: &Event) -> Responded {
        let mut responded = Responded { outcomes: Vec::new(), failure: None };
        if is_own(event, self.own_roles) {
            tracing::info!(role = %event.actor.principal, "our own call");
            return responded;
        }
        let mut findings = match R::detect(event) {
            Ok(findings) => findings,
            Err(error) => return Responded { failure: Some(error.into()), ..responded },
        };
        match responder.suspect(event).boxed_local().await {
            Ok(suspected) => findings.extend(suspected),
            Err(source) => return Responded { failure: Some(RespondError::Suspect { source }), ..responded },
        }
        for finding in findings {
            // Boxed, since the nested futures of path and SDK together are deeper than the compiler will follow.
            match self.deal_with(responder, event, finding, Occasion::Delivery).boxed_local().await {
                Ok(outcome) => responded.outcomes.push(outcome),
                Err(error) => {
                    tracing::error!(error = &error as &dyn Error, "a finding was not dealt with");
                    responded.failure.get_or_insert(error);
                }
            }
        }
        responded
    }

    /// Goes on with an incident that a person has approved: looks again, and acts if the finding still holds and no
    /// policy forbids it. That it is approved is the ledger's to say, whoever asks.
    pub async fn resume<R: Responder>(&self, responder: &R, id: &IncidentId) -> Responded {
        match self.go_on_with(responder, id).boxed_local().await {
            Ok(outcome) => Responded { outcomes: vec![outcome], failure: None },
            Err(failure) => Responded { outcomes: Vec::new(), failure: Some(failure) },
        }
    }

    async fn go_on_with<R: Responder>(&self, responder: &R, id: &IncidentId) -> Result<Outcome, RespondError> {
        let incident = self.ledger.find(id).await?.filter(|incident| incident.responder == R::SPEC.name);
        let incident = incident.filter(Incident::is_approved).ok_or_else(|| RespondError::NotApproved(id.clone()))?;
        let finding = incident.finding().map_err(|source| RespondError::Unreadable { incident: id.clone(), source })?;
        self.deal_with(responder, &incident.event(), finding, Occasion::Approval).await
    }

    async fn deal_with<R: Responder>(
        &self,
        responder: &R,
        event: &Event,
        finding: Finding<R::Subject>,
        occasion: Occasion,
    ) -> Result<Outcome, RespondError> {
        if let Some(region) = finding.resource.arn.region().filter(|region| region != self.region) {
            let (resource, here) = (finding.resource.arn.clone(), self.region.clone());
            return Err(RespondError::OtherRegion { resource, region, here });
        }
        let id = IncidentId::derive(&event.id, R::SPEC.name, &finding.resource);
        let named = MemoryKey::of(R::SPEC.name, &finding.resource);
        let (observed, recall) = join(responder.observe(&finding), self.ledger.recall(&id, &named)).await;
        let Recall { incident: seen, mut memory } = recall?;
        if let Some(seen) = seen.as_ref().filter(|seen| !self.may_take_over(seen, occasion)) {
            if seen.lease.as_ref().is_some_and(|lease| lease.owner == self.owner) {
                // This very invocation recorded it before, and died or failed thereafter: perhaps before it told anybody.
                self.tell(seen).await;
            }
            return Ok(Outcome::of(seen, Status::Duplicate));
        }
        let observed =
            observed.map_err(|source| RespondError::Observe { resource: finding.resource.arn.clone(), source })?;

        // What a run planned that never began to act was not made by it.
        let unsettled = seen.as_ref().filter(|seen| !seen.state.is_settled());
        if let Some(seen) = unsettled {
            memory.held.extend(found_made::<R>(seen, &observed).map(|change| change.key()));
        }
        let now = self.clock.now();
        let plan = |memory: &Memory| {
            let trusted = self.policies.trusted().clone();
            let situation = Situation { now, event_time: event.time, memory: memory.clone(), trusted };
            R::plan(&finding, &observed, &situation)
        };
        let mut planned = plan(&memory);
        if let Some(found) = planned.resource.arn.account().filter(|found| *found != event.account) {
            let named = finding.resource.arn.clone();
            return Err(RespondError::Elsewhere { resource: named, account: event.account.clone(), found });
        }
        let key = MemoryKey::of(R::SPEC.name, &planned.resource);
        if key != named {
            // The event named the resource otherwise than the account does: what is remembered is under its real name.
            let known = self.ledger.recall(&id, &key).await?.memory;
            memory.held.extend(known.held);
            memory.wanted.extend(known.wanted);
            memory.last = known.last.or(memory.last);
            memory.baseline = known.baseline.or(memory.baseline);
            planned = plan(&memory);
        }
        let decision = self.policies.decide(&question::<R>(now, event, &finding, &planned));
        let mut incident = self.open::<R>(event, &finding, &planned, &observed, &decision, seen.as_ref());
        incident.previous.clone_from(&memory.last);
        if let Some(seen) = unsettled {
            incident.plan.clone_from(&seen.plan);
            complete_receipt::<R>(&mut incident, &observed, now);
        }
        let decided = Decided { at: now, verdict: decision.verdict.name() };
        let case = Case { event, finding, memory, plan: planned, incident, decided, seen };
        self.act_on(responder, case, decision).await
    }

    /// Whether the record of an earlier run is one that died or failed, and so ours to go on with.
    fn may_take_over(&self, seen: &Incident, occasion: Occasion) -> bool {
        match (&seen.state, &seen.lease) {
            (State::Failed, _) | (State::Claimed, None) => true,
            (State::Approved, _) => occasion == Occasion::Approval,
            // A retry carries the request id of the attempt before it, and Lambda never runs the two at once.
            (State::Claimed, Some(lease)) => lease.owner == self.owner || lease.until <= self.clock.now(),
            _ => false,
        }
    }

    async fn act_on<R: Responder>(
        &self,
        responder: &R,
        mut case: Case<'_, R>,
        decision: Decision,
    ) -> Result<Outcome, RespondError> {
        let changes = match std::mem::replace(&mut case.plan.remedy, Remedy::AlreadySafe) {
            Remedy::AlreadySafe if case.incident.receipt.is_empty() => {
                return self.conclude(case, Status::AlreadySafe).await;
            }
            // A run before us made the changes and died before it could say so.
            Remedy::AlreadySafe => return self.go_on(responder, case, Vec::new(), None, Price::default()).await,
            Remedy::Uncontainable { next_step } => {
                if matches!(decision.verdict, Verdict::Exempt) {
                    return self.conclude(case, Status::Exempt).await;
                }
                case.incident.because = next_step;
                return self.conclude(case, Status::Uncontainable).await;
            }
            Remedy::Changes(changes) => {
                let now = self.clock.now();
                let (wanted, unwanted): (Vec<_>, Vec<_>) =
                    changes.into_iter().partition(|change| case.memory.is_wanted(&change.key(), now));
                if unwanted.is_empty() && case.incident.receipt.is_empty() {
                    let what: Vec<_> = wanted.iter().map(ToString::to_string).collect();
                    case.incident.because = format!("an undo said this is wanted, so we do not {}", what.join(", "));
                    return self.conclude(case, Status::Exempt).await;
                }
                unwanted
            }
        };
        case.incident.plan = changes.iter().map(to_value).collect();
        match decision.verdict {
            Verdict::Enforce(warrant) => {
                let price = if case.seen.as_ref().is_some_and(|seen| !seen.plan.is_empty()) {
                    Price::default() // the run before us has paid
                } else {
                    self.price(&case, &changes, &decision.limits)
                };
                if let Some(lease) = decision.lease.filter(|_| !case.incident.is_approved()) {
                    if self.leases {
                        case.incident.release_at = Some(self.clock.now() + lease);
                    } else {
                        case.incident.because.push_str(NO_LEASES);
                    }
                }
                self.go_on(responder, case, changes, Some(warrant), price).await
            }
            Verdict::Approve if case.incident.is_approved() => {
                let warrant = decision.approved();
                self.go_on(responder, case, changes, warrant, Price::default()).await
            }
            Verdict::Approve => self.conclude(case, Status::Pending).await,
            Verdict::Observe => self.conclude(case, Status::Observed).await,
            Verdict::Exempt => self.conclude(case, Status::Exempt).await,
        }
    }

    /// What acting costs.
    fn price<R: Responder>(&self, case: &Case<'_, R>, changes: &[R::Change], limits: &[Limit]) -> Price {
        // What we hold and find to be made again was reversed by somebody, and not by an undo.
        let reversed = changes.iter().any(|change| case.memory.held.contains(&change.key()));
        let flips = self.flips.filter(|_| reversed);
        let key = MemoryKey::of(R::SPEC.name, &case.plan.resource);
        Price {
            flip: flips.map(|flips| contest::flip(&key, flips)),
            budgets: limits.iter().map(|limit| charge(limit, case)).collect(),
        }
    }

    fn open<R: Responder>(
        &self,
        event: &Event,
        finding: &Finding<R::Subject>,
        plan: &Plan<R::Change>,
        observed: &R::Observed,
        decision: &Decision,
        seen: Option<&Incident>,
    ) -> Incident {
        let now = self.clock.now();
        let answer = seen.and_then(|seen| seen.answer.clone());
        let call = match &event.body {
            Body::Call(call) => Some(call),
            _ => None,
        };
        Incident {
            id: IncidentId::derive(&event.id, R::SPEC.name, &finding.resource),
            state: State::Claimed,
            responder: R::SPEC.name.to_owned(),
            event_id: event.id.clone(),
            event_name: match &event.body {
                Body::Call(call) => call.name.clone(),
                Body::GuardDuty(finding) => finding.kind.clone(),
                Body::Health(health) => health.event_type_code.clone(),
                Body::Alarm(alarm) => alarm.name.clone(),
                Body::Approved { .. } | Body::Missed { .. } | Body::Heartbeat { .. } | Body::Other => String::new(),
            },
            event_time: event.time,
            account: event.account.clone(),
            region: event.region.clone(),
            actor: event.actor.clone(),
            source_ip: call.and_then(|call| call.source_ip),
            user_agent: call.and_then(|call| call.user_agent.clone()),
            resource: plan.resource.clone(),
            severity: finding.severity,
            certainty: finding.certainty,
            subject: to_value(&finding.subject),
            named: finding.resource.clone(),
            facts: to_value(&plan.facts),
            // After a run that died the account is no longer as it was before us: that run wrote down how it was.
            before: seen.map_or_else(|| to_value(observed), |seen| seen.before.clone()),
            after: None,
            verdict: decision.verdict.name().to_owned(),
            policies: decision.policies.clone(),
            because: match &answer {
                Some(answer) if answer.approved => format!("approved by {}, and {}", answer.by, decision.because()),
                _ => decision.because(),
            },
            plan: Vec::new(),
            receipt: seen.map_or_else(Vec::new, |seen| seen.receipt.clone()),
            opened: seen.map_or(now, |seen| seen.opened),
            contained: None,
            error: None,
            revision: seen.map_or(0, |seen| seen.revision + 1),
            lease: Some(Lease { owner: self.owner.to_owned(), until: self.deadline }),
            answer,
            undone: None,
            previous: None,
            contest: None,
            release_at: None,
            confirmed: None,
            shadow: None,
        }
    }
}

const NO_LEASES: &str =
    "; its lease does not end by itself, as this deployment has `Leases` off or the account is not its own";

/// Why a finding is dealt with now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Its event was delivered.
    Delivery,
    /// A person has approved it.
    Approval,
}

/// The changes in the incident's plan that the account shows as made.
fn found_made<'a, R: Responder>(incident: &'a Incident, observed: &'a R::Observed) -> impl Iterator<Item = R::Change> {
    incident.plan.iter().filter_map(stored::<R::Change>).filter(|change| R::holds(change, observed))
}

/// Completes the receipt that a run which died could not: what it planned and the account shows is presumed its doing.
pub(crate) fn complete_receipt<R: Responder>(incident: &mut Incident, observed: &R::Observed, now: DateTime<Utc>) {
    let made: Vec<R::Change> = found_made::<R>(incident, observed).collect();
    for change in made {
        if !incident.receipt.iter().any(|entry| entry.key == change.key()) {
            incident.receipt.push(entry(&change, now, true));
        }
    }
}

/// `None` where another version of the function wrote a change that this one does not know.
pub(crate) fn stored<C: Change>(change: &Value) -> Option<C> {
    C::deserialize(change)
        .inspect_err(|error| tracing::error!(error = error as &dyn Error, "a stored change is not understood"))
        .ok()
}

pub(crate) fn entry<C: Change>(change: &C, at: DateTime<Utc>, presumed: bool) -> Entry {
    Entry { key: change.key(), did: change.to_string(), change: to_value(change), at, presumed, undone: None }
}

fn charge<R: Responder>(limit: &Limit, case: &Case<'_, R>) -> Charge {
    let policy = &limit.policy;
    let budget = match limit.per {
        Per::Everything => policy.to_string(),
        Per::Principal => format!("{policy} of {}", case.event.actor.principal),
        Per::Account => format!("{policy} of {}", case.event.account),
    };
    Charge { budget, count: limit.count, window: limit.window }
}

pub(crate) fn in_words(window: Duration) -> String {
    let seconds = window.as_secs();
    match (seconds % 86_400, seconds % 3_600, seconds % 60) {
        (0, _, _) => format!("{} d", seconds / 86_400),
        (_, 0, _) => format!("{} h", seconds / 3_600),
        (_, _, 0) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// Our own types: maps have text keys and no number is out of JSON's range, so this cannot fail; were it ever to, the
/// record would say so rather than be lost.
pub(crate) fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| json!({ "unreadable": error.to_string() }))
}
