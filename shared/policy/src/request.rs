//! What is asked of the policies.

use chrono::{DateTime, Utc};
use cloudtrail::Event;

use crate::{Facts, Resource, Severity};

/// May this responder act on this resource, which this event made unsafe?
///
/// The principal is the event's actor, and a role session *is* its role: both `principal == Role::"arn:…"` and
/// `principal in Role::"arn:…"` hold for it. Where a CloudTrail record gives only the session, the path of the role is
/// unknown and missing from the ARN.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name of the responder: policies write `action == Action::"revoke-open-ingress"`.
    pub responder: &'a str,
    /// The time of the decision, `context.now`.
    pub now: DateTime<Utc>,
    /// Whose actor is the principal and whose account is the resource's parent.
    pub event: &'a Event,
    /// The resource the responder would change.
    pub resource: &'a Resource,
    /// `context.severity`.
    pub severity: Severity,
    /// What the responder knows, flattened into the context.
    pub facts: &'a Facts,
}
