//! A fake AWS, and what is shown with it.

mod fake;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use cloudtrail::{AccountId, Event, EventError, EventId};
use policy::Severity;
use remedy::{Certainty, Change, Incident, Memory, Plan, Remedy, Responder, Situation, State, Status};
use serde_json::{Value, json};
use testkit::{Bench, check_laws, now};

use self::fake::{Aws, grantees};
use crate::{Exposed, Grantee, How, SharingChange, UnshareSnapshot};

const FOREIGN: &str = "210987654321";
const OLD: &str = "999988887777";

fn events(folder: &str) -> Vec<(String, Event)> {
    testkit::events(env!("CARGO_MANIFEST_DIR"), folder, "")
}

fn event(name: &str) -> Event {
    events("match").into_iter().find(|(found, _)| found == name).unwrap().1
}

fn subject(event: &Event) -> Exposed {
    UnshareSnapshot::<Aws>::detect(event).unwrap().remove(0).subject
}

fn added(subject: &Exposed) -> BTreeSet<Grantee> {
    match &subject.how {
        How::Shared(with) => with.clone(),
        How::Taken { .. } => BTreeSet::new(),
    }
}

/// The account after the call: what it added, beside an account with which the snapshot was shared long before.
fn after(event: &Event) -> (Aws, UnshareSnapshot<Aws>) {
    let subject = subject(event);
    let with = added(&subject).into_iter().chain(grantees(&[OLD])).collect();
    let aws = Aws::of(&subject.snapshot, with);
    (aws.clone(), UnshareSnapshot(aws))
}

fn deliver(bench: &Bench, aws: &Aws, event: &Event) -> Status {
    let responded = bench.deliver(&UnshareSnapshot(aws.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

fn only(bench: &Bench) -> Incident {
    let mut incidents = bench.ledger.incidents();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

fn is_a_sharing((_, event): &(String, Event)) -> bool {
    matches!(subject(event).how, How::Shared(_))
}

#[test]
fn keeps_the_laws() {
    let sharings: Vec<Event> = events("match").into_iter().filter(is_a_sharing).map(|(_, event)| event).collect();
    assert_eq!(sharings.len(), 6);
    check_laws(after, &sharings);
}

#[test]
fn what_matches_is_a_finding() {
    let everybody = ["volume-with-everybody", "volume-with-some-and-ourselves", "database-with-everybody"];
    for (name, event) in events("match") {
        let findings = UnshareSnapshot::<Aws>::detect(&event).unwrap();
        assert_eq!(findings.len(), 1, "{name}");
        let taken = !is_a_sharing(&(name.clone(), event));
        let critical = taken || everybody.contains(&name.as_str());
        assert_eq!(findings[0].severity, if critical { Severity::CRITICAL } else { Severity::HIGH }, "{name}");
        let live = name == "copied-by-nobody-named";
        assert_eq!(findings[0].certainty, if live { Certainty::Live } else { Certainty::Event }, "{name}");
    }
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore") {
        assert_eq!(UnshareSnapshot::<Aws>::detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn snapshots_are_named_as_aws_names_them() {
    for (name, arn) in [
        ("volume-with-an-account", "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f67890"),
        ("database-with-everybody", "arn:aws:rds:eu-west-1:123456789012:snapshot:orders-before-migration"),
        ("cluster-with-accounts", "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:ledger-2026-11-20"),
    ] {
        assert_eq!(UnshareSnapshot::<Aws>::detect(&event(name)).unwrap()[0].resource.arn.as_str(), arn);
    }
}

#[test]
fn only_what_the_call_added_is_taken_away() {
    let (one, two) = ("210987654321", "210987654321, 444455556666");
    for (name, calls) in [
        ("volume-with-some-and-ourselves", &["all", two][..]),
        ("database-with-an-account", &[one]),
        ("cluster-with-accounts", &[two]),
    ] {
        let event = event(name);
        let (aws, _) = after(&event);
        let bench = Bench::enforcing();
        assert_eq!(deliver(&bench, &aws, &event), Status::Contained, "{name}");
        assert_eq!(aws.with(), grantees(&[OLD]), "{name}");
        let incident = only(&bench);
        let did: Vec<&str> = incident.receipt.iter().map(|entry| entry.did.as_str()).collect();
        let snapshot = subject(&event).snapshot;
        let expected: Vec<_> = calls.iter().map(|with| format!("no longer share {snapshot} with {with}")).collect();
        assert_eq!(did, expected, "{name}");
        assert_eq!(incident.resource.tags.unwrap()["team"], "payments");
    }
}

#[test]
fn what_was_not_added_or_is_gone_is_left_alone() {
    let event = event("volume-with-some-and-ourselves");
    let (aws, _) = after(&event);
    aws.shared.borrow_mut().as_mut().unwrap().with = grantees(&["555566667777", "123456789012"]);
    assert_eq!(deliver(&Bench::enforcing(), &aws, &event), Status::AlreadySafe);
    assert_eq!(aws.with(), grantees(&["555566667777", "123456789012"]));

    aws.shared.replace(None);
    assert_eq!(deliver(&Bench::enforcing(), &aws, &event), Status::AlreadySafe);
    assert_eq!(aws.journal.writes(), 0);
}

#[test]
fn half_of_it_taken_back_by_a_person_leaves_the_other_half() {
    let event = event("cluster-with-accounts");
    let (aws, _) = after(&event);
    aws.shared.borrow_mut().as_mut().unwrap().with.remove(&Grantee::parse(FOREIGN).unwrap());
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &aws, &event), Status::Contained);
    bench.undo(&UnshareSnapshot(aws.clone()), only(&bench)).unwrap();
    assert_eq!(aws.with(), grantees(&[OLD, "444455556666"]), "undo shares with no more than it took away");
}

fn situation(trusted: &[&str]) -> Situation {
    Situation {
        now: now(),
        event_time: None,
        memory: Memory::default(),
        trusted: policy::Trusted {
            organization: None,
            accounts: Arc::new(trusted.iter().map(|id| AccountId::parse(id).unwrap()).collect()),
        },
    }
}

fn planned(name: &str, situation: &Situation) -> Plan<SharingChange> {
    let finding = UnshareSnapshot::<Aws>::detect(&event(name)).unwrap().remove(0);
    UnshareSnapshot::<Aws>::plan(&finding, &UnshareSnapshot::<Aws>::presume(&finding), situation)
}

#[test]
fn a_trusted_account_is_spared_and_everybody_never_is() {
    let remedy = planned("volume-with-an-account", &situation(&[FOREIGN])).remedy;
    assert_eq!(remedy, Remedy::AlreadySafe);
    for name in ["copied-by-another-account", "volume-made-by-another-account"] {
        assert_eq!(planned(name, &situation(&[FOREIGN])).remedy, Remedy::AlreadySafe, "{name}");
        assert!(matches!(planned(name, &situation(&[OLD])).remedy, Remedy::Uncontainable { .. }), "{name}");
    }
    let plan = planned("volume-with-some-and-ourselves", &situation(&[FOREIGN]));
    let Remedy::Changes(changes) = plan.remedy else { panic!("{plan:?}") };
    let with: Vec<_> = changes.iter().map(SharingChange::with).collect();
    assert_eq!(with, [&grantees(&["all"]), &grantees(&["444455556666"])]);
    assert_eq!(plan.facts.get("accounts"), Some(&BTreeSet::from(["444455556666".to_owned()]).into()));
    assert_eq!(plan.facts.get("everybody"), Some(&true.into()));
}

#[test]
fn a_copy_made_abroad_needs_a_person_even_if_the_snapshot_is_gone() {
    for (name, words) in [
        ("copied-by-another-account", "Account 210987654321 has copied snap-0a1b2c3d4e5f67890"),
        ("volume-made-by-another-account", "Account 210987654321 has made a volume of snap-0a1b2c3d4e5f67890"),
        ("copied-by-nobody-named", "An account that CloudTrail does not name has copied"),
    ] {
        let event = event(name);
        for gone in [false, true] {
            let (aws, _) = after(&event);
            if gone {
                aws.shared.replace(None);
            }
            let bench = Bench::enforcing();
            assert_eq!(deliver(&bench, &aws, &event), Status::Uncontainable, "{name}");
            assert!(only(&bench).because.starts_with(words), "{}", only(&bench).because);
            assert_eq!((aws.journal.writes(), bench.told().len()), (0, 1));
        }
    }
}

#[test]
fn vouching_for_one_account_is_not_vouching_for_the_next() {
    let event = event("cluster-with-accounts");
    let (aws, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &aws, &event), Status::Contained);
    bench.undo(&UnshareSnapshot(aws.clone()), only(&bench)).unwrap();

    // Shared again with one of the two and with a third, in one call.
    aws.share_by_hand("333344445555");
    let Exposed { snapshot, .. } = subject(&event);
    let mut next = event.clone();
    next.id = EventId::new("next");
    let mut record = serde_json::from_str::<Value>(include_str!("../events/match/cluster-with-accounts.json")).unwrap();
    record["detail"]["eventID"] = "next".into();
    record["detail"]["requestParameters"]["valuesToAdd"] = json!([FOREIGN, "333344445555"]);
    let next = Event::decode(record).unwrap();
    assert_eq!(subject(&next).snapshot, snapshot);
    assert_eq!(deliver(&bench, &aws, &next), Status::Contained);
    assert_eq!(aws.with(), grantees(&[OLD, FOREIGN, "444455556666"]));

    bench.wait(TimeDelta::days(15));
    let later = Event { id: EventId::new("later"), ..next };
    assert_eq!(deliver(&bench, &aws, &later), Status::Contained, "nobody vouches for ever");
    assert_eq!(aws.with(), grantees(&[OLD, "444455556666"]));
}

#[test]
fn undo_stops_where_it_was_shared_again_by_hand() {
    let event = event("cluster-with-accounts");
    let (aws, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &aws, &event), Status::Contained);
    aws.share_by_hand(FOREIGN);
    bench.undo(&UnshareSnapshot(aws.clone()), only(&bench)).unwrap_err();
    assert_eq!(aws.with(), grantees(&[OLD, FOREIGN]));
}

#[test]
fn five_hundred_accounts_at_once_are_all_taken_away_and_fit_the_ledger() {
    let mut record = serde_json::from_str::<Value>(include_str!("../events/match/volume-with-everybody.json")).unwrap();
    let items: Vec<Value> = (0..500).map(|n| json!({"userId": format!("{:012}", 600_000_000_000_u64 + n)})).collect();
    record["detail"]["requestParameters"]["createVolumePermission"]["add"]["items"] = items.into();
    let event = Event::decode(record).unwrap();
    let (aws, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &aws, &event), Status::Contained);
    assert_eq!(aws.with(), grantees(&[OLD]));
    let incident = only(&bench);
    assert!(incident.receipt.len() < 40, "{}", incident.receipt.len());
    for entry in &incident.receipt {
        assert!(entry.key.as_str().len() < 250, "the ledger names an attribute so: {:?}", entry.key);
    }
    // Amazon DynamoDB Developer Guide, "Constraints": a record has 400 KB at most.
    assert!(serde_json::to_vec(&incident).unwrap().len() < 150_000);
    bench.undo(&UnshareSnapshot(aws.clone()), incident).unwrap();
    assert_eq!(aws.with().len(), 501);
}

#[test]
fn a_failed_undo_says_so_when_the_snapshot_is_gone() {
    let event = event("volume-with-an-account");
    let (aws, _) = after(&event);
    let bench = Bench::enforcing();
    assert_eq!(deliver(&bench, &aws, &event), Status::Contained);
    aws.shared.replace(None);
    let change = SharingChange::Share(subject(&event).snapshot, grantees(&[FOREIGN]));
    assert!(!UnshareSnapshot::<Aws>::holds(&change, &None));
    assert!(UnshareSnapshot::<Aws>::holds(&change.inverse(), &None));
    assert_eq!(only(&bench).state, State::Contained);
}

#[test]
fn a_record_without_the_snapshot_is_refused_loudly() {
    let record = |source: &str, name: &str, request: Value| {
        let record = json!({"eventSource": source, "eventName": name, "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "requestParameters": request});
        UnshareSnapshot::<Aws>::detect(&Event::decode(record).unwrap())
    };
    let (ec2, rds) = ("ec2.amazonaws.com", "rds.amazonaws.com");
    let add = json!({"add": {"items": [{"group": "all"}]}});
    for (source, name, request) in [
        (ec2, "ModifySnapshotAttribute", json!({"omitted": true})),
        (ec2, "ModifySnapshotAttribute", json!({"createVolumePermission": add})),
        (ec2, "SharedSnapshotCopyInitiated", json!(null)),
        (rds, "ModifyDBSnapshotAttribute", json!({"attributeName": "restore", "valuesToAdd": ["all"]})),
        (rds, "ModifyDBClusterSnapshotAttribute", json!({"omitted": true})),
    ] {
        let error = record(source, name, request).unwrap_err();
        assert!(matches!(error, EventError::NoResource { .. }), "{name}: {error}");
    }
    let no_account = json!({"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"userId": "bob"}]}}});
    let error = record(ec2, "ModifySnapshotAttribute", no_account).unwrap_err();
    assert!(matches!(error, EventError::Shape { .. }), "{error}");
}

#[test]
fn records_that_aws_wrote_are_read() {
    let Ok(files) = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail").read_dir() else {
        return;
    };
    let mut found = BTreeMap::<String, usize>::new();
    for file in files {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Ok(event) = Event::from_slice(line.as_bytes()) else { continue };
            let findings = UnshareSnapshot::<Aws>::detect(&event).unwrap();
            for finding in findings {
                *found.entry(format!("{} {:?}", event.call().unwrap().name, finding.severity)).or_default() += 1;
            }
        }
    }
    let found: Vec<(&str, usize)> = found.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    let expected = [
        ("ModifyDBSnapshotAttribute Severity(70)", 1),
        ("ModifySnapshotAttribute Severity(70)", 3),
        ("ModifySnapshotAttribute Severity(90)", 1),
        ("SharedSnapshotCopyInitiated Severity(90)", 1),
    ];
    assert_eq!(found, expected);
}
