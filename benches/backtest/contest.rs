//! All programs over the same files, in turn.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::Arguments;
use crate::error::BenchError;
use crate::error::file;
use crate::generate::{RECORDS_A_FILE, generate};
use crate::measure::{Took, measure};
use crate::records::{expected, risky_names};
use crate::rivals::{COMMAND, ENGINE, FLOOR, Rival, Says, rivals};

/// Generates the logs where they are not there yet, and prints the tables.
pub(crate) fn contest(arguments: &Arguments, out: &mut impl Write) -> Result<(), BenchError> {
    let Arguments { records, rounds, seed, .. } = *arguments;
    let mut print = |text: String| writeln!(out, "{text}").and_then(|()| out.flush()).map_err(BenchError::Print);
    let folder = folder(arguments)?;
    let logs = logs(&folder, records, seed)?;
    let (rivals, missing) = rivals(arguments.command.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    print(format!("machine  {cores} cores, load {}", load()))?;
    print(format!(
        "logs     {records} records in {} files, {} bytes, {}",
        logs.files,
        logs.bytes,
        logs.folder.display()
    ))?;
    for name in missing {
        print(format!("MISSING  {name}: not installed, and so not measured"))?;
    }
    let mut took: Vec<Vec<Took>> = rivals.iter().map(|_| Vec::new()).collect();
    // Not counted: from now on, what is read comes from the page cache.
    rivals.iter().take(1).try_for_each(|rival| run(rival, &logs).map(drop))?;
    for _ in 0..rounds {
        for (rival, took) in rivals.iter().zip(&mut took) {
            took.push(run(rival, &logs)?);
        }
    }
    print(format!(
        "\n  {:<34} {:>9} {:>9} {:>11} {:>11} {:>10}",
        "medians of the rounds", "wall", "CPU", "wall ratio", "CPU ratio", "peak"
    ))?;
    let engine = took.first().cloned().unwrap_or_default();
    for (rival, took) in rivals.iter().zip(&took) {
        let seconds = |of: fn(&Took) -> Duration| median(took.iter().map(|took| of(took).as_secs_f64()));
        let ratio = |of: fn(&Took) -> Duration| {
            median(took.iter().zip(&engine).map(|(took, engine)| of(took).as_secs_f64() / of(engine).as_secs_f64()))
        };
        let peak = took.iter().map(|took| took.peak).max().unwrap_or_default();
        print(format!(
            "  {:<34} {:>7.2} s {:>7.2} s {:>11.2} {:>11.2} {:>6} MiB",
            rival.name,
            seconds(|took| took.wall),
            seconds(|took| took.cpu),
            ratio(|took| took.wall),
            ratio(|took| took.cpu),
            peak / 1024
        ))?;
    }
    print(format!(
        "  the ratio of `{FLOOR}` is the share of its throughput that the engine reaches (load {})",
        load()
    ))?;
    let took_by = |name| rivals.iter().position(|rival| rival.name == name).and_then(|index| took.get(index));
    if let (Some(command), Some(floor)) = (took_by(COMMAND), took_by(FLOOR)) {
        let share = |of: fn(&Took) -> Duration| {
            median(
                floor.iter().zip(command).map(|(floor, command)| of(floor).as_secs_f64() / of(command).as_secs_f64()),
            )
        };
        print(format!(
            "  `{COMMAND}` reaches {:.2} of it by wall time, {:.2} by CPU time",
            share(|took| took.wall),
            share(|took| took.cpu)
        ))?;
    }

    print("\n  twice and four times as much: wall, CPU, CPU of each part, peak".to_owned())?;
    let Some(engine) = rivals.iter().find(|rival| rival.name == ENGINE) else { return Ok(()) };
    for times in [1, 2, 4] {
        let logs = self::logs(&folder, records * times / 4, seed)?;
        let runs = (0..rounds).map(|_| run(engine, &logs)).collect::<Result<Vec<_>, _>>()?;
        let wall = median(runs.iter().map(|took| took.wall.as_secs_f64()));
        let cpu = median(runs.iter().map(|took| took.cpu.as_secs_f64()));
        let peak = runs.iter().map(|took| took.peak).max().unwrap_or_default();
        let share = f64::from(u32::try_from(times).unwrap_or(1));
        print(format!(
            "  {:>12} bytes {wall:>7.3} s {cpu:>7.3} s {:>7.3} s {:>6} MiB",
            logs.bytes,
            cpu / share,
            peak / 1024
        ))?;
    }
    Ok(())
}

/// What one program took; it must have counted right.
fn run(rival: &Rival, logs: &Logs) -> Result<Took, BenchError> {
    let took = measure(rival.name, &mut rival.command(&logs.folder))?;
    match rival.says {
        Says::Nothing => {}
        Says::Findings => {
            let summary = took.printed.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
            let number = |place: &str| summary.as_ref().and_then(|summary| summary.pointer(place)?.as_u64());
            let (read, problems) = (number("/summary/reading/records"), number("/summary/problems/count"));
            let found = number("/summary/verdicts/findings").unwrap_or_default();
            if read != Some(logs.records) || problems != Some(0) || (found == 0 && logs.records >= 10_000) {
                let expected = format!("findings in {} records, without problems", logs.records);
                return Err(BenchError::OtherCounts { name: rival.name, counted: took.printed, expected });
            }
        }
        Says::Names => counted(rival, logs, &took.printed)?,
    }
    Ok(took)
}

fn counted(rival: &Rival, logs: &Logs, printed: &str) -> Result<(), BenchError> {
    let mut counted: Vec<&str> = printed.lines().filter(|line| !line.starts_with("records ")).collect();
    counted.sort_unstable();
    let mut expected: Vec<String> = risky_names()
        .zip(expected(logs.records))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    expected.sort_unstable();
    let records = printed.lines().find(|line| line.starts_with("records "));
    let all = format!("records {}", logs.records);
    if counted != expected || records.is_some_and(|records| records != all) {
        let expected = expected.join("\n") + "\n" + &all;
        return Err(BenchError::OtherCounts { name: rival.name, counted: printed.to_owned(), expected });
    }
    Ok(())
}

struct Logs {
    folder: PathBuf,
    records: u64,
    files: u64,
    bytes: u64,
}

/// The folder of so many records, filled if it is new.
fn logs(folder: &Path, records: u64, seed: u64) -> Result<Logs, BenchError> {
    let folder = folder.join(format!("{records}-records-seed-{seed}"));
    let complete = folder.join("complete");
    if !complete.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(file(&folder))?;
        }
        generate(&folder, records, seed)?;
        fs::write(&complete, "").map_err(file(&complete))?;
    }
    let (mut files, mut bytes) = (0, 0);
    size(&folder, &mut files, &mut bytes)?;
    if files != records.div_ceil(RECORDS_A_FILE) {
        return Err(BenchError::OtherFolder { path: folder, records });
    }
    Ok(Logs { folder, records, files, bytes })
}

fn size(folder: &Path, files: &mut u64, bytes: &mut u64) -> Result<(), BenchError> {
    for entry in folder.read_dir().map_err(file(folder))? {
        let path = entry.map_err(file(folder))?.path();
        if path.is_dir() {
            size(&path, files, bytes)?;
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            *files += 1;
            *bytes += path.metadata().map_err(file(&path))?.len();
        }
    }
    Ok(())
}

/// Below the target folder, where this program lies, unless the user says otherwise.
fn folder(arguments: &Arguments) -> Result<PathBuf, BenchError> {
    if let Some(folder) = &arguments.folder {
        // Cargo runs us in our package's folder, not where the user stands.
        return Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder));
    }
    let own = std::env::current_exe().map_err(file("the benchmark"))?;
    Ok(own.ancestors().nth(3).unwrap_or(&own).join("backtest-logs"))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The load average of the last minute: what else ran here, and we ourselves.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
