//! A function without a service behind it: it takes `iam:CreateUser` for a finding and changes nothing but its own mind.
//! For testing the way from Lambda to a responder and back, and for measuring what that way costs.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use aws_types::SdkConfig;
use cloudtrail::{Arn, Event, EventError};
use lambda::Connect;
use policy::{Facts, Resource, ResourceKind, Severity, Warrant};
use remedy::{Applied, CallError, Certainty, Change, ChangeKey, Finding, Plan, Remedy, Responder, Situation, Spec};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    lambda::serve::<Probe>()
}

#[derive(Debug)]
struct Probe;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mind {
    changed: bool,
}

impl fmt::Display for Mind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.changed { "change the mind" } else { "change the mind back" })
    }
}

impl Change for Mind {
    fn inverse(&self) -> Self {
        Self { changed: !self.changed }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new("mind")
    }
}

impl Connect for Probe {
    fn connect(_: &SdkConfig) -> Self {
        Self
    }
}

impl Responder for Probe {
    const SPEC: Spec = Spec {
        name: "probe",
        pattern: "{}",
        permissions: "[]",
        controls: "[]",
        techniques: "{}",
        schema: "",
        readme: "",
    };
    type Subject = String;
    type Observed = ();
    type Change = Mind;

    fn detect(event: &Event) -> Result<Vec<Finding<String>>, EventError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Request {
            user_name: String,
        }
        let Some(call) = event.call().filter(|call| call.is("iam.amazonaws.com", "CreateUser")) else {
            return Ok(Vec::new());
        };
        let Some(Request { user_name }) = call.request()?.known() else { return Ok(Vec::new()) };
        let arn = Arn::of(event.region.partition(), "iam", "", &event.account, &format!("user/{user_name}"));
        let resource = Resource { kind: ResourceKind::USER, arn, tags: Some(BTreeMap::new()) };
        Ok(vec![Finding { resource, severity: Severity::LOW, certainty: Certainty::Event, subject: user_name }])
    }

    fn presume(_: &Finding<String>) {}

    async fn observe(&self, _: &Finding<String>) -> Result<(), CallError> {
        Ok(())
    }

    fn plan(finding: &Finding<String>, (): &(), _: &Situation) -> Plan<Mind> {
        let remedy = Remedy::Changes(vec![Mind { changed: true }]);
        Plan { resource: finding.resource.clone(), facts: Facts::new(), remedy }
    }

    fn holds(change: &Mind, (): &()) -> bool {
        change.changed
    }

    async fn apply(&self, _: &Mind, _: &Warrant) -> Result<Applied, CallError> {
        Ok(Applied::Changed)
    }
}
