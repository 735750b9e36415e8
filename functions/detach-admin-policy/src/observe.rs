//! Looking at the account.

use cloudtrail::{AccountId, Arn};
use futures_util::future::{join, try_join, try_join_all};
use remedy::CallError;

use crate::document::decode;
use crate::grant::{Grant, Identity, IdentityKind};
use crate::judge::{Judged, judge, partition};
use crate::live::{Held, Observed, Policies, Version};

/// What became of what the event gave, and what it makes of whoever has it.
pub(crate) async fn observe(iam: &impl Policies, grant: &Grant, account: &AccountId) -> Result<Observed, CallError> {
    match grant {
        Grant::Attached { to, policy } => attached(iam, to, policy, account).await,
        Grant::Inline { of, policy } => inline(iam, of, policy, account).await,
        Grant::Version { policy, version } => default_version(iam, policy, version.as_deref(), account).await,
        Grant::Member { user, group } => member(iam, user, group, account).await,
    }
}

async fn attached(
    iam: &impl Policies,
    to: &Identity,
    policy: &Arn,
    account: &AccountId,
) -> Result<Observed, CallError> {
    let (entity, attached) = try_join(iam.entity(to), iam.attached(to)).await?;
    let found = attached.into_iter().find(|found| found.as_str().eq_ignore_ascii_case(policy.as_str()));
    let (Some(holder), Some(found)) = (&entity, found) else { return Ok(Observed { entity, ..Observed::default() }) };
    let judged = match Judged::known(&found) {
        Some(known) => known,
        None => match default_document(iam, &found).await? {
            Some(named) => judge(&[named], &[&holder.arn], account, partition(&holder.arn)),
            // It was deleted between two looks.
            None => return Ok(Observed { entity, ..Observed::default() }),
        },
    };
    Ok(Observed { entity, held: Held::There(found), judged })
}

async fn inline(iam: &impl Policies, of: &Identity, policy: &str, account: &AccountId) -> Result<Observed, CallError> {
    let (entity, document) = try_join(iam.entity(of), iam.inline(of, policy)).await?;
    let document = document.as_deref().map(decode);
    let (Some(holder), Some(text)) = (&entity, document) else { return Ok(Observed { entity, ..Observed::default() }) };
    let judged = judge(&[(policy.to_owned(), text.clone())], &[&holder.arn], account, partition(&holder.arn));
    Ok(Observed { entity, held: Held::Document(text), judged })
}

async fn default_version(
    iam: &impl Policies,
    policy: &Arn,
    version: Option<&str>,
    account: &AccountId,
) -> Result<Observed, CallError> {
    let Some(found) = iam.managed(policy).await? else { return Ok(Observed::default()) };
    let (version_now, attachments) = (found.default_version, Some(found.attachments));
    let (mut judged, mut others) = (Judged::default(), Vec::new());
    // Otherwise the event's version counts no more, and another event told of the one that does.
    if version.is_none_or(|version| version == version_now) {
        let ids = iam.versions(policy).await?;
        let documents = try_join_all(ids.iter().map(|id| iam.document(policy, id))).await?;
        for (id, document) in ids.into_iter().zip(documents) {
            let Some(document) = document else { continue };
            let named = [(policy.as_str().to_owned(), document)];
            let of_version = judge(&named, &[], account, partition(policy));
            if id == version_now { judged = of_version } else { others.push(Version { id, judged: of_version }) }
        }
    }
    let held = Held::Default { version: version_now, others, attachments };
    Ok(Observed { entity: Some(found.entity), held, judged })
}

async fn member(iam: &impl Policies, user: &str, group: &str, account: &AccountId) -> Result<Observed, CallError> {
    let identity = Identity { kind: IdentityKind::User, name: user.to_owned() };
    let (entity, groups) = try_join(iam.entity(&identity), iam.groups(user)).await?;
    let found = groups.into_iter().find(|found| found.name().eq_ignore_ascii_case(group));
    let (Some(holder), Some(found)) = (&entity, found) else { return Ok(Observed { entity, ..Observed::default() }) };
    let group = Identity { kind: IdentityKind::Group, name: found.name().to_owned() };
    let (managed, inline) = join(managed_documents(iam, &group), inline_documents(iam, &group)).await;
    let policies = [managed?, inline?].concat();
    let judged = judge(&policies, &[&holder.arn, &found], account, partition(&found));
    Ok(Observed { entity, held: Held::There(found), judged })
}

async fn managed_documents(iam: &impl Policies, of: &Identity) -> Result<Vec<(String, String)>, CallError> {
    let attached = iam.attached(of).await?;
    let documents = try_join_all(attached.iter().map(|policy| default_document(iam, policy))).await?;
    Ok(documents.into_iter().flatten().collect())
}

async fn inline_documents(iam: &impl Policies, group: &Identity) -> Result<Vec<(String, String)>, CallError> {
    let names = iam.inline_of_group(&group.name).await?;
    let documents = try_join_all(names.iter().map(|name| iam.inline(group, name))).await?;
    Ok(names.into_iter().zip(documents).filter_map(|(name, document)| Some((name, document?))).collect())
}

/// The document of the version that counts, with the policy's ARN; `None` if there is no such policy.
async fn default_document(iam: &impl Policies, policy: &Arn) -> Result<Option<(String, String)>, CallError> {
    let Some(found) = iam.managed(policy).await? else { return Ok(None) };
    let document = iam.document(policy, &found.default_version).await?;
    Ok(document.map(|document| (policy.as_str().to_owned(), document)))
}
