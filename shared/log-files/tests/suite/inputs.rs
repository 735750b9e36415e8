//! Which files are read.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use cloudtrail::{AccountId, Region};
use log_files::{Inputs, Progress, Selection, scan};

use crate::found::{Found, gzip, wanted};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("countermand-inputs-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn root(&self) -> &[PathBuf] {
        std::slice::from_ref(&self.0)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn log(id: &str, time: &str) -> Vec<u8> {
    let record = serde_json::json!({"eventVersion": "1.11", "eventID": id, "eventTime": time, "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser", "awsRegion": "us-east-1", "recipientAccountId": "123456789012"});
    gzip(serde_json::json!({"Records": [record]}).to_string().as_bytes())
}

/// What is found, how many files are skipped and how many read.
fn found(paths: &[PathBuf], selection: &Selection) -> (Vec<String>, u64, u64) {
    let inputs = Inputs::gather(paths, selection);
    let progress = Progress::default();
    let (sinks, totals) = scan(&inputs, selection, &wanted(), NonZeroUsize::MIN, &progress, Found::default);
    assert_eq!((progress.bytes(), progress.files()), (inputs.bytes(), inputs.files() as u64));
    let lines = |sink: &Found| {
        let events = sink.events.iter().map(|(_, event)| event.id.to_string());
        events.chain(sink.problems.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    (sinks.iter().flat_map(lines).collect(), totals.skipped_files, totals.files)
}

const TRAIL: &str = "AWSLogs/o-x/123456789012/CloudTrail/us-east-1";

#[test]
fn a_folder_is_walked_in_the_order_of_names_and_only_logs_are_read() {
    let folder = Folder::new("walk");
    folder.put("b/2.json.gz", &log("2", ""));
    folder.put("b/10.JSON", &log("10", ""));
    folder.put("a/z.jsonl", &log("z", ""));
    folder.put("README.md", b"not a log");
    folder.put(
        "AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/01/01/123456789012_CloudTrail-Digest_x.json.gz",
        &log("d", ""),
    );
    folder.put("123456789012_CloudTrail-Insight_us-east-1_20260101T0000Z_x.json.gz", &log("i", ""));
    let all = found(folder.root(), &Selection::default());
    assert_eq!(all, (vec!["z".to_owned(), "10".to_owned(), "2".to_owned()], 3, 3));
    let twice = [folder.0.join("b"), folder.0.clone(), folder.0.join("a/../b/2.json.gz"), folder.0.join("README.md")];
    let (lines, ..) = found(&twice, &Selection::default());
    assert_eq!(lines[..3], all.0);
    assert!(lines[3].ends_with("README.md:1: `n` should not be here"), "{lines:?}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new("missing");
    folder.put("here.json", &log("1", ""));
    let (lines, ..) = found(&[folder.0.join("gone"), folder.0.clone()], &Selection::default());
    assert_eq!(lines, ["1".to_owned(), format!("cannot look into `{}`", folder.0.join("gone").display())]);
    let inputs = Inputs::gather(folder.root(), &Selection::default());
    fs::remove_file(folder.0.join("here.json")).unwrap();
    let progress = Progress::default();
    let (sinks, totals) = scan(&inputs, &Selection::default(), &wanted(), NonZeroUsize::MIN, &progress, Found::default);
    assert_eq!(sinks[0].lines(), [format!("cannot open `{}`", folder.0.join("here.json").display())]);
    assert_eq!((totals.problems, totals.files, progress.bytes()), (1, 1, inputs.bytes()));
}

#[test]
fn files_are_left_out_by_their_paths_and_events_by_their_fields() {
    let folder = Folder::new("selection");
    let file = |day: u32, hour: u32| {
        format!("{TRAIL}/2026/01/{day:02}/123456789012_CloudTrail_us-east-1_202601{day:02}T{hour:02}00Z_x.json.gz")
    };
    folder.put(&file(1, 10), &log("first", "2026-01-01T09:55:00Z"));
    folder.put(&file(5, 11), &log("fast clock", "2026-01-05T12:02:00Z"));
    folder.put(&file(5, 12), &log("early", "2026-01-05T11:59:00Z"));
    folder.put(&file(5, 13), &log("asked for", "2026-01-05T12:01:00Z"));
    folder.put(&file(6, 11), &log("late", "2026-01-05T12:30:00Z"));
    folder.put(&file(9, 12), &log("last", "2026-01-09T11:00:00Z"));
    folder.put(&format!("{TRAIL}/2026/01/01/other-name.json.gz"), &log("renamed", "2026-01-01T09:55:00Z"));
    folder.put("elsewhere.json.gz", &log("timeless", ""));
    let period = Selection {
        since: Some(time("2026-01-05T12:00:00Z")),
        until: Some(time("2026-01-05T13:00:00Z")),
        ..Selection::default()
    };
    let (lines, skipped, read) = found(folder.root(), &period);
    assert_eq!(
        (lines, skipped, read),
        (["fast clock", "asked for", "late", "timeless"].map(str::to_owned).to_vec(), 3, 5)
    );

    let account = |id: &str| Selection { accounts: [AccountId::parse(id).unwrap()].into(), ..Selection::default() };
    assert_eq!(found(folder.root(), &account("123456789012")).1, 0);
    assert_eq!(found(folder.root(), &account("210987654321")), (Vec::new(), 7, 1));
    let region = |name: &str| Selection { regions: [Region::new(name)].into(), ..Selection::default() };
    assert_eq!(found(folder.root(), &region("us-east-1")).1, 0);
    assert_eq!(found(folder.root(), &region("eu-central-1")), (Vec::new(), 7, 1));
}

#[test]
fn a_path_below_the_bucket_is_enough_to_tell_where_a_file_comes_from() {
    let other = Selection { accounts: [AccountId::parse("210987654321").unwrap()].into(), ..Selection::default() };
    for path in [
        "AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/05/x.json.gz",
        "/logs/2026/123456789012/CloudTrail/us-east-1/2026/01/05/x.json.gz",
        "123456789012_CloudTrail_us-east-1_20260105T1200Z_x.json.gz",
    ] {
        assert!(!other.admits_path(path), "{path}");
        assert!(Selection::default().admits_path(path), "{path}");
    }
    for path in ["x.json.gz", "123456789012/CloudTrail/x.json.gz", "12345/CloudTrail/us-east-1/2026/01/05/x.json.gz"] {
        assert!(other.admits_path(path), "{path}");
    }
    assert!(!Selection::default().admits_path(Path::new("a/CloudTrail-Insight/b.json").to_str().unwrap()));
}
