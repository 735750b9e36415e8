//! What is read, what is found in it, and how the command ends.

use serde_json::{Value, json};

use crate::scene::{
    Folder, PERMIT, code, findings, key_activated, key_made, log_file, looked, objects, opened, run, text,
};

const A: &str = "111122223333";
const B: &str = "444455556666";
const LOG: &str =
    "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/111122223333_CloudTrail_eu-west-1_1.json.gz";

/// Two accounts' findings in a log file, in JSON lines, some of them again in another form.
fn logs(test: &str, policies: &str) -> Folder {
    let folder = Folder::with(test, policies);
    let open = opened(1, "2026-11-20T10:00:00Z", A, "mallory");
    let key = key_made(2, "2026-11-21T09:00:00Z", B, "mallory", "bob");
    let old = opened(3, "2026-11-01T00:00:00Z", B, "alice");
    let mut refused = opened(4, "2026-11-20T11:00:00Z", A, "mallory");
    refused["errorCode"] = "Client.UnauthorizedOperation".into();
    folder.file(LOG, log_file(&[looked(5, "2026-11-20T09:59:00Z"), key.clone(), open.clone(), refused]));
    let envelope = json!({
        "version": "0", "id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "account": B,
        "time": "2026-11-21T09:00:01Z", "region": "us-east-1", "resources": [], "detail": key
    });
    folder.file("logs/events.jsonl", format!("{envelope}\n{old}\n"));
    folder.file("logs/again.json", json!({ "Records": [open] }).to_string());
    folder
}

fn resources(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["resource"].as_str().unwrap().rsplit('/').next().unwrap()).collect()
}

#[test]
fn each_finding_is_told_once_in_the_order_of_time() {
    let output = logs("once", PERMIT).backtest(&["--format", "json"]);
    assert_eq!((code(&output), text(&output.stderr)), (3, ""));
    let (lines, summary) = findings(&output);
    assert_eq!(resources(&lines), ["sg-00000000000000003", "sg-00000000000000001", "bob"]);
    let second = text(&output.stdout).lines().nth(1).unwrap();
    let begin = r#"{"event_id":"5f0f6a0e-9a25-4dcb-93a1-000000000001","event_time":"2026-11-20T10:00:00Z","event_name":"AuthorizeSecurityGroupIngress","account":"111122223333","region":"eu-west-1","actor":"arn:aws:iam::111122223333:user/mallory","responder":"revoke-open-ingress","resource":"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-00000000000000001","certainty":"event","verdict":"enforce","policies":["all"],"#;
    assert!(second.starts_with(begin), "{second}");
    assert_eq!(
        (&summary["verdicts"]["findings"], &summary["duplicates"], &summary["acted_on"]),
        (&json!(3), &json!(2), &json!(3))
    );
    assert_eq!((&summary["reading"]["files"], &summary["reading"]["records"]), (&json!(3), &json!(7)));
    assert_eq!(summary["by_responder"]["top"][0]["name"], "revoke-open-ingress");
}

#[test]
fn broken_files_are_named_and_stop_nothing() {
    let folder = logs("broken", PERMIT);
    let whole = log_file(&[opened(7, "2026-11-22T00:00:00Z", A, "mallory")]);
    folder.file("logs/cut-off.json.gz", &whole[..whole.len() / 2]);
    folder.file("logs/no-json.json", "{\"Records\": [}");
    let output = folder.backtest(&["--format", "json"]);
    assert_eq!(code(&output), 1, "what could not be read outweighs what was found");
    let (lines, summary) = findings(&output);
    assert_eq!((lines.len(), &summary["problems"]["count"]), (3, &json!(2)));
    for file in ["cut-off.json.gz", "no-json.json"] {
        let named = |text: &str| text.contains(&folder.path(&format!("logs/{file}")));
        assert!(text(&output.stderr).lines().any(|line| line.starts_with("error: ") && named(line)), "{file}");
        assert!(
            summary["problems"]["named"].as_array().unwrap().iter().any(|it| named(it.as_str().unwrap())),
            "{file}"
        );
    }
}

#[test]
fn of_many_problems_the_first_are_named_and_all_are_counted() {
    let folder = Folder::with("problems", PERMIT);
    for number in 0..150 {
        folder.file(&format!("logs/{number:03}.json"), "{");
    }
    let output = folder.backtest(&["--format", "json"]);
    let (_, summary) = findings(&output);
    assert_eq!((code(&output), &summary["problems"]["count"]), (1, &json!(150)));
    assert_eq!(summary["problems"]["named"].as_array().unwrap().len(), 100);
    let told: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!((told.len(), told[10]), (11, "error: 140 more like these"));
}

#[test]
fn an_event_that_a_responder_cannot_read_is_a_problem_with_its_place() {
    let folder = logs("misunderstood", PERMIT);
    let mut odd = opened(8, "2026-11-22T00:00:00Z", A, "mallory");
    odd["requestParameters"] = json!({ "groupId": 7 });
    odd["responseElements"] = json!(null);
    folder.file("logs/odd.json", json!({ "Records": [looked(9, "2026-11-22T00:00:00Z"), odd] }).to_string());
    let output = folder.backtest(&["--format", "json"]);
    let place =
        format!("error: {}:1, record 2: revoke-open-ingress cannot read this event: ", folder.path("logs/odd.json"));
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).starts_with(&place), "{}", text(&output.stderr));
}

#[test]
fn the_exit_code_says_what_was_found() {
    let end = |test: &str, policies: &str| code(&logs(test, policies).backtest(&["--format", "json"]));
    assert_eq!(end("enforce", PERMIT), 3);
    assert_eq!(end("ask", "@id(\"ask\") @mode(\"approve\") permit (principal, action, resource);"), 3);
    assert_eq!(end("observe", "// nothing"), 0);
    assert_eq!(end("exempt", &format!("{PERMIT}@id(\"no\") forbid (principal, action, resource);")), 0);

    let folder = Folder::with("nothing", PERMIT);
    folder.file("logs/x.json", json!({ "Records": [looked(1, "2026-11-22T00:00:00Z")] }).to_string());
    assert_eq!(code(&folder.backtest(&[])), 0);
    let folder = Folder::with("nowhere", PERMIT);
    assert_eq!(code(&folder.backtest(&[])), 1, "a path that does not exist");
    folder.file("logs/below/.keep", "");
    std::fs::remove_file(folder.path("logs/below/.keep")).unwrap();
    let output = folder.backtest(&[]);
    assert_eq!((code(&output), text(&output.stdout)), (1, ""));
    assert!(text(&output.stderr).starts_with("error: there is no log file in "), "{}", text(&output.stderr));
}

#[test]
fn mistakes_of_usage_are_told_before_anything_is_read() {
    let folder = logs("usage", PERMIT);
    let file = folder.path("out.txt");
    for mistake in [
        &["--since", "2026-11-02", "--until", "2026-11-01"][..],
        &["--since", "yesterday"],
        &["--output", &file],
        &["--responder", "revoke-open-ingres"],
        &["--account", "12"],
        &["--format", "yaml"],
    ] {
        let output = folder.backtest(mistake);
        assert_eq!((code(&output), text(&output.stdout)), (2, ""), "{mistake:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{mistake:?}");
    }
    assert_eq!(code(&run(&["backtest"])), 2);
}

#[test]
fn a_part_of_the_logs_can_be_asked_for() {
    let folder = logs("filters", PERMIT);
    let found = |arguments: &[&str]| {
        let (lines, _) = findings(&folder.backtest(&[&["--format", "json"], arguments].concat()));
        resources(&lines).join(" ")
    };
    let (old, open) = ("sg-00000000000000003", "sg-00000000000000001");
    assert_eq!(found(&["--since", "2026-11-20"]), format!("{open} bob"));
    assert_eq!(found(&["--since", "2026-11-01", "--until", "2026-11-20T10:00:00Z"]), old);
    assert_eq!(found(&["--account", B]), format!("{old} bob"));
    assert_eq!(found(&["--region", "us-east-1"]), "bob");
    assert_eq!(found(&["--responder", "revoke-open-ingress"]), format!("{old} {open}"));
    assert_eq!(found(&["--account", A, "--region", "us-east-1"]), "");
    assert_eq!(found(&["--own-role", "arn:aws:iam::111122223333:role/x"]), format!("{old} {open} bob"));
}

#[test]
fn our_own_calls_are_no_findings() {
    let folder = Folder::with("own", PERMIT);
    let mut record = opened(1, "2026-11-20T10:00:00Z", A, "x");
    let role = "arn:aws:iam::111122223333:role/countermand";
    record["userIdentity"] = json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role}}});
    folder.file("logs/x.json", record.to_string());
    assert_eq!(code(&folder.backtest(&[])), 3);
    assert_eq!(code(&folder.backtest(&["--own-role", role])), 0);
}

#[test]
fn what_the_account_must_tell_is_said_to_depend_on_it() {
    let policies = format!(
        "{PERMIT}@id(\"by-tag\") forbid (principal, action, resource is SecurityGroup) when {{ resource.hasTag(\"x\") }};"
    );
    let folder = logs("live", &policies);
    let (lines, summary) = findings(&folder.backtest(&["--format", "json"]));
    let live: Vec<&Value> = lines.iter().map(|line| &line["live"]).collect();
    assert_eq!(live, [&json!(true), &json!(true), &json!(false)], "a key has no security group's tags");
    assert_eq!((&summary["verdicts"]["live"], &summary["verdicts"]["enforce"]), (&json!(2), &json!(1)));
    assert_eq!((&summary["acted_on"], &summary["perhaps_acted_on"]), (&json!(1), &json!(2)));
    assert!(
        text(&folder.backtest(&[]).stdout).contains("2026-11-01T00:00:00Z  depends on live state  revoke-open-ingress")
    );
}

#[test]
fn a_budget_tells_who_would_have_waited() {
    let folder = Folder::with("budget", "@id(\"few\") @limit(\"2/1h\")\npermit (principal, action, resource);");
    let at = ["10:00:00", "10:10:00", "10:59:59", "11:00:00", "13:00:00"];
    let records: Vec<Value> =
        (1..).zip(at).map(|(number, at)| opened(number, &format!("2026-11-20T{at}Z"), A, "mallory")).collect();
    folder.file("logs/x.json.gz", log_file(&records));
    let output = folder.backtest(&["--format", "json"]);
    let (_, summary) = findings(&output);
    let expected = json!({
        "policy": "few", "limit": "2/1h", "wanted": 5, "live": 0, "charged": 4, "waited": 1, "spent": 2, "budgets": 1,
        "peak": 2, "peak_at": "2026-11-20T10:10:00Z", "peak_of": null, "demand": 3
    });
    assert_eq!((&summary["budgets"][0], &summary["waited"]), (&expected, &json!(1)));
    let human = folder.backtest(&[]);
    assert!(
        text(&human.stdout).contains("5 findings: 5 would be acted on, 1 waiting for a person"),
        "{}",
        text(&human.stdout)
    );
}

#[test]
fn an_actor_with_a_habit_comes_with_a_policy_that_can_be_used_as_it_is() {
    let folder = Folder::with("habit", PERMIT);
    let records: Vec<Value> = (0..12)
        .map(|number| opened(number, &format!("2026-11-{:02}T10:00:00Z", 1 + number % 6), A, "ci\"\\deploy"))
        .collect();
    folder.file("logs/x.json.gz", log_file(&records));
    let (_, summary) = findings(&folder.backtest(&["--format", "json"]));
    let snippet = summary["candidates"][0]["snippet"].as_str().unwrap();
    let human = folder.backtest(&[]);
    assert!(text(&human.stdout).contains(snippet), "it can be copied from the terminal:\n{}", text(&human.stdout));

    folder.file("policies/exempt.cedar", snippet);
    let checked = run(&["policy", "check", &folder.path("policies"), "--format", "json"]);
    assert_eq!((code(&checked), objects(&checked.stdout).len()), (0, 0), "{}", text(&checked.stdout));
    let (lines, summary) = findings(&folder.backtest(&["--format", "json"]));
    assert!(lines.iter().all(|line| line["verdict"] == "exempt"), "{lines:?}");
    assert_eq!(summary["candidates"], json!([]));
}

#[test]
fn what_hangs_on_the_ledger_is_settled_by_what_came_before() {
    let day = |day: u32| format!("2026-11-{day:02}T00:00:00Z");
    let activated = |number, owner: &str| key_activated(number, &day(number), A, "mallory", owner, 1);
    let told = |policies: &str| {
        let folder = Folder::with("ledger", policies);
        folder.file("logs/b.json.gz", log_file(&[activated(3, "alice"), activated(4, "bob")]));
        folder.file("logs/a.json.gz", log_file(&[key_made(1, &day(1), A, "mallory", "alice")]));
        let (lines, _) = findings(&folder.backtest(&["--format", "json"]));
        let told = ["event_name", "certainty", "live"].map(|field| lines.iter().map(|it| it[field].clone()).collect());
        told.map(|column: Vec<Value>| Value::from(column))
    };
    let calls = json!(["CreateAccessKey", "UpdateAccessKey"]);
    assert_eq!(told(PERMIT), [calls.clone(), json!(["event", "event"]), json!([false, false])]);
    let ask = PERMIT.replace("permit", "@mode(\"approve\") permit");
    assert_eq!(told(&ask), [calls, json!(["event", "live"]), json!([false, true])]);
    let leave = PERMIT.replace("permit", "forbid");
    assert_eq!(told(&leave), [json!(["CreateAccessKey"]), json!(["event"]), json!([false])]);
}
