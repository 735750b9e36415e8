//! A fake IAM.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{TimeDelta, Utc};
use cloudtrail::{Arn, Event};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use remedy::{Applied, CallError, Responder};
use serde_json::{Value, json};
use session_denial::Denial;
use testkit::{Journal, World, now};

use crate::{LiveRole, RestoreRoleTrust, Roles};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) roles: BTreeMap<String, LiveRole>,
    /// By role; each has at most the one policy that this responder reads and writes.
    pub(super) policies: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Iam {
    pub(super) account: Rc<RefCell<Account>>,
    journal: Journal,
}

pub(super) fn a_cut_off(age: TimeDelta) -> String {
    Denial::of_all(now() - age).document()
}

pub(super) fn a_cut_off_now() -> String {
    a_cut_off(TimeDelta::seconds(-60))
}

/// A role of this path and trust.
pub(super) fn role(path: &str, name: &str, trust: &str) -> LiveRole {
    LiveRole {
        name: name.to_owned(),
        id: Some("AROAI44QH8DHBEXAMPLE".to_owned()),
        arn: Arn::parse(&format!("arn:aws:iam::123456789012:role{path}{name}")).unwrap(),
        path: Some(path.to_owned()),
        trust: trust.to_owned(),
        has_boundary: Some(false),
        tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
    }
}

impl Iam {
    pub(super) fn with(role: LiveRole) -> Self {
        let roles = BTreeMap::from([(role.name.clone(), role)]);
        let account = Account { roles, policies: BTreeMap::new() };
        Self { account: Rc::new(RefCell::new(account)), journal: Journal::default() }
    }

    /// An account as the event leaves it.
    pub(super) fn after(event: &Event) -> Self {
        let finding = RestoreRoleTrust::<Self>::detect(event).unwrap().remove(0);
        let arn = finding.resource.arn.resource().to_owned();
        let path = arn.strip_prefix("role").unwrap().strip_suffix(&finding.subject.role).unwrap();
        Self::with(role(path, &finding.subject.role, finding.subject.document.as_deref().unwrap()))
    }

    pub(super) fn trust(&self) -> String {
        self.account.borrow().roles.values().next().unwrap().trust.clone()
    }

    pub(super) fn set(&self, trust: &str) {
        self.account.borrow_mut().roles.values_mut().next().unwrap().trust = trust.to_owned();
    }

    pub(super) fn policy(&self) -> Option<String> {
        self.account.borrow().policies.values().next().cloned()
    }

    pub(super) fn put_policy(&self, document: &str) {
        let role = self.account.borrow().roles.keys().next().unwrap().clone();
        self.account.borrow_mut().policies.insert(role, document.to_owned());
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

/// What CloudTrail writes of a call.
pub(super) fn record(name: &str, request: &Value) -> Value {
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

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}

impl Roles for Iam {
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError> {
        self.journal.read("iam:GetRole");
        let role = self.account.borrow().roles.get(name).cloned();
        Ok(role.map(|role| LiveRole { trust: encoded(&role.trust), ..role }))
    }

    async fn all(&self) -> Result<Vec<LiveRole>, CallError> {
        self.journal.read("iam:ListRoles");
        let roles = self.account.borrow().roles.clone().into_values();
        let listed = |role: LiveRole| LiveRole { trust: encoded(&role.trust), has_boundary: None, tags: None, ..role };
        Ok(roles.map(listed).collect())
    }

    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetRolePolicy");
        assert_eq!(policy, "countermand-deny-sessions-of-opened-trust");
        Ok(self.account.borrow().policies.get(role).map(|document| encoded(document)))
    }

    async fn set_trust(&self, role: &str, document: &str) -> Result<Applied, CallError> {
        let request = json!({"roleName": role, "policyDocument": document});
        self.journal.write("iam:UpdateAssumeRolePolicy", record("UpdateAssumeRolePolicy", &request))?;
        let mut account = self.account.borrow_mut();
        let Some(role) = account.roles.get_mut(role) else { return Ok(Applied::AlreadySo) };
        document.clone_into(&mut role.trust);
        Ok(Applied::Changed)
    }

    async fn put_inline_policy(&self, role: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        let request = json!({"roleName": role, "policyName": policy, "policyDocument": document});
        self.journal.write("iam:PutRolePolicy", record("PutRolePolicy", &request))?;
        let mut account = self.account.borrow_mut();
        if !account.roles.contains_key(role) {
            return Ok(Applied::AlreadySo);
        }
        account.policies.insert(role.to_owned(), document.to_owned());
        Ok(Applied::Changed)
    }

    async fn delete_inline_policy(&self, role: &str, policy: &str) -> Result<Applied, CallError> {
        let request = json!({"roleName": role, "policyName": policy});
        self.journal.write("iam:DeleteRolePolicy", record("DeleteRolePolicy", &request))?;
        let removed = self.account.borrow_mut().policies.remove(role);
        Ok(if removed.is_some() { Applied::Changed } else { Applied::AlreadySo })
    }
}

/// The call that writes this trust to role `app`, decoded.
pub(super) fn updated(document: &str) -> Event {
    Event::decode(record("UpdateAssumeRolePolicy", &json!({"roleName": "app", "policyDocument": document}))).unwrap()
}

/// The call that makes role `app` with this trust.
pub(super) fn created(document: &str) -> Event {
    let request = json!({"roleName": "app", "path": "/team/", "assumeRolePolicyDocument": document});
    Event::decode(record("CreateRole", &request)).unwrap()
}

/// A trust of these statements.
pub(super) fn trust(statements: &[&str]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(" , "))
}

/// Lets this principal in, on these conditions.
pub(super) fn allow(principal: &str, condition: &str) -> String {
    let (kind, action) = match principal {
        it if it.contains("-provider/") => ("Federated", "sts:AssumeRoleWithWebIdentity"),
        it if it.ends_with(".amazonaws.com") => ("Service", "sts:AssumeRole"),
        _ => ("AWS", "sts:AssumeRole"),
    };
    format!(
        r#"{{"Effect":"Allow","Principal":{{"{kind}":"{principal}"}},"Action":"{action}","Condition":{{{condition}}}}}"#
    )
}

/// So many seconds after the time at which tests begin.
pub(super) fn later(seconds: i64) -> chrono::DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}
