//! Fields of a record.

use serde_json::Value;

/// What is at the end of the path, which is made of names.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    // `Value::pointer` makes two strings of each name, in all records of a history.
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The text at the end of the path; empty text says nothing.
pub(crate) fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path).and_then(Value::as_str).filter(|text| !text.is_empty())
}
