//! The durable memory in one DynamoDB table.
//!
//! | `pk` | what |
//! |---|---|
//! | `incident#<id>` | the incident as JSON, and what it is listed and guarded by |
//! | `resource#<key>` | what is known of a resource: a set `held`, the `last` incident in which we changed it, and an attribute `wanted#<change>` for each undo |
//! | `baseline#<key>` | how the resource should be, as an operator captured it; never expires |
//! | `event#<id>` | an event that was missed, for the functions to read |
//! | `heartbeat` | the canary's latest round, and who has answered it |
//! | `budget#<name>` | a budget's slots, see [`budget`] |
//!
//! INVARIANT (revisions): a record of revision *n* is written only over the record of revision *n - 1*, and the first
//! only where there is none, so that no write is lost to one made from an older record. A claim writes the revision that
//! its incident carries; the run's end writes the one after it, over that very claim; an undo writes the one that its
//! incident carries.
//!
//! INVARIANT (one effect): a claim, its charges and the record are one transaction. Of concurrent claims of an incident
//! DynamoDB lets one through (Amazon DynamoDB Developer Guide, "Managing complex workflows with DynamoDB transactions",
//! isolation levels), and every other finds its condition false.
//!
//! Where an answer was lost on its way, the SDK asks again with the same `ClientRequestToken`, and DynamoDB answers as
//! the first time (the same page, "Idempotency").

mod baseline;
mod budget;
mod claim;
mod heartbeat;
mod item;
mod list;
mod memory;
mod missed;
mod record;
mod table;
mod transaction;

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;
use chrono::{DateTime, Utc};
use remedy::{ChangeKey, Charge, Claim, Incident, IncidentId, Ledger, LedgerError, MemoryKey, Recall};

pub use self::heartbeat::{Delivery, Round};
pub use self::list::{Listing, Lookup};
pub use self::record::KEPT_FOR;
pub use self::table::create_table;

/// The ledger of a deployment.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

impl DynamoLedger {
    /// The ledger in the table of this name or ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }
}

impl Ledger for DynamoLedger {
    async fn recall(&self, id: &IncidentId, resource: &MemoryKey) -> Result<Recall, LedgerError> {
        self.read_both(id, resource).await
    }

    async fn claim(
        &self,
        incident: &Incident,
        seen: Option<&Incident>,
        charges: &[Charge],
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError> {
        self.try_claim(incident, seen, charges, now).await
    }

    async fn settle(&self, incident: &Incident, resource: &MemoryKey) -> Result<(), LedgerError> {
        self.write_end(incident, resource).await
    }

    async fn want(&self, resource: &MemoryKey, keys: &[ChangeKey], until: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write_wanted(resource, keys, until).await
    }

    async fn find(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError> {
        self.get(id).await
    }

    async fn amend(&self, incident: &Incident) -> Result<(), LedgerError> {
        self.write_amendment(incident).await
    }
}

/// Turns a cause into a [`LedgerError`], for `map_err`.
fn because<E: Into<Box<dyn Error + Send + Sync>>>(act: &'static str) -> impl Fn(E) -> LedgerError {
    move |source| LedgerError { act, source: source.into() }
}
