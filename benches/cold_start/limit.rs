//! Seven hundredths of a core: what Lambda gives a function of 128 MB.
//!
//! A vCPU comes with 1,769 MB (AWS Lambda Developer Guide, "Configure Lambda function memory"), so 128 MB have 0.072 of
//! one. Linux does that with a quota: a process that has used up its 7 ms waits for the end of the 100 ms. Where there is
//! no control group to be made, the benchmark does the same with signals.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// In each period a process may use the quota.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);
const QUOTA: Duration = Duration::from_millis(7);

/// How often the signals' side looks at what the process has used.
const LOOK: Duration = Duration::from_micros(200);

/// How processes are limited on this machine.
#[derive(Debug)]
pub(crate) enum Limiter {
    /// A control group of its own, gone with this.
    Group(PathBuf),
    /// `SIGSTOP` when the quota is used up, `SIGCONT` when the next period begins.
    Signals,
}

impl Limiter {
    /// A control group wherever above us one may be made that limits the processor, else signals.
    pub(crate) fn of_this_machine() -> Self {
        let Some(own) = own_group() else { return Self::Signals };
        own.ancestors()
            .take_while(|group| group.join("cgroup.controllers").exists())
            .find_map(group_in)
            .map_or(Self::Signals, Self::Group)
    }

    pub(crate) fn describe(&self) -> String {
        let (quota, period) = (QUOTA.as_millis(), PERIOD.as_millis());
        match self {
            Self::Group(group) => format!("{quota} ms in {period} ms by cpu.max of {}", group.display()),
            Self::Signals => format!(
                "{quota} ms of CPU time in {period} ms by SIGSTOP and SIGCONT (no cgroup v2 with a cpu controller can \
                 be made here)"
            ),
        }
    }

    /// Limits a process that has just been started, until the answer is dropped.
    pub(crate) fn hold(&self, pid: u32) -> io::Result<Held> {
        match self {
            Self::Group(group) => {
                fs::write(group.join("cgroup.procs"), pid.to_string())?;
                Ok(Held { over: Arc::default(), signalling: None })
            }
            Self::Signals => {
                let pid = Pid::from_raw(i32::try_from(pid).map_err(io::Error::other)?);
                let clock = clock_getcpuclockid(pid)?;
                let over = Arc::new(AtomicBool::new(false));
                let watched = Arc::clone(&over);
                let signalling = thread::spawn(move || ration(pid, clock, &watched));
                Ok(Held { over, signalling: Some(signalling) })
            }
        }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        if let Self::Group(group) = self {
            // Left behind, it is an empty folder that limits nobody.
            fs::remove_dir(group).ok();
        }
    }
}

/// A process being limited.
#[derive(Debug)]
pub(crate) struct Held {
    over: Arc<AtomicBool>,
    signalling: Option<JoinHandle<()>>,
}

impl Drop for Held {
    /// Waits, so that no signal goes to a process id that is somebody else's by then.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(signalling) = self.signalling.take() {
            signalling.join().ok();
        }
    }
}

/// Lets the process run as long as it has quota left. What it overdraws between two looks comes off the next period.
fn ration(pid: Pid, clock: ClockId, over: &AtomicBool) {
    let mut period = Instant::now();
    let (mut used, mut allowed) = (Duration::ZERO, QUOTA);
    let mut stopped = false;
    while !over.load(Ordering::Relaxed) {
        // An error here and below is a process gone.
        let Ok(now) = clock.now() else { return };
        used = used.max(Duration::from(now));
        if period.elapsed() >= PERIOD {
            period += PERIOD;
            allowed = QUOTA + allowed.min(used);
        }
        if stopped != (used >= allowed) {
            stopped = !stopped;
            let signal = if stopped { Signal::SIGSTOP } else { Signal::SIGCONT };
            if kill(pid, signal).is_err() {
                return;
            }
        }
        thread::sleep(LOOK);
    }
}

/// Our own group in the v2 hierarchy.
fn own_group() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (folder, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then_some(folder)
    })?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new(mount).join(path))
}

/// A new group below this one, if its children have a processor to share and we may make one.
fn group_in(parent: &Path) -> Option<PathBuf> {
    let shared = fs::read_to_string(parent.join("cgroup.subtree_control")).ok()?;
    if !shared.split_whitespace().any(|controller| controller == "cpu") {
        return None;
    }
    let group = parent.join(format!("countermand-bench-{}", std::process::id()));
    fs::create_dir(&group).ok()?;
    let limited = fs::write(group.join("cpu.max"), format!("{} {}", QUOTA.as_micros(), PERIOD.as_micros()))
        .and_then(|()| may_move_into(&group));
    if limited.is_err() {
        fs::remove_dir(&group).ok();
        return None;
    }
    Some(group)
}

/// Whoever may write the limit may still not be allowed to move a process there.
fn may_move_into(group: &Path) -> io::Result<()> {
    let mut child = std::process::Command::new("sleep").arg("60").spawn()?;
    let moved = fs::write(group.join("cgroup.procs"), child.id().to_string());
    child.kill()?;
    child.wait()?;
    moved
}
