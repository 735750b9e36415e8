//! What the policies say, and why.

use std::time::Duration;

use crate::common::{Case, arn, event, open_group, parse};
use policy::{Decision, Facts, Limit, Organization, Per, PolicyId, Resource, ResourceKind, Source, Verdict};
use serde_json::json;

#[track_caller]
fn check(decision: &Decision, verdict: &str, because: &str) {
    assert_eq!((decision.verdict.name(), decision.because().as_str()), (verdict, because));
}

#[test]
fn without_a_permit_it_only_observes() {
    check(&open_group().decide(""), "observe", "no policy permits it");
    let other = r#"@id("a") permit (principal, action == Action::"disable-access-key", resource);"#;
    check(&open_group().decide(other), "observe", "no policy permits it");
}

#[test]
fn a_permit_enforces_with_its_limit() {
    let decision = open_group().decide(
        r#"@id("b") @limit("20/1h") permit (principal, action == Action::"revoke-open-ingress", resource);
           @id("a") @limit("5/30m per principal") @reason("agreed") permit (principal, action, resource);
           @id("c") permit (principal, action, resource) when { false };"#,
    );
    check(&decision, "enforce", "permitted by `a` (agreed) and `b`");
    let limit = |policy: &str, count, seconds, per| Limit {
        policy: PolicyId::new(policy),
        count,
        window: Duration::from_secs(seconds),
        per,
    };
    assert_eq!(decision.limits, [limit("a", 5, 1800, Per::Principal), limit("b", 20, 3600, Per::Everything)]);
    assert_eq!(
        serde_json::to_value(&decision).unwrap(),
        json!({"verdict": "enforce", "errors": [], "doubts": [],
            "policies": [{"id": "a", "reason": "agreed"}, {"id": "b", "reason": null}],
            "limits": [{"policy": "a", "count": 5, "window_seconds": 1800, "per": "principal"},
                {"policy": "b", "count": 20, "window_seconds": 3600, "per": "everything"}]})
    );
}

#[test]
fn the_shortest_lease_wins() {
    let decision = open_group().decide(
        r#"@id("a") @lease("2d") permit (principal, action, resource);
           @id("b") @lease("240m") permit (principal, action, resource);
           @id("c") permit (principal, action, resource);
           @id("d") @lease("1m") permit (principal, action, resource) when { false };"#,
    );
    check(&decision, "enforce", "permitted by `a`, `b` and `c`, for 4h unless a person confirms it");
    assert_eq!(decision.lease, Some(Duration::from_hours(4)));
    assert_eq!(serde_json::to_value(&decision).unwrap()["lease"], 14_400);
}

#[test]
fn our_own_roles_are_never_touched() {
    let case = open_group();
    let policies = parse(r#"@id("all") permit (principal, action, resource);"#);
    let decision = policies.sparing(std::slice::from_ref(&case.resource.arn)).decide(&case.request());
    assert_eq!(decision.verdict.name(), "exempt");
    assert!(decision.because().contains("never-touch"), "{}", decision.because());
}

#[test]
fn the_stricter_of_two_permits_wins() {
    let decision = open_group().decide(
        r#"@id("act") @mode("enforce") permit (principal, action, resource);
           @id("ask") @mode("approve") permit (principal, action, resource in Account::"111122223333");"#,
    );
    check(&decision, "approve", "a person must approve it, says `ask`");
}

#[test]
fn a_forbid_beats_every_permit() {
    let decision = open_group().decide(
        r#"@id("act") permit (principal, action, resource);
           @id("lab") @reason("CHG-1234") forbid (principal, action, resource in Account::"111122223333")
               when { context.now < datetime("2027-01-31") };
           @id("over") forbid (principal, action, resource) when { context.now > datetime("2027-01-31") };"#,
    );
    check(&decision, "exempt", "forbidden by `lab` (CHG-1234)");
}

#[test]
fn a_role_session_is_its_role() {
    for principal in [
        r#"principal == Role::"arn:aws:iam::111122223333:role/ci/deploy""#,
        r#"principal in Role::"arn:aws:iam::111122223333:role/ci/deploy""#,
        r#"principal is Role in Account::"111122223333""#,
    ] {
        let decision = open_group().decide(&format!(r#"@id("p") permit ({principal}, action, resource);"#));
        assert_eq!(decision.verdict.name(), "enforce", "{principal}");
    }
}

#[test]
fn each_kind_of_actor_is_in_its_account() {
    let home = "111122223333";
    for (identity, uid, account) in [
        (
            json!({"type": "IAMUser", "accountId": home, "userName": "bob"}),
            r#"User::"arn:aws:iam::111122223333:user/bob""#,
            home,
        ),
        (json!({"type": "Root", "accountId": home}), r#"Root::"arn:aws:iam::111122223333:root""#, home),
        (json!({"type": "SAMLUser", "accountId": home, "userName": "eve"}), r#"Federated::"eve""#, home),
        (json!({"type": "AWSAccount", "accountId": "444455556666"}), r#"Account::"444455556666""#, "444455556666"),
        (
            json!({"type": "AWSService", "accountId": home, "invokedBy": "ec2.amazonaws.com"}),
            r#"Service::"ec2.amazonaws.com""#,
            home,
        ),
        (json!({"type": "Odd", "accountId": home}), r#"Unknown::"unknown""#, home),
    ] {
        let case = Case { event: event(&identity), ..open_group() };
        let text = format!(
            r#"@id("is") permit (principal == {uid}, action, resource);
               @id("in") permit (principal in Account::"{account}", action, resource);"#
        );
        check(&case.decide(&text), "enforce", "permitted by `in` and `is`");
    }
}

#[test]
fn an_actor_whose_account_is_not_told_is_in_that_of_its_arn() {
    let mut case = open_group();
    case.event.actor.account = None;
    let text = r#"@id("p") permit (principal in Account::"111122223333", action, resource);"#;
    check(&case.decide(text), "enforce", "permitted by `p`");
}

#[test]
fn accounts_are_in_their_organizational_units() {
    let text = r#"@id("p") permit (principal, action, resource in OrganizationalUnit::"ou-abcd-11111111");"#;
    let organization =
        Organization::parse(&Source::new("o", r#"{"111122223333": ["ou-abcd-11111111", "r-abcd"]}"#)).unwrap();
    let policies = parse(text);
    check(&policies.decide(&open_group().request()), "observe", "no policy permits it");
    check(&policies.with_organization(organization).decide(&open_group().request()), "enforce", "permitted by `p`");
}

#[test]
fn a_user_can_be_actor_and_resource_at_once() {
    let bob = "arn:aws:iam::111122223333:user/bob";
    let case = Case {
        event: event(&json!({"type": "IAMUser", "accountId": "111122223333", "userName": "bob", "arn": bob})),
        resource: Resource { kind: ResourceKind::USER, arn: arn(bob), tags: open_group().resource.tags },
        ..open_group()
    };
    let text = r#"@id("p") permit (principal, action, resource is User in Account::"111122223333")
        when { principal == resource && resource.hasTag("team") && resource.getTag("team") == "lab" };"#;
    check(&case.decide(text), "enforce", "permitted by `p`");
}

#[test]
fn an_account_can_be_actor_resource_and_home_at_once() {
    let case = Case {
        event: event(&json!({"type": "AWSAccount", "accountId": "111122223333"})),
        resource: Resource {
            kind: ResourceKind::ACCOUNT,
            arn: arn("arn:aws:guardduty:eu-central-1:111122223333:detector/d"),
            tags: Some([].into()),
        },
        ..open_group()
    };
    let text =
        r#"@id("p") permit (principal == Account::"111122223333", action, resource == Account::"111122223333");"#;
    check(&case.decide(text), "enforce", "permitted by `p`");
}

#[test]
fn the_context_has_the_event_and_the_facts() {
    let text = r#"@id("p") permit (principal, action, resource) when {
        context.now == datetime("2026-11-22T07:00:05Z") && context.eventTime == datetime("2026-11-22T07:00:00Z") &&
        context.sourceIp.isInRange(ip("203.0.113.0/24")) && context.userAgent like "aws-cli/*" && !context.mfa &&
        context.session == "alice" && context.accessKeyId == "ASIAEXAMPLE" && !(context has invokedBy) &&
        context.region == "eu-central-1" && context.account == "111122223333" && context.severity >= 70 &&
        context.eventName == "AuthorizeSecurityGroupIngress" &&
        context.protocol == "tcp" && context.ipv4Percent.greaterThan(decimal("0.39")) };"#;
    check(&open_group().decide(text), "enforce", "permitted by `p`");
}

#[test]
fn a_fact_cannot_take_the_place_of_the_event() {
    let case = Case { facts: Facts::new().with("account", "444455556666").with("mfa", true), ..open_group() };
    let text =
        r#"@id("p") permit (principal, action, resource) when { context.account == "111122223333" && !context.mfa };"#;
    check(&case.decide(text), "enforce", "permitted by `p`");
}

#[test]
fn a_forbid_that_errors_never_becomes_consent() {
    let text = r#"@id("act") permit (principal, action, resource);
        @id("stack") forbid (principal, action, resource) when { context.stack == "network" };"#;
    let decision = open_group().decide(text);
    check(
        &decision,
        "approve",
        "permitted by `act`, but a person must approve it because `stack` could not be evaluated: \
         record does not have the attribute `stack`",
    );
    assert_eq!(decision.doubts, [PolicyId::new("stack")]);
}

#[test]
fn a_permit_that_errors_is_no_permit() {
    let broken = r#"@id("net") permit (principal, action, resource) when { context.stack == "network" };"#;
    check(
        &open_group().decide(broken),
        "observe",
        "no policy permits it, and `net` could not be evaluated: record does not have the attribute `stack`",
    );
    let decision = open_group().decide(&format!(r#"{broken} @id("act") permit (principal, action, resource);"#));
    check(&decision, "enforce", "permitted by `act`");
    assert_eq!(decision.errors.len(), 1);
}

#[test]
fn a_request_for_approval_that_errors_still_asks() {
    let decision = open_group().decide(
        r#"@id("act") permit (principal, action, resource);
           @id("ask") @mode("approve") permit (principal, action, resource) when { context.stack == "network" };"#,
    );
    assert_eq!(decision.verdict, Verdict::Approve);
    assert_eq!(decision.doubts, [PolicyId::new("ask")]);
}

#[test]
fn tags_that_are_not_known_are_not_taken_for_absent() {
    let mut case = open_group();
    let keep = r#"forbid (principal, action == Action::"revoke-open-ingress", resource in Account::"111122223333")
        when { resource.hasTag("keep") };"#;
    let text = format!(r#"@id("act") permit (principal, action, resource); @id("keep") {keep}"#);
    check(&case.decide(&text), "enforce", "permitted by `act`");

    case.resource.tags = None;
    check(
        &case.decide(&text),
        "approve",
        "permitted by `act`, but a person must approve it because `keep` could not be evaluated: \
         it asks for tags, and the tags of the resource are not known",
    );
    for elsewhere in [text.replace("revoke-open", "close-open"), text.replace("1111", "2222")] {
        check(&case.decide(&elsewhere), "enforce", "permitted by `act`");
    }
    let unless = r#"@id("act") permit (principal, action, resource) unless { resource.hasTag("keep") };"#;
    assert_eq!(case.decide(unless).verdict, Verdict::Approve);
    let sure = format!(r#"{unless} @id("also") permit (principal, action, resource);"#);
    assert_eq!(case.decide(&sure).verdict.name(), "enforce");
    let when = r#"@id("act") permit (principal, action, resource) when { resource.hasTag("keep") };"#;
    check(&case.decide(when), "observe", "no policy permits it");
}

#[test]
fn a_kind_that_is_no_name_permits_nothing() {
    let mut case = open_group();
    case.resource.kind = ResourceKind::new("no name");
    let decision = case.decide(r#"@id("act") permit (principal, action, resource);"#);
    assert_eq!(decision.verdict, Verdict::Observe);
    assert!(
        decision.because().starts_with(
            "no policy permits it, and the policies could not be asked: an entity of the request cannot be named: \
             `no name` is not the name of a Cedar entity type: "
        ),
        "{}",
        decision.because()
    );
}

#[test]
fn odd_times_and_addresses_are_understood_or_left_out() {
    let text = |condition: &str| format!(r#"@id("p") permit (principal, action, resource) when {{ {condition} }};"#);
    let mut case = open_group();
    let policy::Request { event, .. } = case.request();
    let cloudtrail::Body::Call(mut call) = event.body.clone() else { panic!("the event is a call") };
    call.source_ip = "::ffff:203.0.113.7".parse().ok();
    case.event.body = cloudtrail::Body::Call(call);
    case.event.time = "2016-12-31T23:59:60Z".parse().ok();
    assert!(case.event.time.is_some());
    let understood =
        text(r#"context.sourceIp == ip("203.0.113.7") && context.eventTime == datetime("2017-01-01T00:00:00Z")"#);
    check(&case.decide(&understood), "enforce", "permitted by `p`");
    case.event.time = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    case.facts = Facts::new().with("ipv4Percent", policy::Fact::Percent(f64::NAN));
    let left_out = text("!(context has eventTime) && !(context has ipv4Percent)");
    check(&case.decide(&left_out), "enforce", "permitted by `p`");
}
