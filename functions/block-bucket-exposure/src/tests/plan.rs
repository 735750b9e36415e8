//! What is planned, as a function of what is known.

use std::sync::Arc;

use cloudtrail::AccountId;
use policy::Trusted;
use remedy::{Change, Memory, Remedy, Responder, Situation};
use serde_json::{Value, json};
use testkit::{block_on, now};

use super::event;
use super::fake::S3;
use crate::BlockBucketExposure;
use crate::bucket::{Block, Observed};
use crate::change::{BucketChange, Edit};

fn presumed(name: &str, trusted: Trusted) -> Remedy<BucketChange> {
    let finding = BlockBucketExposure::<S3>::detect(&event(name)).unwrap().remove(0);
    let observed = BlockBucketExposure::<S3>::presume(&finding);
    let situation = Situation { now: now(), trusted, ..Situation::default() };
    BlockBucketExposure::<S3>::plan(&finding, &observed, &situation).remedy
}

#[test]
fn whom_the_user_trusts_may_come_in() {
    let partner =
        Trusted { accounts: Arc::new([AccountId::parse("999999999999").unwrap()].into()), ..Trusted::default() };
    let name = "policy-for-another-account";
    assert!(matches!(presumed(name, Trusted::default()), Remedy::Changes(_)));
    assert_eq!(presumed(name, partner.clone()), Remedy::AlreadySafe);
    assert!(matches!(presumed("policy-for-everybody", partner), Remedy::Changes(_)));
    let name = "policy-for-an-organization";
    let organization = |id: &str| Trusted { organization: Some(id.to_owned()), ..Trusted::default() };
    assert!(matches!(presumed(name, Trusted::default()), Remedy::Uncontainable { .. }));
    assert!(matches!(presumed(name, organization("o-ours1234")), Remedy::Changes(_)));
    assert_eq!(presumed(name, organization("o-theirs5678")), Remedy::AlreadySafe);
}

#[test]
fn changes_read_well() {
    for (name, does, undo) in [
        (
            "policy-for-another-account",
            "remove statement 2 from the policy of bucket invoices-2026",
            "put statement 2 back into the policy of bucket invoices-2026",
        ),
        (
            "canned-acl",
            "revoke READ for AllUsers, WRITE for AllUsers in the ACL of bucket invoices-2026",
            "grant READ for AllUsers, WRITE for AllUsers in the ACL of bucket invoices-2026 again",
        ),
        (
            "block-of-a-bucket-loosened",
            "turn on BlockPublicPolicy, RestrictPublicBuckets of bucket invoices-2026",
            "turn off BlockPublicPolicy, RestrictPublicBuckets of bucket invoices-2026 again",
        ),
        (
            "block-of-the-account-deleted",
            "turn on BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets of account 123456789012",
            "delete the public access block of account 123456789012 again",
        ),
    ] {
        let Remedy::Changes(changes) = presumed(name, Trusted::default()) else { panic!("{name}") };
        assert_eq!((changes[0].to_string().as_str(), changes[0].inverse().to_string().as_str()), (does, undo));
    }
}

/// The plan for a bucket that looks like this, where this was captured before.
fn planned(name: &str, observed: &Observed, baseline: Value) -> (Remedy<BucketChange>, Value) {
    let finding = BlockBucketExposure::<S3>::detect(&event(name)).unwrap().remove(0);
    let memory = Memory { baseline: Some(baseline), ..Memory::default() };
    let situation = Situation { now: now(), memory, ..Situation::default() };
    let plan = BlockBucketExposure::<S3>::plan(&finding, observed, &situation);
    (plan.remedy, serde_json::to_value(plan.facts).unwrap())
}

fn edit(remedy: Remedy<BucketChange>) -> Edit {
    let Remedy::Changes(mut changes) = remedy else { panic!("{remedy:?}") };
    changes.remove(0).edit().clone()
}

/// What `countermand baseline capture` stores of a bucket and of its account.
fn captured(s3: &S3) -> (Value, Value) {
    let mut states = block_on(BlockBucketExposure(s3.clone()).capture()).unwrap();
    let (account, state_of_account) = states.pop().unwrap();
    let (bucket, state_of_bucket) = states.pop().unwrap();
    assert_eq!(bucket.arn.as_str(), "arn:aws:s3:::invoices-2026");
    assert_eq!(account.arn.as_str(), "arn:aws:iam::123456789012:root");
    (state_of_bucket, state_of_account)
}

#[test]
fn a_captured_block_is_how_it_should_be() {
    let s3 = S3::after(&event("block-of-a-bucket-deleted"));
    let website = Block { block_public_acls: true, ignore_public_acls: true, ..Block::default() };
    s3.account.borrow_mut().block = Some(website);
    let (bucket, account) = captured(&s3);
    let name = "block-of-a-bucket-deleted";
    let (remedy, facts) = planned(name, &Observed::default(), bucket.clone());
    let Edit::Block { before, after, .. } = edit(remedy) else { panic!("{name}") };
    assert_eq!((before, after, &facts["baseline"]), (None, Some(website), &json!(true)));

    let loose = Some(Block { block_public_acls: true, restrict_public_buckets: true, ..Block::default() });
    let (remedy, facts) = planned(name, &Observed { block: loose, ..Observed::default() }, bucket);
    let Edit::Block { after, .. } = edit(remedy) else { panic!("{name}") };
    let both = Block { block_public_policy: false, ..Block::ALL };
    assert_eq!((after, &facts["loosened"]), (Some(both), &json!(["IgnorePublicAcls"])));

    // The account had none when it was captured, so none is missing.
    let (remedy, _) = planned("block-of-the-account-loosened", &Observed::default(), account);
    assert_eq!(remedy, Remedy::AlreadySafe);
}

#[test]
fn captured_statements_stay() {
    let statement = |sid: &str, action: Value, principal: Value| {
        json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action,
            "Resource": "arn:aws:s3:::invoices-2026/*"})
    };
    let policy = |statements: &[Value]| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let s3 = S3::after(&event("policy-for-everybody"));
    let partner = || json!({"AWS": "arn:aws:iam::999999999999:root"});
    s3.account.borrow_mut().policy = Some(policy(&[statement("partner", json!("s3:GetObject"), partner())]));
    let (bucket, _) = captured(&s3);
    let again = statement("partner", json!(["s3:GetObject"]), partner());
    let wider = statement("partner", json!(["s3:GetObject", "s3:PutObject"]), partner());
    let open = statement("open", json!("s3:GetObject"), json!("*"));
    for (live, left) in [
        (vec![again.clone()], None),
        (vec![again.clone(), open.clone()], Some(vec![again.clone()])),
        (vec![wider, again.clone()], Some(vec![again])),
    ] {
        let observed = Observed { policy: Some(policy(&live)), ..Observed::default() };
        match (planned("policy-for-everybody", &observed, bucket.clone()).0, left) {
            (remedy, None) => assert_eq!(remedy, Remedy::AlreadySafe),
            (remedy, Some(left)) => {
                let Edit::Policy { after, .. } = edit(remedy) else { panic!("{live:?}") };
                assert_eq!(after, Some(policy(&left)));
            }
        }
    }
}

/// What was captured let in nobody but those from one network.
#[test]
fn a_captured_statement_without_the_denial_beside_it_goes() {
    let allow = json!({"Sid": "open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::invoices-2026/*"});
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::invoices-2026/*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}});
    let policy = |statements: &[&Value]| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let s3 = S3::after(&event("policy-for-everybody"));
    s3.account.borrow_mut().policy = Some(policy(&[&allow, &deny]));
    let (bucket, _) = captured(&s3);
    let planned = |statements: &[&Value]| {
        let observed = Observed { policy: Some(policy(statements)), ..Observed::default() };
        planned("policy-for-everybody", &observed, bucket.clone()).0
    };
    assert_eq!(planned(&[&deny, &allow]), Remedy::AlreadySafe);
    assert!(matches!(planned(&[&allow]), Remedy::Changes(_)));
}

#[test]
fn a_baseline_that_is_not_understood_is_none() {
    for odd in [json!({"block": "all"}), json!(null), json!([])] {
        let (remedy, facts) = planned("block-of-a-bucket-deleted", &Observed::default(), odd);
        let Edit::Block { after, .. } = edit(remedy) else { panic!("another edit") };
        assert_eq!((after, &facts["baseline"]), (Some(Block::ALL), &json!(false)));
    }
}
