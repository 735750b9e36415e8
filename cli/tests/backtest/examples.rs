//! `policy test`: the examples beside the policies.

use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{Folder, PERMIT, code, objects, opened, run, text};

fn example(expect: &str, more: &Value) -> Value {
    let mut example = json!({"why": "so it must be", "responder": "revoke-open-ingress", "expect": expect});
    example.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    example
}

fn event() -> Value {
    opened(1, "2026-11-20T10:00:00Z", "111122223333", "mallory")
}

/// One example of these policies, tried.
fn tried(test: &str, policies: &str, example: &Value) -> Value {
    let folder = Folder::with(test, policies);
    folder.file("policies/tests/x.json", example.to_string());
    folder.file("policies/events/open.json", event().to_string());
    let output = run(&["policy", "test", &folder.path("policies"), "--format", "json"]);
    let [tried] = objects(&output.stdout).try_into().unwrap();
    assert_eq!(code(&output) == 0, tried["passed"] == true, "{tried}");
    tried
}

#[test]
fn the_shipped_examples_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let [own, examples] = [root.clone(), root.join("examples")].map(|path| path.to_str().unwrap().to_owned());
    let output = run(&["policy", "test", &own, &examples]);
    assert_eq!(code(&output), 0, "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with(" passed, 0 failed\n"), "{}", text(&output.stdout));
    let checked = run(&["policy", "check", &own]);
    assert_eq!(code(&checked), 0, "the folder of examples is none of policies: {}", text(&checked.stdout));
}

#[test]
fn verdict_and_policy_must_both_be_as_expected() {
    let passes = |test: &str, expect: &str, more: &Value| {
        let mut example = example(expect, more);
        example["event"] = event();
        tried(test, PERMIT, &example)["passed"] == true
    };
    assert!(passes("verdict", "enforce", &json!({})));
    assert!(passes("policy", "enforce", &json!({"policy": "all"})));
    assert!(!passes("other-policy", "enforce", &json!({"policy": "every"})));
    assert!(!passes("other-verdict", "observe", &json!({})));
    assert!(!passes("finding", "none", &json!({})));
    assert!(!passes("no-finding", "enforce", &json!({"responder": "disable-access-key"})));
    assert!(passes("none", "none", &json!({"responder": "disable-access-key"})));
}

#[test]
fn time_tags_and_a_file_of_the_event_can_be_given() {
    let until = format!(
        "{PERMIT}@id(\"lab\") forbid (principal, action, resource) when {{ context.now < datetime(\"2026-12-01\") }};"
    );
    let file = json!({"event_file": "../events/open.json"});
    assert_eq!(tried("file", &until, &example("exempt", &file))["passed"], true);
    let later = json!({"event_file": "../events/open.json", "now": "2026-12-01T00:00:00Z"});
    assert_eq!(tried("later", &until, &example("enforce", &later))["passed"], true);

    let by_tag = format!(
        "{PERMIT}@id(\"by-tag\") forbid (principal, action, resource) when {{ resource.hasTag(\"x\") && resource.getTag(\"x\") == \"y\" }};"
    );
    let tagged = json!({"event_file": "../events/open.json", "tags": {"x": "y"}, "policy": "by-tag"});
    assert_eq!(tried("tagged", &by_tag, &example("exempt", &tagged))["passed"], true);
    assert_eq!(tried("untagged", &by_tag, &example("enforce", &file))["passed"], true);
}

#[test]
fn a_failure_says_what_was_expected_what_came_and_why() {
    let folder = Folder::with("failure", PERMIT);
    let mut example = example("exempt", &json!({"policy": "break-glas"}));
    example["event"] = event();
    folder.file("policies/tests/x.json", example.to_string());
    let output = run(&["policy", "test", &folder.path("policies")]);
    let expected = format!(
        "FAIL  {}: so it must be\n  expected    exempt by `break-glas`\n              no policy in the folder has this @id\n  \
         got         enforce: permitted by `all`\n0 passed, 1 failed\n",
        folder.path("policies/tests/x.json")
    );
    assert_eq!((code(&output), text(&output.stdout)), (1, expected.as_str()));
}

#[test]
fn what_is_no_example_fails() {
    let wrong = |test: &str, more: &Value| {
        let tried = tried(test, PERMIT, &example("enforce", more));
        assert_eq!(tried["passed"], false);
        tried["error"].as_str().unwrap().to_owned()
    };
    assert_eq!(wrong("no-event", &json!({})), "it needs an `event` or an `event_file`, and not both");
    assert!(wrong("misspelt", &json!({"event": event(), "polcy": "all"})).contains("unknown field `polcy`"));
    assert!(wrong("no-such-event", &json!({"event": {"a": 1}})).starts_with("its event cannot be read: "));
    assert!(wrong("no-file", &json!({"event_file": "gone.json"})).starts_with("its event cannot be read: "));
    assert!(wrong("no-responder", &json!({"event": event(), "responder": "x"})).contains("there is no responder `x`"));
    let mut untimed = event();
    untimed["eventTime"] = "yesterday".into();
    assert!(wrong("untimed", &json!({"event": untimed})).contains("needs a `now`"));

    let folder = Folder::with("no-tests", PERMIT);
    let output = run(&["policy", "test", &folder.path("policies")]);
    assert_eq!(code(&output), 1, "{}", text(&output.stdout));
    folder.file("policies/tests/README.md", "none");
    assert_eq!(code(&run(&["policy", "test", &folder.path("policies")])), 1);
}
