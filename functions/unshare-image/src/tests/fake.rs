//! Amazon EC2, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use remedy::{Applied, CallError};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::{Grantee, ImageId, Images, Shared};

/// One AMI.
#[derive(Debug, Clone)]
pub(super) struct Ec2 {
    id: ImageId,
    pub(super) shared: Rc<RefCell<Option<Shared>>>,
    pub(super) journal: Journal,
}

pub(super) fn grantees(names: &[&str]) -> BTreeSet<Grantee> {
    names.iter().map(|name| Grantee::parse(name).unwrap()).collect()
}

impl Ec2 {
    pub(super) fn of(id: &ImageId, with: BTreeSet<Grantee>) -> Self {
        let shared = Shared {
            with,
            name: Some("web-2026-11-20".to_owned()),
            encrypted: Some(false),
            tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
        };
        Self { id: id.clone(), shared: Rc::new(RefCell::new(Some(shared))), journal: Journal::default() }
    }

    pub(super) fn with(&self) -> BTreeSet<Grantee> {
        self.shared.borrow().as_ref().map(|shared| shared.with.clone()).unwrap_or_default()
    }

    /// By somebody else.
    pub(super) fn set_by_hand(&self, names: &[&str]) {
        self.shared.borrow_mut().as_mut().unwrap().with = grantees(names);
    }

    fn write(&self, verb: &str, with: &BTreeSet<Grantee>) -> Result<(), CallError> {
        let item = |grantee: &Grantee| match grantee {
            Grantee::Everybody => json!({"group": "all"}),
            Grantee::Account(account) => json!({"userId": account}),
            Grantee::Organization(arn) if arn.resource().starts_with("ou/") => json!({"organizationalUnitArn": arn}),
            Grantee::Organization(arn) => json!({"organizationArn": arn}),
        };
        let items: Vec<Value> = with.iter().map(item).collect();
        let record = json!({
            "eventID": format!("own-{}", self.journal.writes()), "eventSource": "ec2.amazonaws.com",
            "eventName": "ModifyImageAttribute", "eventTime": "2026-11-22T07:00:05Z", "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
            "requestParameters": {"imageId": self.id, "launchPermission": {verb: {"items": items}}},
            "responseElements": {"_return": true},
        });
        self.journal.write("ec2:ModifyImageAttribute", record)
    }
}

impl Images for Ec2 {
    async fn describe(&self, image: &ImageId) -> Result<Option<Shared>, CallError> {
        self.journal.read("ec2:DescribeImages");
        self.journal.read("ec2:DescribeImageAttribute");
        assert_eq!(*image, self.id);
        Ok(self.shared.borrow().clone())
    }

    async fn unshare(&self, _: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.write("remove", with)?;
        match self.shared.borrow_mut().as_mut() {
            Some(shared) => shared.with.retain(|live| !with.contains(live)),
            None => return Ok(Applied::AlreadySo),
        }
        Ok(Applied::Changed)
    }

    async fn share(&self, _: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.write("add", with)?;
        self.shared.borrow_mut().as_mut().unwrap().with.extend(with.iter().cloned());
        Ok(Applied::Changed)
    }
}

impl World for Ec2 {
    type State = Option<Shared>;

    fn state(&self) -> Option<Shared> {
        self.shared.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}
