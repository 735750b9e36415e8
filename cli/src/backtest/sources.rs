//! Reading what the command line names: files and folders, and archives, which a run may resume.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use ::backtest::Collector;
use chrono::{DateTime, Utc};
use log_files::{Inputs, Progress};
use sha2::{Digest, Sha256};

use super::archive::{self, Address, Archives, Left, Place, Resume, ResumeError, Scanners, Search, Source};
use super::progress::{self, HowFar};
use super::{Args, BacktestError};
use crate::failure::Failure;

/// Where to keep how far a run has come, and what an interrupted one has left.
pub(super) type Resumed = (Option<Resume>, Option<Left>);

/// Reads files and folders.
pub(super) fn scan_files(paths: &[PathBuf], search: Search<'_>) {
    let Search { selection, wanted, judge, part } = search;
    let inputs = Inputs::gather(paths, selection);
    let progress = Progress::default();
    let how_far = || HowFar {
        bytes: progress.bytes(),
        total_bytes: inputs.bytes(),
        files: progress.files(),
        total_files: u64::try_from(inputs.files()).unwrap_or(u64::MAX),
    };
    let (_, totals) = progress::shown(how_far, || {
        log_files::scan(&inputs, selection, wanted, workers(), &progress, || Collector { judge, part })
    });
    search.part().reading.add(totals.into());
}

/// Reads archives from `place` on; whether all could be listed to their ends.
pub(super) fn scan_archives(
    addresses: &[Address],
    profile: Option<&str>,
    search: Search<'_>,
    place: &Place,
    resume: Option<&mut Resume>,
) -> Result<Result<bool, ResumeError>, Failure> {
    if addresses.is_empty() {
        return Ok(Ok(true));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let config = runtime.block_on(lambda::operator_config(profile))?;
    let progress = archive::Progress::default();
    Ok(progress::shown(
        || progress.how_far(),
        || {
            Scanners::beside(search, workers(), |scanners| {
                let at_once = archive::AT_ONCE * workers().get().min(16);
                let archives = Archives { config: &config, addresses, search, scanners, at_once, progress: &progress };
                runtime.block_on(archives.read(place, resume))
            })
        },
    ))
}

fn workers() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl Args {
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let path = |source: &Source| if let Source::Path(path) = source { Some(path.clone()) } else { None };
        self.sources.iter().filter_map(path).collect()
    }

    pub(super) fn archives(&self) -> Vec<Address> {
        let address =
            |source: &Source| if let Source::Archive(address) = source { Some(address.clone()) } else { None };
        self.sources.iter().filter_map(address).collect()
    }

    /// Opens what `--resume` names.
    pub(super) fn resume(&self, now: DateTime<Utc>) -> Result<Result<Resumed, BacktestError>, Failure> {
        let Some(path) = &self.resume else { return Ok(Ok((None, None))) };
        if self.archives().is_empty() {
            return Ok(Err(BacktestError::NothingToResume));
        }
        let every = Duration::from_secs(self.resume_every);
        Ok(match Resume::open(path, self.run()?, now, every) {
            Ok((resume, left)) => Ok((Some(resume), left)),
            Err(error) => Err(error.into()),
        })
    }

    /// Tells this run from others: whatever changes what is found changes it.
    fn run(&self) -> Result<String, Failure> {
        let mut hash = Sha256::new();
        let Self { sources, since, until, accounts, regions, responders, own_roles, .. } = self;
        let options = (sources, since, until, accounts, regions, responders, own_roles);
        hash.update(format!("{} {options:?}", env!("CARGO_PKG_VERSION")));
        for folder in std::iter::once(&self.policies).chain(&self.compare) {
            let policies = |source| Failure::Policies { folder: folder.clone(), source };
            let read = (policy::sources(folder).map_err(policies)?, policy::beside(folder).map_err(policies)?);
            hash.update(format!("{read:?}"));
        }
        Ok(format!("{:x}", hash.finalize()))
    }
}
