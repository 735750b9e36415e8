//! Condition keys, and what a fixed value of each says about the caller.
//!
//! Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference for services' own keys.

/// What a condition key is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// The id of an account.
    Account(Whose),
    /// An ARN that names an account.
    Arn(Whose),
    /// The id of an organization.
    Organization(Whose),
    /// The path of an organizational unit, which begins with the id of the organization.
    OrganizationPath(Whose),
    /// The caller's public address.
    SourceIp,
    /// Something with an id of its own whose owner the id does not tell: a VPC, an endpoint, a KMS key.
    Place,
    /// The caller's unique id.
    UserId,
    /// The service principal that calls.
    ServiceName,
    /// Whether a service principal calls.
    IsService,
    /// Whether the caller was authenticated with MFA.
    Mfa,
    /// How many seconds ago.
    MfaAge,
    /// What a third party is given to prove whom it acts for.
    ExternalId,
    /// A token that an event source must send, such as an Alexa skill's id.
    EventSourceToken,
    /// A claim of an identity provider: provider and claim in lower case.
    Claim { provider: String, claim: String },
    /// Something that every caller can bring about.
    Choice,
    /// Something that tells no caller from another and that none can bring about: the time, the resource.
    Circumstance,
    /// Not known.
    Unknown,
}

/// Whose account a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The caller's, or that of what the caller comes through.
    Caller,
    /// The one on whose behalf an AWS service calls.
    Source,
}

/// Keys whose value every caller chooses, wherever he calls from.
const CHOICES: &[&str] = &[
    "aws:calledvia", // anybody may call through these services
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:ec2instancesourceprivateipv4", // anybody may number a VPC so
    "aws:referer",
    "aws:securetransport",
    "aws:sourceidentity",
    "aws:tagkeys",
    "aws:useragent",
    "aws:username", // any account may have a user of this name
    "aws:viaawsservice",
    "aws:vpcsourceip", // anybody may number a VPC so; it takes `aws:SourceVpc` to mean something
    "kms:grantisforawsresource",
    "kms:viaservice", // anybody may call through a service
    "s3:authtype",
    "s3:delimiter",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:prefix",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-storage-class",
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
];

/// The same for keys with a part of the user's own.
const CHOICE_PREFIXES: &[&str] = &[
    "aws:principaltag/", // any account may tag its users and roles so
    "aws:requesttag/",
    "s3:requestobjecttag/",
    "s3:requestobjecttagkeys",
    "s3:x-amz-grant-",
];

/// Keys that tell no caller from another.
const CIRCUMSTANCES: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:resourceaccount", // ours, as the resource is
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:tokenissuetime",
    "lambda:functionurlauthtype", // `NONE` is public, `AWS_IAM` is everybody with an AWS account
    "lambda:invokedviafunctionurl",
    "s3:locationconstraint",
    "s3:resourceaccount",
];

/// The same for keys with a part of the user's own.
const CIRCUMSTANCE_PREFIXES: &[&str] = &["aws:resourcetag/", "s3:existingobjecttag/"];

impl Key {
    pub(crate) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "aws:principalaccount" | "kms:calleraccount" | "s3:dataaccesspointaccount" | "aws:vpceaccount" => {
                Self::Account(Whose::Caller)
            }
            "aws:sourceaccount" | "aws:sourceowner" => Self::Account(Whose::Source),
            "aws:principalarn" | "s3:dataaccesspointarn" => Self::Arn(Whose::Caller),
            "aws:sourcearn" => Self::Arn(Whose::Source),
            "aws:principalorgid" | "aws:vpceorgid" => Self::Organization(Whose::Caller),
            "aws:sourceorgid" => Self::Organization(Whose::Source),
            "aws:principalorgpaths" | "aws:vpceorgpaths" => Self::OrganizationPath(Whose::Caller),
            "aws:sourceorgpaths" => Self::OrganizationPath(Whose::Source),
            "aws:sourceip" => Self::SourceIp,
            "aws:sourcevpc"
            | "aws:sourcevpce"
            | "aws:ec2instancesourcevpc"
            | "s3:x-amz-server-side-encryption-aws-kms-key-id" => Self::Place,
            "aws:userid" => Self::UserId,
            "aws:principalservicename" | "aws:principalservicenameslist" => Self::ServiceName,
            "aws:principalisawsservice" => Self::IsService,
            "aws:multifactorauthpresent" => Self::Mfa,
            "aws:multifactorauthage" => Self::MfaAge,
            "sts:externalid" => Self::ExternalId,
            "lambda:eventsourcetoken" => Self::EventSourceToken,
            _ if is_listed(&name, CHOICES, CHOICE_PREFIXES) => Self::Choice,
            _ if is_listed(&name, CIRCUMSTANCES, CIRCUMSTANCE_PREFIXES) => Self::Circumstance,
            _ => match name.rsplit_once(':') {
                Some((provider, claim)) if provider == "saml" || provider.contains('.') => {
                    Self::Claim { provider: provider.to_owned(), claim: claim.to_owned() }
                }
                _ => Self::Unknown,
            },
        }
    }

    /// Whether a key that is asked for is in requests of callers from anywhere, so that asking for it restricts nobody.
    pub(crate) fn is_anybodys(&self) -> bool {
        match self {
            Self::Account(whose) | Self::Arn(whose) | Self::Organization(whose) | Self::OrganizationPath(whose) => {
                *whose == Whose::Caller
            }
            Self::ServiceName | Self::IsService | Self::EventSourceToken | Self::Claim { .. } | Self::Unknown => false,
            _ => true,
        }
    }

    /// Whether the requests of some strangers surely lack the key, so that a condition that holds without it lets them
    /// in: those who are in no organization, those whom no service calls for, those who come another way.
    pub(crate) fn is_missing_for_some(&self) -> bool {
        match self {
            Self::Account(whose) | Self::Arn(whose) => *whose == Whose::Source,
            Self::Organization(_) | Self::OrganizationPath(_) | Self::SourceIp | Self::Place => true,
            other => matches!(other, Self::ServiceName | Self::Mfa | Self::MfaAge | Self::ExternalId),
        }
    }
}

/// Keys of [`Key::Choice`] and [`Key::Circumstance`] that every request has.
const ALWAYS_PRESENT: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:useragent",
    "aws:viaawsservice",
];

/// Whether only requests of callers with credentials have this key.
pub(crate) fn is_of_credentials(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["aws:multifactorauth", "aws:principaltag/", "aws:sourceidentity", "aws:username", "sts:"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Whether just the requests by way of a VPC endpoint have this key.
pub(crate) fn is_of_endpoint(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["aws:sourcevpc", "aws:vpce", "aws:vpcsourceip"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether every request has this key.
pub(crate) fn is_always_present(name: &str) -> bool {
    ALWAYS_PRESENT.contains(&name.to_ascii_lowercase().as_str())
}

fn is_listed(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_in_any_case() {
        assert_eq!(Key::of("AWS:SourceIP"), Key::SourceIp);
        assert_eq!(Key::of("aws:PrincipalTag/Team"), Key::Choice);
        assert_eq!(Key::of("s3:RequestObjectTagKeys"), Key::Choice);
        assert_eq!(Key::of("aws:SourceVpcArn"), Key::Unknown);
        assert_eq!(Key::of("sns:Endpoint"), Key::Unknown);
        assert_eq!(Key::of(""), Key::Unknown);
    }

    #[test]
    fn a_claim_is_its_provider_and_its_name() {
        let claim = |provider: &str, claim: &str| Key::Claim { provider: provider.to_owned(), claim: claim.to_owned() };
        assert_eq!(
            Key::of("token.actions.githubusercontent.com:sub"),
            claim("token.actions.githubusercontent.com", "sub")
        );
        assert_eq!(
            Key::of("oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud"),
            claim("oidc.eks.eu-central-1.amazonaws.com/id/abc", "aud")
        );
        assert_eq!(Key::of("SAML:aud"), claim("saml", "aud"));
    }

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        for list in [CHOICES, CHOICE_PREFIXES, CIRCUMSTANCES, CIRCUMSTANCE_PREFIXES, ALWAYS_PRESENT] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|key| key.to_ascii_lowercase() == *key));
        }
    }
}
