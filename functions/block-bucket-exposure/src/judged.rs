//! Whom a bucket lets in, and what would close it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use policy::Facts;
use policy_document::{Access, Document, Trust, exposure};
use remedy::{Change, Remedy, Situation};
use serde::{Deserialize, Serialize};

use crate::bucket::{Block, Bucket, Observed, Place};
use crate::called::{By, Opened};
use crate::change::{ACL, BLOCK, BucketChange, Edit, POLICY, wanted};
use crate::text;

/// How a bucket or account should be, as `countermand baseline capture` found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Baseline {
    /// The text of the bucket's policy: its statements may stay, whomever they let in.
    pub(crate) policy: Option<String>,
    /// The public access block.
    pub(crate) block: Option<Block>,
}

impl Baseline {
    fn of(situation: &Situation) -> Option<Self> {
        let stored = situation.memory.baseline.as_ref()?;
        Self::deserialize(stored)
            .inspect_err(|error| tracing::error!(error = error as &dyn Error, "a stored baseline is not understood"))
            .ok()
    }
}

/// What is wrong.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    edit: Option<Edit>,
    /// Each kind of thing that is open, as facts.
    statements: i64,
    statement_ids: BTreeSet<String>,
    principals: BTreeSet<String>,
    outsiders: BTreeSet<String>,
    grants: BTreeSet<String>,
    loosened: BTreeSet<String>,
    is_public: bool,
    /// A public access block keeps it from having an effect.
    is_blocked: bool,
    is_confused_deputy: bool,
    baseline: Option<Baseline>,
    unclear: Option<String>,
}

impl Judgement {
    pub(crate) fn of(opened: &Opened, observed: &Observed, situation: &Situation) -> Self {
        let baseline = Baseline::of(situation);
        let mut judgement = Self { baseline: baseline.clone(), ..Self::default() };
        match (&opened.place, &opened.by) {
            _ if observed.is_gone => {}
            (Place::Bucket(bucket), By::Policy(_)) => {
                judgement.policy(bucket, &trust(opened, situation), observed, situation);
            }
            (Place::Bucket(bucket), By::Acl(_)) => judgement.acl(bucket, observed, situation),
            (place, By::Block(_)) => {
                let good = baseline.map_or(Block::ALL, |it| it.block.unwrap_or_default());
                judgement.block(place, observed, good, situation);
            }
            (Place::Account(_), By::Policy(_) | By::Acl(_)) => {}
        }
        judgement
    }

    fn policy(&mut self, bucket: &Bucket, trust: &Trust, observed: &Observed, situation: &Situation) {
        let Some(before) = &observed.policy else { return };
        let document = match Document::parse(before) {
            Ok(document) => document,
            Err(error) => return self.unclear = Some(error.to_string()),
        };
        let captured = self.baseline.as_ref().and_then(|baseline| Document::parse(baseline.policy.as_deref()?).ok());
        // The same statement lets in more where a Deny statement beside it is gone, so whom it lets in is compared too.
        let good: BTreeMap<String, Access> = captured.iter().flat_map(|captured| marked(captured, trust)).collect();
        let wanted = wanted(POLICY, situation);
        let (mut open, mut fresh) = (BTreeSet::new(), BTreeSet::new());
        for grant in exposure(&document, trust) {
            self.is_blocked |= grant.access.is_public() && either(observed).restrict_public_buckets;
            let mark = document.statement_text(grant.statement).map(text::mark).unwrap_or_default();
            match &grant.access {
                access if good.get(&mark) == Some(access) => continue,
                Access::Service { guarded: false, .. } => self.is_confused_deputy = true,
                Access::Unknown(doubt) => self.unclear = Some(doubt.to_string()),
                Access::Foreign(outsiders) => self.outsiders.extend(outsiders.iter().map(ToString::to_string)),
                _ => {}
            }
            if grant.access.is_exposed() {
                open.insert(grant.statement);
                if !wanted.contains(&mark) {
                    fresh.insert(grant.statement);
                }
                self.statements += 1;
                self.is_public |= grant.access.is_public();
                self.statement_ids.extend(grant.sid);
                self.principals.extend(grant.entries.into_iter().map(|entry| entry.principal));
            }
        }
        let removed = if fresh.is_empty() { open } else { fresh };
        if removed.is_empty() {
            return;
        }
        match document.without(&removed) {
            Ok(after) => {
                let (before, after) = (Some(before.clone()), after.map(|left| left.text().to_owned()));
                self.edit = Some(Edit::Policy { bucket: bucket.clone(), before, after });
            }
            Err(error) => self.unclear = Some(error.to_string()),
        }
    }

    fn acl(&mut self, bucket: &Bucket, observed: &Observed, situation: &Situation) {
        let Some(before) = &observed.acl else { return };
        let wanted = wanted(ACL, situation);
        let open: BTreeSet<_> = before.public().collect();
        let fresh: BTreeSet<_> = open.iter().copied().filter(|grant| !wanted.contains(&grant.to_string())).collect();
        self.grants = open.iter().map(ToString::to_string).collect();
        self.is_public = !open.is_empty();
        self.is_blocked = self.is_public && either(observed).ignore_public_acls;
        let removed = if fresh.is_empty() { open } else { fresh };
        if !removed.is_empty() {
            let (before, after) = (before.clone(), before.without(&removed));
            self.edit = Some(Edit::Acl { bucket: bucket.clone(), before, after });
        }
    }

    fn block(&mut self, place: &Place, observed: &Observed, good: Block, situation: &Situation) {
        let live = observed.block.unwrap_or_default();
        let open = good.and_not(live);
        let fresh = open.and_not(Block::of(&wanted(BLOCK, situation)));
        self.loosened = open.on().into_iter().map(str::to_owned).collect();
        let is_left = |block: Block| block != Block::default();
        self.is_blocked = is_left(open) && !is_left(open.and_not(observed.account_block.unwrap_or_default()));
        let closed = if is_left(fresh) { fresh } else { open };
        if is_left(closed) {
            let (before, after) = (observed.block, Some(live.or(closed)));
            self.edit = Some(Edit::Block { place: place.clone(), before, after });
        }
    }

    pub(crate) fn remedy(&self, opened: &Opened, situation: &Situation) -> Remedy<BucketChange> {
        // A block that is loosened is put back, whatever blocks as well: it is there for the day when that goes.
        let has_effect = !self.is_blocked || matches!(opened.by, By::Block(_));
        if let Some(edit) = self.edit.clone().filter(|_| has_effect) {
            let kind = edit.what();
            let is_all_wanted = edit.exposures().is_subset(&wanted(kind, situation));
            let change = BucketChange::Close(edit);
            // Wanted as a whole, the path says so; wanted part by part, it does not know.
            if is_all_wanted && !situation.memory.is_wanted(&change.key(), situation.now) {
                return Remedy::AlreadySafe;
            }
            return Remedy::Changes(vec![change]);
        }
        match &self.unclear {
            Some(unclear) if self.edit.is_none() => Remedy::Uncontainable {
                next_step: format!(
                    "It cannot be told whom the policy of {} lets in ({unclear}): read it, and take out what should not \
                     be there (Amazon S3 User Guide, \"Bucket policies for Amazon S3\").",
                    opened.place
                ),
            },
            _ => Remedy::AlreadySafe,
        }
    }

    pub(crate) fn facts(self, opened: &Opened, observed: &Observed) -> Facts {
        let exposure = match &opened.by {
            By::Policy(_) => "policy",
            By::Acl(_) => "acl",
            By::Block(_) => "block",
        };
        let bucket = match &opened.place {
            Place::Bucket(bucket) => Some(bucket.name.as_str()),
            Place::Account(_) => None,
        };
        Facts::new()
            .with("exposure", exposure)
            .with("website", observed.is_website)
            .with("public", self.is_public)
            .with("effective", !self.is_blocked)
            .with("baseline", self.baseline.is_some())
            .with("statements", self.statements)
            .with("statementIds", self.statement_ids)
            .with("principals", self.principals)
            .with("outsiders", self.outsiders)
            .with("confusedDeputy", self.is_confused_deputy)
            .with("grants", self.grants)
            .with("loosened", self.loosened)
            .with_known("bucket", bucket)
            .with_known("unclear", self.unclear)
    }
}

fn trust(opened: &Opened, situation: &Situation) -> Trust {
    Trust {
        account: opened.place.account().clone(),
        partition: opened.region.partition(),
        organization: situation.trusted.organization.clone(),
        accounts: situation.trusted.accounts.clone(),
    }
}

/// Whom each Allow statement lets in, by its mark.
fn marked(document: &Document, trust: &Trust) -> Vec<(String, Access)> {
    let grants = exposure(document, trust).into_iter();
    grants.filter_map(|grant| Some((text::mark(document.statement_text(grant.statement)?), grant.access))).collect()
}

/// What the bucket's block or the account's has on: S3 applies the stricter.
fn either(observed: &Observed) -> Block {
    observed.block.unwrap_or_default().or(observed.account_block.unwrap_or_default())
}
