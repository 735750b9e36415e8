//! What a change of policies alters.

use serde_json::{Value, json};

use crate::scene::{Folder, code, findings, key_made, log_file, opened, text};

const OLD: &str = "@id(\"keys\") permit (principal, action == Action::\"disable-access-key\", resource);
@id(\"ask\") @mode(\"approve\") permit (principal, action == Action::\"revoke-open-ingress\", resource);";

fn logs(test: &str, new: &str) -> Folder {
    let folder = Folder::with(test, new);
    folder.file("old/p.cedar", OLD);
    let records: Vec<Value> = (0..3)
        .map(|number| opened(number, "2026-11-20T10:00:00Z", "111122223333", "mallory"))
        .chain([key_made(9, "2026-11-20T11:00:00Z", "111122223333", "mallory", "bob")])
        .collect();
    folder.file("logs/x.json.gz", log_file(&records));
    folder
}

fn compared(folder: &Folder) -> (i32, Vec<Value>, Value) {
    let output = folder.backtest(&["--compare", &folder.path("old"), "--format", "json"]);
    let (lines, summary) = findings(&output);
    (code(&output), lines, summary["comparison"].clone())
}

#[test]
fn only_differences_are_told_with_the_policies_of_both() {
    let folder = logs("acts", "@id(\"act\") permit (principal, action, resource);");
    let (code, lines, comparison) = compared(&folder);
    assert_eq!((code, lines.len()), (3, 3));
    assert_eq!((&lines[0]["verdict"], &lines[0]["policies"]), (&json!("enforce"), &json!(["act"])));
    let before = json!({"verdict": "approve", "policies": ["ask"], "because": "a person must approve it, says `ask`"});
    assert_eq!(lines[0]["before"], before);
    let expected = json!({
        "unchanged": 1, "newly_acted_on": 3,
        "transitions": [{"from": "approve", "to": "enforce", "findings": 3, "live": 0}]
    });
    assert_eq!(comparison, expected);

    let human = folder.backtest(&["--compare", &folder.path("old")]);
    let human = text(&human.stdout);
    assert!(human.contains("approve → enforce") && human.contains("unchanged"), "{human}");
    assert!(human.contains("4 findings: 3 with another verdict, 3 would newly be acted on"), "{human}");
    assert!(!human.contains("bob") && !human.contains("disable-access-key"), "only differences: {human}");
}

#[test]
fn doing_less_is_a_difference_and_no_alarm() {
    let folder = logs("less", "@id(\"keys\") permit (principal, action == Action::\"disable-access-key\", resource);");
    let (code, lines, comparison) = compared(&folder);
    assert_eq!((code, lines.len(), &comparison["newly_acted_on"]), (0, 3, &json!(0)));
    assert_eq!(comparison["transitions"][0]["to"], "observe");
}

#[test]
fn the_same_policies_make_no_difference() {
    let (code, lines, comparison) = compared(&logs("same", OLD));
    assert_eq!((code, lines.len(), &comparison["unchanged"]), (0, 0, &json!(4)));
}
