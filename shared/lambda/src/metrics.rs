//! What an invocation adds to CloudWatch's metrics: one line of embedded metric format.
//!
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format". A metric that is zero is left out, but
//! for `Findings`: a metric is paid for by the month from its first value on.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};
use remedy::{Outcome, Shadow, Status};
use serde::Serialize;

const NAMESPACE: &str = "Countermand";
const RESPONDER: &str = "responder";

/// CloudWatch takes so many values of one metric from one line.
const MOST_VALUES: usize = 100;

/// What became of one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured<'a> {
    pub(crate) responder: &'static str,
    pub(crate) at: DateTime<Utc>,
    pub(crate) event_time: Option<DateTime<Utc>>,
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) failed: bool,
    pub(crate) untold: u32,
    pub(crate) shadow_broken: bool,
}

/// What came of a round of heartbeats.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeats {
    /// When it was looked at.
    pub at: DateTime<Utc>,
    /// How many signs of life did not come.
    pub missed: usize,
    /// How long CloudTrail's record of a call took to come to a function, if it came.
    pub delivery: Option<TimeDelta>,
}

/// Stands where a responder's name stands: the canary's metrics have the dimension that all others have.
const HEARTBEAT: &str = "heartbeat";

impl Heartbeats {
    /// Writes the line to standard output. How many were missed is written even if none was: that nothing is written means
    /// that nobody looks.
    pub fn write(&self) {
        write(line(HEARTBEAT, self.at, self.values()), std::io::stdout().lock());
    }

    fn values(&self) -> BTreeMap<&'static str, Value> {
        let mut values = BTreeMap::from([("HeartbeatMissed", Value::Count(self.missed))]);
        if let Some(delivery) = self.delivery {
            values.insert("DeliveryTime", Value::Milliseconds(vec![delivery.num_milliseconds().max(0)]));
        }
        values
    }
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Metadata,
    responder: &'a str,
    #[serde(flatten)]
    values: BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Count(usize),
    Milliseconds(Vec<i64>),
}

impl Value {
    fn unit(&self) -> &'static str {
        match self {
            Self::Count(_) => "Count",
            Self::Milliseconds(_) => "Milliseconds",
        }
    }
}

impl Measured<'_> {
    pub(crate) fn write(&self, to: impl Write) {
        write(line(self.responder, self.at, self.values()), to);
    }

    fn values(&self) -> BTreeMap<&'static str, Value> {
        let failed = usize::from(self.failed);
        let mut counts = BTreeMap::from([("Findings", self.outcomes.len() + failed)]);
        for outcome in self.outcomes {
            *counts.entry(metric(outcome.status)).or_default() += 1;
            *counts.entry("BudgetSpent").or_default() += usize::from(outcome.spent.is_some());
        }
        *counts.entry("Failed").or_default() += failed;
        let differing = self.outcomes.iter().filter(|outcome| outcome.shadow.as_ref().is_some_and(Shadow::differs));
        counts.insert("ShadowDiffers", differing.count());
        counts.insert("ShadowBroken", usize::from(self.shadow_broken));
        counts.insert("NotifyFailed", usize::try_from(self.untold).unwrap_or(usize::MAX));
        let mut values: BTreeMap<_, _> = counts
            .into_iter()
            .filter(|(name, count)| *count > 0 || *name == "Findings")
            .map(|(name, count)| (name, Value::Count(count)))
            .collect();
        let times: Vec<_> = self.times_to_contain().take(MOST_VALUES).collect();
        if !times.is_empty() {
            values.insert("TimeToContain", Value::Milliseconds(times));
        }
        values
    }

    /// From the event to the last change. CloudTrail's times are whole seconds, so a quick one may seem to be before it.
    fn times_to_contain(&self) -> impl Iterator<Item = i64> {
        let contained = self.outcomes.iter().filter(|outcome| outcome.status == Status::Contained);
        contained.filter_map(|outcome| {
            let last = outcome.changes.iter().filter(|entry| !entry.presumed).map(|entry| entry.at).max()?;
            Some((last - self.event_time?).num_milliseconds().max(0))
        })
    }
}

/// Metrics must not bring an event back, so that they could not be written is only logged.
fn write(line: serde_json::Result<String>, mut to: impl Write) {
    let written = line.map_err(std::io::Error::from).and_then(|line| to.write_all(line.as_bytes()));
    if let Err(error) = written {
        tracing::warn!(error = &error as &dyn std::error::Error, "the metrics were not written");
    }
}

fn line(responder: &str, at: DateTime<Utc>, values: BTreeMap<&'static str, Value>) -> serde_json::Result<String> {
    let metrics = values.iter().map(|(name, value)| Definition { name, unit: value.unit() }).collect();
    let directive = Directive { namespace: NAMESPACE, dimensions: [[RESPONDER]], metrics };
    let aws = Metadata { timestamp: at.timestamp_millis(), cloud_watch_metrics: [directive] };
    let mut line = serde_json::to_string(&Line { aws, responder, values })?;
    line.push('\n');
    Ok(line)
}

fn metric(status: Status) -> &'static str {
    match status {
        Status::Contained => "Contained",
        Status::AlreadySafe => "AlreadySafe",
        Status::Observed => "Observed",
        Status::Pending => "Pending",
        Status::Contested => "Contested",
        Status::Exempt => "Exempt",
        Status::Duplicate => "Duplicate",
        Status::Uncontainable => "Uncontainable",
        Status::Failed => "Failed",
    }
}

#[cfg(test)]
mod tests {
    use cloudtrail::Arn;
    use remedy::IncidentId;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::fixture::{entry, time};

    fn outcome(status: Status, changes: Json) -> Outcome {
        Outcome {
            incident: IncidentId::new("i"),
            responder: "revoke-open-ingress".to_owned(),
            resource: Arn::parse("arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1").unwrap(),
            actor: "somebody".to_owned(),
            verdict: "enforce".to_owned(),
            policies: vec![],
            status,
            because: String::new(),
            changes: serde_json::from_value(changes).unwrap(),
            spent: None,
            shadow: None,
        }
    }

    fn written(outcomes: &[Outcome], failed: bool, untold: u32) -> Json {
        let at = time("2026-11-22T07:00:00.250Z");
        let event_time = Some(time("2026-11-22T06:59:57Z"));
        let mut line = Vec::new();
        let responder = "revoke-open-ingress";
        Measured { responder, at, event_time, outcomes, failed, untold, shadow_broken: false }.write(&mut line);
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        serde_json::from_str(line.strip_suffix('\n').unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_as_the_specification_has_it() {
        let changes = json!([entry("a", "2026-11-22T06:59:58Z"), entry("b", "2026-11-22T06:59:58.500Z")]);
        let outcomes = [outcome(Status::Contained, changes), outcome(Status::Duplicate, json!([]))];
        assert_eq!(
            written(&outcomes, true, 1),
            json!({
                "_aws": {
                    "Timestamp": 1_795_330_800_250_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Countermand",
                        "Dimensions": [["responder"]],
                        "Metrics": [
                            { "Name": "Contained", "Unit": "Count" },
                            { "Name": "Duplicate", "Unit": "Count" },
                            { "Name": "Failed", "Unit": "Count" },
                            { "Name": "Findings", "Unit": "Count" },
                            { "Name": "NotifyFailed", "Unit": "Count" },
                            { "Name": "TimeToContain", "Unit": "Milliseconds" },
                        ],
                    }],
                },
                "responder": "revoke-open-ingress",
                "Contained": 1, "Duplicate": 1, "Failed": 1, "Findings": 3, "NotifyFailed": 1, "TimeToContain": [1500],
            })
        );
    }

    #[test]
    fn a_spent_budget_is_told_from_other_reasons_to_wait() {
        let spent = Some("contain-admin-ports".to_owned());
        let beyond = Outcome { spent, ..outcome(Status::Pending, json!([])) };
        let line = written(&[beyond, outcome(Status::Pending, json!([]))], false, 0);
        assert_eq!((&line["Pending"], &line["BudgetSpent"]), (&json!(2), &json!(1)));
        assert_eq!(written(&[outcome(Status::Pending, json!([]))], false, 0)["BudgetSpent"], Json::Null);
    }

    #[test]
    fn that_no_heartbeat_was_missed_is_written_too() {
        let at = time("2026-11-22T07:00:00Z");
        let (missed, delivery) = (0, Some(TimeDelta::milliseconds(-300)));
        let values = Heartbeats { at, missed, delivery }.values();
        let line: Json = serde_json::from_str(&line(HEARTBEAT, at, values).unwrap()).unwrap();
        let dimensions = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!((&line["responder"], dimensions), (&json!("heartbeat"), &json!([["responder"]])));
        assert_eq!((&line["HeartbeatMissed"], &line["DeliveryTime"]), (&json!(0), &json!([0])));
    }

    #[test]
    fn an_event_without_a_finding_is_counted_as_that() {
        let line = written(&[], false, 0);
        assert_eq!(line["Findings"], json!(0));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], json!([{ "Name": "Findings", "Unit": "Count" }]));
    }

    #[test]
    fn what_the_shadow_policies_see_otherwise_is_counted() {
        let judged = |verdict: &str| {
            let shadow = json!({ "verdict": verdict, "policies": [], "because": "", "inForce": "enforce" });
            Outcome { shadow: serde_json::from_value(shadow).unwrap(), ..outcome(Status::Contained, json!([])) }
        };
        let line = written(&[judged("observe"), judged("enforce"), judged("exempt")], false, 0);
        assert_eq!((&line["Findings"], &line["ShadowDiffers"]), (&json!(3), &json!(2)));
        assert_eq!(written(&[judged("enforce")], false, 0).get("ShadowDiffers"), None);
    }

    #[test]
    fn only_changes_of_this_run_are_timed_and_none_is_before_its_event() {
        let mut presumed = entry("a", "2026-11-22T06:59:59Z");
        presumed["presumed"] = json!(true);
        let early = json!([entry("b", "2026-11-22T06:59:56.900Z"), presumed]);
        assert_eq!(written(&[outcome(Status::Contained, early)], false, 0)["TimeToContain"], json!([0]));
        assert_eq!(written(&[outcome(Status::AlreadySafe, json!([]))], false, 0)["TimeToContain"], Json::Null);
    }
}
