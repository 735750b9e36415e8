//! How much was read.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a scan went through. Sums of parts are exact: every file, byte, record and problem is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files read, also those that turned out broken.
    pub files: u64,
    /// Files not opened: digest and Insights files, names that are not logs', and what the selection leaves out by path.
    pub skipped_files: u64,
    /// Bytes of the files read, as they are stored.
    pub compressed: u64,
    /// Bytes of JSON in them.
    pub raw: u64,
    /// Records and envelopes in them, whatever their names. Exact where the JSON is valid.
    pub records: u64,
    /// Events handed to the sink.
    pub wanted: u64,
    /// Problems met, also those that were only counted ([`Problem::Further`](crate::Problem::Further)).
    pub problems: u64,
}

impl Totals {
    /// Adds what another part of the same work went through.
    pub fn merge(&mut self, other: &Self) {
        let Self { files, skipped_files, compressed, raw, records, wanted, problems } = other;
        self.files += files;
        self.skipped_files += skipped_files;
        self.compressed += compressed;
        self.raw += raw;
        self.records += records;
        self.wanted += wanted;
        self.problems += problems;
    }
}

/// How far a scan is. Another thread may look while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    compressed: AtomicU64,
}

impl Progress {
    /// How many files are done.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// How many bytes of files are done, as they are stored; at the end as many as
    /// [`Inputs::bytes`](crate::Inputs::bytes), unless files changed meanwhile.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.compressed.load(Ordering::Relaxed)
    }

    pub(crate) fn add_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.compressed.fetch_add(bytes, Ordering::Relaxed);
    }
}
