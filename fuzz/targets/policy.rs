//! Any text is policies, or is refused with a place; what is taken decides, and its annotations say what they said.
//!
//! An input is a policy file, `organization.json` and `never-touch.json`, with a line `---` between them.
#![no_main]

use std::cell::LazyCell;
use std::fs;
use std::path::PathBuf;

use cloudtrail::Event;
use fuzz::refused;
use libfuzzer_sys::fuzz_target;
use policy::{Decision, Facts, NeverTouch, Organization, Policies, Request, Resource, Rule, Severity, Source, Verdict};
use serde_json::{Value, json};

thread_local! {
    static FOLDER: LazyCell<PathBuf> = LazyCell::new(|| {
        let folder = std::env::temp_dir().join(format!("countermand-fuzz-policy-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    });
}

fuzz_target!(|text: &str| {
    let mut parts = text.split("\n---\n");
    let mut part = |name, otherwise| Source::new(name, parts.next().unwrap_or(otherwise));
    let (policies, organization) = (part("p.cedar", ""), part("organization.json", "{}"));
    let never = part("never-touch.json", "{}");

    let parsed = Policies::parse([policies.clone()]);
    let (units, list) = (Organization::parse(&organization), NeverTouch::parse(&never));
    refused(parsed.as_ref().err(), &policies);
    refused(units.as_ref().err(), &organization);
    refused(list.as_ref().err(), &never);

    let loaded = FOLDER.with(|folder| {
        for source in [&policies, &organization, &never] {
            fs::write(folder.join(&source.name), &source.text).expect("a file can be written");
        }
        Policies::load(folder)
    });
    let marked = policies.text.starts_with('\u{feff}');
    let sound = parsed.is_ok() && units.is_ok() && list.is_ok();
    assert!(marked || loaded.is_ok() == sound, "{loaded:?}");

    if let Ok(policies) = loaded.or(parsed) {
        policies.rules().iter().for_each(reads_as_written);
        asked(&policies);
    }
});

fn reads_as_written(rule: &Rule) {
    assert!(!rule.id.as_str().is_empty());
    let Some(limit) = &rule.limit else { return };
    let text = format!("@id(\"a\") @limit(\"{limit}\") permit (principal, action, resource);");
    let again = Policies::parse([Source::new("a", text)]).expect("a limit is what it prints");
    let again = again.rules()[0].limit.clone().expect("it has a limit");
    assert_eq!((again.count, again.window, again.per), (limit.count, limit.window, limit.per));
}

fn asked(policies: &Policies) {
    let role = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/alice"});
    let odd = json!({"type": "WebIdentityUser", "userName": "\u{202e}\u{1b}[31m\n\"", "arn": "x"});
    for (identity, tags) in [(&role, Some("lab")), (&role, None), (&odd, Some("\u{0}\u{2028}"))] {
        let decision = decided(policies, identity, tags);
        let because = decision.because();
        assert!(!because.is_empty());
        assert_eq!(decision.policies.is_empty(), decision.verdict == Verdict::Observe, "{decision:?}");
        assert!(!matches!(decision.verdict, Verdict::Enforce(_)) || decision.doubts.is_empty(), "{decision:?}");
        for fault in &decision.errors {
            assert_eq!(hostile_text::visible(&fault.message), fault.message, "a fault's message is one line");
        }
    }
}

fn decided(policies: &Policies, identity: &Value, tag: Option<&str>) -> Decision {
    let event = Event::decode(json!({
        "eventID": "e-1", "eventTime": "2026-11-22T07:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.7", "userIdentity": identity,
        "userAgent": tag,
    }))
    .expect("an event");
    let resource: Resource = serde_json::from_value(json!({
        "kind": "SecurityGroup",
        "arn": format!("arn:aws:ec2:eu-central-1:111122223333:security-group/{}", tag.unwrap_or_default()),
        "tags": tag.map(|tag| json!({"team": tag, tag: "x"})),
    }))
    .expect("a resource");
    policies.decide(&Request {
        responder: "revoke-open-ingress",
        now: "2026-11-22T07:00:05Z".parse().expect("a time"),
        event: &event,
        resource: &resource,
        severity: Severity::HIGH,
        facts: &Facts::new().with("groupName", tag.unwrap_or("web")).with("allPorts", true),
    })
}
