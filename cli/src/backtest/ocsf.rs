//! A finding as the Open Cybersecurity Schema Framework tells it: class Detection Finding, 2004.
//!
//! Source of the names and numbers: the schema, version [`VERSION`], class `detection_finding` with the profile `cloud`.

use ::backtest::{ActorKind, Finding, Verdict};
use chrono::{DateTime, Utc};
use cloudtrail::Arn;
use remedy::Certainty;
use serde_json::{Map, Value, json};

use super::told::short;

/// The version of the schema. Versions up to 1.8.0, the last when this was written, take the same.
const VERSION: &str = "1.4.0";

const FINDINGS: u32 = 2;
const DETECTION_FINDING: u32 = 2004;
const CREATE: u32 = 1;

/// The finding; `made` stands in for the time of an event whose own is not known, as there must be one.
pub(super) fn detection_finding(finding: &Finding<'_>, made: DateTime<Utc>) -> Value {
    let time = finding.event_time.unwrap_or(made).timestamp_millis();
    let (severity_id, severity) = match finding.severity.label() {
        "INFORMATIONAL" => (1, "Informational"),
        "LOW" => (2, "Low"),
        "MEDIUM" => (3, "Medium"),
        "HIGH" => (4, "High"),
        _ => (5, "Critical"),
    };
    let (status_id, status) =
        if finding.verdict == Verdict::Exempt && !finding.live { (3, "Suppressed") } else { (1, "New") };
    let (confidence_id, confidence) = match finding.certainty {
        Certainty::Event => (3, "High"),
        Certainty::Live => (1, "Low"),
    };
    let title = format!("{}: {} on {}", finding.responder, finding.event_name, short(&finding.resource));
    json!({
        "activity_id": CREATE, "activity_name": "Create",
        "category_uid": FINDINGS, "category_name": "Findings",
        "class_uid": DETECTION_FINDING, "class_name": "Detection Finding",
        "type_uid": DETECTION_FINDING * 100 + CREATE, "type_name": "Detection Finding: Create",
        "severity_id": severity_id, "severity": severity,
        "status_id": status_id, "status": status, "status_detail": finding.because,
        "confidence_id": confidence_id, "confidence": confidence,
        "is_alert": finding.would_be_acted_on(),
        "time": time,
        "message": title,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": "Countermand", "vendor_name": "Countermand", "version": env!("CARGO_PKG_VERSION"),
                "feature": { "name": "backtest" }
            },
            "uid": finding.incident,
            "event_code": finding.event_name
        },
        "finding_info": {
            "uid": finding.incident,
            "title": title,
            "desc": finding.because,
            "analytic": {
                "type_id": 1, "type": "Rule", "name": finding.responder, "uid": finding.responder
            },
            "first_seen_time": time,
            "related_events": [{ "uid": finding.event_id, "type": finding.event_name }]
        },
        "cloud": {
            "provider": "AWS",
            "region": finding.region,
            "account": { "uid": finding.account, "type_id": 10, "type": "AWS Account" }
        },
        "resources": [resource(finding)],
        "evidences": [{ "actor": actor(finding), "api": { "operation": finding.event_name } }],
        "unmapped": {
            "verdict": finding.verdict,
            "policies": finding.policies,
            "depends_on_live_state": finding.live,
            "plan": finding.plan,
            "verdict_before": finding.before.as_ref().map(|before| before.verdict)
        }
    })
}

fn resource(finding: &Finding<'_>) -> Value {
    let mut resource = Map::new();
    resource.insert("uid".to_owned(), finding.resource.as_ref().into());
    resource.insert("name".to_owned(), short(&finding.resource).into());
    resource.insert("region".to_owned(), finding.region.as_ref().into());
    let mut parts = finding.resource.split(':');
    if let (Some("arn"), Some(partition), Some(service)) = (parts.next(), parts.next(), parts.next()) {
        resource.insert("cloud_partition".to_owned(), partition.into());
        resource.insert("type".to_owned(), service.into());
    }
    resource.into()
}

fn actor(finding: &Finding<'_>) -> Value {
    let (type_id, kind) = match finding.actor_kind {
        ActorKind::Unknown => (0, "Unknown"),
        ActorKind::User => (1, "User"),
        ActorKind::Root => (2, "Admin"),
        ActorKind::Service => (3, "System"),
        ActorKind::Role => (99, "AssumedRole"),
        ActorKind::Federated => (99, "FederatedUser"),
        ActorKind::Account => (99, "AWSAccount"),
    };
    let arn = Arn::parse(&finding.actor).ok();
    let mut user = Map::new();
    user.insert("type_id".to_owned(), type_id.into());
    user.insert("type".to_owned(), kind.into());
    user.insert("uid".to_owned(), finding.actor.as_ref().into());
    user.insert("name".to_owned(), arn.as_ref().map_or(finding.actor.as_ref(), Arn::name).into());
    if let Some(account) = arn.as_ref().and_then(Arn::account) {
        user.insert("account".to_owned(), json!({ "uid": account, "type_id": 10, "type": "AWS Account" }));
    }
    let mut actor = Map::new();
    actor.insert("user".to_owned(), user.into());
    if let Some(session) = &finding.session {
        actor.insert("session".to_owned(), json!({ "uid": session }));
    }
    actor.into()
}
