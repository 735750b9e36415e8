//! Whom the statements of a policy let in.

use std::collections::BTreeSet;

use policy::{Facts, Trusted};
use policy_document::{Access, Document, Trust, exposure};
use remedy::{Remedy, Situation};

use crate::called::{By, Opened};
use crate::change::AccessChange;
use crate::permission::Permission;
use crate::target::{AuthType, Observed, Target};

/// A statement of a live policy.
#[derive(Debug)]
pub(crate) struct Judged {
    sid: Option<String>,
    /// The parameters that would make it again, if any do.
    permission: Option<Permission>,
    principals: BTreeSet<String>,
    access: Access,
}

/// What is wrong in the live policy.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// The statements that let in whom they should not.
    open: Vec<Judged>,
    /// The statement that is meant lets in an AWS service, on anybody's behalf.
    is_confused_deputy: bool,
    /// Why something cannot be told, or done.
    unclear: Option<String>,
}

fn trust(opened: &Opened, trusted: &Trusted) -> Trust {
    Trust {
        account: opened.account.clone(),
        partition: opened.region.partition(),
        organization: trusted.organization.clone(),
        accounts: trusted.accounts.clone(),
    }
}

impl Judgement {
    pub(crate) fn of(opened: &Opened, observed: &Observed, situation: &Situation) -> Self {
        let Some(text) = &observed.policy else { return Self::default() };
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => return Self { unclear: Some(error.to_string()), ..Self::default() },
        };
        let mut judgement = Self::default();
        for grant in exposure(&document, &trust(opened, &situation.trusted)) {
            let permission = document.statement_text(grant.statement).and_then(Permission::read);
            let is_meant = match &opened.by {
                By::Statement { sid: Some(sid), .. } => grant.sid.as_ref() == Some(sid),
                By::Statement { sid: None, .. } => true,
                By::Url => permission.as_ref().is_some_and(|it| it.action == "lambda:InvokeFunctionUrl"),
            };
            if !is_meant {
                continue;
            }
            match &grant.access {
                access if access.is_exposed() => judgement.open.push(Judged {
                    sid: grant.sid,
                    permission,
                    principals: grant.entries.into_iter().map(|entry| entry.principal).collect(),
                    access: grant.access,
                }),
                Access::Service { guarded: false, .. } => judgement.is_confused_deputy = true,
                Access::Unknown(doubt) => judgement.unclear = Some(doubt.to_string()),
                _ => {}
            }
        }
        judgement
    }

    pub(crate) fn remedy(&self, opened: &Opened, observed: &Observed) -> Remedy<AccessChange> {
        let target = &opened.target;
        if let (By::Url, Target::Function { name, qualifier }) = (&opened.by, target) {
            return match observed.auth_type {
                Some(from @ AuthType::None) => {
                    let (function, qualifier) = (name.clone(), qualifier.clone());
                    Remedy::Changes(vec![AccessChange::Url { function, qualifier, from, to: AuthType::AwsIam }])
                }
                Some(AuthType::AwsIam) | None => Remedy::AlreadySafe,
            };
        }
        let permissions = self.open.iter().filter_map(|judged| judged.permission.clone());
        let changes: Vec<_> =
            permissions.map(|permission| AccessChange::Remove { target: target.clone(), permission }).collect();
        if !changes.is_empty() {
            return Remedy::Changes(changes);
        }
        if let Some(judged) = self.open.first() {
            let sid = judged.sid.as_deref().unwrap_or("without an id");
            return Remedy::Uncontainable {
                next_step: format!(
                    "Statement {sid} in the policy of {target} lets in {}, and AddPermission could not put it back: look \
                     whether it is wanted, and remove it with RemovePermission (AWS Lambda Developer Guide, \"Viewing \
                     resource-based IAM policies in Lambda\").",
                    judged.access
                ),
            };
        }
        match &self.unclear {
            Some(unclear) => Remedy::Uncontainable {
                next_step: format!(
                    "It cannot be told whom the policy of {target} lets in ({unclear}): read it, and remove with \
                     RemovePermission what should not be there (AWS Lambda Developer Guide, \"Viewing resource-based IAM \
                     policies in Lambda\")."
                ),
            },
            None => Remedy::AlreadySafe,
        }
    }

    pub(crate) fn facts(&self, opened: &Opened, observed: &Observed) -> Facts {
        let (exposure, qualifier, version) = match (&opened.target, &opened.by) {
            (Target::Function { qualifier, .. }, By::Statement { .. }) => ("permission", qualifier.as_deref(), None),
            (Target::Function { qualifier, .. }, By::Url) => ("url", qualifier.as_deref(), None),
            (Target::Layer { version, .. }, _) => ("layer", None, Some(*version)),
        };
        let open = || self.open.iter();
        let outsiders = open().filter_map(|judged| match &judged.access {
            Access::Foreign(outsiders) => Some(outsiders),
            _ => None,
        });
        let outsiders: BTreeSet<String> = outsiders.flatten().map(ToString::to_string).collect();
        let actions: BTreeSet<String> = open().filter_map(|it| Some(it.permission.as_ref()?.action.clone())).collect();
        let principals: BTreeSet<String> = open().flat_map(|judged| judged.principals.iter().cloned()).collect();
        Facts::new()
            .with("exposure", exposure)
            .with("name", opened.target.name())
            .with("statementIds", open().filter_map(|judged| judged.sid.clone()).collect::<BTreeSet<String>>())
            .with("actions", actions)
            .with("principals", principals)
            .with("outsiders", outsiders)
            .with("public", open().any(|judged| judged.access.is_public()))
            .with("confusedDeputy", self.is_confused_deputy)
            .with_known("qualifier", qualifier)
            .with_known("layerVersion", version)
            .with_known("unclear", self.unclear.as_deref())
            .with_known("urlAuthType", observed.auth_type.map(AuthType::as_str))
    }
}
