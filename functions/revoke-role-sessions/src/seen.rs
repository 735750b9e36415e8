//! Which findings are about credentials of a role.

use cloudtrail::{AccountId, Arn, Body, Event, EventError, KeyDetails};
use policy::{Resource, ResourceKind, Severity};
use remedy::{Certainty, Finding};
use session_denial::RoleSession;
use std::collections::BTreeMap;

use crate::stolen::{Holder, StolenCredentials};

/// The finding of an event, if it is one on a role's credentials.
///
/// Findings on the credentials of users and of root are `disable-access-key`'s: it takes the user types `IAMUser` and
/// `Root`, and this responder all others that name a role or a federated user.
///
/// Source: Amazon `GuardDuty` User Guide, "`GuardDuty` IAM finding types"; the user types are CloudTrail's, CloudTrail
/// User Guide, "CloudTrail userIdentity element".
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<StolenCredentials>>, EventError> {
    let Body::GuardDuty(found) = &event.body else { return Ok(None) };
    if found.archived || found.sample || !found.kind.contains(":IAMUser/") {
        return Ok(None);
    }
    let Some(details) = &found.key else { return Ok(None) };
    let (holder, resource) = match details.user_type.as_deref() {
        Some("IAMUser" | "Root") => return Ok(None),
        Some("FederatedUser") => (Holder::FederatedUser { name: given(details.user_name.as_ref()) }, account(event)),
        kind if matches!(kind, Some("AssumedRole" | "Role")) || session(details).is_some() => {
            let field = "detail.resource.accessKeyDetails.userName";
            let name = given(details.user_name.as_ref())
                .ok_or_else(|| EventError::NoResource { call: found.kind.clone(), field })?;
            let resource = role(event, &event.account, &name);
            (Holder::Role { name, session: session(details) }, resource)
        }
        _ => return Ok(None),
    };
    Ok(Some(Finding {
        resource,
        severity: Severity::of_guardduty(found.severity),
        certainty: Certainty::Event,
        subject: StolenCredentials {
            holder,
            key: details.access_key_id.clone().filter(|id| !id.as_str().is_empty()),
            kind: found.kind.clone(),
            count: found.count,
        },
    }))
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// `principalId` is the `aws:userid` of who signed the calls.
fn session(details: &KeyDetails) -> Option<RoleSession> {
    RoleSession::parse(details.principal_id.as_deref()?).ok()
}

/// The role as the finding names it. A role's path is in no finding.
fn role(event: &Event, account: &AccountId, name: &str) -> Resource {
    let arn = Arn::of(event.region.partition(), "iam", "", account, &format!("role/{name}"));
    Resource { kind: ResourceKind::ROLE, arn, tags: None }
}

fn account(event: &Event) -> Resource {
    let arn = Arn::of(event.region.partition(), "iam", "", &event.account, "root");
    Resource { kind: ResourceKind::ACCOUNT, arn, tags: Some(BTreeMap::new()) }
}
