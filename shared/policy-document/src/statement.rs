//! A statement, as it is written.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::condition::Condition;
use crate::doubt::Doubt;
use crate::pattern::Pattern;
use crate::principal::{Principal, Principals};
use crate::selector::Selector;
use crate::version::Version;

/// One statement of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The bytes of the document's text that it takes.
    pub(crate) span: Range<usize>,
    pub(crate) sid: Option<String>,
    /// Known of many a statement that is not understood as a whole, too.
    effect: Option<Effect>,
    pub(crate) body: Result<Body, Doubt>,
}

/// What a statement that could be read says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) effect: Effect,
    pub(crate) principals: Principals,
    pub(crate) actions: Selector,
    /// `*` where the element is missing, as it is in trust policies.
    pub(crate) resources: Selector,
    pub(crate) names_resources: bool,
    pub(crate) conditions: Vec<Condition>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It refuses, whatever other statements grant.
    Deny,
}

impl Statement {
    /// Its id within the document, if it has one and is understood.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What it does, if that is understood.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        self.effect
    }

    pub(crate) fn read(json: &str, span: Range<usize>, version: Version) -> Self {
        // An array would be taken for the fields in order.
        if !json.starts_with('{') {
            return Self { span, sid: None, effect: None, body: Err(Doubt::Unreadable { line: 1, column: 1 }) };
        }
        match serde_json::from_str::<Written>(json) {
            Ok(written) => {
                Self { span, sid: written.sid.clone(), effect: Some(written.effect), body: written.read(version) }
            }
            Err(error) => Self {
                span,
                sid: None,
                effect: serde_json::from_str::<Gist>(json).ok().map(|gist| gist.effect),
                body: Err(Doubt::Unreadable { line: error.line(), column: error.column() }),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Gist {
    effect: Effect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Written {
    sid: Option<String>,
    effect: Effect,
    principal: Option<Named>,
    not_principal: Option<Named>,
    action: Option<Texts>,
    not_action: Option<Texts>,
    resource: Option<Texts>,
    not_resource: Option<Texts>,
    condition: Option<Pairs<Pairs<Values>>>,
}

impl Written {
    fn read(self, version: Version) -> Result<Body, Doubt> {
        let principals = match (self.principal, self.not_principal) {
            (Some(named), None) => Principals::Only(named.read()),
            (None, Some(named)) => Principals::Except(named.read()),
            (None, None) => Principals::Absent,
            (Some(_), Some(_)) => return Err(Doubt::Incomplete("it has both `Principal` and `NotPrincipal`")),
        };
        let action = |text: &String| Pattern::of_action(text, version);
        let actions = match (self.action, self.not_action) {
            (Some(Texts(texts)), None) => Selector { patterns: texts.iter().map(action).collect(), is_negated: false },
            (None, Some(Texts(texts))) => Selector { patterns: texts.iter().map(action).collect(), is_negated: true },
            _ => return Err(Doubt::Incomplete("it has not exactly one of `Action` and `NotAction`")),
        };
        let names_resources = self.resource.is_some() || self.not_resource.is_some();
        let resource = |text: &String| Pattern::new(text, version);
        let resources = match (self.resource, self.not_resource) {
            (Some(Texts(texts)), None) => {
                Selector { patterns: texts.iter().map(resource).collect(), is_negated: false }
            }
            (None, Some(Texts(texts))) => Selector { patterns: texts.iter().map(resource).collect(), is_negated: true },
            (None, None) => Selector { patterns: vec![Pattern::new("*", version)], is_negated: false },
            (Some(_), Some(_)) => return Err(Doubt::Incomplete("it has both `Resource` and `NotResource`")),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in self.condition.map_or_else(Vec::new, |block| block.0) {
            for (key, Values(values)) in keys.0 {
                conditions.push(Condition::new(&operator, &key, values, version));
            }
        }
        Ok(Body { effect: self.effect, principals, actions, resources, names_resources, conditions })
    }
}

/// A text or a list of texts.
#[derive(Deserialize)]
#[serde(from = "OneOrMany<String>")]
struct Texts(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl From<OneOrMany<String>> for Texts {
    fn from(texts: OneOrMany<String>) -> Self {
        Self(match texts {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        })
    }
}

/// The values of a condition key; booleans and numbers may be written without quotation marks.
#[derive(Deserialize)]
#[serde(from = "OneOrMany<Value>")]
struct Values(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl From<OneOrMany<Value>> for Values {
    fn from(values: OneOrMany<Value>) -> Self {
        let values = match values {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        };
        Self(
            values
                .into_iter()
                .map(|value| match value {
                    Value::Text(text) => text,
                    Value::Bool(truth) => truth.to_string(),
                    Value::Number(number) => number.to_string(),
                })
                .collect(),
        )
    }
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Bare(String),
    List(Vec<String>),
    Map(ByKind),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByKind {
    #[serde(rename = "AWS")]
    aws: Option<Texts>,
    #[serde(rename = "Service")]
    service: Option<Texts>,
    #[serde(rename = "Federated")]
    federated: Option<Texts>,
    #[serde(rename = "CanonicalUser")]
    canonical_user: Option<Texts>,
}

impl Named {
    fn read(self) -> Vec<Principal> {
        let kinds = match self {
            Self::Bare(text) => return vec![Principal::aws(&text)],
            Self::List(texts) => return texts.iter().map(|text| Principal::aws(text)).collect(),
            Self::Map(kinds) => kinds,
        };
        let texts = |texts: Option<Texts>| texts.map_or_else(Vec::new, |texts| texts.0);
        let mut principals: Vec<Principal> = texts(kinds.aws).iter().map(|text| Principal::aws(text)).collect();
        principals.extend(texts(kinds.service).into_iter().map(Principal::Service));
        principals.extend(texts(kinds.federated).into_iter().map(Principal::Federated));
        principals.extend(texts(kinds.canonical_user).into_iter().map(Principal::CanonicalUser));
        principals
    }
}

/// The members of an object in order. Which of two members with one name counts is not ours to guess.
struct Pairs<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs: Vec<(String, T)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if pairs.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}
