//! Events from files as they lie about: envelopes, bare records, log files and the answers of the AWS CLI.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use cloudtrail::{Event, EventError};
use serde_json::Value;

/// Where an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    file: String,
    line: usize,
    /// From 1, where several records stand in one object.
    record: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.record.map_or(Ok(()), |record| write!(f, ", record {record}"))
    }
}

/// Why a file, or something in it, could not be read as events.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read `{file}`")]
    File { file: String, source: io::Error },
    #[error("`{file}` holds no event")]
    Empty { file: String },
    /// The source's text has its place at the end, counted from where we began to parse: `what` is without it.
    #[error("{place}: this is not JSON: {what}")]
    Json { place: Place, what: String },
    #[error("{place}: `{field}` is not what it is in CloudTrail's files")]
    Field { place: Place, field: &'static str },
    #[error("{place}: this is no event we know how to read")]
    Event { place: Place, source: EventError },
}

/// A record and where it stands, or why there is none.
pub(crate) type Found = Result<(Place, Value), ReadError>;

/// Every event in a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Vec<Result<(Place, Event), ReadError>> {
    records(path).into_iter().map(|found| found.and_then(|(place, record)| event(place, record))).collect()
}

/// Everything in a file that may be an event, as it is written there; `-` is standard input.
pub(crate) fn records(path: &Path) -> Vec<Found> {
    let (file, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    match bytes {
        Ok(bytes) => parse(&file, &bytes),
        Err(source) => vec![Err(ReadError::File { file, source })],
    }
}

/// A record as an event.
pub(crate) fn event(place: Place, record: Value) -> Result<(Place, Event), ReadError> {
    match Event::decode(record) {
        Ok(event) => Ok((place, event)),
        Err(source) => Err(ReadError::Event { place, source }),
    }
}

fn parse(file: &str, bytes: &[u8]) -> Vec<Found> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = || bytes.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line.trim_ascii()));
    let mut found = Vec::new();
    if lines().all(|(_, line)| line.is_empty() || line.starts_with(b"{")) {
        // JSON lines: one that is broken does not hide those after it.
        for (number, line) in lines().filter(|(_, line)| !line.is_empty()) {
            values(file, line, number, &mut found);
        }
    } else {
        values(file, bytes, 1, &mut found);
    }
    if found.is_empty() && lines().all(|(_, line)| line.is_empty()) {
        found.push(Err(ReadError::Empty { file: file.to_owned() }));
    }
    found
}

/// The JSON values in a text that begins on `line`, up to the first mistake.
fn values(file: &str, text: &[u8], line: usize, found: &mut Vec<Found>) {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
    loop {
        let rest = text.get(values.byte_offset()..).unwrap_or_default();
        let begin = values.byte_offset() + rest.len() - rest.trim_ascii_start().len();
        let at = line + text.iter().take(begin).filter(|byte| **byte == b'\n').count();
        let place = |line| Place { file: file.to_owned(), line, record: None };
        match values.next() {
            None => return,
            Some(Ok(value)) => events(&place(at), value, found),
            Some(Err(error)) => {
                let whole = error.to_string();
                let what = whole.split(" at line ").next().unwrap_or_default().to_owned();
                found.push(Err(ReadError::Json { place: place(line + error.line().saturating_sub(1)), what }));
                return;
            }
        }
    }
}

/// The events in one value.
fn events(place: &Place, mut value: Value, found: &mut Vec<Found>) {
    let each = |records: Vec<Value>, found: &mut Vec<Found>| {
        for (index, record) in records.into_iter().enumerate() {
            found.push(Ok((Place { record: Some(index + 1), ..place.clone() }, record)));
        }
    };
    let wrong = |field| Err(ReadError::Field { place: place.clone(), field });
    if let Value::Array(records) = value {
        each(records, found);
    } else if let Some(records) = value.get_mut("Records") {
        match records.take() {
            Value::Array(records) => each(records, found),
            _ => found.push(wrong("Records")),
        }
    } else if let Some(looked_up) = value.get("Events") {
        // What `aws cloudtrail lookup-events` prints holds each record as text.
        let record = |event: &Value| serde_json::from_str(event.get("CloudTrailEvent")?.as_str()?).ok();
        match looked_up.as_array().and_then(|events| events.iter().map(record).collect::<Option<Vec<Value>>>()) {
            Some(records) => each(records, found),
            None => found.push(wrong("Events")),
        }
    } else {
        found.push(Ok((place.clone(), value)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: &str) -> Value {
        json!({
            "eventID": id, "eventSource": "iam.amazonaws.com", "eventName": "X", "awsRegion": "us-east-1",
            "recipientAccountId": "123456789012"
        })
    }

    /// The ids and places found, or the errors.
    fn found(text: &str) -> Vec<String> {
        parse("f", text.as_bytes())
            .into_iter()
            .map(|found| found.and_then(|(place, record)| event(place, record)))
            .map(|found| match found {
                Ok((place, event)) => format!("{} {place}", event.id),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[test]
    fn every_shape_is_read() {
        let (a, b) = (record("a"), record("b"));
        let envelope = json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "account": "123456789012",
            "id": "e", "region": "us-east-1", "resources": [], "detail": a});
        assert_eq!(found(&a.to_string()), ["a f:1"]);
        assert_eq!(found(&format!("{envelope:#}")), ["a f:1"]);
        assert_eq!(found(&format!("\u{feff}{a}\n\n{b}\n")), ["a f:1", "b f:3"]);
        assert_eq!(found(&format!("{a:#}\n{b:#}")), ["a f:1", "b f:8"]);
        assert_eq!(found(&json!({"Records": [a, b]}).to_string()), ["a f:1, record 1", "b f:1, record 2"]);
        assert_eq!(found(&json!([a, b]).to_string()), ["a f:1, record 1", "b f:1, record 2"]);
        let looked_up = json!({"Events": [{"CloudTrailEvent": a.to_string()}]});
        assert_eq!(found(&looked_up.to_string()), ["a f:1, record 1"]);
        assert!(found(r#"{"Records": []}"#).is_empty());
    }

    #[test]
    fn a_mistake_has_its_place_and_hides_nothing_else() {
        let (a, b) = (record("a"), record("b"));
        assert_eq!(
            found(&format!("{a}\n{{\"x\": }}\n{b}\n")),
            ["a f:1", "f:2: this is not JSON: expected value", "b f:3"]
        );
        assert_eq!(found("{\n\"x\":\n}"), ["f:3: this is not JSON: expected value"]);
        let mixed = json!({"Records": [a, 1]}).to_string();
        assert_eq!(found(&mixed), ["a f:1, record 1", "f:1, record 2: this is no event we know how to read"]);
        assert_eq!(found(r#"{"Records": {}}"#), ["f:1: `Records` is not what it is in CloudTrail's files"]);
        assert_eq!(found(" \n"), ["`f` holds no event"]);
    }
}
