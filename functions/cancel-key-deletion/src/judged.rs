//! What a key policy lets happen that it should not.

use std::collections::BTreeSet;

use cloudtrail::Arn;
use policy::Trusted;
use policy_document::{Access, Document, Grant, Lockout, Trust, exposure, locks_out, same};

/// What is wrong with a key policy.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The statements that let in somebody they should not.
    pub(crate) offending: BTreeSet<usize>,
    /// Whom they let in: account ids, ARNs, `public`.
    pub(crate) lets_in: BTreeSet<String>,
    /// Whether one of them lets in everybody.
    pub(crate) is_public: bool,
    /// What cannot be told, a sentence each.
    pub(crate) unclear: Vec<String>,
    /// Whether nobody of the key's own account can change the policy any more.
    pub(crate) locks_out: bool,
    /// Whether a service may use the key on anybody's behalf.
    pub(crate) confused_deputy: bool,
}

impl Judged {
    /// What is surely wrong, in words.
    pub(crate) fn about(&self) -> BTreeSet<String> {
        let lockout = self.locks_out.then(|| "its account is locked out".to_owned());
        self.lets_in.iter().map(|who| format!("{who} let in")).chain(lockout).collect()
    }
}

/// Whom we trust with this key.
pub(crate) fn trust(key: &Arn, trusted: &Trusted) -> Option<Trust> {
    let Trusted { organization, accounts } = trusted.clone();
    let partition = key.region()?.partition();
    Some(Trust { account: key.account()?, partition, organization, accounts })
}

/// Judges a key policy. What the policy of a baseline lets in by the same words is wanted.
pub(crate) fn judge(policy: &Document, baseline: Option<&Document>, trust: &Trust) -> Judged {
    let wanted = baseline.map_or_else(Vec::new, |baseline| {
        let text = |grant: &Grant| baseline.statement_text(grant.statement).unwrap_or_default().to_owned();
        exposure(baseline, trust).into_iter().map(|grant| (text(&grant), grant.access)).collect()
    });
    let mut judged = Judged { locks_out: lockout(policy, trust) == Lockout::Yes, ..Judged::default() };
    for grant in exposure(policy, trust) {
        let text = policy.statement_text(grant.statement).unwrap_or_default();
        if wanted.iter().any(|(words, access)| *access == grant.access && same(Some(words), Some(text))) {
            continue;
        }
        if grant.access.is_exposed() {
            judged.offending.insert(grant.statement);
            let exposed = grant.entries.iter().map(|entry| &entry.access).filter(|access| access.is_exposed());
            judged.lets_in.extend(exposed.flat_map(outsiders));
            judged.is_public |= grant.access.is_public();
        }
        match &grant.access {
            Access::Unknown(doubt) => judged.unclear.push(format!("statement {}: {doubt}", grant.statement)),
            Access::Service { guarded: false, .. } => judged.confused_deputy = true,
            _ => {}
        }
    }
    judged
}

/// Whether the key's own account can still change the policy: where the policy leaves that to the account, IAM policies
/// such as our role's count. Source: AWS KMS Developer Guide, "Default key policy".
pub(crate) fn lockout(policy: &Document, trust: &Trust) -> Lockout {
    locks_out(policy, &Arn::of(trust.partition, "iam", "", &trust.account, "root"), trust)
}

fn outsiders(access: &Access) -> Vec<String> {
    match access {
        Access::Foreign(outsiders) => outsiders.iter().map(ToString::to_string).collect(),
        Access::Federated { providers, .. } => providers.iter().cloned().collect(),
        access => vec![access.name().to_owned()],
    }
}
