//! The ways a call to AWS goes wrong, and how each service words its refusals.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde_json::json;

use super::{Call, composed};

/// What a call meets instead of a plain answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It waits so long, and then goes through.
    Delay(Duration),
    /// The service says there were too many calls. Nothing was done.
    Throttle,
    /// The service says that it failed. Nothing was done.
    ServerError,
    /// The connection closes before AWS has the request: nothing was done.
    DropBefore,
    /// AWS did what was asked, and the connection closes without an answer.
    DropAfter,
    /// It is held back before AWS has it, and lost when the proxy is healed: nothing was done. Time to kill the caller
    /// in: see [`Proxy::holds`](super::Proxy::holds).
    HoldBefore,
    /// AWS did what was asked. The answer is held back, and lost when the proxy is healed.
    HoldAfter,
    /// The caller's policies do not allow it. Nothing was done.
    Denied,
}

/// Which calls a fault is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Every call.
    Any,
    /// The n-th call from now and those after it, the next one being the first.
    Nth(u64),
    /// Calls of one operation of one service, as in [`Call`].
    Operation {
        /// `ec2`, `iam`, `dynamodb` …
        service: String,
        /// `RevokeSecurityGroupIngress` …
        operation: String,
    },
}

impl When {
    /// Calls of one operation of one service.
    #[must_use]
    pub fn operation(service: &str, operation: &str) -> Self {
        Self::Operation { service: service.to_owned(), operation: operation.to_owned() }
    }
}

/// The faults still to come, in the order they were injected.
#[derive(Debug, Default)]
pub(super) struct Plan(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    fault: Fault,
    when: When,
    left: u32,
    /// Calls since it was injected.
    seen: u64,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, when: When, times: u32) {
        self.0.push(Planned { fault, when, left: times, seen: 0 });
    }

    /// The fault this call meets, which is then spent once.
    pub(super) fn strike(&mut self, call: &Call) -> Option<Fault> {
        for planned in &mut self.0 {
            planned.seen += 1;
        }
        let planned = self.0.iter_mut().find(|planned| planned.left > 0 && planned.is_for(call))?;
        planned.left -= 1;
        Some(planned.fault)
    }
}

impl Planned {
    fn is_for(&self, call: &Call) -> bool {
        match &self.when {
            When::Any => true,
            When::Nth(n) => self.seen >= *n,
            When::Operation { service, operation } => *service == call.service && *operation == call.operation,
        }
    }
}

/// How the services put their errors.
enum Protocol {
    Ec2,
    Query,
    Json,
}

/// The answer a service gives instead of doing what was asked; `None` for faults that are none.
pub(super) fn refusal(fault: Fault, call: &Call) -> Option<Response<Bytes>> {
    let protocol = match call.service.as_str() {
        "ec2" => Protocol::Ec2,
        "iam" | "sts" | "sns" | "sqs" => Protocol::Query,
        _ => Protocol::Json,
    };
    let action = format!("{}:{}", call.service, call.operation);
    let caller = format!("arn:aws:iam::{}:user/{}", crate::ACCOUNT, call.access_key_id);
    let lacking = format!(
        "User: {caller} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    );
    let (status, code, message) = match (fault, &protocol) {
        (Fault::Throttle, Protocol::Ec2) => (503, "RequestLimitExceeded", "Request limit exceeded.".to_owned()),
        (Fault::Throttle, Protocol::Query) => (400, "Throttling", "Rate exceeded".to_owned()),
        (Fault::Throttle, Protocol::Json) if call.service == "dynamodb" => (
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.".to_owned(),
        ),
        (Fault::Throttle, Protocol::Json) => (400, "ThrottlingException", "Rate exceeded".to_owned()),
        (Fault::ServerError, Protocol::Ec2) => (500, "InternalError", "An internal error has occurred".to_owned()),
        (Fault::ServerError, Protocol::Query) => (500, "ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.".to_owned()),
        (Fault::ServerError, Protocol::Json) => (500, "InternalServerError", "Internal server error".to_owned()),
        (Fault::Denied, Protocol::Ec2) => {
            (403, "UnauthorizedOperation", format!("You are not authorized to perform this operation. {lacking}"))
        }
        (Fault::Denied, Protocol::Query) if call.service == "sns" => (403, "AuthorizationError", lacking),
        (Fault::Denied, Protocol::Query) => (403, "AccessDenied", lacking),
        (Fault::Denied, Protocol::Json) => (400, "AccessDeniedException", lacking),
        (
            Fault::Delay(_) | Fault::DropBefore | Fault::DropAfter | Fault::HoldBefore | Fault::HoldAfter,
            _,
        ) => return None,
    };
    let status = StatusCode::from_u16(status).ok()?;
    Some(match protocol {
        Protocol::Ec2 => composed(status, "text/xml;charset=UTF-8", ec2(code, &message, &call.request_id)),
        Protocol::Query => composed(status, "text/xml", query(status, code, &message, &call.request_id)),
        Protocol::Json => {
            // DynamoDB's own shape; the others have another namespace, which SDKs strip.
            let kind = format!("com.amazonaws.{}#{code}", call.service);
            composed(status, "application/x-amz-json-1.0", json!({"__type": kind, "message": message}).to_string())
        }
    })
}

fn ec2(code: &str, message: &str, request_id: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"#
    )
}

fn query(status: StatusCode, code: &str, message: &str, request_id: &str) -> String {
    let fault_of = if status.is_server_error() { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse><Error><Type>{fault_of}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}
