//! A text, cut into records.
//!
//! The text may come in blocks: a [`Walker`] goes from value to value and stops before one that is not whole, and with the
//! next block it goes on from there.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem};

use crate::object::{Name, Object, object, rest_of_object};

/// `U+FEFF`.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What holds records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// `[…]`: records or envelopes.
    Array,
    /// `{"Records":[…]}`: a log file.
    Records,
    /// `{"Events":[…]}`: what `aws cloudtrail lookup-events` prints.
    Events,
}

/// What the end of a text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It goes on in the next block.
    Open,
    /// There is no more.
    Whole,
    /// What would follow cannot be read, and that is said elsewhere.
    Torn,
    /// It goes on, but what it ends in is too large to be a record.
    TooLarge,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) span: Range<usize>,
    pub(crate) held_by: Option<Container>,
    pub(crate) object: Object,
    /// The line of its first byte, from 1.
    pub(crate) line: usize,
    /// Its number in what holds it, from 1.
    pub(crate) record: Option<usize>,
}

/// Why a text cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It, or the line, ends within a value.
    Cut,
    /// This byte should not be here.
    Unexpected(u8),
}

/// What comes next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Piece(Piece),
    /// Something broken begins here. The next step is behind it.
    Broken {
        fault: Fault,
        line: usize,
        record: Option<usize>,
    },
    /// All that is whole is behind us.
    Done,
}

#[derive(Debug, Clone, Copy)]
enum Where {
    /// Between values.
    Top,
    /// In the array of what holds records.
    Inside(Container, Next),
    /// In an object that holds records, behind the array.
    Behind,
    /// In something broken, until a line begins with `{`.
    Lost { at_line: bool },
}

#[derive(Debug, Clone, Copy)]
enum Next {
    First,
    Comma,
    Value,
}

/// Where no value may go beyond its line, because what seemed to be a value of several lines was broken. So one line
/// that lacks its end hides no other.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    until: usize,
    /// A value begins at `until`, if no line before does.
    value_follows: bool,
}

/// Goes through a text.
#[derive(Debug, Clone)]
pub(crate) struct Walker {
    at: usize,
    place: Where,
    doubt: Doubt,
    line: usize,
    record: usize,
    met_any: bool,
}

impl Walker {
    /// At the beginning of a file, behind the mark that some writers put before UTF-8.
    pub(crate) fn new(text: &[u8]) -> Self {
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let doubt = Doubt { until: 0, value_follows: false };
        Self { at, place: Where::Top, doubt, line: 1, record: 0, met_any: false }
    }

    /// At the beginning of an array that begins on this line.
    pub(crate) fn before(container: Container, line: usize) -> Self {
        Self { at: 1, place: Where::Inside(container, Next::First), line, ..Self::new(&[]) }
    }

    /// How many bytes of the text are behind us.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether there was anything but space.
    pub(crate) fn met_any(&self) -> bool {
        self.met_any
    }

    /// From now on, the text begins where we are.
    pub(crate) fn cut(&mut self) {
        self.doubt.until = self.doubt.until.saturating_sub(self.at);
        self.at = 0;
    }

    /// Goes through the lines of a value that is broken.
    pub(crate) fn retry(&mut self, piece: &Piece) {
        (self.at, self.line) = (piece.span.start, piece.line);
        self.doubt = Doubt { until: piece.span.end, value_follows: true };
        self.place = Where::Lost { at_line: false };
    }

    /// What comes next in `text`.
    pub(crate) fn step(&mut self, text: &[u8], ending: Ending) -> Step {
        loop {
            if let Where::Lost { at_line } = self.place
                && !self.find_line(text, at_line)
            {
                return Step::Done;
            }
            match space(text.get(self.at..).unwrap_or_default()) {
                0 => {}
                space => self.pass_lines(text, space),
            }
            let Some(byte) = text.get(self.at).copied() else {
                return if matches!(self.place, Where::Top) { Step::Done } else { self.unfinished(text, ending) };
            };
            self.met_any = true;
            match (self.place, byte) {
                (Where::Top, b'{') => match container(self.reach(text)) {
                    Head::Container(container, len) => self.enter(text, container, len),
                    Head::Cut if ending == Ending::Open => return self.unfinished(text, ending),
                    Head::Cut | Head::Value => return self.value(text, ending, None),
                },
                (Where::Top, b'[') => self.enter(text, Container::Array, 1),
                (Where::Inside(container, Next::First | Next::Comma), b']') => {
                    self.at += 1;
                    self.place = if container == Container::Array { Where::Top } else { Where::Behind };
                }
                (Where::Inside(container, Next::Comma), b',') => {
                    self.at += 1;
                    self.place = Where::Inside(container, Next::Value);
                }
                (Where::Inside(container, Next::First | Next::Value), _) => {
                    return self.value(text, ending, Some(container));
                }
                (Where::Behind, b'}' | b',') => {
                    let Some(rest) = rest_of_object(self.reach(text)) else { return self.unfinished(text, ending) };
                    self.pass(text, &rest);
                    self.place = Where::Top;
                }
                (_, other) => return self.broken(Fault::Unexpected(other)),
            }
        }
    }

    fn enter(&mut self, text: &[u8], container: Container, len: usize) {
        self.pass_lines(text, len);
        self.record = 0;
        self.place = Where::Inside(container, Next::First);
    }

    fn value(&mut self, text: &[u8], ending: Ending, held_by: Option<Container>) -> Step {
        let reach = self.reach(text);
        let found = if reach.starts_with(b"{") { object(reach).ok_or(Fault::Cut) } else { scalar(reach) };
        match found {
            Ok(object) => {
                if let Some(container) = held_by {
                    self.record += 1;
                    self.place = Where::Inside(container, Next::Comma);
                }
                let record = held_by.map(|_| self.record);
                let piece = Piece { span: self.at..self.at + object.len, held_by, object, line: self.line, record };
                self.pass(text, &object);
                Step::Piece(piece)
            }
            Err(Fault::Cut) => self.unfinished(text, ending),
            Err(fault) => self.broken(fault),
        }
    }

    fn unfinished(&mut self, text: &[u8], ending: Ending) -> Step {
        let line_ended = self.at + self.reach(text).len() < text.len();
        match ending {
            _ if line_ended || self.value_follows() => self.broken(Fault::Cut),
            Ending::Open | Ending::Torn => Step::Done,
            Ending::TooLarge if self.at > 0 => Step::Done,
            Ending::Whole | Ending::TooLarge => {
                self.doubt = Doubt { until: text.len(), value_follows: false };
                self.broken(Fault::Cut)
            }
        }
    }

    fn broken(&mut self, fault: Fault) -> Step {
        let record = matches!(self.place, Where::Inside(..)).then_some(self.record + 1);
        self.place = Where::Lost { at_line: false };
        Step::Broken { fault, line: self.line, record }
    }

    /// Goes to where a value begins again, if that is in `text`, and else to the end of it.
    fn find_line(&mut self, text: &[u8], at_line: bool) -> bool {
        let rest = text.get(self.at..self.bound(text)).unwrap_or_default();
        let line =
            if at_line && rest.starts_with(b"{") { Some(0) } else { memmem::find(rest, b"\n{").map(|end| end + 1) };
        let found = line.is_some() || self.value_follows();
        let at_line = rest.last().map_or(at_line, |last| *last == b'\n');
        self.place = if found { Where::Top } else { Where::Lost { at_line } };
        self.pass_lines(text, line.unwrap_or(rest.len()));
        found
    }

    /// What a value that begins here may extend over.
    fn reach<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let rest = text.get(self.at..self.at.max(self.bound(text))).unwrap_or_default();
        let line = || memchr(b'\n', rest).and_then(|end| rest.get(..end));
        if self.at < self.doubt.until { line().unwrap_or(rest) } else { rest }
    }

    /// Where the text ends, or before that the doubt, if a value follows it.
    fn bound(&self, text: &[u8]) -> usize {
        if self.value_follows() { self.doubt.until.min(text.len()) } else { text.len() }
    }

    /// Whether we are in doubt, and a value begins where that ends.
    fn value_follows(&self) -> bool {
        self.at < self.doubt.until && self.doubt.value_follows
    }

    fn pass(&mut self, text: &[u8], object: &Object) {
        if object.lines {
            self.pass_lines(text, object.len);
        } else {
            self.at += object.len;
        }
    }

    fn pass_lines(&mut self, text: &[u8], len: usize) {
        let passed = text.get(self.at..self.at + len).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count();
        self.at += len;
    }
}

enum Head {
    Value,
    Container(Container, usize),
    Cut,
}

/// Whether the object that `text` begins with holds records, and how many bytes come before the first.
fn container(text: &[u8]) -> Head {
    for (key, container) in [(&br#""Records""#[..], Container::Records), (br#""Events""#, Container::Events)] {
        let mut rest = text;
        let all = [&b"{"[..], key, b":", b"["].into_iter().try_for_each(|token| {
            rest = rest.get(space(rest)..).unwrap_or_default();
            let found = rest.strip_prefix(token);
            rest = found.ok_or(token.starts_with(rest))?;
            Ok(())
        });
        match all {
            Ok(()) => return Head::Container(container, text.len() - rest.len()),
            Err(true) => return Head::Cut,
            Err(false) => {}
        }
    }
    Head::Value
}

/// A number, a truth value or null, which ends where something else begins.
fn scalar(text: &[u8]) -> Result<Object, Fault> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    match text.iter().position(|byte| !is_part(byte)) {
        Some(0) => Err(Fault::Unexpected(text.first().copied().unwrap_or_default())),
        Some(len) => Ok(Object { len, name: Name::Nowhere, wide: false, spells: false, lines: false }),
        None => Err(Fault::Cut),
    }
}

fn space(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}
