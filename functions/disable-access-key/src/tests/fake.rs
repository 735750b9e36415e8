//! IAM, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{AccessKeyId, Arn};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use remedy::{Applied, CallError};
use serde_json::{Value, json};
use session_denial::Denial;
use testkit::{Journal, World, now};

use crate::{AccessKeys, LiveKey, LiveUser};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) users: BTreeMap<String, LiveUser>,
    /// By owner, who need not be a user: root has keys as well.
    pub(super) keys: BTreeMap<String, Vec<LiveKey>>,
    /// By user; each has at most the one policy that this responder reads and writes.
    pub(super) policies: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Iam {
    pub(super) account: Rc<RefCell<Account>>,
    journal: Journal,
}

pub(super) fn at(time: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(time).unwrap().with_timezone(&Utc)
}

pub(super) const LEAKED: &str = "AKIAIOSFODNN7EXAMPLE";
pub(super) const OTHER: &str = "AKIAOTHERKEY0EXAMPLE";

pub(super) fn an_old_cut_off() -> String {
    Denial::of_all(at("2025-05-05T05:05:05Z")).document()
}

pub(super) fn a_cut_off_now() -> String {
    Denial::of_all(now() + TimeDelta::seconds(60)).document()
}

impl Iam {
    /// An account with a user alice, who has the key that the events are about and another one, and a user mallory.
    pub(super) fn new() -> Self {
        let user = |name: &str, path: &str| LiveUser {
            name: name.to_owned(),
            arn: Arn::parse(&format!("arn:aws:iam::123456789012:user{path}{name}")).unwrap(),
            path: Some(path.to_owned()),
            tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
        };
        let key =
            |id: &str, created: &str| LiveKey { id: AccessKeyId::new(id), active: true, created: Some(at(created)) };
        let account = Account {
            users: BTreeMap::from([
                ("alice".to_owned(), user("alice", "/engineering/")),
                ("mallory".to_owned(), user("mallory", "/")),
            ]),
            keys: BTreeMap::from([
                ("alice".to_owned(), vec![key(LEAKED, "2026-11-20T10:15:06Z"), key(OTHER, "2024-02-29T00:00:00Z")]),
                ("mallory".to_owned(), vec![key("AKIAI44QH8DHBEXAMPLE", "2025-01-01T00:00:00Z")]),
                ("root".to_owned(), vec![key("AKIAROOT7KEY0EXAMPLE", "2026-11-20T10:15:04Z")]),
            ]),
            policies: BTreeMap::new(),
        };
        Self { account: Rc::new(RefCell::new(account)), journal: Journal::default() }
    }

    pub(super) fn set_active(&self, id: &str, active: bool) {
        let mut account = self.account.borrow_mut();
        let key = account.keys.values_mut().flatten().find(|key| key.id.as_str() == id).unwrap();
        key.active = active;
    }

    pub(super) fn is_active(&self, id: &str) -> bool {
        let account = self.account.borrow();
        account.keys.values().flatten().any(|key| key.id.as_str() == id && key.active)
    }

    pub(super) fn policy(&self) -> Option<String> {
        self.account.borrow().policies.get("alice").cloned()
    }

    pub(super) fn put_policy(&self, document: &str) {
        self.account.borrow_mut().policies.insert("alice".to_owned(), document.to_owned());
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

impl AccessKeys for Iam {
    async fn owner(&self, key: &AccessKeyId) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetAccessKeyLastUsed");
        let account = self.account.borrow();
        let owner = account.keys.iter().find(|(_, keys)| keys.iter().any(|found| found.id == *key));
        Ok(owner.map(|(owner, _)| owner.clone()))
    }

    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError> {
        self.journal.read("iam:GetUser");
        Ok(self.account.borrow().users.get(name).cloned())
    }

    async fn keys(&self, user: &str) -> Result<Vec<LiveKey>, CallError> {
        self.journal.read("iam:ListAccessKeys");
        let account = self.account.borrow();
        Ok(account.users.get(user).and_then(|user| account.keys.get(&user.name)).cloned().unwrap_or_default())
    }

    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetUserPolicy");
        assert_eq!(policy, "countermand-deny-older-sessions");
        let account = self.account.borrow();
        Ok(account.policies.get(user).map(|document| utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()))
    }

    async fn set_active(&self, user: &str, id: &AccessKeyId, active: bool) -> Result<Applied, CallError> {
        let status = if active { "Active" } else { "Inactive" };
        let request = json!({"userName": user, "accessKeyId": id, "status": status});
        self.journal.write("iam:UpdateAccessKey", record("UpdateAccessKey", &request))?;
        let mut account = self.account.borrow_mut();
        let keys = account.keys.entry(user.to_owned()).or_default();
        Ok(match keys.iter_mut().find(|key| key.id == *id) {
            Some(key) => {
                key.active = active;
                Applied::Changed
            }
            None => Applied::AlreadySo,
        })
    }

    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        let request = json!({"userName": user, "policyName": policy, "policyDocument": document});
        self.journal.write("iam:PutUserPolicy", record("PutUserPolicy", &request))?;
        let mut account = self.account.borrow_mut();
        if !account.users.contains_key(user) {
            return Ok(Applied::AlreadySo);
        }
        account.policies.insert(user.to_owned(), document.to_owned());
        Ok(Applied::Changed)
    }

    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError> {
        let request = json!({"userName": user, "policyName": policy});
        self.journal.write("iam:DeleteUserPolicy", record("DeleteUserPolicy", &request))?;
        let removed = self.account.borrow_mut().policies.remove(user);
        Ok(if removed.is_some() { Applied::Changed } else { Applied::AlreadySo })
    }
}
