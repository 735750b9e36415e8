//! A service of doors, and a responder that closes them.

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{Arn, Event, EventError, Partition};
use policy::{Facts, Policies, Request, Resource, ResourceKind, Severity, Source};
use remedy::{Certainty, ChangeKey, Explanation, IncidentId, Plan, Remedy};
use serde::Deserialize;
use serde_json::{Value, json};

use backtest::{Detector, Finding, Judge};

pub(crate) const CLOSE_DOORS: Detector = Detector { name: "close-doors", explain };

#[derive(Deserialize)]
struct Opened {
    door: String,
    /// Whether only the live door tells that it is open.
    #[serde(default)]
    ajar: bool,
    #[serde(default)]
    stuck: bool,
    /// Whether it is none of ours unless we have shut it before.
    #[serde(default)]
    again: bool,
}

fn explain(event: &Event, policies: &Policies, now: DateTime<Utc>) -> Result<Vec<Explanation<ChangeKey>>, EventError> {
    let Some(call) = event.call().filter(|call| call.is("doors.amazonaws.com", "OpenDoor")) else { return Ok(vec![]) };
    let Opened { door, ajar, stuck, again } = call.request()?.known().unwrap();
    let arn = Arn::of(Partition::Aws, "doors", "eu-west-1", &event.account, &format!("door/{door}"));
    // As `revoke-open-ingress` does: what is presumed has no tags, and says so.
    let resource = Resource { kind: ResourceKind::new("Door"), arn, tags: Some([].into()) };
    let (severity, facts) = (Severity::HIGH, Facts::new().with("door", door));
    let decision = policies.decide(&Request {
        responder: "close-doors",
        now,
        event,
        resource: &resource,
        severity,
        facts: &facts,
    });
    let shut = || ChangeKey::new("shut");
    let remedy = if stuck {
        Remedy::Uncontainable { next_step: "call a smith".to_owned() }
    } else if ajar || again {
        Remedy::AlreadySafe
    } else {
        Remedy::Changes(vec![shut()])
    };
    Ok(vec![Explanation {
        incident: IncidentId::derive(&event.id, "close-doors", &resource),
        responder: "close-doors",
        certainty: if ajar || again { Certainty::Live } else { Certainty::Event },
        severity,
        decision,
        named: resource.clone(),
        hangs_on: again.then(shut),
        plan: Plan { resource, facts, remedy },
    }])
}

pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-22T07:00:00Z".parse().unwrap()
}

/// A session of role `deploy` opens a door.
pub(crate) fn opening(parameters: &Value) -> Value {
    json!({
        "eventID": "b4e3d14e-7519-479e-aa35-2f776d75a905", "eventTime": start(),
        "eventSource": "doors.amazonaws.com", "eventName": "OpenDoor", "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy/alice",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/ci/deploy"}}
        },
        "requestParameters": parameters, "responseElements": null
    })
}

pub(crate) fn policies(text: &str) -> Policies {
    Policies::parse([Source::new("test.cedar", text)]).unwrap()
}

pub(crate) fn judge<'a>(policies: &'a Policies, before: Option<&'a Policies>) -> Judge<'a> {
    Judge { detectors: &[CLOSE_DOORS], policies, before, own_roles: &[], now: start() + TimeDelta::days(365) }
}

/// The one finding in an event.
pub(crate) fn only<'e>(judge: &Judge<'_>, event: &'e Event) -> Finding<'e> {
    let found: Vec<_> = judge.judge(event).map(Result::unwrap).collect();
    let [finding] = found.try_into().unwrap();
    finding
}

/// A door opened by a role, `seconds` after the start, as these policies judge it.
pub(crate) fn found(number: u32, seconds: i64, role: &str, account: &str, policies: &Policies) -> Finding<'static> {
    let mut record = opening(&json!({"door": format!("{number}")}));
    record["eventID"] = format!("00000000-0000-0000-0000-{number:012}").into();
    record["eventTime"] = json!(start() + TimeDelta::seconds(seconds));
    record["recipientAccountId"] = account.into();
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        format!("arn:aws:iam::111122223333:role/{role}").into();
    let event = Event::decode(record).unwrap();
    owned(&only(&judge(policies, None), &event))
}

/// By way of JSON, as from one shard to another.
pub(crate) fn owned(finding: &Finding<'_>) -> Finding<'static> {
    serde_json::from_value(serde_json::to_value(finding).unwrap()).unwrap()
}
