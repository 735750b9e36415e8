//! What Lambda handed over.

use std::fmt;

use cloudtrail::EventError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An event, or why it is none.
///
/// Never fails to deserialize: `lambda_runtime` would answer for us, with an error of its own kind that nobody counts or
/// alarms on (`RuntimeApiResponseService::call` in its `layers/api_response.rs`).
pub(crate) struct Payload(Result<Value, String>);

impl Payload {
    pub(crate) fn into_json(self) -> Result<Value, EventError> {
        self.0.map_err(|why| EventError::Json(serde_json::Error::custom(why)))
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer).map_err(|error| error.to_string())))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_ok() { "Payload(JSON)" } else { "Payload(not JSON)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `lambda_runtime` does it.
    fn handed_over(body: &str) -> Result<Value, EventError> {
        Payload::deserialize(&mut serde_json::Deserializer::from_slice(body.as_bytes())).unwrap().into_json()
    }

    #[test]
    fn what_is_no_json_is_an_error_of_ours() {
        for (body, why) in [("{\"detail\":", "EOF"), ("", "EOF"), ("no", "expected"), (&"[".repeat(200), "recursion")] {
            assert!(
                matches!(handed_over(body), Err(EventError::Json(error)) if error.to_string().contains(why)),
                "{body}"
            );
        }
        assert_eq!(handed_over(" {\"a\": 1}").unwrap(), serde_json::json!({"a": 1}));
    }
}
