//! The tricks that SECURITY.md lists, each tried. What counts is what became of the account, what AWS was asked to do, and
//! what the ledger says.

mod aimed;
mod approvals;
mod exempting;
mod forged;
mod odd;
mod poisoned;

use remedy::Incident;
use serde_json::{Value, json};
use stage::FunctionError;

use super::setting::{ENFORCE, Setting};

/// What reads begin with.
const READING: [&str; 3] = ["Describe", "Get", "List"];

impl Setting {
    /// What somebody asked AWS to change since this was last asked, by operation; the ledger and the topic are our own.
    fn writes(&self) -> Vec<String> {
        let calls = self.account.proxy().clear();
        let ours = ["dynamodb", "sns"];
        let changing = calls.into_iter().filter(|call| !ours.contains(&call.service.as_str()));
        let operations = changing.map(|call| call.operation);
        operations.filter(|operation| !READING.iter().any(|verb| operation.starts_with(verb))).collect()
    }

    async fn incident_called(&self, id: &Value) -> Incident {
        let mut incidents = self.incidents().await;
        incidents.retain(|incident| incident.id.as_str() == id);
        assert_eq!(incidents.len(), 1, "{id}: {incidents:#?}");
        incidents.remove(0)
    }
}

/// The event under another id, as one that was not seen before.
fn anew(event: &Value, id: &str) -> Value {
    let mut event = event.clone();
    event["detail"]["eventID"] = json!(id);
    event
}

/// The event with one text for another wherever it stands.
fn retold(event: &Value, from: &str, to: &str) -> Value {
    let text = event.to_string();
    assert!(text.contains(from), "{from} is not in {text}");
    serde_json::from_str(&text.replace(from, to)).unwrap()
}

fn failure(answer: Result<stage::Answer, FunctionError>) -> (String, String) {
    match answer {
        Err(FunctionError::Failed { error_type, error_message }) => (error_type, error_message),
        other => panic!("{other:?}"),
    }
}
