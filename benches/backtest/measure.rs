//! One process, and what it took.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::error::BenchError;

/// What a process and its children took.
#[derive(Debug, Clone)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Of all cores together, in user and system mode: what other programs do at the same time shows less in it.
    pub(crate) cpu: Duration,
    /// The most memory that the process itself ever had, without its children, in KiB.
    pub(crate) peak: u64,
    pub(crate) printed: String,
}

/// Runs a program to its end.
pub(crate) fn measure(name: &'static str, command: &mut Command) -> Result<Took, BenchError> {
    let program = command.get_program().to_owned();
    let (began, before) = (Instant::now(), cpu_of_children()?);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| BenchError::Spawn { program: program.clone(), source })?;
    let status = format!("/proc/{}/status", child.id());
    let watch = thread::spawn(move || {
        let mut peak = 0;
        // It is the mark of the highest water, so only what comes in the last moment is missed.
        while let Some(mark) = high_water(&status) {
            peak = mark;
            thread::sleep(Duration::from_millis(1));
        }
        peak
    });
    let output = child.wait_with_output().map_err(|source| BenchError::Spawn { program, source })?;
    let wall = began.elapsed();
    let cpu = cpu_of_children()?.saturating_sub(before);
    let peak = watch.join().unwrap_or_default();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BenchError::Failed { name, status: output.status, said });
    }
    Ok(Took { wall, cpu, peak, printed: String::from_utf8_lossy(&output.stdout).into_owned() })
}

/// `VmHWM`; `None` once the process has ended.
fn high_water(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}

fn cpu_of_children() -> Result<Duration, BenchError> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let [user, system] = [usage.user_time(), usage.system_time()];
    let micros = [user, system].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec()).iter().sum::<i64>();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}
