//! Takes back what opens a bucket to everybody or to a foreign account.
//!
//! Three ways lead there: statements of the bucket's policy, grants of its ACL, and a public access block that is loosened,
//! of the bucket or of the whole account. Of a policy the offending statements are taken out and all other text stays
//! as it is; of an ACL the grants to everybody go; of a block the settings that were turned off are turned on again.
//! A public policy or ACL that a block keeps from having an effect is safe already.
//!
//! S3 has no compare-and-set. So a change is made only of what the plan was made of: it is read again just before the
//! write, and where somebody has changed it meanwhile, the event is looked at anew.

use std::collections::BTreeMap;

use cloudtrail::{Event, EventError};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::try_join;
use policy::{Resource, Warrant};
use remedy::{Applied, CallError, CallErrorKind, Finding, Plan, Responder, Situation, Spec};
use serde_json::Value;

use crate::bucket::{Bucket, Buckets, Observed, Place};
use crate::called::{By, Opened};
use crate::change::{BucketChange, Edit};
use crate::judged::{Baseline, Judgement};

#[cfg(feature = "aws")]
pub mod aws;
pub mod bucket;
pub mod called;
pub mod change;
mod judged;
#[cfg(test)]
mod tests;
mod text;

/// How many buckets are looked at at once for the baseline.
const AT_ONCE: usize = 8;

/// The responder, over the part of Amazon S3 that it needs.
#[derive(Debug)]
pub struct BlockBucketExposure<B>(pub B);

impl<B: Buckets> Responder for BlockBucketExposure<B> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Opened;
    type Observed = Observed;
    type Change = BucketChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Opened>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<Opened>) -> Observed {
        let tags = finding.resource.tags.clone();
        match &finding.subject.by {
            By::Policy(text) => Observed { policy: text.clone(), tags, ..Observed::default() },
            By::Acl(acl) => Observed { acl: acl.clone(), tags, ..Observed::default() },
            By::Block(block) => Observed { block: *block, tags, ..Observed::default() },
        }
    }

    async fn observe(&self, finding: &Finding<Opened>) -> Result<Observed, CallError> {
        let Opened { place, by, .. } = &finding.subject;
        let Place::Bucket(bucket) = place else {
            let block = self.0.block(place).await?;
            return Ok(Observed { block, tags: Some(BTreeMap::new()), ..Observed::default() });
        };
        let policy = async { if let By::Policy(_) = by { self.0.policy(bucket).await } else { Ok(None) } };
        let acl = async { if let By::Acl(_) = by { self.0.acl(bucket).await } else { Ok(None) } };
        let account = Place::Account(bucket.account.clone());
        let (policy, acl, block, account_block, is_website, tags) = try_join!(
            policy,
            acl,
            self.0.block(place),
            self.0.block(&account),
            self.0.is_website(bucket),
            self.0.tags(bucket)
        )?;
        Ok(Observed { is_gone: tags.is_none(), policy, acl, block, account_block, is_website, tags })
    }

    fn plan(finding: &Finding<Opened>, observed: &Observed, situation: &Situation) -> Plan<BucketChange> {
        let judgement = Judgement::of(&finding.subject, observed, situation);
        Plan {
            resource: Resource { tags: observed.tags.clone(), ..finding.resource.clone() },
            remedy: judgement.remedy(&finding.subject, situation),
            facts: judgement.facts(&finding.subject, observed),
        }
    }

    fn holds(change: &BucketChange, observed: &Observed) -> bool {
        let is_after = matches!(change, BucketChange::Close(_));
        match change.edit() {
            Edit::Policy { before, after, .. } => {
                text::is_same(observed.policy.as_deref(), if is_after { after } else { before }.as_deref())
            }
            Edit::Acl { before, after, .. } => {
                observed.acl.as_ref().is_some_and(|acl| acl.grants_as(if is_after { after } else { before }))
            }
            Edit::Block { before, after, .. } => {
                !observed.is_gone && observed.block == if is_after { *after } else { *before }
            }
        }
    }

    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        let (account, region, names) = self.0.all().await?;
        let buckets = names.into_iter().map(|name| Place::Bucket(Bucket { account: account.clone(), name }));
        let places = stream::iter(buckets.chain([Place::Account(account.clone())]));
        let states = places.map(async |place| {
            let policy = async {
                match &place {
                    Place::Bucket(bucket) => self.0.policy(bucket).await,
                    Place::Account(_) => Ok(None),
                }
            };
            let (policy, block) = try_join!(policy, self.0.block(&place))?;
            let state = serde_json::to_value(Baseline { policy, block }).map_err(unwritable)?;
            Ok(called::resource(&region, &place).map(|resource| (resource, state)))
        });
        states.buffered(AT_ONCE).try_filter_map(async |state| Ok(state)).try_collect().await
    }

    async fn apply(&self, change: &BucketChange, _: &Warrant) -> Result<Applied, CallError> {
        let is_undo = matches!(change, BucketChange::Reopen(_));
        match change.edit() {
            Edit::Policy { bucket, before, after } => {
                let (from, to) = if is_undo { (after, before) } else { (before, after) };
                let live = self.0.policy(bucket).await?;
                let is = |text: &Option<String>| text::is_same(live.as_deref(), text.as_deref());
                if is(to) {
                    return Ok(Applied::AlreadySo);
                }
                unchanged(is_undo || is(from), "s3:PutBucketPolicy")?;
                self.0.put_policy(bucket, to.as_deref()).await
            }
            Edit::Acl { bucket, before, after } => {
                let (from, to) = if is_undo { (after, before) } else { (before, after) };
                let live = self.0.acl(bucket).await?.unwrap_or_default();
                if live.grants_as(to) {
                    return Ok(Applied::AlreadySo);
                }
                unchanged(is_undo || live.grants_as(from), "s3:PutBucketAcl")?;
                self.0.put_acl(bucket, to).await
            }
            Edit::Block { place, before, after } => {
                let (from, to) = if is_undo { (after, before) } else { (before, after) };
                let live = self.0.block(place).await?;
                if live == *to {
                    return Ok(Applied::AlreadySo);
                }
                unchanged(is_undo || live == *from, "s3:PutBucketPublicAccessBlock")?;
                self.0.put_block(place, *to).await
            }
        }
    }
}

/// What the plan was not made of is not written over. An undo was compared with the account just before, or is forced.
fn unchanged(is_so: bool, action: &'static str) -> Result<(), CallError> {
    let source = "somebody has changed it since we looked, and nothing was written".into();
    if is_so { Ok(()) } else { Err(CallError { action, kind: CallErrorKind::Throttled, source }) }
}

fn unwritable(error: serde_json::Error) -> CallError {
    CallError { action: "s3:GetBucketPolicy", kind: CallErrorKind::Refused, source: error.into() }
}
