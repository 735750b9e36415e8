//! What came of a call that failed, from the SDK's words into ours.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use remedy::{Applied, CallError, CallErrorKind};

type BoxError = Box<dyn Error + Send + Sync>;

/// What a failed call to AWS means. `action` is the IAM action: `ec2:RevokeSecurityGroupIngress`.
#[must_use]
pub fn call_error<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    CallError { action, kind: kind(&error), source: cause(error) }
}

/// What there is not is no error.
pub fn if_there<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == CallErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

/// A write to what is gone changed nothing.
pub fn applied<T>(answer: Result<T, CallError>) -> Result<Applied, CallError> {
    Ok(if if_there(answer)?.is_some() { Applied::Changed } else { Applied::AlreadySo })
}

fn kind<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> CallErrorKind {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err().code() {
            Some(code) => by_code(code).unwrap_or_else(|| by_status(refusal.raw().status().as_u16())),
            None => by_status(refusal.raw().status().as_u16()),
        },
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => CallErrorKind::Unanswered,
        SdkError::DispatchFailure(failure) if !failure.is_user() => CallErrorKind::Unanswered,
        _ => CallErrorKind::Refused, // it never left this process
    }
}

/// Codes by what they mean for us, whatever the service and whether it writes them with `Exception` at the end.
///
/// Sources: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API"; AWS IAM API Reference, "Common Errors";
/// Amazon DynamoDB Developer Guide, "Error handling with DynamoDB". That IAM asks to come again later for a change that
/// collides with another is in its API Reference under `ConcurrentModification` and `EntityTemporarilyUnmodifiable`.
fn by_code(code: &str) -> Option<CallErrorKind> {
    let code = code.strip_prefix("Client.").or(code.strip_prefix("Server.")).unwrap_or(code);
    let name = code.strip_suffix("Exception").unwrap_or(code);
    Some(match name {
        "Throttling"
        | "Throttled"
        | "ThrottlingError"
        | "EC2Throttled"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "TooManyRequests"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "ProvisionedThroughputExceeded"
        | "TransactionInProgress"
        | "ConcurrentModification"
        | "EntityTemporarilyUnmodifiable" => CallErrorKind::Throttled,
        "AccessDenied"
        | "KMSAccessDenied"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "NotAuthorized"
        | "AuthFailure"
        | "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "ExpiredToken"
        | "SignatureDoesNotMatch"
        | "OptInRequired" => CallErrorKind::Denied,
        "RequestTimeout"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServer"
        | "ServiceFailure"
        | "ServiceUnavailable"
        | "Unavailable" => CallErrorKind::Unanswered,
        _ if name.ends_with("NotFound") || name.starts_with("NoSuch") => CallErrorKind::Gone,
        _ => return None,
    })
}

fn by_status(status: u16) -> CallErrorKind {
    match status {
        429 => CallErrorKind::Throttled,
        // A server that failed may have done it before it did.
        500.. => CallErrorKind::Unanswered,
        _ => CallErrorKind::Refused,
    }
}

/// What AWS answered, without the layers that the SDK puts around it.
#[derive(Debug)]
struct Answer {
    code: Option<String>,
    message: Option<String>,
    status: u16,
    request: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => f.write_str(code)?,
            None => write!(f, "HTTP status {}", self.status)?,
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        match &self.request {
            Some(request) => write!(f, " (request {request})"),
            None => Ok(()),
        }
    }
}

impl Error for Answer {}

/// The error as a source for one of ours.
pub(crate) fn cause<E>(error: SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request = error.request_id().map(str::to_owned);
    match error {
        SdkError::ServiceError(refusal) => Box::new(Answer {
            code: refusal.err().code().map(str::to_owned),
            message: refusal.err().message().map(str::to_owned),
            status: refusal.raw().status().as_u16(),
            request,
        }),
        error => Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::operation::publish::PublishError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn answered(code: Option<&str>, status: u16) -> CallError {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code).message("no");
        }
        let raw = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
        call_error("ec2:X", SdkError::service_error(PublishError::generic(metadata.build()), raw))
    }

    #[test]
    fn a_code_tells_what_to_do() {
        for (code, kind) in [
            ("RequestLimitExceeded", CallErrorKind::Throttled),
            ("ThrottlingException", CallErrorKind::Throttled),
            ("Throttling", CallErrorKind::Throttled),
            ("ConcurrentModificationException", CallErrorKind::Throttled),
            ("UnauthorizedOperation", CallErrorKind::Denied),
            ("Client.UnauthorizedOperation", CallErrorKind::Denied),
            ("AccessDenied", CallErrorKind::Denied),
            ("AccessDeniedException", CallErrorKind::Denied),
            ("NoSuchEntity", CallErrorKind::Gone),
            ("NoSuchEntityException", CallErrorKind::Gone),
            ("InvalidGroup.NotFound", CallErrorKind::Gone),
            ("ResourceNotFoundException", CallErrorKind::Gone),
            ("ServiceFailure", CallErrorKind::Unanswered),
            ("LimitExceeded", CallErrorKind::Refused),
            ("InvalidParameterValue", CallErrorKind::Refused),
        ] {
            assert_eq!(answered(Some(code), 400).kind, kind, "{code}");
        }
    }

    #[test]
    fn without_a_known_code_the_status_tells() {
        assert_eq!(answered(None, 503).kind, CallErrorKind::Unanswered);
        assert_eq!(answered(None, 429).kind, CallErrorKind::Throttled);
        assert_eq!(answered(Some("Odd"), 500).kind, CallErrorKind::Unanswered);
        assert_eq!(answered(None, 400).kind, CallErrorKind::Refused);
    }

    #[test]
    fn a_broken_connection_is_no_answer() {
        let broken = |error| call_error("iam:X", SdkError::<PublishError, _>::dispatch_failure(error));
        assert_eq!(broken(ConnectorError::io("reset".into())).kind, CallErrorKind::Unanswered);
        assert_eq!(broken(ConnectorError::timeout("late".into())).kind, CallErrorKind::Unanswered);
        assert_eq!(broken(ConnectorError::user("odd".into())).kind, CallErrorKind::Refused);
    }

    #[test]
    fn the_source_says_what_aws_said() {
        let error = answered(Some("AccessDenied"), 403);
        assert_eq!(error.to_string(), "`ec2:X` was denied: the role lacks the permission");
        assert_eq!(error.source.to_string(), "AccessDenied: no");
        assert_eq!(answered(None, 418).source.to_string(), "HTTP status 418");
    }
}
