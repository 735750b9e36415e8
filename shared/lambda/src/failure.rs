//! How Lambda is told that an event was not dealt with.

use std::fmt;

use lambda_runtime::Diagnostic;
use remedy::{RespondError, in_full};

/// An event that was not dealt with. Lambda gets it as an error either way, so that it is tried again and at last kept
/// in the dead-letter queue; the error's type says whether trying again can help.
pub(crate) struct Failure(pub(crate) RespondError);

impl Failure {
    pub(crate) fn kind(&self) -> String {
        let hope = if self.0.is_retryable() { "Retryable" } else { "Final" };
        format!("{hope}.{}", self.0.kind())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), in_full(&self.0))
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind(), error_message: in_full(&failure.0) }
    }
}

#[cfg(test)]
mod tests {
    use cloudtrail::EventError;
    use remedy::{CallError, CallErrorKind};

    use super::*;

    fn diagnostic(error: RespondError) -> (String, String) {
        let Diagnostic { error_type, error_message } = Failure(error).into();
        (error_type, error_message)
    }

    #[test]
    fn the_type_says_whether_to_try_again_and_the_message_says_everything() {
        let refused = |kind| RespondError::Observe {
            resource: cloudtrail::Arn::parse("arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1").unwrap(),
            source: CallError { action: "ec2:DescribeSecurityGroupRules", kind, source: "slow down".into() },
        };
        let (kind, message) = diagnostic(refused(CallErrorKind::Throttled));
        assert_eq!(kind, "Retryable.Throttled");
        assert_eq!(
            message,
            "could not look at `arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1`; nothing was changed: \
             `ec2:DescribeSecurityGroupRules` was throttled: slow down"
        );
        assert_eq!(diagnostic(refused(CallErrorKind::Denied)).0, "Final.Denied");
        assert_eq!(
            diagnostic(EventError::Missing { field: "account" }.into()),
            ("Final.Event".to_owned(), "the event cannot be judged: `account` is missing".to_owned())
        );
    }
}
