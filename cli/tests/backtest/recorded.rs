//! Events that others recorded, where they lie beside the repository: `../shared/events`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scene::{Folder, PERMIT, findings, objects, run, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn events(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join("../shared/events").join(folder)) else { return Vec::new() };
    let mut paths: Vec<String> = entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

fn key(line: &Value) -> (String, String, String) {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    (text("responder"), text("event_id"), text("resource"))
}

#[test]
fn every_file_is_found_to_hold_what_explain_finds() {
    let folder = Folder::with("explained", PERMIT);
    for path in events("cloudtrail").into_iter().chain(events("envelopes")) {
        let given = [path.as_str(), "--policies", &folder.path("policies"), "--format", "json"];
        let explained = objects(&run(&[&["explain"][..], &given].concat()).stdout);
        let (found, summary) = findings(&run(&[&["backtest"][..], &given].concat()));
        let verdicts = |lines: &[Value]| -> BTreeMap<_, Value> {
            lines.iter().map(|line| (key(line), line["verdict"].clone())).collect()
        };
        let (explained, found) = (verdicts(&explained), verdicts(&found));
        assert_eq!(found, explained, "{path}");
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (responder, _, _) in explained.keys() {
            *counts.entry(responder).or_default() += 1;
        }
        let by_responder = summary["by_responder"]["top"].as_array().unwrap();
        let counted: BTreeMap<&str, u64> = by_responder
            .iter()
            .map(|group| (group["name"].as_str().unwrap(), group["findings"].as_u64().unwrap()))
            .collect();
        assert_eq!(counted, counts, "{path}");
    }
}

/// The rows of a table in the docs, as the texts in backticks of the first columns.
fn documented(table: &str, columns: usize) -> BTreeSet<Vec<String>> {
    let docs = fs::read_to_string(root().join("docs/backtest.md")).unwrap();
    let begin = format!("<!-- {table} -->");
    let rows = docs.split(&begin).nth(1).unwrap_or_else(|| panic!("no {begin}")).trim_start().lines();
    rows.take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            line.split('|').skip(1).take(columns).map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect()
}

#[test]
fn labelled_records_are_decided_as_labelled_or_the_docs_say_why_not() {
    let Some(path) = events("labelled").pop() else { return };
    let cases = objects(&fs::read(path).unwrap());
    let folder = Folder::with("labelled", PERMIT);
    let numbered: Vec<String> = (0..)
        .zip(&cases)
        .map(|(number, case)| {
            let mut event = case["event"].clone();
            event["eventID"] = format!("case {number}").into();
            // Some have ids of accounts that are none; what is asked here is not about accounts.
            if event["recipientAccountId"].as_str().is_none_or(|id| id.len() != 12) {
                event["recipientAccountId"] = "123456789012".into();
            }
            event.to_string()
        })
        .collect();
    folder.file("logs/cases.jsonl", numbered.join("\n"));
    let output = folder.backtest(&["--format", "json"]);
    let (found, _) = findings(&output);
    let by_event: BTreeMap<&str, &str> =
        found.iter().map(|line| (line["event_id"].as_str().unwrap(), line["responder"].as_str().unwrap())).collect();

    let covered: BTreeMap<String, String> =
        documented("rules", 2).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let mut differences = BTreeSet::new();
    let mut decided = 0;
    for (number, case) in cases.iter().enumerate() {
        let (rule, test) = (case["rule_id"].as_str().unwrap(), case["test_name"].as_str().unwrap());
        let expected = case["expected"] == true;
        let got = by_event.get(format!("case {number}").as_str()).copied();
        let responder = covered.get(rule).map(String::as_str);
        decided += usize::from(responder.is_some());
        // A rule that asks about something else says nothing where it says no.
        if responder.is_some() && (expected != (got == responder)) {
            let said = |finding| if finding { "finding" } else { "none" };
            differences.insert([rule, test, said(expected), said(got.is_some())].map(str::to_owned).to_vec());
        }
    }
    assert!(decided > 0 && !found.is_empty(), "{}", text(&output.stderr));
    assert_eq!(differences, documented("differences", 4));
}

fn found_in(name: &str, file: &str) -> Option<(Vec<Value>, Vec<Value>)> {
    let path = events("cloudtrail").into_iter().find(|path| path.ends_with(file))?;
    let folder = Folder::with(name, PERMIT);
    let output = run(&["backtest", &path, "--policies", &folder.path("policies"), "--format", "json"]);
    Some((findings(&output).0, objects(&fs::read(path).unwrap())))
}

/// Stratus Red Team carried out attack techniques in an account of its own. Those that took effect and that a responder
/// answers are found, and nothing else that it did is.
#[test]
fn what_stratus_red_team_did_is_found() {
    let Some((found, records)) = found_in("stratus", "DataDog__stratus-red-team.jsonl") else { return };
    assert!(records.len() > 100);
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let mut found: Vec<_> = found.iter().map(|line| [text(line, "event_name"), text(line, "responder")]).collect();
    found.sort();
    let expected = [
        ["AddPermission20150331v2", "revoke-function-access"],
        ["AttachUserPolicy", "detach-admin-policy"],
        ["CreateAccessKey", "disable-access-key"],
        ["CreateLoginProfile", "deny-console-login"],
        ["ModifyImageAttribute", "unshare-image"],
        ["ModifySnapshotAttribute", "unshare-snapshot"],
        ["PutEventSelectors", "restart-trail"],
        ["SharedSnapshotCopyInitiated", "unshare-snapshot"],
        ["StopLogging", "restart-trail"],
        ["UpdateAssumeRolePolicy", "restore-role-trust"],
    ];
    assert_eq!(found, expected.map(|pair| pair.map(str::to_owned)));
}

/// Most of what `TrailDiscover` tried was refused.
#[test]
fn no_call_that_failed_is_a_finding() {
    let Some((found, records)) = found_in("traildiscover", "adanalvarez__TrailDiscover.jsonl") else { return };
    let failed: BTreeSet<&str> = records
        .iter()
        .filter(|record| !record["errorCode"].is_null() || record["responseElements"]["ConsoleLogin"] == "Failure")
        .map(|record| record["eventID"].as_str().unwrap())
        .collect();
    assert!(failed.len() > 50, "{}", failed.len());
    let acted: Vec<_> = found.iter().filter(|line| failed.contains(line["event_id"].as_str().unwrap())).collect();
    assert!(acted.is_empty(), "{acted:#?}");
}
