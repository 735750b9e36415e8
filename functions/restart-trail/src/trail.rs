//! A trail, and the part of AWS CloudTrail that this responder needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cloudtrail::Arn;
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

use crate::selectors::EventSelectors;

/// What of a trail is either on or off. Off is weaker.
///
/// In this order they are turned on: a trail of all regions must have global service events. Source: AWS CloudTrail API
/// Reference, "`UpdateTrail`", `InvalidParameterCombinationException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Switch {
    /// It logs the events of services without regions, such as IAM.
    GlobalServiceEvents,
    /// It logs the events of all regions, and not just of its own.
    MultiRegion,
    /// Digest files let a person prove that log files were not changed.
    Validation,
    /// It logs at all.
    Logging,
}

impl Switch {
    /// All of them: the baseline that ships.
    pub const ALL: [Self; 4] = [Self::GlobalServiceEvents, Self::MultiRegion, Self::Validation, Self::Logging];

    /// A word for it, in the fact `weakened` and in change keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalServiceEvents => "global-service-events",
            Self::MultiRegion => "multi-region",
            Self::Validation => "validation",
            Self::Logging => "logging",
        }
    }
}

/// Where log files go. The three belong together: the bucket's policy names the prefix, and the key must be in the
/// bucket's region. Source: CloudTrail User Guide, "Encrypting CloudTrail log files with AWS KMS keys (SSE-KMS)".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The Amazon S3 bucket.
    pub bucket: String,
    /// What comes before the file names in it.
    pub prefix: Option<String>,
    /// The ARN of the AWS KMS key; without one Amazon S3 encrypts with its own.
    pub key: Option<String>,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.prefix.as_deref().unwrap_or_default())?;
        match &self.key {
            Some(key) => write!(f, " with key {key}"),
            None => f.write_str(" without key"),
        }
    }
}

/// The Amazon `CloudWatch` Logs group that events also go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogGroup {
    /// Its ARN.
    pub arn: String,
    /// The ARN of the role that CloudTrail writes with.
    pub role: String,
}

/// One type of CloudTrail Insights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InsightSelector {
    /// `ApiCallRateInsight` or `ApiErrorRateInsight`.
    #[serde(rename = "insightType")]
    pub kind: String,
    /// Of which events; of management events where none is said.
    #[serde(default, rename = "eventCategories", skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<String>,
}

/// A trail as CloudTrail describes it: what is observed, and what a baseline remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trail {
    /// In its home region.
    pub arn: Arn,
    /// What is on.
    pub on: BTreeSet<Switch>,
    /// Where log files go.
    pub delivery: Delivery,
    /// Which events are logged.
    pub event_selectors: EventSelectors,
    /// Which insights are.
    pub insight_selectors: BTreeSet<InsightSelector>,
    /// Whether it is the trail of an organization.
    pub organization: bool,
    /// The ARN of the Amazon SNS topic that is told of log files.
    pub topic: Option<String>,
    /// Where events go besides.
    pub log_group: Option<LogGroup>,
    /// Whether CloudTrail's own deliveries are logged, where CloudTrail says so.
    pub recursive_logging: Option<bool>,
    /// The tags; `None` where only an event was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Trail {
    /// The trail as policies see it.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource { kind: KIND, arn: self.arn.clone(), tags: self.tags.clone() }
    }

    /// How CloudTrail creates it: it logs nothing yet, and would log all management events.
    #[must_use]
    pub fn as_created(&self) -> Self {
        let mut created = self.clone();
        created.on.remove(&Switch::Logging);
        created.event_selectors = EventSelectors::default();
        created.insight_selectors = BTreeSet::new();
        created
    }
}

/// The Cedar entity type of a trail.
pub(crate) const KIND: ResourceKind = ResourceKind::new("Trail");

/// The trails of one account and region. A trail that does not exist is `None` or [`Applied::AlreadySo`], and not an
/// error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Trails {
    /// Everything about the trail.
    async fn describe(&self, trail: &Arn) -> Result<Option<Trail>, CallError>;
    /// The trails whose home is this region.
    async fn list(&self) -> Result<Vec<Trail>, CallError>;
    /// Turns something on or off.
    async fn turn(&self, trail: &Arn, switch: Switch, on: bool) -> Result<Applied, CallError>;
    /// Changes where log files go.
    async fn deliver(&self, trail: &Arn, to: &Delivery) -> Result<Applied, CallError>;
    /// Replaces the event selectors.
    async fn select_events(&self, trail: &Arn, selectors: &EventSelectors) -> Result<Applied, CallError>;
    /// Replaces the insight selectors.
    async fn select_insights(&self, trail: &Arn, selectors: &BTreeSet<InsightSelector>) -> Result<Applied, CallError>;
    /// Creates the trail, which then is [`Trail::as_created`].
    async fn create(&self, trail: &Trail) -> Result<Applied, CallError>;
    /// Deletes the trail; its log files stay.
    async fn delete(&self, trail: &Arn) -> Result<Applied, CallError>;
}
