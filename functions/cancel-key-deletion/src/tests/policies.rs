//! What becomes of a key's policy.

use std::sync::Arc;

use cloudtrail::AccountId;
use policy::Trusted;
use proptest::prelude::*;
use remedy::{Change, Memory, Plan, Remedy, Responder, Situation};

use super::event;
use super::fake::Kms;
use crate::key::{Baseline, Observed};
use crate::{CancelKeyDeletion, KeyChange};

type R = CancelKeyDeletion<Kms>;

const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"kms:*","Resource":"*"}"#;
const PUBLIC: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
const PARTNER: &str = r#"{"Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"kms:Decrypt","Resource":"*"}"#;
const WIDER: &str = r#"{"Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"kms:*","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Principal":{"AWS":"210987654321"},"Action":"*","Resource":"*"}"#;
const UNCLEAR: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:app":"x"}}}"#;
const SERVICE: &str =
    r#"{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}"#;
const MERGED: &str = r#"{"Effect":"Allow","Principal":{"AWS":["123456789012","*"]},"Action":"kms:*","Resource":"*"}"#;
const KEEPER: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/keeper"},"Action":"kms:*","Resource":"*"}"#;

fn policy(statements: &[&str]) -> String {
    format!("{{ \"Version\":\"2012-10-17\",\n \"Statement\": [{}] }}", statements.join(" ,\t"))
}

fn plan(live: &str, baseline: Option<&str>, trusted: &[&str]) -> Plan<KeyChange> {
    let finding = R::detect(&event("policy-left-out")).unwrap().remove(0);
    let observed = Observed { policy: Some(live.to_owned()), ..R::presume(&finding) };
    let baseline = baseline.map(|policy| {
        serde_json::to_value(Baseline { enabled: true, rotation: None, policy: policy.to_owned() }).unwrap()
    });
    let accounts = Arc::new(trusted.iter().map(|id| AccountId::parse(id).unwrap()).collect());
    let memory = Memory { baseline, ..Memory::default() };
    let trusted = Trusted { organization: None, accounts };
    R::plan(&finding, &observed, &Situation { memory, trusted, ..Situation::default() })
}

#[derive(Debug, PartialEq)]
enum End {
    Safe,
    Becomes(String),
    NeedsAPerson,
}

fn end(live: &[&str], baseline: Option<&[&str]>, trusted: &[&str]) -> End {
    match plan(&policy(live), baseline.map(policy).as_deref(), trusted).remedy {
        Remedy::AlreadySafe => End::Safe,
        Remedy::Uncontainable { .. } => End::NeedsAPerson,
        Remedy::Changes(changes) => {
            let [KeyChange::Policy { from, to, .. }] = &changes[..] else { panic!("{changes:?}") };
            assert_eq!(*from, policy(live));
            End::Becomes(to.clone())
        }
    }
}

#[test]
fn without_a_captured_policy_the_offending_statements_go_and_nothing_else() {
    let becomes = |statements: &[&str]| End::Becomes(policy(statements));
    for (live, expected) in [
        (vec![ROOT, PUBLIC], becomes(&[ROOT])),
        (vec![PUBLIC, ROOT, KEEPER], becomes(&[ROOT, KEEPER])),
        (vec![ROOT, PARTNER, KEEPER, PUBLIC], becomes(&[ROOT, KEEPER])),
        (vec![ROOT, PUBLIC, UNCLEAR], becomes(&[ROOT, UNCLEAR])),
        (vec![ROOT, PARTNER, DENY], End::Safe),
        (vec![ROOT, SERVICE], End::Safe),
        (vec![ROOT, KEEPER], End::Safe),
        (vec![ROOT, UNCLEAR], End::NeedsAPerson),
        (vec![MERGED], End::NeedsAPerson),
        (vec![MERGED, KEEPER], End::NeedsAPerson),
        (vec![KEEPER], End::NeedsAPerson),
        (vec![WIDER], End::NeedsAPerson),
        (vec![KEEPER, PUBLIC], End::NeedsAPerson),
    ] {
        assert_eq!(end(&live, None, &[]), expected, "{live:?}");
    }
}

#[test]
fn a_captured_policy_is_put_back_as_it_was() {
    let becomes = |statements: &[&str]| End::Becomes(policy(statements));
    for (live, baseline, expected) in [
        (vec![ROOT, PUBLIC], vec![ROOT, KEEPER], becomes(&[ROOT, KEEPER])),
        (vec![MERGED], vec![ROOT], becomes(&[ROOT])),
        (vec![KEEPER], vec![ROOT], becomes(&[ROOT])),
        (vec![ROOT, WIDER], vec![ROOT, PARTNER], becomes(&[ROOT, PARTNER])),
        (vec![ROOT, PARTNER], vec![ROOT, PARTNER, KEEPER], End::Safe),
        (vec![ROOT, PARTNER], vec![ROOT, PARTNER, DENY], becomes(&[ROOT, PARTNER, DENY])),
        (vec![ROOT, UNCLEAR, KEEPER], vec![ROOT, UNCLEAR], End::Safe),
        (vec![ROOT, PUBLIC], vec![ROOT, PUBLIC], End::Safe),
        (vec![ROOT, PUBLIC], vec![KEEPER], End::NeedsAPerson),
    ] {
        assert_eq!(end(&live, Some(&baseline), &[]), expected, "{live:?} after {baseline:?}");
    }
}

#[test]
fn trusted_accounts_may_be_let_in() {
    assert_eq!(end(&[ROOT, PARTNER], None, &["210987654321"]), End::Safe);
    assert_eq!(end(&[ROOT, PARTNER, PUBLIC], None, &["210987654321"]), End::Becomes(policy(&[ROOT, PARTNER])));
}

#[test]
fn a_policy_that_is_not_understood_needs_a_person() {
    assert!(matches!(plan("{}", None, &[]).remedy, Remedy::Uncontainable { .. }));
}

#[test]
fn the_facts_say_what_is_wrong_with_the_policy() {
    let fact = |live: &[&str], name: &str| {
        let facts = plan(&policy(live), None, &[]).facts;
        serde_json::to_value(facts.get(name).unwrap()).unwrap()
    };
    assert_eq!(fact(&[ROOT, PUBLIC, PARTNER], "letsIn"), serde_json::json!(["210987654321", "public"]));
    assert_eq!(fact(&[ROOT, PUBLIC], "public"), true);
    assert_eq!(fact(&[ROOT, PARTNER], "public"), false);
    assert_eq!(fact(&[KEEPER], "locksOut"), true);
    assert_eq!(fact(&[ROOT, UNCLEAR], "unclear"), true);
    assert_eq!(fact(&[ROOT, SERVICE], "confusedDeputy"), true);
}

#[test]
fn each_exposure_has_a_key_of_its_own() {
    let key = |live: &[&str]| {
        let Remedy::Changes(changes) = plan(&policy(live), None, &[]).remedy else { panic!("{live:?}") };
        assert_eq!(changes[0].key(), changes[0].inverse().key());
        changes[0].key().as_str().to_owned()
    };
    assert_eq!(key(&[ROOT, PUBLIC]), "policy: public let in");
    assert_eq!(key(&[ROOT, PARTNER]), "policy: 210987654321 let in");
    let words = |change: &KeyChange| change.to_string();
    let Remedy::Changes(changes) = plan(&policy(&[ROOT, PUBLIC]), None, &[]).remedy else {
        panic!("there are changes")
    };
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(words(&changes[0]), format!("close the policy of key {id}: public let in"));
    assert_eq!(words(&changes[0].inverse()), format!("put back the policy of key {id}: public let in"));
}

proptest! {
    /// Whatever stands in a policy, what we put leaves its account the right to change it, and opens nothing.
    #[test]
    fn what_we_put_locks_nobody_out(
        live in prop::sample::subsequence(vec![ROOT, PUBLIC, PARTNER, WIDER, DENY, UNCLEAR, SERVICE, MERGED, KEEPER], 1..9),
        baseline in prop::option::of(prop::sample::subsequence(vec![ROOT, PARTNER, DENY, KEEPER, SERVICE], 1..5)),
    ) {
        if let End::Becomes(text) = end(&live, baseline.as_deref(), &[]) {
            let document = policy_document::Document::parse(&text).unwrap();
            let trust = policy_document::Trust::only(AccountId::parse("123456789012").unwrap(), cloudtrail::Partition::Aws);
            prop_assert_ne!(crate::judged::lockout(&document, &trust), policy_document::Lockout::Yes);
            let again = plan(&text, baseline.as_deref().map(policy).as_deref(), &[]).remedy;
            prop_assert!(!matches!(again, Remedy::Changes(_)), "{text}");
        }
    }
}
