//! Makes a trail log again what it should.
//!
//! A trail is weakened when somebody stops it, deletes it, turns something of it off, lets it deliver elsewhere, or lets it
//! log fewer management events or insights. What it should be is in the baseline that an operator captured; without one it
//! is the baseline that ships: all regions, global service events, validation, all management events. Only what the call
//! touched is mended, and only where the live trail is weaker.

#[cfg(feature = "aws")]
pub mod aws;
pub mod called;
mod change;
mod remedies;
pub mod selectors;
pub mod trail;

use std::collections::BTreeSet;
use std::error::Error;

use cloudtrail::{Body, Event, EventError};
use policy::{Facts, Resource, Warrant};
use remedy::{Applied, CallError, Finding, Memory, Plan, Remedy, Responder, Situation, Spec};
use serde::Deserialize;
use serde_json::Value;

use crate::called::{Act, Weakened, suspicion};
use crate::selectors::EventSelectors;
use crate::trail::{Delivery, Switch, Trail, Trails};

pub use change::TrailChange;

/// The responder, over CloudTrail or a fake of it.
#[derive(Debug, Clone)]
pub struct RestartTrail<T>(pub T);

impl<T: Trails> Responder for RestartTrail<T> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Weakened;
    type Observed = Option<Trail>;
    type Change = TrailChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Weakened>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    async fn suspect(&self, event: &Event) -> Result<Vec<Finding<Weakened>>, CallError> {
        match &event.body {
            Body::Alarm(alarm) if called::is_about_trails(alarm) => {
                let own = |trail: &Trail| trail.arn.account().as_ref() == Some(&event.account);
                Ok(self.0.list().await?.iter().filter(|trail| own(trail)).map(Trail::resource).map(suspicion).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn presume(finding: &Finding<Weakened>) -> Option<Trail> {
        presumed(finding)
    }

    async fn observe(&self, finding: &Finding<Weakened>) -> Result<Option<Trail>, CallError> {
        let Weakened { trail, .. } = &finding.subject;
        if *trail == finding.resource.arn { self.0.describe(trail).await } else { Ok(None) }
    }

    fn plan(finding: &Finding<Weakened>, observed: &Option<Trail>, situation: &Situation) -> Plan<TrailChange> {
        let baseline = baseline(&situation.memory);
        let remedy = remedies::remedy(finding, observed.as_ref(), baseline.as_ref());
        Plan {
            resource: observed.as_ref().map_or_else(|| finding.resource.clone(), Trail::resource),
            facts: facts(finding, observed.as_ref(), baseline.as_ref(), &remedy),
            remedy,
        }
    }

    fn holds(change: &TrailChange, observed: &Option<Trail>) -> bool {
        change.shows_in(observed.as_ref())
    }

    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        let captured = self.0.list().await?.into_iter().map(|trail| {
            let resource = trail.resource();
            serde_json::to_value(&trail).map(|value| (resource, value))
        });
        captured.collect::<Result<_, _>>().map_err(|error| CallError::refused("cloudtrail:DescribeTrails", error))
    }

    async fn apply(&self, change: &TrailChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            TrailChange::Turn { trail, switch, on } => self.0.turn(trail, *switch, *on).await,
            TrailChange::Deliver { trail, to, .. } => self.0.deliver(trail, to).await,
            TrailChange::SelectEvents { trail, to, .. } => self.0.select_events(trail, to).await,
            TrailChange::SelectInsights { trail, to, .. } => self.0.select_insights(trail, to).await,
            TrailChange::Create(trail) => self.0.create(trail).await,
            TrailChange::Delete(trail) => self.0.delete(&trail.arn).await,
        }
    }
}

fn baseline(memory: &Memory) -> Option<Trail> {
    let captured = memory.baseline.as_ref()?;
    Trail::deserialize(captured)
        .inspect_err(|error| tracing::error!(error = error as &dyn Error, "a captured trail is not understood"))
        .ok()
}

/// The trail that the event alone lets us expect: as strong as the baseline that ships, but for what the call did. What
/// the event does not tell is replaced by words, for a person to read.
fn presumed(finding: &Finding<Weakened>) -> Option<Trail> {
    let Weakened { trail, act } = &finding.subject;
    let mut presumed = Trail {
        arn: trail.clone(),
        on: Switch::ALL.into(),
        delivery: Delivery { bucket: "(its bucket)".to_owned(), prefix: None, key: None },
        event_selectors: EventSelectors::default(),
        insight_selectors: BTreeSet::new(),
        organization: false,
        topic: None,
        log_group: None,
        recursive_logging: None,
        tags: None,
    };
    match act {
        Act::Deleted => return None,
        Act::Stopped | Act::Suspected => {
            presumed.on.remove(&Switch::Logging);
        }
        Act::Updated(update) => {
            presumed.on.retain(|switch| !update.off.contains(switch));
            presumed.delivery.bucket = update.bucket.clone().unwrap_or(presumed.delivery.bucket);
            presumed.delivery.key = update.key.clone().filter(|key| !key.is_empty());
        }
        Act::EventsSelected(selected) => presumed.event_selectors = selected.clone().unwrap_or_default(),
        Act::InsightsSelected(selected) => presumed.insight_selectors = selected.clone().unwrap_or_default(),
    }
    (*trail == finding.resource.arn).then_some(presumed)
}

fn facts(
    finding: &Finding<Weakened>,
    live: Option<&Trail>,
    baseline: Option<&Trail>,
    remedy: &Remedy<TrailChange>,
) -> Facts {
    let weakened: BTreeSet<String> = match remedy {
        Remedy::Changes(changes) => changes.iter().map(|change| change.mends().to_owned()).collect(),
        Remedy::AlreadySafe | Remedy::Uncontainable { .. } => BTreeSet::new(),
    };
    Facts::new()
        .with("act", finding.subject.act.name())
        .with("trailName", finding.resource.arn.name())
        .with("weakened", weakened)
        .with("baseline", baseline.is_some())
        .with_known("organization", live.or(baseline).map(|trail| trail.organization))
}

#[cfg(test)]
mod tests;
