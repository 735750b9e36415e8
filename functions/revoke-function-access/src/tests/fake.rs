//! AWS Lambda, as far as this responder can tell.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use cloudtrail::{Arn, Event};
use remedy::{Applied, CallError, CallErrorKind, Responder};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::RevokeFunctionAccess;
use crate::called::By;
use crate::permission::Permission;
use crate::target::{AuthType, Functions, LivePolicy, Target};

/// A statement that nobody should touch.
pub(super) fn bystander() -> Value {
    json!({"Sid": "ours", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:orders"})
}

#[derive(Debug, Clone)]
pub(super) struct Lambda {
    /// By target, in words.
    pub(super) policies: Rc<RefCell<BTreeMap<String, Vec<Value>>>>,
    pub(super) urls: Rc<RefCell<BTreeMap<String, AuthType>>>,
    revision: Rc<Cell<u32>>,
    /// How many writes from now on find that somebody else has just changed the policy.
    pub(super) meddled: Rc<Cell<u32>>,
    /// What somebody puts in place of all statements as soon as we have looked.
    pub(super) then: Rc<RefCell<Option<Vec<Value>>>>,
    journal: Journal,
}

impl Lambda {
    /// The account after the call.
    pub(super) fn after(event: &Event) -> Self {
        let opened = RevokeFunctionAccess::<Self>::detect(event).unwrap().remove(0).subject;
        let target = opened.target.to_string();
        let mut statements = vec![bystander()];
        if let By::Statement { presumed: Some(presumed), .. } = &opened.by {
            let document: Value = serde_json::from_str(presumed).unwrap();
            statements.extend(document["Statement"].as_array().unwrap().clone());
        }
        let urls = BTreeMap::from([(target.clone(), AuthType::None)]);
        Self {
            policies: Rc::new(RefCell::new(BTreeMap::from([(target, statements)]))),
            urls: Rc::new(RefCell::new(urls)),
            revision: Rc::default(),
            meddled: Rc::default(),
            then: Rc::default(),
            journal: Journal::default(),
        }
    }

    pub(super) fn statements(&self) -> Vec<Value> {
        self.policies.borrow().values().flatten().cloned().collect()
    }

    pub(super) fn sids(&self) -> Vec<String> {
        self.statements().iter().map(|statement| statement["Sid"].as_str().unwrap().to_owned()).collect()
    }

    /// Puts other statements in place of all.
    pub(super) fn set(&self, statements: &[Value]) {
        for policy in self.policies.borrow_mut().values_mut() {
            *policy = statements.to_vec();
        }
        self.revision.set(self.revision.get() + 1);
    }

    fn check(&self, revision: Option<&str>) -> Result<(), CallError> {
        if self.meddled.get() > 0 {
            self.meddled.set(self.meddled.get() - 1);
            self.revision.set(self.revision.get() + 1);
        }
        if revision.is_some_and(|revision| revision != self.revision.get().to_string()) {
            let source = "PreconditionFailedException".into();
            return Err(CallError { action: "lambda:RemovePermission", kind: CallErrorKind::Throttled, source });
        }
        Ok(())
    }

    fn record(&self, name: &str, request: &Value) -> Value {
        json!({
            "eventID": format!("own-{}", self.journal.writes()), "eventSource": "lambda.amazonaws.com",
            "eventName": name, "eventTime": "2026-11-22T07:00:05Z", "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "requestParameters": request, "responseElements": null,
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
        })
    }

    fn words(name: &str, qualifier: Option<&str>) -> String {
        Target::Function { name: name.to_owned(), qualifier: qualifier.map(str::to_owned) }.to_string()
    }
}

impl World for Lambda {
    type State = (BTreeMap<String, Vec<String>>, BTreeMap<String, &'static str>);

    fn state(&self) -> Self::State {
        let sorted = |statements: &Vec<Value>| {
            let mut texts: Vec<String> = statements.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let policies = self.policies.borrow().iter().map(|(key, policy)| (key.clone(), sorted(policy))).collect();
        (policies, self.urls.borrow().iter().map(|(key, url)| (key.clone(), url.as_str())).collect())
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl Functions for Lambda {
    async fn policy(&self, target: &Target) -> Result<Option<LivePolicy>, CallError> {
        self.journal.read(match target {
            Target::Function { .. } => "lambda:GetPolicy",
            Target::Layer { .. } => "lambda:GetLayerVersionPolicy",
        });
        let statements = self.policies.borrow().get(&target.to_string()).cloned().unwrap_or_default();
        let revision = Some(self.revision.get().to_string());
        if let Some(then) = self.then.take() {
            self.set(&then);
        }
        let document = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string();
        Ok((!statements.is_empty()).then_some(LivePolicy { document, revision }))
    }

    async fn auth_type(&self, name: &str, qualifier: Option<&str>) -> Result<Option<AuthType>, CallError> {
        self.journal.read("lambda:GetFunctionUrlConfig");
        Ok(self.urls.borrow().get(&Self::words(name, qualifier)).copied())
    }

    async fn tags(&self, function: &Arn) -> Result<Option<BTreeMap<String, String>>, CallError> {
        self.journal.read("lambda:ListTags");
        assert_eq!(function.as_str(), "arn:aws:lambda:eu-west-1:123456789012:function:orders");
        Ok(Some(BTreeMap::from([("team".to_owned(), "shop".to_owned())])))
    }

    async fn remove(&self, target: &Target, sid: &str, revision: Option<&str>) -> Result<Applied, CallError> {
        let (action, record) = match target {
            Target::Function { name, qualifier } => (
                "lambda:RemovePermission",
                self.record(
                    "RemovePermission20150331v2",
                    &json!({"functionName": name, "qualifier": qualifier, "statementId": sid}),
                ),
            ),
            Target::Layer { name, version } => (
                "lambda:RemoveLayerVersionPermission",
                self.record(
                    "RemoveLayerVersionPermission20181031",
                    &json!({"layerName": name, "versionNumber": version, "statementId": sid}),
                ),
            ),
        };
        self.check(revision)?;
        self.journal.write(action, record)?;
        let mut policies = self.policies.borrow_mut();
        let statements = policies.get_mut(&target.to_string()).unwrap();
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != sid);
        self.revision.set(self.revision.get() + 1);
        Ok(if statements.len() < before { Applied::Changed } else { Applied::AlreadySo })
    }

    async fn add(&self, target: &Target, it: &Permission, revision: Option<&str>) -> Result<Applied, CallError> {
        let statement = it.statement();
        let (action, mut record) = match target {
            Target::Function { name, qualifier } => (
                "lambda:AddPermission",
                self.record(
                    "AddPermission20150331v2",
                    &json!({"functionName": name, "qualifier": qualifier, "statementId": it.sid}),
                ),
            ),
            Target::Layer { name, version } => (
                "lambda:AddLayerVersionPermission",
                self.record(
                    "AddLayerVersionPermission20181031",
                    &json!({"layerName": name, "versionNumber": version, "statementId": it.sid}),
                ),
            ),
        };
        record["responseElements"] = json!({"statement": statement.to_string()});
        self.check(revision)?;
        self.journal.write(action, record)?;
        self.policies.borrow_mut().entry(target.to_string()).or_default().push(statement);
        self.revision.set(self.revision.get() + 1);
        Ok(Applied::Changed)
    }

    async fn set_auth_type(&self, name: &str, qualifier: Option<&str>, to: AuthType) -> Result<Applied, CallError> {
        let request = json!({"functionName": name, "qualifier": qualifier, "authType": to});
        self.journal.write("lambda:UpdateFunctionUrlConfig", self.record("UpdateFunctionUrlConfig", &request))?;
        let mut urls = self.urls.borrow_mut();
        Ok(match urls.get_mut(&Self::words(name, qualifier)) {
            Some(url) => {
                *url = to;
                Applied::Changed
            }
            None => Applied::AlreadySo,
        })
    }
}
