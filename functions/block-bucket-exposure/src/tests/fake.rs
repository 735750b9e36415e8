//! Amazon S3, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cloudtrail::{AccountId, Event, Region};
use remedy::{Applied, CallError, Responder};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::BlockBucketExposure;
use crate::bucket::{Acl, Block, Bucket, Buckets, Grant, Place};
use crate::called::{By, Opened};

pub(super) const OWNER: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";

/// One bucket and its account.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) is_there: bool,
    pub(super) policy: Option<String>,
    pub(super) acl: Acl,
    pub(super) block: Option<Block>,
    pub(super) account_block: Option<Block>,
    pub(super) is_website: bool,
}

#[derive(Debug, Clone)]
pub(super) struct S3 {
    pub(super) account: Rc<RefCell<Scene>>,
    /// What somebody changes as soon as we have looked.
    pub(super) then: Rc<RefCell<Option<Scene>>>,
    journal: Journal,
}

fn owners() -> Grant {
    Grant {
        kind: "CanonicalUser".to_owned(),
        id: Some(OWNER.to_owned()),
        uri: None,
        ..Grant::to_group("FULL_CONTROL", "")
    }
}

impl S3 {
    /// The account after the call.
    pub(super) fn after(event: &Event) -> Self {
        let Opened { place, by, .. } = BlockBucketExposure::<Self>::detect(event).unwrap().remove(0).subject;
        let acl = Acl { owner: Some(OWNER.to_owned()), grants: vec![owners()] };
        let mut account =
            Scene { is_there: true, policy: None, acl, block: None, account_block: None, is_website: false };
        match (by, place) {
            (By::Policy(text), _) => account.policy = text,
            (By::Acl(acl), _) => account.acl.grants.extend(acl.map(|acl| acl.grants).unwrap_or_default()),
            (By::Block(block), Place::Bucket(_)) => account.block = block,
            (By::Block(block), Place::Account(_)) => account.account_block = block,
        }
        Self { account: Rc::new(RefCell::new(account)), then: Rc::default(), journal: Journal::default() }
    }

    /// The ids of the policy's statements.
    pub(super) fn sids(&self) -> Vec<String> {
        let text = self.account.borrow().policy.clone().unwrap_or_else(|| r#"{"Statement":[]}"#.to_owned());
        let policy: Value = serde_json::from_str(&text).unwrap();
        let sid = |statement: &Value| statement["Sid"].as_str().unwrap_or_default().to_owned();
        policy["Statement"].as_array().unwrap().iter().map(sid).collect()
    }

    fn bucket(&self, action: &'static str, bucket: &Bucket) -> Option<Scene> {
        self.journal.read(action);
        assert_eq!((bucket.account.as_str(), bucket.name.as_str()), ("123456789012", "invoices-2026"));
        let account = self.account.borrow().clone();
        account.is_there.then_some(account)
    }

    /// What is looked at before a write is looked at last.
    fn looked(&self) {
        if let Some(then) = self.then.take() {
            *self.account.borrow_mut() = then;
        }
    }

    fn write(&self, action: &'static str, name: &str, request: &Value) -> Result<(), CallError> {
        let record = json!({
            "eventID": format!("own-{}", self.journal.writes()), "eventSource": "s3.amazonaws.com", "eventName": name,
            "eventTime": "2026-11-22T07:00:05Z", "awsRegion": "eu-west-1", "recipientAccountId": "123456789012",
            "requestParameters": request, "responseElements": null,
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
        });
        self.journal.write(action, record)
    }
}

impl World for S3 {
    type State = Scene;

    fn state(&self) -> Scene {
        self.account.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl Buckets for S3 {
    async fn policy(&self, bucket: &Bucket) -> Result<Option<String>, CallError> {
        let policy = self.bucket("s3:GetBucketPolicy", bucket).and_then(|account| account.policy);
        self.looked();
        Ok(policy)
    }

    async fn acl(&self, bucket: &Bucket) -> Result<Option<Acl>, CallError> {
        let acl = self.bucket("s3:GetBucketAcl", bucket).map(|account| account.acl);
        self.looked();
        Ok(acl)
    }

    async fn block(&self, place: &Place) -> Result<Option<Block>, CallError> {
        Ok(match place {
            Place::Bucket(bucket) => {
                self.bucket("s3:GetBucketPublicAccessBlock", bucket).and_then(|account| account.block)
            }
            Place::Account(_) => {
                self.journal.read("s3:GetAccountPublicAccessBlock");
                self.account.borrow().account_block
            }
        })
    }

    async fn is_website(&self, bucket: &Bucket) -> Result<bool, CallError> {
        Ok(self.bucket("s3:GetBucketWebsite", bucket).is_some_and(|account| account.is_website))
    }

    async fn tags(&self, bucket: &Bucket) -> Result<Option<BTreeMap<String, String>>, CallError> {
        let tags = BTreeMap::from([("team".to_owned(), "billing".to_owned())]);
        Ok(self.bucket("s3:GetBucketTagging", bucket).map(|_| tags))
    }

    async fn put_policy(&self, bucket: &Bucket, policy: Option<&str>) -> Result<Applied, CallError> {
        let text: Value = policy.map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
        let request = json!({"bucketName": bucket.name, "bucketPolicy": text});
        match policy {
            Some(_) => self.write("s3:PutBucketPolicy", "PutBucketPolicy", &request)?,
            None => self.write("s3:DeleteBucketPolicy", "DeleteBucketPolicy", &request)?,
        }
        self.account.borrow_mut().policy = policy.map(str::to_owned);
        Ok(Applied::Changed)
    }

    async fn put_acl(&self, bucket: &Bucket, acl: &Acl) -> Result<Applied, CallError> {
        let grant =
            |grant: &Grant| json!({"Permission": grant.permission, "Grantee": {"URI": grant.uri, "ID": grant.id}});
        let grants: Vec<Value> = acl.grants.iter().map(grant).collect();
        let request = json!({"bucketName": bucket.name,
            "AccessControlPolicy": {"AccessControlList": {"Grant": grants}}});
        self.write("s3:PutBucketAcl", "PutBucketAcl", &request)?;
        self.account.borrow_mut().acl = acl.clone();
        Ok(Applied::Changed)
    }

    async fn put_block(&self, place: &Place, block: Option<Block>) -> Result<Applied, CallError> {
        let configuration: Option<BTreeMap<&str, bool>> =
            block.map(|block| block.on().into_iter().map(|name| (name, true)).collect());
        let verb = if block.is_some() { "Put" } else { "Delete" };
        match place {
            Place::Bucket(bucket) => {
                let request = json!({"bucketName": bucket.name, "PublicAccessBlockConfiguration": configuration});
                self.write("s3:PutBucketPublicAccessBlock", &format!("{verb}BucketPublicAccessBlock"), &request)?;
                self.account.borrow_mut().block = block;
            }
            Place::Account(account) => {
                let request = json!({"accountId": account, "PublicAccessBlockConfiguration": configuration});
                self.write("s3:PutAccountPublicAccessBlock", &format!("{verb}AccountPublicAccessBlock"), &request)?;
                self.account.borrow_mut().account_block = block;
            }
        }
        Ok(Applied::Changed)
    }

    async fn all(&self) -> Result<(AccountId, Region, Vec<String>), CallError> {
        self.journal.read("s3:ListAllMyBuckets");
        let account = AccountId::parse("123456789012").unwrap();
        Ok((account, Region::new("eu-west-1"), vec!["invoices-2026".to_owned()]))
    }
}
