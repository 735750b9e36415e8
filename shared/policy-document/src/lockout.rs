//! Whether a key policy still lets somebody of ours change it.

use cloudtrail::{AccountId, Arn};

use crate::condition::{Condition, Quantifier, Test};
use crate::document::Document;
use crate::doubt::Doubt;
use crate::pattern::{Pattern, Wildcards, glob};
use crate::principal::{Principal, Principals};
use crate::statement::{Body, Effect};
use crate::trust::Trust;
use crate::version::Version;

/// Whether somebody can still call `kms:PutKeyPolicy`, as far as the key policy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lockout {
    /// He can: the policy allows it to him himself.
    No,
    /// He can if an IAM policy allows it too: the key policy leaves it to his account.
    LeftToIam,
    /// He cannot: nothing allows it, or something denies it.
    Yes,
    /// It cannot be told.
    Unknown(Doubt),
}

/// Whether a key policy keeps `principal`, a user, a role or the root of an account, from changing it.
///
/// Unlike with other services, an account's IAM policies count for a key only if the key policy says so. Source: AWS KMS
/// Developer Guide, "Key policies in AWS KMS" and "Default key policy".
#[must_use]
pub fn locks_out(document: &Document, principal: &Arn, trust: &Trust) -> Lockout {
    let caller = Caller { arn: principal.as_str(), account: principal.account(), trust };
    let action = Pattern::of_action("kms:PutKeyPolicy", Version::WithoutVariables);
    let mut answer = Lockout::Yes;
    let mut denied = None;
    for (index, statement) in document.statements().iter().enumerate() {
        let body = match &statement.body {
            Ok(body) => body,
            Err(doubt) if statement.effect() == Some(Effect::Allow) => {
                answer = better(answer, Lockout::Unknown(doubt.clone()));
                continue;
            }
            Err(doubt) => {
                denied = denied.or(Some(doubt.clone()));
                continue;
            }
        };
        // Without `Resource` a key policy's statement has no effect. Source: AWS KMS Developer Guide, "Creating a key
        // policy".
        if !body.names_resources || !body.actions.may_select(&action) {
            continue;
        }
        let is_this_key = body.resources.selects(&Pattern::new("*", Version::WithoutVariables));
        match (body.effect, caller.is_meant(body)) {
            (Effect::Allow, Meant::Himself | Meant::Account) if !is_this_key => {
                answer = better(answer, Lockout::Unknown(Doubt::Incomplete("its `Resource` is not `*`")));
            }
            (Effect::Deny, Meant::Himself | Meant::Account) if !is_this_key => {
                denied = denied.or(Some(Doubt::Denied { statement: index }));
            }
            (_, Meant::No) => {}
            (Effect::Deny, Meant::Himself | Meant::Account) => match caller.holds_all(body) {
                Ok(true) => return Lockout::Yes,
                Ok(false) => {}
                Err(_) => denied = denied.or(Some(Doubt::Denied { statement: index })),
            },
            (Effect::Allow, meant) => match caller.holds_all(body) {
                Ok(true) if meant == Meant::Himself => answer = better(answer, Lockout::No),
                Ok(true) => answer = better(answer, Lockout::LeftToIam),
                Ok(false) => {}
                Err(doubt) => answer = better(answer, Lockout::Unknown(doubt)),
            },
        }
    }
    match (answer, denied) {
        (Lockout::No | Lockout::LeftToIam, Some(doubt)) => Lockout::Unknown(doubt),
        (answer, _) => answer,
    }
}

fn better(one: Lockout, other: Lockout) -> Lockout {
    let rank = |lockout: &Lockout| match lockout {
        Lockout::Yes => 0,
        Lockout::Unknown(_) => 1,
        Lockout::LeftToIam => 2,
        Lockout::No => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// How a statement names somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    No,
    /// Through his account.
    Account,
    Himself,
}

struct Caller<'a> {
    arn: &'a str,
    account: Option<AccountId>,
    trust: &'a Trust,
}

impl Caller<'_> {
    fn is_meant(&self, body: &Body) -> Meant {
        let meant = |name: &Principal| match name {
            Principal::Everyone => Meant::Himself,
            Principal::Account { account, .. } if Some(account) == self.account.as_ref() => {
                if self.arn.ends_with(":root") { Meant::Himself } else { Meant::Account }
            }
            Principal::Identity { arn, .. } if arn == self.arn => Meant::Himself,
            _ => Meant::No,
        };
        match &body.principals {
            Principals::Only(names) if names.iter().any(|name| meant(name) == Meant::Himself) => Meant::Himself,
            Principals::Only(names) if names.iter().any(|name| meant(name) == Meant::Account) => Meant::Account,
            Principals::Except(names) if names.iter().all(|name| meant(name) == Meant::No) => Meant::Himself,
            _ => Meant::No,
        }
    }

    /// Whether all conditions of a statement hold for him.
    fn holds_all(&self, body: &Body) -> Result<bool, Doubt> {
        let mut doubt = None;
        for condition in &body.conditions {
            match self.holds(condition) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(reason) => doubt = doubt.or(Some(reason)),
            }
        }
        doubt.map_or(Ok(true), Err)
    }

    /// Whether a condition on who he is holds for him. All other keys are a doubt.
    fn holds(&self, condition: &Condition) -> Result<bool, Doubt> {
        let unknown = || Doubt::Key(condition.key.clone());
        let account = self.account.as_ref().ok_or_else(unknown)?;
        let value = match condition.key.to_ascii_lowercase().as_str() {
            "aws:principalarn" => self.arn,
            "aws:principalaccount" | "kms:calleraccount" => account.as_str(),
            "aws:principalorgid" if *account == self.trust.account => {
                self.trust.organization.as_deref().ok_or_else(unknown)?
            }
            _ => return Err(unknown()),
        };
        if condition.quantifier != Quantifier::One {
            return Err(unknown());
        }
        if condition.values.iter().any(|value| condition.version.has_variable(value)) {
            return Err(Doubt::Variable { key: condition.key.clone() });
        }
        let is_equal = |expected: &String| match condition.test {
            Some(Test::Equal { ignore_case: false }) => Some(expected == value),
            Some(Test::Equal { ignore_case: true }) => Some(expected.eq_ignore_ascii_case(value)),
            Some(Test::Like) => Some(glob(expected, value, Wildcards::AreText)),
            Some(Test::Arn) => Some(is_arn_like(expected, value)),
            _ => None,
        };
        let equal: Option<Vec<bool>> = condition.values.iter().map(is_equal).collect();
        let is_any = equal.ok_or_else(|| Doubt::Operator(condition.operator.clone()))?.contains(&true);
        Ok(is_any != condition.is_negated)
    }
}

/// Compares two ARNs part by part.
fn is_arn_like(expected: &str, arn: &str) -> bool {
    let (expected, arn): (Vec<&str>, Vec<&str>) = (expected.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    expected.len() == arn.len() && expected.iter().zip(&arn).all(|(part, of)| glob(part, of, Wildcards::AreText))
}
