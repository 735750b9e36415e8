//! The port over Amazon's SDK.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{EntityType, PolicyDetail, Tag};
use cloudtrail::Arn;
use lambda::{call_error, if_there, once};
use remedy::{Applied, CallError};

use crate::DetachAdminPolicy;
use crate::grant::{Identity, IdentityKind};
use crate::live::{Entity, InlinePolicies, ManagedPolicy, Policies};

/// AWS IAM.
#[derive(Debug, Clone)]
pub struct Iam {
    reads: Client,
    /// One attempt a call: of what is taken away, a second one would find nothing, and take it for somebody else's doing.
    writes: Client,
}

/// The responder as it is deployed.
pub type Live = DetachAdminPolicy<Iam>;

impl lambda::Connect for Live {
    fn connect(config: &aws_types::SdkConfig) -> Self {
        Self(Iam { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

/// Sends one of three calls that differ only in the kind of identity they are about.
macro_rules! by_kind {
    ($identity:expr, $client:expr, $user:ident $user_action:literal, $role:ident $role_action:literal,
     $group:ident $group_action:literal, |$call:ident| $more:expr, |$answer:ident| $read:expr) => {{
        let Identity { kind, name } = $identity;
        match kind {
            IdentityKind::User => {
                let $call = $client.$user().user_name(name);
                let answer = $more.await;
                answer.map(|$answer| $read).map_err(|error| call_error($user_action, error))
            }
            IdentityKind::Role => {
                let $call = $client.$role().role_name(name);
                let answer = $more.await;
                answer.map(|$answer| $read).map_err(|error| call_error($role_action, error))
            }
            IdentityKind::Group => {
                let $call = $client.$group().group_name(name);
                let answer = $more.await;
                answer.map(|$answer| $read).map_err(|error| call_error($group_action, error))
            }
        }
    }};
}

impl Policies for Iam {
    async fn entity(&self, Identity { kind, name }: &Identity) -> Result<Option<Entity>, CallError> {
        match kind {
            IdentityKind::User => {
                const ACTION: &str = "iam:GetUser";
                let answer = self.reads.get_user().user_name(name).send().await;
                let user = if_there(answer.map_err(|error| call_error(ACTION, error)))?.and_then(|answer| answer.user);
                user.map(|user| entity(ACTION, user.user_name, &user.arn, user.tags)).transpose()
            }
            IdentityKind::Role => {
                const ACTION: &str = "iam:GetRole";
                let answer = self.reads.get_role().role_name(name).send().await;
                let role = if_there(answer.map_err(|error| call_error(ACTION, error)))?.and_then(|answer| answer.role);
                role.map(|role| entity(ACTION, role.role_name, &role.arn, role.tags)).transpose()
            }
            IdentityKind::Group => {
                const ACTION: &str = "iam:GetGroup";
                let answer = self.reads.get_group().group_name(name).max_items(1).send().await;
                let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
                let group = answer.and_then(|answer| answer.group);
                group.map(|group| entity(ACTION, group.group_name, &group.arn, None)).transpose()
            }
        }
    }

    async fn attached(&self, to: &Identity) -> Result<BTreeSet<Arn>, CallError> {
        let attached = by_kind!(
            to,
            self.reads,
            list_attached_user_policies "iam:ListAttachedUserPolicies",
            list_attached_role_policies "iam:ListAttachedRolePolicies",
            list_attached_group_policies "iam:ListAttachedGroupPolicies",
            |call| call.into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
            |policies| policies
        );
        let arns = if_there(attached)?.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn);
        Ok(arns.filter_map(|arn| Arn::parse(&arn).ok()).collect())
    }

    async fn inline_of_group(&self, group: &str) -> Result<Vec<String>, CallError> {
        const ACTION: &str = "iam:ListGroupPolicies";
        let pages = self.reads.list_group_policies().group_name(group).into_paginator().items().send();
        let names = pages.collect::<Result<Vec<_>, _>>().await;
        Ok(if_there(names.map_err(|error| call_error(ACTION, error)))?.unwrap_or_default())
    }

    async fn inline(&self, of: &Identity, policy: &str) -> Result<Option<String>, CallError> {
        if_there(by_kind!(
            of,
            self.reads,
            get_user_policy "iam:GetUserPolicy",
            get_role_policy "iam:GetRolePolicy",
            get_group_policy "iam:GetGroupPolicy",
            |call| call.policy_name(policy).send(),
            |answer| answer.policy_document
        ))
    }

    async fn managed(&self, policy: &Arn) -> Result<Option<ManagedPolicy>, CallError> {
        const ACTION: &str = "iam:GetPolicy";
        let answer = self.reads.get_policy().policy_arn(policy.as_str()).send().await;
        let found = if_there(answer.map_err(|error| call_error(ACTION, error)))?.and_then(|answer| answer.policy);
        let Some(found) = found else { return Ok(None) };
        let name = found.policy_name.unwrap_or_default();
        let entity = entity(ACTION, name, found.arn.as_deref().unwrap_or(policy.as_str()), found.tags)?;
        let default_version = found.default_version_id.unwrap_or_default();
        Ok(Some(ManagedPolicy { entity, default_version, attachments: found.attachment_count.unwrap_or(0).into() }))
    }

    async fn versions(&self, policy: &Arn) -> Result<Vec<String>, CallError> {
        const ACTION: &str = "iam:ListPolicyVersions";
        let pages = self.reads.list_policy_versions().policy_arn(policy.as_str()).into_paginator().items().send();
        let versions = pages.collect::<Result<Vec<_>, _>>().await;
        let versions = if_there(versions.map_err(|error| call_error(ACTION, error)))?.unwrap_or_default();
        Ok(versions.into_iter().filter_map(|version| version.version_id).collect())
    }

    async fn document(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError> {
        const ACTION: &str = "iam:GetPolicyVersion";
        let answer = self.reads.get_policy_version().policy_arn(policy.as_str()).version_id(version).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        Ok(answer.and_then(|answer| answer.policy_version?.document))
    }

    async fn groups(&self, user: &str) -> Result<Vec<Arn>, CallError> {
        const ACTION: &str = "iam:ListGroupsForUser";
        let pages = self.reads.list_groups_for_user().user_name(user).into_paginator().items().send();
        let groups = pages.collect::<Result<Vec<_>, _>>().await;
        let groups = if_there(groups.map_err(|error| call_error(ACTION, error)))?.unwrap_or_default();
        groups.into_iter().map(|group| read_arn(ACTION, &group.arn)).collect()
    }

    async fn all_inline(&self) -> Result<Vec<(IdentityKind, Arn, InlinePolicies)>, CallError> {
        const ACTION: &str = "iam:GetAccountAuthorizationDetails";
        let kinds = [EntityType::User, EntityType::Role, EntityType::Group];
        let call = self.reads.get_account_authorization_details().set_filter(Some(kinds.to_vec()));
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| call_error(ACTION, error))?;
            let users = page.user_detail_list.unwrap_or_default().into_iter();
            let users = users.map(|it| (IdentityKind::User, it.arn, it.user_policy_list));
            let roles = page.role_detail_list.unwrap_or_default().into_iter();
            let roles = roles.map(|it| (IdentityKind::Role, it.arn, it.role_policy_list));
            let groups = page.group_detail_list.unwrap_or_default().into_iter();
            let groups = groups.map(|it| (IdentityKind::Group, it.arn, it.group_policy_list));
            for (kind, arn, policies) in users.chain(roles).chain(groups) {
                let arn = read_arn(ACTION, arn.as_deref().unwrap_or_default())?;
                all.push((kind, arn, policies.unwrap_or_default().into_iter().filter_map(named).collect()));
            }
        }
        Ok(all)
    }

    async fn attach(&self, to: &Identity, policy: &Arn) -> Result<Applied, CallError> {
        by_kind!(
            to,
            self.writes,
            attach_user_policy "iam:AttachUserPolicy",
            attach_role_policy "iam:AttachRolePolicy",
            attach_group_policy "iam:AttachGroupPolicy",
            |call| call.policy_arn(policy.as_str()).send(),
            |_answer| Applied::Changed
        )
    }

    async fn detach(&self, from: &Identity, policy: &Arn) -> Result<Applied, CallError> {
        taken_away(by_kind!(
            from,
            self.writes,
            detach_user_policy "iam:DetachUserPolicy",
            detach_role_policy "iam:DetachRolePolicy",
            detach_group_policy "iam:DetachGroupPolicy",
            |call| call.policy_arn(policy.as_str()).send(),
            |_answer| ()
        ))
    }

    async fn put_inline(&self, of: &Identity, policy: &str, document: &str) -> Result<Applied, CallError> {
        by_kind!(
            of,
            self.writes,
            put_user_policy "iam:PutUserPolicy",
            put_role_policy "iam:PutRolePolicy",
            put_group_policy "iam:PutGroupPolicy",
            |call| call.policy_name(policy).policy_document(document).send(),
            |_answer| Applied::Changed
        )
    }

    async fn delete_inline(&self, of: &Identity, policy: &str) -> Result<Applied, CallError> {
        taken_away(by_kind!(
            of,
            self.writes,
            delete_user_policy "iam:DeleteUserPolicy",
            delete_role_policy "iam:DeleteRolePolicy",
            delete_group_policy "iam:DeleteGroupPolicy",
            |call| call.policy_name(policy).send(),
            |_answer| ()
        ))
    }

    async fn set_default(&self, policy: &Arn, version: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:SetDefaultPolicyVersion";
        let answer =
            self.writes.set_default_policy_version().policy_arn(policy.as_str()).version_id(version).send().await;
        answer.map(|_| Applied::Changed).map_err(|error| call_error(ACTION, error))
    }

    async fn join(&self, user: &str, group: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:AddUserToGroup";
        let answer = self.writes.add_user_to_group().user_name(user).group_name(group).send().await;
        answer.map(|_| Applied::Changed).map_err(|error| call_error(ACTION, error))
    }

    async fn leave(&self, user: &str, group: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:RemoveUserFromGroup";
        let answer = self.writes.remove_user_from_group().user_name(user).group_name(group).send().await;
        taken_away(answer.map(|_| ()).map_err(|error| call_error(ACTION, error)))
    }
}

/// What is gone need not be taken away. (What is given back to somebody who is gone is an error.)
fn taken_away(answer: Result<(), CallError>) -> Result<Applied, CallError> {
    Ok(if if_there(answer)?.is_some() { Applied::Changed } else { Applied::AlreadySo })
}

fn entity(action: &'static str, name: String, arn: &str, tags: Option<Vec<Tag>>) -> Result<Entity, CallError> {
    let tags: BTreeMap<_, _> = tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(Entity { name, arn: read_arn(action, arn)?, tags: Some(tags) })
}

fn read_arn(action: &'static str, arn: &str) -> Result<Arn, CallError> {
    Arn::parse(arn).map_err(|error| CallError::refused(action, error))
}

fn named(policy: PolicyDetail) -> Option<(String, String)> {
    Some((policy.policy_name?, policy.policy_document?))
}
