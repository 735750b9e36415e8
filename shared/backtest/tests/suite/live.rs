//! What only the account can tell.

use backtest::Verdict;
use cloudtrail::Event;
use serde_json::json;

use crate::doors::{judge, only, opening, policies};

const PERMIT: &str = "@id(\"close\") permit (principal, action, resource);";
const ASK: &str = "@id(\"ask\") @mode(\"approve\") permit (principal, action, resource);";
const FORBID: &str = "@id(\"never\") forbid (principal, action, resource);";

#[track_caller]
fn check(policy: &str, verdict: Verdict, live: bool) {
    let (policies, event) = (policies(policy), Event::decode(opening(&json!({"door": "front"}))).unwrap());
    let finding = only(&judge(&policies, None), &event);
    assert_eq!((finding.verdict, finding.live), (verdict, live), "{policy}");
}

fn tagged(id: &str, effect: &str, scope: &str) -> String {
    format!("@id(\"{id}\") {effect} ({scope}) when {{ resource.hasTag(\"x\") }};")
}

const ANY: &str = "principal, action, resource";

#[test]
fn tags_matter_where_they_could_change_the_verdict() {
    let forbid = tagged("by-tag", "forbid", ANY);
    check(PERMIT, Verdict::Enforce, false);
    check(&format!("{PERMIT}{forbid}"), Verdict::Enforce, true);
    check(&format!("{ASK}{forbid}"), Verdict::Approve, true);
    // Nothing is permitted, or all is forbidden, whatever the tags say.
    check(&forbid, Verdict::Observe, false);
    check(&format!("{PERMIT}{FORBID}{forbid}"), Verdict::Exempt, false);

    let permit = tagged("tagged", "permit", ANY);
    check(&permit, Verdict::Observe, true);
    check(&format!("{PERMIT}{permit}"), Verdict::Enforce, false);
    check(&format!("{PERMIT}{}", tagged("ask", "@mode(\"approve\") permit", ANY)), Verdict::Enforce, true);
    check(&format!("{ASK}{permit}"), Verdict::Approve, false);

    let unless = |id: &str, effect: &str| tagged(id, effect, ANY).replace(" when ", " unless ");
    check(&unless("untagged", "permit"), Verdict::Enforce, true);
    check(&unless("untagged", "@mode(\"approve\") permit"), Verdict::Approve, true);
    check(&format!("{PERMIT}{}", unless("untagged", "forbid")), Verdict::Exempt, true);
    check(&format!("{ASK}{}", unless("untagged", "@mode(\"approve\") permit")), Verdict::Approve, false);
}

#[test]
fn tags_do_not_matter_to_policies_that_speak_of_something_else() {
    for scope in [
        "principal, action == Action::\"open-windows\", resource",
        "principal, action, resource is Window",
        "principal == Role::\"arn:aws:iam::111122223333:role/ci/other\", action, resource",
        "principal, action, resource in Account::\"444455556666\"",
    ] {
        check(&format!("{PERMIT}{}", tagged("by-tag", "forbid", scope)), Verdict::Enforce, false);
        check(&format!("{ASK}{}", tagged("by-tag", "forbid", scope)), Verdict::Approve, false);
    }
}

#[test]
fn a_finding_that_only_the_account_can_confirm_depends_on_it() {
    let (policies, event) =
        (policies(PERMIT), Event::decode(opening(&json!({"door": "front", "ajar": true}))).unwrap());
    assert!(only(&judge(&policies, None), &event).live);
}
