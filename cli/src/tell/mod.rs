//! Telling others what became of incidents: AWS Security Hub, a chat, a webhook.
//!
//! The ledger's stream asks for [`serve`]. It gives the writes of one incident in their order (Amazon DynamoDB Developer
//! Guide, "Change data capture for DynamoDB Streams"), but what failed comes again with everything after it. So that no
//! older state is told over a newer one, each incident is looked up in the ledger first: where a newer revision is there to
//! be told, it has a record of its own.
//!
//! One channel that fails keeps no other from being told, nor any other incident: all of a batch is tried, and only what
//! failed is asked for again. What was said is remembered until the batch is through, so that it is not said again with
//! what failed; a new process does not remember and may say it once more.

mod chat;
#[cfg(test)]
mod examples;
mod finding;
mod security_hub;
mod webhook;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use lambda::{Desk, DynamoLedger, Untold, Written, serve_stream};
use remedy::{Incident, State, in_full};

use self::chat::Chat;
use self::security_hub::Hub;
use self::webhook::Webhook;

/// The `Handler` of the function that tells of incidents.
pub(crate) const HANDLER: &str = "tell-incidents";

/// The function: tells of every incident in a batch of the ledger's stream.
pub(crate) fn serve() -> ExitCode {
    serve_stream(Teller::new, &async |teller: &Teller, written| teller.tell(written).await)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    SecurityHub,
    Chat,
    Webhook,
}

#[derive(Debug)]
struct Teller {
    ledger: DynamoLedger,
    hub: Option<Hub>,
    chat: Option<Chat>,
    webhook: Option<Webhook>,
    /// What was said of a batch that is not through.
    said: RefCell<BTreeSet<(Channel, String)>>,
}

impl Teller {
    fn new(desk: Desk) -> Self {
        let Desk { config, ledger, channels, poster } = desk;
        Self {
            ledger,
            hub: channels.product.map(|product| Hub::new(&config, product)),
            chat: channels.chat.map(|topic| Chat::new(&config, topic)),
            webhook: channels.webhook.zip(poster).map(|(secret, poster)| Webhook::new(&config, secret, poster)),
            said: RefCell::default(),
        }
    }

    async fn tell(&self, written: Vec<Written>) -> Untold {
        let mut untold = Untold::new();
        let mut due = Vec::new();
        for written in latest(written) {
            match self.ledger.get(&written.incident.id).await {
                Ok(Some(stands)) if stands.revision > written.incident.revision && is_told(&stands) => {}
                Ok(_) => due.push(written),
                Err(error) => {
                    tracing::error!(incident = %written.incident.id, error = in_full(&error), "an incident was not told");
                    untold.insert(written.sequence);
                }
            }
        }
        if let Some(hub) = &self.hub {
            let due = self.unsaid(Channel::SecurityHub, &due);
            untold.extend(self.saying(Channel::SecurityHub, &due, hub.import(&due).await));
        }
        if let Some(chat) = &self.chat {
            let mut due = self.unsaid(Channel::Chat, &due);
            due.retain(|written| is_loud(&written.incident));
            untold.extend(self.saying(Channel::Chat, &due, chat.say(&due).await));
        }
        if let Some(webhook) = &self.webhook {
            let due = self.unsaid(Channel::Webhook, &due);
            untold.extend(self.saying(Channel::Webhook, &due, webhook.call(&due).await));
        }
        if untold.is_empty() {
            self.said.borrow_mut().clear();
        }
        untold
    }

    fn unsaid<'a>(&self, channel: Channel, due: &'a [Written]) -> Vec<&'a Written> {
        let said = self.said.borrow();
        due.iter().filter(|written| !said.contains(&(channel, written.sequence.clone()))).collect()
    }

    fn saying(&self, channel: Channel, due: &[&Written], untold: Untold) -> Untold {
        let said = due.iter().filter(|written| !untold.contains(&written.sequence));
        self.said.borrow_mut().extend(said.map(|written| (channel, written.sequence.clone())));
        untold
    }
}

/// Of each incident the latest of what is told, in the order in which it was written.
fn latest(written: Vec<Written>) -> Vec<Written> {
    let mut latest = BTreeMap::new();
    for (place, written) in written.into_iter().enumerate().filter(|(_, written)| is_told(&written.incident)) {
        latest.insert(written.incident.id.clone(), (place, written));
    }
    let mut latest: Vec<_> = latest.into_values().collect();
    latest.sort_by_key(|(place, _)| *place);
    latest.into_iter().map(|(_, written)| written).collect()
}

/// Whether anybody but us has to know that it stands so. `template.yaml` has the same in the function's filter.
///
/// What turns out to need nothing done is told only where something else may have been told before.
fn is_told(incident: &Incident) -> bool {
    match incident.state {
        State::Claimed | State::Approved => false,
        State::AlreadySafe | State::Exempt => incident.revision > 0,
        State::Contained
        | State::Observed
        | State::Uncontainable
        | State::Pending
        | State::Contested
        | State::Rejected
        | State::Failed
        | State::Undone => true,
    }
}

/// Whether people are told of it in a chat. Of a crowd beyond a budget only the first is, which has kept its lease; see
/// `remedy`'s path, where the same is so for the topic.
fn is_loud(incident: &Incident) -> bool {
    match incident.state {
        State::Pending | State::Contested => incident.lease.is_some(),
        State::AlreadySafe | State::Exempt => false,
        _ => true,
    }
}

/// Whether what was found is there, as far as the ledger knows.
fn is_exposed(incident: &Incident) -> bool {
    match incident.state {
        State::Contained => incident.receipt.iter().any(|entry| entry.undone.is_some()),
        State::AlreadySafe | State::Exempt => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture;

    pub(super) fn written(sequence: &str, state: State, revision: u64) -> Written {
        let incident = Incident { state, revision, ..fixture::incident() };
        Written { sequence: sequence.to_owned(), incident, home: None, at: fixture::time("2026-11-22T07:00:04.001Z") }
    }

    #[test]
    fn of_a_batch_the_latest_of_each_incident_is_told() {
        let mut other = written("101", State::Observed, 0);
        other.incident.id = remedy::IncidentId::new("other");
        let batch = vec![
            written("100", State::Pending, 0),
            other,
            written("102", State::Rejected, 1),
            written("103", State::Claimed, 2),
        ];
        let sequences: Vec<_> = latest(batch).into_iter().map(|it| it.sequence).collect();
        assert_eq!(sequences, ["101", "102"]);
    }

    #[test]
    fn what_needs_nothing_done_is_told_only_over_what_was_told() {
        let told = |state, revision| is_told(&written("1", state, revision).incident);
        assert!(!told(State::AlreadySafe, 0) && told(State::AlreadySafe, 3) && told(State::Exempt, 1));
        assert!(told(State::Observed, 0) && !told(State::Approved, 5) && !told(State::Claimed, 0));
    }

    /// What we tell Security Hub comes back as an event of its own, and what GuardDuty tells it comes as another form of what
    /// some responders act on. Whatever that says, no responder takes it for an event of its own.
    #[test]
    fn no_finding_of_ours_is_a_finding_again() {
        for (product, generator) in [
            ("product/123456789012/default", "countermand/disable-access-key"),
            ("product/aws/guardduty", "arn:aws:guardduty:us-east-1:123456789012:detector/d-1"),
        ] {
            let event = serde_json::json!({
                "version": "0", "id": "e-1", "detail-type": "Security Hub Findings - Imported", "source": "aws.securityhub",
                "account": "123456789012", "time": "2026-11-22T07:00:05Z", "region": "us-east-1",
                "resources": ["arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default/f-1"],
                "detail": { "findings": [{
                    "SchemaVersion": "2018-10-08", "Id": "countermand/123456789012/us-east-1/0123456789abcdef0123",
                    "ProductArn": format!("arn:aws:securityhub:us-east-1:123456789012:{product}"),
                    "GeneratorId": generator, "AwsAccountId": "123456789012",
                    "Types": ["UnauthorizedAccess:IAMUser/MaliciousIPCaller"],
                    "Resources": [{ "Type": "AwsIamAccessKey", "Id": "AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE" }]
                }] }
            });
            let event = cloudtrail::Event::decode(event).unwrap();
            for entry in crate::responders::ENTRIES {
                assert!((entry.incidents_of)(&event).unwrap().is_empty(), "{entry:?}");
            }
        }
    }

    #[test]
    fn a_chat_hears_the_first_of_a_crowd() {
        let first = written("1", State::Pending, 0).incident;
        let next = Incident { lease: None, ..first.clone() };
        assert!(is_loud(&first) && !is_loud(&next) && is_loud(&Incident { state: State::Undone, ..next }));
    }
}
