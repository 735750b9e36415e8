//! A fake Amazon EC2, and what is shown with it.

mod fake;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cloudtrail::{AccountId, Event, EventError, EventId};
use policy::{Severity, Trusted};
use remedy::{Certainty, Change, Incident, Memory, Plan, Remedy, Responder, Situation, Status};
use serde_json::{Value, json};
use testkit::{Bench, check_laws, now};

use self::fake::{Ec2, grantees};
use crate::{Exposed, Grantee, SharingChange, UnshareImage};

const FOREIGN: &str = "210987654321";
const OLD: &str = "999988887777";
const ORGANIZATION: &str = "arn:aws:organizations::210987654321:organization/o-exampleorgid";
const UNIT: &str = "arn:aws:organizations::210987654321:ou/o-exampleorgid/ou-exam-11aa22bb";

fn events(folder: &str) -> Vec<(String, Event)> {
    testkit::events(env!("CARGO_MANIFEST_DIR"), folder, "")
}

fn event(name: &str) -> Event {
    events("match").into_iter().find(|(found, _)| found == name).unwrap().1
}

fn subject(event: &Event) -> Exposed {
    UnshareImage::<Ec2>::detect(event).unwrap().remove(0).subject
}

/// The AMI after the call: what it added, beside an account with which the AMI was shared long before.
fn after(event: &Event) -> (Ec2, UnshareImage<Ec2>) {
    let Exposed { image, with } = subject(event);
    let ec2 = Ec2::of(&image, with.into_iter().chain(grantees(&[OLD])).collect());
    (ec2.clone(), UnshareImage(ec2))
}

fn deliver(bench: &Bench, ec2: &Ec2, event: &Event) -> Status {
    let responded = bench.deliver(&UnshareImage(ec2.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

fn only(bench: &Bench) -> Incident {
    let mut incidents = bench.ledger.incidents();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

#[test]
fn keeps_the_laws() {
    let events: Vec<Event> = events("match").into_iter().map(|(_, event)| event).collect();
    check_laws(after, &events);
}

#[test]
fn what_matches_is_a_finding_and_worse_if_everybody_may_launch_it() {
    for (name, event) in events("match") {
        let findings = UnshareImage::<Ec2>::detect(&event).unwrap();
        assert_eq!(findings.len(), 1, "{name}");
        let everybody = ["with-everybody", "with-some-and-ourselves"].contains(&name.as_str());
        let severity = if everybody { Severity::CRITICAL } else { Severity::HIGH };
        assert_eq!((findings[0].severity, findings[0].certainty), (severity, Certainty::Event), "{name}");
        assert_eq!(findings[0].resource.arn.as_str(), "arn:aws:ec2:eu-west-1::image/ami-0a1b2c3d4e5f67890");
    }
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore") {
        assert_eq!(UnshareImage::<Ec2>::detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn only_what_the_call_added_is_taken_away() {
    for (name, did) in [
        ("with-an-account", format!("no longer share ami-0a1b2c3d4e5f67890 with {FOREIGN}")),
        ("with-everybody", "no longer share ami-0a1b2c3d4e5f67890 with all".to_owned()),
        ("with-an-organizational-unit", format!("no longer share ami-0a1b2c3d4e5f67890 with {UNIT}")),
        (
            "with-some-and-ourselves",
            format!("no longer share ami-0a1b2c3d4e5f67890 with all, {FOREIGN}, {ORGANIZATION}, {UNIT}"),
        ),
    ] {
        let event = event(name);
        let (ec2, _) = after(&event);
        let bench = Bench::enforcing();
        assert_eq!(deliver(&bench, &ec2, &event), Status::Contained, "{name}");
        assert_eq!(ec2.with(), grantees(&[OLD]), "{name}");
        let incident = only(&bench);
        let done: Vec<&str> = incident.receipt.iter().map(|entry| entry.did.as_str()).collect();
        assert_eq!(done, [did], "{name}");
        assert_eq!(incident.resource.tags.as_ref().unwrap()["team"], "payments");
        bench.undo(&UnshareImage(ec2.clone()), incident).unwrap();
        assert_eq!(ec2.with(), subject(&event).with.into_iter().chain(grantees(&[OLD])).collect(), "{name}");
    }
}

#[test]
fn what_was_not_added_or_is_gone_is_left_alone() {
    let event = event("with-an-account");
    let (ec2, _) = after(&event);
    ec2.set_by_hand(&["all", ORGANIZATION, "123456789012"]);
    assert_eq!(deliver(&Bench::enforcing(), &ec2, &event), Status::AlreadySafe);
    ec2.shared.replace(None);
    assert_eq!(deliver(&Bench::enforcing(), &ec2, &event), Status::AlreadySafe);
    assert_eq!(ec2.journal.writes(), 0);
    let change = SharingChange::Unshare(subject(&event).image, grantees(&[FOREIGN]));
    assert!(UnshareImage::<Ec2>::holds(&change, &None));
    assert!(!UnshareImage::<Ec2>::holds(&change.inverse(), &None));
}

#[test]
fn half_of_it_taken_back_by_a_person_leaves_the_other_half() {
    let event = event("with-some-and-ourselves");
    let (ec2, _) = after(&event);
    ec2.set_by_hand(&["all", OLD]);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &ec2, &event), Status::Contained);
    assert_eq!(ec2.with(), grantees(&[OLD]));
    bench.undo(&UnshareImage(ec2.clone()), only(&bench)).unwrap();
    assert_eq!(ec2.with(), grantees(&["all", OLD]), "undo shares with no more than it took away");
}

fn planned(name: &str, organization: Option<&str>, accounts: &[&str]) -> Plan<SharingChange> {
    let finding = UnshareImage::<Ec2>::detect(&event(name)).unwrap().remove(0);
    let trusted = Trusted {
        organization: organization.map(str::to_owned),
        accounts: Arc::new(accounts.iter().map(|id| AccountId::parse(id).unwrap()).collect()),
    };
    let situation = Situation { now: now(), event_time: None, memory: Memory::default(), trusted };
    UnshareImage::<Ec2>::plan(&finding, &UnshareImage::<Ec2>::presume(&finding), &situation)
}

#[test]
fn the_configured_organization_and_the_trusted_accounts_are_spared() {
    let ours = Some("o-exampleorgid");
    assert_eq!(planned("with-an-organization", ours, &[]).remedy, Remedy::AlreadySafe);
    assert_eq!(planned("with-an-organizational-unit", ours, &[]).remedy, Remedy::AlreadySafe);
    assert_eq!(planned("with-an-account", None, &[FOREIGN]).remedy, Remedy::AlreadySafe);
    for (name, organization, accounts) in [
        // That the account manages the organization says nothing of the organization.
        ("with-an-organization", None, &[FOREIGN][..]),
        ("with-an-organization", Some("o-another0id"), &[]),
        ("with-an-organizational-unit", Some("o-exampleorgi"), &[]),
        ("with-an-account", ours, &[]),
        ("with-everybody", ours, &[FOREIGN]),
    ] {
        let remedy = planned(name, organization, accounts).remedy;
        assert!(matches!(remedy, Remedy::Changes(_)), "{name} {organization:?} {accounts:?}: {remedy:?}");
    }
    let plan = planned("with-some-and-ourselves", ours, &[FOREIGN]);
    let Remedy::Changes(changes) = plan.remedy else { panic!("{plan:?}") };
    assert_eq!((changes.len(), changes[0].with()), (1, &grantees(&["all"])));
    assert_eq!(plan.facts.get("accounts"), Some(&BTreeSet::<String>::new().into()));
    assert_eq!(plan.facts.get("organizations"), Some(&BTreeSet::<String>::new().into()));
    let facts = planned("with-some-and-ourselves", None, &[]).facts;
    let organizations = BTreeSet::from([ORGANIZATION.to_owned(), UNIT.to_owned()]);
    assert_eq!(facts.get("organizations"), Some(&organizations.into()));
}

#[test]
fn vouching_for_one_is_not_vouching_for_the_next() {
    let event = event("with-an-account");
    let (ec2, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &ec2, &event), Status::Contained);
    bench.undo(&UnshareImage(ec2.clone()), only(&bench)).unwrap();
    let more = Event { id: EventId::new("more"), ..self::event("with-some-and-ourselves") };
    ec2.set_by_hand(&[OLD, FOREIGN, "all", UNIT]);
    assert_eq!(deliver(&bench, &ec2, &more), Status::Contained);
    assert_eq!(ec2.with(), grantees(&[OLD, FOREIGN]));
}

#[test]
fn a_thousand_at_once_are_all_taken_away_and_fit_the_ledger() {
    let mut record = serde_json::from_str::<Value>(include_str!("../events/match/with-everybody.json")).unwrap();
    let account = |n: u64| json!({"userId": format!("{:012}", 600_000_000_000 + n)});
    let unit = |n: u64| json!({"organizationalUnitArn": format!("{UNIT}{n:03}")});
    let items: Vec<Value> = (0..900).map(account).chain((0..100).map(unit)).collect();
    record["detail"]["requestParameters"]["launchPermission"]["add"]["items"] = items.into();
    let event = Event::decode(record).unwrap();
    let (ec2, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &ec2, &event), Status::Contained);
    assert_eq!(ec2.with(), grantees(&[OLD]));
    let incident = only(&bench);
    for entry in &incident.receipt {
        assert!(entry.key.as_str().len() < 250, "the ledger names an attribute so: {:?}", entry.key);
    }
    // Amazon DynamoDB Developer Guide, "Constraints": a record has 400 KB at most.
    let size = serde_json::to_vec(&incident).unwrap().len();
    assert!(size < 300_000, "{size}");
    bench.undo(&UnshareImage(ec2.clone()), incident).unwrap();
    assert_eq!(ec2.with().len(), 1_001);
}

#[test]
fn a_record_without_the_image_is_refused_loudly() {
    let detect = |request: Value| {
        let record = json!({"eventSource": "ec2.amazonaws.com", "eventName": "ModifyImageAttribute",
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "requestParameters": request});
        UnshareImage::<Ec2>::detect(&Event::decode(record).unwrap())
    };
    for request in
        [json!({"omitted": true}), json!(null), json!({"launchPermission": {"add": {"items": [{"group": "all"}]}}})]
    {
        let error = detect(request).unwrap_err();
        assert!(matches!(error, EventError::NoResource { .. }), "{error}");
    }
    let error = detect(json!({"imageId": "ami-1", "launchPermission": {"add": {"items": [{"userId": "bob"}]}}}));
    assert!(matches!(error, Err(EventError::Shape { .. })), "{error:?}");
}

#[test]
fn records_that_aws_wrote_are_read() {
    let Ok(files) = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail").read_dir() else {
        return;
    };
    let (mut everybody, mut accounts, mut refused) = (0, 0, 0);
    for file in files {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Ok(event) = Event::from_slice(line.as_bytes()) else { continue };
            match UnshareImage::<Ec2>::detect(&event) {
                Ok(findings) => {
                    let is_everybody = |exposed: &Exposed| exposed.with.contains(&Grantee::Everybody);
                    everybody += findings.iter().filter(|it| is_everybody(&it.subject)).count();
                    accounts += findings.iter().filter(|it| !is_everybody(&it.subject)).count();
                }
                // Written by hand: the account id is `bob`.
                Err(_) => refused += 1,
            }
        }
    }
    assert_eq!((everybody, accounts, refused), (1, 3, 1));
}
