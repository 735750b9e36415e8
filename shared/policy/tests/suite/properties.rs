//! What holds for every input.

use std::collections::BTreeMap;

use chrono::DateTime;
use cloudtrail::{AccessKeyId, Arn, Body, Principal, Region};
use policy::{Decision, Fact, Facts, Organization, Policies, Resource, Schema, Source, Verdict, check};
use proptest::prelude::*;

use crate::common::{Case, open_group};

/// How far a verdict goes.
fn reach(decision: &Decision) -> u8 {
    match decision.verdict {
        Verdict::Enforce(_) => 2,
        Verdict::Approve => 1,
        Verdict::Observe | Verdict::Exempt => 0,
    }
}

prop_compose! {
    /// The head and condition of a policy that may hold, not hold or fail, and may ask for tags.
    fn body()(
        principal in prop::sample::select(vec![
            "principal", "principal is Role", "principal is User",
            r#"principal == Role::"arn:aws:iam::111122223333:role/ci/deploy""#, r#"principal in Account::"111122223333""#,
            r#"principal == Role::"arn:aws:iam::111122223333:role/deploy""#, r#"principal in OrganizationalUnit::"ou-abcd-11111111""#,
            r#"principal is Role in OrganizationalUnit::"ou-abcd-11111111""#, r#"principal is User in Account::"111122223333""#,
        ]),
        action in prop::sample::select(vec![
            "action", r#"action == Action::"revoke-open-ingress""#, r#"action == Action::"x""#,
            r#"action in [Action::"x", Action::"revoke-open-ingress"]"#,
        ]),
        resource in prop::sample::select(vec![
            "resource", r#"resource in Account::"111122223333""#, "resource is User",
            r#"resource is SecurityGroup in OrganizationalUnit::"ou-abcd-11111111""#, r#"resource in OrganizationalUnit::"ou-abcd-22222222""#,
            r#"resource == SecurityGroup::"arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1""#,
        ]),
        condition in prop::sample::select(vec![
            "true", "false", "context.severity > 50", "context.missing == 1", "context.missing == 1 || true",
            r#"resource.hasTag("team")"#, r#"resource.getTag("other") == "x""#, r#"!resource.hasTag("team")"#,
            "context.mfa", "context.session < 3",
        ]),
        keyword in prop::sample::select(vec!["when", "unless", ""]),
    ) -> String {
        let condition = if keyword.is_empty() { String::new() } else { format!(" {keyword} {{ {condition} }}") };
        format!("({principal}, {action}, {resource}){condition};")
    }
}

fn permit() -> impl Strategy<Value = String> {
    (body(), prop::sample::select(vec!["", r#"@mode("approve")"#, r#"@limit("1/1h")"#]))
        .prop_map(|(body, annotation)| format!("{annotation} permit {body}"))
}

fn forbid() -> impl Strategy<Value = String> {
    body().prop_map(|body| format!("forbid {body}"))
}

fn policies() -> impl Strategy<Value = Vec<Source>> {
    prop::collection::vec(prop_oneof![3 => permit(), 1 => forbid()], 0..5).prop_map(|texts| {
        let named = texts.into_iter().enumerate();
        named.map(|(number, text)| source(&format!("p{number}"), &text)).collect()
    })
}

fn source(id: &str, text: &str) -> Source {
    Source::new(format!("{id}.cedar"), format!("@id(\"{id}\") {text}"))
}

fn case() -> impl Strategy<Value = Case> {
    any::<bool>().prop_map(|tagged| {
        let mut case = open_group();
        case.resource.tags = case.resource.tags.filter(|_| tagged);
        case
    })
}

/// Any text, rich in what a terminal or a reader would obey.
fn hostile() -> impl Strategy<Value = String> {
    let odd = vec!['\n', '\r', '\u{1b}', '\u{9b}', '\u{2028}', '\u{202e}', '\u{200b}', '\u{3164}', '"', '\\'];
    prop::collection::vec(prop_oneof![prop::sample::select(odd), any::<char>()], 0..400)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn adding_a_forbid_never_enables(sources in policies(), forbid in forbid(), case in case()) {
        let before = Policies::parse(sources.clone()).unwrap().decide(&case.request());
        let with = sources.into_iter().chain([source("new", &forbid)]);
        let after = Policies::parse(with).unwrap().decide(&case.request());
        prop_assert!(reach(&after) <= reach(&before), "{before:?}\n{after:?}");
    }

    #[test]
    fn adding_a_permit_only_disables_by_asking(sources in policies(), permit in permit(), case in case()) {
        let before = Policies::parse(sources.clone()).unwrap().decide(&case.request());
        let with = sources.into_iter().chain([source("new", &permit)]);
        let after = Policies::parse(with).unwrap().decide(&case.request());
        let asks = after.verdict == Verdict::Approve && permit.starts_with("@mode(\"approve\")");
        prop_assert!(reach(&after) >= reach(&before) || asks, "{before:?}\n{after:?}");
    }

    #[test]
    fn the_order_of_files_does_not_matter(sources in policies().prop_shuffle(), case in case()) {
        let mut sorted = sources.clone();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let decide = |sources: Vec<Source>| Policies::parse(sources).unwrap().decide(&case.request());
        let (some, other) = (decide(sources), decide(sorted));
        prop_assert_eq!(some.because(), other.because());
        prop_assert_eq!(some, other);
    }

    #[test]
    fn only_what_a_permit_allows_is_enforced(sources in policies(), case in case()) {
        let decision = Policies::parse(sources).unwrap().decide(&case.request());
        prop_assert_eq!(decision.policies.is_empty(), decision.verdict == Verdict::Observe);
        prop_assert!(!matches!(decision.verdict, Verdict::Enforce(_)) || decision.doubts.is_empty());
        prop_assert!(!decision.because().chars().any(char::is_control));
    }

    #[test]
    fn a_policy_that_speaks_of_everything_and_never_holds_changes_nothing(sources in policies(), case in case()) {
        // With it, Cedar is always asked.
        let idle = source("idle", "forbid (principal, action, resource) when { false };");
        let decide = |sources: Vec<Source>| {
            let organization = Organization::parse(&Source::new("o", r#"{"111122223333": ["ou-abcd-11111111"]}"#)).unwrap();
            Policies::parse(sources).unwrap().with_organization(organization).decide(&case.request())
        };
        prop_assert_eq!(decide(sources.clone()), decide(sources.into_iter().chain([idle]).collect()));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        let _parsed = Policies::parse([Source::new("p", text.clone())]);
        let _merged = Schema::merge([Source::new("s", text)]);
    }

    #[test]
    fn any_words_of_cedar_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "@id(\"a\")", "@limit", "@", "(", ")", "\"", "\\", "\"x\"", "permit", "forbid", "principal", "action", "resource",
        ",", ";", "when", "{", "}", "context", ".", "hasTag", "if", "then", "else", "//", "\n", "\r", "[", "]", "==",
        "in", "User::\"ä\"", "?principal", "-", "1", "!", "like", "permit (principal, action, resource);",
        "entity", "type", "appliesTo", "Actor", "\u{feff}", "ö",
    ]), 0..40)) {
        let text = words.join(" ");
        let _parsed = Policies::parse([Source::new("p", text.clone())]);
        let _merged = Schema::merge([Source::new("s", text.clone())]);
        let _checked = check(&[Source::new("p", text)], &Schema::merge([]).unwrap());
    }

    #[test]
    fn a_fault_that_quotes_hostile_text_is_one_plain_line(text in hostile(), parse in prop::sample::select(vec!["decimal", "ip", "datetime"])) {
        let mut case = open_group();
        case.resource.tags = Some(BTreeMap::from([("team".to_owned(), text)]));
        let decision = case.decide(&format!(
            r#"@id("asks") permit (principal, action, resource) when {{ {parse}(resource.getTag("team")) == {parse}("x") }};"#
        ));
        prop_assert_eq!(decision.errors.len(), 1);
        let because = decision.because();
        prop_assert_eq!(hostile_text::visible(&because), because.as_str());
    }

    #[test]
    fn hostile_text_changes_nothing_but_itself(
        hostile in any::<String>(), tag in any::<String>(), address in any::<std::net::IpAddr>(),
        percent in any::<f64>(), millis in any::<i64>(), who in 0..6_usize,
    ) {
        let mut case = open_group();
        let text = || hostile.clone();
        let home = case.event.account.clone();
        case.event.actor.principal = match who {
            0 => Principal::Federated(text()),
            1 => Principal::Service(text()),
            2 => Principal::Unknown,
            3 => Principal::Root(Arn::parse(&format!("arn:aws:iam::{home}:root")).unwrap()),
            4 => Principal::Role(Arn::parse(&format!("arn:aws:iam::111122223333:role/{hostile}")).unwrap_or(case.resource.arn.clone())),
            _ => Principal::User(Arn::parse(&format!("arn:aws:iam::{hostile}:user/x")).unwrap()),
        };
        case.event.actor.session = Some(text());
        case.event.actor.invoked_by = Some(text());
        case.event.actor.access_key_id = Some(AccessKeyId::new(text()));
        case.event.region = Region::new(text());
        case.event.time = DateTime::from_timestamp_millis(millis);
        if let Body::Call(call) = &mut case.event.body {
            call.name = text();
            call.user_agent = Some(text());
            call.source_ip = Some(address);
        }
        case.resource = Resource {
            arn: Arn::parse(&format!("arn:aws:ec2:eu-central-1:111122223333:security-group/{hostile}")).unwrap(),
            tags: Some(BTreeMap::from([(tag.clone(), text()), ("team".to_owned(), "lab".to_owned())])),
            ..case.resource
        };
        case.facts = Facts::new().with("protocol", text()).with("cidrs", std::collections::BTreeSet::from([text()]))
            .with("ipv4Percent", Fact::Percent(percent));
        let policies = crate::common::parse(r#"
            @id("act") permit (principal, action == Action::"revoke-open-ingress", resource in Account::"111122223333")
            when { context.userAgent == context.protocol && context.cidrs.contains(context.session) &&
                context.invokedBy == context.eventName && context.region == context.accessKeyId &&
                context.now == datetime("2026-11-22T07:00:05Z") };"#);
        let decision = policies.decide(&case.request());
        prop_assert_eq!(decision.because(), "permitted by `act`");
        prop_assert_eq!(decision.verdict.name(), "enforce");
    }
}
