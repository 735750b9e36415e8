//! The same findings in every form, none of which obeys what is in them.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{Folder, PERMIT, code, log_file, objects, opened, text};

/// Names that people choose who want more than a name.
const HOSTILE: [&str; 5] = [
    "<script>document.title='owned'</script>",
    "'><img src=x onerror=\"document.title='owned'\">",
    "=cmd|'/C calc'!A1",
    "@SUM(1+9)\",\"x\r\n=1",
    "\u{1b}]0;owned\u{7}\u{202e}nimda\u{0}\t",
];

fn hostile(test: &str) -> Folder {
    let folder = Folder::with(test, PERMIT);
    let records: Vec<Value> = (0..)
        .zip(HOSTILE)
        .map(|(number, name)| {
            let mut record = opened(number, "2026-11-20T10:00:00Z", "111122223333", name);
            record["eventID"] = name.into();
            record["awsRegion"] = name.into();
            record["userIdentity"] = json!({
                "type": "AssumedRole", "accountId": "111122223333",
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{}/{name}", "deploy"),
            });
            record
        })
        .collect();
    folder.file("logs/x.json.gz", log_file(&records));
    folder.file("logs/\u{1b}[31m\u{202e}.json", "{");
    folder
}

#[test]
fn nothing_that_a_terminal_would_obey_comes_out() {
    let folder = hostile("terminal");
    for format in ["human", "json", "csv", "html", "ocsf"] {
        let output = folder.backtest(&["--format", format]);
        assert_eq!(code(&output), 1, "{format}");
        for out in [text(&output.stdout), text(&output.stderr)] {
            let obeyed = |char: char| !"\r\n".contains(char) && (char.is_control() || char == '\u{202e}');
            assert!(!out.contains(obeyed), "{format}: {out:?}");
        }
    }
}

#[test]
fn a_cell_is_never_computed_and_a_row_is_a_finding() {
    let folder = hostile("csv");
    let path = folder.path("out.csv");
    let output = folder.backtest(&["--format", "csv", "--output", &path]);
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).starts_with("5 findings: 5 would be acted on in "), "{}", text(&output.stderr));
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(&headings[..3], ["event_id", "event_time", "event_name"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), HOSTILE.len());
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
    }
    assert!(rows.iter().flatten().any(|cell| cell == "'=cmd|'/C calc'!A1"), "{rows:?}");
}

#[test]
fn a_page_needs_nothing_else_and_runs_nothing() {
    let folder = hostile("html");
    let output = folder.backtest(&["--format", "html"]);
    let page = text(&output.stdout);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'; script-src 'none'"), "{page}");
    for mark in ["<script", "<img", "<svg", "<link", "onerror=\"", "src=\"", "href=\"http"] {
        assert!(!page.contains(mark), "{mark} in {page}");
    }
    assert!(page.contains("&lt;script&gt;document.title='owned'&lt;/script&gt;"), "{page}");
    assert!(page.contains("What could not be read"), "{page}");
}

#[test]
fn a_long_run_shows_the_worst_and_says_where_the_rest_is() {
    let folder = Folder::with("long", PERMIT);
    let records: Vec<Value> =
        (0..1200).map(|number| opened(number, "2026-11-20T10:00:00Z", "111122223333", "mallory")).collect();
    folder.file("logs/x.json.gz", log_file(&records));
    let human = folder.backtest(&[]);
    let human = text(&human.stdout);
    assert_eq!(human.lines().filter(|line| line.starts_with("2026-11-20T10:00:00Z")).count(), 25, "{human}");
    assert!(human.contains("25 of 1200: ") && human.contains("--format json and --format csv"), "{human}");
    let page = folder.backtest(&["--format", "html"]);
    let page = text(&page.stdout);
    assert_eq!(page.matches("revoke-open-ingress<span").count(), 1000, "as many rows as a browser can show");
    assert!(page.contains("The first 1000 of 1200."));
}

/// OCSF schema 1.4.0, class `detection_finding` with profile `cloud`: what is required, and of the objects in it.
const REQUIRED: [&str; 14] = [
    "/activity_id",
    "/category_uid",
    "/class_uid",
    "/cloud/provider",
    "/evidences/0/api/operation",
    "/finding_info/analytic/type_id",
    "/finding_info/uid",
    "/finding_info/related_events/0/uid",
    "/metadata/product/name",
    "/metadata/product/vendor_name",
    "/metadata/version",
    "/severity_id",
    "/time",
    "/type_uid",
];

#[test]
fn an_ocsf_detection_finding_has_what_the_schema_requires() {
    let policies = format!("{PERMIT}@id(\"no\") forbid (principal, action, resource in Account::\"444455556666\");");
    let folder = Folder::with("ocsf", &policies);
    let mut session = opened(1, "2026-11-20T10:00:00Z", "111122223333", "x");
    session["userIdentity"] =
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/alice"});
    let exempt = opened(2, "2026-11-20T10:00:01Z", "444455556666", "mallory");
    folder.file("logs/x.json.gz", log_file(&[session, exempt]));
    let path = folder.path("out.jsonl");
    folder.backtest(&["--format", "ocsf", "--output", &path]);
    let lines = objects(&fs::read(&path).unwrap());
    assert_eq!(lines.len(), 2, "no line but findings");
    for line in &lines {
        for pointer in REQUIRED {
            assert!(line.pointer(pointer).is_some_and(|value| !value.is_null()), "{pointer} in {line:#}");
        }
        let uid = |name: &str| line[name].as_u64().unwrap();
        assert_eq!((uid("class_uid"), uid("category_uid"), uid("activity_id")), (2004, 2, 1));
        assert_eq!(uid("type_uid"), uid("class_uid") * 100 + uid("activity_id"));
        assert_eq!((&line["metadata"]["version"], &line["metadata"]["profiles"]), (&json!("1.4.0"), &json!(["cloud"])));
        assert_eq!((&line["severity_id"], &line["severity"]), (&json!(4), &json!("High")));
        assert_eq!(line["evidences"][0]["api"]["operation"], "AuthorizeSecurityGroupIngress");
    }
    let [session, exempt] = lines.try_into().unwrap();
    assert_eq!((&session["time"], &session["status_id"]), (&json!(1_795_168_800_000_u64), &json!(1)));
    assert_eq!((&exempt["status_id"], &exempt["status"]), (&json!(3), &json!("Suppressed")));
    let cloud = json!({"provider": "AWS", "region": "eu-west-1", "account": {"uid": "111122223333", "type_id": 10, "type": "AWS Account"}});
    assert_eq!(session["cloud"], cloud);
    let actor = &session["evidences"][0]["actor"];
    assert_eq!(actor["user"]["uid"], "arn:aws:iam::111122223333:role/deploy");
    assert_eq!((&actor["user"]["type_id"], &actor["session"]["uid"]), (&json!(99), &json!("alice")));
    let resource = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-00000000000000001";
    assert_eq!(session["resources"][0]["uid"], resource);
}
