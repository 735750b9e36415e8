//! What identity policies surely allow on whole kinds of resources.

use std::collections::BTreeSet;

use cloudtrail::Arn;

use crate::admin::{StatementRef, witnesses};
use crate::document::Document;
use crate::doubt::Doubt;
use crate::escalation::{EscalationPath, Kind, On, Step};
use crate::limit::{Limit, limit};
use crate::pattern::Pattern;
use crate::selector::Selector;
use crate::statement::{Body, Effect};
use crate::trust::Trust;
use crate::version::Version;

/// Whether something is allowed.
pub(crate) enum Held {
    /// Surely, by these statements.
    Yes(BTreeSet<StatementRef>),
    /// Under a condition that limits it.
    Perhaps(Doubt),
    /// Not.
    No,
}

/// The readable statements of one identity's policies.
pub(crate) struct Permissions<'a> {
    allows: Vec<(StatementRef, &'a Body)>,
    /// Deny statements without a condition.
    denies: Vec<&'a Body>,
    holder: Option<Pattern>,
    trust: &'a Trust,
}

impl<'a> Permissions<'a> {
    pub(crate) fn of(documents: &[&'a Document], holder: Option<&Arn>, trust: &'a Trust) -> Self {
        let (mut allows, mut denies) = (Vec::new(), Vec::new());
        for (document, policy) in documents.iter().enumerate() {
            for (statement, body) in policy.statements().iter().enumerate() {
                match &body.body {
                    Ok(body) if body.effect == Effect::Allow => {
                        allows.push((StatementRef { document, statement }, body));
                    }
                    Ok(body) if body.conditions.is_empty() => denies.push(body),
                    _ => {}
                }
            }
        }
        let holder = holder.map(|arn| Pattern::new(arn.as_str(), Version::WithoutVariables));
        Self { allows, denies, holder, trust }
    }

    /// Whether every step of a path is allowed.
    pub(crate) fn path(&self, path: &EscalationPath) -> Held {
        let (mut by, mut doubt) = (BTreeSet::new(), None);
        for step in path.steps {
            match self.step(step, path.passes_to) {
                Held::No => return Held::No,
                Held::Perhaps(reason) => doubt = doubt.or(Some(reason)),
                Held::Yes(statements) => by.extend(statements),
            }
        }
        doubt.map_or(Held::Yes(by), Held::Perhaps)
    }

    /// Whether all actions of IAM are allowed on all its resources.
    pub(crate) fn all_of_iam(&self) -> Held {
        let all = Pattern::of_action("iam:*", Version::WithoutVariables);
        let resources: Vec<Pattern> = [Kind::User, Kind::Role, Kind::Group, Kind::Policy]
            .into_iter()
            .flat_map(|kind| witnesses(kind, self.trust))
            .collect();
        let takes_some = |deny: &&Body| {
            deny.actions.may_meet(&Selector { patterns: vec![all.clone()], is_negated: false })
                && resources.iter().any(|resource| deny.resources.selects(resource))
        };
        if self.denies.iter().any(takes_some) {
            return Held::No;
        }
        self.best(|body| {
            let is_all = resources.iter().all(|resource| body.resources.selects(resource));
            (is_all && body.actions.selects(&all)).then(|| limit(&body.conditions, None))
        })
    }

    fn step(&self, step: &Step, passes_to: Option<&str>) -> Held {
        let action = Pattern::of_action(step.action, Version::WithoutVariables);
        if !self.allows.iter().any(|(_, body)| body.actions.selects(&action)) {
            return Held::No;
        }
        let passes_to = passes_to.filter(|_| step.action == "iam:PassRole");
        let allowed = |resources: &[Pattern]| {
            // A Deny statement for particular resources leaves the others.
            let is_denied = self.denies.iter().any(|deny| {
                deny.actions.selects(&action) && resources.iter().all(|resource| deny.resources.selects(resource))
            });
            if is_denied {
                return Held::No;
            }
            self.best(|body| {
                let is_all = resources.iter().all(|resource| body.resources.selects(resource));
                (is_all && body.actions.selects(&action)).then(|| limit(&body.conditions, passes_to))
            })
        };
        match step.on {
            On::Every(kind) => allowed(&witnesses(kind, self.trust)),
            On::EveryOrSelf(kind) => match (allowed(&witnesses(kind, self.trust)), self.on_self(kind, &action)) {
                (yes @ Held::Yes(_), _) | (_, yes @ Held::Yes(_)) => yes,
                (perhaps @ Held::Perhaps(_), _) | (Held::No, perhaps) => perhaps,
            },
            On::All(resource) => {
                let resource = resource.replace("{}", self.trust.account.as_str());
                let arn = format!("arn:{}:{resource}", self.trust.partition);
                allowed(&[Pattern::new(&arn, Version::WithoutVariables)])
            }
            On::Any => self.best(|body| {
                let is_denied = self
                    .denies
                    .iter()
                    .any(|deny| deny.actions.selects(&action) && deny.resources.covers(&body.resources));
                (body.actions.selects(&action) && !is_denied).then(|| limit(&body.conditions, None))
            }),
        }
    }

    /// Whether an action is allowed on whoever has the policies.
    fn on_self(&self, kind: Kind, action: &Pattern) -> Held {
        let own_name = format!(":{}/${{aws:username}}", kind.prefix());
        self.best(|body| {
            let names_itself = kind == Kind::User
                && !body.resources.is_negated
                && body.resources.patterns.iter().any(|pattern| pattern.is_variable_ending(&own_name));
            let names_holder = self
                .holder
                .as_ref()
                .filter(|holder| holder.as_str().contains(&format!(":{}/", kind.prefix())))
                .is_some_and(|holder| body.resources.selects(holder));
            let is_denied = self.denies.iter().any(|deny| {
                deny.actions.selects(action)
                    && (deny.resources.covers(&body.resources)
                        || self.holder.as_ref().is_some_and(|holder| deny.resources.selects(holder)))
            });
            let is_allowed = (names_itself || names_holder) && body.actions.selects(action) && !is_denied;
            is_allowed.then(|| limit(&body.conditions, None))
        })
    }

    /// The surest of the Allow statements for which `allows` is not `None`.
    fn best(&self, allows: impl Fn(&Body) -> Option<Limit>) -> Held {
        let (mut by, mut doubt) = (BTreeSet::new(), None);
        for (place, body) in &self.allows {
            match allows(body) {
                Some(Limit::None) => {
                    by.insert(*place);
                }
                Some(Limit::Doubt(reason)) => doubt = doubt.or(Some(reason)),
                Some(Limit::Excluded) | None => {}
            }
        }
        match (by.is_empty(), doubt) {
            (false, _) => Held::Yes(by),
            (true, Some(doubt)) => Held::Perhaps(doubt),
            (true, None) => Held::No,
        }
    }
}
