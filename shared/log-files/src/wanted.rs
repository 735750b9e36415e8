//! Which records are worth parsing.

use memchr::memmem::Finder;
use serde_json::Value;

use crate::object::{Name, Object};

/// Why an event pattern does not say which operations it is about.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// Not JSON.
    #[error("the event pattern is not JSON")]
    Json(#[source] serde_json::Error),
    /// CloudTrail's events match it whatever their names, so every record of every log would have to be parsed.
    #[error("the event pattern matches calls of any name: give it `detail.eventName`")]
    AnyName,
    /// `eventName` is matched otherwise than by names and prefixes.
    #[error("the event pattern matches `eventName` otherwise than by names and prefixes")]
    Matcher,
}

/// The names of the operations that any responder answers.
#[derive(Debug)]
pub struct Wanted {
    /// By length.
    names: Vec<Vec<Box<[u8]>>>,
    prefixes: Vec<Box<[u8]>>,
    finders: Finders,
}

/// Tokens to look for.
#[derive(Debug)]
struct Finders {
    records: Finder<'static>,
    events: Finder<'static>,
    escape: Finder<'static>,
}

impl Wanted {
    /// Takes the names from EventBridge event patterns: the texts of the responders' `pattern.json`.
    pub fn of<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let finders = Finders {
            records: Finder::new(br#""Records""#),
            events: Finder::new(br#""Events""#),
            escape: Finder::new(br"\u00"),
        };
        let mut wanted = Self { names: Vec::new(), prefixes: Vec::new(), finders };
        for pattern in patterns {
            let pattern: Value = serde_json::from_str(pattern).map_err(PatternError::Json)?;
            if may_match_calls(&pattern) {
                wanted.add(pattern.get("detail").unwrap_or(&Value::Null))?;
            }
        }
        Ok(wanted)
    }

    fn add(&mut self, detail: &Value) -> Result<(), PatternError> {
        if let Some(matchers) = detail.get("eventName") {
            return matchers.as_array().ok_or(PatternError::Matcher)?.iter().try_for_each(|one| self.add_matcher(one));
        }
        let alternatives = detail.get("$or").and_then(Value::as_array).ok_or(PatternError::AnyName)?;
        alternatives.iter().try_for_each(|detail| self.add(detail))
    }

    fn add_matcher(&mut self, matcher: &Value) -> Result<(), PatternError> {
        if let Some(name) = matcher.as_str() {
            if self.names.len() <= name.len() {
                self.names.resize(name.len() + 1, Vec::new());
            }
            if let Some(names) = self.names.get_mut(name.len()) {
                names.push(name.as_bytes().into());
            }
            return Ok(());
        }
        let only = matcher.as_object().filter(|matcher| matcher.len() == 1);
        let prefix = only.and_then(|matcher| matcher.get("prefix")?.as_str()).ok_or(PatternError::Matcher)?;
        self.prefixes.push(prefix.as_bytes().into());
        Ok(())
    }

    /// Whether some responder answers the operation of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.holds(name.as_bytes())
    }

    fn holds(&self, name: &[u8]) -> bool {
        self.names.get(name.len()).is_some_and(|names| names.iter().any(|one| **one == *name))
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether it is to be decoded: all but the calls that are surely of other names.
    pub(crate) fn concerns(&self, value: &Value) -> bool {
        let kind = value.get("detail-type").and_then(Value::as_str).unwrap_or_default();
        let is_call = kind.to_ascii_lowercase().ends_with("via cloudtrail");
        let of_detail = || value.get("detail").filter(|_| is_call)?.get("eventName");
        let name = value.get("eventName").or_else(of_detail);
        name.and_then(Value::as_str).is_none_or(|name| self.contains(name))
    }

    /// Whether an object can be passed over without parsing it, since it is surely a record of a call that is not wanted.
    ///
    /// In JSON text, a string that is spelled without escapes stands as it is, so the key is always found, unless one of its
    /// letters is escaped: then nothing is passed over.
    pub(crate) fn passes_over(&self, text: &[u8], object: &Object) -> bool {
        let Name::Before(behind) = object.name else { return false };
        let name = text.get(behind..).and_then(value_of_key).filter(|name| !self.holds(name));
        name.is_some() && !(object.escapes && self.spells_a_letter(text))
    }

    /// Whether an object may itself hold records, in `Records` or `Events`, wherever these stand.
    pub(crate) fn may_hold_records(&self, text: &[u8], object: &Object) -> bool {
        let keys = [&self.finders.records, &self.finders.events];
        object.name == Name::Nowhere
            && (keys.iter().any(|key| key.find(text).is_some()) || object.escapes && self.spells_a_letter(text))
    }

    /// Whether an ASCII letter is written as `\u00…`, which only an odd writer does.
    fn spells_a_letter(&self, text: &[u8]) -> bool {
        self.finders.escape.find_iter(text).any(|at| {
            let digits = text.get(at + 4..at + 6).and_then(|digits| str::from_utf8(digits).ok());
            digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).is_some_and(|byte| byte.is_ascii_alphabetic())
        })
    }
}

/// The text that follows a key, if it is text and without escapes.
fn value_of_key(rest: &[u8]) -> Option<&[u8]> {
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let text = value.split(|byte| *byte == b'"').next()?;
    Some(text).filter(|text| !text.contains(&b'\\'))
}

/// Whether events that CloudTrail wrote may match the pattern.
fn may_match_calls(pattern: &Value) -> bool {
    let may_be_calls = |matcher: &Value| matcher.as_str().is_none_or(|kind| kind.ends_with("via CloudTrail"));
    pattern.get("detail-type").and_then(Value::as_array).is_none_or(|matchers| matchers.iter().any(may_be_calls))
}
