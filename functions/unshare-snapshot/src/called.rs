//! Which events are about a shared snapshot, and what they say.

use std::collections::BTreeSet;

use cloudtrail::{AccountId, Call, Event, EventError, Field, Items};
use serde::{Deserialize, Serialize};

use crate::aws_accounts::is_of_aws;
use crate::sharing::{Grantee, Kind, Snapshot};

const EC2: &str = "ec2.amazonaws.com";
const RDS: &str = "rds.amazonaws.com";

/// How a snapshot is exposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It was shared with these, none of whom is the account itself.
    Shared(BTreeSet<Grantee>),
    /// Another account, if the record names it, used that it was shared with it: too late to unshare it.
    Taken {
        /// The account.
        by: Option<AccountId>,
        /// What it did.
        into: Taken,
    },
}

/// What another account made of a shared snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Taken {
    /// A snapshot of its own.
    Copy,
    /// A volume.
    Volume,
}

/// A snapshot that others can read, or have read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// How it is exposed.
    pub how: How,
}

/// What the event says of a snapshot; `None` if nobody else has to do with it.
pub(crate) fn read(event: &Event) -> Result<Option<Exposed>, EventError> {
    let Some(call) = event.call() else { return Ok(None) };
    match (call.source.as_str(), call.name.as_str()) {
        (EC2, "ModifySnapshotAttribute") => volume_shared(event, call),
        (EC2, "SharedSnapshotCopyInitiated") => taken(event, call, Taken::Copy),
        (EC2, "SharedSnapshotVolumeCreated") => taken(event, call, Taken::Volume),
        (RDS, "ModifyDBSnapshotAttribute") => database_shared(event, call, Kind::Db),
        (RDS, "ModifyDBClusterSnapshotAttribute") => database_shared(event, call, Kind::DbCluster),
        _ => Ok(None),
    }
}

/// Foreign, as far as the event can tell: trusted accounts are known only when it comes to the plan.
fn is_foreign(grantee: &Grantee, event: &Event) -> bool {
    match grantee {
        Grantee::Everybody => true,
        Grantee::Account(account) => *account != event.account && !is_of_aws(account, &event.region),
    }
}

fn shared(event: &Event, kind: Kind, id: String, with: impl Iterator<Item = Grantee>) -> Option<Exposed> {
    let with: BTreeSet<_> = with.filter(|grantee| is_foreign(grantee, event)).collect();
    let snapshot = Snapshot { kind, id };
    (!with.is_empty()).then_some(Exposed { snapshot, how: How::Shared(with) })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeRequest {
    snapshot_id: Option<String>,
    create_volume_permission: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    /// A call adds or removes, never both.
    #[serde(default)]
    add: Items<Permission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permission {
    user_id: Option<AccountId>,
    group: Option<String>,
}

impl Permission {
    /// There is no other group than `all`. Source: Amazon EC2 API Reference, "`CreateVolumePermission`".
    fn read(self) -> Option<Grantee> {
        self.user_id.map(Grantee::Account).or_else(|| (self.group? == "all").then_some(Grantee::Everybody))
    }
}

fn volume_shared(event: &Event, call: &Call) -> Result<Option<Exposed>, EventError> {
    let Field::Known(request) = call.request::<VolumeRequest>()? else {
        return Err(no_resource(call, "requestParameters.snapshotId"));
    };
    let Some(permissions) = request.create_volume_permission else { return Ok(None) };
    let id = named(request.snapshot_id).ok_or_else(|| no_resource(call, "requestParameters.snapshotId"))?;
    Ok(shared(event, Kind::Ebs, id, permissions.add.0.into_iter().filter_map(Permission::read)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatabaseRequest {
    #[serde(alias = "dBClusterSnapshotIdentifier", rename = "dBSnapshotIdentifier")]
    id: Option<String>,
    attribute_name: Option<String>,
    #[serde(default)]
    values_to_add: Option<Items<Grantee>>,
}

fn database_shared(event: &Event, call: &Call, kind: Kind) -> Result<Option<Exposed>, EventError> {
    let field = match kind {
        Kind::DbCluster => "requestParameters.dBClusterSnapshotIdentifier",
        Kind::Ebs | Kind::Db => "requestParameters.dBSnapshotIdentifier",
    };
    let Field::Known(request) = call.request::<DatabaseRequest>()? else { return Err(no_resource(call, field)) };
    // The other attributes that a snapshot may come to have let nobody read it.
    if request.attribute_name.is_some_and(|name| name != "restore") {
        return Ok(None);
    }
    let id = named(request.id).ok_or_else(|| no_resource(call, field))?;
    // Amazon RDS takes a name in any case and keeps it in small letters. Source: Amazon RDS API Reference,
    // "CreateDBSnapshot".
    let added = request.values_to_add.unwrap_or_default().0;
    Ok(shared(event, kind, id.to_lowercase(), added.into_iter()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TakenDetails {
    snapshot_id: Option<String>,
}

/// Source: Amazon EBS User Guide, "Share an Amazon EBS snapshot", determine the use of shared snapshots.
fn taken(event: &Event, call: &Call, into: Taken) -> Result<Option<Exposed>, EventError> {
    let details = call.service_details::<TakenDetails>()?.known();
    let id = named(details.and_then(|details| details.snapshot_id))
        .ok_or_else(|| no_resource(call, "serviceEventDetails.snapshotId"))?;
    let by = event.actor.account.clone();
    if by.as_ref().is_some_and(|by| !is_foreign(&Grantee::Account(by.clone()), event)) {
        return Ok(None);
    }
    let snapshot = Snapshot { kind: Kind::Ebs, id };
    Ok(Some(Exposed { snapshot, how: How::Taken { by, into } }))
}

fn named(id: Option<String>) -> Option<String> {
    id.filter(|id| !id.is_empty())
}

fn no_resource(call: &Call, field: &'static str) -> EventError {
    EventError::NoResource { call: call.name.clone(), field }
}
