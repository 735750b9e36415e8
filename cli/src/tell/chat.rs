//! A chat, through a topic that Amazon Q Developer in chat applications listens to.
//!
//! It renders messages of this one form and drops all others without a word. Source: Amazon Q Developer in chat
//! applications Administrator Guide, "Custom notifications", event schema.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use cloudtrail::Arn;
use hostile_text::{blanked, code};
use lambda::{NextStep, Untold, Written, became, call_error, facts, headline, next_steps};
use remedy::{CallError, Incident, in_full};
use serde::Serialize;

/// So much of each value is told, and so many changes and policies: the text of one section of a Slack message may have
/// 3,000 characters (Slack API, "Section block").
const LONGEST_VALUE: usize = 150;
const MOST_CHANGES: usize = 5;
const MOST_FACTS: usize = 11;

#[derive(Debug)]
pub(super) struct Chat {
    client: Client,
    topic: Arn,
}

#[derive(Debug, Serialize)]
struct Notification {
    version: &'static str,
    source: &'static str,
    /// One for each state, so that what is sent twice can be told.
    id: String,
    content: Content,
    metadata: Metadata,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    text_type: &'static str,
    title: String,
    description: String,
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// What becomes of an incident later is told in the thread that its first message began.
    thread_id: String,
    summary: String,
    event_type: String,
    related_resources: Vec<String>,
    additional_context: BTreeMap<&'static str, String>,
}

impl Chat {
    pub(super) fn new(config: &SdkConfig, topic: Arn) -> Self {
        Self { client: Client::new(config), topic }
    }

    /// Returns what was not said.
    pub(super) async fn say(&self, due: &[&Written]) -> Untold {
        let mut untold = Untold::new();
        for written in due {
            if let Err(error) = self.publish(written).await {
                tracing::error!(incident = %written.incident.id, error = in_full(&error), "the chat was not told");
                untold.insert(written.sequence.clone());
            }
        }
        untold
    }

    async fn publish(&self, written: &Written) -> Result<(), CallError> {
        let sent = self.client.publish().topic_arn(self.topic.as_str()).message(message(written)).send().await;
        sent.map(|_| ()).map_err(|error| call_error("sns:Publish", error))
    }
}

fn message(Written { incident, home, .. }: &Written) -> String {
    // Only words of ours: a title has no code span that would hold what others wrote.
    let title = format!("Countermand {}: {} in {}", became(incident), incident.responder, incident.account);
    let title = plain(&title);
    let notification = Notification {
        version: "1.0",
        source: "custom",
        id: format!("{}.{}", incident.id, incident.revision),
        content: Content {
            text_type: "client-markdown",
            title: title.clone(),
            description: description(incident),
            next_steps: next_steps(incident, home.as_ref())
                .iter()
                .map(|NextStep { what, command }| format!("{what}: {}", code(command, LONGEST_VALUE)))
                .collect(),
            keywords: vec![
                plain(&incident.responder),
                incident.severity.label().to_owned(),
                incident.account.to_string(),
                plain(incident.region.as_str()),
            ],
        },
        metadata: Metadata {
            thread_id: plain(incident.id.as_str()),
            summary: title,
            event_type: format!("incident {}", incident.state),
            related_resources: vec![plain(incident.resource.arn.as_str())],
            additional_context: [
                ("incident", incident.id.to_string()),
                ("state", incident.state.to_string()),
                ("revision", incident.revision.to_string()),
                ("verdict", plain(&incident.verdict)),
            ]
            .into(),
        },
    };
    // It holds text only, and such JSON is always written.
    serde_json::to_string(&notification).unwrap_or_default()
}

fn description(incident: &Incident) -> String {
    let mut lines = vec![headline(incident).to_owned(), String::new()];
    let facts = facts(incident);
    lines
        .extend(facts.iter().take(MOST_FACTS).map(|(name, value)| format!("- {name}: {}", code(value, LONGEST_VALUE))));
    let changes = incident.receipt.iter().take(MOST_CHANGES);
    lines.extend(changes.map(|entry| format!("- Changed: {}", code(&entry.did, LONGEST_VALUE))));
    match incident.receipt.len() {
        0 => lines.push("- Nothing was changed.".to_owned()),
        all if all > MOST_CHANGES => lines.push(format!("- and {} changes more", all - MOST_CHANGES)),
        _ => {}
    }
    lines.join("\n")
}

/// Without anything that a chat reads as more than text.
fn plain(text: &str) -> String {
    let line = blanked(text, LONGEST_VALUE);
    line.chars().map(|char| if "<>&*~`[]\\".contains(char) { '?' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use remedy::State;
    use serde_json::{Value, from_value, json};

    use super::super::examples;
    use super::*;

    fn read(written: &Written) -> Value {
        serde_json::from_str(&message(written)).unwrap()
    }

    #[test]
    fn an_incident_of_a_member_is_undone_with_a_role_of_its_account() {
        let home = cloudtrail::AccountId::parse("999999999999").ok();
        let notification = read(&Written { home, ..examples::contained() });
        let step = notification.pointer("/content/nextSteps/0").and_then(Value::as_str).unwrap();
        assert!(
            step.contains("role of account 123456789012") && step.contains("undo 0123456789abcdef0123 --role NAME`"),
            "{step}"
        );
    }

    #[test]
    fn the_guide_shows_a_message() {
        examples::check("chat", &serde_json::to_string_pretty(&read(&examples::contained())).unwrap());
    }

    #[test]
    fn a_message_has_the_form_that_is_rendered() {
        let notification = read(&examples::contained());
        let text = |pointer: &str| notification.pointer(pointer).and_then(Value::as_str).unwrap();
        assert_eq!(
            (text("/version"), text("/source"), text("/content/textType")),
            ("1.0", "custom", "client-markdown")
        );
        let description = text("/content/description");
        for said in [
            "- Who: `arn:aws:iam::123456789012:role/deploy, session alice`",
            "- Did: `AuthorizeSecurityGroupIngress`",
            "- Because: `permitted by 'ports'`",
            "- Changed: `revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)`",
        ] {
            assert!(description.contains(said), "{description}");
        }
        assert_eq!(text("/content/nextSteps/0"), "To take it back: `countermand incidents undo 0123456789abcdef0123`");
        assert_eq!(text("/metadata/threadId"), "0123456789abcdef0123");
        assert!(notification["metadata"]["additionalContext"].as_object().unwrap().values().all(Value::is_string));
    }

    /// An incident that says `text` wherever an event, a policy, a call or an operator can say something.
    fn says(text: &str) -> Written {
        let mut written = examples::contained();
        let incident = &mut written.incident;
        let arn = format!("arn:aws:ec2:eu-west-1:123456789012:security-group/{text}");
        incident.resource = from_value(json!({ "kind": "SecurityGroup", "arn": arn, "tags": {} })).unwrap();
        incident.actor = from_value(json!({ "principal": { "federated": text }, "account": null, "session": text,
            "accessKeyId": null, "invokedBy": text, "mfa": null }))
        .unwrap();
        incident.policies = from_value(json!(vec![json!({ "id": text, "reason": text }); 40])).unwrap();
        incident.region = cloudtrail::Region::new(text);
        for field in [&mut incident.event_name, &mut incident.because, &mut incident.verdict] {
            text.clone_into(field);
        }
        incident.error = Some(text.to_owned());
        incident.answer =
            from_value(json!({ "approved": true, "by": text, "at": incident.opened, "reason": text })).ok();
        incident.state = State::Pending;
        incident.receipt = vec![incident.receipt[0].clone(); 40];
        incident.receipt.iter_mut().for_each(|entry| text.clone_into(&mut entry.did));
        written
    }

    proptest! {
        #[test]
        fn nothing_in_a_message_calls_links_or_adds_a_line(text in "([`<>&!@*_~#\\[\\]()\n\u{202e}a ]|<!channel>|\\PC){0,40}") {
            let (hostile, tame) = (read(&says(&text)), read(&says("x")));
            let lines = |of: &Value| of["content"]["description"].as_str().unwrap().lines().count();
            prop_assert_eq!(lines(&hostile), lines(&tame));
            let whole = hostile.to_string();
            prop_assert!(!whole.contains(['<', '>', '&']), "{}", whole);
            for line in hostile["content"]["description"].as_str().unwrap().lines() {
                prop_assert!(matches!(line.matches('`').count(), 0 | 2), "{}", line);
            }
        }
    }

    #[test]
    fn a_message_fits_into_a_section_of_slack() {
        let notification = read(&says(&"ä".repeat(9000)));
        let length = |pointer: &str| notification.pointer(pointer).and_then(Value::as_str).unwrap().chars().count();
        assert!(length("/content/description") <= 3000, "{}", length("/content/description"));
        assert!(length("/content/title") < 250 && length("/metadata/relatedResources/0") < 250);
    }
}
