//! Where the parts of a JSON text stand in it.
//!
//! `serde_json::value::RawValue` would tell too. But with the feature `raw_value`, which one crate turns on for all that
//! are built with it, `serde_json` obeys a key that anybody may write into an event: it parses the text beside it in its
//! stead. So no crate of the workspace may turn it on.

use std::ops::Range;

use serde::de::{Error as _, IgnoredAny};
use serde_json::{Deserializer, Error};

/// The keys of an object, in their order and without escapes, and where their values stand in `text`.
pub fn members(text: &str) -> Result<Vec<(String, Range<usize>)>, Error> {
    let mut walk = Walk::into(text, '{')?;
    let mut members = Vec::new();
    while walk.goes_on('}')? {
        let key = walk.span()?;
        let key = serde_json::from_str(text.get(key).unwrap_or_default())?;
        walk.pass(':')?;
        members.push((key, walk.span()?));
    }
    Ok(members)
}

/// Where the elements of an array stand in `text`.
pub fn elements(text: &str) -> Result<Vec<Range<usize>>, Error> {
    let mut walk = Walk::into(text, '[')?;
    let mut elements = Vec::new();
    while walk.goes_on(']')? {
        elements.push(walk.span()?);
    }
    Ok(elements)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    first: bool,
}

impl<'a> Walk<'a> {
    /// Into what `open` begins, in a text that is JSON as a whole.
    fn into(text: &'a str, open: char) -> Result<Self, Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        let mut walk = Self { text, at: 0, first: true };
        walk.pass(open)?;
        Ok(walk)
    }

    fn rest(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_ascii_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn pass(&mut self, expected: char) -> Result<(), Error> {
        if !self.rest().starts_with(expected) {
            return Err(Error::custom(format_args!("expected `{expected}`")));
        }
        self.at += expected.len_utf8();
        Ok(())
    }

    /// Whether there is another part before `close`.
    fn goes_on(&mut self, close: char) -> Result<bool, Error> {
        if self.rest().starts_with(close) {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.first, false) {
            self.pass(',')?;
        }
        Ok(true)
    }

    /// Where the value that comes next stands.
    fn span(&mut self) -> Result<Range<usize>, Error> {
        let rest = self.rest();
        let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next().unwrap_or_else(|| Err(Error::custom("expected a value")))?;
        let start = self.at;
        self.at += values.byte_offset();
        Ok(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn parts_are_found_where_they_stand() {
        let text = "\n{ \"a\" : [1 ,{\"b\":\"}\"}], \"\\u0063\":null,\"d\":-7.5e3,\"a\":\"é\" }";
        let found: Vec<_> = members(text).unwrap().into_iter().map(|(key, at)| (key, text.get(at).unwrap())).collect();
        let expected = [("a", "[1 ,{\"b\":\"}\"}]"), ("c", "null"), ("d", "-7.5e3"), ("a", "\"é\"")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value)));
        let list = " [ 1,[],\n\"]\" ]";
        assert_eq!(
            elements(list).unwrap().into_iter().map(|at| list.get(at).unwrap()).collect::<Vec<_>>(),
            ["1", "[]", "\"]\""]
        );
        assert_eq!((members("{}").unwrap().len(), elements("[ ]").unwrap().len()), (0, 0));
    }

    #[test]
    fn what_is_no_object_or_no_json_is_refused() {
        for wrong in ["", "[]", "7", "{\"a\":1", "{\"a\" 1}", "{\"a\":1}x", "{,}"] {
            assert!(members(wrong).is_err_and(|error| !error.to_string().is_empty()), "{wrong}");
        }
        assert!(elements("{}").is_err_and(|error| error.to_string() == "expected `[`"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_parts_are_those_that_serde_json_parses(values in prop::collection::btree_map(any::<String>(), value(), 0..5)) {
            let object: Map<String, Value> = values.into_iter().collect();
            let list = Value::Array(object.values().cloned().collect()).to_string();
            for text in [Value::Object(object.clone()).to_string(), format!("{:#}", Value::Object(object.clone()))] {
                let found = members(&text).unwrap().into_iter();
                let found: Map<String, Value> =
                    found.map(|(key, at)| (key, serde_json::from_str(text.get(at).unwrap()).unwrap())).collect();
                prop_assert_eq!(&found, &object);
            }
            let found: Vec<Value> =
                elements(&list).unwrap().into_iter().map(|at| serde_json::from_str(list.get(at).unwrap()).unwrap()).collect();
            prop_assert_eq!(Value::Array(found).to_string(), list);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:, \"\\\\a1é-]{0,24}") {
            let _refused_or_not = (members(&text), elements(&text));
        }
    }
}
