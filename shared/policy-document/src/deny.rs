//! What Deny statements take back.

use crate::condition::{Condition, Test};
use crate::constraint::{Constraint, Origin, who_is_spared, who_passes};
use crate::doubt::Doubt;
use crate::key::{Key, Whose};
use crate::pattern::{Pattern, has_wildcard};
use crate::principal::{Principal, Principals};
use crate::statement::Body;
use crate::stranger::Requirement;
use crate::version::Version;

/// A Deny statement, as it bears on one Allow statement.
#[derive(Debug)]
pub(crate) struct Denial<'a> {
    pub(crate) statement: usize,
    body: &'a Body,
    /// Whom each of its conditions spares.
    spared: Vec<Constraint>,
    /// Whether it denies everything that the Allow statement allows, to those to whom it applies.
    pub(crate) covers: bool,
}

impl<'a> Denial<'a> {
    /// `None` if the two have surely no request in common.
    pub(crate) fn of(allow: &Body, deny: &'a Body, statement: usize) -> Option<Self> {
        let covers = deny.actions.covers(&allow.actions) && deny.resources.covers(&allow.resources);
        let meets = deny.actions.may_meet(&allow.actions) && deny.resources.may_meet(&allow.resources);
        let spared = || deny.conditions.iter().map(who_is_spared).collect();
        meets.then(|| Self { statement, body: deny, spared: spared(), covers })
    }

    /// Who, of those that `principal` names, is left.
    pub(crate) fn leaves(&self, principal: &Principal) -> Constraint {
        let mut origins = match &self.body.principals {
            Principals::Absent => return Constraint::Unclear(Doubt::Denied { statement: self.statement }),
            Principals::Only(named) if named.iter().any(|name| name.includes(principal)) => Vec::new(),
            Principals::Only(_) => return Constraint::Open,
            Principals::Except(spared) if *principal == Principal::Everyone => {
                match spared.iter().map(origin).collect::<Option<Vec<_>>>() {
                    Some(origins) => origins,
                    None => return Constraint::Unclear(Doubt::Denied { statement: self.statement }),
                }
            }
            Principals::Except(spared) => {
                let is_spared = |name: &Principal| name.includes(principal) || principal.includes(name);
                if spared.iter().any(is_spared) {
                    return Constraint::Open;
                }
                Vec::new()
            }
        };
        let mut source_only = !self.body.conditions.is_empty() && origins.is_empty();
        let mut doubt = None;
        for (condition, spared) in self.body.conditions.iter().zip(&self.spared) {
            match self.spared(condition, spared, principal) {
                // Whoever brings what a guard asks for is spared, if the guard is all that the statement asks.
                Constraint::Guard(guard) if self.body.conditions.len() == 1 && origins.is_empty() => {
                    return Constraint::Guard(guard);
                }
                Constraint::Open | Constraint::Guard(_) => return Constraint::Open,
                Constraint::Only { origins: more, whose } => {
                    source_only &= whose == Whose::Source;
                    origins.extend(more);
                }
                Constraint::Unclear(reason) => doubt = doubt.or(Some(reason)),
            }
        }
        let whose = if source_only { Whose::Source } else { Whose::Caller };
        doubt.map_or(Constraint::Only { origins, whose }, Constraint::Unclear)
    }

    /// What a caller from anywhere may do to be spared, any one of it; empty if he is spared in any case.
    pub(crate) fn ways_out(&self) -> Vec<Requirement<'a>> {
        let names_everyone = match &self.body.principals {
            Principals::Only(named) => named.contains(&Principal::Everyone),
            Principals::Except(_) => true,
            Principals::Absent => false,
        };
        let conditions = self.body.conditions.iter().zip(&self.spared).filter(|_| names_everyone);
        let ways = conditions.filter(|(_, spared)| matches!(spared, Constraint::Open | Constraint::Guard(_)));
        ways.map(|(condition, _)| Requirement { condition, holds: false }).collect()
    }

    /// Whom a condition spares of those that `principal` names, where `spared` is whom it spares of all.
    fn spared(&self, condition: &Condition, spared: &Constraint, principal: &Principal) -> Constraint {
        let (Constraint::Open, Some(account)) = (spared, principal.account()) else { return spared.clone() };
        // Callers from elsewhere are spared; whether this one is, depends on whether the condition names it.
        if condition.is_negated || matches!(condition.test, Some(Test::Null | Test::Bool)) {
            return Constraint::Open;
        }
        match (Key::of(&condition.key), who_passes(condition, &self.body.conditions)) {
            (Key::Account(Whose::Caller), Constraint::Only { origins, .. })
                if origins.contains(&Origin::Account(account.clone())) =>
            {
                Constraint::Only { origins: Vec::new(), whose: Whose::Caller }
            }
            (Key::Arn(Whose::Caller), Constraint::Only { origins, .. })
                if origins.contains(&Origin::Account(account.clone())) =>
            {
                Constraint::Unclear(Doubt::Denied { statement: self.statement })
            }
            (Key::Organization(Whose::Caller) | Key::OrganizationPath(Whose::Caller), _) => {
                Constraint::Unclear(Doubt::Denied { statement: self.statement })
            }
            _ => Constraint::Open,
        }
    }
}

/// Where a principal calls from. A user or role stands for its whole account, which errs towards sparing too many.
fn origin(principal: &Principal) -> Option<Origin> {
    match principal {
        Principal::Service(name) => Some(Origin::Service(name.clone())),
        _ => principal.account().cloned().map(Origin::Account),
    }
}

/// Actions that strangers use, of the services whose policies are analysed: enough to show that something is left.
const USED: &[&str] = &[
    "kms:decrypt",
    "kms:encrypt",
    "kms:generatedatakey",
    "kms:putkeypolicy",
    "kms:schedulekeydeletion",
    "lambda:getlayerversion",
    "lambda:invokefunction",
    "lambda:invokefunctionurl",
    "lambda:updatefunctioncode",
    "s3:deleteobject",
    "s3:getobject",
    "s3:listbucket",
    "s3:putbucketpolicy",
    "s3:putobject",
    "secretsmanager:getsecretvalue",
    "sns:publish",
    "sns:subscribe",
    "sqs:receivemessage",
    "sqs:sendmessage",
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
];

/// What a `*` in a resource may stand for that no Deny statement is likely to name.
const FILLERS: [&str; 3] = ["", "q7-zz", "q7/zz.q9"];

/// How many actions and resources are tried; a longer search would be one that a hostile document asks for.
const MOST_TRIED: usize = 64;

/// Whether `allow` surely allows something that none of `denials`, which all deny a part of it, denies.
pub(crate) fn leaves_a_part(allow: &Body, denials: &[&Denial]) -> bool {
    let bodies = || denials.iter().map(|denial| denial.body).chain([allow]);
    let is_about = |action: &str| {
        let service = action.split(':').next().unwrap_or_default();
        let named =
            bodies().flat_map(|body| body.actions.patterns.iter().filter_map(|it| it.as_str().split(':').next()));
        let owned =
            bodies().flat_map(|body| body.resources.patterns.iter().filter_map(|it| it.as_str().split(':').nth(2)));
        named.chain(owned).any(|known| known == service)
    };
    let used = USED.iter().filter(|action| is_about(action)).map(|action| plain(action));
    let used = used.filter(|action| allow.actions.selects(action));
    let written = if allow.actions.is_negated { &[][..] } else { allow.actions.patterns.as_slice() };
    let actions: Vec<Pattern> = used.chain(written.iter().cloned()).take(MOST_TRIED).collect();
    let named = denials.iter().flat_map(|denial| &denial.body.resources.patterns);
    let parts = allow.resources.patterns.iter().chain(named).flat_map(within);
    let whole = if allow.resources.is_negated { &[][..] } else { allow.resources.patterns.as_slice() };
    let resources = whole.iter().cloned().chain(parts).filter(|resource| allow.resources.selects(resource));
    let resources: Vec<Pattern> = resources.take(MOST_TRIED).collect();
    actions.iter().any(|action| {
        resources.iter().filter(|resource| goes_with(action, resource)).any(|resource| {
            denials
                .iter()
                .all(|denial| !denial.body.actions.may_select(action) || !denial.body.resources.may_select(resource))
        })
    })
}

/// Resources that a pattern matches or that are beside them, of one bucket or function: a policy is about its own only,
/// and what a pattern leaves elsewhere is nothing.
fn within(pattern: &Pattern) -> Vec<Pattern> {
    let text = pattern.as_str();
    if !has_wildcard(text) && text.contains(':') {
        return vec![plain(text)];
    }
    let Some((root, _)) = text.split_once('/').filter(|(root, _)| root.contains(':') && !has_wildcard(root)) else {
        return Vec::new();
    };
    let filled = FILLERS.map(|filler| text.replace('*', filler).replace('?', "7"));
    filled.into_iter().chain([root.to_owned(), format!("{root}/q7-zz.q9")]).map(|text| plain(&text)).collect()
}

/// Whether an action is one on such a resource, as far as is known. Amazon S3's are on a bucket or on its objects.
fn goes_with(action: &Pattern, resource: &Pattern) -> bool {
    let (action, resource) = (action.as_str(), resource.as_str());
    let Some(action) = action.strip_prefix("s3:").filter(|_| resource.starts_with("arn:") && !has_wildcard(resource))
    else {
        return true;
    };
    if resource.contains('/') {
        action.contains("object") && !action.contains("bucket")
    } else {
        action.contains("bucket")
    }
}

fn plain(text: &str) -> Pattern {
    Pattern::new(text, Version::WithoutVariables)
}
