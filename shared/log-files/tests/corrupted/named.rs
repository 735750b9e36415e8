//! All of them in one folder.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use cloudtrail::Event;
use fastrand::Rng;
use log_files::{Inputs, Place, Problem, Progress, Selection, Sink, Wanted, scan};

use crate::cases::{Large, broken, gzip, log};

#[derive(Default)]
struct Found {
    events: Vec<(Place, String)>,
    problems: Vec<Problem>,
}

impl Sink for Found {
    fn event(&mut self, place: &Place, event: Event) {
        self.events.push((place.clone(), event.id.to_string()));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The most memory this process ever had, in MiB; `None` where the system does not tell.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024)
}

#[test]
fn every_broken_file_is_named_and_whatever_is_whole_is_read() {
    let files = if std::env::var_os("COUNTERMAND_LOAD").is_some_and(|load| load == "full") { 10_000 } else { 2_000 };
    let folder = Folder(std::env::temp_dir().join(format!("countermand-corrupted-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let mut random = Rng::with_seed(1);
    let large = Large::new();
    let (mut unreadable, mut readable, mut whole) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for index in 0..files {
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.0.join(format!("{index:05}-{name}.json.gz"));
            fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        if index % 10 == 0 {
            whole.insert(put("whole", &gzip(log(&mut random).as_bytes())));
            continue;
        }
        let case = broken(index, &mut random, &large);
        let path = put(case.name, &case.bytes);
        let _new = if case.readable { readable.insert(path) } else { unreadable.insert(path) };
    }
    #[cfg(unix)]
    {
        let link = folder.0.join("dangling.json");
        std::os::unix::fs::symlink(Path::new("nowhere"), &link).unwrap();
        unreadable.insert(link.to_str().unwrap().to_owned());
    }

    let selection = Selection::default();
    let wanted = Wanted::of([r#"{"detail": {"eventName": ["CreateUser"]}}"#]).unwrap();
    let inputs = Inputs::gather(std::slice::from_ref(&folder.0), &selection);
    let workers = NonZeroUsize::new(2).unwrap();
    let (sinks, totals) = scan(&inputs, &selection, &wanted, workers, &Progress::default(), Found::default);

    let named: BTreeSet<&str> = sinks.iter().flat_map(|sink| &sink.problems).map(Problem::file).collect();
    let broken: BTreeSet<&str> = readable.union(&unreadable).map(String::as_str).collect();
    assert_eq!(broken.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "not named");
    assert_eq!(named.difference(&broken).collect::<Vec<_>>(), Vec::<&&str>::new(), "named, but whole");
    let counted: u64 = sinks.iter().flat_map(|sink| &sink.problems).map(count).sum();
    assert_eq!(counted, totals.problems);
    let first: BTreeSet<&str> =
        sinks.iter().flat_map(|sink| &sink.events).filter(|(_, id)| id == "0").map(|(place, _)| &*place.file).collect();
    for file in whole.union(&readable) {
        assert!(first.contains(file.as_str()), "the first record of `{file}` was not found");
    }
    if let Some(peak) = peak() {
        assert!(peak < 200, "{peak} MiB");
    }
}

/// How many problems it stands for.
fn count(problem: &Problem) -> u64 {
    if let Problem::Further { count, .. } = problem { *count } else { 1 }
}
