//! What a function's role must allow: what its `permissions.json` says, and what every function needs.

use std::collections::BTreeMap;

use super::Scene;
use crate::catalogue::{By, Permission};
use crate::deployment::{QUEUE, TABLE, TOPIC};
use crate::responders::Entry;

/// One action on one resource, which may have wildcards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) action: String,
    pub(super) resource: String,
}

/// What every function does with the ledger: `ResponderAccess` in the template.
const LEDGER: [&str; 4] = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

pub(super) fn needs(scene: &Scene, entry: &Entry) -> Vec<Need> {
    let own = Permission::of(&entry.spec).into_iter().filter(|permission| permission.by == By::Function);
    let filled = |text: &str| {
        let text = text.replace("${Partition}", &scene.region.partition().to_string());
        text.replace("${Region}", scene.region.as_str()).replace("${Account}", scene.account.as_str())
    };
    let mut needs: Vec<Need> =
        own.map(|Permission { action, resource, .. }| Need { action, resource: filled(&resource) }).collect();
    let mut need = |action: &str, resource: &str| {
        needs.push(Need { action: action.to_owned(), resource: resource.to_owned() });
    };
    if let Some(table) = scene.deployment.physical(TABLE, "Ledger") {
        let arn = scene.arn("dynamodb", &format!("table/{table}"));
        for action in LEDGER {
            need(action, &arn);
        }
    }
    if let Some(topic) = scene.deployment.physical(TOPIC, "Incidents") {
        need("sns:Publish", topic);
    }
    if let Some(queue) = failed_events(scene) {
        need("sqs:SendMessage", &queue);
    }
    needs
}

/// The ARN of the queue of what functions fail on. A queue's URL ends with its name.
pub(super) fn failed_events(scene: &Scene) -> Option<String> {
    let url = scene.deployment.physical(QUEUE, "FailedEvents")?;
    Some(scene.arn("sqs", url.rsplit('/').next()?))
}

/// The actions by their resource, since one simulation is about one resource.
pub(super) fn by_resource(needs: &[Need]) -> BTreeMap<&str, Vec<&str>> {
    let mut actions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for need in needs {
        actions.entry(&need.resource).or_default().push(&need.action);
    }
    actions
}

/// A resource that the wildcards of an ARN stand for, as a real request names one.
pub(super) fn example(resource: &str, account: &str) -> String {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let [arn, partition, service, region, owner, rest] = parts.as_slice() else { return resource.to_owned() };
    let owner = if *owner == "*" { account } else { owner };
    [arn, partition, service, region, owner, rest.replace('*', "countermand-doctor").as_str()].join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_becomes_a_resource() {
        let example = |resource| example(resource, "123456789012");
        assert_eq!(
            example("arn:aws:ec2:us-east-1:*:prefix-list/*"),
            "arn:aws:ec2:us-east-1:123456789012:prefix-list/countermand-doctor"
        );
        assert_eq!(example("arn:aws:sns:r:a:t"), "arn:aws:sns:r:a:t");
        assert_eq!(example("*"), "*");
    }
}
