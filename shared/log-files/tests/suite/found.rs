//! What a scan finds, for comparing.

use std::io::Write;

use cloudtrail::Event;
use flate2::{Compression, write::GzEncoder};
use log_files::{Place, Problem, Scratch, Selection, Sink, Totals, Wanted, scan_bytes};

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) events: Vec<(Place, Event)>,
    pub(crate) problems: Vec<Problem>,
}

impl Sink for Found {
    fn event(&mut self, place: &Place, event: Event) {
        self.events.push((place.clone(), event));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

impl Found {
    /// Ids with their places, then problems.
    pub(crate) fn lines(&self) -> Vec<String> {
        let events = self.events.iter().map(|(place, event)| format!("{} {place}", event.id));
        events.chain(self.problems.iter().map(ToString::to_string)).collect()
    }
}

/// The names that are wanted in these tests.
pub(crate) const WANTED: [&str; 4] = ["CreateUser", "DeleteTrail", "PutBucketPolicy", "Zugänge"];

/// This name is wanted only of these types of `userIdentity`.
pub(crate) const SIGN_IN: (&str, [&str; 2]) = ("ConsoleLogin", ["IAMUser", "Root"]);

pub(crate) fn wanted() -> Wanted {
    let (name, types) = SIGN_IN;
    let sign_in = serde_json::json!({ "eventName": [name], "userIdentity": { "type": types } });
    let pattern = serde_json::json!({ "detail": { "$or": [{ "eventName": WANTED }, sign_in] } }).to_string();
    Wanted::of([pattern.as_str()]).unwrap()
}

pub(crate) fn read(bytes: &[u8]) -> (Found, Totals) {
    let mut found = Found::default();
    let totals = scan_bytes("f", bytes, &Selection::default(), &wanted(), &mut Scratch::default(), &mut found);
    assert_eq!(totals.wanted, found.events.len() as u64);
    (found, totals)
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}
