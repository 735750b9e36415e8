//! Which calls may make an administrator of somebody.

use std::collections::BTreeMap;

use cloudtrail::{Arn, Call, Event, EventError, Field, Principal};
use policy::{Resource, ResourceKind, Severity};
use remedy::{Certainty, Finding};
use serde::Deserialize;
use serde_json::Value;

use crate::grant::{Grant, Granted, Identity, IdentityKind};
use crate::judge::{Judged, Level, judge};

/// The parameters of all calls; each has some of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    user_name: Option<String>,
    role_name: Option<String>,
    group_name: Option<String>,
    policy_arn: Option<String>,
    policy_name: Option<String>,
    policy_document: Option<Value>,
    set_as_default: Option<Value>,
    version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    policy_version: Option<NewVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewVersion {
    version_id: Option<String>,
}

/// What the event gave to somebody, if that may make an administrator.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Granted>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == "iam.amazonaws.com") else { return Ok(None) };
    let kind = match call.name.as_str() {
        "AttachUserPolicy" | "PutUserPolicy" | "AddUserToGroup" => Some(IdentityKind::User),
        "AttachRolePolicy" | "PutRolePolicy" => Some(IdentityKind::Role),
        "AttachGroupPolicy" | "PutGroupPolicy" => Some(IdentityKind::Group),
        "CreatePolicyVersion" | "SetDefaultPolicyVersion" => None,
        _ => return Ok(None),
    };
    let Field::Known(request) = call.request::<Request>()? else { return Err(missing(call, "requestParameters")) };
    let makes_default = match &request.set_as_default {
        Some(Value::Bool(set)) => *set,
        Some(Value::String(set)) => set.eq_ignore_ascii_case("true"),
        _ => false,
    };
    if call.name == "CreatePolicyVersion" && !makes_default {
        return Ok(None);
    }
    let (grant, document) = granted(call, kind, request)?;
    let resource = resource(event, &grant);
    let Some((certainty, judged)) = judged(event, &grant, document.as_deref(), &resource.arn) else { return Ok(None) };
    let severity = if judged.level == Level::Admin { Severity::CRITICAL } else { Severity::HIGH };
    let holder_is_caller = grant.holder().and_then(|holder| is_caller(event, &holder));
    Ok(Some(Finding { resource, severity, certainty, subject: Granted { grant, judged, holder_is_caller } }))
}

/// What was given, and the document of it where the call brings one.
fn granted(call: &Call, kind: Option<IdentityKind>, request: Request) -> Result<(Grant, Option<String>), EventError> {
    let said = |text: Option<String>, field| text.filter(|text| !text.is_empty()).ok_or_else(|| missing(call, field));
    let policy = |arn: Option<String>| {
        let arn = arn.and_then(|arn| Arn::parse(&arn).ok());
        arn.ok_or_else(|| missing(call, "requestParameters.policyArn"))
    };
    // Whatever else CloudTrail wrote there, the account has the document.
    let document = match request.policy_document {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let Some(kind) = kind else {
        let made = call.response::<Answer>()?.known().and_then(|answer| answer.policy_version?.version_id);
        let version = made.or(request.version_id).filter(|version| !version.is_empty());
        return Ok((Grant::Version { policy: policy(request.policy_arn)?, version }, document));
    };
    let identity = match kind {
        IdentityKind::User => said(request.user_name, "requestParameters.userName"),
        IdentityKind::Role => said(request.role_name, "requestParameters.roleName"),
        IdentityKind::Group => said(request.group_name.clone(), "requestParameters.groupName"),
    };
    let identity = Identity { kind, name: identity? };
    let grant = if call.name == "AddUserToGroup" {
        Grant::Member { user: identity.name, group: said(request.group_name, "requestParameters.groupName")? }
    } else if call.name.starts_with("Attach") {
        Grant::Attached { to: identity, policy: policy(request.policy_arn)? }
    } else {
        Grant::Inline { of: identity, policy: said(request.policy_name, "requestParameters.policyName")? }
    };
    Ok((grant, document))
}

/// What the event alone says of it; `None` if it surely makes no administrator.
fn judged(event: &Event, grant: &Grant, document: Option<&str>, holder: &Arn) -> Option<(Certainty, Judged)> {
    let live = |policy: Option<&str>| Some((Certainty::Live, Judged::unread(policy)));
    let (name, identity) = match grant {
        Grant::Member { .. } => return live(None),
        Grant::Attached { policy, .. } => {
            return Judged::known(policy)
                .map_or_else(|| live(Some(policy.as_str())), |it| Some((Certainty::Event, it)));
        }
        Grant::Inline { of, policy } => (policy.as_str(), Some(of)),
        Grant::Version { policy, .. } => (policy.as_str(), None),
    };
    let Some(document) = document else { return live(Some(name)) };
    let policies = [(name.to_owned(), document.to_owned())];
    let as_held_by = |holders: &[&Arn]| judge(&policies, holders, &event.account, event.region.partition());
    let judged = as_held_by(identity.map(|_| holder).as_slice());
    match judged.level {
        Level::Admin | Level::Escalation => Some((Certainty::Event, judged)),
        Level::Unknown | Level::Unread => Some((Certainty::Live, judged)),
        Level::No => {
            let paths = identity.map(|identity| possible_arns(identity, document)).unwrap_or_default();
            let on_a_path = as_held_by(&paths.iter().collect::<Vec<_>>());
            if on_a_path.level.is_admin_equivalent() { live(Some(name)) } else { None }
        }
    }
}

/// The event does not tell the path of whoever has the policy, and the document may let him add to his own policies by
/// his ARN. These are the ARNs that the document could mean by it.
fn possible_arns(identity: &Identity, document: &str) -> Vec<Arn> {
    let mark = format!(":{}/", identity.kind.name());
    let named = document.split('"').filter(|text| text.contains(&mark));
    let on_its_path = |text: &str| text.rsplit_once('/').map(|(path, _)| format!("{path}/{}", identity.name));
    named.filter_map(on_its_path).filter_map(|arn| Arn::parse(&arn).ok()).collect()
}

/// The user, role, group or policy as the event names it. A path is in no event.
fn resource(event: &Event, grant: &Grant) -> Resource {
    let (kind, name) = match grant {
        Grant::Version { policy, .. } => {
            return Resource { kind: ResourceKind::new("ManagedPolicy"), arn: policy.clone(), tags: None };
        }
        Grant::Attached { to: identity, .. } | Grant::Inline { of: identity, .. } => (identity.kind, &identity.name),
        Grant::Member { user, .. } => (IdentityKind::User, user),
    };
    let arn = Arn::of(event.region.partition(), "iam", "", &event.account, &format!("{}/{name}", kind.name()));
    // Groups cannot be tagged. Source: IAM User Guide, "Tags for AWS Identity and Access Management resources".
    Resource { kind: kind.resource(), arn, tags: (kind == IdentityKind::Group).then(BTreeMap::new) }
}

/// Whether the caller is the user or role; `None` of a group.
fn is_caller(event: &Event, holder: &Identity) -> Option<bool> {
    let same_account = event.actor.account.as_ref().is_none_or(|account| *account == event.account);
    let own = |arn: &Arn| same_account && arn.name().eq_ignore_ascii_case(&holder.name);
    match (holder.kind, &event.actor.principal) {
        (IdentityKind::Group, _) => None,
        (IdentityKind::User, Principal::User(arn)) | (IdentityKind::Role, Principal::Role(arn)) => Some(own(arn)),
        _ => Some(false),
    }
}

fn missing(call: &Call, field: &'static str) -> EventError {
    EventError::NoResource { call: call.name.clone(), field }
}
