//! The files to read.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::problem::Problem;
use crate::selection::Selection;

/// The files to read. Each takes some 150 bytes of memory.
#[derive(Debug, Default)]
pub struct Inputs {
    files: Vec<Input>,
    skipped: u64,
    bytes: u64,
    problems: Vec<(PathBuf, io::Error)>,
}

/// A file.
#[derive(Debug)]
pub(crate) struct Input {
    folder: Arc<Path>,
    name: Box<OsStr>,
    pub(crate) bytes: u64,
}

impl Input {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&*self.name)
    }
}

impl Inputs {
    /// Walks folders, in the order of names, and takes the files there whose names are those of JSON (`.json`, `.jsonl`,
    /// `.ndjson`, and each with `.gz`); files that are named themselves are taken whatever their names. Links are followed.
    /// Digest and Insights files and what the selection rules out by path are skipped, and what cannot be read is kept as a
    /// problem. What is named twice, or lies in a folder that is named as well, is read once.
    #[must_use]
    pub fn gather(paths: &[PathBuf], selection: &Selection) -> Self {
        let mut inputs = Self::default();
        let real: Vec<Option<PathBuf>> = paths.iter().map(|path| path.canonicalize().ok()).collect();
        for (index, (path, its_real)) in paths.iter().zip(&real).enumerate() {
            let others = real.iter().enumerate().filter(|(other, _)| *other != index);
            let covered = its_real.as_deref().is_some_and(|its_real| {
                others.filter_map(|(other, real)| Some((other, real.as_deref()?))).any(|(other, real)| {
                    let within = its_real.starts_with(real) && (its_real.is_dir() || has_name_of_json(its_real));
                    if real == its_real { other < index } else { within }
                })
            });
            if !covered {
                inputs.walk(path, selection);
            }
        }
        inputs
    }

    /// How many files.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Their size together, as they are stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn list(&self) -> &[Input] {
        &self.files
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = Problem> {
        self.problems.iter().map(|(path, source)| Problem::Walk {
            file: path.to_string_lossy().into(),
            // An `io::Error` cannot be cloned, and the problem needs its own.
            source: source.raw_os_error().map_or_else(|| source.kind().into(), io::Error::from_raw_os_error),
        })
    }

    fn walk(&mut self, root: &Path, selection: &Selection) {
        for found in WalkDir::new(root).follow_links(true).sort_by_file_name() {
            match found {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let path = entry.path();
                    let is_named = entry.depth() == 0;
                    let is_taken = is_named || entry.file_type().is_file() && has_name_of_json(path);
                    if !is_taken || !selection.admits_path(&path.to_string_lossy()) {
                        self.skipped += 1;
                        continue;
                    }
                    match entry.metadata() {
                        Ok(metadata) => self.add(path, metadata.len()),
                        Err(error) => self.refuse(path, error),
                    }
                }
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    self.refuse(&path, error);
                }
            }
        }
    }

    fn add(&mut self, path: &Path, bytes: u64) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().unwrap_or(path.as_os_str()).into();
        let folder = match self.files.last() {
            Some(last) if *last.folder == *folder => Arc::clone(&last.folder),
            _ => folder.into(),
        };
        self.bytes += bytes;
        self.files.push(Input { folder, name, bytes });
    }

    fn refuse(&mut self, path: &Path, error: walkdir::Error) {
        // Only a link that leads round in a circle has no cause.
        let cause = error.into_io_error().unwrap_or_else(|| io::ErrorKind::InvalidInput.into());
        self.problems.push((path.to_owned(), cause));
    }
}

/// Whether a file's name is one of JSON: `.json`, `.jsonl`, `.ndjson`, and each with `.gz`.
#[must_use]
pub fn has_name_of_json(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending))
}
