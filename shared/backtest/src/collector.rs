//! From what a scan reads to what it adds up to.

use std::sync::{Mutex, PoisonError};

use cloudtrail::Event;
use log_files::{Place, Problem, Sink};

use crate::judge::{Judge, Unreadable};
use crate::part::Part;

/// One worker's sink. All workers fill one part: findings are few among records, and two parts would hold in two tables
/// the texts that they share.
#[derive(Debug)]
pub struct Collector<'a> {
    /// Who says what is found.
    pub judge: Judge<'a>,
    /// What is filled.
    pub part: &'a Mutex<Part>,
}

/// A responder does not understand an event of a file.
#[derive(Debug, thiserror::Error)]
#[error("{place}")]
struct Misunderstood {
    place: Place,
    source: Unreadable,
}

impl Collector<'_> {
    /// A part stays whole whatever happens to a worker: each of its changes is one call.
    fn part(&self) -> impl std::ops::DerefMut<Target = Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Collector<'_> {
    fn event(&mut self, place: &Place, event: Event) {
        for judged in self.judge.judge(&event) {
            match judged {
                Ok(finding) => self.part().add(&finding),
                Err(source) => self.part().problems.add(&Misunderstood { place: place.clone(), source }),
            }
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.part().problems.add(&problem);
    }
}
