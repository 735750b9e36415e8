//! Seven hundredths of a core: what Lambda gives a function of 128 MB.
//!
//! A vCPU comes with 1,769 MB (AWS Lambda Developer Guide, "Configure Lambda function memory"), so 128 MB have 0.072 of
//! one. Linux does that with a quota: a process that has used up its 7 ms waits for the end of the 100 ms. Where there is
//! no control group to be made, the benchmark does the same with signals.

use std::cell::RefCell;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// In each period a process may use the quota.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);
const QUOTA: Duration = Duration::from_millis(7);

/// How processes are limited on this machine.
#[derive(Debug)]
pub(crate) enum Limiter {
    /// A control group of its own, gone with this.
    Group(PathBuf),
    /// `limit.py`.
    Signals(RefCell<Signals>),
}

/// A running `limit.py`, which ends with its standard input.
#[derive(Debug)]
pub(crate) struct Signals {
    _program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Limiter {
    /// A control group wherever above us one may be made that limits the processor, else signals.
    pub(crate) fn of_this_machine(python: &Path) -> io::Result<Self> {
        let above = own_group().unwrap_or_default();
        let mut groups = above.ancestors().take_while(|group| group.join("cgroup.controllers").exists());
        match groups.find_map(group_in) {
            Some(group) => Ok(Self::Group(group)),
            None => Ok(Self::Signals(RefCell::new(Signals::start(python)?))),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let (quota, period) = (QUOTA.as_millis(), PERIOD.as_millis());
        match self {
            Self::Group(group) => format!("{quota} ms in {period} ms, by cpu.max of {}", group.display()),
            Self::Signals(_) => {
                format!(
                    "{quota} ms of CPU time in {period} ms, by SIGSTOP and SIGCONT: no cgroup v2 here has a cpu.max"
                )
            }
        }
    }

    /// Limits a process that has just been started, until the answer is dropped.
    pub(crate) fn hold(&self, pid: u32) -> io::Result<Held<'_>> {
        match self {
            Self::Group(group) => fs::write(group.join("cgroup.procs"), pid.to_string())?,
            Self::Signals(signals) => writeln!(signals.borrow_mut().orders, "{pid}")?,
        }
        Ok(Held(self))
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
pub(crate) struct Held<'a>(&'a Limiter);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Limiter::Signals(signals) = self.0 {
            // An error is a program gone, which sends no signals either.
            signals.borrow_mut().let_go().ok();
        }
    }
}

impl Signals {
    fn start(python: &Path) -> io::Result<Self> {
        let mut program = Command::new(python)
            .args(["-c", include_str!("limit.py")])
            .args([QUOTA, PERIOD].map(|time| time.as_micros().to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (program.stdin.take(), program.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut signals = Self { _program: program, orders, answers: BufReader::new(answers) };
        // The first process measured must not be the one that waits until this is up.
        signals.let_go()?;
        Ok(signals)
    }

    fn let_go(&mut self) -> io::Result<()> {
        writeln!(self.orders, "0")?;
        self.answers.read_line(&mut String::new()).map(|_| ())
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
    let mut child = Command::new("sleep").arg("60").spawn()?;
    let moved = fs::write(group.join("cgroup.procs"), child.id().to_string());
    child.kill()?;
    child.wait()?;
    moved
}
