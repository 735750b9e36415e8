//! Amazon EC2 and Amazon RDS as this responder sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{OperationType, SnapshotAttributeName};
use aws_types::SdkConfig;
use futures_util::future::join;
use lambda::{Connect, call_error, once};
use remedy::{Applied, CallError};

use crate::UnshareSnapshot;
use crate::sharing::{Grantee, Kind, Shared, Snapshot, Snapshots};

/// The attribute of a database snapshot that says who may copy and restore it.
const RESTORE: &str = "restore";

/// The responder as it is deployed.
pub type Live = UnshareSnapshot<Aws>;

/// The snapshots of one account and region. Writes go without the SDK's own retries: see
/// [`Responder::apply`](remedy::Responder::apply).
#[derive(Debug)]
pub struct Aws {
    ec2: aws_sdk_ec2::Client,
    ec2_writes: aws_sdk_ec2::Client,
    rds: aws_sdk_rds::Client,
    rds_writes: aws_sdk_rds::Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        let once = once(config);
        Self(Aws {
            ec2: aws_sdk_ec2::Client::new(config),
            ec2_writes: aws_sdk_ec2::Client::new(&once),
            rds: aws_sdk_rds::Client::new(config),
            rds_writes: aws_sdk_rds::Client::new(&once),
        })
    }
}

impl Snapshots for Aws {
    async fn describe(&self, snapshot: &Snapshot) -> Result<Option<Shared>, CallError> {
        match snapshot.kind {
            Kind::Ebs => self.volume(&snapshot.id).await,
            Kind::Db => self.database(&snapshot.id).await,
            Kind::DbCluster => self.cluster(&snapshot.id).await,
        }
    }

    async fn unshare(&self, snapshot: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.modify(snapshot, OperationType::Remove, with).await
    }

    async fn share(&self, snapshot: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError> {
        self.modify(snapshot, OperationType::Add, with).await
    }
}

impl Aws {
    async fn volume(&self, id: &str) -> Result<Option<Shared>, CallError> {
        let attribute = SnapshotAttributeName::CreateVolumePermission;
        let (sharing, snapshot) = join(
            self.ec2.describe_snapshot_attribute().snapshot_id(id).attribute(attribute).send(),
            self.ec2.describe_snapshots().snapshot_ids(id).send(),
        )
        .await;
        let Some(sharing) = if_there("ec2:DescribeSnapshotAttribute", sharing)? else { return Ok(None) };
        let Some(snapshot) = if_there("ec2:DescribeSnapshots", snapshot)? else { return Ok(None) };
        let Some(snapshot) = snapshot.snapshots.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let with = sharing.create_volume_permissions.unwrap_or_default().into_iter().filter_map(|permission| {
            let name = permission.user_id.or_else(|| permission.group.map(|group| group.as_str().to_owned()));
            Grantee::parse(&name?).ok()
        });
        Ok(Some(Shared {
            with: with.collect(),
            encrypted: snapshot.encrypted,
            kms_key: snapshot.kms_key_id,
            engine: None,
            tags: Some(read_tags(snapshot.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))),
        }))
    }

    async fn database(&self, id: &str) -> Result<Option<Shared>, CallError> {
        let (attributes, snapshots) = join(
            self.rds.describe_db_snapshot_attributes().db_snapshot_identifier(id).send(),
            self.rds.describe_db_snapshots().db_snapshot_identifier(id).send(),
        )
        .await;
        let Some(attributes) = if_there("rds:DescribeDBSnapshotAttributes", attributes)? else { return Ok(None) };
        let Some(snapshots) = if_there("rds:DescribeDBSnapshots", snapshots)? else { return Ok(None) };
        let Some(snapshot) = snapshots.db_snapshots.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let attributes = attributes.db_snapshot_attributes_result.and_then(|result| result.db_snapshot_attributes);
        let restore = attributes.into_iter().flatten().map(|it| (it.attribute_name, it.attribute_values));
        Ok(Some(Shared {
            with: read_restore(restore),
            encrypted: snapshot.encrypted,
            kms_key: snapshot.kms_key_id,
            engine: snapshot.engine,
            tags: Some(read_tags(snapshot.tag_list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))),
        }))
    }

    async fn cluster(&self, id: &str) -> Result<Option<Shared>, CallError> {
        let (attributes, snapshots) = join(
            self.rds.describe_db_cluster_snapshot_attributes().db_cluster_snapshot_identifier(id).send(),
            self.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(id).send(),
        )
        .await;
        let Some(attributes) = if_there("rds:DescribeDBClusterSnapshotAttributes", attributes)? else {
            return Ok(None);
        };
        let Some(snapshots) = if_there("rds:DescribeDBClusterSnapshots", snapshots)? else { return Ok(None) };
        let found = snapshots.db_cluster_snapshots.unwrap_or_default().into_iter().next();
        let Some(snapshot) = found else { return Ok(None) };
        let result = attributes.db_cluster_snapshot_attributes_result;
        let attributes = result.and_then(|result| result.db_cluster_snapshot_attributes);
        let restore = attributes.into_iter().flatten().map(|it| (it.attribute_name, it.attribute_values));
        Ok(Some(Shared {
            with: read_restore(restore),
            encrypted: snapshot.storage_encrypted,
            kms_key: snapshot.kms_key_id,
            engine: snapshot.engine,
            tags: Some(read_tags(snapshot.tag_list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)))),
        }))
    }

    async fn modify(
        &self,
        Snapshot { kind, id }: &Snapshot,
        operation: OperationType,
        with: &BTreeSet<Grantee>,
    ) -> Result<Applied, CallError> {
        let unshares = operation == OperationType::Remove;
        let names = |grantees: &[&Grantee]| -> Option<Vec<String>> {
            (!grantees.is_empty()).then(|| grantees.iter().map(|grantee| grantee.as_str().to_owned()).collect())
        };
        let (groups, users): (Vec<_>, Vec<_>) = with.iter().partition(|grantee| **grantee == Grantee::Everybody);
        let all: Vec<&Grantee> = with.iter().collect();
        let (removed, added) = if unshares { (names(&all), None) } else { (None, names(&all)) };
        match kind {
            Kind::Ebs => {
                let call = self.ec2_writes.modify_snapshot_attribute().snapshot_id(id);
                let call = call.attribute(SnapshotAttributeName::CreateVolumePermission).operation_type(operation);
                let answer = call.set_group_names(names(&groups)).set_user_ids(names(&users)).send().await;
                applied("ec2:ModifySnapshotAttribute", unshares, answer)
            }
            Kind::Db => {
                let call = self.rds_writes.modify_db_snapshot_attribute().db_snapshot_identifier(id);
                let call = call.attribute_name(RESTORE).set_values_to_add(added).set_values_to_remove(removed);
                applied("rds:ModifyDBSnapshotAttribute", unshares, call.send().await)
            }
            Kind::DbCluster => {
                let call = self.rds_writes.modify_db_cluster_snapshot_attribute().db_cluster_snapshot_identifier(id);
                let call = call.attribute_name(RESTORE).set_values_to_add(added).set_values_to_remove(removed);
                applied("rds:ModifyDBClusterSnapshotAttribute", unshares, call.send().await)
            }
        }
    }
}

/// A snapshot that is gone is no error.
fn if_there<T, E>(action: &'static str, answer: Result<T, SdkError<E>>) -> Result<Option<T>, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_gone(error.code()) => Ok(None),
        Err(error) => Err(call_error(action, error)),
    }
}

/// What is gone is shared with nobody, and cannot be shared again.
fn applied<T, E>(action: &'static str, unshares: bool, answer: Result<T, SdkError<E>>) -> Result<Applied, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(Applied::Changed),
        Err(error) if unshares && is_gone(error.code()) => Ok(Applied::AlreadySo),
        Err(error) => Err(call_error(action, error)),
    }
}

/// Sources of the codes: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API"; Amazon RDS API Reference,
/// "`DescribeDBSnapshots`" and "`DescribeDBClusterSnapshots`".
fn is_gone(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "InvalidSnapshot.NotFound"
                | "InvalidSnapshotID.Malformed"
                | "DBSnapshotNotFound"
                | "DBSnapshotNotFoundFault"
                | "DBClusterSnapshotNotFoundFault"
        )
    )
}

fn read_restore(attributes: impl Iterator<Item = (Option<String>, Option<Vec<String>>)>) -> BTreeSet<Grantee> {
    let restore = attributes.filter(|(name, _)| name.as_deref() == Some(RESTORE));
    restore.flat_map(|(_, values)| values.unwrap_or_default()).filter_map(|name| Grantee::parse(&name).ok()).collect()
}

fn read_tags(tags: impl Iterator<Item = (Option<String>, Option<String>)>) -> BTreeMap<String, String> {
    tags.filter_map(|(key, value)| Some((key?, value.unwrap_or_default()))).collect()
}
