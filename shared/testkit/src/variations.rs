//! Events that nobody sent: those in the responders' folders, with anything in the place of anything.

use std::fs;
use std::path::Path;

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

/// Names of fields that mean something wherever they stand, to CloudTrail and to those who read JSON.
const KEYS: [&str; 4] = ["items", "omitted", "", "$serde_json::private::RawValue"];

/// Texts that break what takes a text for something else.
const TEXTS: [&str; 9] = ["", "0", "-1", "*", "a:b/c", "0.0.0.0/0", "::/0", "\u{1b}[31m\r\n\u{202e}\u{0}", "{}"];

/// Where changes begin: mostly in what responders read, in an envelope and in a bare record.
const PLACES: [&str; 10] = [
    "",
    "/detail",
    "/detail",
    "/detail/userIdentity",
    "/detail/requestParameters",
    "/detail/requestParameters",
    "/detail/responseElements",
    "/detail/responseElements",
    "/requestParameters",
    "/responseElements",
];

/// More would hardly leave an event.
const MOST_CHANGES: usize = 4;
const DEEPEST: usize = 3;

/// Events, and what they are made of.
#[derive(Debug)]
pub struct Variations {
    events: Vec<Value>,
    keys: Vec<String>,
    parts: Vec<Value>,
}

impl Variations {
    /// Of the events of these responders.
    ///
    /// # Panics
    /// Where the folder of a responder cannot be read.
    #[expect(clippy::expect_used, reason = "test support: a folder without events fails the test")]
    pub fn of<'a>(responders: impl IntoIterator<Item = &'a str>) -> Self {
        let mut of =
            Self { events: Vec::new(), keys: KEYS.map(str::to_owned).to_vec(), parts: TEXTS.map(Value::from).to_vec() };
        let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        for kind in
            responders.into_iter().flat_map(|name| [format!("{name}/events/match"), format!("{name}/events/ignore")])
        {
            let mut files: Vec<_> = fs::read_dir(functions.join(kind))
                .expect("a responder has events")
                .map(|file| file.expect("a folder can be listed").path())
                .collect();
            files.sort();
            for file in files {
                let text = fs::read(file).expect("an event can be read");
                let event: Value = serde_json::from_slice(&text).expect("an event is JSON");
                of.take_apart(&event);
                of.events.push(event);
            }
        }
        of.keys.sort();
        of.keys.dedup();
        of
    }

    fn take_apart(&mut self, value: &Value) {
        self.parts.push(value.clone());
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.keys.push(key.clone());
                    self.take_apart(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.take_apart(item)),
            _ => {}
        }
    }

    /// A variation of one of the events. The same choices always make the same one.
    pub fn event(&self, choices: &mut Unstructured<'_>) -> Result<Value> {
        let mut event = choices.choose(&self.events)?.clone();
        self.vary(&mut event, choices)?;
        Ok(event)
    }

    /// Varies an event. Without choices it stays as it is.
    pub fn vary(&self, event: &mut Value, choices: &mut Unstructured<'_>) -> Result<()> {
        if choices.is_empty() {
            return Ok(());
        }
        for _ in 0..choices.int_in_range(1..=MOST_CHANGES)? {
            let places: Vec<&str> = PLACES.into_iter().filter(|place| event.pointer(place).is_some()).collect();
            if let Some(part) = event.pointer_mut(choices.choose(&places)?) {
                self.change(part, choices)?;
            }
        }
        Ok(())
    }

    /// Changes the value itself, or something in it.
    fn change(&self, value: &mut Value, choices: &mut Unstructured<'_>) -> Result<()> {
        let size = match &*value {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if size > 0 && choices.ratio(7, 8)? {
            let index = choices.choose_index(size)?;
            let inside = match value {
                Value::Object(fields) => fields.values_mut().nth(index),
                Value::Array(items) => items.get_mut(index),
                _ => None,
            };
            return inside.map_or(Ok(()), |inside| self.change(inside, choices));
        }
        match (value, choices.int_in_range(0..=7)?) {
            (Value::Object(fields), 0..=2) => {
                fields.insert(self.key(choices)?, self.value(choices, DEEPEST)?);
            }
            (Value::Object(fields), 3) if size > 0 => {
                remove(fields, choices)?;
            }
            (Value::Object(fields), 4) if size > 0 => {
                let renamed = remove(fields, choices)?;
                fields.insert(self.key(choices)?, renamed);
            }
            (Value::Array(items), 0 | 1) => items.push(self.value(choices, DEEPEST)?),
            (Value::Array(items), 2..=4) if size > 0 => {
                let twin = choices.choose(items)?.clone();
                items.push(twin);
            }
            (Value::Array(items), 5) if size > 0 => {
                items.swap_remove(choices.choose_index(size)?);
            }
            (value, 6) => *value = if choices.arbitrary()? { json!([value]) } else { json!({"items": [value]}) },
            (value, _) => *value = self.value(choices, DEEPEST)?,
        }
        Ok(())
    }

    fn key(&self, choices: &mut Unstructured<'_>) -> Result<String> {
        choices.choose(&self.keys).cloned()
    }

    fn value(&self, choices: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
        Ok(match choices.int_in_range(0..=9)? {
            0 => Value::Null,
            1 => choices.arbitrary::<bool>()?.into(),
            2 => choices.int_in_range(-2..=70_000)?.into(),
            3 => choices.arbitrary::<i64>()?.into(),
            4 => choices.arbitrary::<f64>()?.into(),
            5 => choices.arbitrary::<&str>()?.into(),
            6 if depth > 0 => {
                let length = choices.int_in_range(0..=3)?;
                (0..length).map(|_| self.value(choices, depth - 1)).collect::<Result<_>>()?
            }
            7 if depth > 0 => {
                let length = choices.int_in_range(0..=3)?;
                (0..length).map(|_| Ok((self.key(choices)?, self.value(choices, depth - 1)?))).collect::<Result<_>>()?
            }
            _ => choices.choose(&self.parts)?.clone(),
        })
    }
}

/// Takes out one of the fields; there must be one.
fn remove(fields: &mut Map<String, Value>, choices: &mut Unstructured<'_>) -> Result<Value> {
    let index = choices.choose_index(fields.len())?;
    let key = fields.keys().nth(index).cloned().unwrap_or_default();
    Ok(fields.remove(&key).unwrap_or_default())
}
