//! Where a function acts: at home with its own rights, in other accounts and regions in a session of their member role.
//!
//! A function looks with a session that says which responder it is, which is kept for each account until shortly before it
//! ends. It writes with another, which says of which incident. The member role lets only the second kind write.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::Tag;
use aws_types::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{AccountId, Arn, Event, EventError, Partition, Region};
use policy::{Organization, Warrant};
use remedy::{
    Applied, CallError, ChangeKey, Clock, Finding, IncidentId, Plan, RespondError, Responder, Situation, Spec,
};

use crate::aws::{in_region, region_of};
use crate::calls::call_error;
use crate::clock::SystemClock;
use crate::function::Connect;
use crate::settings::MemberRole;

const ACTION: &str = "sts:AssumeRole";

/// What the member role's policies go by.
const RESPONDER: &str = "countermand-responder";
const INCIDENT: &str = "countermand-incident";

/// A session that ends sooner is not begun anything with.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// The longest that a role may be assumed for by a role's session, and the shortest. Source: AWS STS API Reference,
/// `AssumeRole`, `DurationSeconds`.
const TO_LOOK_SECONDS: i32 = 3_600;
const TO_WRITE_SECONDS: i32 = 900;

/// What it takes to act anywhere.
#[derive(Debug)]
pub(crate) struct Reach {
    config: SdkConfig,
    /// Where the function runs.
    region: Region,
    role: Option<MemberRole>,
    sessions: RefCell<BTreeMap<AccountId, Credentials>>,
}

fn lasts(session: &Credentials, now: DateTime<Utc>) -> bool {
    session.expiry().is_some_and(|until| now + MARGIN < DateTime::<Utc>::from(until))
}

/// Assumes a role as the call says.
pub async fn assume(call: AssumeRoleFluentBuilder) -> Result<Credentials, CallError> {
    let given = call.send().await.map_err(|error| call_error(ACTION, error))?.credentials;
    let given = given.ok_or_else(|| CallError::refused(ACTION, "the answer has no credentials"))?;
    let (key, secret, token) = (given.access_key_id, given.secret_access_key, given.session_token);
    Ok(Credentials::new(key, secret, Some(token), given.expiration.try_into().ok(), "assumed role"))
}

/// An account and a region of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

impl Reach {
    pub(crate) fn new(config: SdkConfig, role: Option<MemberRole>) -> Self {
        let region = region_of(&config);
        Self { config, region, role, sessions: RefCell::default() }
    }

    pub(crate) fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// The region that a responder acts in that looks at this place.
    pub(crate) fn region_at<'a>(&'a self, place: &'a Place, home: Option<&AccountId>) -> &'a Region {
        if self.is_home(place, home) { &self.region } else { &place.region }
    }

    /// Whether the function acts there with its own rights. Those are for its own region, so that in another one of its own
    /// account it takes the member role as well. Without such a role it knows no other region.
    pub(crate) fn is_home(&self, place: &Place, home: Option<&AccountId>) -> bool {
        Some(&place.account) == home && (place.region == self.region || self.role.is_none())
    }

    /// The responder that acts at this place, or why there is none.
    pub(crate) async fn agent<R: Connect>(
        &self,
        own: &Rc<R>,
        place: &Place,
        home: Option<&AccountId>,
        organization: &Organization,
    ) -> Result<Agent<'_, R>, RespondError> {
        if self.is_home(place, home) {
            return Ok(Agent { responder: Rc::clone(own), away: None });
        }
        let Some(role) = &self.role else { return Err(RespondError::Foreign(place.account.clone())) };
        if Some(&place.account) != home && !organization.lists(&place.account) {
            return Err(RespondError::Stranger(place.account.clone()));
        }
        if !is_region(place.region.as_str()) || place.region.partition() != self.partition() {
            return Err(RespondError::NoRegion { region: place.region.clone(), here: self.region.clone() });
        }
        let away = Away { reach: self, role: role.clone(), place: place.clone() };
        let assumed = away.to_look(R::SPEC.name).await;
        let session = assumed.map_err(|source| RespondError::Assume { role: away.arn(), source })?;
        Ok(Agent { responder: Rc::new(away.connect(session)), away: Some(away) })
    }
}

/// `eu-west-1`, `us-gov-west-1`. A region's name becomes part of a host's.
fn is_region(name: &str) -> bool {
    let mut parts = name.split('-').rev();
    let is = |part: &str, of: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| of(&byte));
    parts.next().is_some_and(|number| is(number, u8::is_ascii_digit))
        && parts.clone().count() >= 2
        && parts.all(|word| is(word, u8::is_ascii_lowercase))
}

/// Another account, or another region, and the way in.
#[derive(Debug, Clone)]
struct Away<'a> {
    reach: &'a Reach,
    role: MemberRole,
    place: Place,
}

impl Away<'_> {
    fn arn(&self) -> Arn {
        self.role.in_account(self.reach.partition(), &self.place.account)
    }

    async fn to_look(&self, responder: &'static str) -> Result<Credentials, CallError> {
        let now = SystemClock.now();
        let kept = self.reach.sessions.borrow().get(&self.place.account).filter(|session| lasts(session, now)).cloned();
        if let Some(session) = kept {
            return Ok(session);
        }
        let session = self.assume(responder, None).await?;
        self.reach.sessions.borrow_mut().insert(self.place.account.clone(), session.clone());
        Ok(session)
    }

    async fn assume(&self, responder: &'static str, incident: Option<&IncidentId>) -> Result<Credentials, CallError> {
        let tag = |key: &str, value: &str| {
            Tag::builder().key(key).value(value).build().map_err(|error| CallError::refused(ACTION, error))
        };
        // The endpoint of the function's own region: a session of it is valid in all regions, those that an account must
        // opt in to included. Source: IAM User Guide, "Manage AWS STS in an AWS Region".
        let sts = Client::new(&self.reach.config);
        // The session's name is in every record that CloudTrail makes of its calls.
        let name = format!("countermand-{}", incident.map_or(responder, IncidentId::as_str));
        let mut call = sts.assume_role().role_arn(self.arn().as_str()).role_session_name(name);
        call = call.set_external_id(self.role.external_id.clone()).tags(tag(RESPONDER, responder)?);
        call = match incident {
            None => call.duration_seconds(TO_LOOK_SECONDS),
            Some(incident) => call.duration_seconds(TO_WRITE_SECONDS).tags(tag(INCIDENT, incident.as_str())?),
        };
        assume(call).await
    }

    fn connect<R: Connect>(&self, session: Credentials) -> R {
        let config = in_region(&self.reach.config, self.place.region.as_str()).into_builder();
        R::connect(&config.credentials_provider(SharedCredentialsProvider::new(session)).build())
    }
}

/// A responder at one place.
#[derive(Debug)]
pub(crate) struct Agent<'a, R> {
    responder: Rc<R>,
    away: Option<Away<'a>>,
}

impl<R: Connect> Responder for Agent<'_, R> {
    const SPEC: Spec = R::SPEC;
    type Subject = R::Subject;
    type Observed = R::Observed;
    type Change = R::Change;

    fn detect(event: &Event) -> Result<Vec<Finding<R::Subject>>, EventError> {
        R::detect(event)
    }

    fn presume(finding: &Finding<R::Subject>) -> R::Observed {
        R::presume(finding)
    }

    fn hangs_on(finding: &Finding<R::Subject>) -> Option<ChangeKey> {
        R::hangs_on(finding)
    }

    async fn suspect(&self, event: &Event) -> Result<Vec<Finding<R::Subject>>, CallError> {
        self.responder.suspect(event).await
    }

    async fn observe(&self, finding: &Finding<R::Subject>) -> Result<R::Observed, CallError> {
        self.responder.observe(finding).await
    }

    fn plan(finding: &Finding<R::Subject>, observed: &R::Observed, situation: &Situation) -> Plan<R::Change> {
        R::plan(finding, observed, situation)
    }

    fn holds(change: &R::Change, observed: &R::Observed) -> bool {
        R::holds(change, observed)
    }

    async fn for_incident(&self, incident: &IncidentId) -> Result<Option<Self>, CallError> {
        let Some(away) = &self.away else { return Ok(None) };
        let session = away.assume(R::SPEC.name, Some(incident)).await?;
        Ok(Some(Self { responder: Rc::new(away.connect(session)), away: None }))
    }

    async fn apply(&self, change: &R::Change, warrant: &Warrant) -> Result<Applied, CallError> {
        self.responder.apply(change, warrant).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::time;

    #[test]
    fn a_session_is_used_until_five_minutes_before_it_ends() {
        let session = Credentials::new("ASIA", "secret", None, Some(time("2026-11-22T08:00:00Z").into()), "test");
        assert!(lasts(&session, time("2026-11-22T07:54:59Z")));
        assert!(!lasts(&session, time("2026-11-22T07:55:00Z")));
        assert!(!lasts(&session, time("2026-11-22T09:00:00Z")));
    }

    #[test]
    fn only_what_looks_like_a_region_becomes_part_of_a_host() {
        for region in ["us-east-1", "us-gov-west-1", "cn-northwest-1", "ap-southeast-12", "eu-isoe-west-1"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "us-east", "us-1", "east-1", "us-east-1.evil.example/", "us--1", "US-EAST-1", "us-east-1 "] {
            assert!(!is_region(other), "{other:?}");
        }
    }
}
