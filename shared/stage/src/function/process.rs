//! The function's process: started, listened to, ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::FunctionError;

/// So many lines are shown of what an ended process said.
const LAST_WORDS: usize = 10;

/// A pipe stays open as long as a grandchild holds it; the process is gone all the same.
const DRAIN: Duration = Duration::from_millis(500);

/// A process, and a task that watches it. Both end with this.
#[derive(Debug)]
pub(super) struct Process {
    pid: Option<u32>,
    ended: watch::Receiver<Option<ExitStatus>>,
    kill: mpsc::Sender<()>,
    stdout: Lines,
    stderr: Lines,
}

impl Process {
    pub(super) fn start(binary: &Path, environment: BTreeMap<OsString, OsString>) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let mut readers = JoinSet::new();
        if let Some(pipe) = child.stdout.take() {
            readers.spawn(stdout.clone().follow(pipe));
        }
        if let Some(pipe) = child.stderr.take() {
            readers.spawn(stderr.clone().follow(pipe));
        }
        let pid = child.id();
        let (report, ended) = watch::channel(None);
        let (kill, killed) = mpsc::channel(1);
        tokio::spawn(watch_over(child, readers, killed, report));
        Ok(Self { pid, ended, kill, stdout, stderr })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.pid.filter(|_| self.status().is_none())
    }

    fn status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Resolves when the process is gone and its output read.
    pub(super) async fn ended(&self) {
        // An error means that the watching task is gone, and with it the process.
        self.ended.clone().wait_for(Option::is_some).await.ok();
    }

    pub(super) async fn kill(&self) {
        // Full or closed means that it is being killed, or is gone.
        self.kill.try_send(()).ok();
        self.ended().await;
    }

    pub(super) fn exited(&self) -> FunctionError {
        let stderr = self.stderr.last();
        let last_words = if stderr.is_empty() { self.stdout.last() } else { stderr };
        let status = self.status().unwrap_or_else(|| ExitStatus::from_raw(SIGKILL));
        FunctionError::Exited { status, last_words }
    }

    pub(super) fn stdout(&self) -> Vec<String> {
        self.stdout.all()
    }

    pub(super) fn stderr(&self) -> Vec<String> {
        self.stderr.all()
    }
}

/// What a process that vanished with its watcher died of: it is killed on drop.
const SIGKILL: i32 = 9;

async fn watch_over(
    mut child: Child,
    mut readers: JoinSet<()>,
    mut killed: mpsc::Receiver<()>,
    report: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        // Asked to, or the handle is gone.
        _ = killed.recv() => {
            child.start_kill().ok();
            child.wait().await
        }
    };
    let drained = async { while readers.join_next().await.is_some() {} };
    tokio::time::timeout(DRAIN, drained).await.ok();
    report.send(Some(status.unwrap_or_else(|_| ExitStatus::from_raw(SIGKILL)))).ok();
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    async fn follow(self, pipe: impl AsyncRead + Unpin) {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        // By bytes: one line that is not UTF-8 must not end the reading of those after it.
        while pipe.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            line.clear();
        }
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn last(&self) -> String {
        let lines = self.all();
        let skipped = lines.len().saturating_sub(LAST_WORDS);
        lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
    }
}
