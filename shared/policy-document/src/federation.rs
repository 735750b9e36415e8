//! Identity providers, and what tells the right one of their users from all the others.

use std::collections::BTreeSet;

use cloudtrail::AccountId;

use crate::access::{Access, Outsider};
use crate::doubt::Doubt;
use crate::guard::{Fixed, Guard, GuardKind};
use crate::trust::Trust;

/// Providers that many customers share, each with the claim that tells them apart: a condition on any other claim, such
/// as the audience that all customers use, lets in everybody who has an account there.
///
/// Source: IAM User Guide, "Identity-provider controls for shared OIDC providers". Of the last, which that page does not
/// list, Facebook's is `app_id`: IAM User Guide, "Available keys for AWS web identity federation".
const SHARED: &[(&str, &str)] = &[
    ("accounts.google.com", "aud"),
    ("agent.buildkite.com", "sub"),
    ("api.pulumi.com/oidc", "aud"),
    ("app.terraform.io", "sub"),
    ("cognito-identity.amazonaws.com", "aud"),
    ("gitlab.com", "sub"),
    ("graph.facebook.com", "app_id"),
    ("oidc-configuration.audit-log.githubusercontent.com", "sub"),
    ("oidc.codefresh.io", "sub"),
    ("oidc.vercel.com", "aud"),
    ("proidc.upbound.io", "sub"),
    ("sandboxes.cloud", "aud"),
    ("scalr.io", "sub"),
    ("studio.datachain.ai/api", "sub"),
    ("token.actions.githubusercontent.com", "sub"),
    ("tokens.cloud.shisho.dev", "sub"),
    ("vstoken.actions.githubusercontent.com", "sub"),
    ("www.amazon.com", "app_id"),
];

/// A `Federated` principal, taken apart.
struct Provider<'a> {
    /// The account that has registered it; `None` for those that AWS knows by name.
    account: Option<AccountId>,
    /// Its URL without scheme, or `saml`.
    name: &'a str,
}

impl<'a> Provider<'a> {
    fn read(text: &'a str) -> Option<Self> {
        match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "iam", "", account, resource] => {
                let account = Some(AccountId::parse(account).ok()?);
                match resource.split_once('/')? {
                    ("oidc-provider", name) => Some(Self { account, name }),
                    ("saml-provider", _) => Some(Self { account, name: "saml" }),
                    _ => None,
                }
            }
            ["arn", ..] => None,
            [name] if name.contains('.') => Some(Self { account: None, name }),
            _ => None,
        }
    }
}

/// Whom a statement lets in that names the provider `text` and has these guards.
pub(crate) fn access(text: &str, guards: &[Guard], doubt: Option<&Doubt>, trust: &Trust) -> Access {
    let Some(provider) = Provider::read(text) else { return Access::Unknown(Doubt::Principal(text.to_owned())) };
    if provider.account.as_ref().is_some_and(|account| !trust.includes(account)) {
        return Access::Foreign(BTreeSet::from([Outsider::Provider(text.to_owned())]));
    }
    let name = provider.name.to_ascii_lowercase();
    let claims: Vec<(&str, &Guard)> = guards
        .iter()
        .filter_map(|guard| match &guard.kind {
            GuardKind::Claim { provider, claim } if *provider == name => Some((claim.as_str(), guard)),
            _ => None,
        })
        .collect();
    let federated = |guarded| Access::Federated { providers: BTreeSet::from([text.to_owned()]), guarded };
    let Some((_, required)) = SHARED.iter().find(|(shared, _)| *shared == name) else {
        let is_guarded = claims.iter().any(|(claim, guard)| {
            matches!(*claim, "sub" | "aud" | "oaud" | "namequalifier" | "iss") && guard.fixes() != Fixed::Nothing
        });
        return match (is_guarded, doubt) {
            (false, Some(doubt)) => Access::Unknown(doubt.clone()),
            (is_guarded, _) => federated(is_guarded),
        };
    };
    let tells = |claim: &str| claim == *required || (name == "accounts.google.com" && matches!(claim, "sub" | "oaud"));
    let fixed = claims.iter().filter(|(claim, _)| tells(claim)).map(|(_, guard)| guard.fixes()).max();
    let other = claims.iter().find(|(claim, guard)| {
        !tells(claim) && !matches!(*claim, "aud" | "amr" | "sub") && guard.fixes() == Fixed::Tenant
    });
    match (fixed, other, doubt) {
        (Some(Fixed::Tenant), _, _) => federated(true),
        (_, Some((claim, _)), _) => Access::Unknown(Doubt::Claim(format!("{name}:{claim}"))),
        (Some(Fixed::Part), None, _) => Access::Unknown(Doubt::Claim(format!("{name}:{required}"))),
        (_, None, Some(doubt)) => Access::Unknown(doubt.clone()),
        (_, None, None) => Access::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_providers_are_sorted_and_in_lower_case() {
        assert!(SHARED.is_sorted());
        assert!(
            SHARED
                .iter()
                .all(|(name, claim)| format!("{name}{claim}").to_ascii_lowercase() == format!("{name}{claim}"))
        );
    }

    #[test]
    fn a_provider_is_its_account_and_its_name() {
        let read = |text| Provider::read(text).map(|provider| (provider.account.is_some(), provider.name));
        assert_eq!(
            read("arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB"),
            Some((true, "oidc.eks.eu-west-1.amazonaws.com/id/AB"))
        );
        assert_eq!(read("arn:aws:iam::111122223333:saml-provider/corp"), Some((true, "saml")));
        assert_eq!(read("graph.facebook.com"), Some((false, "graph.facebook.com")));
        for strange in ["*", "arn:aws:iam::1:oidc-provider/x", "arn:aws:iam::111122223333:role/x", ""] {
            assert!(read(strange).is_none(), "{strange}");
        }
    }
}
