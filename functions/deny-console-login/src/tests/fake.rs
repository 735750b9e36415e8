//! IAM, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cloudtrail::Arn;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use remedy::{Applied, CallError};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::{LiveUser, Users, deny};

/// The user alice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alice {
    pub(super) exists: bool,
    pub(super) password: bool,
    pub(super) mfa_devices: usize,
    pub(super) policy: Option<String>,
}

/// An account with one user.
#[derive(Debug, Clone)]
pub(super) struct Iam {
    pub(super) alice: Rc<RefCell<Alice>>,
    pub(super) journal: Journal,
}

impl Iam {
    /// Alice has a password and no MFA.
    pub(super) fn new() -> Self {
        let alice = Alice { exists: true, password: true, mfa_devices: 0, policy: None };
        Self { alice: Rc::new(RefCell::new(alice)), journal: Journal::default() }
    }

    pub(super) fn policy(&self) -> Option<String> {
        self.alice.borrow().policy.clone()
    }

    /// By somebody else.
    pub(super) fn put_by_hand(&self, policy: Option<&str>) {
        self.alice.borrow_mut().policy = policy.map(str::to_owned);
    }

    fn knows(&self, name: &str) -> bool {
        self.alice.borrow().exists && name == "alice"
    }
}

impl World for Iam {
    type State = Alice;

    fn state(&self) -> Alice {
        self.alice.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

/// What CloudTrail would write of a call of our function's.
fn record(name: &str, request: &Value) -> Value {
    json!({
        "eventID": format!("{name} {request}"), "eventTime": "2026-11-22T07:00:00Z",
        "eventSource": "iam.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
        "recipientAccountId": "123456789012",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
        "requestParameters": request, "responseElements": null
    })
}

impl Users for Iam {
    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError> {
        self.journal.read("iam:GetUser");
        Ok(self.knows(name).then(|| LiveUser {
            name: name.to_owned(),
            arn: Arn::parse("arn:aws:iam::123456789012:user/engineering/alice").unwrap(),
            path: Some("/engineering/".to_owned()),
            tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
        }))
    }

    async fn has_password(&self, user: &str) -> Result<bool, CallError> {
        self.journal.read("iam:GetLoginProfile");
        Ok(self.knows(user) && self.alice.borrow().password)
    }

    async fn mfa_devices(&self, user: &str) -> Result<usize, CallError> {
        self.journal.read("iam:ListMFADevices");
        Ok(if self.knows(user) { self.alice.borrow().mfa_devices } else { 0 })
    }

    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetUserPolicy");
        assert_eq!(policy, deny::POLICY_NAME);
        let policy = self.policy().filter(|_| self.knows(user));
        Ok(policy.map(|document| utf8_percent_encode(&document, NON_ALPHANUMERIC).to_string()))
    }

    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        let request = json!({"userName": user, "policyName": policy, "policyDocument": document});
        self.journal.write("iam:PutUserPolicy", record("PutUserPolicy", &request))?;
        if !self.knows(user) {
            return Ok(Applied::AlreadySo);
        }
        self.put_by_hand(Some(document));
        Ok(Applied::Changed)
    }

    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError> {
        let request = json!({"userName": user, "policyName": policy});
        self.journal.write("iam:DeleteUserPolicy", record("DeleteUserPolicy", &request))?;
        let removed = self.alice.borrow_mut().policy.take();
        Ok(if removed.is_some() { Applied::Changed } else { Applied::AlreadySo })
    }
}
