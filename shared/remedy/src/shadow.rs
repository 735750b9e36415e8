//! What other policies would have said: judged beside those in force, recorded, and of no effect.

use chrono::{DateTime, Utc};
use cloudtrail::Event;
use policy::{Cause, Request};
use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::path::{Case, Clock, Notifier, Path};
use crate::responder::{Finding, Plan, Responder};

/// What the shadow policies say of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shadow {
    /// `enforce`, `approve`, `observe` or `exempt`. Their budgets are neither asked nor charged.
    pub verdict: String,
    /// The policies that made the verdict.
    pub policies: Vec<Cause>,
    /// Why, in one sentence.
    pub because: String,
    /// What the policies in force said to the same question. The incident's own verdict is `approve` where a budget was
    /// spent or the resource is being fought over.
    pub in_force: String,
}

impl Shadow {
    /// Whether the policies in force said otherwise.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.verdict != self.in_force
    }
}

/// What the policies in force said, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided {
    pub(crate) at: DateTime<Utc>,
    pub(crate) verdict: &'static str,
}

/// The question that both are asked.
pub(crate) fn question<'a, R: Responder>(
    now: DateTime<Utc>,
    event: &'a Event,
    finding: &Finding<R::Subject>,
    plan: &'a Plan<R::Change>,
) -> Request<'a> {
    let Plan { resource, facts, .. } = plan;
    Request { responder: R::SPEC.name, now, event, resource, severity: finding.severity, facts }
}

impl<L: Ledger, N: Notifier, C: Clock> Path<'_, L, N, C> {
    /// Has the shadow policies judge, too. Done when nothing is left to do but to store the record, so that no change waits
    /// for it.
    pub(crate) fn judge_in_shadow<R: Responder>(&self, case: &mut Case<'_, R>) {
        let Some(policies) = self.shadow else { return };
        let Decided { at, verdict } = case.decided;
        let decision = policies.decide(&question::<R>(at, case.event, &case.finding, &case.plan));
        case.incident.shadow = Some(Shadow {
            verdict: decision.verdict.name().to_owned(),
            because: decision.because(),
            policies: decision.policies,
            in_force: verdict.to_owned(),
        });
    }
}
