//! The looseness of CloudTrail's JSON, absorbed in one place.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list as EC2's records write it: `{"items":[…]}`, or `{}` where it is empty.
///
/// A bare array and `null` are taken too: hand-made tests and other services write those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T>(pub Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<T> {
            Bare(Vec<T>),
            Wrapped {
                #[serde(default = "Vec::new")]
                items: Vec<T>,
            },
        }
        Ok(Self(match Option::<Form<T>>::deserialize(deserializer)? {
            None => Vec::new(),
            Some(Form::Bare(items) | Form::Wrapped { items }) => items,
        }))
    }
}

/// A port that may be absent, a number, or a number in text; -1, which ICMP uses for "any", is kept.
///
/// For `#[serde(deserialize_with = "cloudtrail::port", default)]`.
pub fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Value::Number(number)) => number
            .as_i64()
            .and_then(|port| i32::try_from(port).ok())
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom(format!("`{number}` is not a port"))),
        Some(Value::String(text)) => {
            text.parse().map(Some).map_err(|_| serde::de::Error::custom(format!("`{text}` is not a port")))
        }
        Some(other) => Err(serde::de::Error::custom(format!("`{other}` is not a port"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_may_be_wrapped_bare_empty_or_null() {
        let read = |value: Value| Items::<i32>::deserialize(value).map(|items| items.0);
        assert_eq!(read(json!({"items": [1, 2]})).unwrap(), [1, 2]);
        assert_eq!(read(json!([1])).unwrap(), [1]);
        assert!(read(json!({})).unwrap().is_empty());
        assert!(read(json!(null)).unwrap().is_empty());
        read(json!({"items": ["x"]})).unwrap_err();
        read(json!("x")).unwrap_err();
    }

    #[test]
    fn a_port_may_be_text() {
        assert_eq!(port(json!("443")).unwrap(), Some(443));
        assert_eq!(port(json!(-1)).unwrap(), Some(-1));
        assert_eq!(port(json!(null)).unwrap(), None);
        port(json!("https")).unwrap_err();
        port(json!({})).unwrap_err();
    }
}
