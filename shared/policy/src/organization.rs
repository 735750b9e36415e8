//! Which account is in which organizational units.

use std::collections::BTreeMap;
use std::fmt;

use cloudtrail::AccountId;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::{PolicyError, Problem, Source};

/// The organizational units each account is in, from `organization.json` beside the policies.
///
/// The file is an object of account id to the ids of its organizational units and root, the innermost first:
/// `{"111122223333": ["ou-abcd-11111111", "r-abcd"]}`. An account is `in` every one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization(BTreeMap<AccountId, Vec<String>>);

impl Organization {
    /// Reads the file, and refuses what could only be a slip: an account twice, an id that is none.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        let invalid = |problems: Vec<Problem>| Err(PolicyError::Invalid { problems });
        let mut json = serde_json::Deserializer::from_str(&source.text);
        let entries = match json.deserialize_map(Entries).and_then(|entries| json.end().map(|()| entries)) {
            Ok(entries) => entries,
            Err(error) => return invalid(vec![source.json_error(&error, FORM)]),
        };
        let mut accounts = BTreeMap::new();
        let mut problems = Vec::new();
        for (account, units) in entries {
            let place = |id: &str| source.text.find(&format!("\"{id}\"")).unwrap_or_default();
            for unit in units.iter().filter(|unit| !is_unit(unit)) {
                let help = "it is like `ou-abcd-11111111`, or `r-abcd` for the root".to_owned();
                problems.push(source.error(
                    place(unit),
                    format!("`{unit}` is not the id of an organizational unit"),
                    Some(help),
                ));
            }
            match AccountId::parse(&account) {
                Err(error) => problems.push(source.error(place(&account), error.to_string(), None)),
                Ok(id) => {
                    if accounts.insert(id, units).is_some() {
                        problems.push(source.error(
                            place(&account),
                            format!("account `{account}` is listed twice"),
                            None,
                        ));
                    }
                }
            }
        }
        if problems.is_empty() { Ok(Self(accounts)) } else { invalid(problems) }
    }

    /// All accounts that are listed.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.0.keys()
    }

    /// Whether an account is listed, and so is ours.
    #[must_use]
    pub fn lists(&self, account: &AccountId) -> bool {
        self.0.contains_key(account)
    }

    /// The organizational units an account is in; none for an account that is not listed.
    #[must_use]
    pub fn units(&self, account: &AccountId) -> &[String] {
        self.0.get(account).map_or(&[], Vec::as_slice)
    }
}

const FORM: &str = "it is an object of account id to a list of organizational unit ids";

/// Source of the two forms: AWS Organizations API Reference, `OrganizationalUnit` and `Root`, patterns of `Id`.
fn is_unit(id: &str) -> bool {
    let part = |text: &str, shortest: usize| {
        (shortest..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match id.split('-').collect::<Vec<_>>().as_slice() {
        ["r", root] => part(root, 4),
        ["ou", root, unit] => part(root, 4) && part(unit, 8),
        _ => false,
    }
}

/// The entries of an object as they are written, so that a doubled one is seen.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Vec<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of account ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_in_its_units() {
        let text = r#"{"111122223333": ["ou-abcd-11111111", "r-abcd"], "444455556666": []}"#;
        let organization = Organization::parse(&Source::new("organization.json", text)).unwrap();
        let units = |account: &str| organization.units(&AccountId::parse(account).unwrap()).to_vec();
        assert_eq!(units("111122223333"), ["ou-abcd-11111111", "r-abcd"]);
        assert!(units("444455556666").is_empty());
        assert!(units("777788889999").is_empty());
    }

    #[test]
    fn every_slip_has_its_place() {
        let refusal = |text: &str| Organization::parse(&Source::new("o", text)).unwrap_err().to_string();
        let text =
            "{\n \"1111\": [],\n \"111122223333\": [\"ou-abcd\", \"OU-abcd-11111111\"],\n \"111122223333\": []\n}";
        let help = "(it is like `ou-abcd-11111111`, or `r-abcd` for the root)";
        assert_eq!(
            refusal(text).lines().collect::<Vec<_>>(),
            [
                "o:2:2: `1111` is not a 12-digit account id".to_owned(),
                format!("o:3:19: `ou-abcd` is not the id of an organizational unit {help}"),
                format!("o:3:30: `OU-abcd-11111111` is not the id of an organizational unit {help}"),
                "o:3:2: account `111122223333` is listed twice".to_owned(),
            ]
        );
        assert!(
            refusal("{\n \"111122223333\": 3}").starts_with("o:2:18: invalid type: integer `3`, expected a sequence (")
        );
        assert!(refusal("[]").starts_with("o:1:1: invalid type"));
        assert!(refusal("{} x").starts_with("o:1:4: trailing characters ("));
        assert!(refusal("").starts_with("o:1:1: EOF"));
    }
}
