//! The inline policies that end temporary credentials.
//!
//! A session cannot be closed; what it may do can be denied. A [`Denial`] is an inline policy of a user or a role that
//! denies everything to credentials issued before a time: to all of them, or to those of one session of a role. It is
//! pure: nothing here does I/O or knows the time.
//!
//! `aws:TokenIssueTime` is in a request only if it was signed with temporary credentials, so a policy does not touch a
//! user's long-term keys. Source: IAM User Guide, "AWS global condition context keys". That a deny on the user reaches
//! what `GetSessionToken` and `GetFederationToken` gave out, and one on the role what `AssumeRole` gave out: IAM User
//! Guide, "Disabling permissions for temporary security credentials".

mod denial;
pub mod name;
mod session;

pub use denial::{Denial, LONGEST_SESSION, MARGIN, in_iam_format};
pub use session::{InvalidSession, RoleSession};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,80}") {
            let _denial = Denial::read(&text);
        }
    }
}
