//! Objects that are in memory, looked through on all cores.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use ::backtest::{Collector, Judge, Part};
use log_files::{Scratch, Selection, Wanted};
use tokio::sync::oneshot;

/// What to look for, and where what is found is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) wanted: &'a Wanted,
    pub(crate) judge: Judge<'a>,
    pub(crate) part: &'a Mutex<Part>,
}

impl<'a> Search<'a> {
    /// A part stays whole whatever happens to a thread: each of its changes is one call.
    pub(crate) fn part(&self) -> MutexGuard<'a, Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scan(&self, name: &str, bytes: &[u8], scratch: &mut Scratch) {
        let mut collector = Collector { judge: self.judge, part: self.part };
        let totals = log_files::scan_bytes(name, bytes, self.selection, self.wanted, scratch, &mut collector);
        self.part().reading.add(totals.into());
    }
}

/// Who looks through objects.
#[derive(Debug)]
pub(crate) enum Scanners<'a> {
    /// Other threads.
    Beside(Sender<Job>),
    /// The thread that asks: where there is one core, others would only wait for it.
    Here(Search<'a>, RefCell<Scratch>),
}

/// An object in memory.
#[derive(Debug)]
pub(crate) struct Job {
    name: String,
    bytes: Vec<u8>,
    done: oneshot::Sender<()>,
}

impl<'a> Scanners<'a> {
    pub(crate) fn here(search: Search<'a>) -> Self {
        Self::Here(search, RefCell::default())
    }

    /// Does the work with so many threads beside it.
    pub(crate) fn beside<T>(search: Search<'a>, threads: NonZeroUsize, work: impl FnOnce(&Self) -> T) -> T {
        // Whoever sends bounds how many jobs there are.
        let (queue, jobs) = mpsc::channel();
        let jobs = Mutex::new(jobs);
        thread::scope(|scope| {
            for _ in 0..threads.get() {
                scope.spawn(|| run(search, &jobs));
            }
            let scanners = Self::Beside(queue);
            let result = work(&scanners);
            // The threads end when nobody can send any more.
            drop(scanners);
            result
        })
    }

    /// Looks through an object. Resolves when all that it holds is in the part.
    pub(super) async fn scan(&self, name: String, bytes: Vec<u8>) {
        match self {
            Self::Here(search, scratch) => search.scan(&name, &bytes, &mut scratch.borrow_mut()),
            Self::Beside(queue) => {
                let (done, is_done) = oneshot::channel();
                // Both fail only when the threads have panicked, which `beside` hands on.
                let _handed_on = queue.send(Job { name, bytes, done });
                let _handed_on = is_done.await;
            }
        }
    }
}

fn run(search: Search<'_>, jobs: &Mutex<Receiver<Job>>) {
    let mut scratch = Scratch::default();
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { name, bytes, done }) = next() {
        search.scan(&name, &bytes, &mut scratch);
        // Nobody waits for it any more where the run was cut short.
        let _unheard = done.send(());
    }
}
