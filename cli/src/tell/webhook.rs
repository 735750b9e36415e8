//! A webhook: a POST of JSON to whoever the deployment names, signed so that he can tell that it is from us.
//!
//! The address and the key are one secret in AWS Secrets Manager, `{"url": "https://…", "key": "…"}`, since an address is
//! often a secret itself. It is read for each batch, so that it can be rotated. Secrets Manager and not an SSM parameter,
//! because it can rotate a secret by itself, and its SDK has two dozen operations where the other's has six times as many to
//! build.

use std::fmt::Write;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use chrono::{DateTime, SecondsFormat, Utc};
use cloudtrail::Arn;
use hostile_text::visible_json;
use lambda::{PostError, Poster, SystemClock, Untold, Written, call_error, headline, next_steps};
use remedy::{CallError, Clock, Incident, in_full};
use ring::hmac;
use serde::Deserialize;
use serde_json::json;

use super::is_exposed;

#[derive(Debug)]
pub(super) struct Webhook {
    client: Client,
    secret: Arn,
    poster: Poster,
}

#[derive(Deserialize)]
struct Secret {
    url: String,
    key: String,
}

/// Why the webhook was not told.
#[derive(Debug, thiserror::Error)]
enum WebhookError {
    #[error("the secret was not read")]
    Secret(#[source] CallError),
    /// Without its cause, whose text may say what is in the secret.
    #[error(
        "the secret is not JSON like `{{\"url\": \"https://…\", \"key\": \"…\"}}`: see line {line}, column {column}"
    )]
    Shape { line: usize, column: usize },
    #[error("the webhook's address does not begin with `https://`, so all could read what is told")]
    InTheClear,
    #[error("the webhook was not reached")]
    Post(#[from] PostError),
    #[error("the webhook answered with the status {0}")]
    Status(u16),
}

impl WebhookError {
    /// Whether the next message would fare no better.
    fn is_general(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 401 | 403 | 404 | 410 | 429 | 500..),
            _ => true,
        }
    }
}

impl Webhook {
    pub(super) fn new(config: &SdkConfig, secret: Arn, poster: Poster) -> Self {
        Self { client: Client::new(config), secret, poster }
    }

    /// Returns what was not told. Where nobody answers, it is not tried for each.
    pub(super) async fn call(&self, due: &[&Written]) -> Untold {
        let mut untold = Untold::new();
        if due.is_empty() {
            return untold;
        }
        let secret = match self.secret().await {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(error = in_full(&error), "the webhook was not told");
                return sequences(due);
            }
        };
        for (index, written) in due.iter().enumerate() {
            let Err(error) = self.post(&secret, written).await else { continue };
            tracing::error!(incident = %written.incident.id, error = in_full(&error), "the webhook was not told");
            untold.insert(written.sequence.clone());
            if error.is_general() {
                untold.extend(sequences(due.get(index..).unwrap_or_default()));
                break;
            }
        }
        untold
    }

    async fn secret(&self) -> Result<Secret, WebhookError> {
        let read = self.client.get_secret_value().secret_id(self.secret.as_str()).send().await;
        let read = read.map_err(|error| WebhookError::Secret(call_error("secretsmanager:GetSecretValue", error)))?;
        let secret = Secret::read(read.secret_string().unwrap_or_default())?;
        if is_private(&secret.url) { Ok(secret) } else { Err(WebhookError::InTheClear) }
    }

    async fn post(&self, secret: &Secret, written: &Written) -> Result<(), WebhookError> {
        let body = body(written);
        let timestamp = SystemClock.now().timestamp();
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("user-agent", "countermand".to_owned()),
            ("countermand-delivery", format!("{}.{}", written.incident.id, written.incident.revision)),
            ("countermand-timestamp", timestamp.to_string()),
            ("countermand-signature", signature(&secret.key, timestamp, &body)),
        ];
        match self.poster.post(&secret.url, &headers, body).await? {
            200..300 => Ok(()),
            status => Err(WebhookError::Status(status)),
        }
    }
}

impl Secret {
    fn read(text: &str) -> Result<Self, WebhookError> {
        serde_json::from_str(text).map_err(|error| WebhookError::Shape { line: error.line(), column: error.column() })
    }
}

fn sequences(due: &[&Written]) -> Untold {
    due.iter().map(|written| written.sequence.clone()).collect()
}

/// Whether nobody on the way can read what is sent there. What stays on this machine needs no TLS.
fn is_private(url: &str) -> bool {
    url.starts_with("https://") || url.strip_prefix("http://127.0.0.1:").is_some_and(|rest| !rest.contains('@'))
}

/// The time is signed with the body, so that whoever overheard one cannot send it again later.
fn signature(key: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{timestamp}.{body}").as_bytes());
    let mut signature = "v1=".to_owned();
    for byte in tag.as_ref() {
        // Writing to a string does not fail.
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

/// What is told. The texts are as hostile as the event; nothing in them is obeyed by a terminal.
fn body(Written { incident, home, at, .. }: &Written) -> String {
    let Incident { actor, receipt, .. } = incident;
    let instant = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let changes: Vec<_> = receipt
        .iter()
        .map(|entry| json!({ "did": entry.did, "at": instant(entry.at), "undone": entry.undone.map(instant) }))
        .collect();
    let steps: Vec<_> = next_steps(incident, home.as_ref())
        .into_iter()
        .map(|step| json!({ "what": step.what, "command": step.command }))
        .collect();
    let body = json!({
        "version": "1",
        "incident": incident.id,
        "revision": incident.revision,
        "updatedAt": instant(*at),
        "openedAt": instant(incident.opened),
        "state": incident.state,
        "exposed": is_exposed(incident),
        "headline": headline(incident),
        "responder": incident.responder,
        "event": { "id": incident.event_id, "name": incident.event_name, "time": incident.event_time.map(instant) },
        "account": incident.account,
        "region": incident.region,
        "resource": incident.resource.arn,
        "actor": { "principal": actor.principal.to_string(), "session": actor.session, "sourceIp": incident.source_ip },
        "severity": { "label": incident.severity.label(), "score": incident.severity.get() },
        "verdict": incident.verdict,
        "because": incident.because,
        "policies": incident.policies,
        "changes": changes,
        "answer": incident.answer,
        "undone": incident.undone,
        "error": incident.error,
        "nextSteps": steps,
    });
    visible_json(&body.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::examples;
    use super::*;

    #[test]
    fn the_guide_shows_a_body() {
        let body: Value = serde_json::from_str(&body(&examples::contained())).unwrap();
        examples::check("webhook", &serde_json::to_string_pretty(&body).unwrap());
    }

    #[test]
    fn a_signature_is_what_openssl_makes() {
        // printf '1795330804.{}' | openssl dgst -sha256 -hmac Jefe
        let expected = "v1=6a5f5715f2693a76a06dc0dd7e3deb07878a032da6dfd5f9bd7a5c637f2c4221";
        assert_eq!(signature("Jefe", 1_795_330_804, "{}"), expected);
    }

    #[test]
    fn what_is_told_is_told_privately() {
        assert!(is_private("https://example.com/hook") && is_private("http://127.0.0.1:8080/hook"));
        for open in ["http://example.com", "http://127.0.0.1.evil.com/", "http://127.0.0.1:80@evil.com/", "ftp://x", ""]
        {
            assert!(!is_private(open), "{open}");
        }
    }

    #[test]
    fn a_secret_of_another_shape_is_not_repeated() {
        for text in ["", "hunter2", r#"{"url":"https://hunter2"}"#] {
            let error = in_full(&Secret::read(text).err().unwrap());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_body_says_who_what_why_and_how_to_take_it_back() {
        let mut contained = examples::contained();
        contained.incident.actor.session = Some("al\u{202e}ice".to_owned());
        let text = body(&contained);
        assert!(text.contains(r"al\u202eice"), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        for (pointer, expected) in [
            ("/state", "contained"),
            ("/actor/principal", "arn:aws:iam::123456789012:role/deploy"),
            ("/event/name", "AuthorizeSecurityGroupIngress"),
            ("/because", "permitted by `ports`"),
            ("/policies/0/id", "ports"),
            ("/changes/0/did", "revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)"),
            ("/nextSteps/0/command", "countermand incidents undo 0123456789abcdef0123"),
            ("/updatedAt", "2026-11-22T07:00:04.001Z"),
        ] {
            assert_eq!(body.pointer(pointer).and_then(Value::as_str), Some(expected), "{pointer}");
        }
        assert_eq!((&body["exposed"], &body["severity"]["score"]), (&json!(false), &json!(70)));
    }

    #[test]
    fn what_would_fail_for_all_is_not_tried_for_each() {
        let general = [401, 404, 429, 500, 503].map(|status| WebhookError::Status(status).is_general());
        assert_eq!(general, [true; 5]);
        assert!(!WebhookError::Status(400).is_general() && !WebhookError::Status(413).is_general());
        assert!(WebhookError::Post(PostError::Silence).is_general());
    }
}
