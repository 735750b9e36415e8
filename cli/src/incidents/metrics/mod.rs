//! What the resource and the actor of an incident did around its event: `incidents show --metrics`.
//!
//! Each look is for itself: one that is denied ends no other.

mod calls;
mod catalogue;
mod instances;
mod sparkline;
mod tell;
mod watched;
mod window;

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::types::LookupAttributeKey;
use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use lambda::{Listing, in_region};
use remedy::{CallError, CallErrorKind, Incident, State};
use serde::Serialize;

use self::catalogue::Source;
use self::sparkline::Unit;
pub(super) use self::tell::tell;
use self::window::Window;
use super::Session;
use crate::event_history::Wanted;
use crate::failure::Failure;

/// What was found. Other programs rely on this form.
#[derive(Debug, Serialize)]
pub(super) struct Metrics {
    #[serde(flatten)]
    window: Window,
    panels: Vec<Panel>,
    same_actor: Vec<Other>,
}

/// The series of one thing.
#[derive(Debug, Serialize)]
struct Panel {
    of: String,
    series: Vec<Series>,
    /// What is missing, and why.
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Series {
    #[serde(skip)]
    label: &'static str,
    metric: &'static str,
    unit: Unit,
    /// One for each period; `null` where nothing is known.
    values: Vec<Option<f64>>,
}

/// Another incident of the same actor, opened in the same time.
#[derive(Debug, Serialize)]
struct Other {
    incident: String,
    opened: DateTime<Utc>,
    responder: String,
    event_name: String,
    state: State,
}

/// Why there is nothing to be seen of something.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetricsError {
    #[error("metrics are not looked at: the incident is of account {theirs}, and your credentials are of {yours}")]
    Elsewhere { theirs: AccountId, yours: AccountId },
    #[error("the metrics of `{of}` cannot be read")]
    Call { of: String, source: CallError },
}

impl MetricsError {
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Elsewhere { theirs, .. } => {
                Some(format!("name a --profile of account {theirs} that may read the ledger, by its ARN in --table"))
            }
            Self::Call { source, .. } => {
                (source.kind == CallErrorKind::Denied).then(|| format!("your role needs {}", source.action))
            }
        }
    }
}

/// Looks for everything, and says what could not be seen.
pub(super) async fn gather(
    session: &Session,
    incident: &Incident,
    now: DateTime<Utc>,
) -> Result<(Metrics, Vec<MetricsError>), Failure> {
    let window = Window::around(incident.event_time.unwrap_or(incident.opened), now);
    let (mut panels, mut errors) = (Vec::new(), Vec::new());
    let (theirs, yours) = (incident.account.clone(), session.operator().await?.account);
    if yours == theirs {
        let region = incident.region.as_str();
        let resource = incident.resource.arn.region();
        let resource = in_region(&session.config, resource.as_ref().map_or(region, |region| region.as_str()));
        let actor = in_region(&session.config, region);
        let source = catalogue::source(&incident.resource.arn);
        let mut asked: Vec<(&SdkConfig, Source)> = vec![(&resource, source.clone())];
        let by_actor = calls::by(&incident.actor).map(Source::Calls);
        asked.extend(by_actor.filter(|by_actor| *by_actor != source).map(|by_actor| (&actor, by_actor)));
        for (config, source) in asked {
            let of = source.to_string();
            match look(&Place { config, window, now }, source).await {
                Ok(found) => panels.extend(found),
                Err(source) => errors.push(MetricsError::Call { of, source }),
            }
        }
    } else {
        errors.push(MetricsError::Elsewhere { theirs, yours });
    }
    let same_actor = same_actor(session, incident, window).await?;
    Ok((Metrics { window, panels, same_actor }, errors))
}

/// Where and when is looked.
struct Place<'a> {
    config: &'a SdkConfig,
    window: Window,
    now: DateTime<Utc>,
}

async fn look(place: &Place<'_>, source: Source) -> Result<Vec<Panel>, CallError> {
    match source {
        Source::Watched(watched) => watched::look(place, &[watched]).await,
        Source::Instances { group } => instances::look(place, &group).await,
        Source::Calls(wanted) => Ok(vec![calls::count(place, wanted).await?]),
    }
}

async fn same_actor(session: &Session, incident: &Incident, window: Window) -> Result<Vec<Other>, Failure> {
    let mut others = session.list(&Listing::between(window.from, window.to)).await?;
    others.retain(|other| other.actor.principal == incident.actor.principal && other.id != incident.id);
    let told = |Incident { id, opened, responder, event_name, state, .. }: Incident| Other {
        incident: id.to_string(),
        opened,
        responder,
        event_name,
        state,
    };
    Ok(others.into_iter().map(told).collect())
}

/// What is counted, in words.
fn calls_of((key, value): &Wanted) -> String {
    match key {
        LookupAttributeKey::ResourceName => format!("calls that name {value}"),
        LookupAttributeKey::AccessKeyId => format!("calls with key {value}"),
        _ => format!("calls by {value}"),
    }
}
