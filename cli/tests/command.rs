//! The command as its users run it: what it prints, and how it ends. Nothing here needs AWS.

#![expect(clippy::unwrap_used, reason = "a test whose helpers cannot run the command has failed")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const PERMIT_ALL: &str = "@id(\"all\")\npermit (principal, action, resource);\n";

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn of(test: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(test));
        drop(fs::remove_dir_all(&folder.0));
        fs::create_dir_all(&folder.0).unwrap();
        for (name, text) in files {
            fs::write(folder.0.join(name), text).unwrap();
        }
        folder
    }

    fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countermand"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The example events of all responders: responder and path.
fn events(kind: &str) -> Vec<(String, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let list = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let of = |function: PathBuf| list(function.join("events").join(kind)).map(move |event| (name(&function), event));
    list(functions).flat_map(of).map(|(responder, event)| (responder, event.to_str().unwrap().to_owned())).collect()
}

fn ssh_from_anywhere() -> String {
    events("match").into_iter().map(|(_, path)| path).find(|path| path.ends_with("ssh-from-anywhere.json")).unwrap()
}

#[test]
fn every_example_is_explained_as_its_folder_says() {
    let policies = Folder::of("examples", &[("p.cedar", PERMIT_ALL)]);
    let fields = [
        "event_id",
        "event_time",
        "event_name",
        "account",
        "region",
        "actor",
        "responder",
        "resource",
        "certainty",
        "severity",
        "verdict",
        "policies",
        "because",
        "facts",
        "plan",
        "undo",
        "live",
    ];
    for (responder, path) in events("match") {
        let output = run(&["explain", &path, "--policies", &policies.path(""), "--format", "json"]);
        if path.ends_with("alarm.json") {
            // An alarm names no resource: only the account can tell what it is about.
            assert_eq!((code(&output), text(&output.stdout)), (0, ""), "{path}");
            continue;
        }
        assert_eq!((code(&output), text(&output.stderr)), (3, ""), "{path}");
        let findings = objects(&output);
        assert!(findings.iter().any(|finding| finding["responder"] == responder.as_str()), "{path}: {findings:?}");
        for finding in &findings {
            let finding = finding.as_object().unwrap();
            assert!(fields.iter().all(|field| finding.contains_key(*field)), "{path}: {finding:?}");
            assert!(finding.keys().all(|key| fields.contains(&key.as_str()) || key == "next_step"), "{finding:?}");
            assert_eq!(finding["plan"].as_array().unwrap().len(), finding["undo"].as_array().unwrap().len(), "{path}");
            assert!(finding["certainty"] == "event" || finding["live"] == true, "{path}");
        }
    }
    for (responder, path) in events("ignore") {
        let output = run(&["explain", &path, "--policies", &policies.path(""), "--format=json"]);
        assert!(matches!(code(&output), 0 | 3), "{path}: {}", text(&output.stderr));
        // What one of them ignores may be another's finding.
        let findings = objects(&output);
        assert!(findings.iter().all(|finding| finding["responder"] != responder.as_str()), "{path}: {findings:?}");
    }
}

#[test]
fn an_explanation_says_what_who_why_and_how_it_is_taken_back() {
    let permit = "@id(\"ports\") @limit(\"5/1h\")\npermit (principal, action, resource);\n";
    let policies = Folder::of("explanation", &[("p.cedar", permit)]);
    let path = ssh_from_anywhere();
    let output = run(&["--format", "json", "explain", &path, "--policies", &policies.path("")]);
    let mut finding = objects(&output).pop().unwrap();
    assert_eq!(finding["facts"].as_object_mut().unwrap().remove("sensitivePorts"), Some(json!([22])));
    finding.as_object_mut().unwrap().remove("facts");
    assert_eq!(
        finding,
        json!({
            "event_id": "b4e3d14e-7519-479e-aa35-2f776d75a905", "event_time": "2026-11-20T10:15:04Z",
            "event_name": "AuthorizeSecurityGroupIngress", "account": "123456789012", "region": "eu-west-1",
            "actor": "arn:aws:iam::123456789012:user/mallory", "responder": "revoke-open-ingress",
            "resource": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b2c3d4e5f67890",
            "certainty": "event", "severity": 70, "verdict": "enforce", "policies": ["ports"],
            "because": "permitted by `ports`",
            "plan": ["revoke tcp/22 from 0.0.0.0/0 in sg-0a1b2c3d4e5f67890 (sgr-001f1e2d3c4b5a697)"],
            "undo": ["authorize tcp/22 from 0.0.0.0/0 in sg-0a1b2c3d4e5f67890 again"], "live": false
        })
    );

    let human = run(&["explain", &path, "--policies", &policies.path("")]);
    let human = text(&human.stdout);
    for part in ["verdict     enforce: permitted by `ports`", "1. revoke tcp/22", "at most 5/1h", "user/mallory"] {
        assert!(human.contains(part), "{part} in\n{human}");
    }
    assert!(human.ends_with("\n1 event: 1 finding; 1 would be acted on\n"), "{human}");
    assert!(!human.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn the_exit_code_is_the_verdict() {
    let path = ssh_from_anywhere();
    let end = |test: &str, policy: &str| {
        let policies = Folder::of(test, &[("p.cedar", policy)]);
        let output = run(&["explain", &path, "--format", "json", "--policies", &policies.path("")]);
        let verdict = objects(&output).pop().map(|finding| finding["verdict"].as_str().unwrap().to_owned());
        (code(&output), verdict.unwrap_or_default())
    };
    let ask = "@id(\"ask\") @mode(\"approve\")\npermit (principal, action, resource);";
    let forbid = format!("{PERMIT_ALL}@id(\"no\") @reason(\"CHG-1\")\nforbid (principal, action, resource);");
    assert_eq!(end("ask", ask), (3, "approve".to_owned()));
    assert_eq!(end("exempt", &forbid), (0, "exempt".to_owned()));
    assert_eq!(end("observe", ""), (0, "observe".to_owned()));
}

#[test]
fn tags_make_it_depend_on_live_state() {
    let policy = format!(
        "{PERMIT_ALL}@id(\"by-tag\")\nforbid (principal, action, resource is SecurityGroup)\nwhen {{ resource.hasTag(\"ok\") }};"
    );
    let policies = Folder::of("tags", &[("p.cedar", &policy)]);
    let (path, folder) = (ssh_from_anywhere(), policies.path(""));
    let output = run(&["explain", &path, "--policies", &folder]);
    let human = text(&output.stdout);
    assert!(human.contains("depends on live state"), "{human}");
    assert!(human.contains("ec2:DescribeSecurityGroupRules: ") && human.contains("policy `by-tag`"), "{human}");
    assert!(!human.contains("ec2:RevokeSecurityGroupIngress:"), "only what looks: {human}");
    let output = run(&["explain", &path, "--policies", &folder, "--format", "json"]);
    assert_eq!(objects(&output)[0]["live"], true);
}

#[test]
fn our_own_calls_are_no_findings() {
    let policies = Folder::of("own", &[("p.cedar", PERMIT_ALL)]);
    let mut event: Value = serde_json::from_str(&fs::read_to_string(ssh_from_anywhere()).unwrap()).unwrap();
    let role = "arn:aws:iam::123456789012:role/countermand";
    event["detail"]["userIdentity"] =
        json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role}}});
    let events = Folder::of("own-events", &[("e.json", &event.to_string())]);
    let arguments = ["explain", &events.path("e.json"), "--policies", &policies.path("")];
    assert_eq!(code(&run(&arguments)), 3);
    let own =
        command(&arguments).env("COUNTERMAND_OWN_ROLES", format!("arn:aws:iam::1:role/x, {role}")).output().unwrap();
    assert_eq!(code(&own), 0, "{}", text(&own.stderr));
}

#[test]
fn what_cannot_be_read_is_told_and_hides_nothing_else() {
    let good = fs::read_to_string(ssh_from_anywhere()).unwrap();
    let good: Value = serde_json::from_str(&good).unwrap();
    let mut unreadable = good["detail"].clone();
    unreadable["requestParameters"] = json!({"groupId": 7});
    let lines = format!("{good}\n{{\"eventName\": }}\n{unreadable}\n{}\n", good["detail"]);
    let files = Folder::of("unreadable", &[("lines.jsonl", &lines), ("p.cedar", PERMIT_ALL)]);
    let (lines, missing) = (files.path("lines.jsonl"), files.path("missing.json"));
    let output = run(&["explain", &missing, &lines, "--policies", &files.path(""), "--format", "json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(objects(&output).len(), 2, "the envelope and the bare record");
    let errors: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with(&format!("error: cannot read `{missing}`: ")), "{errors:?}");
    assert!(errors[1].starts_with(&format!("error: {lines}:2: this is not JSON")), "{errors:?}");
    assert!(errors[2].starts_with(&format!("error: {lines}:3: revoke-open-ingress cannot read")), "{errors:?}");

    let output = run(&["explain", &lines, "--policies", &files.path("nowhere")]);
    assert_eq!((code(&output), text(&output.stdout)), (1, ""));
    assert!(text(&output.stderr).contains("\nhelp: name the folder"), "{}", text(&output.stderr));
}

#[test]
fn standard_input_and_log_files_are_read() {
    let event: Value = serde_json::from_str(&fs::read_to_string(ssh_from_anywhere()).unwrap()).unwrap();
    let policies = Folder::of("stdin", &[("p.cedar", PERMIT_ALL)]);
    let folder = policies.path("");
    let mut child = command(&["explain", "-", "--policies", &folder, "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = json!({"Records": [event["detail"], event["detail"]]});
    child.stdin.take().unwrap().write_all(log.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), objects(&output).len()), (3, 2));
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let hostile = "x\u{1b}[2J\u{1b}]0;pwned\u{7}\r\u{9b}31m\u{202e}nimda\u{200b}\u{feff}\nverdict observe";
    let mut event: Value = serde_json::from_str(&fs::read_to_string(ssh_from_anywhere()).unwrap()).unwrap();
    let arn = format!("arn:aws:iam::123456789012:user/{hostile}");
    event["detail"]["userIdentity"]["arn"] = arn.clone().into();
    event["detail"]["eventID"] = hostile.into();
    event["detail"]["awsRegion"] = hostile.into();
    let policy = "@id(\"p\") @reason(\"\u{1b}[31m\")\npermit (principal, action, resource);";
    let broken = "{\"detail-type\": \"\u{202e}\u{9b}\"";
    let files = Folder::of("hostile", &[("e.json", &event.to_string()), ("b.json", broken), ("p.cedar", policy)]);
    let (event, bad) = (files.path("e.json"), files.path("b.json"));
    for format in ["human", "json"] {
        let output =
            run(&["explain", &event, &bad, "\u{1b}[31m.json", "--policies", &files.path(""), "--format", format]);
        for out in [text(&output.stdout), text(&output.stderr)] {
            let obeyed = |char: char| char != '\n' && (char.is_control() || "\u{202e}\u{200b}\u{feff}".contains(char));
            assert!(!out.contains(obeyed), "{out:?}");
        }
        if format == "json" {
            let finding = objects(&output).pop().unwrap();
            assert_eq!((&finding["actor"], &finding["event_id"]), (&json!(arn), &json!(hostile)));
        } else {
            let human = text(&output.stdout);
            assert!(human.contains(r"user/x\u{1b}[2J\u{1b}]0;pwned\u{7}\r\u{9b}31m\u{202e}nimda"), "{human}");
        }
    }
}

#[test]
fn policies_are_checked_with_places_and_help() {
    let good = Folder::of("good", &[("p.cedar", PERMIT_ALL)]);
    let output = run(&["policy", "check", &good.path("")]);
    assert_eq!((code(&output), text(&output.stdout)), (0, "ok: 1 permit, 0 forbid in 1 file\n"));

    let bad = "@id(\"a\")\npermit (principal, action == Action::\"revoke-open-ingres\", resource);\n\n\
        @id(\"b\")\n@limit(\"often\")\npermit (principal, action == Action::\"revoke-open-ingress\", resource)\n\
        when { context.sensitivePort == 22 };\n";
    let units = "{\"1\": []}";
    let bad = Folder::of(
        "bad",
        &[
            ("a.cedar", bad),
            ("b.cedar", "@id(\"a\")\nforbid (principal, action, resource);\n"),
            ("organization.json", units),
        ],
    );
    let output = run(&["policy", "check", &bad.path("")]);
    let human = text(&output.stdout);
    assert_eq!(code(&output), 1, "{human}");
    for (file, line) in [("a.cedar", 2), ("a.cedar", 5), ("a.cedar", 7), ("b.cedar", 1), ("organization.json", 1)] {
        let begin = format!("{}:{line}:", bad.path(file));
        assert!(
            human.lines().any(|line| line.starts_with(&begin) && line.contains(": error: ")),
            "{begin} in\n{human}"
        );
    }
    assert!(human.contains("\n  help: "), "{human}");

    let output = run(&["policy", "check", &bad.path(""), "--format", "json"]);
    assert_eq!(code(&output), 1);
    let problems = objects(&output);
    assert!(problems.len() >= 5, "{problems:?}");
    for problem in problems {
        assert!(problem["line"].is_u64() && problem["col"].is_u64() && problem["message"].is_string(), "{problem}");
        assert_eq!(problem["level"], "error");
    }
}

#[test]
fn the_responders_are_listed() {
    let output = run(&["responders", "--format", "json"]);
    let names: Vec<Value> = objects(&output).into_iter().map(|responder| responder["name"].clone()).collect();
    let mut folders: Vec<Value> = events("match").into_iter().map(|(responder, _)| responder.into()).collect();
    folders.sort_by_key(Value::to_string);
    folders.dedup();
    assert_eq!((code(&output), names), (0, folders));
    assert!(text(&run(&["responders"]).stdout).contains("ec2:RevokeSecurityGroupIngress"));
}

#[test]
fn usage_and_completions() {
    let mistakes: [&[&str]; 9] = [
        &["explain"],
        &["incidents", "list"],
        &["incidents", "list", "--table", "t", "--since", "yesterday"],
        &["incidents", "list", "--table", "t", "--state", "open"],
        &["incidents", "undo", "1", "--table", "t"], // nobody is there to be asked
        &["incidents", "undo", "--table", "t", "--yes"],
        &["incidents", "undo", "1", "--actor", "mallory", "--table", "t", "--yes"],
        &["incidents", "undo", "--since", "1d", "--until", "2d", "--table", "t", "--yes"],
        &["incidents", "list", "--since", "1d", "--until", "2d", "--table", "t"],
    ];
    for mistake in mistakes {
        let output = run(mistake);
        assert_eq!((code(&output), text(&output.stdout)), (2, ""), "{mistake:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{mistake:?}");
    }
    assert_eq!(code(&run(&["--help"])), 0);
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("explain"), "{shell}");
    }
}

#[test]
fn a_reader_who_has_read_enough_is_no_failure() {
    let policies = Folder::of("pipe", &[("p.cedar", PERMIT_ALL)]);
    let (path, folder) = (ssh_from_anywhere(), policies.path(""));
    let many: Vec<&str> = std::iter::repeat_n(path.as_str(), 500).collect();
    let arguments = [&["explain", "--policies", &folder], many.as_slice()].concat();
    let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (0, ""));
}

#[test]
fn whoever_does_not_say_where_the_ledger_is_is_told_how() {
    for arguments in [&["incidents", "list"][..], &["incidents", "show", "0123"], &["report"]] {
        let output = run(arguments);
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains("tip: set COUNTERMAND_TABLE"), "{}", text(&output.stderr));
    }
    let output = run(&["explain"]);
    assert!(!text(&output.stderr).contains("COUNTERMAND_TABLE"), "{}", text(&output.stderr));
}

#[test]
fn the_demo_says_where_it_looked_for_a_checkout() {
    let output = run(&["demo", "--checkout", "/nowhere"]);
    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("error: `/nowhere` is no checkout of the project"),
        "{}",
        text(&output.stderr)
    );
}
