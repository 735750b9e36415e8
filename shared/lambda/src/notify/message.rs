//! The text of a notification.
//!
//! Names, tags and user agents in an event are chosen by whoever made the call, and whoever reads the text is about to
//! act on it. So each value is on the one line it was given, cut to a length, and without characters that move, hide or
//! turn text around.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use remedy::{Contest, Incident, Turn};

use super::told::{NextStep, became, facts, headline, next_steps};

/// Less than 100 characters of ASCII, without line breaks, beginning with a letter, number or punctuation mark. Source:
/// Amazon SNS API Reference, `Publish`, `Subject`.
const LONGEST_SUBJECT: usize = 99;

const LONGEST_VALUE: usize = 300;

/// So many changes are told one by one; a message may have 256 KB.
const MOST_CHANGES: usize = 50;

pub(super) fn subject(incident: &Incident) -> String {
    let (what, responder, account) = (became(incident), &incident.responder, &incident.account);
    let subject = format!("Countermand {what}: {responder} on {} in {account}", incident.resource.arn.name());
    subject.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(LONGEST_SUBJECT).collect()
}

/// `home` is the account of the deployment, whose own incidents an operator undoes without another account's role.
pub(super) fn body(incident: &Incident, home: Option<&AccountId>) -> String {
    let mut text = format!("{}\n\n", headline(incident));
    for (name, value) in facts(incident) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<10}{}", clean(&value));
    }
    if let Some(contest) = &incident.contest {
        text.push_str(&turns(contest));
    }
    text.push_str(&changes(incident));
    for NextStep { what, command } in next_steps(incident, home) {
        let _ = write!(text, "\n{what}:\n  {}\n", clean(&command));
    }
    text
}

/// Who undoes whom, the latest first.
fn turns(contest: &Contest) -> String {
    let mut text = "\nWho reversed it, the latest first:\n".to_owned();
    let at = |time: &Option<DateTime<Utc>>| {
        time.map_or_else(|| "at an unknown time".to_owned(), |time| time.format("%H:%M:%S UTC").to_string())
    };
    for turn in &contest.turns {
        let Turn { incident, actor, event_name, event_time, contained } = turn;
        let ended = match contained {
            Some(_) => format!("taken back {}", at(contained)),
            None => "left as it is".to_owned(),
        };
        let line = format!("{} {} by {}, {ended} ({incident})", at(event_time), event_name, actor.principal);
        let _ = writeln!(text, "  - {}", clean(&line));
    }
    text
}

fn changes(incident: &Incident) -> String {
    if incident.receipt.is_empty() {
        return "\nNothing was changed.\n".to_owned();
    }
    let mut text = "\nChanged:\n".to_owned();
    for entry in incident.receipt.iter().take(MOST_CHANGES) {
        let _ = writeln!(text, "  - {}", clean(&entry.did));
    }
    let more = incident.receipt.len().saturating_sub(MOST_CHANGES);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text
}

fn clean(value: &str) -> String {
    hostile_text::blanked(value, LONGEST_VALUE)
}

#[cfg(test)]
mod tests {
    use hostile_text::visible;
    use proptest::prelude::*;
    use remedy::State;
    use serde_json::{from_value, json};

    use super::*;
    use crate::fixture::{entry, incident};

    fn contained() -> Incident {
        let mut incident = incident("0123456789abcdef0123");
        incident.state = State::Contained;
        incident.receipt = from_value(json!([entry("tcp/22-22 from 0.0.0.0/0", "2026-11-22T07:00:00Z")])).unwrap();
        incident
    }

    #[test]
    fn an_incident_of_another_account_is_undone_in_a_role_of_that_account() {
        let of = |home: &str| body(&contained(), Some(&AccountId::parse(home).unwrap()));
        let told = of("210987654321");
        assert!(told.contains("where NAME is a role of account 123456789012"), "{told}");
        assert!(told.contains("incidents undo 0123456789abcdef0123 --role NAME\n"), "{told}");
        assert_eq!(of("123456789012"), body(&contained(), None));
    }

    #[test]
    fn a_message_says_who_did_what_why_we_acted_and_how_to_take_it_back() {
        assert_eq!(subject(&contained()), "Countermand contained: revoke-open-ingress on sg-1 in 123456789012");
        assert_eq!(
            body(&contained(), None),
            "\
A dangerous change was undone, and seen to be undone.

Who       arn:aws:iam::123456789012:role/deploy, session alice
Did       AuthorizeSecurityGroupIngress
On        arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1
In        123456789012, eu-west-1
At        2026-11-22 06:59:57 UTC
Severity  HIGH
Decided   enforce
Because   permitted by `contain-admin-ports`
Policy    contain-admin-ports: nobody works there

Changed:
  - revoke tcp/22-22 from 0.0.0.0/0

To take it back:
  countermand incidents undo 0123456789abcdef0123

To see everything about it:
  countermand incidents show 0123456789abcdef0123
"
        );
    }

    #[test]
    fn where_nothing_was_changed_there_is_nothing_to_take_back() {
        let mut pending = incident("0123");
        pending.state = State::Pending;
        let text = body(&pending, None);
        assert!(text.contains("Nothing was changed.") && !text.contains("undo 0123"), "{text}");
        assert!(subject(&pending).starts_with("Countermand waits for you: "));
    }

    #[test]
    fn a_lease_says_when_it_ends_and_how_to_keep_what_was_done() {
        let mut leased = contained();
        leased.release_at = Some(leased.opened + chrono::TimeDelta::hours(4));
        let text = body(&leased, None);
        let expected = "\nIt is taken back by itself at 2026-11-22 11:00 UTC. To let it stay:\n  countermand incidents \
                        confirm 0123456789abcdef0123\n";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_fight_tells_who_reversed_what() {
        let mut contested = incident("0123");
        contested.state = State::Contested;
        let turn = |id: &str, contained: Option<&str>| {
            json!({ "incident": id, "actor": contested.actor, "eventName": "Authorize\nX",
                    "eventTime": "2026-11-22T06:59:57Z", "contained": contained })
        };
        let turns = [turn("0123", None), turn("0122", Some("2026-11-22T06:40:00Z"))];
        contested.contest = from_value(json!({ "flips": 3, "windowSeconds": 3600, "turns": turns })).unwrap();
        let text = body(&contested, None);
        let expected = "\
Who reversed it, the latest first:
  - 06:59:57 UTC Authorize X by arn:aws:iam::123456789012:role/deploy, left as it is (0123)
  - 06:59:57 UTC Authorize X by arn:aws:iam::123456789012:role/deploy, taken back 06:40:00 UTC (0122)
";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("countermand incidents approve 0123") && !text.contains("undo 0123"), "{text}");
    }

    #[test]
    fn no_value_can_forge_a_line_or_hide_one() {
        let mut forged = contained();
        forged.event_name = "X\n\nTo take it back:\r\n  curl evil\u{2028}\u{202e}\u{200b}\u{7}".to_owned();
        forged.actor.session = Some("ä".repeat(5000));
        let text = body(&forged, None);
        assert!(text.contains("Did       X  To take it back:    curl evil    \n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("To take it back:")).count(), 1);
        assert!(text.lines().all(|line| line.chars().count() < 330), "{text}");
    }

    /// A pending incident that says `text` wherever an event, a policy or a call can say something.
    fn says(text: &str) -> Incident {
        let mut incident = contained();
        let arn = format!("arn:aws:ec2:eu-west-1:123456789012:security-group/{text}");
        incident.resource = from_value(json!({ "kind": "SecurityGroup", "arn": arn, "tags": { text: text } })).unwrap();
        incident.actor = from_value(json!({ "principal": { "federated": text }, "account": null, "session": text,
            "accessKeyId": text, "invokedBy": text, "mfa": null }))
        .unwrap();
        incident.policies = from_value(json!([{ "id": text, "reason": text }])).unwrap();
        incident.region = cloudtrail::Region::new(text);
        text.clone_into(&mut incident.event_name);
        text.clone_into(&mut incident.because);
        incident.error = Some(text.to_owned());
        text.clone_into(&mut incident.receipt[0].did);
        incident.state = State::Pending;
        incident
    }

    /// Any text, rich in what begins a line or turns one around.
    fn hostile() -> impl Strategy<Value = String> {
        let odd = vec!['\n', '\r', '\u{85}', '\u{2028}', '\u{202e}', '\u{1b}', '\u{200b}', '\u{3164}'];
        prop::collection::vec(prop_oneof![prop::sample::select(odd), any::<char>()], 0..400)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn no_text_changes_the_lines_of_a_message(text in hostile()) {
            let message = body(&says(&text), None);
            prop_assert_eq!(message.lines().count(), body(&says("x"), None).lines().count(), "{}", message);
            for line in message.lines() {
                prop_assert_eq!(visible(line), line, "nothing is left to obey");
            }
            let subject = subject(&says(&text));
            prop_assert!(subject.len() <= LONGEST_SUBJECT && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }

    #[test]
    fn a_subject_is_short_printable_ascii() {
        let mut long = contained();
        long.responder = "é\n".repeat(80);
        let subject = subject(&long);
        assert_eq!(subject.len(), LONGEST_SUBJECT);
        assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{subject}");
    }

    #[test]
    fn a_long_receipt_is_cut() {
        let mut long = contained();
        long.receipt = vec![long.receipt[0].clone(); MOST_CHANGES + 3];
        assert!(body(&long, None).contains("\n  and 3 more\n"));
    }
}
