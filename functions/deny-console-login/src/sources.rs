//! Which events are about a user who should not be let into the console.

use std::collections::BTreeMap;

use cloudtrail::{Arn, Call, Event, EventError, Field, Principal};
use policy::{Resource, ResourceKind, Severity};
use remedy::{Certainty, Finding};
use serde::Deserialize;

use crate::user::{Doubtful, Reason, Who};

/// The finding of an event, if there is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Doubtful>>, EventError> {
    let Some(call) = event.call() else { return Ok(None) };
    match (call.source.as_str(), call.name.as_str()) {
        ("iam.amazonaws.com", "CreateLoginProfile") => of_another(event, call, Reason::PasswordCreated),
        ("iam.amazonaws.com", "UpdateLoginProfile") => of_another(event, call, Reason::PasswordSet),
        ("iam.amazonaws.com", "DeactivateMFADevice") => of_another(event, call, Reason::MfaDeactivated),
        ("signin.amazonaws.com", "ConsoleLogin") => signed_in(event, call),
        _ => Ok(None),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    user_name: Option<String>,
    password_reset_required: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    login_profile: Option<Request>,
}

/// What somebody did to a user other than himself.
fn of_another(event: &Event, call: &Call, reason: Reason) -> Result<Option<Finding<Doubtful>>, EventError> {
    let request = call.request::<Request>()?;
    // What CloudTrail left out may have been specified.
    let implicit = !matches!(request, Field::Omitted);
    let (asked, reset_required) =
        request.known().map_or((None, None), |request| (request.user_name, request.password_reset_required));
    let told = || -> Result<Option<String>, EventError> {
        let profile = call.response::<Answer>()?.known().and_then(|answer| answer.login_profile);
        Ok(profile.and_then(|profile| profile.user_name))
    };
    let named = match asked.filter(|name| !name.is_empty()) {
        Some(name) => Some(name),
        None => told()?.filter(|name| !name.is_empty()),
    };
    let who = match (named.filter(|name| is_user_name(name)), &event.actor.principal) {
        (Some(name), _) => Who::User(name),
        // "If no user name is included, it defaults to the principal making the request. When you make this request with
        // root user credentials, you must use an AssumeRoot session to omit the user name." (IAM API Reference,
        // "CreateLoginProfile".) So a password for root is made by somebody else. Root's MFA is taken away by root itself, or
        // together with all its credentials, which makes root safer.
        (None, Principal::Root(_)) if reason == Reason::MfaDeactivated => return Ok(None),
        (None, Principal::Root(_)) if implicit => Who::Root,
        (None, Principal::User(_)) if implicit => return Ok(None),
        (None, _) => {
            return Err(EventError::NoResource { call: call.name.clone(), field: "requestParameters.userName" });
        }
    };
    if is_caller(event, &who) {
        return Ok(None);
    }
    let doubtful = Doubtful { who, reason, reset_required };
    Ok(Some(found(event, doubtful, Severity::HIGH, Certainty::Event)))
}

/// Source: IAM User Guide, "IAM and AWS STS quotas", name requirements. Where root is meant, records have other words there.
fn is_user_name(name: &str) -> bool {
    name.chars().all(|char| char.is_ascii_alphanumeric() || "+=,.@_-".contains(char))
}

#[derive(Deserialize)]
struct SignInData {
    #[serde(rename = "MFAUsed")]
    mfa_used: Option<String>,
    #[serde(rename = "SamlProviderArn")]
    saml_provider: Option<String>,
}

#[derive(Deserialize)]
struct SignInAnswer {
    #[serde(rename = "ConsoleLogin")]
    result: Option<String>,
}

/// A sign-in of an IAM user without MFA, or of root. What a role, a federated user or Identity Center says of MFA means
/// nothing: they use the identity provider's. Source: CloudTrail User Guide, "AWS Management Console sign-in events".
fn signed_in(event: &Event, call: &Call) -> Result<Option<Finding<Doubtful>>, EventError> {
    let data = call.additional::<SignInData>()?.known();
    let (used, saml) = data.map_or((None, None), |data| (data.mfa_used, data.saml_provider));
    let result = call.response::<SignInAnswer>()?.known().and_then(|answer| answer.result);
    let mfa = match used {
        Some(used) if used.eq_ignore_ascii_case("yes") => Some(true),
        Some(used) if used.eq_ignore_ascii_case("no") => Some(false),
        _ => None,
    };
    let (who, severity) = match &event.actor.principal {
        Principal::Root(_) => (Who::Root, if mfa == Some(true) { Severity::HIGH } else { Severity::CRITICAL }),
        Principal::User(arn) if mfa != Some(true) && saml.is_none() => {
            (Who::User(arn.name().to_owned()), Severity::MEDIUM)
        }
        _ => return Ok(None),
    };
    let succeeded = result.is_some_and(|result| result == "Success");
    let known = succeeded && (who == Who::Root || mfa.is_some());
    let certainty = if known { Certainty::Event } else { Certainty::Live };
    let doubtful = Doubtful { who, reason: Reason::SignedIn { mfa }, reset_required: None };
    Ok(Some(found(event, doubtful, severity, certainty)))
}

fn found(event: &Event, subject: Doubtful, severity: Severity, certainty: Certainty) -> Finding<Doubtful> {
    // A user's path is not in every event: it is looked up.
    let (kind, name, tags) = match &subject.who {
        Who::User(name) => (ResourceKind::USER, format!("user/{name}"), None),
        // Root cannot be tagged.
        Who::Root => (ResourceKind::ROOT, "root".to_owned(), Some(BTreeMap::new())),
    };
    let arn = Arn::of(event.region.partition(), "iam", "", &event.account, &name);
    Finding { resource: Resource { kind, arn, tags }, severity, certainty, subject }
}

/// No two users differ by case alone. Source: IAM User Guide, "IAM and AWS STS quotas", name requirements.
fn is_caller(event: &Event, who: &Who) -> bool {
    let Who::User(name) = who else { return false };
    let same_account = event.actor.account.as_ref().is_none_or(|account| *account == event.account);
    same_account && event.actor.user_name().is_some_and(|own| own.eq_ignore_ascii_case(name))
}
