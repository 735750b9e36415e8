//! A ledger in memory that keeps the invariants of the real one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use remedy::{ChangeKey, Charge, Claim, Incident, IncidentId, Ledger, LedgerError, Memory, MemoryKey, Recall};
use serde_json::Value;

/// A ledger in memory. Incidents are kept as JSON text, as the real one keeps them.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    incidents: RefCell<BTreeMap<IncidentId, String>>,
    memories: RefCell<BTreeMap<MemoryKey, Memory>>,
    spent: RefCell<BTreeMap<String, Vec<DateTime<Utc>>>>,
    lose_settle: Cell<bool>,
}

#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "test support: a record that is no JSON is a failure"
)]
impl MemoryLedger {
    /// Makes the next attempts to settle fail, as if the function died before it.
    pub fn lose_settle(&self, lose: bool) {
        self.lose_settle.set(lose);
    }

    /// All incidents.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        let stored = self.incidents.borrow();
        stored.values().map(|text| serde_json::from_str(text).expect("an incident can be read back")).collect()
    }

    /// Stores how a resource should be, as an operator does who captures a baseline.
    pub fn store_baseline(&self, resource: &MemoryKey, state: Value) {
        self.memories.borrow_mut().entry(resource.clone()).or_default().baseline = Some(state);
    }

    fn get(&self, id: &IncidentId) -> Option<Incident> {
        self.incidents().into_iter().find(|incident| &incident.id == id)
    }

    fn put(&self, incident: &Incident) {
        let text = serde_json::to_string(incident).expect("an incident is JSON");
        self.incidents.borrow_mut().insert(incident.id.clone(), text);
    }
}

impl Ledger for MemoryLedger {
    async fn recall(&self, id: &IncidentId, resource: &MemoryKey) -> Result<Recall, LedgerError> {
        let memory = self.memories.borrow().get(resource).cloned().unwrap_or_default();
        Ok(Recall { incident: self.get(id), memory })
    }

    async fn claim(
        &self,
        incident: &Incident,
        seen: Option<&Incident>,
        charges: &[Charge],
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError> {
        if self.get(&incident.id).map(|found| found.revision) != seen.map(|seen| seen.revision) {
            return Ok(Claim::Taken);
        }
        let mut spent = self.spent.borrow_mut();
        for charge in charges {
            let units = spent.entry(charge.budget.clone()).or_default();
            units.retain(|at| *at + charge.window > now);
            if units.len() >= charge.count as usize {
                return Ok(Claim::Spent(charge.clone()));
            }
        }
        for charge in charges {
            spent.entry(charge.budget.clone()).or_default().push(now);
        }
        self.put(incident);
        Ok(Claim::Granted)
    }

    async fn settle(&self, incident: &Incident, resource: &MemoryKey) -> Result<(), LedgerError> {
        let stored = self.get(&incident.id).map(|found| (found.revision, found.lease));
        if self.lose_settle.get() || stored != Some((incident.revision, incident.lease.clone())) {
            return Err(LedgerError { act: "settle an incident", source: "it is somebody else's".into() });
        }
        self.put(&Incident { revision: incident.revision + 1, ..incident.clone() });
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry(resource.clone()).or_default();
        if !incident.receipt.is_empty() {
            memory.last = Some(incident.id.clone());
        }
        memory.held.extend(incident.receipt.iter().map(|entry| entry.key.clone()));
        Ok(())
    }

    async fn want(&self, resource: &MemoryKey, keys: &[ChangeKey], until: DateTime<Utc>) -> Result<(), LedgerError> {
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry(resource.clone()).or_default();
        for key in keys {
            memory.held.remove(key);
            memory.wanted.insert(key.clone(), until);
        }
        Ok(())
    }

    async fn find(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError> {
        Ok(self.get(id))
    }

    async fn amend(&self, incident: &Incident) -> Result<(), LedgerError> {
        if self.get(&incident.id).map(|found| found.revision + 1) != Some(incident.revision) {
            return Err(LedgerError { act: "amend an incident", source: "it has been changed meanwhile".into() });
        }
        self.put(incident);
        Ok(())
    }
}
