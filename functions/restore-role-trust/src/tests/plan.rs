//! What is planned, as a function of what is known.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudtrail::AccountId;
use policy::{Fact, Facts, Trusted};
use remedy::{Change, Memory, Plan, Remedy, Responder, Situation};
use serde_json::json;
use testkit::{block_on, now};

use super::event;
use super::fake::{Iam, a_cut_off_now, allow, later, role, trust, updated};
use crate::{Baseline, NOBODY, Observed, RestoreRoleTrust, TrustChange};

const MFA: &str = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
const EXTERNAL_ID: &str = r#""StringEquals":{"sts:ExternalId":"4711"}"#;
const OF_MAIN: &str =
    r#""StringEquals":{"token.actions.githubusercontent.com:sub":"repo:octo-org/app:ref:refs/heads/main"}"#;
const OF_ORG: &str = r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}"#;
const GITHUB: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const OURS: &str = "arn:aws:iam::123456789012:root";
const VENDOR: &str = "arn:aws:iam::222233334444:root";
const FOREIGN: &str = "arn:aws:iam::444455556666:role/x";

fn kept(trust: &str) -> Memory {
    let baseline = Baseline { role_id: Some("AROAI44QH8DHBEXAMPLE".to_owned()), trust: trust.to_owned() };
    Memory { baseline: Some(json!(baseline)), ..Memory::default() }
}

fn vendor_is_trusted() -> Trusted {
    Trusted { accounts: Arc::new([AccountId::parse("222233334444").unwrap()].into()), ..Trusted::default() }
}

fn plan(document: &str, memory: Memory, trusted: Trusted) -> Plan<TrustChange> {
    let finding = RestoreRoleTrust::<Iam>::detect(&updated(document)).unwrap().remove(0);
    let observed = Observed { role: Some(role("/", "app", document)), cut_off: None };
    let situation = Situation { now: now(), event_time: None, memory, trusted };
    RestoreRoleTrust::<Iam>::plan(&finding, &observed, &situation)
}

/// What the trust becomes; `None` if it is left alone.
fn becomes(document: &str, memory: Memory, trusted: Trusted) -> Option<String> {
    match plan(document, memory, trusted).remedy {
        Remedy::AlreadySafe => None,
        Remedy::Changes(changes) => match &changes[..] {
            [TrustChange::Trust { after, .. }, TrustChange::CutOff { .. }] => Some(after.clone()),
            changes => panic!("{changes:?}"),
        },
        Remedy::Uncontainable { next_step } => panic!("{next_step}"),
    }
}

#[test]
fn a_baseline_is_put_back_where_it_asks_for_more_or_lets_in_fewer() {
    let service = allow("ec2.amazonaws.com", "");
    for (before, after) in [
        (allow(OURS, MFA), allow(OURS, "")),
        (allow(VENDOR, EXTERNAL_ID), allow(VENDOR, "")),
        (allow(VENDOR, EXTERNAL_ID), allow(VENDOR, r#""StringLike":{"sts:ExternalId":"*"}"#)),
        (allow(GITHUB, OF_MAIN), allow(GITHUB, OF_ORG)),
        (allow(GITHUB, OF_MAIN), allow(GITHUB, "")),
        (allow(OURS, MFA), allow("*", "")),
        (allow(VENDOR, EXTERNAL_ID), allow(FOREIGN, "")),
    ] {
        let (before, after) = (trust(&[&service, &before]), trust(&[&after]));
        assert_eq!(becomes(&after, kept(&before), vendor_is_trusted()).as_ref(), Some(&before), "{after}");
        assert_eq!(becomes(&before, kept(&after), vendor_is_trusted()), None, "hardened: {before}");
    }
}

#[test]
fn what_is_lost_is_not_seen_without_a_baseline() {
    for document in [allow(OURS, ""), allow(VENDOR, ""), allow(GITHUB, OF_ORG)] {
        assert_eq!(becomes(&trust(&[&document]), Memory::default(), vendor_is_trusted()), None, "{document}");
    }
}

#[test]
fn a_trusted_account_is_not_foreign() {
    let document = trust(&[&allow(VENDOR, "")]);
    assert_eq!(becomes(&document, Memory::default(), vendor_is_trusted()), None);
    assert_eq!(becomes(&document, Memory::default(), Trusted::default()).as_deref(), Some(NOBODY));

    let organization = trust(&[&allow("*", r#""StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}"#)]);
    let ours = |id: &str| Trusted { organization: Some(id.to_owned()), ..Trusted::default() };
    assert_eq!(becomes(&organization, Memory::default(), ours("o-exampleorgid")), None);
    assert_eq!(becomes(&organization, Memory::default(), ours("o-anotherorgid")).as_deref(), Some(NOBODY));
}

#[test]
fn whom_the_baseline_lets_in_stays_but_for_everybody() {
    let vendor = allow(VENDOR, EXTERNAL_ID);
    let as_it_was = trust(&[&vendor]);
    let with = |more: &str| trust(&[&vendor, more]);
    assert_eq!(becomes(&with(&allow("ec2.amazonaws.com", "")), kept(&as_it_was), Trusted::default()), None);
    // A baseline that lets in a foreign account is not put back, and what it lets in is not taken away.
    assert_eq!(becomes(&with(&allow(FOREIGN, "")), kept(&as_it_was), Trusted::default()), Some(as_it_was));
    let public = trust(&[&allow("*", "")]);
    assert_eq!(becomes(&public, kept(&public), Trusted::default()).as_deref(), Some(NOBODY));
}

#[test]
fn a_baseline_of_another_role_or_form_is_none() {
    let (before, after) = (trust(&[&allow(OURS, MFA)]), trust(&[&allow(OURS, "")]));
    let of_another = Baseline { role_id: Some("AROAANOTHERONEEXAMPLE".to_owned()), trust: before.clone() };
    for baseline in [json!(of_another), json!({"trust": "{"}), json!(7)] {
        let memory = Memory { baseline: Some(baseline.clone()), ..Memory::default() };
        assert_eq!(becomes(&after, memory, Trusted::default()), None, "{baseline}");
    }
}

#[test]
fn a_baseline_that_lets_in_fewer_than_an_undo_did_is_not_put_back() {
    let captured = trust(&[&allow("ec2.amazonaws.com", "")]);
    let vouched = || Memory {
        wanted: [(TrustChange::key_of_trust(&["444455556666".to_owned()].into()), later(1))].into(),
        ..kept(&captured)
    };
    let foreign = allow("444455556666", "");
    let opened = trust(&[&foreign, &allow("*", "")]);
    assert_eq!(becomes(&opened, vouched(), Trusted::default()), Some(trust(&[&foreign])));
    assert_eq!(becomes(&opened, kept(&captured), Trusted::default()), Some(captured));
}

#[test]
fn what_is_captured_is_what_is_put_back() {
    let document = trust(&[&allow(OURS, MFA)]);
    let captured = block_on(RestoreRoleTrust(Iam::with(role("/x/", "app", &document))).capture()).unwrap();
    let [(resource, baseline)] = &captured[..] else { panic!("{captured:?}") };
    assert_eq!(resource.arn.as_str(), "arn:aws:iam::123456789012:role/x/app");
    let memory = Memory { baseline: Some(baseline.clone()), ..Memory::default() };
    assert_eq!(becomes(&trust(&[&allow(OURS, "")]), memory, Trusted::default()), Some(document));
}

fn facts(document: &str, memory: Memory) -> Facts {
    plan(document, memory, Trusted::default()).facts
}

#[test]
fn the_facts_say_who_is_let_in_and_what_is_still_asked_for() {
    let texts = |texts: &[&str]| Some(Fact::Texts(texts.iter().map(|text| (*text).to_owned()).collect()));
    let all = facts(&trust(&[&allow("*", MFA), &allow(FOREIGN, EXTERNAL_ID)]), Memory::default());
    assert_eq!(all.get("access"), Some(&"public".into()));
    assert_eq!(all.get("principals").cloned(), texts(&["*", FOREIGN]));
    assert_eq!(all.get("foreignAccounts").cloned(), texts(&["444455556666"]));
    assert_eq!((all.get("requiresMfa"), all.get("requiresExternalId")), (Some(&false.into()), Some(&false.into())));
    assert_eq!((all.get("baseline"), all.get("unclear")), (Some(&false.into()), Some(&false.into())));
    assert_eq!((all.get("rolePath"), all.get("boundary")), (Some(&"/".into()), Some(&false.into())));

    let vendor = facts(&trust(&[&allow(VENDOR, EXTERNAL_ID)]), Memory::default());
    assert_eq!(
        (vendor.get("requiresExternalId"), vendor.get("requiresMfa")),
        (Some(&true.into()), Some(&false.into()))
    );

    let loosened = facts(&trust(&[&allow(OURS, "")]), kept(&trust(&[&allow(OURS, MFA)])));
    assert_eq!((loosened.get("access"), loosened.get("baseline")), (Some(&"loosened".into()), Some(&true.into())));
    assert_eq!(loosened.get("lost").cloned(), texts(&["multi-factor authentication"]));

    let unclear =
        facts(&trust(&[&allow("*", r#""StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}"#)]), Memory::default());
    assert_eq!((unclear.get("access"), unclear.get("unclear")), (Some(&"none".into()), Some(&true.into())));
}

#[test]
fn what_an_event_lets_us_expect_reads_well() {
    for (name, expected) in [
        ("opened-to-everybody", "close the trust of reports to anybody"),
        ("opened-to-a-foreign-account", "close the trust of web-server to 444455556666"),
        (
            "opened-to-a-foreign-provider",
            "close the trust of deployer to arn:aws:iam::444455556666:oidc-provider/idp.example.net",
        ),
        ("opened-to-all-of-a-provider", &format!("close the trust of deployer to anybody who uses {GITHUB}")),
        ("made-for-a-foreign-account", "close the trust of vendor-access to 444455556666"),
    ] {
        let finding = RestoreRoleTrust::<Iam>::detect(&event(name)).unwrap().remove(0);
        let expect = RestoreRoleTrust::<Iam>::presume(&finding);
        let situation = Situation { now: now(), ..Situation::default() };
        let Remedy::Changes(changes) = RestoreRoleTrust::<Iam>::plan(&finding, &expect, &situation).remedy else {
            panic!("{name}")
        };
        assert_eq!(changes[0].to_string(), expected);
    }
}

#[test]
fn a_change_and_its_inverse_are_about_the_same_and_read_well() {
    let who: BTreeSet<String> = ["anybody".to_owned(), "444455556666".to_owned()].into();
    let closing = TrustChange::Trust {
        role: "app".to_owned(),
        because_of: who.clone(),
        closes: true,
        before: "{}".to_owned(),
        after: NOBODY.to_owned(),
    };
    let cut = |before: Option<&str>| TrustChange::CutOff {
        role: "app".to_owned(),
        because_of: who.clone(),
        before: before.map(str::to_owned),
        after: Some(a_cut_off_now()),
    };
    let denies = "deny app's sessions minted before 2026-11-22T07:01:00Z";
    for (change, does, undo) in [
        (
            closing.clone(),
            "close the trust of app to 444455556666, anybody",
            "put back the trust of app, which lets in 444455556666, anybody",
        ),
        (cut(None), denies, "no longer deny app's sessions minted before 2026-11-22T07:01:00Z"),
        (cut(Some("{}")), denies, "put back app's inline policy countermand-deny-sessions-of-opened-trust"),
    ] {
        assert_eq!((change.to_string().as_str(), change.inverse().to_string().as_str()), (does, undo));
        assert_eq!((change.inverse().inverse(), change.inverse().key()), (change.clone(), change.key()));
        let stored = serde_json::to_value(&change).unwrap();
        assert_eq!(serde_json::from_value::<TrustChange>(stored).unwrap(), change);
    }
    assert_eq!(TrustChange::closed_to(&closing.key()), Some(who.clone()));
    assert_eq!(TrustChange::closed_to(&cut(None).key()), None);
    // A name cannot pose as two.
    let posing = BTreeSet::from(["x\", \"anybody".to_owned()]);
    assert_eq!(TrustChange::closed_to(&TrustChange::key_of_trust(&posing)), Some(posing));
}

#[test]
fn sessions_are_ended_late_only_for_a_call_that_let_somebody_in() {
    let (closed, open) = (trust(&[&allow(OURS, "")]), trust(&[&allow("*", "")]));
    let died = Memory { held: [TrustChange::key_of_trust(&["anybody".to_owned()].into())].into(), ..Memory::default() };
    for (written, ends) in [(&open, true), (&closed, false)] {
        let finding = RestoreRoleTrust::<Iam>::detect(&updated(written)).unwrap().remove(0);
        let observed = Observed { role: Some(role("/", "app", &closed)), cut_off: None };
        let situation = Situation { now: now(), memory: died.clone(), ..Situation::default() };
        let remedy = RestoreRoleTrust::<Iam>::plan(&finding, &observed, &situation).remedy;
        match remedy {
            Remedy::Changes(changes) => {
                assert!(ends && matches!(changes[..], [TrustChange::CutOff { .. }]), "{written}");
            }
            Remedy::AlreadySafe => assert!(!ends, "{written}"),
            Remedy::Uncontainable { next_step } => panic!("{next_step}"),
        }
    }
}

#[test]
fn vouching_ends_after_its_time() {
    let document = trust(&[&allow("*", ""), &allow(FOREIGN, "")]);
    let wanted = |until| Memory {
        wanted: [(TrustChange::key_of_trust(&["anybody".to_owned()].into()), until)].into(),
        ..Memory::default()
    };
    assert_eq!(becomes(&document, wanted(later(1)), Trusted::default()), Some(trust(&[&allow("*", "")])));
    assert_eq!(becomes(&document, wanted(later(-1)), Trusted::default()).as_deref(), Some(NOBODY));
}
