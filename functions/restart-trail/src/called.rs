//! Which calls weaken a trail, and what they tell of it.

use std::collections::BTreeSet;

use cloudtrail::{Alarm, Arn, Call, Event, EventError};
use policy::{Resource, Severity};
use remedy::{Certainty, Finding};
use serde::{Deserialize, Serialize};

use crate::selectors::{AdvancedEventSelector, Coverage, EventSelector, EventSelectors};
use crate::trail::{InsightSelector, KIND, Switch};

const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

/// A trail that may log less than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weakened {
    /// The trail as the call names it: of another account where somebody manages an organization's trail from here.
    pub trail: Arn,
    /// What the call did.
    pub act: Act,
}

/// What was done to a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Act {
    /// It was stopped.
    Stopped,
    /// It was deleted.
    Deleted,
    /// Its settings were changed.
    Updated(Update),
    /// It got other event selectors; `None` where the record does not tell which.
    EventsSelected(Option<EventSelectors>),
    /// It got other insight selectors; `None` where the record does not tell which.
    InsightsSelected(Option<BTreeSet<InsightSelector>>),
    /// Perhaps nothing: an alarm says that somebody changed a trail.
    Suspected,
}

/// What `UpdateTrail` set that may be weaker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// What was turned off.
    pub off: BTreeSet<Switch>,
    /// The bucket, if it named one.
    pub bucket: Option<String>,
    /// The KMS key, if it named one; empty for none.
    pub key: Option<String>,
    /// Whether it made an organization's trail one of this account alone.
    pub leaves_organization: bool,
}

impl Act {
    /// The fact `act` of `schema.cedarschema`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
            Self::Updated(_) => "updated",
            Self::EventsSelected(_) => "events-selected",
            Self::InsightsSelected(_) => "insights-selected",
            Self::Suspected => "suspected",
        }
    }
}

/// What `StopLogging`, `DeleteTrail` and `UpdateTrail` are asked. Records write names in camel case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    name: Option<String>,
    include_global_service_events: Option<bool>,
    is_multi_region_trail: Option<bool>,
    enable_log_file_validation: Option<bool>,
    is_organization_trail: Option<bool>,
    s3_bucket_name: Option<String>,
    kms_key_id: Option<String>,
}

/// What `PutEventSelectors` and `PutInsightSelectors` are asked, and what they answer.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    trail_name: Option<String>,
    #[serde(rename = "trailARN")]
    trail_arn: Option<String>,
    /// Insights may be of an event data store instead.
    event_data_store: Option<String>,
    event_selectors: Option<Vec<EventSelector>>,
    advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
    insight_selectors: Option<BTreeSet<InsightSelector>>,
}

/// The finding of an event, if there is one.
pub(crate) fn finding(event: &Event) -> Result<Option<Finding<Weakened>>, EventError> {
    let Some(call) = event.call().filter(|call| call.source == CLOUDTRAIL) else { return Ok(None) };
    match call.name.as_str() {
        "StopLogging" => found(event, call, told(call)?.0, Act::Stopped, Severity::HIGH, Certainty::Event).map(Some),
        "DeleteTrail" => {
            found(event, call, told(call)?.0, Act::Deleted, Severity::CRITICAL, Certainty::Event).map(Some)
        }
        "UpdateTrail" => updated(event, call),
        "PutEventSelectors" => events_selected(event, call),
        "PutInsightSelectors" => insights_selected(event, call),
        _ => Ok(None),
    }
}

/// Whether the alarm is that on changes of trails, control 4.5 of the CIS AWS Foundations Benchmark, as
/// `template-monitoring.yaml` names its metric.
pub(crate) fn is_about_trails(alarm: &Alarm) -> bool {
    let is_control = |namespace: &str, name: &str| namespace.ends_with("/cis") && name.starts_with("4.5-");
    alarm.is_on() && alarm.metrics.iter().any(|metric| is_control(&metric.namespace, &metric.name))
}

/// What an alarm is a reason to look at.
pub(crate) fn suspicion(resource: Resource) -> Finding<Weakened> {
    let subject = Weakened { trail: resource.arn.clone(), act: Act::Suspected };
    Finding { resource, severity: Severity::HIGH, certainty: Certainty::Live, subject }
}

fn told(call: &Call) -> Result<(Option<String>, Update), EventError> {
    let Some(asked) = call.request::<Request>()?.known() else { return Ok((None, Update::default())) };
    let off = [
        (Switch::GlobalServiceEvents, asked.include_global_service_events),
        (Switch::MultiRegion, asked.is_multi_region_trail),
        (Switch::Validation, asked.enable_log_file_validation),
    ];
    let update = Update {
        off: off.into_iter().filter(|(_, on)| *on == Some(false)).map(|(switch, _)| switch).collect(),
        bucket: asked.s3_bucket_name.filter(|bucket| !bucket.is_empty()),
        key: asked.kms_key_id,
        leaves_organization: asked.is_organization_trail == Some(false),
    };
    Ok((asked.name.filter(|name| !name.is_empty()), update))
}

fn updated(event: &Event, call: &Call) -> Result<Option<Finding<Weakened>>, EventError> {
    let (name, update) = told(call)?;
    let certainty = match &update {
        Update { off, .. } if !off.is_empty() => Certainty::Event,
        Update { bucket: None, key: None, leaves_organization: false, .. } if name.is_some() => return Ok(None),
        _ => Certainty::Live,
    };
    found(event, call, name, Act::Updated(update), Severity::MEDIUM, certainty).map(Some)
}

/// What the answer tells goes before what was asked: AWS fills in its defaults.
fn put(call: &Call) -> Result<Put, EventError> {
    let asked = call.request::<Put>()?.known().unwrap_or_default();
    let answer = call.response::<Put>()?.known().unwrap_or_default();
    Ok(Put {
        trail_name: [answer.trail_arn, asked.trail_name].into_iter().flatten().find(|name| !name.is_empty()),
        trail_arn: None,
        event_data_store: asked.event_data_store,
        event_selectors: answer.event_selectors.or(asked.event_selectors),
        advanced_event_selectors: answer.advanced_event_selectors.or(asked.advanced_event_selectors),
        insight_selectors: answer.insight_selectors.or(asked.insight_selectors),
    })
}

fn events_selected(event: &Event, call: &Call) -> Result<Option<Finding<Weakened>>, EventError> {
    let told = put(call)?;
    let selected = match (told.event_selectors, told.advanced_event_selectors) {
        (Some(basic), _) if !basic.is_empty() => Some(EventSelectors::Basic(basic)),
        (_, Some(advanced)) if !advanced.is_empty() => Some(EventSelectors::Advanced(advanced)),
        _ => None,
    };
    let coverage = selected.as_ref().map(EventSelectors::coverage);
    let (severity, certainty) = match coverage {
        Some(coverage) if !coverage.lacks_of(&Coverage::all()) => return Ok(None),
        Some(coverage) if coverage.is_nothing() => (Severity::HIGH, Certainty::Event),
        Some(_) => (Severity::MEDIUM, Certainty::Event),
        None => (Severity::MEDIUM, Certainty::Live),
    };
    found(event, call, told.trail_name, Act::EventsSelected(selected), severity, certainty).map(Some)
}

/// The types of insights that there are. Source: AWS CloudTrail API Reference, "`InsightSelector`".
const INSIGHTS: [&str; 2] = ["ApiCallRateInsight", "ApiErrorRateInsight"];

/// Fewer than all insights are perhaps fewer than before.
fn insights_selected(event: &Event, call: &Call) -> Result<Option<Finding<Weakened>>, EventError> {
    let told = put(call)?;
    if told.trail_name.is_none() && told.event_data_store.is_some() {
        return Ok(None);
    }
    let has = |kind: &str| told.insight_selectors.iter().flatten().any(|selector| selector.kind == kind);
    if INSIGHTS.into_iter().all(has) {
        return Ok(None);
    }
    let act = Act::InsightsSelected(told.insight_selectors);
    found(event, call, told.trail_name, act, Severity::MEDIUM, Certainty::Live).map(Some)
}

/// CloudTrail takes a trail's name or its ARN, and only in its home region. Source: AWS CloudTrail API Reference,
/// "`StopLogging`".
fn found(
    event: &Event,
    call: &Call,
    name: Option<String>,
    act: Act,
    severity: Severity,
    certainty: Certainty,
) -> Result<Finding<Weakened>, EventError> {
    let field = if call.name.starts_with("Put") { "requestParameters.trailName" } else { "requestParameters.name" };
    let name = name.ok_or_else(|| EventError::NoResource { call: call.name.clone(), field })?;
    let trail = if name.starts_with("arn:") {
        Arn::parse(&name).map_err(|source| EventError::Id { field, source })?
    } else {
        let region = event.region.as_str();
        Arn::of(event.region.partition(), "cloudtrail", region, &event.account, &format!("trail/{name}"))
    };
    let arn = trail.sibling(Some(&event.account), trail.resource());
    let resource = Resource { kind: KIND, arn, tags: None };
    Ok(Finding { resource, severity, certainty, subject: Weakened { trail, act } })
}
