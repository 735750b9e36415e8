//! The programs of ours that are measured, each in a process of its own: the engine, and the floor below it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cloudtrail::{Body, Event};
use libdeflater::Decompressor;
use log_files::{Inputs, Place, Problem, Progress, Selection, Sink, Wanted};

use crate::error::{BenchError, file};
use crate::records::risky_names;

#[derive(Default)]
struct Counts {
    by_name: BTreeMap<String, u64>,
    problems: Vec<Problem>,
}

impl Sink for Counts {
    fn event(&mut self, _: &Place, event: Event) {
        if let Body::Call(call) = event.body {
            *self.by_name.entry(call.name).or_default() += 1;
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// Counts the risky events in a folder by their names.
pub(crate) fn count(folder: &Path, out: &mut impl Write) -> Result<(), BenchError> {
    let pattern = serde_json::json!({ "detail": { "eventName": risky_names().collect::<Vec<_>>() } }).to_string();
    let wanted = Wanted::of([pattern.as_str()])?;
    let selection = Selection::default();
    let inputs = Inputs::gather(&[folder.to_owned()], &selection);
    let (sinks, totals) =
        log_files::scan(&inputs, &selection, &wanted, workers(), &Progress::default(), Counts::default);
    let mut all = BTreeMap::<String, u64>::new();
    for sink in sinks {
        for (name, count) in sink.by_name {
            *all.entry(name).or_default() += count;
        }
        for problem in sink.problems {
            writeln!(out, "{problem}").map_err(BenchError::Print)?;
        }
    }
    for (name, count) in all {
        writeln!(out, "{name} {count}").map_err(BenchError::Print)?;
    }
    writeln!(out, "records {}", totals.records).map_err(BenchError::Print)
}

/// Inflates all files in a folder with libdeflate, on all cores, and does nothing with the text.
pub(crate) fn inflate(folder: &Path) -> Result<(), BenchError> {
    let mut paths = Vec::new();
    list(folder, &mut paths)?;
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut decompressor, mut gzip, mut text) = (Decompressor::new(), Vec::new(), Vec::new());
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            gzip.clear();
            let mut opened = fs::File::open(path).map_err(file(path))?;
            std::io::Read::read_to_end(&mut opened, &mut gzip).map_err(file(path))?;
            let len = gzip.last_chunk::<4>().map_or(0, |last| u32::from_le_bytes(*last)) as usize;
            if text.len() < len {
                text.resize(len, 0);
            }
            decompressor.gzip_decompress(&gzip, &mut text).map_err(|_| BenchError::Inflate { path: path.clone() })?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers().get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Err(BenchError::Generator)))
    })
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), BenchError> {
    for entry in folder.read_dir().map_err(file(folder))? {
        let path = entry.map_err(file(folder))?.path();
        if path.is_dir() {
            list(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            found.push(path);
        }
    }
    Ok(())
}

fn workers() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
