//! What is done, with a fake account and ledger.

use cloudtrail::{Event, EventId};
use remedy::{Certainty, Incident, Responder, State, Status};
use serde_json::{Value, json};
use testkit::{Bench, World, check_laws};

use super::fake::{S3, Scene};
use super::{event, events};
use crate::BlockBucketExposure;
use crate::bucket::{Block, Grant};

fn setting(event: &Event) -> (S3, BlockBucketExposure<S3>) {
    let s3 = S3::after(event);
    (s3.clone(), BlockBucketExposure(s3))
}

fn deliver(s3: &S3, event: &Event) -> (Status, Incident) {
    deliver_on(&Bench::enforcing(), s3, event)
}

fn deliver_on(bench: &Bench, s3: &S3, event: &Event) -> (Status, Incident) {
    let responded = bench.deliver(&BlockBucketExposure(s3.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    let outcome = &responded.outcomes[0];
    let incident = bench.ledger.incidents().into_iter().find(|incident| incident.id == outcome.incident);
    (outcome.status, incident.unwrap())
}

fn again(name: &str, id: &str) -> Event {
    Event { id: EventId::new(id), ..event(name) }
}

fn change(s3: &S3, how: impl FnOnce(&mut Scene)) {
    how(&mut s3.account.borrow_mut());
}

/// A statement of the bucket's policy.
fn statement(sid: &str, principal: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::invoices-2026/*"})
}

fn set(s3: &S3, statements: &[Value]) {
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    change(s3, |account| account.policy = Some(policy));
}

fn foreign() -> Value {
    json!({"AWS": "arn:aws:iam::999999999999:root"})
}

#[test]
fn keeps_the_laws() {
    let sure = |(_, event): (String, Event)| {
        let found = BlockBucketExposure::<S3>::detect(&event).unwrap();
        (found[0].certainty == Certainty::Event).then_some(event)
    };
    let events: Vec<Event> = events("match", "").into_iter().filter_map(sure).collect();
    assert!(events.len() >= 12, "{}", events.len());
    check_laws(setting, &events);
}

#[test]
fn only_the_statements_that_offend_go_and_all_else_stays_byte_for_byte() {
    let seen = event("policy-for-everybody");
    let s3 = S3::after(&seen);
    let text = |public: &str| {
        format!(
            "{{\n  \"Id\" : \"x\",\"Statement\": [ {{\"Effect\":\"Deny\",  \"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::invoices-2026\",\"Condition\":{{\"Bool\":{{\"aws:SecureTransport\":\"false\"}}}}}}{public} ],\t\"Version\":\"2012-10-17\" }}"
        )
    };
    let open = statement("open", &json!("*"));
    let theirs = statement("theirs", &foreign());
    change(&s3, |account| account.policy = Some(text(&format!(" , {open},\n{theirs}"))));
    let before = s3.state();
    let bench = Bench::enforcing();
    let (status, incident) = deliver_on(&bench, &s3, &seen);
    assert_eq!((status, s3.state().policy), (Status::Contained, Some(text(""))));
    assert_eq!(incident.receipt[0].did, "remove statements open, theirs from the policy of bucket invoices-2026");
    assert_eq!(
        (&incident.facts["statementIds"], &incident.facts["outsiders"], &incident.facts["public"]),
        (&json!(["open", "theirs"]), &json!(["999999999999"]), &json!(true))
    );
    bench.undo(&BlockBucketExposure(s3.clone()), incident).unwrap();
    assert_eq!(s3.state(), before);
}

#[test]
fn a_policy_without_statements_is_deleted() {
    let seen = event("policy-of-one-statement");
    let s3 = S3::after(&seen);
    let (status, incident) = deliver(&s3, &seen);
    assert_eq!((status, s3.state().policy), (Status::Contained, None));
    assert_eq!(
        incident.receipt[0].did,
        "remove statement PublicRead from the policy of bucket invoices-2026, and with that the policy"
    );
}

#[test]
fn what_is_harmless_by_now_or_gone_is_safe() {
    let seen = event("policy-for-everybody");
    let harmless = S3::after(&seen);
    set(&harmless, &[statement("ours", &json!({"AWS": "arn:aws:iam::123456789012:role/app"}))]);
    let gone = S3::after(&seen);
    change(&gone, |account| account.is_there = false);
    let without = S3::after(&seen);
    change(&without, |account| account.policy = None);
    for s3 in [harmless, gone, without] {
        assert_eq!((deliver(&s3, &seen).0, s3.journal().writes()), (Status::AlreadySafe, 0));
    }
    let deleted = event("block-of-a-bucket-deleted");
    let gone = S3::after(&deleted);
    change(&gone, |account| account.is_there = false);
    assert_eq!((deliver(&gone, &deleted).0, gone.journal().writes()), (Status::AlreadySafe, 0));
}

/// `RestrictPublicBuckets` is about public policies: one for a fixed foreign account it leaves alone.
#[test]
fn what_a_block_keeps_from_having_an_effect_is_safe() {
    let restricted = Some(Block { restrict_public_buckets: true, ..Block::default() });
    let ignored = Some(Block { ignore_public_acls: true, ..Block::default() });
    let table = [
        ("policy-for-everybody", restricted, Status::AlreadySafe),
        ("policy-for-another-account", restricted, Status::Contained),
        ("policy-for-everybody", ignored, Status::Contained),
        ("acl-for-everybody", ignored, Status::AlreadySafe),
        ("acl-for-everybody", restricted, Status::Contained),
    ];
    for (name, block, expected) in table {
        for of_account in [false, true] {
            let seen = event(name);
            let s3 = S3::after(&seen);
            change(&s3, |account| if of_account { account.account_block = block } else { account.block = block });
            let (status, incident) = deliver(&s3, &seen);
            assert_eq!(status, expected, "{name} {block:?} {of_account}");
            assert_eq!(incident.facts["effective"], json!(expected == Status::Contained), "{name}");
        }
    }
}

#[test]
fn a_loosened_block_is_put_back_under_the_accounts_too() {
    let seen = event("block-of-a-bucket-loosened");
    let s3 = S3::after(&seen);
    change(&s3, |account| account.account_block = Some(Block::ALL));
    let (status, incident) = deliver(&s3, &seen);
    assert_eq!((status, s3.state().block), (Status::Contained, Some(Block::ALL)));
    assert_eq!(
        (&incident.facts["effective"], &incident.facts["loosened"]),
        (&json!(false), &json!(["BlockPublicPolicy", "RestrictPublicBuckets"]))
    );
    assert_eq!(incident.receipt[0].did, "turn on BlockPublicPolicy, RestrictPublicBuckets of bucket invoices-2026");
}

#[test]
fn what_cannot_be_judged_is_left_to_a_person() {
    let seen = event("policy-for-an-organization");
    let s3 = S3::after(&seen);
    let (status, incident) = deliver(&s3, &seen);
    assert_eq!((status, s3.journal().writes()), (Status::Uncontainable, 0));
    assert!(incident.because.contains("`o-theirs5678` may be ours"), "{}", incident.because);
    // Beside a statement that can be judged it is a fact.
    let mut unclear = statement("unclear", &json!("*"));
    unclear["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-theirs5678"}});
    set(&s3, &[unclear, statement("open", &json!("*"))]);
    let (status, incident) = deliver(&s3, &again("policy-for-everybody", "beside"));
    assert_eq!((status, s3.sids()), (Status::Contained, vec!["unclear".to_owned()]));
    assert!(incident.facts["unclear"].as_str().unwrap().contains("o-theirs5678"));
}

#[test]
fn a_service_without_a_source_is_a_fact_and_stays() {
    let seen = event("policy-for-a-service");
    let s3 = S3::after(&seen);
    let (status, incident) = deliver(&s3, &seen);
    assert_eq!((status, incident.severity.label(), s3.journal().writes()), (Status::AlreadySafe, "LOW", 0));
    assert_eq!((&incident.facts["confusedDeputy"], &incident.facts["public"]), (&json!(true), &json!(false)));
}

#[test]
fn only_public_grants_go() {
    let seen = event("acl-for-everybody");
    let s3 = S3::after(&seen);
    let (status, incident) = deliver(&s3, &seen);
    assert_eq!(status, Status::Contained);
    let left: Vec<String> = s3.state().acl.grants.iter().map(ToString::to_string).collect();
    assert!(left.iter().all(|grant| !grant.contains("Users")) && left.contains(&"WRITE for LogDelivery".to_owned()));
    assert_eq!(
        incident.receipt[0].did,
        "revoke READ for AllUsers, READ_ACP for AuthenticatedUsers in the ACL of bucket invoices-2026"
    );
}

#[test]
fn what_somebody_changes_meanwhile_is_not_written_over() {
    for name in ["policy-for-everybody", "acl-for-everybody"] {
        let seen = event(name);
        let (s3, bench) = (S3::after(&seen), Bench::enforcing());
        let mut theirs = s3.state();
        theirs.policy =
            Some(json!({"Version": "2012-10-17", "Statement": [statement("theirs", &json!("*"))]}).to_string());
        theirs.acl.grants.push(Grant::to_group("WRITE", "http://acs.amazonaws.com/groups/global/AllUsers"));
        *s3.then.borrow_mut() = Some(theirs.clone());
        let responded = bench.deliver(&BlockBucketExposure(s3.clone()), &seen, "a");
        let failure = responded.failure.unwrap();
        assert!(failure.is_retryable(), "{failure:?}");
        assert_eq!((s3.state(), s3.journal().writes()), (theirs, 0), "{name}");
        // Lambda delivers it again, and it is looked at anew.
        assert_eq!(deliver_on(&bench, &s3, &seen).0, Status::Contained, "{name}");
    }
}

#[test]
fn undo_stops_where_anything_else_of_it_was_changed() {
    type Meddle = fn(&mut Scene);
    let edits: [(&str, Meddle); 3] = [
        ("policy-for-everybody", |account| account.policy = None),
        ("acl-for-everybody", |account| account.acl.grants.clear()),
        ("block-of-a-bucket-loosened", |account| account.block = None),
    ];
    for (name, edit) in edits {
        let seen = event(name);
        let (s3, bench) = (S3::after(&seen), Bench::enforcing());
        let (_, incident) = deliver_on(&bench, &s3, &seen);
        assert_eq!(incident.state, State::Contained);
        change(&s3, edit);
        let before = s3.state();
        bench.undo(&BlockBucketExposure(s3.clone()), incident).unwrap_err();
        assert_eq!(s3.state(), before, "{name}");
    }
}

#[test]
fn what_a_person_put_back_stays_and_what_comes_beside_it_goes() {
    let seen = event("policy-for-everybody");
    let (s3, bench) = (S3::after(&seen), Bench::enforcing());
    set(&s3, &[statement("wanted", &json!("*"))]);
    let (_, incident) = deliver_on(&bench, &s3, &seen);
    bench.undo(&BlockBucketExposure(s3.clone()), incident).unwrap();
    assert_eq!(deliver_on(&bench, &s3, &again("policy-for-everybody", "alone")).0, Status::Exempt);
    set(&s3, &[statement("new", &foreign()), statement("wanted", &json!("*"))]);
    assert_eq!(deliver_on(&bench, &s3, &again("policy-for-everybody", "beside")).0, Status::Contained);
    assert_eq!(s3.sids(), ["wanted"]);

    // Two that were put back one after the other are wanted together as well.
    let bench = Bench::enforcing();
    for sid in ["a", "b"] {
        set(&s3, &[statement(sid, &json!("*"))]);
        let (_, incident) = deliver_on(&bench, &s3, &again("policy-for-everybody", sid));
        bench.undo(&BlockBucketExposure(s3.clone()), incident).unwrap();
    }
    set(&s3, &[statement("a", &json!("*")), statement("b", &json!("*"))]);
    assert_eq!(deliver_on(&bench, &s3, &again("policy-for-everybody", "both")).0, Status::AlreadySafe);
    assert_eq!(s3.sids(), ["a", "b"]);

    let seen = event("block-of-a-bucket-loosened");
    let (s3, bench) = (S3::after(&seen), Bench::enforcing());
    let (_, incident) = deliver_on(&bench, &s3, &seen);
    bench.undo(&BlockBucketExposure(s3.clone()), incident).unwrap();
    change(&s3, |account| account.block = None);
    assert_eq!(deliver_on(&bench, &s3, &again("block-of-a-bucket-deleted", "more")).0, Status::Contained);
    let left = Block { block_public_acls: true, ignore_public_acls: true, ..Block::default() };
    assert_eq!(s3.state().block, Some(left));
}

#[test]
fn the_website_is_a_fact() {
    let seen = event("policy-for-everybody");
    let s3 = S3::after(&seen);
    change(&s3, |account| account.is_website = true);
    let bench = Bench::new(
        r#"@id("all") permit (principal, action, resource);
           @id("websites") @reason("public by design") forbid (principal, action, resource) when {
             context.website && resource.hasTag("team") && resource.getTag("team") == "billing" };"#,
    );
    assert_eq!(deliver_on(&bench, &s3, &seen).0, Status::Exempt);
    change(&s3, |account| account.is_website = false);
    assert_eq!(deliver_on(&bench, &s3, &again("policy-for-everybody", "no website")).0, Status::Contained);
}
