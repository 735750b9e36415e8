//! An AWS account to play in: the emulator behind the proxy, and the people who act in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::emulator::Emulator;
use crate::error::StageError;
use crate::proxy::{Call, Proxy};
use crate::trail::{self, Identity};

/// The emulator behind a recording proxy, and who signs with which key.
#[derive(Debug)]
pub struct Account {
    emulator: Emulator,
    proxy: Proxy,
    actors: RefCell<BTreeMap<String, Identity>>,
}

impl Account {
    /// An empty account, in which everybody may do everything.
    pub async fn open() -> Result<Self, StageError> {
        Self::of(Emulator::start().await?).await
    }

    /// An empty account that enforces IAM: whoever is not root may do only what policies allow him.
    pub async fn open_enforcing() -> Result<Self, StageError> {
        Self::of(Emulator::start_enforcing().await?).await
    }

    async fn of(emulator: Emulator) -> Result<Self, StageError> {
        let proxy = Proxy::start(emulator.address()).await?;
        Ok(Self { emulator, proxy, actors: RefCell::default() })
    }

    /// The emulator itself, for what should not be recorded.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The proxy that everybody's calls go through.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// An SDK configuration with which `who` acts in `region`; from now on his calls can be told from others'.
    pub async fn acting_as(&self, who: Identity, region: &str) -> SdkConfig {
        let key = self.key_of(who);
        self.configuration(Credentials::new(key, "not-a-secret", None, None, "stage"), region).await
    }

    /// An SDK configuration with these very credentials, the calls made with which are told as `who`'s. An account that
    /// enforces IAM takes no others than its own.
    pub async fn signing_with(&self, credentials: Credentials, who: Identity, region: &str) -> SdkConfig {
        self.actors.borrow_mut().insert(credentials.access_key_id().to_owned(), who);
        self.configuration(credentials, region).await
    }

    async fn configuration(&self, credentials: Credentials, region: &str) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(self.proxy.endpoint())
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials)
            .load()
            .await
    }

    /// The environment with which a process acts as `who` in `region`.
    pub fn environment_of(&self, who: Identity, region: &str) -> Vec<(&'static str, OsString)> {
        vec![
            ("AWS_ENDPOINT_URL", self.proxy.endpoint().into()),
            ("AWS_REGION", region.into()),
            ("AWS_ACCESS_KEY_ID", self.key_of(who).into()),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret".into()),
        ]
    }

    /// The events that AWS would have sent for the calls since this was last asked, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.proxy.clear().iter().flat_map(|call| self.events_of(call)).collect()
    }

    /// The event that CloudTrail made of a call, and those that the call itself put on the event bus.
    fn events_of(&self, call: &Call) -> impl Iterator<Item = Value> + use<> {
        let recorded =
            self.event_of(call).filter(|event| event.pointer("/detail/eventName") != Some(&"PutEvents".into()));
        recorded.into_iter().chain(trail::sent(call, crate::ACCOUNT))
    }

    /// The event that AWS would have sent for a call; `None` where it would send none, or does not know the caller.
    #[must_use]
    pub fn event_of(&self, call: &Call) -> Option<Value> {
        let actors = self.actors.borrow();
        let who = actors.get(&call.access_key_id)?;
        trail::record(call, who).map(|record| trail::envelope(&record))
    }

    /// A key for each actor, so that the proxy can tell from a signature who it was. One that really exists in the
    /// account, given by [`Identity::signing_with`], makes STS say the right name too.
    fn key_of(&self, who: Identity) -> String {
        let mut actors = self.actors.borrow_mut();
        if let Some((key, _)) = actors.iter().find(|(_, known)| known.arn() == who.arn() && known.key() == who.key()) {
            return key.clone();
        }
        let key = who.key().map_or_else(|| format!("AKIASTAGE{:011}", actors.len()), str::to_owned);
        actors.insert(key.clone(), who);
        key
    }
}
