//! `countermand report` as its users run it, from a file. Nothing here needs AWS.

#![expect(clippy::unwrap_used, reason = "a test whose helpers cannot run the command has failed")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const CHROMIUM: &str = "/usr/bin/chromium";

/// Names that people choose who want more than a name.
const HOSTILE: [&str; 8] = [
    "<script>document.title='owned'</script>",
    "\"><x-injected onmouseover=alert(1)>",
    "'><img src=x onerror=\"document.title='owned'\">",
    "</td></table></title></style><x-injected>",
    "<!-- <x-injected> --!> <svg/onload=document.title='owned'>",
    "=cmd|'/C calc'!A1",
    "@SUM(1+9)*cmd|' /C calc'!A0\",\"x\r\n=1",
    "\u{1b}]0;owned\u{7}\u{202e}nimda\u{0}\t",
];

/// A folder of this test's own, with a file of incidents.
fn folder(test: &str, incidents: &[Value]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let lines: Vec<String> = incidents.iter().map(Value::to_string).collect();
    fs::write(folder.join("incidents.jsonl"), lines.join("\n")).unwrap();
    folder
}

/// An incident as `incidents show --format json` tells it, with a hostile text wherever there can be one.
fn incident(text: &str, state: &str, hour: u32) -> Value {
    let at = format!("2026-11-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
    let contained = format!("2026-11-{:02}T{:02}:00:03Z", 1 + hour / 24, hour % 24);
    json!({
        "incident": format!("{hour:020x}"), "state": state, "opened": contained, "responder": "revoke-open-ingress",
        "event_id": text, "event_name": text, "event_time": at, "account": "123456789012", "region": "eu-west-1",
        "actor": text, "resource": format!("arn:aws:ec2:eu-west-1:123456789012:security-group/{text}"),
        "certainty": "event", "severity": 70, "verdict": "enforce", "policies": [text], "because": text,
        "contained": if state == "contained" { Some(contained) } else { None }, "undone": null, "error": text,
        "user_agent": text, "tags": { (text): text },
        "identity": { "principal": { "federated": text }, "account": null, "session": text, "accessKeyId": text,
            "invokedBy": text, "mfa": null },
        "causes": [{ "id": text, "reason": text }], "facts": { (text): text }, "before": { (text): text },
        "plan": [{ (text): text }],
        "receipt": [{ "key": text, "did": text, "change": { (text): text }, "at": at, "presumed": false,
            "undone": null }],
    })
}

fn hostile() -> Vec<Value> {
    let states = ["contained", "pending", "observed", "failed"];
    let texts = HOSTILE.iter().zip(states.iter().cycle()).zip(0..);
    texts.map(|((text, state), hour)| incident(text, state, hour * 11)).collect()
}

fn report(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countermand"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command.args(["report", "--incidents", "incidents.jsonl"]).args(arguments).output().unwrap()
}

fn text(output: &Output) -> &str {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn a_page_shows_what_it_does_not_obey() {
    let folder = folder("report-html", &hostile());
    let output = report(&folder, &[]);
    let page = text(&output);
    assert!(page.starts_with("<!DOCTYPE html>"));
    for obeyed in ["<script", "<x-injected", "<img", "<svg/", "<!--", "\u{1b}", "\u{202e}", "\u{0}", "\u{7}"] {
        assert!(!page.contains(obeyed), "{obeyed:?}");
    }
    for shown in
        ["&lt;script&gt;document.title", "&quot;&gt;&lt;x-injected", r"\u{1b}]0;owned\u{7}\u{202e}nimda\u{0}\t"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    for part in [
        "2 contained incidents",
        "median to contain",
        "CIS AWS Foundations Benchmark v5.0.0",
        "countermand incidents undo ",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_table_has_one_row_an_incident_and_nothing_to_compute() {
    let folder = folder("report-csv", &hostile());
    let output = report(&folder, &["--format", "csv"]);
    let table = text(&output);
    let lines: Vec<&str> = table.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + HOSTILE.len(), "{table}");
    assert!(lines[0].starts_with("\"incident\",\"state\",\"opened\",\"responder\",\"event_name\","), "{table}");
    assert!(table.contains(r#","'=cmd|'/C calc'!A1","#), "{table}");
    assert!(table.contains(r#","'@SUM(1+9)*cmd|' /C calc'!A0"",""x\r\n=1","#), "{table}");
    for begin in [",\"=", ",\"+", ",\"-", ",\"@", "\t", "\n\n"] {
        assert!(!table.contains(begin), "{begin:?} in {table}");
    }
}

#[test]
fn json_is_read_again() {
    let folder = folder("report-json", &hostile());
    let lines = text(&report(&folder, &["--format", "json"])).to_owned();
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.iter().map(|object| &object["actor"]).collect::<Vec<_>>(), HOSTILE.iter().collect::<Vec<_>>());

    fs::write(folder.join("incidents.jsonl"), &lines).unwrap();
    assert_eq!(text(&report(&folder, &["--format", "json"])), lines);

    let global = Command::new(env!("CARGO_BIN_EXE_countermand"))
        .args(["--format", "json", "report", "--incidents", "incidents.jsonl"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(text(&global), lines, "the global format is heard");
}

#[test]
fn a_report_is_of_the_period_it_is_asked_for() {
    let folder = folder("report-period", &hostile());
    let count =
        |arguments: &[&str]| text(&report(&folder, &[&["--format", "json"], arguments].concat())).lines().count();
    assert_eq!(count(&[]), 8);
    assert_eq!(count(&["--from", "2026-11-02"]), 5);
    assert_eq!(count(&["--from", "2026-11-02", "--to", "2026-11-02T12:00:00Z"]), 1);
    assert_eq!(count(&["--to", "2026-11-01"]), 0);

    let written = report(&folder, &["--to", "2026-11-02", "--output", "page.html"]);
    assert_eq!(text(&written), "");
    assert_eq!(String::from_utf8(written.stderr).unwrap(), "3 incidents in page.html\n");
    assert!(fs::read_to_string(folder.join("page.html")).unwrap().starts_with("<!DOCTYPE html>"));
}

#[test]
fn what_is_wrong_is_said() {
    let folder = folder("report-wrong", &hostile());
    let fails = |arguments: &[&str]| {
        let output = report(&folder, arguments);
        assert!(output.stdout.is_empty(), "{arguments:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = fails(&["--from", "2026-11-02", "--to", "2026-11-01"]);
    assert_eq!((code, said.contains("the period ends before it begins")), (2, true), "{said}");
    let (code, said) = fails(&["--output", "no/such/folder/page.html"]);
    assert_eq!((code, said.contains("cannot write the report")), (1, true), "{said}");
    assert_eq!(fails(&["--format", "xml"]).0, 2);
    let (code, said) = fails(&["--region", "eu-west-1"]);
    assert_eq!((code, said.contains("cannot be used with")), (2, true), "{said}");

    fs::write(folder.join("incidents.jsonl"), "{\"incident\":\"1\"}\n").unwrap();
    let (code, said) = fails(&[]);
    assert_eq!((code, said.contains("line 1 is no incident")), (1, true), "{said}");
    fs::remove_file(folder.join("incidents.jsonl")).unwrap();
    assert_eq!(fails(&[]).0, 1);

    let neither = Command::new(env!("CARGO_BIN_EXE_countermand")).arg("report").env_clear().output().unwrap();
    assert_eq!(neither.status.code(), Some(2), "a table, or a file");
}

/// What a browser made of the page, as HTML.
fn rendered(folder: &Path, page: &str) -> String {
    let (dom, profile) = (folder.join("dom.html"), folder.join("profile"));
    fs::create_dir_all(&profile).unwrap();
    let mut chromium = Command::new(CHROMIUM)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", folder.join(page).display()))
        .stdin(Stdio::null())
        .stdout(fs::File::create(&dom).unwrap())
        .stderr(fs::File::create(folder.join("chromium.log")).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    let status = loop {
        if let Some(status) = chromium.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > deadline {
            chromium.kill().unwrap();
            chromium.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.is_some_and(|status| status.success()), "{status:?}: see chromium.log in {}", folder.display());
    fs::read_to_string(dom).unwrap()
}

/// Says that a test did not run, past the capture of what tests print.
fn skip(why: &str) {
    std::io::stderr().write_all(format!("\n*** SKIPPED: {why} ***\n").as_bytes()).unwrap();
}

#[test]
fn a_browser_finds_nothing_injected() {
    if !Path::new(CHROMIUM).exists() {
        return skip("no page was opened in a browser, as there is no /usr/bin/chromium: apt-get install chromium");
    }
    let folder = folder("report-chromium", &hostile());
    text(&report(&folder, &["--output", "page.html"]));
    let dom = rendered(&folder, "page.html");
    assert!(
        dom.contains("&lt;x-injected onmouseover=alert(1)&gt;"),
        "the page was not rendered: see {}",
        folder.display()
    );
    assert!(dom.contains("<title>Countermand report, "), "a script has run: see {}", folder.display());
    assert_eq!(dom.matches("<article").count(), HOSTILE.len(), "an article was cut short or doubled");
    // In the text of a page every `<` is escaped: what is between one and the next `>` is an element of ours, or not.
    for element in dom.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let (name, attributes) = element.split_once(' ').unwrap_or((element, ""));
        assert!(!["script", "x-injected", "img", "!--"].contains(&name) && !attributes.contains(" on"), "<{element}>");
        assert!(!attributes.starts_with("on") && !attributes.contains("owned"), "<{element}>");
    }

    // Would the assertions above see it? The same page, made careless, and without its policy.
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    let careless = page.replace("Content-Security-Policy", "x").replace("&lt;", "<").replace("&gt;", ">");
    fs::write(folder.join("careless.html"), careless.replace("&quot;", "\"")).unwrap();
    let dom = rendered(&folder, "careless.html");
    assert!(dom.contains("<x-injected") && dom.contains("<title>owned</title>"), "see {}", folder.display());

    // And the policy alone, with all escapes gone, stops the scripts.
    let guarded = page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    fs::write(folder.join("guarded.html"), guarded).unwrap();
    let dom = rendered(&folder, "guarded.html");
    assert!(dom.contains("<x-injected") && dom.contains("<title>Countermand report, "), "see {}", folder.display());
}
