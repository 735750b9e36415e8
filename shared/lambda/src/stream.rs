//! What the ledger's stream says became of incidents.
//!
//! The stream is the one place that sees every write: those of the functions, and those of operators, who undo, approve
//! and reject with a command and their own credentials. Whoever tells others of incidents reads it, so neither
//! containment waits for that nor does anybody need a right for it who has not got it already.
//!
//! A record is read by itself, and not the batch at once as `aws_lambda_events` would: one that cannot be read must not
//! keep the others from being told.

use std::collections::BTreeSet;
use std::process::ExitCode;

use aws_types::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::AccountId;
use lambda_runtime::{Diagnostic, LambdaEvent};
use remedy::{Clock, Incident, IncidentId, in_full};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Poster, function_config};
use crate::channels::Channels;
use crate::clock::SystemClock;
use crate::environment::Environment;
use crate::function::{StartError, home};
use crate::ledger::DynamoLedger;
use crate::payload::Payload;
use crate::serve::{check, run};
use crate::settings::required;

/// What whoever tells of incidents has at hand.
#[derive(Debug)]
pub struct Desk {
    /// The configuration of its clients.
    pub config: SdkConfig,
    /// The ledger that the stream is of.
    pub ledger: DynamoLedger,
    /// Where incidents are told.
    pub channels: Channels,
    /// For whom is not at AWS; only where there is a webhook, as it reads the system's certificates.
    pub poster: Option<Poster>,
}

/// An incident as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The record's place in the stream.
    pub sequence: String,
    /// The incident.
    pub incident: Incident,
    /// The account of the ledger.
    pub home: Option<AccountId>,
    /// When it was written. Later for a later revision, though DynamoDB gives the time of a write only to the second.
    pub at: DateTime<Utc>,
}

/// The records that have to come again, by their place in the stream.
pub type Untold = BTreeSet<String>;

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("the record has not the shape of DynamoDB's")]
    Shape(#[source] serde_json::Error),
    #[error("the incident in the record is not understood by this version")]
    Incident(#[source] serde_json::Error),
    #[error("the record's time is none")]
    Time,
}

/// An event that no stream sent.
#[derive(Debug, thiserror::Error)]
#[error("the event is neither a batch of a stream's records nor `{{\"incidents\": [\"…\"]}}`")]
struct NoBatch;

impl From<NoBatch> for Diagnostic {
    fn from(error: NoBatch) -> Self {
        Self { error_type: "Batch".to_owned(), error_message: error.to_string() }
    }
}

/// The records that Lambda shall hand over again: the first of these and all that follow it, once more.
///
/// Source: AWS Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda".
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<Failed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    item_identifier: String,
}

/// Serves batches of the ledger's stream until Lambda ends the process. `tell` is given what was written, in that order,
/// and returns what has to come again.
///
/// An operator may ask for incidents by their ids, after the stream has given them up. Each is told as it stands then, and
/// the answer names those that were not told by their ids.
#[must_use]
pub fn serve_stream<S>(open: impl FnOnce(Desk) -> S, tell: &impl AsyncFn(&S, Vec<Written>) -> Untold) -> ExitCode {
    let prepare = |environment: &Environment| -> Result<(S, DynamoLedger), StartError> {
        check(environment)?;
        let config = function_config(environment)?;
        let table = required(environment, "COUNTERMAND_TABLE", "the name of the ledger's DynamoDB table")?;
        let channels = Channels::read(environment)?;
        let poster = channels.webhook.is_some().then(|| Poster::new(environment)).transpose()?;
        let ledger = DynamoLedger::new(&config, table);
        Ok((open(Desk { ledger: ledger.clone(), config, channels, poster }), ledger))
    };
    run(prepare, &async |(state, ledger): &(S, DynamoLedger), event: LambdaEvent<Payload>| {
        let asked = event.payload.into_json().unwrap_or_default();
        let part = |name: &str| asked.get(name).and_then(Value::as_array);
        let (mut written, unread) = match (part("Records"), part("incidents")) {
            (Some(records), _) => read(records),
            (None, Some(ids)) => again(ledger, ids).await,
            (None, None) => return Err(NoBatch),
        };
        let home = home(&event.context);
        for written in &mut written {
            written.home.clone_from(&home);
        }
        let mut untold = tell(state, written).await;
        untold.extend(unread);
        let failures = untold.into_iter().map(|item_identifier| Failed { item_identifier });
        Ok(Answer { batch_item_failures: failures.collect() })
    })
}

/// The incidents as they stand, and the ids of those that cannot be read.
async fn again(ledger: &DynamoLedger, ids: &[Value]) -> (Vec<Written>, Untold) {
    let (mut written, mut unread) = (Vec::new(), Untold::new());
    for id in ids.iter().filter_map(Value::as_str) {
        match ledger.get(&IncidentId::new(id)).await {
            Ok(Some(incident)) => {
                let now = SystemClock.now();
                let at = moment(now.timestamp(), &incident).unwrap_or(now);
                written.push(Written { sequence: id.to_owned(), incident, home: None, at });
            }
            Ok(None) => {
                tracing::error!(incident = id, "the ledger has no such incident");
                unread.insert(id.to_owned());
            }
            Err(error) => {
                tracing::error!(incident = id, error = in_full(&error), "an incident was not told");
                unread.insert(id.to_owned());
            }
        }
    }
    (written, unread)
}

/// What was written, and the records that cannot be read.
fn read(records: &[Value]) -> (Vec<Written>, Untold) {
    let (mut written, mut unread) = (Vec::new(), Untold::new());
    for record in records {
        match Written::read(record) {
            Ok(incident) => written.extend(incident),
            Err(error) => {
                tracing::error!(error = in_full(&error), "a record of the ledger's stream cannot be read");
                let sequence = record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str);
                // A batch with a failure that has no place comes again as a whole: the same page, on an empty string.
                unread.insert(sequence.unwrap_or_default().to_owned());
            }
        }
    }
    (written, unread)
}

/// A record of a stream, as far as it matters here. Source: AWS Lambda Developer Guide, "Process Amazon DynamoDB records
/// with Lambda", example event.
#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    /// Seconds since 1970, rounded down. Source: Amazon DynamoDB API Reference, `StreamRecord`.
    approximate_creation_date_time: f64,
    new_image: Option<Image>,
}

/// An item of the table; only those of incidents have this attribute.
#[derive(Deserialize)]
struct Image {
    incident: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Written {
    /// `None` for what is no incident, or was deleted.
    fn read(record: &Value) -> Result<Option<Self>, RecordError> {
        let Record { dynamodb: change } = Record::deserialize(record).map_err(RecordError::Shape)?;
        let Some(Text { text }) = change.new_image.and_then(|image| image.incident) else { return Ok(None) };
        let incident: Incident = serde_json::from_str(&text).map_err(RecordError::Incident)?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds, and what is none ends as no time")]
        let at = moment(change.approximate_creation_date_time as i64, &incident).ok_or(RecordError::Time)?;
        Ok(Some(Self { sequence: change.sequence_number, incident, home: None, at }))
    }
}

/// A second with the revision in it, which counts on where two writes are of one second.
fn moment(second: i64, incident: &Incident) -> Option<DateTime<Utc>> {
    let within = TimeDelta::milliseconds(i64::try_from(incident.revision.min(999)).ok()?);
    Some(DateTime::from_timestamp(second, 0)? + within)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture;

    fn record(sequence: &str, image: &Value) -> Value {
        json!({ "eventID": "c4ca4238a0b923820dcc509a6f75849b", "eventName": "MODIFY", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "dynamodb": { "ApproximateCreationDateTime": 1_795_330_800.0, "Keys": { "pk": { "S": "incident#1" } },
                "NewImage": image, "SequenceNumber": sequence, "SizeBytes": 26, "StreamViewType": "NEW_IMAGE" },
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger/stream/2026-11-22T00:00:00.000" })
    }

    fn image(incident: &Incident) -> Value {
        json!({ "pk": { "S": "incident#1" }, "state": { "S": incident.state.to_string() },
            "incident": { "S": serde_json::to_string(incident).unwrap() } })
    }

    #[test]
    fn of_two_writes_in_one_second_the_later_is_the_later() {
        let first = Incident { revision: 1, ..fixture::incident("1") };
        let second = Incident { revision: 2, ..first.clone() };
        let (written, unread) = read(&[record("100", &image(&first)), record("101", &image(&second))]);
        assert_eq!((unread.len(), written.len()), (0, 2));
        assert_eq!(written[0].at, fixture::time("2026-11-22T07:00:00.001Z"));
        assert!(written[0].at < written[1].at);
        assert_eq!((&written[1].incident, written[1].sequence.as_str()), (&second, "101"));
    }

    #[test]
    fn what_is_no_incident_is_passed_over_and_what_cannot_be_read_comes_again() {
        let budget = json!({ "pk": { "S": "budget#all" } });
        let other = json!({ "pk": { "S": "incident#1" }, "incident": { "S": "{}" } });
        let mut deleted = record("103", &budget);
        deleted["dynamodb"].as_object_mut().unwrap().remove("NewImage");
        let records = [
            record("100", &budget),
            record("101", &other),
            record("102", &image(&fixture::incident("1"))),
            deleted,
            json!({ "dynamodb": {} }),
        ];
        let (written, unread) = read(&records);
        assert_eq!(written.iter().map(|it| it.sequence.as_str()).collect::<Vec<_>>(), ["102"]);
        assert_eq!(unread, ["", "101"].map(str::to_owned).into());
    }
}
