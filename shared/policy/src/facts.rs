//! What a responder knows of a finding.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use serde::{Serialize, Serializer};

/// One fact. Text from events is hostile and stays text: it never becomes part of a policy or of an id.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// Cedar `Bool`.
    Bool(bool),
    /// Cedar `Long`.
    Long(i64),
    /// Cedar `String`.
    Text(String),
    /// Cedar `Set<String>`.
    Texts(BTreeSet<String>),
    /// Cedar `Set<Long>`.
    Longs(BTreeSet<i64>),
    /// Cedar `decimal` with four digits, 0 to 100: a number outside is taken to the nearest end. What is no number
    /// (NaN) is left out of the context, where a policy that asks for it meets an error, and never a guess.
    #[serde(serialize_with = "as_policies_see_it")]
    Percent(f64),
}

/// A percentage in ten-thousandths, `None` for NaN.
pub(crate) fn ten_thousandths(percent: f64) -> Option<f64> {
    (!percent.is_nan()).then(|| (percent.clamp(0.0, 100.0) * 10_000.0).round())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_policies_see_it<S: Serializer>(percent: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    ten_thousandths(*percent).map(|rounded| rounded / 10_000.0).serialize(serializer)
}

impl From<bool> for Fact {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Fact {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<i32> for Fact {
    fn from(value: i32) -> Self {
        Self::Long(value.into())
    }
}

impl From<u16> for Fact {
    fn from(value: u16) -> Self {
        Self::Long(value.into())
    }
}

impl From<u32> for Fact {
    fn from(value: u32) -> Self {
        Self::Long(value.into())
    }
}

impl From<String> for Fact {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Fact {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<BTreeSet<String>> for Fact {
    fn from(value: BTreeSet<String>) -> Self {
        Self::Texts(value)
    }
}

impl From<BTreeSet<i64>> for Fact {
    fn from(value: BTreeSet<i64>) -> Self {
        Self::Longs(value)
    }
}

/// The facts of one finding by name. The names are the responder's; its `schema.cedarschema` declares them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<&'static str, Fact>);

impl Facts {
    /// No facts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These facts and one more; a fact of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.0.insert(name, fact.into());
        self
    }

    /// These facts and, if it is known, one more: what is not known is left out, and optional in the schema.
    #[must_use]
    pub fn with_known(self, name: &'static str, fact: Option<impl Into<Fact>>) -> Self {
        match fact {
            Some(fact) => self.with(name, fact),
            None => self,
        }
    }

    /// These facts and all of `others`, which win where both have a fact of one name.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The fact of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.0.iter().map(|(name, fact)| (*name, fact))
    }
}

impl<'a> IntoIterator for &'a Facts {
    type Item = (&'a &'static str, &'a Fact);
    type IntoIter = btree_map::Iter<'a, &'static str, Fact>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<(&'static str, Fact)> for Facts {
    fn from_iter<I: IntoIterator<Item = (&'static str, Fact)>>(facts: I) -> Self {
        Self(facts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_a_plain_json_object() {
        let facts = Facts::new()
            .with("protocol", "tcp")
            .with("allPorts", false)
            .with("count", 3)
            .with("ports", BTreeSet::from([3389_i64, 22]))
            .with("cidrs", BTreeSet::from(["0.0.0.0/0".to_owned()]))
            .with("ipv4Percent", Fact::Percent(33.333_333))
            .with("ipv6Percent", Fact::Percent(f64::NAN))
            .with_known("stack", None::<String>);
        assert_eq!(
            serde_json::to_value(facts).unwrap(),
            json!({"protocol": "tcp", "allPorts": false, "count": 3, "ports": [22, 3389], "cidrs": ["0.0.0.0/0"],
                "ipv4Percent": 33.3333, "ipv6Percent": null})
        );
    }

    #[test]
    fn the_later_fact_wins() {
        let facts = Facts::new().with("a", 1).with("b", 1).merge(Facts::new().with("b", 2));
        assert_eq!(facts.iter().collect::<Vec<_>>(), [("a", &Fact::Long(1)), ("b", &Fact::Long(2))]);
    }
}
