//! Going on where a run was interrupted.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::backtest::Part;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Saving takes at most this share of the time.
const SHARE: u32 = 10;

/// What a run has done so far.
#[derive(Debug, Serialize, Deserialize)]
struct State<P> {
    /// Tells the run from others.
    run: String,
    /// The time that ages such as `90d` are counted from: that of the first beginning.
    now: DateTime<Utc>,
    /// The archive that is being read; those before it are done.
    archive: usize,
    /// All keys up to this one are done.
    after: String,
    /// What was found in all of that.
    part: P,
}

/// Where the state of a run is kept.
#[derive(Debug)]
pub(crate) struct Resume {
    path: PathBuf,
    run: String,
    now: DateTime<Utc>,
    every: Duration,
    next: Instant,
}

/// What an interrupted run has left.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) now: DateTime<Utc>,
    pub(crate) at: Place,
    pub(crate) part: Part,
}

/// How far a run has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The number of the archive.
    pub(crate) archive: usize,
    /// All keys in it up to this one are done.
    pub(crate) after: Option<String>,
}

impl Place {
    /// Whether the archive of this number is done.
    pub(super) fn is_behind(&self, archive: usize) -> bool {
        self.archive > archive
    }

    /// The last key that is done in the archive of this number, if any is.
    pub(super) fn after_in(&self, archive: usize) -> Option<&str> {
        self.after.as_deref().filter(|_| self.archive == archive)
    }
}

/// Why a run cannot be resumed, or its state not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResumeError {
    #[error("cannot read the state in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` does not hold the state of a run", path.display())]
    NoState { path: PathBuf, source: serde_json::Error },
    #[error("`{}` holds the state of another run: its logs, policies or options are not the same", path.display())]
    Another { path: PathBuf },
    #[error("cannot keep the state in `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl Resume {
    /// What to keep, and what was left. `run` tells the run from others; `every` is how often to save at most.
    pub(crate) fn open(
        path: &Path,
        run: String,
        now: DateTime<Utc>,
        every: Duration,
    ) -> Result<(Self, Option<Left>), ResumeError> {
        let left = match File::open(path) {
            Ok(file) => Some(Self::read(path, file, &run)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(ResumeError::Read { path: path.to_owned(), source }),
        };
        let now = left.as_ref().map_or(now, |left| left.now);
        Ok((Self { path: path.to_owned(), run, now, every, next: Instant::now() + every }, left))
    }

    fn read(path: &Path, file: File, run: &str) -> Result<Left, ResumeError> {
        let state: State<Part> = serde_json::from_reader(BufReader::new(file))
            .map_err(|source| ResumeError::NoState { path: path.to_owned(), source })?;
        let State { run: its_run, now, archive, after, part } = state;
        if its_run != run {
            return Err(ResumeError::Another { path: path.to_owned() });
        }
        Ok(Left { now, at: Place { archive, after: Some(after) }, part })
    }

    /// Whether it is time to save.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Keeps how far the run has come: the whole new state or, if that fails half way, the one before.
    pub(super) fn save(&mut self, archive: usize, after: &str, part: &Part) -> Result<(), ResumeError> {
        let began = Instant::now();
        let (run, after) = (self.run.clone(), after.to_owned());
        let state = State { run, now: self.now, archive, after, part };
        replace(&self.path, &state).map_err(|source| ResumeError::Write { path: self.path.clone(), source })?;
        let ended = Instant::now();
        // Zero means after each object, however long that takes.
        self.next = if self.every.is_zero() { ended } else { ended + self.every.max((ended - began) * SHARE) };
        Ok(())
    }

    /// Forgets the run, which is done.
    pub(crate) fn forget(self) -> Result<(), ResumeError> {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ResumeError::Write { path: self.path, source })
            }
            _ => Ok(()),
        }
    }
}

fn replace(path: &Path, state: &State<&Part>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = BufWriter::new(File::create(&new)?);
    serde_json::to_writer(&mut file, state)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&new, path)
}
