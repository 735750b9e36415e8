//! Where an account is no longer as we left it: how it was before us, as we left it, and now.
//!
//! Responders record what they saw in forms of their own, so what is compared here is JSON: member by member, elements
//! of lists by their name where they have one, and documents inside strings, such as policies, as documents.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

use remedy::Drift;
use serde::Serialize;
use serde_json::Value;

use crate::output::{Output, Stream, Tone};
use crate::report::many;

/// So many differences are shown to a person.
const SHOWN: usize = 12;

/// A value is shown to a person up to so many characters.
const LONGEST: usize = 240;

/// What elements of lists are called by, in any case.
const NAMES: [&str; 5] = ["id", "arn", "sid", "name", "key"];

/// A place that is no longer as we left it; `null` where there is nothing. Other programs rely on this form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Difference {
    /// Where: `rules[sgr-1].description`.
    at: String,
    /// What was there before us; missing where that was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What was there as we left it; missing where that was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
    /// What is there now.
    now: Value,
}

/// Where the account is no longer as we left it. Where that was not kept, how it was before us stands for it.
pub(super) fn differences(drift: &Drift) -> Vec<Difference> {
    let (before, after) = (kept(&drift.before), drift.after.as_ref().and_then(kept));
    let mut found = Vec::new();
    if let Some(left) = after.or(before) {
        Comparison { has_before: before.is_some(), has_after: after.is_some(), found: &mut found }.compare(
            String::new(),
            before.unwrap_or(&Value::Null),
            left,
            &drift.now,
        );
    }
    found
}

/// Evidence that was too large for the ledger was left out of it.
fn kept(evidence: &Value) -> Option<&Value> {
    Some(evidence).filter(|evidence| evidence.get("omitted") != Some(&Value::Bool(true)))
}

struct Comparison<'a> {
    has_before: bool,
    has_after: bool,
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn compare(&mut self, at: String, before: &Value, left: &Value, now: &Value) {
        if left == now {
            return;
        }
        match (unfolded(left).as_ref(), unfolded(now).as_ref()) {
            (Value::Object(lefts), Value::Object(nows)) => {
                let before = unfolded(before);
                let keys: BTreeSet<&String> = lefts.keys().chain(nows.keys()).collect();
                for key in keys {
                    let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                    let member = |object: Option<&Value>| object.cloned().unwrap_or_default();
                    self.compare(at, &member(before.get(key)), &member(lefts.get(key)), &member(nows.get(key)));
                }
            }
            (Value::Array(lefts), Value::Array(nows)) => {
                let before = unfolded(before);
                let befores = before.as_array().map(Vec::as_slice).unwrap_or_default();
                match name_of_elements([befores, lefts, nows]) {
                    Some(name) => self.compare_named(&at, name, befores, lefts, nows),
                    None if lefts.len() == nows.len() && lefts.iter().chain(nows).all(Value::is_object) => {
                        for (index, (left, now)) in lefts.iter().zip(nows).enumerate() {
                            let before = befores.get(index).unwrap_or(&Value::Null);
                            self.compare(format!("{at}[{index}]"), before, left, now);
                        }
                    }
                    None => self.compare_sets(&at, befores, lefts, nows),
                }
            }
            _ => self.found(at, before, left, now),
        }
    }

    fn compare_named(&mut self, at: &str, name: &str, befores: &[Value], lefts: &[Value], nows: &[Value]) {
        let named = |list: &[Value], wanted: &str| {
            list.iter().find(|element| element_name(element, name) == Some(wanted)).cloned().unwrap_or_default()
        };
        let names: BTreeSet<&str> =
            lefts.iter().chain(nows).filter_map(|element| element_name(element, name)).collect();
        for name in names {
            let at = format!("{at}[{name}]");
            self.compare(at, &named(befores, name), &named(lefts, name), &named(nows, name));
        }
    }

    /// Lists whose elements have no names are compared by what is in them.
    fn compare_sets(&mut self, at: &str, befores: &[Value], lefts: &[Value], nows: &[Value]) {
        let mut seen: Vec<&Value> = Vec::new();
        for element in lefts.iter().chain(nows) {
            if seen.contains(&element) {
                continue;
            }
            seen.push(element);
            let there = |list: &[Value]| if list.contains(element) { element.clone() } else { Value::Null };
            let (left, now) = (there(lefts), there(nows));
            if left != now {
                self.found(format!("{at}[]"), &there(befores), &left, &now);
            }
        }
    }

    fn found(&mut self, at: String, before: &Value, left: &Value, now: &Value) {
        self.found.push(Difference {
            at,
            before: self.has_before.then(|| before.clone()),
            after: self.has_after.then(|| left.clone()),
            now: now.clone(),
        });
    }
}

/// The document inside a string, if there is one.
fn unfolded(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(text).map_or(Cow::Borrowed(value), Cow::Owned)
        }
        _ => Cow::Borrowed(value),
    }
}

/// The member that tells the elements of each list apart.
fn name_of_elements(lists: [&[Value]; 3]) -> Option<&'static str> {
    NAMES.into_iter().find(|name| {
        lists.iter().all(|list| {
            let names: BTreeSet<&str> = list.iter().filter_map(|element| element_name(element, name)).collect();
            names.len() == list.len()
        })
    })
}

fn element_name<'a>(element: &'a Value, name: &str) -> Option<&'a str> {
    let (_, value) = element.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value.as_str()
}

/// Shows a person what we did and where the account is no longer as we left it.
pub(super) fn tell(drifts: &[Drift], stream: Stream, out: &mut Output) -> io::Result<()> {
    for drift in drifts {
        out.field_on(stream, "we did", [drift.did.as_str().into()])?;
    }
    // Drifts of one incident share one look at the account.
    let Some(drift) = drifts.first() else { return Ok(()) };
    let differences = differences(drift);
    for Difference { at, before, after, now } in differences.iter().take(SHOWN) {
        out.field_on(stream, "differs", [Tone::Strong.of(at.as_str())])?;
        let sides = [
            ("before us", before.as_ref(), Tone::Plain),
            ("as we left it", after.as_ref(), Tone::Good),
            ("now", Some(now), Tone::Bad),
        ];
        for (label, value, tone) in sides {
            if let Some(value) = value {
                out.field_on(stream, "", [Tone::Faint.of(format!("  {label:<15}")), tone.of(in_words(value))])?;
            }
        }
    }
    let more = differences.len().saturating_sub(SHOWN);
    if more > 0 {
        out.field_on(
            stream,
            "",
            [Tone::Warning.of(format!("and {}: see --format json", many(more, "more difference")))],
        )?;
    }
    match remark(drift, differences.is_empty()) {
        Some(remark) => out.field_on(stream, "note", [remark.into()]),
        None => Ok(()),
    }
}

/// What the differences alone do not tell.
fn remark(drift: &Drift, is_without_differences: bool) -> Option<&'static str> {
    let is_kept = |evidence: Option<&Value>| evidence.and_then(kept).is_some();
    match (is_kept(Some(&drift.before)), is_kept(drift.after.as_ref()), is_without_differences) {
        (_, true, false) => None,
        (_, true, true) => Some("nothing that was recorded differs from how we left it"),
        (true, false, false) => Some("how we left it was not recorded"),
        (true, false, true) => Some("it looks as it did before us"),
        (false, false, _) => Some("how it was before us was too large to be recorded"),
    }
}

/// A value on one line, of a bearable length.
fn in_words(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => without_nulls(other.clone()).to_string(),
    };
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(before: Value, after: Option<Value>, now: Value) -> Vec<Value> {
        let drift = Drift { did: "did".to_owned(), before, after, now };
        differences(&drift).iter().map(|difference| serde_json::to_value(difference).unwrap()).collect()
    }

    #[test]
    fn only_what_is_not_as_we_left_it_is_told_with_how_it_was_before_us() {
        let before = json!({ "public": true, "owner": "alice", "logging": null });
        let after = json!({ "public": false, "owner": "alice", "logging": "on" });
        let now = json!({ "public": true, "owner": "alice", "logging": "on", "website": { "index": "a.html" } });
        assert_eq!(
            of(before, Some(after), now),
            [
                json!({ "at": "public", "before": true, "after": false, "now": true }),
                json!({ "at": "website", "before": null, "after": null, "now": { "index": "a.html" } }),
            ]
        );
    }

    #[test]
    fn elements_of_lists_are_told_apart_by_their_names() {
        let rule = |id: &str, port: u16| json!({ "id": id, "port": port });
        let before = json!({ "rules": [rule("a", 1), rule("b", 2), rule("c", 3)] });
        let after = json!({ "rules": [rule("b", 2), rule("c", 3)] });
        let now = json!({ "rules": [rule("d", 4), rule("c", 5), rule("b", 2)] });
        assert_eq!(
            of(before, Some(after), now),
            [
                json!({ "at": "rules[c].port", "before": 3, "after": 3, "now": 5 }),
                json!({ "at": "rules[d]", "before": null, "after": null, "now": rule("d", 4) }),
            ]
        );
    }

    #[test]
    fn lists_without_names_are_compared_by_what_is_in_them() {
        let list = |list: &[u16]| json!({ "ports": list });
        assert_eq!(
            of(list(&[1, 2]), Some(list(&[2, 3])), list(&[4, 3, 1])),
            [
                json!({ "at": "ports[]", "before": 2, "after": 2, "now": null }),
                json!({ "at": "ports[]", "before": null, "after": null, "now": 4 }),
                json!({ "at": "ports[]", "before": 1, "after": null, "now": 1 }),
            ]
        );
        assert_eq!(of(Value::Null, Some(list(&[1, 2])), list(&[2, 1])), [] as [Value; 0]);
        // Two elements of one name are not told apart by it.
        let twins = |value: u16| json!([{ "key": "a", "value": 1 }, { "key": "a", "value": value }]);
        assert_eq!(
            of(Value::Null, Some(twins(2)), twins(3)),
            [json!({ "at": "[1].value", "before": null, "after": 2, "now": 3 })]
        );
    }

    #[test]
    fn documents_inside_strings_are_compared_as_documents() {
        let policy = |action: &str| json!({ "policy": json!({ "Version": "1", "Statement": [{ "Sid": "Deny", "Action": action }] }).to_string() });
        assert_eq!(
            of(json!({ "policy": null }), Some(policy("*")), policy("s3:*")),
            [json!({ "at": "policy.Statement[Deny].Action", "before": null, "after": "*", "now": "s3:*" })]
        );
        let spaced = json!({ "policy": "{ \"Version\": \"1\" }" });
        assert_eq!(of(json!({}), Some(json!({ "policy": "{\"Version\":\"1\"}" })), spaced), [] as [Value; 0]);
        let now = json!({ "policy": "[broken" });
        assert_eq!(of(json!({}), Some(json!({ "policy": "[]" })), now)[0]["now"], "[broken");
    }

    #[test]
    fn what_was_not_kept_is_missing() {
        let (one, two) = (json!({ "a": 1 }), json!({ "a": 2 }));
        assert_eq!(of(one.clone(), None, two.clone()), [json!({ "at": "a", "before": 1, "now": 2 })]);
        let omitted = json!({ "omitted": true, "bytes": 400_000 });
        assert_eq!(of(omitted.clone(), Some(one), two.clone()), [json!({ "at": "a", "after": 1, "now": 2 })]);
        assert_eq!(of(omitted.clone(), Some(omitted), two), [] as [Value; 0]);
    }

    #[test]
    fn values_are_short_enough_to_be_read() {
        assert_eq!(in_words(&Value::Null), "nothing");
        assert_eq!(in_words(&json!({ "a": null, "b": [{ "c": null, "d": 1 }] })), r#"{"b":[{"d":1}]}"#);
        assert_eq!(in_words(&json!("ä".repeat(500))).chars().count(), LONGEST + 1);
    }
}
