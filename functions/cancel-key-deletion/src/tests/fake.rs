//! KMS, as far as this responder can tell.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use cloudtrail::{Arn, Event};
use remedy::{Applied, CallError, CallErrorKind, Responder};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::CancelKeyDeletion;
use crate::called::Endangered;
use crate::key::{Key, KeyState, Keys, Rotation};

pub(super) const OWN: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"kms:*","Resource":"*"}]}"#;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) key: Key,
    pub(super) rotation: Option<Rotation>,
    pub(super) policy: String,
}

#[derive(Debug, Clone)]
pub(super) struct Kms {
    pub(super) state: Rc<RefCell<Option<State>>>,
    /// Whether the key's policy keeps us out.
    pub(super) denies: Rc<Cell<bool>>,
    journal: Journal,
}

impl Kms {
    /// A key as it should be.
    pub(super) fn new(arn: &Arn) -> Self {
        let tags = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
        let is_multi_region = arn.name().starts_with("mrk-");
        let key =
            Key { arn: arn.clone(), state: KeyState::Enabled, multi_region: Some(is_multi_region), tags: Some(tags) };
        let state = State { key, rotation: Some(Rotation { on: true, days: Some(180) }), policy: OWN.to_owned() };
        let state = Rc::new(RefCell::new(Some(state)));
        Self { state, denies: Rc::new(Cell::new(false)), journal: Journal::default() }
    }

    /// The key after the call.
    pub(super) fn after(event: &Event) -> Self {
        let finding = CancelKeyDeletion::<Self>::detect(event).unwrap().remove(0);
        let kms = Self::new(&finding.resource.arn);
        kms.change(|state| match finding.subject {
            Endangered::Scheduled { .. } => state.key.state = pending(&state.key),
            Endangered::Disabled => state.key.state = KeyState::Disabled,
            Endangered::Unrotated => state.rotation = Some(Rotation { on: false, days: Some(180) }),
            Endangered::PolicyPut { policy, .. } => state.policy = policy.unwrap(),
        });
        kms
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(self.state.borrow_mut().as_mut().unwrap());
    }

    fn read(&self, action: &'static str) -> Result<(), CallError> {
        self.journal.read(action);
        if self.denies.get() {
            return Err(CallError { action, kind: CallErrorKind::Denied, source: "the policy denies it".into() });
        }
        Ok(())
    }

    fn write(
        &self,
        action: &'static str,
        request: &Value,
        change: impl FnOnce(&mut State),
    ) -> Result<Applied, CallError> {
        let name = action.strip_prefix("kms:").unwrap();
        let record = json!({
            "eventVersion": "1.11",
            "eventID": format!("{name} {request}"),
            "eventTime": "2026-11-22T07:00:00Z",
            "eventSource": "kms.amazonaws.com",
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
        Ok(match &mut *self.state.borrow_mut() {
            Some(state) => {
                change(state);
                Applied::Changed
            }
            None => Applied::AlreadySo,
        })
    }

    fn is_pending(&self) -> bool {
        self.state.borrow().as_ref().is_some_and(|state| state.key.state.is_pending_deletion())
    }
}

fn pending(key: &Key) -> KeyState {
    if key.multi_region == Some(true) { KeyState::PendingReplicaDeletion } else { KeyState::PendingDeletion }
}

impl World for Kms {
    type State = Option<State>;

    fn state(&self) -> Option<State> {
        self.state.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl Keys for Kms {
    async fn describe(&self, key: &Arn) -> Result<Option<Key>, CallError> {
        self.read("kms:DescribeKey")?;
        self.read("kms:ListResourceTags")?;
        Ok(self.state.borrow().as_ref().map(|state| state.key.clone()).filter(|found| found.arn == *key))
    }

    async fn rotation(&self, _: &Arn) -> Result<Option<Rotation>, CallError> {
        self.read("kms:GetKeyRotationStatus")?;
        Ok(self.state.borrow().as_ref().and_then(|state| state.rotation))
    }

    async fn policy(&self, _: &Arn) -> Result<Option<String>, CallError> {
        self.read("kms:GetKeyPolicy")?;
        Ok(self.state.borrow().as_ref().map(|state| state.policy.clone()))
    }

    async fn list(&self) -> Result<Vec<Key>, CallError> {
        self.journal.read("kms:ListKeys");
        Ok(self.state.borrow().iter().map(|state| state.key.clone()).collect())
    }

    async fn cancel_deletion(&self, key: &Arn) -> Result<Applied, CallError> {
        if !self.is_pending() {
            return Ok(Applied::AlreadySo);
        }
        let request = json!({"keyId": key.name()});
        self.write("kms:CancelKeyDeletion", &request, |state| state.key.state = KeyState::Disabled)
    }

    async fn schedule_deletion(&self, key: &Arn, days: i32) -> Result<Applied, CallError> {
        let request = json!({"keyId": key.name(), "pendingWindowInDays": days});
        self.write("kms:ScheduleKeyDeletion", &request, |state| state.key.state = pending(&state.key))
    }

    async fn set_enabled(&self, key: &Arn, enabled: bool) -> Result<Applied, CallError> {
        assert!(!self.is_pending(), "KMS refuses this of a key that is to be deleted");
        let action = if enabled { "kms:EnableKey" } else { "kms:DisableKey" };
        let state = if enabled { KeyState::Enabled } else { KeyState::Disabled };
        self.write(action, &json!({"keyId": key.name()}), |it| it.key.state = state)
    }

    async fn set_rotation(&self, key: &Arn, rotation: Rotation) -> Result<Applied, CallError> {
        let enabled = self.state.borrow().as_ref().is_none_or(|state| state.key.state == KeyState::Enabled);
        assert!(enabled, "KMS refuses this of a key that is not enabled");
        let action = if rotation.on { "kms:EnableKeyRotation" } else { "kms:DisableKeyRotation" };
        self.write(action, &json!({"keyId": key.name()}), |state| {
            let days = rotation.days.filter(|_| rotation.on).or(state.rotation.and_then(|before| before.days));
            state.rotation = Some(Rotation { on: rotation.on, days });
        })
    }

    async fn put_policy(&self, key: &Arn, policy: &str) -> Result<Applied, CallError> {
        let request = json!({"keyId": key.name(), "policyName": "default", "policy": policy});
        self.write("kms:PutKeyPolicy", &request, |state| policy.clone_into(&mut state.policy))
    }
}
