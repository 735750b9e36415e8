//! A large file as blocks of whole records.

use std::io::{self, BufRead, Read};
use std::mem;
use std::sync::Arc;

use crate::gzip::{GzipError, MAX_RATIO, Members};
use crate::problem::Problem;
use crate::walk::{Ending, Step, Walker};

/// Large enough that cutting costs nothing, small enough for a processor's cache.
const BLOCK: usize = 1 << 20;

/// What is no log file and holds records of which none can be told from the next is read up to this size.
const MAX_VALUE: usize = 8 << 20;

/// What may inflate to more than [`MAX_RATIO`] times its size.
const FREE: u64 = 16 << 20;

/// A part of a file's text.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    len: usize,
    /// Where it begins.
    pub(crate) walker: Walker,
    pub(crate) ending: Ending,
}

impl Block {
    pub(crate) fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Its memory, for the next one, unless it is unusually much.
    pub(crate) fn into_spare(self) -> Option<Vec<u8>> {
        Some(self.bytes).filter(|bytes| bytes.len() == BLOCK)
    }
}

/// Counts what is taken from it.
pub(crate) struct Counted<R> {
    source: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.taken += len as u64;
        self.source.consume(len);
    }
}

enum Source<R> {
    Plain(Counted<R>),
    Gzip(Members<Counted<R>>),
}

impl<R: BufRead> Source<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, GzipError> {
        loop {
            let read = match self {
                Self::Plain(source) => source.read(out).map_err(GzipError::Read),
                Self::Gzip(members) => members.read(out),
            };
            match read {
                Err(GzipError::Read(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn taken(&self) -> u64 {
        match self {
            Self::Plain(source) => source.taken,
            Self::Gzip(members) => members.source().taken,
        }
    }
}

/// Reads a file block by block.
pub(crate) struct Blocks<R> {
    file: Arc<str>,
    source: Source<R>,
    bytes: Vec<u8>,
    filled: usize,
    walker: Walker,
    raw: u64,
    ending: Ending,
    problem: Option<Problem>,
    /// [`BLOCK`] and [`MAX_VALUE`]; smaller in tests.
    sizes: (usize, usize),
}

impl<R: BufRead> Blocks<R> {
    /// `source` is gzip or it is not.
    pub(crate) fn new(file: Arc<str>, source: R, gzip: bool) -> Self {
        let source = Counted { source, taken: 0 };
        let source = if gzip { Source::Gzip(Members::new(source)) } else { Source::Plain(source) };
        Self {
            file,
            source,
            bytes: Vec::new(),
            filled: 0,
            walker: Walker::new(&[]),
            raw: 0,
            ending: Ending::Open,
            problem: None,
            sizes: (BLOCK, MAX_VALUE),
        }
    }

    /// How much has been read, as it is stored.
    pub(crate) fn taken(&self) -> u64 {
        self.source.taken()
    }

    /// Why there is no next block: nothing is wrong, or this.
    pub(crate) fn problem(self) -> Option<Problem> {
        self.problem.or_else(|| (!self.walker.met_any()).then_some(Problem::Empty { file: self.file }))
    }

    /// The next block. `spare` is memory to use.
    pub(crate) fn next(&mut self, mut spare: impl FnMut() -> Option<Vec<u8>>) -> Option<Block> {
        if self.ending != Ending::Open {
            return None;
        }
        if self.bytes.is_empty() {
            self.bytes = spare().unwrap_or_default();
        }
        let (mut size, max_size) = self.sizes;
        let mut begin = self.walker.clone();
        loop {
            let is_first = self.raw == 0;
            self.fill(size);
            let text = self.bytes.get(..self.filled).unwrap_or_default();
            if is_first {
                begin = Walker::new(text);
                self.walker = begin.clone();
            }
            go_through(&mut self.walker, text, self.ending);
            if self.ending != Ending::Open {
                return Some(Block {
                    bytes: mem::take(&mut self.bytes),
                    len: self.filled,
                    walker: begin,
                    ending: self.ending,
                });
            }
            let mut ending = Ending::Open;
            if self.walker.at() == begin.at() {
                self.walker = begin.clone();
                if size < max_size {
                    size *= 2;
                    continue;
                }
                ending = Ending::TooLarge;
                go_through(&mut self.walker, text, ending);
            }
            let (len, mut next) = (self.walker.at(), spare().unwrap_or_default());
            let rest = text.get(len..).unwrap_or_default();
            next.resize(rest.len().max(self.sizes.0), 0);
            next.get_mut(..rest.len())?.copy_from_slice(rest);
            self.filled = rest.len();
            self.walker.cut();
            return Some(Block { bytes: mem::replace(&mut self.bytes, next), len, walker: begin, ending });
        }
    }

    fn fill(&mut self, size: usize) {
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
        while self.ending == Ending::Open {
            let Some(room) = self.bytes.get_mut(self.filled..size).filter(|room| !room.is_empty()) else { return };
            match self.source.read(room) {
                Ok(0) => self.ending = Ending::Whole,
                Ok(read) => {
                    self.filled += read;
                    self.raw += read as u64;
                    if self.raw > FREE + MAX_RATIO * self.taken() {
                        self.tear(Problem::Bomb { file: Arc::clone(&self.file), times: MAX_RATIO });
                    }
                }
                Err(error) => {
                    let file = Arc::clone(&self.file);
                    self.tear(match error {
                        GzipError::Truncated => Problem::Truncated { file },
                        GzipError::Damaged => Problem::Damaged { file },
                        GzipError::Checksum => Problem::Checksum { file },
                        GzipError::Trailing => Problem::Trailing { file },
                        GzipError::Read(source) => Problem::Read { file, source },
                    });
                }
            }
        }
    }

    fn tear(&mut self, problem: Problem) {
        self.ending = Ending::Torn;
        self.problem = Some(problem);
    }
}

fn go_through(walker: &mut Walker, text: &[u8], ending: Ending) {
    while !matches!(walker.step(text, ending), Step::Done) {}
}

#[cfg(test)]
mod tests {
    use cloudtrail::Event;
    use proptest::prelude::*;

    use super::*;
    use crate::place::Place;
    use crate::reader::Reader;
    use crate::report::{Report, Sink};
    use crate::selection::Selection;
    use crate::totals::Totals;
    use crate::wanted::Wanted;

    #[derive(Default)]
    struct Found(Vec<String>);

    impl Sink for Found {
        fn event(&mut self, place: &Place, event: Event) {
            self.0.push(format!("{place}: {}", event.id));
        }

        fn problem(&mut self, problem: Problem) {
            self.0.push(problem.to_string());
        }
    }

    /// What is found in `text`, if it is read in blocks of so many bytes, and how many records are counted.
    fn found(text: &str, sizes: (usize, usize)) -> (Vec<String>, u64) {
        let (selection, mut found, mut totals) = (Selection::default(), Found::default(), Totals::default());
        let wanted = Wanted::of([r#"{"detail": {"eventName": ["CreateUser"]}}"#]).unwrap();
        let reader = Reader { wanted: &wanted, selection: &selection };
        let mut blocks = Blocks::new("f".into(), text.as_bytes(), false);
        blocks.sizes = sizes;
        while let Some(block) = blocks.next(|| None) {
            let mut report = Report::new("f".into(), &mut found, &mut totals);
            let mut walker = block.walker.clone();
            reader.read(block.text(), &mut walker, block.ending, &mut report);
            assert!(block.ending != Ending::Open || walker.at() == block.len, "{walker:?}");
        }
        (found.0, totals.records)
    }

    const LARGE: usize = 1 << 20;

    fn text() -> impl Strategy<Value = String> {
        let record = |name: &str| {
            format!(
                r#"{{"eventName":"{name}","eventID":"1","eventSource":"s","awsRegion":"r","recipientAccountId":"123456789012"}}"#
            )
        };
        let mut parts = vec![
            record("CreateUser"),
            record("GetUser"),
            record("CreateUser").replace(",\"", ",\n\"").replace(r#""1""#, r#""2","x":{"y":[{"z":"}"}]}"#),
            format!("{{\"detail\":{},\"detail-type\":\"x via CloudTrail\",\n\"resources\":[]}}", record("CreateUser")),
            "x".repeat(70),
        ];
        for part in [
            "\n",
            "\n",
            "\n",
            "\n{",
            "{",
            "}",
            "[",
            "]",
            ",",
            ",",
            "]}",
            "\"",
            "\\",
            "1",
            "null",
            "{\"a\":",
            "{\"Records\":[",
            "{\"Records\":[",
            "{\n\"Records\" : [\n",
            "{\"Events\":[",
            ",\"b\":{}}",
            "{\"x\":1,\"Records\":[",
        ] {
            parts.push(part.to_owned());
        }
        prop::collection::vec(prop::sample::select(parts), 0..20).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn where_blocks_end_makes_no_difference(text in text(), block in 1_usize..300) {
            prop_assert_eq!(found(&text, (block, LARGE)), found(&text, (LARGE, LARGE)));
        }

        #[test]
        fn whatever_is_too_large_the_rest_is_gone_through(text in text(), block in 1_usize..100) {
            found(&text, (block, block + 50));
        }
    }

    const RECORD: &str = r#"{"eventName":"CreateUser","eventID":"1","eventSource":"s","awsRegion":"r","recipientAccountId":"123456789012"}"#;

    #[test]
    fn what_is_too_large_is_named_and_hides_no_later_line() {
        let large = format!(r#"{{"x":"{}"}}"#, "y".repeat(1000));
        let (found, _) = found(&format!("{RECORD}\n{large}\n{RECORD}\n{{\"Records\":[{large}"), (64, 256));
        assert_eq!(
            found,
            [
                "f:1: 1",
                "f:2: this is larger than any record",
                "f:3: 1",
                "f:4, record 1: this is larger than any record"
            ]
        );
    }

    #[test]
    fn a_line_that_lacks_its_end_hides_none_of_those_that_make_it_too_large() {
        let text = format!("{{\"x\":{{\n{}", format!("{RECORD}\n").repeat(12));
        let (found, _) = found(&text, (64, 256));
        let expected: Vec<String> = (2..14).map(|line| format!("f:{line}: 1")).collect();
        assert_eq!(found, [vec!["f:1: this is larger than any record".to_owned()], expected].concat());
    }
}
