//! Which events are about a key that should not be trusted.

use std::collections::BTreeMap;

use cloudtrail::{AccessKeyId, Arn, Body, Call, Event, EventError, Field, GuardDutyFinding, HealthEvent, Principal};
use policy::{Resource, ResourceKind, Severity};
use remedy::{Certainty, Finding};
use serde::Deserialize;

use crate::key::{Keys, Owner, Reason, UntrustedKey};

const IAM: &str = "iam.amazonaws.com";

/// The names of the policies that AWS puts on a user whose key it found in public: a managed policy, in several
/// versions, or an inline one. Source: AWS Managed Policy Reference Guide, "`AWSCompromisedKeyQuarantineV3`".
fn is_quarantine(policy: &str) -> bool {
    policy.starts_with("AWSCompromisedKeyQuarantine") || policy == "AWSExposedCredentialPolicy_DO_NOT_REMOVE"
}

/// All findings of one event.
pub(crate) fn findings(event: &Event) -> Result<Vec<Finding<UntrustedKey>>, EventError> {
    match &event.body {
        Body::Call(_) => {
            let Some(call) = event.call().filter(|call| call.source == IAM) else { return Ok(Vec::new()) };
            let finding = match call.name.as_str() {
                "CreateAccessKey" => created(event, call)?,
                "UpdateAccessKey" => reactivated(event, call)?,
                "AttachUserPolicy" | "PutUserPolicy" => quarantined(event, call)?,
                _ => None,
            };
            Ok(finding.into_iter().collect())
        }
        Body::GuardDuty(finding) => Ok(seen_by_guardduty(event, finding)?.into_iter().collect()),
        Body::Health(notice) => exposed(event, notice),
        Body::Alarm(_) | Body::Approved { .. } | Body::Missed { .. } | Body::Heartbeat { .. } | Body::Other => {
            Ok(Vec::new())
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateRequest {
    user_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateAnswer {
    access_key: Option<NewKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewKey {
    user_name: Option<String>,
    access_key_id: Option<AccessKeyId>,
}

/// A key made for somebody else, or root's own. A user who makes a key for himself is nobody's business.
fn created(event: &Event, call: &Call) -> Result<Option<Finding<UntrustedKey>>, EventError> {
    let request = call.request::<CreateRequest>()?;
    let answer = call.response::<CreateAnswer>()?.known().and_then(|answer| answer.access_key);
    let (told, key) = answer.map_or((None, None), |answer| (answer.user_name, answer.access_key_id));
    let (told, key) = (told.filter(|name| !name.is_empty()), key.filter(|key| !key.as_str().is_empty()));
    // "If you do not specify a user name, IAM determines the user name implicitly based on the AWS access key ID
    // signing the request." (IAM API Reference, "CreateAccessKey".) What CloudTrail left out may have been specified.
    let implicit = !matches!(request, Field::Omitted);
    let asked = request.known().and_then(|request| request.user_name).filter(|name| !name.is_empty());

    let owner = match (asked, &event.actor.principal) {
        (Some(name), _) => Owner::User(name),
        (None, Principal::Root(_)) if implicit => Owner::Root,
        (None, _) => match (told.or_else(|| own_name(event).filter(|_| implicit)), &key) {
            (Some(name), _) => Owner::User(name),
            (None, Some(key)) => Owner::HolderOf(key.clone()),
            (None, None) => return Err(no_resource(call, "requestParameters.userName")),
        },
    };
    if is_caller(event, &owner) && owner != Owner::Root {
        return Ok(None);
    }
    let certainty = match (&owner, &key) {
        (Owner::HolderOf(_), _) | (_, None) => Certainty::Live,
        (Owner::User(_) | Owner::Root, Some(_)) => Certainty::Event,
    };
    let keys = match (key, event.time) {
        (Some(key), _) => Keys::One(key),
        (None, _) if owner == Owner::Root => Keys::AllActive,
        (None, Some(time)) => Keys::CreatedAt(time),
        (None, None) => return Err(no_resource(call, "responseElements.accessKey.accessKeyId")),
    };
    let severity = if owner == Owner::Root { Severity::CRITICAL } else { Severity::HIGH };
    Ok(Some(of_call(event, owner, keys, Reason::Created, severity, certainty)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusRequest {
    user_name: Option<String>,
    access_key_id: Option<AccessKeyId>,
    status: Option<String>,
}

/// A key made active. Only the ledger knows whether it was us who had disabled it.
fn reactivated(event: &Event, call: &Call) -> Result<Option<Finding<UntrustedKey>>, EventError> {
    let request = call.request::<StatusRequest>()?.known();
    let Some((key, request)) = request.and_then(|request| Some((request.access_key_id.clone()?, request))) else {
        return Err(no_resource(call, "requestParameters.accessKeyId"));
    };
    if request.status.is_some_and(|status| !status.eq_ignore_ascii_case("Active")) {
        return Ok(None);
    }
    let owner = match (request.user_name.filter(|name| !name.is_empty()), &event.actor.principal) {
        (Some(name), _) => Owner::User(name),
        // We never disable a key of root's.
        (None, Principal::Root(_)) => return Ok(None),
        (None, _) => own_name(event).map_or_else(|| Owner::HolderOf(key.clone()), Owner::User),
    };
    Ok(Some(of_call(event, owner, Keys::One(key), Reason::Reactivated, Severity::HIGH, Certainty::Live)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyRequest {
    user_name: Option<String>,
    policy_arn: Option<String>,
    policy_name: Option<String>,
}

/// AWS's quarantine. It leaves the key working and does not say which of the user's keys was found.
fn quarantined(event: &Event, call: &Call) -> Result<Option<Finding<UntrustedKey>>, EventError> {
    let (user, policy) = match call.request::<PolicyRequest>()? {
        Field::Known(PolicyRequest { user_name, policy_arn, .. }) if call.name == "AttachUserPolicy" => {
            (user_name, policy_arn)
        }
        Field::Known(PolicyRequest { user_name, policy_name, .. }) => (user_name, policy_name),
        Field::Absent => return Ok(None),
        Field::Omitted => return Err(no_resource(call, "requestParameters")),
    };
    if !policy.as_deref().and_then(|policy| policy.rsplit('/').next()).is_some_and(is_quarantine) {
        return Ok(None);
    }
    let user = user.filter(|name| !name.is_empty()).ok_or_else(|| no_resource(call, "requestParameters.userName"))?;
    let (severity, certainty) = (Severity::CRITICAL, Certainty::Live);
    Ok(Some(of_call(event, Owner::User(user), Keys::AllActive, Reason::Quarantined, severity, certainty)))
}

/// AWS's notice that it found keys in public: one finding a key.
fn exposed(event: &Event, notice: &HealthEvent) -> Result<Vec<Finding<UntrustedKey>>, EventError> {
    if notice.event_type_code != "AWS_RISK_CREDENTIALS_EXPOSED" {
        return Ok(Vec::new());
    }
    let mut keys: Vec<AccessKeyId> = notice
        .affected_entities
        .iter()
        .map(|entity| AccessKeyId::new(entity.entity_value.trim()))
        .filter(|key| !key.as_str().is_empty())
        .collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Err(EventError::NoResource { call: notice.event_type_code.clone(), field: "detail.affectedEntities" });
    }
    let finding = |key: AccessKeyId| Finding {
        resource: resource(event, &Owner::HolderOf(key.clone())),
        severity: Severity::CRITICAL,
        certainty: Certainty::Event,
        subject: UntrustedKey {
            owner: Owner::HolderOf(key.clone()),
            keys: Keys::One(key),
            reason: Reason::Exposed,
            owner_is_caller: None,
        },
    };
    Ok(keys.into_iter().map(finding).collect())
}

/// `GuardDuty`'s findings on the credentials of users and of root. Those on role sessions are another responder's.
///
/// Source: Amazon `GuardDuty` User Guide, "`GuardDuty` IAM finding types".
fn seen_by_guardduty(event: &Event, found: &GuardDutyFinding) -> Result<Option<Finding<UntrustedKey>>, EventError> {
    if found.archived || found.sample || !found.kind.contains(":IAMUser/") {
        return Ok(None);
    }
    let Some(details) = &found.key else { return Ok(None) };
    let id = details.access_key_id.clone().filter(|id| !id.as_str().is_empty());
    let name = details.user_name.clone().filter(|name| !name.is_empty());
    let (owner, keys) = match (details.user_type.as_deref(), id) {
        (Some("Root"), id) => (Owner::Root, id.map_or(Keys::AllActive, Keys::One)),
        (Some("IAMUser"), Some(id)) if id.is_long_term() => {
            (name.map_or_else(|| Owner::HolderOf(id.clone()), Owner::User), Keys::One(id))
        }
        (Some("IAMUser"), Some(id)) if id.is_temporary() => {
            let field = "detail.resource.accessKeyDetails.userName";
            let name = name.ok_or_else(|| EventError::NoResource { call: found.kind.clone(), field })?;
            (Owner::User(name), Keys::Session(id))
        }
        _ => return Ok(None),
    };
    Ok(Some(Finding {
        resource: resource(event, &owner),
        severity: Severity::of_guardduty(found.severity),
        certainty: Certainty::Event,
        subject: UntrustedKey {
            owner,
            keys,
            reason: Reason::GuardDuty { kind: found.kind.clone(), count: found.count },
            owner_is_caller: None,
        },
    }))
}

fn of_call(
    event: &Event,
    owner: Owner,
    keys: Keys,
    reason: Reason,
    severity: Severity,
    certainty: Certainty,
) -> Finding<UntrustedKey> {
    let resource = resource(event, &owner);
    let owner_is_caller = Some(is_caller(event, &owner));
    Finding { resource, severity, certainty, subject: UntrustedKey { owner, keys, reason, owner_is_caller } }
}

/// The owner as the event names it. A user's path is in no event.
fn resource(event: &Event, owner: &Owner) -> Resource {
    let (kind, name, tags) = match owner {
        Owner::User(name) => (ResourceKind::USER, format!("user/{name}"), None),
        // Root cannot be tagged.
        Owner::Root => (ResourceKind::ROOT, "root".to_owned(), Some(BTreeMap::new())),
        // AWS has no ARN for an access key. This one stands in for the owner's until we have looked, so that each key
        // of a notice gets an incident of its own, and the same one at each delivery.
        Owner::HolderOf(key) => (ResourceKind::USER, format!("access-key/{key}"), None),
    };
    Resource { kind, arn: Arn::of(event.region.partition(), "iam", "", &event.account, &name), tags }
}

fn own_name(event: &Event) -> Option<String> {
    event.actor.user_name().map(str::to_owned)
}

fn is_caller(event: &Event, owner: &Owner) -> bool {
    let same_account = event.actor.account.as_ref().is_none_or(|account| *account == event.account);
    same_account
        && match owner {
            // No two users differ by case alone. Source: IAM User Guide, "IAM and AWS STS quotas", name requirements.
            Owner::User(name) => event.actor.user_name().is_some_and(|own| own.eq_ignore_ascii_case(name)),
            Owner::Root => matches!(event.actor.principal, Principal::Root(_)),
            Owner::HolderOf(_) => false,
        }
}

fn no_resource(call: &Call, field: &'static str) -> EventError {
    EventError::NoResource { call: call.name.clone(), field }
}
