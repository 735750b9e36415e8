//! What is done about it.

use cloudtrail::{Event, EventId};
use remedy::{Incident, MemoryKey, Responder, Status};
use serde_json::json;
use testkit::{Bench, World, block_on, check_laws};

use super::fake::{EVERYTHING, FILES, Group, Iam, Role, User, aws, own};
use super::{event, events};
use crate::{Baseline, DetachAdminPolicy};

fn deliver(bench: &Bench, iam: &Iam, event: &Event) -> Status {
    let responded = bench.deliver(&DetachAdminPolicy(iam.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

/// The same thing, told once more.
fn again(event: &Event, id: &str) -> Event {
    Event { id: EventId::new(id), ..event.clone() }
}

fn only(bench: &Bench) -> Incident {
    let mut incidents = bench.ledger.incidents();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

#[test]
fn keeps_the_laws() {
    let for_a_person = ["administrator-of-identity-center", "inline-with-mfa"];
    let mut containable = events("match", "");
    containable.retain(|(name, _)| !for_a_person.contains(&name.as_str()));
    let containable: Vec<Event> = containable.into_iter().map(|(_, event)| event).collect();
    let captured = |event: &Event| again(event, &format!("captured {}", event.id));
    let twice: Vec<Event> = containable.iter().cloned().chain(containable.iter().map(captured)).collect();
    check_laws(
        |event| {
            let iam = if event.id.as_str().starts_with("captured") { Iam::captured() } else { Iam::new() };
            (iam.clone(), DetachAdminPolicy(iam))
        },
        &twice,
    );
}

#[test]
fn only_what_was_given_is_taken_away() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("administrator-attached-to-user")), Status::Contained);
    let expected = Iam::new();
    expected.change(User, "alice", |alice| alice.attached = [aws("ReadOnlyAccess")].into());
    assert_eq!(iam.state(), expected.state(), "other policies, and the same policy on others, stay");
    let resource = only(&bench).resource;
    assert_eq!(resource.arn.as_str(), "arn:aws:iam::123456789012:user/people/alice");
    assert_eq!(resource.tags.unwrap()["team"], "payments");
}

#[test]
fn the_whole_text_of_a_deleted_policy_is_kept_and_put_back_byte_for_byte() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let text =
        "{\n\t\"Statement\" : [ { \"Effect\":\"Allow\",\r\n \"Action\":\"*\", \"Resource\" : \"*\" } ]\n}\n".to_owned();
    iam.change(User, "alice", |alice| {
        alice.inline.insert("notes".to_owned(), text.clone());
    });
    assert_eq!(deliver(&bench, &iam, &event("inline-of-user")), Status::Contained);
    assert!(!iam.holder(User, "alice").inline.contains_key("notes"));
    assert_eq!(only(&bench).receipt[0].change["takeAway"]["inline"]["document"], json!(text));
    bench.undo(&DetachAdminPolicy(iam.clone()), only(&bench)).unwrap();
    assert_eq!(iam.holder(User, "alice").inline["notes"], text);
}

#[test]
fn the_captured_text_is_put_back() {
    let (iam, bench) = (Iam::captured(), Bench::enforcing());
    for (resource, state) in iam.baselines() {
        bench.ledger.store_baseline(&MemoryKey::of("detach-admin-policy", &resource), state);
    }
    let before = iam.state();
    assert_eq!(deliver(&bench, &iam, &event("inline-of-role")), Status::Contained);
    assert_eq!(iam.holder(Role, "worker").inline["deploy"], FILES);
    bench.undo(&DetachAdminPolicy(iam.clone()), only(&bench)).unwrap();
    assert_eq!(iam.state(), before);
}

#[test]
fn other_text_under_a_name_that_an_undo_gave_back_is_another_grant() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let put = event("inline-of-user");
    assert_eq!(deliver(&bench, &iam, &put), Status::Contained);
    bench.undo(&DetachAdminPolicy(iam.clone()), only(&bench)).unwrap();
    assert_eq!(deliver(&bench, &iam, &again(&put, "the undo's")), Status::Exempt);
    iam.change(User, "alice", |alice| {
        alice.inline.insert("notes".to_owned(), EVERYTHING.to_owned());
    });
    assert_eq!(deliver(&bench, &iam, &again(&put, "another")), Status::Contained);
}

#[test]
fn an_undo_refuses_what_was_changed_since() {
    for name in ["inline-of-user", "version-made-default"] {
        let (iam, bench) = (Iam::new(), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &event(name)), Status::Contained, "{name}");
        iam.change(User, "alice", |alice| {
            alice.inline.insert("notes".to_owned(), FILES.to_owned());
        });
        iam.set_versions("team/build", "v4", &[("v2", FILES), ("v3", EVERYTHING), ("v4", FILES)]);
        let before = iam.state();
        bench.undo(&DetachAdminPolicy(iam.clone()), only(&bench)).unwrap_err();
        assert_eq!(iam.state(), before, "{name}");
    }
}

#[test]
fn what_is_given_back_to_somebody_who_is_gone_is_an_error() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("inline-of-role")), Status::Contained);
    iam.account.borrow_mut().holders.remove(&(Role, "worker".to_owned()));
    bench.undo(&DetachAdminPolicy(iam.clone()), only(&bench)).unwrap_err();
}

#[test]
fn what_a_person_must_do_is_said_and_nothing_is_written() {
    for name in ["administrator-of-identity-center", "inline-with-mfa"] {
        let (iam, bench) = (Iam::new(), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &event(name)), Status::Uncontainable, "{name}");
        assert_eq!((iam.journal().writes(), bench.told().len()), (0, 1), "{name}");
    }
}

#[test]
fn a_policy_that_aws_put_there_to_deny_is_harmless() {
    let iam = Iam::new();
    let quarantine = aws("AWSCompromisedKeyQuarantineV3");
    iam.change(User, "alice", |alice| {
        alice.attached.insert(quarantine.clone());
    });
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#.to_owned();
    let managed = super::fake::Managed { default: "v1".to_owned(), versions: [("v1".to_owned(), deny)].into() };
    iam.account.borrow_mut().policies.insert(quarantine, managed);
    let mut text =
        serde_json::to_value(include_str!("../../events/match/administrator-attached-to-user.json")).unwrap();
    text = json!(text.as_str().unwrap().replace("AdministratorAccess", "AWSCompromisedKeyQuarantineV3"));
    assert_eq!(deliver(&Bench::enforcing(), &iam, &testkit::event(text.as_str().unwrap())), Status::AlreadySafe);
}

#[test]
fn a_baseline_holds_every_inline_policy_as_it_is() {
    let iam = Iam::new();
    let captured = block_on(DetachAdminPolicy(iam.clone()).capture()).unwrap();
    let of = |name: &str| {
        let (resource, value) = captured.iter().find(|(resource, _)| resource.arn.name() == name).unwrap();
        (resource.kind.as_str().to_owned(), serde_json::from_value::<Baseline>(value.clone()).unwrap().inline)
    };
    assert_eq!(of("alice"), ("User".to_owned(), iam.holder(User, "alice").inline));
    assert_eq!(of("worker"), ("Role".to_owned(), iam.holder(Role, "worker").inline));
    assert_eq!(of("developers"), ("Group".to_owned(), iam.holder(Group, "developers").inline));
    assert_eq!(captured.len(), 4, "who has none is left out");
    assert!(captured.iter().all(|(resource, _)| *resource.arn.as_str() != *own("x").as_str()));
}
