//! Which records are worth parsing.

use std::collections::HashMap;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::condition::Condition;
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

/// The operations that any responder answers: their names, and what else the patterns ask of their records.
#[derive(Debug)]
pub struct Wanted {
    names: HashMap<Box<[u8]>, Vec<Alternative>>,
    prefixes: Vec<(Box<[u8]>, Alternative)>,
    /// What values of wanted names begin with, by [`place`].
    beginnings: Vec<bool>,
    finders: Finders,
}

/// Conditions that all must hold.
type Alternative = Vec<Condition>;

/// So many bytes of a value tell most names apart from all that are wanted.
const BEGINNING: usize = 8;

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
        let beginnings = vec![false; 1 << PLACE_BITS];
        let mut wanted = Self { names: HashMap::new(), prefixes: Vec::new(), beginnings, finders };
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
            let matchers = matchers.as_array().ok_or(PatternError::Matcher)?;
            return matchers.iter().try_for_each(|one| self.add_matcher(one, Condition::all_of(detail)));
        }
        let alternatives = detail.get("$or").and_then(Value::as_array).ok_or(PatternError::AnyName)?;
        alternatives.iter().try_for_each(|detail| self.add(detail))
    }

    fn add_matcher(&mut self, matcher: &Value, asked: Alternative) -> Result<(), PatternError> {
        if let Some(name) = matcher.as_str() {
            self.note_beginning(name, "\"");
            self.names.entry(name.as_bytes().into()).or_default().push(asked);
            return Ok(());
        }
        let only = matcher.as_object().filter(|matcher| matcher.len() == 1);
        let prefix = only.and_then(|matcher| matcher.get("prefix")?.as_str()).ok_or(PatternError::Matcher)?;
        self.note_beginning(prefix, "");
        self.prefixes.push((prefix.as_bytes().into(), asked));
        Ok(())
    }

    fn note_beginning(&mut self, text: &str, end: &str) {
        // Of other characters, some can be spelled with a backslash and without `\u`.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match format!("{text}{end}").as_bytes().first_chunk() {
            Some(beginning) if is_plain => {
                self.beginnings.iter_mut().skip(place(*beginning)).take(1).for_each(|wanted| *wanted = true);
            }
            _ => self.beginnings.fill(true),
        }
    }

    /// Whether some responder answers the operation of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.holds(name.as_bytes())
    }

    fn holds(&self, name: &[u8]) -> bool {
        self.alternatives(name).next().is_some()
    }

    /// What is asked of the records of this name; nothing if they are not wanted.
    fn alternatives<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Alternative> {
        let prefixed = self.prefixes.iter().filter(move |(prefix, _)| name.starts_with(prefix));
        self.names.get(name).into_iter().flatten().chain(prefixed.map(|(_, asked)| asked))
    }

    /// Whether it is to be decoded: all but the calls that surely match no pattern.
    pub(crate) fn concerns(&self, value: &Value) -> bool {
        let kind = value.get("detail-type").and_then(Value::as_str).unwrap_or_default();
        let is_call = kind.to_ascii_lowercase().ends_with("via cloudtrail");
        let detail = || value.get("detail").filter(|_| is_call);
        let record = if value.get("eventName").is_some() { Some(value) } else { detail() };
        let name = record.and_then(|record| record.get("eventName")?.as_str());
        let (Some(record), Some(name)) = (record, name) else { return true };
        let holds = |asked: &Alternative| asked.iter().all(|condition| condition.holds_in(record));
        self.alternatives(name.as_bytes()).any(holds)
    }

    /// Whether an object can be passed over without parsing it, since it is surely a record of a call that is not wanted.
    ///
    /// In JSON text, a string that is spelled without escapes stands as it is, so the key and each text that a pattern asks for
    /// are always found, unless one of their letters is escaped: then nothing is passed over.
    pub(crate) fn passes_over(&self, text: &[u8], object: &Object) -> bool {
        let Name::Before(behind) = object.name else { return false };
        let rest = text.get(behind..).unwrap_or_default();
        let beginning = rest.strip_prefix(b":\"").and_then(<[u8]>::first_chunk).filter(|_| !object.spells);
        if beginning.is_some_and(|beginning| self.beginnings.get(place(*beginning)) == Some(&false)) {
            return true;
        }
        let Some(name) = value_of_key(rest) else { return false };
        let may_hold = |asked: &Alternative| asked.iter().all(|condition| condition.may_hold_in(text));
        let may_match = self.alternatives(name).any(may_hold);
        !(may_match || object.spells && self.spells_a_letter(text))
    }

    /// Whether an object may itself hold records, in `Records` or `Events`, wherever these stand.
    pub(crate) fn may_hold_records(&self, text: &[u8], object: &Object) -> bool {
        let keys = [&self.finders.records, &self.finders.events];
        object.name == Name::Nowhere
            && (keys.iter().any(|key| key.find(text).is_some()) || object.spells && self.spells_a_letter(text))
    }

    /// Whether an ASCII letter is written as `\u00…`, which only an odd writer does.
    fn spells_a_letter(&self, text: &[u8]) -> bool {
        self.finders.escape.find_iter(text).any(|at| {
            let digits = text.get(at + 4..at + 6).and_then(|digits| str::from_utf8(digits).ok());
            digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).is_some_and(|byte| byte.is_ascii_alphabetic())
        })
    }
}

const PLACE_BITS: u32 = 12;

fn place(beginning: [u8; BEGINNING]) -> usize {
    let spread = u64::from_le_bytes(beginning).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACE_BITS);
    usize::try_from(spread).unwrap_or_default()
}

/// The text that follows a key, if it is text and without escapes.
fn value_of_key(rest: &[u8]) -> Option<&[u8]> {
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = value.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    value.split_at_checked(end).filter(|(_, rest)| rest.starts_with(b"\"")).map(|(text, _)| text)
}

/// Whether events that CloudTrail wrote may match the pattern.
fn may_match_calls(pattern: &Value) -> bool {
    let may_be_calls = |matcher: &Value| matcher.as_str().is_none_or(|kind| kind.ends_with("via CloudTrail"));
    pattern.get("detail-type").and_then(Value::as_array).is_none_or(|matchers| matchers.iter().any(may_be_calls))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::object;

    fn passes_over(wanted: &Wanted, name: &str) -> bool {
        let text =
            format!(r#"{{"eventVersion":"1","eventName":{name},"requestParameters":{{"eventName":"CreateUser"}}}}"#);
        wanted.passes_over(text.as_bytes(), &object(text.as_bytes()).unwrap())
    }

    #[test]
    fn the_names_are_those_of_the_patterns_that_calls_may_match() {
        let wanted = Wanted::of([
            r#"{"source": ["aws.iam"], "detail-type": [{"suffix": "via CloudTrail"}], "detail": {"eventName": ["CreateUser"]}}"#,
            r#"{"detail": {"$or": [{"eventName": [{"prefix": "AddPermission2015"}]}, {"eventName": ["StopLogging"]}]}}"#,
            r#"{"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}"#,
        ])
        .unwrap();
        for name in ["CreateUser", "AddPermission20150331v2", "StopLogging"] {
            assert!(wanted.contains(name) && !passes_over(&wanted, &format!("\"{name}\"")), "{name}");
        }
        for name in ["CreateUsers", "createuser", "AddPermission", "", "CreateUse", "DeleteUser"] {
            assert!(!wanted.contains(name) && passes_over(&wanted, &format!("\"{name}\"")), "{name}");
        }
    }

    #[test]
    fn what_is_no_plain_name_is_not_passed_over() {
        let wanted = Wanted::of([r#"{"detail": {"eventName": ["CreateUser"]}}"#]).unwrap();
        for name in ["null", "[\"GetUser\"]", r#""Create\u0055ser""#, r#""GetUser","eventName":"CreateUser""#] {
            assert!(!passes_over(&wanted, name), "{name}");
        }
        let odd = Wanted::of([r#"{"detail": {"eventName": ["CreateUser", "Get/Users"]}}"#]).unwrap();
        assert!(!passes_over(&odd, r#""Get\/Users""#) && passes_over(&odd, r#""Gets/Users""#));
        for odd in [
            r#"{"eventName":"GetUser","event\u004eame":"CreateUser"}"#,
            r#"{"x":{"eventName":"GetUser"}}"#,
            r#"{"x":"eventName"}"#,
        ] {
            assert!(!wanted.passes_over(odd.as_bytes(), &object(odd.as_bytes()).unwrap()), "{odd}");
        }
    }

    #[test]
    fn short_names_are_told_apart_as_well() {
        let wanted = Wanted::of([r#"{"detail": {"eventName": ["Invoke", {"prefix": "Put"}]}}"#]).unwrap();
        for (name, wants) in [("Invoke", true), ("PutUserPolicy", true), ("Invokes", false), ("GetObject", false)] {
            assert_eq!(passes_over(&wanted, &format!("\"{name}\"")), !wants, "{name}");
        }
    }

    #[test]
    fn a_pattern_that_names_no_operations_is_refused() {
        let refusal = |pattern: &str| Wanted::of([pattern]).unwrap_err();
        assert!(matches!(refusal("{"), PatternError::Json(_)));
        for pattern in [
            r#"{"source": ["aws.iam"]}"#,
            r#"{"detail": {"eventSource": ["iam.amazonaws.com"]}}"#,
            r#"{"detail": {"$or": [{"eventName": ["A"]}, {"eventSource": ["b"]}]}}"#,
            r#"{"detail-type": ["AWS API Call via CloudTrail"]}"#,
        ] {
            assert!(matches!(refusal(pattern), PatternError::AnyName), "{pattern}");
        }
        for pattern in [
            r#"{"detail": {"eventName": [{"anything-but": "A"}]}}"#,
            r#"{"detail": {"eventName": "A"}}"#,
            r#"{"detail": {"eventName": [{"prefix": {"equals-ignore-case": "a"}}]}}"#,
        ] {
            assert!(matches!(refusal(pattern), PatternError::Matcher), "{pattern}");
        }
    }
}
