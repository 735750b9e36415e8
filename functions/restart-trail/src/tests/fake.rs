//! CloudTrail, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cloudtrail::{Arn, Event, EventError};
use policy::{Resource, Warrant};
use remedy::{Applied, CallError, Finding, Plan, Responder, Situation, Spec};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::called::{Act, Weakened};
use crate::selectors::{DataResource, EventSelector, EventSelectors};
use crate::trail::{Delivery, InsightSelector, LogGroup, Switch, Trail, Trails};
use crate::{RestartTrail, TrailChange};

pub(super) const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

pub(super) fn arn() -> Arn {
    Arn::parse("arn:aws:cloudtrail:eu-central-1:123456789012:trail/audit").unwrap()
}

pub(super) fn insight(kind: &str) -> InsightSelector {
    InsightSelector { kind: kind.to_owned(), categories: BTreeSet::new() }
}

pub(super) fn payroll() -> DataResource {
    DataResource { kind: "AWS::S3::Object".to_owned(), values: vec!["arn:aws:s3:::payroll/".to_owned()] }
}

/// The trail as it was before anybody touched it, and as an operator captured it.
pub(super) fn strong() -> Trail {
    let payroll = EventSelector { data_resources: vec![payroll()], ..EventSelector::all_management_events() };
    Trail {
        arn: arn(),
        on: Switch::ALL.into(),
        delivery: Delivery {
            bucket: "audit-logs-123456789012".to_owned(),
            prefix: Some("trail".to_owned()),
            key: Some(KEY.to_owned()),
        },
        event_selectors: EventSelectors::Basic(vec![payroll]),
        insight_selectors: [insight("ApiCallRateInsight"), insight("ApiErrorRateInsight")].into(),
        organization: false,
        topic: Some("arn:aws:sns:eu-central-1:123456789012:trail".to_owned()),
        log_group: Some(LogGroup {
            arn: "arn:aws:logs:eu-central-1:123456789012:log-group:trail:*".to_owned(),
            role: "arn:aws:iam::123456789012:role/trail".to_owned(),
        }),
        recursive_logging: Some(true),
        tags: Some(BTreeMap::from([("team".to_owned(), "security".to_owned())])),
    }
}

#[derive(Debug, Clone)]
pub(super) struct CloudTrail {
    pub(super) trail: Rc<RefCell<Option<Trail>>>,
    pub(super) journal: Journal,
}

impl CloudTrail {
    pub(super) fn with(trail: Option<Trail>) -> Self {
        Self { trail: Rc::new(RefCell::new(trail)), journal: Journal::default() }
    }

    /// The region after the call: the strong trail, with what the call did to it.
    pub(super) fn after(event: &Event) -> Self {
        let finding = RestartTrail::<Self>::detect(event).unwrap().pop();
        let mut trail = strong();
        match finding.map_or(Act::Suspected, |finding| finding.subject.act) {
            Act::Deleted => return Self::with(None),
            Act::Stopped | Act::Suspected => {
                trail.on.remove(&Switch::Logging);
            }
            Act::Updated(update) => {
                trail.on.retain(|switch| !update.off.contains(switch));
                trail.delivery.bucket = update.bucket.unwrap_or(trail.delivery.bucket);
                trail.delivery.key = update.key.map_or(trail.delivery.key, |key| Some(key).filter(|it| !it.is_empty()));
            }
            Act::EventsSelected(None) => trail.event_selectors = EventSelectors::Advanced(Vec::new()),
            Act::EventsSelected(Some(selectors)) => trail.event_selectors = selectors,
            Act::InsightsSelected(selectors) => trail.insight_selectors = selectors.unwrap(),
        }
        Self::with(Some(trail))
    }

    /// Changes the trail, if there is one, as the function's role.
    fn write(
        &self,
        action: &'static str,
        request: &Value,
        change: impl FnOnce(&mut Trail),
    ) -> Result<Applied, CallError> {
        let name = action.strip_prefix("cloudtrail:").unwrap();
        let record = json!({
            "eventVersion": "1.11",
            "eventID": format!("{name} {request}"),
            "eventTime": "2026-11-22T07:00:00Z",
            "eventSource": "cloudtrail.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-central-1",
            "recipientAccountId": "123456789012",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::123456789012:assumed-role/somebody/somebody",
                "accountId": "123456789012"
            },
            "requestParameters": request,
            "responseElements": null
        });
        self.journal.write(action, record)?;
        Ok(match &mut *self.trail.borrow_mut() {
            Some(trail) => {
                change(trail);
                Applied::Changed
            }
            None => Applied::AlreadySo,
        })
    }
}

impl World for CloudTrail {
    type State = Option<Trail>;

    fn state(&self) -> Option<Trail> {
        self.trail.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl Trails for CloudTrail {
    async fn describe(&self, trail: &Arn) -> Result<Option<Trail>, CallError> {
        for action in ["GetTrail", "GetTrailStatus", "GetEventSelectors", "GetInsightSelectors", "ListTags"] {
            self.journal.read(match action {
                "GetTrail" => "cloudtrail:GetTrail",
                "GetTrailStatus" => "cloudtrail:GetTrailStatus",
                "GetEventSelectors" => "cloudtrail:GetEventSelectors",
                "GetInsightSelectors" => "cloudtrail:GetInsightSelectors",
                _ => "cloudtrail:ListTags",
            });
        }
        Ok(self.trail.borrow().clone().filter(|found| found.arn == *trail))
    }

    async fn list(&self) -> Result<Vec<Trail>, CallError> {
        self.journal.read("cloudtrail:DescribeTrails");
        Ok(self.trail.borrow().iter().cloned().collect())
    }

    async fn turn(&self, trail: &Arn, switch: Switch, on: bool) -> Result<Applied, CallError> {
        let (action, request) = match (switch, on) {
            (Switch::Logging, true) => ("cloudtrail:StartLogging", json!({"name": trail.name()})),
            (Switch::Logging, false) => ("cloudtrail:StopLogging", json!({"name": trail.name()})),
            (Switch::MultiRegion, _) => {
                ("cloudtrail:UpdateTrail", json!({"name": trail.name(), "isMultiRegionTrail": on}))
            }
            (Switch::GlobalServiceEvents, _) => {
                ("cloudtrail:UpdateTrail", json!({"name": trail.name(), "includeGlobalServiceEvents": on}))
            }
            (Switch::Validation, _) => {
                ("cloudtrail:UpdateTrail", json!({"name": trail.name(), "enableLogFileValidation": on}))
            }
        };
        let applied = self.write(action, &request, |trail| {
            if on {
                trail.on.insert(switch)
            } else {
                trail.on.remove(&switch)
            };
        })?;
        let (multi, global) = (Switch::MultiRegion, Switch::GlobalServiceEvents);
        let trail = self.trail.borrow();
        let on = |switch| trail.as_ref().is_none_or(|trail| trail.on.contains(&switch));
        assert!(on(global) || !on(multi), "CloudTrail refuses a trail of all regions without global service events");
        Ok(applied)
    }

    async fn deliver(&self, trail: &Arn, to: &Delivery) -> Result<Applied, CallError> {
        let key = to.key.clone().unwrap_or_default();
        let request =
            json!({"name": trail.name(), "s3BucketName": to.bucket, "s3KeyPrefix": to.prefix, "kmsKeyId": key});
        self.write("cloudtrail:UpdateTrail", &request, |trail| trail.delivery = to.clone())
    }

    async fn select_events(&self, trail: &Arn, selectors: &EventSelectors) -> Result<Applied, CallError> {
        let request = match selectors {
            EventSelectors::Basic(basic) => json!({"trailName": trail.name(), "eventSelectors": basic}),
            EventSelectors::Advanced(advanced) => {
                json!({"trailName": trail.name(), "advancedEventSelectors": advanced})
            }
        };
        self.write("cloudtrail:PutEventSelectors", &request, |trail| trail.event_selectors = selectors.clone())
    }

    async fn select_insights(&self, trail: &Arn, selectors: &BTreeSet<InsightSelector>) -> Result<Applied, CallError> {
        let request = json!({"trailName": trail.name(), "insightSelectors": selectors});
        self.write("cloudtrail:PutInsightSelectors", &request, |trail| trail.insight_selectors = selectors.clone())
    }

    async fn create(&self, trail: &Trail) -> Result<Applied, CallError> {
        if self.trail.borrow().is_some() {
            return Ok(Applied::AlreadySo);
        }
        let request = json!({"name": trail.arn.name(), "s3BucketName": trail.delivery.bucket});
        self.write("cloudtrail:CreateTrail", &request, |_| ())?;
        self.journal.read("cloudtrail:AddTags");
        self.journal.read("iam:PassRole");
        *self.trail.borrow_mut() = Some(trail.as_created());
        Ok(Applied::Changed)
    }

    async fn delete(&self, trail: &Arn) -> Result<Applied, CallError> {
        let applied = self.write("cloudtrail:DeleteTrail", &json!({"name": trail.name()}), |_| ())?;
        *self.trail.borrow_mut() = None;
        Ok(applied)
    }
}

/// The responder where an operator has captured the strong trail.
#[derive(Debug)]
pub(super) struct Captured(pub(super) RestartTrail<CloudTrail>);

impl Responder for Captured {
    const SPEC: Spec = RestartTrail::<CloudTrail>::SPEC;
    type Subject = Weakened;
    type Observed = Option<Trail>;
    type Change = TrailChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Weakened>>, EventError> {
        RestartTrail::<CloudTrail>::detect(event)
    }

    async fn suspect(&self, event: &Event) -> Result<Vec<Finding<Weakened>>, CallError> {
        self.0.suspect(event).await
    }

    fn presume(finding: &Finding<Weakened>) -> Option<Trail> {
        RestartTrail::<CloudTrail>::presume(finding)
    }

    async fn observe(&self, finding: &Finding<Weakened>) -> Result<Option<Trail>, CallError> {
        self.0.observe(finding).await
    }

    fn plan(finding: &Finding<Weakened>, observed: &Option<Trail>, situation: &Situation) -> Plan<TrailChange> {
        let mut situation = situation.clone();
        situation.memory.baseline = Some(serde_json::to_value(strong()).unwrap());
        RestartTrail::<CloudTrail>::plan(finding, observed, &situation)
    }

    fn holds(change: &TrailChange, observed: &Option<Trail>) -> bool {
        RestartTrail::<CloudTrail>::holds(change, observed)
    }

    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        self.0.capture().await
    }

    async fn apply(&self, change: &TrailChange, warrant: &Warrant) -> Result<Applied, CallError> {
        self.0.apply(change, warrant).await
    }
}
