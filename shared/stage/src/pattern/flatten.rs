//! An event as leaves, each knowing its place in every array around it.

use std::collections::BTreeMap;

use serde_json::Value;

/// A leaf of an event.
#[derive(Debug)]
pub(super) struct Field<'e> {
    pub(super) name: String,
    pub(super) value: &'e Value,
    pub(super) places: Places,
}

/// For each array (numbered as met) the index of the element a leaf is in. A scalar that is
/// itself an element of an array has no place in it: `["a", "b"]` is a field with two values.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<usize, usize>);

impl Places {
    /// Both together, or `None` if they are in different elements of the same array.
    pub(super) fn agreeing(&self, other: &Self) -> Option<Self> {
        let mut both = self.0.clone();
        for (array, index) in &other.0 {
            if both.insert(*array, *index).is_some_and(|taken| taken != *index) {
                return None;
            }
        }
        Some(Self(both))
    }
}

/// The leaves of an event; `None` if it is not an object.
pub(super) fn flatten(event: &Value) -> Option<Vec<Field<'_>>> {
    event.as_object()?;
    let mut walk = Walk::default();
    walk.value(event);
    Some(walk.fields)
}

#[derive(Default)]
struct Walk<'e> {
    fields: Vec<Field<'e>>,
    steps: Vec<&'e str>,
    places: Places,
    arrays: usize,
}

impl<'e> Walk<'e> {
    fn value(&mut self, value: &'e Value) {
        match value {
            Value::Object(object) => {
                for (step, inner) in object {
                    self.steps.push(step);
                    self.value(inner);
                    self.steps.pop();
                }
            }
            Value::Array(elements) => {
                let array = self.arrays;
                self.arrays += 1;
                for (index, element) in elements.iter().enumerate() {
                    if element.is_object() || element.is_array() {
                        self.places.0.insert(array, index);
                        self.value(element);
                        self.places.0.remove(&array);
                    } else {
                        self.leaf(element);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.leaf(value),
        }
    }

    fn leaf(&mut self, value: &'e Value) {
        self.fields.push(Field { name: self.steps.join("."), value, places: self.places.clone() });
    }
}
