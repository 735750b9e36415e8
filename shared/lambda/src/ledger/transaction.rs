//! Writing all or nothing, and waiting for those who write the same.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use remedy::LedgerError;

use super::{DynamoLedger, because};
use crate::calls::cause;

/// How often a write that met another, or a slot that somebody else took, is tried again in one act of the ledger.
const TRIES: u32 = 20;
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// Others were always quicker.
#[derive(Debug, thiserror::Error)]
#[error("too many are writing the same at once")]
pub(super) struct Contended;

/// How often and how long an act of the ledger waits for others.
#[derive(Debug)]
pub(super) struct Patience {
    act: &'static str,
    tries: u32,
}

impl Patience {
    pub(super) fn of(act: &'static str) -> Self {
        Self { act, tries: 0 }
    }

    /// Waits for a random while, longer each time.
    pub(super) async fn wait(&mut self) -> Result<(), LedgerError> {
        let longest = self.longest_wait()?;
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        Ok(())
    }

    fn longest_wait(&mut self) -> Result<Duration, LedgerError> {
        if self.tries >= TRIES {
            return Err(because(self.act)(Contended));
        }
        let longest = FIRST_WAIT.saturating_mul(1 << self.tries.min(5)).min(LONGEST_WAIT);
        self.tries += 1;
        Ok(longest)
    }
}

/// What came of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Everything was written.
    Yes,
    /// Nothing was: for each item, whether it was its condition that did not hold.
    No(Vec<bool>),
}

impl DynamoLedger {
    /// Writes all of it or nothing.
    pub(super) async fn write(
        &self,
        items: &[TransactWriteItem],
        patience: &mut Patience,
    ) -> Result<Written, LedgerError> {
        loop {
            let written = self.client.transact_write_items().set_transact_items(Some(items.to_vec())).send().await;
            let Err(error) = written else { return Ok(Written::Yes) };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    if reasons.iter().any(is_condition) {
                        return Ok(Written::No(reasons.iter().map(is_condition).collect()));
                    }
                    if !reasons.iter().any(is_contention) {
                        return Err(because(patience.act)(cause(error)));
                    }
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(because(patience.act)(cause(error))),
            }
            patience.wait().await?;
        }
    }
}

/// Codes: Amazon DynamoDB API Reference, `TransactionCanceledException`.
fn is_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn is_contention(reason: &CancellationReason) -> bool {
    matches!(reason.code(), Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_config::BehaviorVersion;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_types::SdkConfig;
    use aws_types::region::Region;
    use remedy::{Charge, Claim, Ledger, MemoryKey};
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture;
    use remedy::in_full;

    /// A DynamoDB that answers by script and keeps what it was asked.
    #[derive(Debug, Clone, Default)]
    struct Script {
        answers: Arc<Mutex<Vec<(u16, Value)>>>,
        asked: Arc<Mutex<Vec<Value>>>,
    }

    impl HttpConnector for Script {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.asked.lock().unwrap().push(serde_json::from_slice(request.body().bytes().unwrap()).unwrap());
            let (status, body) = self.answers.lock().unwrap().remove(0);
            let status = StatusCode::try_from(status).unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body.to_string()))))
        }
    }

    fn ledger<const N: usize>(answers: [(u16, Value); N]) -> (DynamoLedger, Script) {
        let script = Script { answers: Arc::new(Mutex::new(answers.into())), ..Script::default() };
        let connector = SharedHttpConnector::new(script.clone());
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        (DynamoLedger::new(&config, "ledger"), script)
    }

    fn cancelled(codes: &[&str]) -> (u16, Value) {
        let reasons: Vec<_> = codes.iter().map(|code| json!({ "Code": code, "Message": "no" })).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        (400, json!({ "__type": kind, "Message": "cancelled", "CancellationReasons": reasons }))
    }

    async fn claim(ledger: &DynamoLedger, charges: &[Charge]) -> Result<Claim, LedgerError> {
        let incident = fixture::incident("0001");
        ledger.claim(&incident, None, charges, incident.opened).await
    }

    fn charge() -> Charge {
        Charge { budget: "b".to_owned(), count: 3, window: Duration::from_mins(1) }
    }

    #[tokio::test]
    async fn a_write_that_meets_another_is_tried_again_as_a_new_one() {
        let (ledger, script) = ledger([
            cancelled(&["TransactionConflict"]),
            (400, json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException" })),
            cancelled(&["ThrottlingError"]),
            (200, json!({})),
        ]);
        assert_eq!(claim(&ledger, &[]).await.unwrap(), Claim::Granted);
        let asked = script.asked.lock().unwrap();
        let first = asked[0]["ClientRequestToken"].as_str().unwrap();
        assert_ne!(asked.last().unwrap()["ClientRequestToken"].as_str().unwrap(), first);
    }

    #[tokio::test]
    async fn a_call_that_got_no_answer_is_repeated_with_its_token() {
        let (ledger, script) = ledger([(500, json!({})), (200, json!({}))]);
        assert_eq!(claim(&ledger, &[]).await.unwrap(), Claim::Granted);
        let asked = script.asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0]["ClientRequestToken"], asked[1]["ClientRequestToken"]);
    }

    #[tokio::test]
    async fn a_claim_that_is_taken_does_not_look_for_budgets() {
        let (ledger, _) = ledger([cancelled(&["ConditionalCheckFailed", "ConditionalCheckFailed"])]);
        assert_eq!(claim(&ledger, &[charge()]).await.unwrap(), Claim::Taken);
    }

    #[tokio::test]
    async fn a_slot_that_is_taken_is_changed_for_a_free_one() {
        let at = fixture::incident("0001").opened.timestamp_millis();
        let taken = json!({ "N": (at - 59_999).to_string() });
        let free = json!({ "N": (at - 60_000).to_string() });
        let item = json!({ "Item": { "pk": { "S": "budget#b" }, "slot0": taken, "slot1": taken, "slot2": free } });
        let (ledger, script) = ledger([cancelled(&["None", "ConditionalCheckFailed"]), (200, item), (200, json!({}))]);
        assert_eq!(claim(&ledger, &[charge()]).await.unwrap(), Claim::Granted);
        let asked = script.asked.lock().unwrap();
        let update = &asked[2]["TransactItems"][1]["Update"];
        assert_eq!(update["ExpressionAttributeNames"]["#n0"], "slot2");
        assert_eq!(update["ConditionExpression"], "attribute_not_exists(#n0) OR #n0 <= :v1");
        assert_eq!(update["ExpressionAttributeValues"][":v1"]["N"], (at - 60_000).to_string());
    }

    #[tokio::test]
    async fn a_transaction_that_dynamodb_finds_wrong_is_an_error() {
        let (ledger, _) = ledger([cancelled(&["ValidationError"])]);
        let error = in_full(&claim(&ledger, &[]).await.unwrap_err());
        assert_eq!(error, "the ledger did not claim an incident: TransactionCanceledException: cancelled");
    }

    #[test]
    fn patience_ends() {
        let mut patience = Patience::of("wait");
        let waits: Vec<Duration> = std::iter::from_fn(|| patience.longest_wait().ok()).collect();
        assert_eq!(waits.len(), TRIES as usize);
        assert!(waits.is_sorted() && waits.iter().sum::<Duration>() < Duration::from_secs(8), "{waits:?}");
    }

    #[tokio::test]
    async fn what_was_left_unread_is_read_again() {
        let incident = fixture::incident("0001");
        let key = MemoryKey::of(&incident.responder, &incident.resource);
        let left =
            json!({ "ledger": { "Keys": [{ "pk": { "S": format!("resource#{key}") } }], "ConsistentRead": true } });
        let held = json!({ "pk": { "S": format!("resource#{key}") }, "held": { "SS": ["tcp/22"] } });
        let (ledger, script) = ledger([
            (200, json!({ "Responses": { "ledger": [] }, "UnprocessedKeys": left })),
            (200, json!({ "Responses": { "ledger": [held] }, "UnprocessedKeys": {} })),
        ]);
        let recall = ledger.recall(&incident.id, &key).await.unwrap();
        assert_eq!((recall.incident, recall.memory.held.len()), (None, 1));
        let asked = script.asked.lock().unwrap();
        assert_eq!(asked[0]["RequestItems"]["ledger"]["Keys"].as_array().unwrap().len(), 3);
        assert_eq!(asked[1]["RequestItems"], left);
    }
}
