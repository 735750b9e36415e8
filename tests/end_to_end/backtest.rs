//! Backtests over an archive in Amazon S3, by the command and by the functions.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use stage::{Fault, FunctionError, When};

use super::archive::{ACCOUNTS, Archive, BUCKET, REGIONS, RESULTS, lines};

/// What is not listed cannot be counted.
fn without_skipped(mut lines: Vec<Value>) -> Vec<Value> {
    lines.last_mut().unwrap()["summary"]["reading"]["skipped_files"] = Value::Null;
    lines
}

#[tokio::test]
async fn a_bucket_says_what_the_same_files_on_a_disk_say() {
    let archive = Archive::open().await;
    let disk = archive.lines(&[&archive.on_disk()]).await;
    let output = archive.backtest(&[&Archive::in_s3()]).await;
    let bucket = lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(bucket, disk);
    assert_eq!(output.status.code(), Some(1), "one file is cut off");
    let summary = &bucket.last().unwrap()["summary"];
    assert_eq!(summary["reading"]["files"], 21);
    assert_eq!(summary["reading"]["skipped_files"], 2, "a digest and a text");
    assert_eq!(summary["verdicts"]["findings"], 40, "two in each of twenty files");
    assert_eq!(summary["problems"]["count"], 1);

    // A part of the bucket and a folder, in one run.
    let [first, second] = ACCOUNTS.map(|account| format!("AWSLogs/o-exampleorg/{account}"));
    let folder = format!("{}/{first}", archive.on_disk());
    let mixed = archive.lines(&[&folder, &format!("s3://{BUCKET}/{second}/")]).await;
    assert_eq!(without_skipped(mixed), without_skipped(disk));
}

#[tokio::test]
async fn what_cannot_match_is_neither_listed_nor_got() {
    let archive = Archive::open().await;
    let asked = ["--account", ACCOUNTS[1], "--region", "eu-west-1", "--since", "2026-11-01", "--until", "2026-11-03"];
    let on_disk = archive.on_disk();
    let disk = archive.lines(&[&asked[..], &[on_disk.as_str()]].concat()).await;
    assert_eq!(disk.len(), 2 * 2 + 1);
    archive.calls();
    let bucket = archive.lines(&[&asked[..], &["s3://audit-logs"]].concat()).await;
    assert_eq!(without_skipped(bucket), without_skipped(disk));

    let calls = archive.calls();
    let listings: Vec<_> = calls.iter().filter(|call| call.param("list-type").is_some()).collect();
    let region = format!("AWSLogs/o-exampleorg/{}/CloudTrail/eu-west-1/", ACCOUNTS[1]);
    let prefixes: Vec<_> = listings.iter().map(|call| call.param("prefix").unwrap()).collect();
    let above = [
        "",
        "AWSLogs/",
        "AWSLogs/o-exampleorg/",
        &format!("AWSLogs/o-exampleorg/{}/", ACCOUNTS[1]),
        &format!("AWSLogs/o-exampleorg/{}/CloudTrail/", ACCOUNTS[1]),
        &region,
    ];
    assert_eq!(prefixes, above);
    let days = listings.last().unwrap();
    assert_eq!(days.param("start-after"), Some(format!("{region}2026/10/31/").as_str()));
    assert!(!days.response_body.contains("2026/10/30"), "{}", days.response_body);
    let got: BTreeSet<_> = calls
        .iter()
        .filter(|call| call.operation.contains("json.gz"))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|call| call.operation.as_str())
        .collect();
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got.iter().all(|call| call.contains("/2026/11/0")), "{got:?}");
}

#[tokio::test]
async fn an_object_that_cannot_be_got_is_named_and_the_others_are_read() {
    let archive = Archive::open().await;
    let key = archive.objects.keys().find(|key| key.ends_with("20261102T1005Z_a1.json.gz")).unwrap();
    let denied = When::operation("s3", &format!("GET /{BUCKET}/{key}"));
    archive.account.proxy().inject(Fault::Denied, denied, 100);
    // Trying again helps here, and is the SDK's affair.
    let other = archive.objects.keys().find(|key| key.ends_with("20261120T1005Z_a1.json.gz")).unwrap();
    let throttled = When::operation("s3", &format!("GET /{BUCKET}/{other}"));
    archive.account.proxy().inject(Fault::ServerError, throttled, 1);
    let lines = archive.lines(&[&Archive::in_s3()]).await;
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["problems"]["count"], 2, "{summary:#}");
    let named = summary["problems"]["named"].to_string();
    assert!(named.contains(&format!("cannot get `s3://{BUCKET}/{key}`")), "{named}");
    assert_eq!(summary["verdicts"]["findings"], 38);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_problem_of_its_own() {
    let archive = Archive::open().await;
    let output = archive.backtest(&["s3://no-such-bucket", &archive.on_disk()]).await;
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(lines.len(), 41);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no-such-bucket"), "{said}");
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_where_it_was() {
    let archive = Archive::open().await;
    let whole = archive.lines(&[&archive.on_disk()]).await;
    let state = archive.file("state.json");
    let path = state.to_str().unwrap();
    let arguments = ["s3://audit-logs", "--resume", path, "--resume-every", "0"];
    // It can get no further than this object, so it is not done before it is looked at.
    let held = archive.objects.keys().filter(|key| key.ends_with(".json.gz")).nth(14).unwrap();
    archive.account.proxy().inject(Fault::HoldBefore, When::operation("s3", &format!("GET /{BUCKET}/{held}")), 1);
    let mut interrupted = archive.begin(&arguments);
    let reached = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let Ok(text) = std::fs::read(&state) else { continue };
            let kept: Value = serde_json::from_slice(&text).unwrap();
            if kept["part"]["reading"]["files"].as_u64().unwrap() >= 6 {
                return kept;
            }
        }
    };
    let kept = tokio::time::timeout(Duration::from_mins(1), reached).await.unwrap();
    interrupted.kill().await.unwrap();
    assert!(kept["after"].as_str().unwrap().starts_with("AWSLogs/"), "{kept:#}");

    // Nobody else's state is taken for one's own.
    let other = archive.backtest(&[&arguments[..], &["--region", "eu-west-1"]].concat()).await;
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(other.status.code() == Some(1) && said.contains("holds the state of another run"), "{said}");

    archive.account.proxy().heal();
    archive.calls();
    let resumed = archive.lines(&arguments).await;
    assert_eq!(resumed, whole);
    let got = archive.calls().into_iter().filter(|call| call.operation.contains(".json.gz")).count();
    assert!(got < 16, "{got} objects were got again");
    assert!(!state.exists(), "the run is done");
}

/// What cannot be listed now may be listed later.
#[tokio::test]
async fn a_listing_that_fails_keeps_the_state() {
    let archive = Archive::open().await;
    let whole = archive.lines(&[&archive.on_disk()]).await;
    let addresses = ACCOUNTS.map(|account| format!("s3://{BUCKET}/AWSLogs/o-exampleorg/{account}/"));
    let state = archive.file("state.json");
    let arguments = [&addresses[0], &addresses[1], "--resume", state.to_str().unwrap()];
    let listing = When::operation("s3", &format!("GET /{BUCKET}/"));
    archive.account.proxy().inject(Fault::Delay(Duration::ZERO), listing.clone(), 1);
    archive.account.proxy().inject(Fault::ServerError, listing, 3);
    let output = archive.backtest(&arguments).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot list") && state.exists(), "{said}");
    archive.account.proxy().heal();
    archive.calls();
    assert_eq!(without_skipped(archive.lines(&arguments).await), without_skipped(whole));
    assert!(!archive.calls().iter().any(|call| call.operation.contains(&format!("/{}_", ACCOUNTS[0]))));
    assert!(!state.exists());
}

/// The batches that Step Functions would hand over.
fn batches(archive: &Archive, asked: &Value) -> Vec<Value> {
    let items: Vec<Value> =
        archive.objects.iter().map(|(key, bytes)| json!({ "Key": key, "Size": bytes.len() })).collect();
    let about = json!({ "bucket": BUCKET, "results": RESULTS, "run": "first", "asked": asked });
    items.chunks(9).map(|items| json!({ "Items": items, "BatchInput": about })).collect()
}

#[tokio::test]
async fn parts_add_up_to_what_one_machine_finds() {
    let archive = Archive::open().await;
    let judge = archive.function("backtest-part").await;
    let batches = batches(&archive, &json!({}));
    assert_eq!(batches.len(), 3);
    let mut parts = BTreeSet::new();
    for batch in [2, 0, 1, 0] {
        let answer = judge.invoke(&batches[batch]).await.unwrap().body;
        parts.insert(answer["part"].to_string());
    }
    assert_eq!(parts.len(), 3, "a batch that runs twice replaces its part");
    let adder = archive.function("backtest-summary").await;
    let answer = adder.invoke(&json!({ "results": RESULTS, "run": "first" })).await.unwrap().body;
    assert_eq!((&answer["parts"], &answer["findings"], &answer["problems"]), (&3.into(), &40.into(), &1.into()));

    let mut disk = archive.lines(&[&archive.on_disk()]).await;
    let summary = disk.pop().unwrap();
    assert_eq!(lines(&archive.result("runs/first/findings.jsonl").await), disk);
    assert_eq!(lines(&archive.result("runs/first/summary.json").await), [summary["summary"].clone()]);
}

#[tokio::test]
async fn a_batch_reads_only_what_is_asked_for() {
    let archive = Archive::open().await;
    let judge = archive.function("backtest-part").await;
    let asked = json!({ "since": "2026-11-01", "until": "2026-11-03T00:00:00Z", "accounts": [ACCOUNTS[0]],
        "regions": [REGIONS[0]] });
    archive.calls();
    let mut files = 0;
    for batch in batches(&archive, &asked) {
        files += judge.invoke(&batch).await.unwrap().body["files"].as_u64().unwrap();
    }
    assert_eq!(files, 2);
    assert_eq!(
        archive
            .calls()
            .iter()
            .filter(|call| call.operation.contains(".json.gz") && call.operation.starts_with("GET"))
            .count(),
        2
    );
}

/// The `errorType`s are what the state machine goes by.
#[tokio::test]
async fn a_failure_says_whether_to_try_again() {
    let archive = Archive::open().await;
    let kind = |failed: Result<_, FunctionError>| match failed {
        Err(FunctionError::Failed { error_type, .. }) => error_type,
        other => panic!("{other:?}"),
    };
    let judge = archive.function("backtest-part").await;
    let batch = batches(&archive, &json!({})).remove(0);
    let key = batch["Items"][1]["Key"].as_str().unwrap();
    archive.account.proxy().inject(Fault::ServerError, When::operation("s3", &format!("GET /{BUCKET}/{key}")), 3);
    assert_eq!(kind(judge.invoke(&batch).await), "Store");
    assert_eq!(kind(judge.invoke(&json!({ "Items": [] })).await), "Input");
    let ages = batches(&archive, &json!({ "since": "90d" })).remove(0);
    assert_eq!(kind(judge.invoke(&ages).await), "Input");
    assert_eq!(kind(judge.invoke_raw("{", Duration::from_secs(10)).await), "Input");
    assert_eq!(kind(judge.invoke_within(&batch, Duration::from_secs(2)).await), "Late");
    judge.invoke(&batch).await.unwrap();
    let adder = archive.function("backtest-summary").await;
    assert_eq!(kind(adder.invoke(&json!({ "results": RESULTS, "run": "another" })).await), "Parts");
}
