//! What a condition says about who is calling.

use cloudtrail::AccountId;

use crate::access::Pin;
use crate::condition::{Condition, Quantifier, Test};
use crate::doubt::Doubt;
use crate::guard::{Guard, GuardKind};
use crate::key::{Key, Whose, is_always_present};
use crate::network;
use crate::value::{self, Value};

/// What is known of the callers for whom a condition holds, or for whom it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constraint {
    /// Callers from anywhere are among them.
    Open,
    /// Only these are. Nobody is if there are none.
    Only { origins: Vec<Origin>, whose: Whose },
    /// Callers from anywhere who bring this are.
    Guard(Guard),
    /// It cannot be told.
    Unclear(Doubt),
}

impl Constraint {
    pub(crate) fn guard(&self) -> Option<&Guard> {
        if let Self::Guard(guard) = self { Some(guard) } else { None }
    }

    pub(crate) fn doubt(&self) -> Option<&Doubt> {
        if let Self::Unclear(doubt) = self { Some(doubt) } else { None }
    }
}

/// Where a call comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An account, or something in it.
    Account(AccountId),
    /// The account or organization of the resource itself, by a policy variable.
    Ours,
    /// Members of an organization.
    Organization(String),
    /// An AWS service.
    Service(String),
    /// Any AWS service.
    AnyService,
    /// Something whose owner is not told.
    Place(Pin),
}

/// Who is among the callers for whom `condition` holds. `siblings` are all conditions of the statement.
pub(crate) fn who_passes(condition: &Condition, siblings: &[Condition]) -> Constraint {
    let key = Key::of(&condition.key);
    let Some(test) = condition.test else { return Constraint::Unclear(Doubt::Operator(condition.operator.clone())) };
    if test == Test::Null {
        return match condition.truth() {
            Some(true) if key == Key::Unknown || is_always_present(&condition.key) => unclear_key(condition),
            Some(true) => Constraint::Open,
            Some(false) if key.is_anybodys() => Constraint::Open,
            Some(false) => unclear_key(condition),
            None => unclear_value(condition),
        };
    }
    if condition.is_negated {
        return match key {
            Key::Unknown => unclear_key(condition),
            Key::Choice | Key::Circumstance if !leaves_nothing(condition) => Constraint::Open,
            _ if condition.quantifier == Quantifier::Any && !key.is_anybodys() => may_be_missing(condition),
            _ => all_but_those_who_match(&key, test, condition),
        };
    }
    let is_asked_for = || {
        siblings.iter().any(|other| {
            other.test == Some(Test::Null)
                && other.truth() == Some(false)
                && other.key.eq_ignore_ascii_case(&condition.key)
        })
    };
    if condition.holds_without_key() && !is_asked_for() {
        return match key {
            Key::Choice | Key::Circumstance => Constraint::Open,
            _ if key.is_missing_for_some() => Constraint::Open,
            _ if who_matches(&key, test, condition) == Constraint::Open => Constraint::Open,
            _ => may_be_missing(condition),
        };
    }
    who_matches(&key, test, condition)
}

/// Who is among the callers for whom `condition` does not hold, so that a Deny with it spares them.
pub(crate) fn who_is_spared(condition: &Condition) -> Constraint {
    let key = Key::of(&condition.key);
    let Some(test) = condition.test else { return Constraint::Unclear(Doubt::Operator(condition.operator.clone())) };
    if matches!(key, Key::Circumstance | Key::Unknown) {
        return unclear_key(condition);
    }
    if test == Test::Null {
        return match condition.truth() {
            Some(true) if key.is_anybodys() => Constraint::Open,
            Some(false) if key.is_missing_for_some() => Constraint::Open,
            Some(_) => unclear_key(condition),
            None => unclear_value(condition),
        };
    }
    if condition.is_negated {
        return if condition.quantifier == Quantifier::Any {
            may_be_missing(condition)
        } else {
            who_matches(&key, test, condition)
        };
    }
    if test == Test::Bool {
        return match (key, condition.truth()) {
            (_, None) => unclear_value(condition),
            (Key::Mfa, Some(false)) if condition.holds_without_key() => Constraint::Guard(Guard::mfa()),
            (Key::IsService, Some(false)) => only(vec![Origin::AnyService], Whose::Caller),
            (Key::Choice | Key::Mfa | Key::IsService, _) => Constraint::Open,
            _ => unclear_key(condition),
        };
    }
    if condition.holds_without_key() && !key.is_anybodys() {
        return may_be_missing(condition);
    }
    all_but_those_who_match(&key, test, condition)
}

/// Callers from anywhere are left when fixed ones are taken away; when those with a wildcard are, it depends on which.
fn all_but_those_who_match(key: &Key, test: Test, condition: &Condition) -> Constraint {
    if leaves_nothing(condition) || matches!(test, Test::Number | Test::Date | Test::Binary) {
        return unclear_value(condition);
    }
    match (key, who_matches(key, test, condition)) {
        (Key::Choice, _) | (_, Constraint::Only { .. } | Constraint::Guard(_)) => Constraint::Open,
        (_, Constraint::Open) => unclear_value(condition),
        (_, unclear @ Constraint::Unclear(_)) => unclear,
    }
}

/// Who has a key whose value is one of the condition's.
fn who_matches(key: &Key, test: Test, condition: &Condition) -> Constraint {
    let text = matches!(test, Test::Equal { .. } | Test::Like);
    match (key, test) {
        (Key::Choice | Key::Circumstance, _) => Constraint::Open,
        (Key::Unknown, _) => unclear_key(condition),
        (Key::Mfa, Test::Bool) => match condition.truth() {
            Some(true) => Constraint::Guard(Guard::mfa()),
            Some(false) => Constraint::Open,
            None => unclear_value(condition),
        },
        (Key::MfaAge, Test::Number) => Constraint::Guard(Guard::mfa()),
        (Key::ExternalId, _) if text => asked(GuardKind::ExternalId, test, condition),
        (Key::Claim { provider, claim }, _) if text => {
            asked(GuardKind::Claim { provider: provider.clone(), claim: claim.clone() }, test, condition)
        }
        (Key::Claim { .. }, _) => Constraint::Unclear(Doubt::Claim(condition.key.clone())),
        (Key::IsService, Test::Bool) => match condition.truth() {
            Some(true) => only(vec![Origin::AnyService], Whose::Caller),
            Some(false) => Constraint::Open,
            None => unclear_value(condition),
        },
        (Key::SourceIp, Test::Address) => match network::is_fixed(&condition.values) {
            Ok(true) => {
                only(condition.values.iter().map(|value| value::place(condition, value)).collect(), Whose::Caller)
            }
            Ok(false) => Constraint::Open,
            Err(value) => Constraint::Unclear(Doubt::Value { key: condition.key.clone(), value }),
        },
        (Key::SourceIp, Test::Like) if leaves_nothing(condition) => Constraint::Open,
        (Key::Account(whose) | Key::Arn(whose) | Key::Organization(whose) | Key::OrganizationPath(whose), _)
            if text || test == Test::Arn =>
        {
            of_values(key, test, condition, *whose)
        }
        (Key::Place | Key::UserId | Key::ServiceName, _) if text || test == Test::Arn => {
            of_values(key, test, condition, Whose::Caller)
        }
        (Key::EventSourceToken, Test::Equal { .. }) => of_values(key, test, condition, Whose::Source),
        _ => unclear_value(condition),
    }
}

/// Any one of the values suffices: one that is free makes all free.
fn of_values(key: &Key, test: Test, condition: &Condition, whose: Whose) -> Constraint {
    let mut origins = Vec::new();
    let mut doubt = None;
    for value in &condition.values {
        match value::read(key, test, condition, value) {
            Value::Free => return Constraint::Open,
            Value::Fixed(origin) => origins.push(origin),
            Value::Never => {}
            Value::Unclear(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    doubt.map_or(Constraint::Only { origins, whose }, Constraint::Unclear)
}

fn asked(kind: GuardKind, test: Test, condition: &Condition) -> Constraint {
    if condition.values.iter().any(|value| condition.version.has_variable(value)) {
        return Constraint::Unclear(Doubt::Variable { key: condition.key.clone() });
    }
    let (has_wildcards, values) = (test == Test::Like, condition.values.iter().cloned().collect());
    if leaves_nothing(condition) {
        return Constraint::Open;
    }
    Constraint::Guard(Guard { kind, values, has_wildcards })
}

/// Whether a value matches whatever the key may be.
fn leaves_nothing(condition: &Condition) -> bool {
    match condition.test {
        Some(Test::Like | Test::Arn) => {
            condition.values.iter().any(|value| value.contains('*') && value.bytes().all(|b| matches!(b, b'*' | b'?')))
        }
        Some(Test::Address) => network::is_fixed(&condition.values) != Ok(true),
        _ => false,
    }
}

fn only(origins: Vec<Origin>, whose: Whose) -> Constraint {
    Constraint::Only { origins, whose }
}

fn unclear_key(condition: &Condition) -> Constraint {
    Constraint::Unclear(Doubt::Key(condition.key.clone()))
}

fn unclear_value(condition: &Condition) -> Constraint {
    Constraint::Unclear(Doubt::Value { key: condition.key.clone(), value: condition.values.join(", ") })
}

fn may_be_missing(condition: &Condition) -> Constraint {
    Constraint::Unclear(Doubt::MayBeMissing { key: condition.key.clone() })
}
