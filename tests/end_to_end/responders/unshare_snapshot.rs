//! `unshare-snapshot` does what every responder must, and tells of copies made abroad.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{OperationType, ResourceType, SnapshotAttributeName, Tag, TagSpecification};
use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

const FOREIGN: &str = "210987654321";
const OLD: &str = "999988887777";

/// What each way shares, beside [`OLD`], with whom it was shared long before.
const SHARED: [&[&str]; 3] =
    [&["all", FOREIGN, "444455556666"], &["all", FOREIGN, "444455556666"], &[FOREIGN, "444455556666"]];

struct Shared;

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Shared {
    async fn snapshot(setting: &Setting, way: usize, nth: u32) -> String {
        let (ec2, rds) = (aws_sdk_ec2::Client::new(&setting.operator), aws_sdk_rds::Client::new(&setting.operator));
        let name = format!("orders{nth}");
        let id = match way {
            0 => {
                let tag = Tag::builder().key("team").value("payments").build();
                let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).tags(tag).build();
                let volume = ec2.create_volume().size(1).availability_zone("us-east-1a").send().await.unwrap();
                let call = ec2.create_snapshot().volume_id(volume.volume_id.unwrap()).tag_specifications(tags);
                call.send().await.unwrap().snapshot_id.unwrap()
            }
            1 => {
                let call = rds.create_db_instance().db_instance_identifier(&name).db_instance_class("db.t3.micro");
                call.engine("postgres").allocated_storage(20).send().await.unwrap();
                let call = rds.create_db_snapshot().db_instance_identifier(&name).db_snapshot_identifier(&name);
                call.send().await.unwrap();
                name
            }
            _ => {
                let call = rds.create_db_cluster().db_cluster_identifier(&name).engine("aurora-postgresql");
                call.master_username("root").master_user_password("not-a-secret").send().await.unwrap();
                let call = rds.create_db_cluster_snapshot().db_cluster_identifier(&name);
                call.db_cluster_snapshot_identifier(&name).send().await.unwrap();
                name
            }
        };
        let id = format!("{way} {id}");
        Self::modify(setting, false, &id, OperationType::Add, &[OLD]).await;
        setting.account.events();
        id
    }

    /// By the attacker, or by the operator.
    async fn modify(setting: &Setting, by_attacker: bool, name: &str, operation: OperationType, with: &[&str]) {
        let who = if by_attacker { &setting.attacker } else { &setting.operator };
        let rds = aws_sdk_rds::Client::new(who);
        let (way, id) = name.split_once(' ').unwrap();
        let (added, removed) =
            if operation == OperationType::Add { (Some(owned(with)), None) } else { (None, Some(owned(with))) };
        match way {
            "0" => {
                let (groups, users): (Vec<&str>, Vec<&str>) = with.iter().partition(|name| **name == "all");
                let call = aws_sdk_ec2::Client::new(who).modify_snapshot_attribute().snapshot_id(id);
                let call = call.attribute(SnapshotAttributeName::CreateVolumePermission).operation_type(operation);
                call.set_group_names(Some(owned(&groups))).set_user_ids(Some(owned(&users))).send().await.unwrap();
            }
            "1" => {
                let call = rds.modify_db_snapshot_attribute().db_snapshot_identifier(id).attribute_name("restore");
                call.set_values_to_add(added).set_values_to_remove(removed).send().await.unwrap();
            }
            _ => {
                let call = rds.modify_db_cluster_snapshot_attribute().db_cluster_snapshot_identifier(id);
                let call = call.attribute_name("restore").set_values_to_add(added).set_values_to_remove(removed);
                call.send().await.unwrap();
            }
        }
    }

    async fn with(setting: &Setting, name: &str) -> BTreeSet<String> {
        let (ec2, rds) = (aws_sdk_ec2::Client::new(&setting.operator), aws_sdk_rds::Client::new(&setting.operator));
        let (way, id) = name.split_once(' ').unwrap();
        match way {
            "0" => {
                let attribute = SnapshotAttributeName::CreateVolumePermission;
                let answer = ec2.describe_snapshot_attribute().snapshot_id(id).attribute(attribute).send();
                let permissions = answer.await.unwrap().create_volume_permissions.unwrap_or_default().into_iter();
                permissions.map(|it| it.user_id.unwrap_or_else(|| it.group.unwrap().as_str().to_owned())).collect()
            }
            "1" => {
                let answer = rds.describe_db_snapshot_attributes().db_snapshot_identifier(id).send().await.unwrap();
                let attributes = answer.db_snapshot_attributes_result.unwrap().db_snapshot_attributes.unwrap();
                attributes.into_iter().flat_map(|it| it.attribute_values.unwrap_or_default()).collect()
            }
            _ => {
                let answer = rds.describe_db_cluster_snapshot_attributes().db_cluster_snapshot_identifier(id);
                let result = answer.send().await.unwrap().db_cluster_snapshot_attributes_result.unwrap();
                let attributes = result.db_cluster_snapshot_attributes.unwrap().into_iter();
                attributes.flat_map(|it| it.attribute_values.unwrap_or_default()).collect()
            }
        }
    }
}

impl Scenario for Shared {
    const NAME: &'static str = "unshare-snapshot";
    const WAYS: usize = 3;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = Self::snapshot(setting, way, nth).await;
        Self::modify(setting, true, &name, OperationType::Add, SHARED[way]).await;
        Exposure { name, event: setting.event() }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        json!(Self::with(setting, &exposure.name).await)
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        Self::modify(setting, false, &exposure.name, OperationType::Remove, &["all", FOREIGN, "444455556666"]).await;
        setting.account.events();
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        Self::modify(setting, false, &exposure.name, OperationType::Add, &[FOREIGN]).await;
        setting.account.events();
        true
    }
}

proves!(Shared);

#[tokio::test]
async fn what_was_shared_before_stays_so_and_a_removal_is_no_finding() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Shared::NAME).await;
    for (way, nth) in [(0, 1), (1, 2), (2, 3)] {
        let exposure = Shared::expose(&setting, way, nth).await;
        let contained = outcome(function.invoke(&exposure.event).await);
        assert_eq!(contained["status"], "contained", "{contained:#}");
        let (_, id) = exposure.name.split_once(' ').unwrap();
        let arn = match way {
            0 => format!("arn:aws:ec2:us-east-1::snapshot/{id}"),
            1 => format!("arn:aws:rds:us-east-1:123456789012:snapshot:{id}"),
            _ => format!("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:{id}"),
        };
        assert_eq!(contained["resource"], arn);
        assert_eq!(Shared::with(&setting, &exposure.name).await, BTreeSet::from([OLD.to_owned()]));
        setting.account.events();
        Shared::modify(&setting, true, &exposure.name, OperationType::Remove, &[OLD]).await;
        assert_eq!(function.invoke(&setting.event()).await.unwrap().body, json!({"outcomes": []}));
    }
}

#[tokio::test]
async fn a_snapshot_that_is_gone_is_safe_and_one_that_was_copied_is_not() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Shared::NAME).await;
    for (way, nth) in [(0, 1), (1, 2), (2, 3)] {
        let exposure = Shared::expose(&setting, way, nth).await;
        let (ec2, rds) = (aws_sdk_ec2::Client::new(&setting.operator), aws_sdk_rds::Client::new(&setting.operator));
        let (_, id) = exposure.name.split_once(' ').unwrap();
        match way {
            0 => drop(ec2.delete_snapshot().snapshot_id(id).send().await.unwrap()),
            1 => drop(rds.delete_db_snapshot().db_snapshot_identifier(id).send().await.unwrap()),
            _ => drop(rds.delete_db_cluster_snapshot().db_cluster_snapshot_identifier(id).send().await.unwrap()),
        }
        setting.account.events();
        assert_eq!(status(function.invoke(&exposure.event).await), "already_safe", "way {way}");
        if way > 0 {
            continue;
        }
        let fixture = include_str!("../../../functions/unshare-snapshot/events/match/copied-by-another-account.json");
        let mut copied: Value = serde_json::from_str(fixture).unwrap();
        copied["detail"]["serviceEventDetails"]["snapshotId"] = id.into();
        copied["region"] = "us-east-1".into();
        copied["detail"]["awsRegion"] = "us-east-1".into();
        let outcome = outcome(function.invoke(&copied).await);
        assert_eq!(outcome["status"], "uncontainable", "{outcome:#}");
        let because = outcome["because"].as_str().unwrap();
        assert!(because.contains("Account 210987654321 has copied"), "{because}");
    }
}
