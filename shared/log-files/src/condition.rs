//! What an event pattern asks of a record besides its name.

use std::slice;

use memchr::memmem::Finder;
use serde_json::Value;

/// One of several texts stands in a certain place. Source: Amazon EventBridge User Guide, "Comparison operators for use in
/// event patterns", equals.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The fields on the way to it, from the record.
    path: Vec<Box<str>>,
    texts: Vec<Box<str>>,
    /// The texts with their quotes, if JSON spells them like this whenever it escapes no letter.
    finders: Option<Vec<Finder<'static>>>,
}

impl Condition {
    /// The conditions of a pattern's `detail` that are of this kind, but for its names. Whoever heeds only these lets more
    /// through than the pattern, and never less.
    pub(crate) fn all_of(detail: &Value) -> Vec<Self> {
        let mut conditions = Vec::new();
        collect(detail, &mut Vec::new(), &mut conditions);
        conditions
    }

    /// Whether it holds in a record. In lists, one element is enough.
    pub(crate) fn holds_in(&self, record: &Value) -> bool {
        self.holds_at(record, self.path.iter())
    }

    fn holds_at(&self, value: &Value, mut path: slice::Iter<'_, Box<str>>) -> bool {
        if let Value::Array(elements) = value {
            return elements.iter().any(|element| self.holds_at(element, path.clone()));
        }
        match path.next() {
            Some(field) => value.get(&**field).is_some_and(|value| self.holds_at(value, path)),
            None => value.as_str().is_some_and(|text| self.texts.iter().any(|one| **one == *text)),
        }
    }

    /// Whether it may hold in a record with this text, in which no letter is escaped.
    pub(crate) fn may_hold_in(&self, text: &[u8]) -> bool {
        self.finders.as_ref().is_none_or(|finders| finders.iter().any(|finder| finder.find(text).is_some()))
    }
}

fn collect<'p>(pattern: &'p Value, path: &mut Vec<&'p str>, into: &mut Vec<Condition>) {
    match pattern {
        Value::Object(fields) => {
            for (field, pattern) in fields {
                let is_name = path.is_empty() && field == "eventName";
                if !is_name && field != "$or" {
                    path.push(field);
                    collect(pattern, path, into);
                    path.pop();
                }
            }
        }
        Value::Array(matchers) => {
            let Some(texts) = matchers.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else { return };
            let plain = texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_alphabetic()));
            let finders =
                plain.then(|| texts.iter().map(|text| Finder::new(&format!("\"{text}\"")).into_owned()).collect());
            into.push(Condition {
                path: path.iter().map(|field| (*field).into()).collect(),
                texts: texts.into_iter().map(Into::into).collect(),
                finders,
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_texts_that_must_stand_somewhere_are_conditions() {
        let conditions = Condition::all_of(&json!({
            "eventName": ["ConsoleLogin"],
            "errorCode": [{ "exists": false }],
            "eventSource": ["signin.amazonaws.com"],
            "userIdentity": { "type": ["IAMUser", "Root"], "arn": ["a", { "prefix": "b" }] },
            "$or": [{ "awsRegion": ["us-east-1"] }],
        }));
        let paths: Vec<_> = conditions.iter().map(|condition| condition.path.join(".")).collect();
        assert_eq!(paths, ["eventSource", "userIdentity.type"]);
        let [source, kind] = conditions.as_slice() else { panic!("{conditions:?}") };
        assert!(source.may_hold_in(b"{}"), "a dot may be escaped");
        assert!(kind.may_hold_in(br#"{"x":"Root"}"#) && !kind.may_hold_in(br#"{"x":"Roots"}"#));
    }

    #[test]
    fn lists_are_as_good_as_what_is_in_them() {
        let conditions = Condition::all_of(&json!({ "a": { "b": ["x"] } }));
        let holds = |record: Value| conditions.iter().all(|condition| condition.holds_in(&record));
        for record in [json!({"a": {"b": "x"}}), json!({"a": [1, {"b": ["y", "x"]}]})] {
            assert!(holds(record.clone()), "{record}");
        }
        for record in [json!({"a": "x"}), json!({"a": {"b": "X"}}), json!({"b": "x"}), json!({"a": {"b": {"x": "x"}}})]
        {
            assert!(!holds(record.clone()), "{record}");
        }
    }
}
