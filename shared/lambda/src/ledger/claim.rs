//! Claiming an incident, and writing how it went on.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use remedy::{Charge, Claim, Incident, LedgerError, MemoryKey, State};

use super::item::{INCIDENT_KEY, KEY, OWNER, REVISION, STATE, Terms, number, put, text};
use super::transaction::{Patience, Written};
use super::{DynamoLedger, because, budget, memory, record};

pub(super) const CLAIM: &str = "claim an incident";
const SETTLE: &str = "store how an incident ended";
const AMEND: &str = "store what an operator did";

/// The record is not the one that this write was made from.
#[derive(Debug, thiserror::Error)]
enum Outdated {
    #[error("the incident was taken over by another run")]
    TakenOver,
    #[error("the incident has been changed meanwhile; look at it again")]
    Changed,
    #[error("an incident that nobody has claimed cannot be settled")]
    Unclaimed,
}

impl DynamoLedger {
    pub(super) async fn try_claim(
        &self,
        incident: &Incident,
        seen: Option<&Incident>,
        charges: &[Charge],
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError> {
        let mut terms = Terms::default();
        let condition = match seen {
            None => format!("attribute_not_exists({})", terms.name(KEY)),
            Some(seen) => is_still(&mut terms, seen.revision, seen.state),
        };
        let record = self.put(CLAIM, incident, incident.revision, condition, terms)?;
        let mut slots: Vec<u32> = charges.iter().map(|charge| budget::first_slot(&incident.id, charge)).collect();
        let mut patience = Patience::of(CLAIM);
        let mut looked = false;
        loop {
            let mut items = vec![record.clone()];
            for (charge, slot) in charges.iter().zip(&slots) {
                items.push(budget::take(&self.table, charge, *slot, now)?);
            }
            let refused = match self.write(&items, &mut patience).await? {
                Written::Yes => return Ok(Claim::Granted),
                Written::No(refused) => refused,
            };
            let mut refused = refused.into_iter();
            if refused.next() == Some(true) {
                return Ok(Claim::Taken);
            }
            for ((charge, slot), refused) in charges.iter().zip(&mut slots).zip(refused) {
                if refused {
                    match self.free_slot(charge, now).await? {
                        Some(free) => *slot = free,
                        None => return Ok(Claim::Spent(charge.clone())),
                    }
                }
            }
            // The first look costs one wait at most: the slot's hash met another's, and this is no crowd.
            if std::mem::replace(&mut looked, true) {
                patience.wait().await?;
            }
        }
    }

    pub(super) async fn write_end(&self, incident: &Incident, resource: &MemoryKey) -> Result<(), LedgerError> {
        let lease = incident.lease.as_ref().ok_or(Outdated::Unclaimed).map_err(because(SETTLE))?;
        let mut terms = Terms::default();
        let claimed = is_still(&mut terms, incident.revision, State::Claimed);
        let (owner, ours) = (terms.name(OWNER), terms.value(text(&lease.owner)));
        let mut items = vec![self.put(
            SETTLE,
            incident,
            incident.revision + 1,
            format!("{claimed} AND {owner} = {ours}"),
            terms,
        )?];
        items.extend(memory::hold(&self.table, resource, incident).map_err(because(SETTLE))?);
        match self.write(&items, &mut Patience::of(SETTLE)).await? {
            Written::Yes => Ok(()),
            Written::No(_) => Err(because(SETTLE)(Outdated::TakenOver)),
        }
    }

    pub(super) async fn write_amendment(&self, incident: &Incident) -> Result<(), LedgerError> {
        let before = incident.revision.checked_sub(1).ok_or(Outdated::Unclaimed).map_err(because(AMEND))?;
        let mut terms = Terms::default();
        let condition = format!("{} = {}", terms.name(REVISION), terms.value(number(before)));
        let mut items = vec![self.put(AMEND, incident, incident.revision, condition, terms)?];
        items.extend(memory::release(&self.table, incident).map_err(because(AMEND))?);
        match self.write(&items, &mut Patience::of(AMEND)).await? {
            Written::Yes => Ok(()),
            Written::No(_) => Err(because(AMEND)(Outdated::Changed)),
        }
    }

    fn put(
        &self,
        act: &'static str,
        incident: &Incident,
        revision: u64,
        condition: String,
        terms: Terms,
    ) -> Result<TransactWriteItem, LedgerError> {
        let item = record::item(incident, revision).map_err(because(act))?;
        put(&self.table, item, condition, terms).map_err(because(act))
    }
}

/// The record has not been written since it was read.
fn is_still(terms: &mut Terms, revision: u64, state: State) -> String {
    format!(
        "{} = {} AND {} = {}",
        terms.name(REVISION),
        terms.value(number(revision)),
        terms.name(STATE),
        terms.value(text(state.to_string()))
    )
}

/// What an incident's key begins with, for searching.
pub(super) fn key_beginning(id: &str) -> String {
    format!("{INCIDENT_KEY}{id}")
}
