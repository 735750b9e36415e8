//! AWS CloudTrail as this responder sees it.

mod convert;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudtrail::operation::update_trail::builders::UpdateTrailFluentBuilder;
use aws_sdk_cloudtrail::types::{Tag, Trail as SdkTrail};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use cloudtrail::Arn;
use futures_util::future::{FutureExt, join, join4, try_join_all};
use lambda::{Connect, applied, call_error, if_there, once};
use remedy::{Applied, CallError, CallErrorKind};

use crate::RestartTrail;
use crate::selectors::EventSelectors;
use crate::trail::{Delivery, InsightSelector, LogGroup, Switch, Trail, Trails};

/// The responder as it is deployed.
pub type Live = RestartTrail<CloudTrail>;

/// The trails of one account and region.
///
/// What only reads names a trail by its ARN, and what writes by its name: CloudTrail takes either, in the home region.
#[derive(Debug)]
pub struct CloudTrail {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(CloudTrail { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Trails for CloudTrail {
    async fn describe(&self, trail: &Arn) -> Result<Option<Trail>, CallError> {
        const ACTION: &str = "cloudtrail:GetTrail";
        let settings = self.reads.get_trail().name(trail.as_str()).send();
        let (found, more) = join(settings, self.more(trail).boxed_local()).await;
        let found = if_there(found.map_err(|error| failed(ACTION, error)))?.and_then(|answer| answer.trail);
        Ok(found.zip(more?).map(|(found, more)| read(trail.clone(), found, more)))
    }

    async fn list(&self) -> Result<Vec<Trail>, CallError> {
        const ACTION: &str = "cloudtrail:DescribeTrails";
        let found = self.reads.describe_trails().include_shadow_trails(false).send().await;
        let found = found.map_err(|error| failed(ACTION, error))?.trail_list.unwrap_or_default();
        let trails = found.into_iter().map(async |found| {
            let arn = found.trail_arn.as_deref().unwrap_or_default();
            let arn = Arn::parse(arn).map_err(|error| CallError::refused(ACTION, error))?;
            Ok(self.more(&arn).await?.map(|more| read(arn, found, more)))
        });
        Ok(try_join_all(trails).await?.into_iter().flatten().collect())
    }

    async fn turn(&self, trail: &Arn, switch: Switch, on: bool) -> Result<Applied, CallError> {
        let name = trail.name();
        match switch {
            Switch::Logging if on => {
                let answer = self.writes.start_logging().name(name).send().await;
                applied(answer.map_err(|error| failed("cloudtrail:StartLogging", error)))
            }
            Switch::Logging => {
                let answer = self.writes.stop_logging().name(name).send().await;
                applied(answer.map_err(|error| failed("cloudtrail:StopLogging", error)))
            }
            Switch::GlobalServiceEvents => update(self.update(trail).include_global_service_events(on)).await,
            Switch::MultiRegion => update(self.update(trail).is_multi_region_trail(on)).await,
            Switch::Validation => update(self.update(trail).enable_log_file_validation(on)).await,
        }
    }

    /// An empty prefix or key is none.
    async fn deliver(&self, trail: &Arn, to: &Delivery) -> Result<Applied, CallError> {
        let Delivery { bucket, prefix, key } = to;
        let (prefix, key) = (prefix.as_deref().unwrap_or_default(), key.as_deref().unwrap_or_default());
        update(self.update(trail).s3_bucket_name(bucket).s3_key_prefix(prefix).kms_key_id(key)).await
    }

    async fn select_events(&self, trail: &Arn, selectors: &EventSelectors) -> Result<Applied, CallError> {
        const ACTION: &str = "cloudtrail:PutEventSelectors";
        let call = self.writes.put_event_selectors().trail_name(trail.name());
        let call = match selectors {
            EventSelectors::Basic(basic) => call.set_event_selectors(Some(convert::to_basic(basic))),
            EventSelectors::Advanced(advanced) => {
                let advanced = convert::to_advanced(advanced).map_err(|error| CallError::refused(ACTION, error))?;
                call.set_advanced_event_selectors(Some(advanced))
            }
        };
        applied(call.send().await.map_err(|error| failed(ACTION, error)))
    }

    async fn select_insights(&self, trail: &Arn, selectors: &BTreeSet<InsightSelector>) -> Result<Applied, CallError> {
        let call = self.writes.put_insight_selectors().trail_name(trail.name());
        let answer = call.set_insight_selectors(Some(convert::to_insights(selectors))).send().await;
        applied(answer.map_err(|error| failed("cloudtrail:PutInsightSelectors", error)))
    }

    async fn create(&self, trail: &Trail) -> Result<Applied, CallError> {
        const ACTION: &str = "cloudtrail:CreateTrail";
        let Trail { arn, on, delivery, organization, topic, log_group, recursive_logging, tags, .. } = trail;
        let tags = tags.iter().flatten().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|error| CallError::refused(ACTION, error))?;
        let (log_group, role) = log_group.as_ref().map(|group| (group.arn.clone(), group.role.clone())).unzip();
        let call = self
            .writes
            .create_trail()
            .name(arn.name())
            .s3_bucket_name(&delivery.bucket)
            .set_s3_key_prefix(delivery.prefix.clone())
            .set_kms_key_id(delivery.key.clone())
            .set_sns_topic_name(topic.clone())
            .include_global_service_events(on.contains(&Switch::GlobalServiceEvents))
            .is_multi_region_trail(on.contains(&Switch::MultiRegion))
            .enable_log_file_validation(on.contains(&Switch::Validation))
            .is_organization_trail(*organization)
            .set_cloud_watch_logs_log_group_arn(log_group)
            .set_cloud_watch_logs_role_arn(role)
            .set_recursive_logging(*recursive_logging)
            .set_tags_list(Some(tags).filter(|tags| !tags.is_empty()));
        match call.send().await {
            Ok(_) => Ok(Applied::Changed),
            Err(error) if error.code() == Some("TrailAlreadyExistsException") => Ok(Applied::AlreadySo),
            Err(error) => Err(failed(ACTION, error)),
        }
    }

    async fn delete(&self, trail: &Arn) -> Result<Applied, CallError> {
        let answer = self.writes.delete_trail().name(trail.name()).send().await;
        applied(answer.map_err(|error| failed("cloudtrail:DeleteTrail", error)))
    }
}

impl CloudTrail {
    fn update(&self, trail: &Arn) -> UpdateTrailFluentBuilder {
        self.writes.update_trail().name(trail.name())
    }

    /// What is to be known of a trail besides its settings; `None` if there is no such trail.
    async fn more(&self, trail: &Arn) -> Result<Option<More>, CallError> {
        let (is_logging, event_selectors, insight_selectors, tags) =
            join4(self.is_logging(trail), self.event_selectors(trail), self.insights(trail), self.tags(trail)).await;
        let (Some(is_logging), Some(event_selectors), Some(insight_selectors), Some(tags)) =
            (if_there(is_logging)?, if_there(event_selectors)?, if_there(insight_selectors)?, if_there(tags)?)
        else {
            return Ok(None);
        };
        Ok(Some(More { is_logging, event_selectors, insight_selectors, tags }))
    }

    async fn is_logging(&self, trail: &Arn) -> Result<bool, CallError> {
        let answer = self.reads.get_trail_status().name(trail.as_str()).send().await;
        let answer = answer.map_err(|error| failed("cloudtrail:GetTrailStatus", error))?;
        Ok(answer.is_logging == Some(true))
    }

    async fn event_selectors(&self, trail: &Arn) -> Result<EventSelectors, CallError> {
        let answer = self.reads.get_event_selectors().trail_name(trail.as_str()).send().await;
        let answer = answer.map_err(|error| failed("cloudtrail:GetEventSelectors", error))?;
        let (basic, advanced) = (answer.event_selectors, answer.advanced_event_selectors);
        Ok(convert::event_selectors(basic.unwrap_or_default(), advanced.unwrap_or_default()))
    }

    async fn insights(&self, trail: &Arn) -> Result<BTreeSet<InsightSelector>, CallError> {
        match self.reads.get_insight_selectors().trail_name(trail.as_str()).send().await {
            Ok(answer) => Ok(convert::insights(answer.insight_selectors.unwrap_or_default())),
            Err(error) if error.code() == Some("InsightNotEnabledException") => Ok(BTreeSet::new()),
            Err(error) => Err(failed("cloudtrail:GetInsightSelectors", error)),
        }
    }

    async fn tags(&self, trail: &Arn) -> Result<BTreeMap<String, String>, CallError> {
        let pages = self.reads.list_tags().resource_id_list(trail.as_str()).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await;
        let found = found.map_err(|error| failed("cloudtrail:ListTags", error))?;
        let tags = found.into_iter().flat_map(|of_trail| of_trail.tags_list.unwrap_or_default());
        Ok(tags.map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
    }
}

/// What CloudTrail tells of a trail in answers of their own.
struct More {
    is_logging: bool,
    event_selectors: EventSelectors,
    insight_selectors: BTreeSet<InsightSelector>,
    tags: BTreeMap<String, String>,
}

fn read(arn: Arn, found: SdkTrail, more: More) -> Trail {
    let is = |flag: Option<bool>| flag == Some(true);
    let on = [
        (Switch::GlobalServiceEvents, is(found.include_global_service_events)),
        (Switch::MultiRegion, is(found.is_multi_region_trail)),
        (Switch::Validation, is(found.log_file_validation_enabled)),
        (Switch::Logging, more.is_logging),
    ];
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    let log_group = text(found.cloud_watch_logs_log_group_arn).zip(text(found.cloud_watch_logs_role_arn));
    Trail {
        arn,
        on: on.into_iter().filter(|(_, on)| *on).map(|(switch, _)| switch).collect(),
        delivery: Delivery {
            bucket: found.s3_bucket_name.unwrap_or_default(),
            prefix: text(found.s3_key_prefix),
            key: text(found.kms_key_id),
        },
        event_selectors: more.event_selectors,
        insight_selectors: more.insight_selectors,
        organization: is(found.is_organization_trail),
        topic: text(found.sns_topic_arn),
        log_group: log_group.map(|(arn, role)| LogGroup { arn, role }),
        recursive_logging: found.recursive_logging,
        tags: Some(more.tags),
    }
}

async fn update(call: UpdateTrailFluentBuilder) -> Result<Applied, CallError> {
    applied(call.send().await.map_err(|error| failed("cloudtrail:UpdateTrail", error)))
}

/// A trail that CloudTrail is still loading, or that somebody else changes, has to be waited for. Source: AWS CloudTrail
/// API Reference, "`UpdateTrail`", `ConflictException`.
fn failed<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let is_busy = error.code() == Some("ConflictException");
    let error = call_error(action, error);
    if is_busy { CallError { kind: CallErrorKind::Throttled, ..error } } else { error }
}
