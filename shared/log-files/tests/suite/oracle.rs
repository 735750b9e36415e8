//! Everything parsed with `serde_json`, and nothing left out: what the engine must agree with.

use std::cell::RefCell;
use std::fmt;

use cloudtrail::Event;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::found::{SIGN_IN, WANTED};

/// The wanted events in a text with their numbers in what holds them, up to the first mistake, and how many records there
/// are up to there.
pub(crate) fn read(text: &str) -> (Vec<(Option<usize>, Event)>, u64) {
    let records = RefCell::new(Vec::new());
    let mut json = serde_json::Deserializer::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while json.end().is_err() {
        if File(&records).deserialize(&mut json).is_err() {
            break;
        }
    }
    let records = records.into_inner();
    let count = records.len() as u64;
    let wanted = records.into_iter().filter(|(_, value)| is_wanted(value));
    (wanted.filter_map(|(number, value)| Some((number, Event::decode(value).ok()?))).collect(), count)
}

fn is_wanted(value: &Value) -> bool {
    let call = match value.get("detail-type").and_then(Value::as_str) {
        Some(kind) if value.get("eventName").is_none() && kind.to_lowercase().ends_with("via cloudtrail") => {
            &value["detail"]
        }
        _ => value,
    };
    call.get("eventName").and_then(Value::as_str).is_none_or(|name| {
        let (sign_in, types) = SIGN_IN;
        let is_asked_for = |kind: &Value| kind.as_str().is_some_and(|kind| types.contains(&kind));
        let kinds = match &call["userIdentity"] {
            Value::Array(identities) => identities.iter().map(|identity| &identity["type"]).collect(),
            identity => vec![&identity["type"]],
        };
        let by_one_of_them = kinds.into_iter().any(|kind| match kind {
            Value::Array(kinds) => kinds.iter().any(is_asked_for),
            kind => is_asked_for(kind),
        });
        WANTED.contains(&name) || name == sign_in && by_one_of_them
    })
}

type Records = RefCell<Vec<(Option<usize>, Value)>>;

/// A value of a file. What it holds is noted as soon as it is parsed, so that it is there when the rest is broken.
struct File<'a>(&'a Records);

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        List(self.0, false).visit_seq(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.is_empty() && (key == "Records" || key == "Events") {
                entries.next_value_seed(List(self.0, key == "Events"))?;
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            object.insert(key, entries.next_value()?);
        }
        if !object.contains_key("eventName") {
            for (key, looked_up) in [("Records", false), ("Events", true)] {
                if let Some(Value::Array(elements)) = object.get(key) {
                    (1..).zip(elements).for_each(|(number, element)| note(self.0, number, element.clone(), looked_up));
                    return Ok(());
                }
            }
        }
        self.0.borrow_mut().push((None, Value::Object(object)));
        Ok(())
    }
}

/// Records, or what `aws cloudtrail lookup-events` found.
struct List<'a>(&'a Records, bool);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(element) = elements.next_element::<Value>()? {
            number += 1;
            note(self.0, number, element, self.1);
        }
        Ok(())
    }
}

fn note(records: &Records, number: usize, element: Value, looked_up: bool) {
    let record = if looked_up {
        element["CloudTrailEvent"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    } else {
        element
    };
    records.borrow_mut().push((Some(number), record));
}
