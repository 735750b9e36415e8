//! Whether a function's role allows what the function needs: by IAM's own simulation, or by the text of its policies.

use std::cell::OnceCell;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use lambda::call_error;
use policy_document::{Document, DocumentError};
use remedy::{CallError, in_full};
use serde_json::Value;

use super::check::Check;
use super::permissions::{Need, by_resource, example, needs};
use super::{Scene, documents};
use crate::responders::Entry;

/// Why IAM does not simulate for us, once it has refused to: it would refuse for the other roles too.
#[derive(Debug, Default)]
pub(super) struct Simulator {
    refusal: OnceCell<CallError>,
}

/// Why a role's policies are not known.
#[derive(Debug, thiserror::Error)]
enum RoleError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("a policy of the role cannot be read")]
    Document(#[from] DocumentError),
    #[error("a policy of the role is not JSON")]
    Json(#[from] serde_json::Error),
}

pub(super) async fn look(scene: &Scene, entry: &Entry, role: &str, simulator: &Simulator) -> Check {
    let name = format!("role of {}", entry.spec.name);
    let needs = needs(scene, entry);
    let client = Client::new(&scene.config);
    if simulator.refusal.get().is_none() {
        match simulate(&client, scene, role, &needs).await {
            Ok(lacking) => return judge(name, needs.len(), &lacking, "as IAM simulates it"),
            // Another role's look may have kept it meanwhile.
            Err(refusal) => drop(simulator.refusal.set(refusal)),
        }
    }
    let role = role.rsplit('/').next().unwrap_or_default();
    match policies(&client, role).await {
        Ok(policies) => {
            let why = simulator.refusal.get().map(ToString::to_string).unwrap_or_default();
            let how = format!(
                "by comparing its policies' text, since {why}; boundaries and service control policies are not seen"
            );
            judge(name, needs.len(), &documents::lacking(&policies, &needs), &how)
        }
        Err(RoleError::Call(error)) => Check::unknown(name, &error),
        Err(error) => Check::failed(name, in_full(&error), "`sam deploy` puts the role's policies back"),
    }
}

fn judge(name: String, needed: usize, lacking: &[&Need], how: &str) -> Check {
    if lacking.is_empty() {
        return Check::ok(name, format!("allows all {needed} permissions, {how}"));
    }
    let lacking: Vec<String> =
        lacking.iter().map(|Need { action, resource }| format!("{action} on {resource}")).collect();
    let fix =
        "`sam deploy` puts the role's policies back; else look for a permissions boundary or a service control policy";
    Check::failed(name, format!("does not allow {}, {how}", lacking.join(", ")), fix)
}

async fn simulate<'a>(
    client: &Client,
    scene: &Scene,
    role: &str,
    needs: &'a [Need],
) -> Result<Vec<&'a Need>, CallError> {
    let mut lacking = Vec::new();
    for (resource, actions) in by_resource(needs) {
        let asked = client.simulate_principal_policy().policy_source_arn(role);
        let asked = asked.set_action_names(Some(actions.into_iter().map(str::to_owned).collect()));
        // Left out it means all resources.
        let asked = asked.set_resource_arns((resource != "*").then(|| vec![example(resource, scene.account.as_str())]));
        let mut marker = None;
        loop {
            let page = asked.clone().set_marker(marker).send().await;
            let page = page.map_err(|error| call_error("iam:SimulatePrincipalPolicy", error))?;
            let refused = page.evaluation_results().iter();
            let refused = refused.filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed);
            lacking.extend(refused.filter_map(|result| {
                needs.iter().find(|need| need.resource == resource && need.action == result.eval_action_name())
            }));
            marker = page.marker;
            if !page.is_truncated {
                break;
            }
        }
    }
    Ok(lacking)
}

/// All policies of a role, its own and those attached to it.
async fn policies(client: &Client, role: &str) -> Result<Vec<Value>, RoleError> {
    let mut policies = Vec::new();
    let mut marker = None;
    loop {
        let page = client.list_role_policies().role_name(role).set_marker(marker).send().await;
        let page = page.map_err(|error| call_error("iam:ListRolePolicies", error))?;
        for name in page.policy_names() {
            let policy = client.get_role_policy().role_name(role).policy_name(name).send().await;
            policies.push(read(policy.map_err(|error| call_error("iam:GetRolePolicy", error))?.policy_document())?);
        }
        marker = page.marker;
        if !page.is_truncated {
            break;
        }
    }
    let mut marker = None;
    loop {
        let page = client.list_attached_role_policies().role_name(role).set_marker(marker).send().await;
        let page = page.map_err(|error| call_error("iam:ListAttachedRolePolicies", error))?;
        for arn in page.attached_policies().iter().filter_map(|attached| attached.policy_arn()) {
            let policy = client.get_policy().policy_arn(arn).send().await;
            let policy = policy.map_err(|error| call_error("iam:GetPolicy", error))?.policy;
            let version = policy.and_then(|policy| policy.default_version_id).unwrap_or_default();
            let version = client.get_policy_version().policy_arn(arn).version_id(version).send().await;
            let version = version.map_err(|error| call_error("iam:GetPolicyVersion", error))?.policy_version;
            policies.push(read(version.and_then(|version| version.document).as_deref().unwrap_or_default())?);
        }
        marker = page.marker;
        if !page.is_truncated {
            return Ok(policies);
        }
    }
}

fn read(document: &str) -> Result<Value, RoleError> {
    Ok(serde_json::from_str(Document::parse(document)?.text())?)
}
