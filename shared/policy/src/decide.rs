//! From a request to a verdict.
//!
//! The never-touch list comes before any policy. Two rules stand above Cedar's own. What cannot be evaluated never becomes consent: if a `forbid`, or a permit that
//! asks for approval, meets an error, `enforce` becomes `approve`. And tags that are not known are an error for every
//! policy that asks for them, where Cedar would take them for absent.

use std::collections::BTreeSet;
use std::error::Error;

use hostile_text::visible;

use crate::entities::World;
use crate::policies::Policies;
use crate::question::{Question, Unaskable};
use crate::{Cause, Decision, Effect, Fault, Mode, PolicyId, Request, Rule, Verdict, Warrant};

impl Policies {
    /// What the policies say to this request.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        if let Some(cause) = self.never_touch.cause(request) {
            return Decision { policies: vec![cause], ..Decision::new(Verdict::Exempt, &[], Vec::new(), Vec::new()) };
        }
        let world = match World::of(request, &self.organization) {
            Ok(world) => world,
            Err(error) => return Decision::unasked(one_line(&Unaskable::from(error))),
        };
        let concerned: Vec<&Rule> = self.concerned(&world).collect();
        let (determining, mut errors) = if concerned.iter().any(|rule| rule.is_conditional) {
            match self.ask(request, world) {
                Ok(answer) => answer,
                Err(error) => return Decision::unasked(one_line(&error)),
            }
        } else {
            // Each of them holds, and none can fail: to put the question would be most of the work.
            (outweighing(&concerned), Vec::new())
        };
        match determining.first() {
            None => return Decision::new(Verdict::Observe, &[], errors, Vec::new()),
            Some(rule) if rule.effect == Effect::Forbid => {
                return Decision::new(Verdict::Exempt, &determining, errors, Vec::new());
            }
            Some(_) => {}
        }

        if request.resource.tags.is_none() {
            errors.extend(blind_to_tags(&concerned, &determining).map(|rule| Fault {
                policy: Some(rule.id.clone()),
                message: "it asks for tags, and the tags of the resource are not known".to_owned(),
            }));
        }
        let faulty = |rule: &Rule| errors.iter().any(|fault| fault.policy.as_ref() == Some(&rule.id));
        let asking: Vec<&Rule> = determining.iter().copied().filter(|rule| rule.mode == Mode::Approve).collect();
        if !asking.is_empty() {
            return Decision::new(Verdict::Approve, &asking, errors, Vec::new());
        }
        let nothing_sure = determining.iter().all(|rule| faulty(rule));
        let doubts: Vec<PolicyId> = self
            .rules
            .iter()
            .filter(|rule| faulty(rule))
            .filter(|rule| rule.restricts() || (nothing_sure && determining.contains(rule)))
            .map(|rule| rule.id.clone())
            .collect();
        let verdict = if doubts.is_empty() { Verdict::Enforce(Warrant::by_policy()) } else { Verdict::Approve };
        Decision::new(verdict, &determining, errors, doubts)
    }

    /// Puts the question to Cedar: the policies that determine the answer, and those that could not be evaluated.
    fn ask(&self, request: &Request<'_>, world: World) -> Result<(Vec<&Rule>, Vec<Fault>), Unaskable> {
        let question = Question::of(request, world, None)?;
        let response = self.authorizer.is_authorized(&question.request, &self.set, &question.entities);
        let reasons: BTreeSet<&str> = response.diagnostics().reason().map(AsRef::as_ref).collect();
        let determining = self.rules.iter().filter(|rule| reasons.contains(rule.id.as_str())).collect();
        let errors = response.diagnostics().errors();
        let errors = errors.map(|cedar_policy::AuthorizationError::PolicyEvaluationError(error)| Fault {
            policy: Some(PolicyId::new(AsRef::<str>::as_ref(error.policy_id()))),
            message: one_line(error.inner()),
        });
        Ok((determining, errors.collect()))
    }

    /// The policies that speak of this principal, action and resource and ask for tags, whatever they make of them.
    pub fn asking_for_tags<'a>(&'a self, request: &Request<'_>) -> impl Iterator<Item = &'a Rule> {
        // Most deployments have no such policy.
        let any = self.rules.iter().any(|rule| rule.asks_for_tags);
        let concerned: Vec<&Rule> = match any.then(|| World::of(request, &self.organization)) {
            Some(Ok(world)) => self.concerned(&world).collect(),
            Some(Err(_)) => self.rules.iter().collect(),
            None => Vec::new(),
        };
        concerned.into_iter().filter(|rule| rule.asks_for_tags)
    }

    /// The policies that speak of this principal, action and resource.
    fn concerned<'a>(&'a self, world: &World) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| rule.scope.holds(world))
    }
}

/// Of policies that hold, those that determine Cedar's answer: all that forbid, if any does, and else all that permit.
fn outweighing<'a>(holding: &[&'a Rule]) -> Vec<&'a Rule> {
    let of = |effect| holding.iter().copied().filter(move |rule| rule.effect == effect);
    let forbidding: Vec<&Rule> = of(Effect::Forbid).collect();
    if forbidding.is_empty() { of(Effect::Permit).collect() } else { forbidding }
}

/// The policies that might say otherwise if they knew the resource's tags, which they do not: permits that hold, and
/// whatever else is concerned and can only restrict.
fn blind_to_tags<'a>(concerned: &[&'a Rule], holding: &[&Rule]) -> impl Iterator<Item = &'a Rule> {
    let asking = concerned.iter().copied().filter(|rule| rule.asks_for_tags);
    asking.filter(|rule| holding.contains(rule) || rule.restricts())
}

impl Rule {
    /// Whether it can only make a verdict stricter than `enforce`.
    fn restricts(&self) -> bool {
        self.effect == Effect::Forbid || self.mode == Mode::Approve
    }
}

impl Decision {
    /// The verdict these policies made.
    fn new(verdict: Verdict, rules: &[&Rule], mut errors: Vec<Fault>, mut doubts: Vec<PolicyId>) -> Self {
        let mut rules = rules.to_vec();
        rules.sort_by_key(|rule| &rule.id);
        errors.sort();
        errors.dedup_by(|later, earlier| later.policy == earlier.policy);
        doubts.sort();
        Self {
            verdict,
            policies: rules.iter().map(|rule| Cause { id: rule.id.clone(), reason: rule.reason.clone() }).collect(),
            errors,
            lease: rules.iter().filter_map(|rule| rule.lease).min(),
            limits: rules.iter().filter_map(|rule| rule.limit.clone()).collect(),
            doubts,
        }
    }

    /// Where the policies could not even be asked, nothing is permitted.
    fn unasked(message: String) -> Self {
        Self::new(Verdict::Observe, &[], vec![Fault { policy: None, message }], Vec::new())
    }
}

/// The longest message of a fault, which may quote text from the event.
const LONGEST: usize = 300;

/// An error and its sources, in one line without anything a terminal would obey.
fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    let line = visible(&cut).into_owned();
    if text.chars().nth(LONGEST).is_some() { line + "…" } else { line }
}
