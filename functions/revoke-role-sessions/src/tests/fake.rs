//! A fake IAM.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cloudtrail::{Arn, Event};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use remedy::{Applied, CallError, Responder};
use serde_json::{Value, json};
use session_denial::name;
use testkit::{Journal, World};

use crate::{Holder, LiveRole, RevokeRoleSessions, Roles};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) role: Option<LiveRole>,
    /// The role's inline policies by name.
    pub(super) policies: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Iam {
    pub(super) account: Rc<RefCell<Account>>,
    journal: Journal,
}

/// A role of this path.
pub(super) fn role(path: &str, name: &str) -> LiveRole {
    LiveRole {
        name: name.to_owned(),
        id: Some("AROACKCEVSQ6C2EXAMPLE".to_owned()),
        arn: Arn::parse(&format!("arn:aws:iam::123456789012:role{path}{name}")).unwrap(),
        path: Some(path.to_owned()),
        tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
    }
}

impl Iam {
    pub(super) fn with(role: Option<LiveRole>) -> Self {
        let account = Account { role, policies: BTreeMap::new() };
        Self { account: Rc::new(RefCell::new(account)), journal: Journal::default() }
    }

    /// An account with the role that the event is about.
    pub(super) fn of(event: &Event) -> Self {
        let finding = RevokeRoleSessions::<Self>::detect(event).unwrap().remove(0);
        let Holder::Role { name, .. } = finding.subject.holder else { return Self::with(None) };
        Self::with(Some(role("/service-role/", &name)))
    }

    pub(super) fn policy(&self) -> Option<String> {
        self.account.borrow().policies.get(name::STOLEN_SESSIONS).cloned()
    }

    pub(super) fn put(&self, policy: &str, document: &str) {
        self.account.borrow_mut().policies.insert(policy.to_owned(), document.to_owned());
    }

    fn has(&self, role: &str) -> bool {
        self.account.borrow().role.as_ref().is_some_and(|found| found.name == role)
    }
}

impl World for Iam {
    type State = Account;

    fn state(&self) -> Account {
        self.account.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

/// What CloudTrail would write of a call of our function's.
fn record(name: &str, request: &Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "eventID": format!("{name} {request}"),
        "eventTime": "2026-11-22T07:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": "123456789012",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/somebody/somebody",
            "accountId": "123456789012"
        },
        "requestParameters": request,
        "responseElements": null
    })
}

impl Roles for Iam {
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError> {
        self.journal.read("iam:GetRole");
        Ok(self.account.borrow().role.clone().filter(|role| role.name == name))
    }

    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetRolePolicy");
        let document = self.account.borrow().policies.get(policy).cloned().filter(|_| self.has(role));
        Ok(document.map(|document| utf8_percent_encode(&document, NON_ALPHANUMERIC).to_string()))
    }

    async fn put_inline_policy(&self, role: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        let request = json!({"roleName": role, "policyName": policy, "policyDocument": document});
        self.journal.write("iam:PutRolePolicy", record("PutRolePolicy", &request))?;
        if !self.has(role) {
            return Ok(Applied::AlreadySo);
        }
        self.put(policy, document);
        Ok(Applied::Changed)
    }

    async fn delete_inline_policy(&self, role: &str, policy: &str) -> Result<Applied, CallError> {
        let request = json!({"roleName": role, "policyName": policy});
        self.journal.write("iam:DeleteRolePolicy", record("DeleteRolePolicy", &request))?;
        let removed = self.account.borrow_mut().policies.remove(policy);
        Ok(if removed.is_some() { Applied::Changed } else { Applied::AlreadySo })
    }
}
