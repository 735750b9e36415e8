//! One responder, ready for events.

mod heartbeat;

use std::cell::Cell;
use std::path::Path as Folder;
use std::rc::Rc;

use aws_types::SdkConfig;
use chrono::{DateTime, Utc};
use cloudtrail::{AccountId, Arn, Body, Event, Partition, Region};
use lambda_runtime::{Context, LambdaEvent};
use policy::{Organization, Policies, PolicyError};
use remedy::{
    Clock, Incident, IncidentId, Notifier, NotifyError, Outcome, Path, RespondError, Responded, Responder, Status,
    concerns, in_full,
};
use serde::Serialize;
use tracing::Instrument;
use tracing::field::Empty;

use crate::aws::function_config;
use crate::clock::SystemClock;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::ledger::DynamoLedger;
use crate::metrics::Measured;
use crate::notify::SnsNotifier;
use crate::payload::Payload;
use crate::reach::{Place, Reach};
use crate::settings::{Settings, SettingsError};

/// A responder that can be given clients for the services it needs.
pub trait Connect: Responder + Sized {
    /// The responder with clients made from this configuration. Makes no call.
    fn connect(config: &SdkConfig) -> Self;
}

/// Why a function does not start. It would have to guess, so its events rather wait.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("a setting is wrong")]
    Settings(#[from] SettingsError),
    #[error("the policies cannot be used")]
    Policies(#[from] PolicyError),
}

impl StartError {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Settings(_) => "Init.Settings",
            Self::Policies(_) => "Init.Policies",
        }
    }
}

/// A responder and everything it needs, made once and lent to each event.
#[derive(Debug)]
pub(crate) struct Function<R> {
    responder: Rc<R>,
    reach: Reach,
    settings: Settings,
    policies: Policies,
    shadow: Option<Result<Policies, PolicyError>>,
    ledger: DynamoLedger,
    notifier: SnsNotifier,
}

/// What a function answers.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    outcomes: Vec<Outcome>,
}

impl<R: Connect> Function<R> {
    pub(crate) fn prepare(environment: &Environment) -> Result<Self, StartError> {
        let mut settings = Settings::read(environment)?;
        let config = function_config(environment)?;
        let policies = load(&settings.policies)?;
        let reach = Reach::new(config.clone(), settings.role.clone());
        settings.own_roles.extend(member_roles(&settings, policies.organization(), reach.partition()));
        let policies = policies.sparing(&settings.own_roles);
        let shadow = settings.shadow.as_deref().map(|folder| load_shadow(&policies, folder));
        Ok(Self {
            responder: Rc::new(R::connect(&config)),
            ledger: DynamoLedger::new(&config, &settings.table),
            notifier: SnsNotifier::new(&config, settings.topic.as_ref()),
            reach,
            policies,
            shadow,
            settings,
        })
    }

    pub(crate) async fn invoke(&self, event: LambdaEvent<Payload>) -> Result<Answer, Failure> {
        let LambdaEvent { payload, context } = event;
        let responder = R::SPEC.name;
        let span = tracing::info_span!("event", request_id = %context.request_id, responder, event_id = Empty);
        self.deal_with(payload, &context).instrument(span).await
    }

    async fn deal_with(&self, payload: Payload, context: &Context) -> Result<Answer, Failure> {
        let notifier = Watched { notifier: &self.notifier, failures: Cell::new(0) };
        let home = home(context);
        let failed = |failure| Responded { outcomes: Vec::new(), failure: Some(failure) };
        let (event_time, Responded { outcomes, failure }) = match self.event(payload, home.as_ref()).await {
            Err(error) => (None, failed(error)),
            Ok(event) => {
                tracing::Span::current().record("event_id", event.id.as_str());
                let responded = match self.sign_of_life(&event).await {
                    Some(Ok(())) => return Ok(Answer { outcomes: Vec::new() }),
                    Some(Err(error)) => Err(error.into()),
                    None => self.respond(&event, home.as_ref(), &notifier, context).await,
                };
                (event.time, responded.unwrap_or_else(failed))
            }
        };
        let measured = Measured {
            responder: R::SPEC.name,
            at: SystemClock.now(),
            event_time,
            outcomes: &outcomes,
            failed: failure.is_some(),
            untold: notifier.failures.get(),
            shadow_broken: matches!(self.shadow, Some(Err(_))),
        };
        measured.write(std::io::stdout().lock());
        outcomes.iter().for_each(log);
        match failure.map(Failure) {
            None => Ok(Answer { outcomes }),
            Some(failure) => {
                tracing::error!(
                    error_type = failure.kind(),
                    error = in_full(&failure.0),
                    "the event was not dealt with"
                );
                Err(failure)
            }
        }
    }

    /// The event that we were given or, where an operator found that it was missed, that the ledger keeps for us.
    async fn event(&self, payload: Payload, home: Option<&AccountId>) -> Result<Event, RespondError> {
        let event = payload.into_json().and_then(Event::decode)?;
        // Members may put events on the bus, and these are not theirs to put.
        if matches!(event.body, Body::Approved { .. } | Body::Missed { .. } | Body::Heartbeat { .. })
            && Some(&event.account) != home
        {
            return Err(RespondError::Sender(event.account));
        }
        let Body::Missed { event: id } = &event.body else { return Ok(event) };
        let kept = self.ledger.kept(id).await?.ok_or_else(|| RespondError::NotKept(id.clone()))?;
        Ok(Event::decode(kept)?)
    }

    /// Deals with the event where it happened.
    async fn respond(
        &self,
        event: &Event,
        home: Option<&AccountId>,
        notifier: &Watched<'_, SnsNotifier>,
        context: &Context,
    ) -> Result<Responded, RespondError> {
        let here = || Place { account: event.account.clone(), region: event.region.clone() };
        let approved = match &event.body {
            Body::Approved { incident } => Some(IncidentId::new(incident.as_str())),
            _ => None,
        };
        let place = match &approved {
            None => here(),
            // Of an incident that is not there, the path says so.
            Some(id) => self
                .ledger
                .get(id)
                .await?
                .map_or_else(here, |incident| Place { account: incident.account, region: incident.region }),
        };
        let is_home = self.reach.is_home(&place, home);
        // Nobody's role is assumed for an event that is about nothing.
        if !is_home && approved.is_none() && !concerns::<R>(event, &self.settings.own_roles)? {
            return Ok(Responded { outcomes: Vec::new(), failure: None });
        }
        let agent = self.reach.agent(&self.responder, &place, home, self.policies.organization()).await?;
        let path = self.path(self.reach.region_at(&place, home), is_home, notifier, context);
        Ok(match approved {
            Some(id) => path.resume(&agent, &id).await,
            None => path.respond(&agent, event).await,
        })
    }

    fn path<'a>(
        &'a self,
        region: &'a Region,
        is_home: bool,
        notifier: &'a Watched<'a, SnsNotifier>,
        context: &'a Context,
    ) -> Path<'a, DynamoLedger, Watched<'a, SnsNotifier>, SystemClock> {
        Path {
            policies: &self.policies,
            shadow: self.shadow.as_ref().and_then(|shadow| shadow.as_ref().ok()),
            ledger: &self.ledger,
            notifier,
            clock: &SystemClock,
            region,
            own_roles: &self.settings.own_roles,
            flips: self.settings.flips,
            // Who ends leases has rights at home only.
            leases: self.settings.leases && is_home,
            owner: &context.request_id,
            deadline: deadline(context),
        }
    }
}

fn load(folder: &Folder) -> Result<Policies, PolicyError> {
    let policies = Policies::load(folder)?;
    tracing::debug!(folder = %folder.display(), rules = policies.rules().len(), "policies loaded");
    Ok(policies)
}

/// What is only asked for comparison must not keep the function from its work, so that it cannot be used is only told: here,
/// and by a metric with each event.
fn load_shadow(policies: &Policies, folder: &Folder) -> Result<Policies, PolicyError> {
    policies.with_rules_of(folder).inspect_err(|error| {
        tracing::error!(folder = %folder.display(), error = in_full(error), "the shadow policies cannot be used");
    })
}

/// The account of the function, by its own ARN.
pub(crate) fn home(context: &Context) -> Option<AccountId> {
    Arn::parse(&context.invoked_function_arn).ok()?.account()
}

/// The roles that we are in other accounts, and in other regions of our own.
fn member_roles(settings: &Settings, organization: &Organization, partition: Partition) -> Vec<Arn> {
    let Some(role) = &settings.role else { return Vec::new() };
    let own = settings.own_roles.first().and_then(Arn::account);
    organization.accounts().chain(&own).map(|account| role.in_account(partition, account)).collect()
}

/// Lambda gives milliseconds since 1970; a number that is no time gives none.
pub(crate) fn deadline(context: &Context) -> DateTime<Utc> {
    i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::UNIX_EPOCH)
}

fn log(outcome: &Outcome) {
    let Outcome { incident, resource, actor, verdict, policies, status, because, changes, spent, shadow, .. } = outcome;
    let status = match status {
        Status::Contained => "contained",
        Status::AlreadySafe => "already_safe",
        Status::Observed => "observed",
        Status::Pending => "pending",
        Status::Contested => "contested",
        Status::Exempt => "exempt",
        Status::Duplicate => "duplicate",
        Status::Uncontainable => "uncontainable",
        Status::Failed => "failed",
    };
    let (shadow, shadow_because) =
        shadow.as_ref().map(|shadow| (shadow.verdict.as_str(), shadow.because.as_str())).unzip();
    let did: Vec<_> = changes.iter().map(|entry| entry.did.as_str()).collect();
    tracing::info!(
        %incident, %resource, actor, verdict, policies = policies.join(", "), status, because, did = did.join("; "),
        spent, shadow, shadow_because,
        "a finding was dealt with"
    );
}

/// Counts the notifications that were not sent: the path goes on without them.
#[derive(Debug)]
struct Watched<'a, N> {
    notifier: &'a N,
    failures: Cell<u32>,
}

impl<N: Notifier> Notifier for Watched<'_, N> {
    async fn notify(&self, incident: &Incident) -> Result<(), NotifyError> {
        let told = self.notifier.notify(incident).await;
        if told.is_err() {
            self.failures.set(self.failures.get() + 1);
        }
        told
    }
}
