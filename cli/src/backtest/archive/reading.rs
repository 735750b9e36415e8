//! Getting objects, several at once, and having them looked through.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use log_files::has_name_of_json;
use remedy::CallError;
use tokio::sync::Semaphore;

use super::bucket::{Bucket, Object};
use super::scanners::{Scanners, Search};
use crate::backtest::progress::HowFar;

/// For each core so many objects are on their way or being looked through: to get one takes longer than to read it.
pub(crate) const AT_ONCE: usize = 16;

/// An object is held in memory as a whole. CloudTrail's files are of a few megabytes at most.
const MAX_BYTES: u64 = 64 << 20;

/// All objects on their way together take at most this.
const MAX_HELD: u64 = 2 * MAX_BYTES;

/// What memory is counted in.
const UNIT: u64 = 1 << 10;

/// Why an object, or an archive, was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error("cannot find bucket `{bucket}`")]
    Find { bucket: String, source: CallError },
    #[error("cannot list `{address}` to its end; what comes after is not read")]
    List { address: String, source: CallError },
    #[error("cannot get `{object}`")]
    Get { object: String, source: CallError },
    #[error("`{object}` has more than 64 MiB, which CloudTrail's files never have; download it and name the file")]
    TooLarge { object: String },
}

/// How far the reading is. Another thread may look.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    listed_files: AtomicU64,
    listed_bytes: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// The totals are those of what has been listed.
    pub(crate) fn how_far(&self) -> HowFar {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        HowFar {
            bytes: now(&self.bytes),
            total_bytes: now(&self.listed_bytes),
            files: now(&self.files),
            total_files: now(&self.listed_files),
        }
    }
}

/// Reads objects of one bucket.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bucket: &'a Bucket,
    pub(super) search: Search<'a>,
    scanners: &'a Scanners<'a>,
    progress: &'a Progress,
    memory: Semaphore,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        bucket: &'a Bucket,
        search: Search<'a>,
        scanners: &'a Scanners<'a>,
        progress: &'a Progress,
    ) -> Self {
        let memory = Semaphore::new(usize::try_from(MAX_HELD / UNIT).unwrap_or(Semaphore::MAX_PERMITS));
        Self { bucket, search, scanners, progress, memory }
    }

    /// Whether an object is to be read at all. One that is not is counted.
    pub(crate) fn admits(&self, object: &Object) -> bool {
        if object.key.ends_with('/') {
            return false; // the console's idea of a folder
        }
        let is_log = has_name_of_json(Path::new(&object.key)) && self.search.selection.admits_path(&object.key);
        if is_log {
            self.progress.listed_files.fetch_add(1, Ordering::Relaxed);
            self.progress.listed_bytes.fetch_add(object.bytes, Ordering::Relaxed);
        } else {
            self.search.part().reading.skipped_files += 1;
        }
        is_log
    }

    /// Reads an object. What goes wrong is in the part as a problem, and given back where trying again later may help.
    pub(crate) async fn read(&self, object: &Object) -> Result<(), CallError> {
        let read = self.get(object).await;
        self.progress.files.fetch_add(1, Ordering::Relaxed);
        self.progress.bytes.fetch_add(object.bytes, Ordering::Relaxed);
        let Err(unread) = read else { return Ok(()) };
        let mut part = self.search.part();
        part.reading.files += 1;
        part.problems.add(&unread);
        match unread {
            Unread::Get { source, .. } if source.is_retryable() => Err(source),
            _ => Ok(()),
        }
    }

    async fn get(&self, object: &Object) -> Result<(), Unread> {
        let name = self.bucket.address(&object.key);
        if object.bytes > MAX_BYTES {
            return Err(Unread::TooLarge { object: name });
        }
        let units = u32::try_from(object.bytes / UNIT + 1).unwrap_or(u32::MAX);
        // An error means that the semaphore was closed, which nobody does.
        let _held = self.memory.acquire_many(units).await;
        match self.bucket.get(&object.key).await {
            Ok(bytes) => {
                self.scanners.scan(name, bytes).await;
                Ok(())
            }
            Err(source) => Err(Unread::Get { object: name, source }),
        }
    }
}
