//! Which calls endanger a key, and what they tell of it.

use cloudtrail::{Arn, Call, Event, EventError, Field};
use policy::{Resource, Severity, Trusted};
use policy_document::Document;
use remedy::{Certainty, Finding};
use serde::{Deserialize, Serialize};

use crate::judged::{judge, trust};
use crate::key::KIND;

const KMS: &str = "kms.amazonaws.com";

/// How long KMS waits before it deletes a key, in days, where the caller does not say. Source: AWS KMS API Reference,
/// "`ScheduleKeyDeletion`".
const DEFAULT_DAYS: i32 = 30;

/// A key that may be lost, unusable or open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Endangered {
    /// Its deletion was scheduled.
    Scheduled {
        /// For how many days from the call.
        days: i32,
    },
    /// It was disabled.
    Disabled,
    /// Its rotation was turned off.
    Unrotated,
    /// It got another policy.
    PolicyPut {
        /// Which; `None` where the record does not tell.
        policy: Option<String>,
        /// Whether it locks the key's own account out.
        locks_out: bool,
    },
}

impl Endangered {
    /// The fact `act` of `schema.cedarschema`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scheduled { .. } => "deletion-scheduled",
            Self::Disabled => "disabled",
            Self::Unrotated => "rotation-disabled",
            Self::PolicyPut { .. } => "policy-put",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    key_id: Option<String>,
    pending_window_in_days: Option<i32>,
    policy: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    key_id: Option<String>,
}

/// The finding of an event, if there is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Endangered>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == KMS) else { return Ok(None) };
    if !["ScheduleKeyDeletion", "DisableKey", "DisableKeyRotation", "PutKeyPolicy"].contains(&call.name.as_str()) {
        return Ok(None);
    }
    let asked = call.request::<Request>()?;
    let is_told = !matches!(asked, Field::Omitted);
    let asked = asked.known().unwrap_or_default();
    let arn = key(event, call, asked.key_id.as_deref())?;
    let (severity, certainty, subject) = match call.name.as_str() {
        "ScheduleKeyDeletion" => {
            let days = asked.pending_window_in_days.unwrap_or(DEFAULT_DAYS);
            (Severity::HIGH, Certainty::Event, Endangered::Scheduled { days })
        }
        "DisableKey" => (Severity::HIGH, Certainty::Event, Endangered::Disabled),
        "DisableKeyRotation" => (Severity::MEDIUM, Certainty::Event, Endangered::Unrotated),
        _ => match policy_put(&arn, asked.policy.filter(|_| is_told)) {
            Some(put) => put,
            None => return Ok(None),
        },
    };
    let resource = Resource { kind: KIND, arn, tags: None };
    Ok(Some(Finding { resource, severity, certainty, subject }))
}

/// A policy that lets in nobody but the key's own account, and that account, is no finding.
fn policy_put(key: &Arn, policy: Option<String>) -> Option<(Severity, Certainty, Endangered)> {
    let document = policy.as_deref().and_then(|text| Document::parse(text).ok());
    let Some((document, trust)) = document.zip(trust(key, &Trusted::default())) else {
        let put = Endangered::PolicyPut { policy, locks_out: false };
        return Some((Severity::MEDIUM, Certainty::Live, put));
    };
    let judged = judge(&document, None, &trust);
    let (severity, certainty) = match &judged {
        it if it.is_public || it.locks_out => (Severity::CRITICAL, Certainty::Event),
        it if !it.offending.is_empty() => (Severity::HIGH, Certainty::Event),
        it if !it.unclear.is_empty() => (Severity::MEDIUM, Certainty::Live),
        _ => return None,
    };
    Some((severity, certainty, Endangered::PolicyPut { policy, locks_out: judged.locks_out }))
}

/// KMS takes an id or an ARN here, and no alias. Source: AWS KMS API Reference, "`ScheduleKeyDeletion`".
fn key(event: &Event, call: &Call, asked: Option<&str>) -> Result<Arn, EventError> {
    const FIELD: &str = "requestParameters.keyId";
    let answered = call.response::<Answer>()?.known().and_then(|answer| answer.key_id);
    let is_arn = |id: &&str| id.starts_with("arn:");
    let id = [asked, answered.as_deref()].into_iter().flatten().find(is_arn).or(asked);
    match id.filter(|id| !id.is_empty()) {
        Some(arn) if is_arn(&arn) => Arn::parse(arn).map_err(|source| EventError::Id { field: FIELD, source }),
        Some(id) if !id.contains(['/', ':']) => {
            let region = event.region.as_str();
            Ok(Arn::of(event.region.partition(), "kms", region, &event.account, &format!("key/{id}")))
        }
        _ => Err(EventError::NoResource { call: call.name.clone(), field: FIELD }),
    }
}
