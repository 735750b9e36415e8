//! Where what is found goes.

use std::sync::Arc;

use cloudtrail::Event;

use crate::place::Place;
use crate::problem::Problem;
use crate::totals::Totals;

/// Takes what one worker finds. Each worker has its own, so nothing needs to be shared.
pub trait Sink {
    /// An event whose operation some responder may answer, or one that is no API call. Events of one file come in the order
    /// in which they stand there, unless it is so large that several workers read it.
    fn event(&mut self, place: &Place, event: Event);
    /// Something that could not be read.
    fn problem(&mut self, problem: Problem);
}

/// So many problems of one file, or of one block of a large file, are named; the others are counted.
const NAMED: u64 = 20;

/// Hands to the sink what is found in one file or block, and counts it.
pub(crate) struct Report<'a> {
    file: Arc<str>,
    sink: &'a mut dyn Sink,
    totals: &'a mut Totals,
    problems: u64,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: Arc<str>, sink: &'a mut dyn Sink, totals: &'a mut Totals) -> Self {
        Self { file, sink, totals, problems: 0 }
    }

    pub(crate) fn place(&self, line: usize, record: Option<usize>) -> Place {
        Place { file: Arc::clone(&self.file), line, record }
    }

    pub(crate) fn totals(&mut self) -> &mut Totals {
        self.totals
    }

    pub(crate) fn event(&mut self, place: &Place, event: Event) {
        self.totals.wanted += 1;
        self.sink.event(place, event);
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.totals.problems += 1;
        self.problems += 1;
        if self.problems <= NAMED {
            self.sink.problem(problem);
        }
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if self.problems > NAMED {
            self.sink.problem(Problem::Further { file: Arc::clone(&self.file), count: self.problems - NAMED });
        }
    }
}
