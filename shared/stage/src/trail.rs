//! The CloudTrail records and the `EventBridge` events AWS would have made of what happened here.
//!
//! Shapes were read off records that AWS wrote: the newest of each kind (event version 1.11 where
//! there was one). The emulator's own answers are the material, so an id in a record is an id in
//! the account.

mod bucket;
mod envelope;
mod finding;
mod identity;
mod request;
mod response;
mod sharing;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use self::bucket::put_bucket_policy;
pub use self::envelope::{envelope, sent};
pub use self::finding::{KeyFinding, guardduty_key_finding, health_exposed_key};
pub use self::identity::Identity;
use self::response::Refusal;
use crate::clock;
use crate::proxy::Call;

/// Services without regions: their events appear in us-east-1, whatever the call was signed for.
const GLOBAL: [&str; 4] = ["iam", "sts", "organizations", "cloudfront"];

const GLOBAL_REGION: &str = "us-east-1";

/// Operations that only read, by the verb they begin with. Their events are marked read-only and
/// match no pattern of ours; they are not made.
const READING: [&str; 12] = [
    "Assume", "BatchGet", "Check", "Describe", "Decode", "Generate", "Get", "Head", "List", "Lookup", "Simulate",
    "Test",
];

/// Operations on data, which no trail records unless told to, and `EventBridge` never gets.
const DATA: [(&str, &[&str]); 3] = [
    (
        "dynamodb",
        &[
            "BatchExecuteStatement",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        ],
    ),
    ("sns", &["Publish", "PublishBatch"]),
    (
        "sqs",
        &[
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
            "ChangeMessageVisibility",
        ],
    ),
];

/// The CloudTrail record of a call that changes something, or tried to; `None` for all others,
/// and for a call that never reached AWS.
///
/// The same call always makes the same record: its ids come from the call's.
#[must_use]
pub fn record(call: &Call, who: &Identity) -> Option<Value> {
    call.status?;
    if !is_management_write(call) {
        return None;
    }
    let region = if GLOBAL.contains(&call.service.as_str()) { GLOBAL_REGION } else { &call.region };
    let refusal = Refusal::of(call);
    // IAM keeps what a denied caller asked for to itself; EC2 does not.
    let withheld = call.service == "iam" && refusal.as_ref().is_some_and(Refusal::is_denial);
    let request = if withheld { Value::Null } else { request::parameters(call) };
    let response = if refusal.is_some() { Value::Null } else { response::elements(call, who) };
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": who.user_identity(&call.access_key_id, call.at),
        "eventTime": envelope::second(call.at),
        "eventSource": format!("{}.amazonaws.com", call.service),
        "eventName": call.operation,
        "awsRegion": region,
        "sourceIPAddress": who.source_ip(),
        "userAgent": call.user_agent,
        "requestParameters": request,
        "responseElements": response,
        "requestID": call.request_id,
        "eventID": clock::derived_id(&["event", &call.request_id]),
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": who.account(),
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host(&call.service, &call.region)
        }
    });
    if let (Some(refusal), Some(fields)) = (refusal, record.as_object_mut()) {
        fields.insert("errorCode".to_owned(), refusal.code.into());
        fields.insert("errorMessage".to_owned(), refusal.message.into());
    }
    Some(record)
}

fn is_management_write(call: &Call) -> bool {
    let reads = READING.iter().any(|verb| call.operation.starts_with(verb));
    let data = DATA
        .iter()
        .any(|(service, operations)| call.service == *service && operations.contains(&call.operation.as_str()));
    // A REST call has no name here, and CloudTrail's cannot be guessed.
    !reads && !data && !call.operation.contains(' ')
}

fn host(service: &str, region: &str) -> String {
    if service == "iam" { "iam.amazonaws.com".to_owned() } else { format!("{service}.{region}.amazonaws.com") }
}
