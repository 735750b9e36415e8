//! A table of its own for each test.

use aws_sdk_dynamodb::Client;
use lambda::{DynamoLedger, create_table};
use remedy::{Incident, Lease, MemoryKey, State};

use crate::{emulated, fixture};

pub(crate) struct Scene {
    pub(crate) ledger: DynamoLedger,
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Scene {
    /// The table goes by the name of the test.
    pub(crate) async fn begin() -> Self {
        let test = std::thread::current().name().unwrap().replace("::", ".");
        let config = emulated::config().await;
        let client = Client::new(&config);
        create_table(&client, &test).await.unwrap();
        Self { ledger: DynamoLedger::new(&config, &test), client, table: test }
    }
}

pub(crate) fn resource(incident: &Incident) -> MemoryKey {
    MemoryKey::of(&incident.responder, &incident.resource)
}

/// The incident as another run would claim it.
pub(crate) fn by(owner: &str, incident: &Incident) -> Incident {
    let until = fixture::time("2026-11-22T07:01:00Z");
    Incident { lease: Some(Lease { owner: owner.to_owned(), until }), ..incident.clone() }
}

/// The incident as a run leaves it.
pub(crate) fn ended(state: State, incident: &Incident) -> Incident {
    let receipt =
        serde_json::from_value(serde_json::json!([fixture::entry("tcp/22", "2026-11-22T07:00:01Z")])).unwrap();
    Incident { state, receipt, ..incident.clone() }
}

/// The record that takes the place of one that was seen.
pub(crate) fn over(seen: &Incident, owner: &str) -> Incident {
    Incident { revision: seen.revision + 1, state: State::Claimed, ..by(owner, seen) }
}
