//! The deployed patterns let through what they must, and no more than their folders say.

use serde_json::Value;

use crate::folders::Folder;

/// The rules of the folder that match the event.
fn matching(folder: &Folder, event: &Value) -> Vec<String> {
    folder
        .rules()
        .into_iter()
        .map(|rule| rule.file)
        .filter(|file| {
            let pattern: Value = folder.json(file);
            stage::pattern::matches(&pattern, event)
                .unwrap_or_else(|error| panic!("`{}` is no valid pattern: {error}", folder.path(file)))
        })
        .collect()
}

#[test]
fn events_to_match_are_matched_by_one_rule() {
    for folder in Folder::all() {
        for (file, event) in folder.events("match") {
            let rules = matching(&folder, &event);
            assert_eq!(rules.len(), 1, "functions/{}/events/match/{file} is matched by {rules:?}", folder.name);
        }
    }
}

#[test]
fn every_rule_has_an_event() {
    for folder in Folder::all() {
        let events = folder.events("match");
        for rule in folder.rules() {
            let matched = events.iter().any(|(_, event)| matching(&folder, event).contains(&rule.file));
            assert!(matched, "no event of functions/{}/events/match is for {}", folder.name, rule.file);
        }
    }
}

#[test]
fn events_to_ignore_say_who_ignores_them() {
    for folder in Folder::all() {
        for (file, event) in folder.events("ignore") {
            let rules = matching(&folder, &event);
            let told = if file.starts_with("pattern-") {
                rules.is_empty()
            } else if file.starts_with("detect-") {
                !rules.is_empty()
            } else {
                panic!("functions/{}/events/ignore/{file} is neither pattern-… nor detect-…", folder.name)
            };
            assert!(told, "functions/{}/events/ignore/{file} is matched by {rules:?}", folder.name);
        }
    }
}

#[test]
fn no_spelling_of_the_detail_type_evades_a_pattern() {
    // One of them is in AWS's documentation, another in its events, a third in the documentation of AWS China.
    let spellings =
        ["AWS API Call via CloudTrail", "Amazon API Call via CloudTrail", "AWS Console Action via CloudTrail"];
    for folder in Folder::all() {
        for (file, mut event) in folder.events("match") {
            if event["detail"].get("eventName").is_none() {
                continue;
            }
            for spelling in spellings {
                event["detail-type"] = spelling.into();
                let rules = matching(&folder, &event);
                assert!(!rules.is_empty(), "functions/{}/events/match/{file} as `{spelling}`", folder.name);
            }
        }
    }
}
