//! What would make a trail as strong again as it should be.

use std::collections::BTreeSet;

use cloudtrail::Arn;
use remedy::{Finding, Remedy};

use crate::called::{Act, Update, Weakened};
use crate::change::TrailChange;
use crate::trail::{Switch, Trail};

/// Compares what the call touched with the captured baseline, or without one with the baseline that ships: everything on,
/// all management events.
pub(crate) fn remedy(
    finding: &Finding<Weakened>,
    live: Option<&Trail>,
    baseline: Option<&Trail>,
) -> Remedy<TrailChange> {
    let Weakened { trail, act } = &finding.subject;
    if *trail != finding.resource.arn {
        return Remedy::Uncontainable { next_step: next_step_elsewhere(trail) };
    }
    let is_stopped = live.is_some_and(|live| !live.on.contains(&Switch::Logging));
    if *act == Act::Suspected && is_stopped && baseline.is_none() {
        return Remedy::Uncontainable { next_step: next_step_if_stopped(trail) };
    }
    let changes = match (live, baseline) {
        (Some(live), _) => {
            let wanted = baseline.map_or_else(|| shipped(live), Clone::clone);
            if wanted.organization && !live.organization && concerns_organization(act) {
                return Remedy::Uncontainable { next_step: next_step_for_organization(trail) };
            }
            mend(act, live, &wanted)
        }
        (None, _) if *act != Act::Deleted => Vec::new(),
        (None, Some(baseline)) => create(trail, baseline),
        (None, None) => return Remedy::Uncontainable { next_step: next_step_without_baseline(trail) },
    };
    let is_organizations = live.or(baseline).is_some_and(|trail| trail.organization);
    if is_organizations && changes.iter().any(asks_organizations) {
        return Remedy::Uncontainable { next_step: next_step_for_organization(trail) };
    }
    if changes.is_empty() { Remedy::AlreadySafe } else { Remedy::Changes(changes) }
}

/// The baseline that ships, for what is known of the trail.
fn shipped(live: &Trail) -> Trail {
    Trail { on: Switch::ALL.into(), event_selectors: live.event_selectors.with_all_management_events(), ..live.clone() }
}

fn concerns_organization(act: &Act) -> bool {
    matches!(act, Act::Deleted | Act::Updated(Update { leaves_organization: true, .. }))
}

/// `CreateTrail` and `UpdateTrail` ask AWS Organizations in the caller's name. Source: Service Authorization Reference,
/// "Actions, resources, and condition keys for AWS CloudTrail", dependent actions.
fn asks_organizations(change: &TrailChange) -> bool {
    match change {
        TrailChange::Turn { switch, .. } => *switch != Switch::Logging,
        TrailChange::Deliver { .. } | TrailChange::Create(_) | TrailChange::Delete(_) => true,
        TrailChange::SelectEvents { .. } | TrailChange::SelectInsights { .. } => false,
    }
}

/// The changes from `live` to `wanted` in what the call touched. A trail that was deleted and is there again was made
/// anew: all of it counts.
fn mend(act: &Act, live: &Trail, wanted: &Trail) -> Vec<TrailChange> {
    let is_new = *act == Act::Deleted;
    let mut switches: BTreeSet<Switch> = match act {
        Act::Deleted => Switch::ALL.into(),
        Act::Stopped | Act::Suspected => [Switch::Logging].into(),
        Act::Updated(update) => update.off.clone(),
        Act::EventsSelected(_) | Act::InsightsSelected(_) => BTreeSet::new(),
    };
    switches.retain(|switch| wanted.on.contains(switch) && !live.on.contains(switch));
    if switches.contains(&Switch::MultiRegion) && !live.on.contains(&Switch::GlobalServiceEvents) {
        switches.insert(Switch::GlobalServiceEvents);
    }
    let trail = || live.arn.clone();
    let turn = |switch| TrailChange::Turn { trail: trail(), switch, on: true };
    let (first, last): (Vec<_>, Vec<_>) = switches.into_iter().partition(|switch| *switch != Switch::Logging);
    let mut changes: Vec<TrailChange> = first.into_iter().map(turn).collect();

    let touches_delivery = match act {
        Act::Updated(update) => update.bucket.is_some() || update.key.is_some(),
        _ => is_new,
    };
    // The prefix alone is nobody's business.
    let (is, should) = (&live.delivery, &wanted.delivery);
    if touches_delivery && (&is.bucket, &is.key) != (&should.bucket, &should.key) {
        changes.push(TrailChange::Deliver { trail: trail(), from: is.clone(), to: should.clone() });
    }
    let touches_events = is_new || matches!(act, Act::EventsSelected(_));
    if touches_events && live.event_selectors.coverage().lacks_of(&wanted.event_selectors.coverage()) {
        let (from, to) = (live.event_selectors.clone(), wanted.event_selectors.clone());
        changes.push(TrailChange::SelectEvents { trail: trail(), from, to });
    }
    let touches_insights = is_new || matches!(act, Act::InsightsSelected(_));
    if touches_insights && !wanted.insight_selectors.is_subset(&live.insight_selectors) {
        let (from, to) = (live.insight_selectors.clone(), wanted.insight_selectors.clone());
        changes.push(TrailChange::SelectInsights { trail: trail(), from, to });
    }
    changes.extend(last.into_iter().map(turn));
    changes
}

/// The changes from nothing to the baseline.
fn create(arn: &Arn, baseline: &Trail) -> Vec<TrailChange> {
    let wanted = Trail { arn: arn.clone(), ..baseline.clone() };
    let created = wanted.as_created();
    let mut changes = vec![TrailChange::Create(Box::new(created.clone()))];
    if wanted.event_selectors != created.event_selectors {
        let (from, to) = (created.event_selectors, wanted.event_selectors);
        changes.push(TrailChange::SelectEvents { trail: arn.clone(), from, to });
    }
    if wanted.insight_selectors != created.insight_selectors {
        let (from, to) = (created.insight_selectors, wanted.insight_selectors);
        changes.push(TrailChange::SelectInsights { trail: arn.clone(), from, to });
    }
    if wanted.on.contains(&Switch::Logging) {
        changes.push(TrailChange::Turn { trail: arn.clone(), switch: Switch::Logging, on: true });
    }
    changes
}

fn next_step_elsewhere(trail: &Arn) -> String {
    format!(
        "`{trail}` is of another account, whose organization it logs: look there whether it still logs what it should, \
         and whether this account should be a delegated administrator of CloudTrail (CloudTrail User Guide, \
         \"Organization delegated administrator\")."
    )
}

fn next_step_for_organization(trail: &Arn) -> String {
    format!(
        "`{trail}` is or was the trail of an organization, which only the management account or a delegated administrator \
         may create or update, with permissions in AWS Organizations that no function has: compare it with what it should \
         be and update it by hand (CloudTrail User Guide, \"Creating a trail for an organization\")."
    )
}

fn next_step_if_stopped(trail: &Arn) -> String {
    format!(
        "`{trail}` does not log, an alarm says that somebody changed a trail, and no baseline says whether this one should \
         log: start it, or leave it, and run `countermand baseline capture` so that this is known (CloudTrail User Guide, \
         \"Turning off logging for a trail\")."
    )
}

fn next_step_without_baseline(trail: &Arn) -> String {
    format!(
        "`{trail}` is deleted and no baseline says how it was: create it again by hand, into the bucket that still has its \
         log files (CloudTrail User Guide, \"Creating a trail for your AWS account\"), and run `countermand baseline capture`."
    )
}
