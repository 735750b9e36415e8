//! Whether the live account may lead to another answer than the event does.

use chrono::{DateTime, Utc};
use cloudtrail::Event;
use policy::{Cause, Decision, Effect, Policies, Resource, Rule};
use remedy::{Certainty, Explanation};

use crate::finding::Verdict;
use crate::judge::request;

/// Whether the finding, or the verdict `decision` of `policies` on it, hangs on what only the account can tell: whether
/// it is one at all, or the tags of the resource, where a policy asks for them that could have changed the verdict.
///
/// A fact of a responder's that is only read live counts for nothing, as nobody tells which these are.
#[must_use]
pub fn depends_on_live_state<C>(
    event: &Event,
    explanation: &Explanation<C>,
    decision: &Decision,
    policies: &Policies,
    now: DateTime<Utc>,
) -> bool {
    explanation.certainty == Certainty::Live || hangs_on_tags(event, explanation, decision, policies, now)
}

/// Whether the verdict hangs on the resource's tags.
pub(crate) fn hangs_on_tags<C>(
    event: &Event,
    explanation: &Explanation<C>,
    decision: &Decision,
    policies: &Policies,
    now: DateTime<Utc>,
) -> bool {
    let resource = &explanation.plan.resource;
    let asking: Vec<&Rule> = policies.asking_for_tags(&request(event, explanation, resource, now)).collect();
    let asks = |cause: &Cause| asking.iter().any(|rule| rule.id == cause.id);
    let all_ask = |decision: &Decision| !decision.policies.is_empty() && decision.policies.iter().all(asks);
    if asking.is_empty() {
        return false;
    }
    // Cedar finds no tags in either case. But where they are not known, rather than known to be none, a decision tells
    // which policies could have restricted it.
    let unknown = Resource { tags: None, ..resource.clone() };
    let blind = policies.decide(&request(event, explanation, &unknown, now));
    match Verdict::from(&decision.verdict) {
        Verdict::Enforce => Verdict::from(&blind.verdict) != Verdict::Enforce,
        Verdict::Approve => {
            let forbids = |rule: &&Rule| rule.effect == Effect::Forbid;
            let could_forbid = |rule: &Rule| blind.errors.iter().any(|fault| fault.policy.as_ref() == Some(&rule.id));
            all_ask(decision) || asking.iter().copied().filter(forbids).any(could_forbid)
        }
        Verdict::Observe => asking.iter().any(|rule| rule.effect == Effect::Permit),
        Verdict::Exempt => all_ask(decision),
    }
}
