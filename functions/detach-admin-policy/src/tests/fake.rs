//! IAM, as far as this responder can tell.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cloudtrail::Arn;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use policy::Resource;
use remedy::{Applied, CallError, CallErrorKind};
use serde_json::{Value, json};
use testkit::{Journal, World};

use crate::{Baseline, Entity, Identity, IdentityKind, InlinePolicies, ManagedPolicy, Policies};

pub(super) const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
pub(super) const FILES: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
pub(super) const WITH_MFA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
pub(super) const LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}]}"#;

/// A user, role or group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Holder {
    pub(super) entity: Entity,
    pub(super) attached: BTreeSet<Arn>,
    pub(super) inline: InlinePolicies,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Managed {
    pub(super) default: String,
    pub(super) versions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) holders: BTreeMap<(IdentityKind, String), Holder>,
    pub(super) policies: BTreeMap<Arn, Managed>,
    /// User and group.
    pub(super) members: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Iam {
    pub(super) account: Rc<RefCell<Account>>,
    captured: bool,
    journal: Journal,
}

pub(super) fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

pub(super) fn own(policy: &str) -> Arn {
    arn(&format!("arn:aws:iam::123456789012:policy/{policy}"))
}

pub(super) fn aws(policy: &str) -> Arn {
    arn(&format!("arn:aws:iam::aws:policy/{policy}"))
}

pub(super) use IdentityKind::{Group, Role, User};

impl Iam {
    /// An account after all the events of `events/match`.
    pub(super) fn new() -> Self {
        let holder = |kind: IdentityKind, path: &str, name: &str, attached: &[Arn], inline: &[(&str, String)]| {
            let tags =
                if kind == Group { BTreeMap::new() } else { [("team".to_owned(), "payments".to_owned())].into() };
            let arn = arn(&format!("arn:aws:iam::123456789012:{}{path}{name}", kind.name()));
            let holder = Holder {
                entity: Entity { name: name.to_owned(), arn, tags: Some(tags) },
                attached: attached.iter().cloned().collect(),
                inline: inline.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
            };
            ((kind, name.to_owned()), holder)
        };
        let managed = |default: &str, versions: &[(&str, &str)]| {
            let versions = versions.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
            Managed { default: default.to_owned(), versions }
        };
        let read_only = aws("ReadOnlyAccess");
        let alice = [("notes", put_by("inline-of-user")), ("admin-with-mfa", put_by("inline-with-mfa"))];
        let worker = [("deploy", put_by("inline-of-role")), ("self-service", put_by("inline-on-own-path"))];
        let developers = [("everything-but-billing", put_by("inline-of-group"))];
        let sso = "AWSReservedSSO_Admins_0123456789abcdef";
        let account = Account {
            holders: BTreeMap::from([
                holder(User, "/people/", "alice", &[aws("AdministratorAccess"), read_only.clone()], &alice),
                holder(Role, "/app/", "worker", &[own("team/maintenance"), aws("AWSLambda_FullAccess")], &worker),
                holder(Role, "/aws-reserved/sso.amazonaws.com/", sso, &[aws("AdministratorAccess")], &[]),
                holder(Group, "/", "developers", &[aws("IAMFullAccess"), read_only.clone()], &developers),
                holder(
                    Group,
                    "/staff/",
                    "admins",
                    &[own("team/maintenance"), aws("AWSLambda_FullAccess")],
                    &[("notes", FILES.to_owned())],
                ),
            ]),
            policies: BTreeMap::from([
                (own("team/maintenance"), managed("v1", &[("v1", EVERYTHING)])),
                (own("team/build"), managed("v3", &[("v1", EVERYTHING), ("v2", FILES), ("v3", EVERYTHING)])),
                (
                    own("vulnerable"),
                    managed("v1", &[("v1", EVERYTHING), ("v9", FILES), ("v10", FILES), ("v11", WITH_MFA)]),
                ),
                (aws("AWSLambda_FullAccess"), managed("v7", &[("v7", LAMBDA)])),
                (
                    read_only,
                    managed(
                        "v1",
                        &[(
                            "v1",
                            r#"{"Statement":[{"Effect":"Allow","Action":["iam:Get*","s3:Get*"],"Resource":"*"}]}"#,
                        )],
                    ),
                ),
            ]),
            members: BTreeSet::from([
                ("alice".to_owned(), "admins".to_owned()),
                ("alice".to_owned(), "other".to_owned()),
            ]),
        };
        Self { account: Rc::new(RefCell::new(account)), captured: false, journal: Journal::default() }
    }

    /// Changes one of the users, roles and groups.
    pub(super) fn change(&self, kind: IdentityKind, name: &str, change: impl FnOnce(&mut Holder)) {
        change(self.account.borrow_mut().holders.get_mut(&(kind, name.to_owned())).unwrap());
    }

    pub(super) fn holder(&self, kind: IdentityKind, name: &str) -> Holder {
        self.account.borrow().holders[&(kind, name.to_owned())].clone()
    }

    pub(super) fn set_versions(&self, policy: &str, default: &str, versions: &[(&str, &str)]) {
        let versions = versions.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
        self.account.borrow_mut().policies.insert(own(policy), Managed { default: default.to_owned(), versions });
    }

    /// The same account, of whose inline policies an operator captured that they allowed files only.
    pub(super) fn captured() -> Self {
        Self { captured: true, ..Self::new() }
    }

    fn find<T>(&self, identity: &Identity, read: impl FnOnce(&Holder) -> T) -> Option<T> {
        self.account.borrow().holders.get(&(identity.kind, identity.name.clone())).map(read)
    }

    fn write<T>(
        &self,
        identity: &Identity,
        [user, role, group]: [&'static str; 3],
        more: Value,
        write: impl FnOnce(&mut Holder) -> T,
    ) -> Result<Option<T>, CallError> {
        let (action, field) = match identity.kind {
            User => (user, "userName"),
            Role => (role, "roleName"),
            Group => (group, "groupName"),
        };
        let mut request = more;
        request[field] = json!(identity.name);
        self.journal.write(action, record(action, &request))?;
        let mut account = self.account.borrow_mut();
        Ok(account.holders.get_mut(&(identity.kind, identity.name.clone())).map(write))
    }
}

/// The document in the event of this name.
pub(super) fn put_by(event: &str) -> String {
    let file = format!("{}/events/match/{event}.json", env!("CARGO_MANIFEST_DIR"));
    let event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    event["detail"]["requestParameters"]["policyDocument"].as_str().unwrap().to_owned()
}

impl World for Iam {
    type State = Account;

    fn state(&self) -> Account {
        self.account.borrow().clone()
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }

    fn baselines(&self) -> Vec<(Resource, Value)> {
        let account = self.account.borrow();
        let of = |((kind, _), holder): (&(IdentityKind, String), &Holder)| {
            let inline = holder.inline.keys().map(|name| (name.clone(), FILES.to_owned())).collect();
            (holder.entity.resource(kind.resource()), json!(Baseline { inline }))
        };
        if self.captured { account.holders.iter().map(of).collect() } else { Vec::new() }
    }
}

/// What CloudTrail would write of a call of our function's.
fn record(action: &str, request: &Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "eventID": format!("{action} {request}"),
        "eventTime": "2026-11-22T07:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": action.strip_prefix("iam:").unwrap(),
        "awsRegion": "us-east-1",
        "recipientAccountId": "123456789012",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/somebody/somebody",
            "accountId": "123456789012"
        },
        "requestParameters": request,
        "responseElements": null
    })
}

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}

fn given(written: Option<()>, action: &'static str) -> Result<Applied, CallError> {
    let gone = || CallError { action, kind: CallErrorKind::Gone, source: "there is nobody of that name".into() };
    written.map(|()| Applied::Changed).ok_or_else(gone)
}

fn taken(written: Option<bool>) -> Applied {
    if written == Some(true) { Applied::Changed } else { Applied::AlreadySo }
}

impl Policies for Iam {
    async fn entity(&self, identity: &Identity) -> Result<Option<Entity>, CallError> {
        self.journal.read(["iam:GetUser", "iam:GetRole", "iam:GetGroup"][identity.kind as usize]);
        Ok(self.find(identity, |holder| holder.entity.clone()))
    }

    async fn attached(&self, to: &Identity) -> Result<BTreeSet<Arn>, CallError> {
        let actions = ["iam:ListAttachedUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListAttachedGroupPolicies"];
        self.journal.read(actions[to.kind as usize]);
        Ok(self.find(to, |holder| holder.attached.clone()).unwrap_or_default())
    }

    async fn inline_of_group(&self, group: &str) -> Result<Vec<String>, CallError> {
        self.journal.read("iam:ListGroupPolicies");
        let group = Identity { kind: Group, name: group.to_owned() };
        Ok(self.find(&group, |holder| holder.inline.keys().cloned().collect()).unwrap_or_default())
    }

    async fn inline(&self, of: &Identity, policy: &str) -> Result<Option<String>, CallError> {
        self.journal.read(["iam:GetUserPolicy", "iam:GetRolePolicy", "iam:GetGroupPolicy"][of.kind as usize]);
        Ok(self.find(of, |holder| holder.inline.get(policy).map(|text| encoded(text))).flatten())
    }

    async fn managed(&self, policy: &Arn) -> Result<Option<ManagedPolicy>, CallError> {
        self.journal.read("iam:GetPolicy");
        let account = self.account.borrow();
        let attachments = account.holders.values().filter(|holder| holder.attached.contains(policy)).count();
        Ok(account.policies.get(policy).map(|found| ManagedPolicy {
            entity: Entity { name: policy.name().to_owned(), arn: policy.clone(), tags: Some(BTreeMap::new()) },
            default_version: found.default.clone(),
            attachments: attachments.try_into().unwrap(),
        }))
    }

    async fn versions(&self, policy: &Arn) -> Result<Vec<String>, CallError> {
        self.journal.read("iam:ListPolicyVersions");
        let account = self.account.borrow();
        Ok(account.policies.get(policy).map(|found| found.versions.keys().cloned().collect()).unwrap_or_default())
    }

    async fn document(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError> {
        self.journal.read("iam:GetPolicyVersion");
        let account = self.account.borrow();
        Ok(account.policies.get(policy).and_then(|found| found.versions.get(version)).map(|text| encoded(text)))
    }

    async fn groups(&self, user: &str) -> Result<Vec<Arn>, CallError> {
        self.journal.read("iam:ListGroupsForUser");
        let account = self.account.borrow();
        let groups = account.members.iter().filter(|(member, _)| member == user);
        Ok(groups.map(|(_, group)| arn(&format!("arn:aws:iam::123456789012:group/staff/{group}"))).collect())
    }

    async fn all_inline(&self) -> Result<Vec<(IdentityKind, Arn, InlinePolicies)>, CallError> {
        self.journal.read("iam:GetAccountAuthorizationDetails");
        let account = self.account.borrow();
        let all = account.holders.iter().map(|((kind, _), holder)| {
            let inline = holder.inline.iter().map(|(name, text)| (name.clone(), encoded(text)));
            (*kind, holder.entity.arn.clone(), inline.collect())
        });
        Ok(all.collect())
    }

    async fn attach(&self, to: &Identity, policy: &Arn) -> Result<Applied, CallError> {
        let actions = ["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"];
        let written = self.write(to, actions, json!({"policyArn": policy}), |holder| {
            holder.attached.insert(policy.clone());
        })?;
        given(written, actions[to.kind as usize])
    }

    async fn detach(&self, from: &Identity, policy: &Arn) -> Result<Applied, CallError> {
        let actions = ["iam:DetachUserPolicy", "iam:DetachRolePolicy", "iam:DetachGroupPolicy"];
        Ok(taken(self.write(from, actions, json!({"policyArn": policy}), |holder| holder.attached.remove(policy))?))
    }

    async fn put_inline(&self, of: &Identity, policy: &str, document: &str) -> Result<Applied, CallError> {
        let actions = ["iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy"];
        let written = self.write(of, actions, json!({"policyName": policy, "policyDocument": document}), |holder| {
            holder.inline.insert(policy.to_owned(), document.to_owned());
        })?;
        given(written, actions[of.kind as usize])
    }

    async fn delete_inline(&self, of: &Identity, policy: &str) -> Result<Applied, CallError> {
        let actions = ["iam:DeleteUserPolicy", "iam:DeleteRolePolicy", "iam:DeleteGroupPolicy"];
        let removed =
            self.write(of, actions, json!({"policyName": policy}), |holder| holder.inline.remove(policy).is_some())?;
        Ok(taken(removed))
    }

    async fn set_default(&self, policy: &Arn, version: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:SetDefaultPolicyVersion";
        let request = json!({"policyArn": policy, "versionId": version});
        self.journal.write(ACTION, record(ACTION, &request))?;
        let mut account = self.account.borrow_mut();
        let found = account.policies.get_mut(policy).filter(|found| found.versions.contains_key(version));
        given(found.map(|found| version.clone_into(&mut found.default)), ACTION)
    }

    async fn join(&self, user: &str, group: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:AddUserToGroup";
        self.journal.write(ACTION, record(ACTION, &json!({"userName": user, "groupName": group})))?;
        self.account.borrow_mut().members.insert((user.to_owned(), group.to_owned()));
        Ok(Applied::Changed)
    }

    async fn leave(&self, user: &str, group: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:RemoveUserFromGroup";
        self.journal.write(ACTION, record(ACTION, &json!({"userName": user, "groupName": group})))?;
        Ok(taken(Some(self.account.borrow_mut().members.remove(&(user.to_owned(), group.to_owned())))))
    }
}
