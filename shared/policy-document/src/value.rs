//! The values of a condition key, one by one.

use cloudtrail::AccountId;

use crate::access::Pin;
use crate::condition::{Condition, Test};
use crate::constraint::Origin;
use crate::doubt::Doubt;
use crate::key::{Key, Whose};
use crate::pattern::has_wildcard;

/// What one value of a condition stands for.
pub(crate) enum Value {
    /// One origin.
    Fixed(Origin),
    /// Callers from anywhere: a wildcard stands where the origin should be.
    Free,
    /// No caller: a wildcard stands where it is compared as text, and no id contains one.
    Never,
    /// It cannot be told.
    Unclear(Doubt),
}

pub(crate) fn read(key: &Key, test: Test, condition: &Condition, value: &str) -> Value {
    if condition.version.has_variable(value) {
        return variable(key, condition, value);
    }
    let is_wild = has_wildcard(value);
    if is_wild && matches!(test, Test::Equal { .. }) && *key != Key::EventSourceToken {
        return Value::Never;
    }
    let strange = || Value::Unclear(Doubt::Value { key: condition.key.clone(), value: value.to_owned() });
    match key {
        Key::Account(_) | Key::Organization(_) | Key::Place if is_wild => Value::Free,
        Key::Account(_) => match AccountId::parse(value) {
            Ok(account) => Value::Fixed(Origin::Account(account)),
            Err(_) => strange(),
        },
        Key::Organization(_) => organization(value).map_or_else(strange, Value::Fixed),
        Key::OrganizationPath(_) => {
            let id = value.split('/').next().unwrap_or_default();
            if has_wildcard(id) { Value::Free } else { organization(id).map_or_else(strange, Value::Fixed) }
        }
        Key::Arn(whose) => arn(*whose, test, value).unwrap_or_else(strange),
        Key::Place | Key::EventSourceToken => Value::Fixed(place(condition, value)),
        Key::UserId => user_id(condition, value, is_wild),
        Key::ServiceName if is_wild => Value::Fixed(Origin::AnyService),
        Key::ServiceName => Value::Fixed(Origin::Service(value.to_owned())),
        _ => strange(),
    }
}

/// An origin whose owner the value does not tell.
pub(crate) fn place(condition: &Condition, value: &str) -> Origin {
    Origin::Place(Pin { key: condition.key.clone(), value: value.to_owned() })
}

/// The variables that stand for the owner of the resource itself. Source: IAM User Guide, "AWS global condition context
/// keys", `aws:ResourceAccount` and `aws:ResourceOrgID`.
fn variable(key: &Key, condition: &Condition, value: &str) -> Value {
    let is = |name: &str| value.eq_ignore_ascii_case(name);
    match key {
        Key::Account(_) if is("${aws:ResourceAccount}") => Value::Fixed(Origin::Ours),
        Key::Organization(_) if is("${aws:ResourceOrgID}") => Value::Fixed(Origin::Ours),
        _ => Value::Unclear(Doubt::Variable { key: condition.key.clone() }),
    }
}

fn organization(id: &str) -> Option<Origin> {
    id.starts_with("o-").then(|| Origin::Organization(id.to_owned()))
}

/// `None` for what is no ARN.
fn arn(whose: Whose, test: Test, value: &str) -> Option<Value> {
    match value.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", before @ .., account, resource] if before.len() == 3 => {
            if let Ok(account) = AccountId::parse(account) {
                // As text, a wildcard before the account also takes in another account with this one in its resource.
                let is_shifting = test == Test::Like && before.iter().any(|part| has_wildcard(part));
                return (!is_shifting).then_some(Value::Fixed(Origin::Account(account)));
            }
            if has_wildcard(account) || (account.is_empty() && has_wildcard(resource)) {
                return Some(Value::Free);
            }
            // Amazon S3 buckets have no account in their ARN.
            (account.is_empty() && whose == Whose::Source)
                .then(|| Value::Fixed(Origin::Place(Pin { key: "aws:SourceArn".to_owned(), value: value.to_owned() })))
        }
        _ => has_wildcard(value).then_some(Value::Free),
    }
}

/// Source: IAM User Guide, "IAM JSON policy elements: Variables and tags", table of principal key values.
fn user_id(condition: &Condition, value: &str, is_wild: bool) -> Value {
    let id = value.split(':').next().unwrap_or_default();
    if has_wildcard(id) || id.is_empty() {
        return Value::Free;
    }
    match AccountId::parse(id) {
        Ok(account) => Value::Fixed(Origin::Account(account)),
        // Amazon S3 counts `AROLEID:*` as public; in truth it is the sessions of one role of an account not told.
        Err(_) if is_wild => Value::Unclear(Doubt::OwnerUntold(value.to_owned())),
        Err(_) => Value::Fixed(place(condition, value)),
    }
}
