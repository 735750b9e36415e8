//! Which calls write a role's trust, and what the record alone says of it.

use cloudtrail::{Arn, Call, Event, EventError, Field};
use policy::{Resource, ResourceKind, Severity};
use policy_document::{Access, Document, Trust, decode, exposure};
use remedy::{Certainty, Finding};
use serde::Deserialize;

use crate::role::WrittenTrust;

const IAM: &str = "iam.amazonaws.com";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    role_name: Option<String>,
    path: Option<String>,
    policy_document: Option<String>,
    assume_role_policy_document: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    role: Option<NewRole>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewRole {
    arn: Option<String>,
    assume_role_policy_document: Option<String>,
}

/// The finding of an event, if there is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<WrittenTrust>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == IAM) else { return Ok(None) };
    let (arn, subject) = match call.name.as_str() {
        "CreateRole" => created(event, call)?,
        "UpdateAssumeRolePolicy" => updated(event, call)?,
        _ => return Ok(None),
    };
    let trust = Trust::only(event.account.clone(), event.region.partition());
    let Some((certainty, severity)) = judged(&subject, &trust) else { return Ok(None) };
    let resource = Resource { kind: ResourceKind::ROLE, arn, tags: None };
    Ok(Some(Finding { resource, severity, certainty, subject }))
}

fn created(event: &Event, call: &Call) -> Result<(Arn, WrittenTrust), EventError> {
    let request = call.request::<Request>()?.known();
    let made = call.response::<Answer>()?.known().and_then(|answer| answer.role);
    let (path, asked, document) = request
        .map_or((None, None, None), |request| (request.path, request.role_name, request.assume_role_policy_document));
    let (arn, told) = made.map_or((None, None), |role| (role.arn, role.assume_role_policy_document));
    let is_ours = |arn: &Arn| arn.account().as_ref() == Some(&event.account) && arn.resource().starts_with("role/");
    let arn = arn.and_then(|arn| Arn::parse(&arn).ok()).filter(is_ours).filter(|arn| !arn.name().is_empty());
    let asked = asked.filter(|name| !name.is_empty());
    let role = asked.or_else(|| arn.as_ref().map(|arn| arn.name().to_owned())).ok_or_else(|| no_role(call))?;
    let path = path.filter(|path| path.starts_with('/') && path.ends_with('/')).unwrap_or_else(|| "/".to_owned());
    let arn = arn.filter(|arn| arn.name() == role).unwrap_or_else(|| named(event, &format!("{path}{role}")));
    let document = document.or(told).map(|document| decode(&document));
    Ok((arn, WrittenTrust { role, document, is_new: true }))
}

/// A role's path is not in the record.
fn updated(event: &Event, call: &Call) -> Result<(Arn, WrittenTrust), EventError> {
    let Field::Known(request) = call.request::<Request>()? else { return Err(no_role(call)) };
    let role = request.role_name.filter(|name| !name.is_empty()).ok_or_else(|| no_role(call))?;
    let document = request.policy_document.map(|document| decode(&document));
    Ok((named(event, &format!("/{role}")), WrittenTrust { role, document, is_new: false }))
}

fn named(event: &Event, path_and_name: &str) -> Arn {
    Arn::of(event.region.partition(), "iam", "", &event.account, &format!("role{path_and_name}"))
}

fn no_role(call: &Call) -> EventError {
    EventError::NoResource { call: call.name.clone(), field: "requestParameters.roleName" }
}

/// How sure the record makes us, and how bad it is; `None` if it lets in nobody else than ourselves and AWS services.
fn judged(subject: &WrittenTrust, trust: &Trust) -> Option<(Certainty, Severity)> {
    let unknown = Some((Certainty::Live, Severity::MEDIUM));
    let Some(Ok(document)) = subject.document.as_deref().map(Document::parse) else { return unknown };
    let grants = exposure(&document, trust);
    if grants.iter().any(|grant| grant.access.is_public()) {
        return Some((Certainty::Event, Severity::CRITICAL));
    }
    if grants.iter().any(|grant| grant.access.is_exposed()) {
        return Some((Certainty::Event, Severity::HIGH));
    }
    // Whoever is let in may have had to give an external id, or to use MFA, until now: what was before, the record does
    // not tell. A new role had nobody.
    let may_be_wrong = |access: &Access| match access {
        Access::Nobody | Access::Service { .. } => false,
        Access::Unknown(_) => true,
        _ => !subject.is_new,
    };
    if grants.iter().any(|grant| may_be_wrong(&grant.access)) { unknown } else { None }
}
