//! Several workers, and files that are too large for one.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use log_files::{Inputs, Progress, Selection, Totals, scan};

use crate::found::{Found, gzip, wanted};

const EACH: usize = 10_000;

/// Some 10 MB of text, of which every hundredth record is wanted.
fn log(file: usize) -> String {
    let record = |number: usize| {
        let name = if number.is_multiple_of(100) { "CreateUser" } else { "GetUser" };
        format!(
            r#"{{"eventVersion":"1.11","eventID":"{file}-{number}","eventSource":"iam.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","recipientAccountId":"123456789012","x":"{}"}}"#,
            "y".repeat(800)
        )
    };
    let records: Vec<String> = (1..=EACH).map(record).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// What so many workers find in the folder.
fn found(folder: &Path, workers: usize) -> (Vec<String>, Totals) {
    let selection = Selection::default();
    let inputs = Inputs::gather(&[folder.to_owned()], &selection);
    let progress = Progress::default();
    let workers = NonZeroUsize::new(workers).unwrap();
    let (sinks, totals) = scan(&inputs, &selection, &wanted(), workers, &progress, Found::default);
    assert_eq!(sinks.len(), workers.get());
    assert_eq!((progress.bytes(), progress.files()), (inputs.bytes(), inputs.files() as u64));
    assert_eq!(totals.compressed, inputs.bytes());
    let mut lines: Vec<String> = sinks.iter().flat_map(Found::lines).collect();
    lines.sort();
    (lines, totals)
}

#[test]
fn however_many_workers_there_are_they_find_the_same() {
    let folder = std::env::temp_dir().join(format!("countermand-workers-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for file in 0..3 {
        // The first two are read as streams: one because it is large, one because it has several gzip members.
        let path = folder.join(format!("{file}.json"));
        let text = log(file);
        match file {
            0 => fs::write(path, text).unwrap(),
            1 => {
                let (begin, end) = text.as_bytes().split_at(text.len() / 3);
                fs::write(path, [gzip(begin), gzip(end)].concat()).unwrap();
            }
            _ => fs::write(path, &text.as_bytes()[..5 << 20]).unwrap(),
        }
    }
    let (alone, totals) = found(&folder, 1);
    let whole = 2 * EACH / 100;
    assert!(alone.len() > whole + 40, "{}", alone.len());
    assert_eq!(alone.iter().filter(|line| line.contains("ends too early")).count(), 1);
    assert_eq!(totals.wanted, alone.len() as u64 - 1);
    for workers in [2, 5] {
        assert_eq!(found(&folder, workers), (alone.clone(), totals));
    }
    fs::remove_dir_all(&folder).unwrap();
}
