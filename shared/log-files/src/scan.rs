//! Many files, on several workers.

use std::num::NonZeroUsize;
use std::panic;
use std::thread;

use crate::inputs::Inputs;
use crate::queue::Queue;
use crate::reader::Reader;
use crate::report::Sink;
use crate::selection::Selection;
use crate::totals::{Progress, Totals};
use crate::wanted::Wanted;
use crate::worker::{Scratch, Worker};

/// Reads all inputs and hands the events that are wanted to the workers' sinks, which `sink` makes.
///
/// Each worker takes at most some 50 MiB, and with two, all together stay below 200 MiB whatever the files' sizes. What
/// is in a file comes to one sink, unless the file is so large that it is cut into blocks.
pub fn scan<S: Sink + Send>(
    inputs: &Inputs,
    selection: &Selection,
    wanted: &Wanted,
    workers: NonZeroUsize,
    progress: &Progress,
    sink: impl Fn() -> S + Sync,
) -> (Vec<S>, Totals) {
    let queue = Queue::new(inputs.list(), workers.get());
    let work = |mut sink: S| {
        let mut scratch = Scratch::default();
        let mut totals = Totals::default();
        let reader = Reader { wanted, selection };
        let queue = Some(&queue);
        Worker { reader, queue, progress, scratch: &mut scratch, sink: &mut sink, totals: &mut totals }.run();
        (sink, totals)
    };
    let mut totals = Totals { skipped_files: inputs.skipped(), ..Totals::default() };
    let mut first = sink();
    for problem in inputs.problems() {
        totals.problems += 1;
        first.problem(problem);
    }
    let done: Vec<(S, Totals)> = thread::scope(|scope| {
        let others: Vec<_> = (1..workers.get()).map(|_| scope.spawn(|| work(sink()))).collect();
        let first = work(first);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        std::iter::once(first).chain(others).collect()
    });
    for (_, part) in &done {
        totals.merge(part);
    }
    (done.into_iter().map(|(sink, _)| sink).collect(), totals)
}

/// Reads what a file holds, gzip or not, on this thread. `name` is its path or key: the selection may rule it out by that.
pub fn scan_bytes(
    name: &str,
    bytes: &[u8],
    selection: &Selection,
    wanted: &Wanted,
    scratch: &mut Scratch,
    sink: &mut impl Sink,
) -> Totals {
    let mut totals = Totals::default();
    if !selection.admits_path(name) {
        totals.skipped_files = 1;
        return totals;
    }
    let (reader, progress) = (Reader { wanted, selection }, &Progress::default());
    Worker { reader, queue: None, progress, scratch, sink, totals: &mut totals }.bytes(&name.into(), bytes);
    totals
}
