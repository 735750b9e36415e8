//! Amazon EC2 and Amazon RDS, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use remedy::{Applied, CallError};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::{Grantee, Kind, Shared, Snapshot, Snapshots};

/// One snapshot.
#[derive(Debug, Clone)]
pub(super) struct Aws {
    kind: Kind,
    id: String,
    pub(super) shared: Rc<RefCell<Option<Shared>>>,
    pub(super) journal: Journal,
}

pub(super) fn grantees(names: &[&str]) -> BTreeSet<Grantee> {
    names.iter().map(|name| Grantee::parse(name).unwrap()).collect()
}

impl Aws {
    pub(super) fn of(snapshot: &Snapshot, with: BTreeSet<Grantee>) -> Self {
        let shared = Shared {
            with,
            encrypted: Some(false),
            kms_key: None,
            engine: (snapshot.kind != Kind::Ebs).then(|| "postgres".to_owned()),
            tags: Some(BTreeMap::from([("team".to_owned(), "payments".to_owned())])),
        };
        let shared = Rc::new(RefCell::new(Some(shared)));
        Self { kind: snapshot.kind, id: snapshot.id.clone(), shared, journal: Journal::default() }
    }

    pub(super) fn with(&self) -> BTreeSet<Grantee> {
        self.shared.borrow().as_ref().map(|shared| shared.with.clone()).unwrap_or_default()
    }

    /// By somebody else.
    pub(super) fn share_by_hand(&self, name: &str) {
        self.shared.borrow_mut().as_mut().unwrap().with.insert(Grantee::parse(name).unwrap());
    }

    fn write(&self, verb: &str, with: &BTreeSet<Grantee>) -> Result<(), CallError> {
        let names: Vec<&str> = with.iter().map(Grantee::as_str).collect();
        let (action, source, request) = match self.kind {
            Kind::Ebs => {
                let item = |name: &&str| if *name == "all" { json!({"group": name}) } else { json!({"userId": name}) };
                let items: Vec<Value> = names.iter().map(item).collect();
                let permission = json!({verb: {"items": items}});
                let request = json!({"snapshotId": self.id, "createVolumePermission": permission});
                ("ec2:ModifySnapshotAttribute", "ec2", request)
            }
            Kind::Db | Kind::DbCluster => {
                let (action, id) = match self.kind {
                    Kind::Db => ("rds:ModifyDBSnapshotAttribute", "dBSnapshotIdentifier"),
                    _ => ("rds:ModifyDBClusterSnapshotAttribute", "dBClusterSnapshotIdentifier"),
                };
                let values = if verb == "add" { "valuesToAdd" } else { "valuesToRemove" };
                (action, "rds", json!({id: self.id, "attributeName": "restore", values: names}))
            }
        };
        let (_, name) = action.split_once(':').unwrap();
        let record = json!({
            "eventID": format!("own-{}", self.journal.writes()), "eventSource": format!("{source}.amazonaws.com"),
            "eventName": name, "eventTime": "2026-11-22T07:00:05Z", "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
            "requestParameters": request, "responseElements": {"_return": true},
        });
        self.journal.write(action, record)
    }
}

impl Snapshots for Aws {
    async fn describe(&self, snapshot: &Snapshot) -> Result<Option<Shared>, CallError> {
        let (attribute, itself) = match self.kind {
            Kind::Ebs => ("ec2:DescribeSnapshotAttribute", "ec2:DescribeSnapshots"),
            Kind::Db => ("rds:DescribeDBSnapshotAttributes", "rds:DescribeDBSnapshots"),
            Kind::DbCluster => ("rds:DescribeDBClusterSnapshotAttributes", "rds:DescribeDBClusterSnapshots"),
        };
        self.journal.read(attribute);
        self.journal.read(itself);
        assert_eq!((snapshot.kind, &snapshot.id), (self.kind, &self.id));
        Ok(self.shared.borrow().clone())
    }

    async fn unshare(&self, _: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.write("remove", with)?;
        match self.shared.borrow_mut().as_mut() {
            Some(shared) => shared.with.retain(|live| !with.contains(live)),
            None => return Ok(Applied::AlreadySo),
        }
        Ok(Applied::Changed)
    }

    async fn share(&self, _: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.write("add", with)?;
        self.shared.borrow_mut().as_mut().unwrap().with.extend(with.iter().cloned());
        Ok(Applied::Changed)
    }
}

impl World for Aws {
    type State = Option<Shared>;

    fn state(&self) -> Option<Shared> {
        self.shared.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}
