//! Which accounts are not foreign.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudtrail::AccountId;
use serde::Deserialize;

use crate::{PolicyError, Problem, Source};

/// The one list of accounts and the organization that all responders trust, from `trusted.json` beside the policies.
///
/// `{"organization": "o-exampleorgid", "accounts": {"222233334444": "the backup vault"}}`: both may be left out, and each
/// account has the reason why it is trusted. Accounts of `organization.json` are trusted as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    /// The id of our organization.
    pub organization: Option<String>,
    /// Accounts that are not foreign, besides the one that is looked at. There may be thousands, and each finding has them.
    pub accounts: Arc<BTreeSet<AccountId>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    organization: Option<String>,
    accounts: BTreeMap<String, String>,
}

const FORM: &str = "it is an object with the `organization`'s id and `accounts`, an object of account id to the reason why it is trusted";

impl Trusted {
    /// Reads the file.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        let file: File = serde_json::from_str(&source.text)
            .map_err(|error| PolicyError::Invalid { problems: vec![source.json_error(&error, FORM)] })?;
        let place = |text: &str| source.text.find(&format!("\"{text}\"")).unwrap_or_default();
        let (mut accounts, mut problems) = (BTreeSet::new(), Vec::<Problem>::new());
        for account in file.accounts.into_keys() {
            match AccountId::parse(&account) {
                Ok(id) => {
                    accounts.insert(id);
                }
                Err(error) => problems.push(source.error(place(&account), error.to_string(), Some(FORM.to_owned()))),
            }
        }
        if let Some(id) = file.organization.as_deref().filter(|id| !is_organization(id)) {
            let help = "it is like `o-exampleorgid`".to_owned();
            problems.push(source.error(place(id), format!("`{id}` is not the id of an organization"), Some(help)));
        }
        let trusted = Self { organization: file.organization, accounts: Arc::new(accounts) };
        if problems.is_empty() { Ok(trusted) } else { Err(PolicyError::Invalid { problems }) }
    }
}

/// Source: AWS Organizations API Reference, "Organization", `Id`.
fn is_organization(id: &str) -> bool {
    let is_part = |rest: &str| {
        (10..=32).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    id.strip_prefix("o-").is_some_and(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Trusted, PolicyError> {
        Trusted::parse(&Source::new("trusted.json", text))
    }

    #[test]
    fn the_file_names_an_organization_and_accounts() {
        let trusted = parse(r#"{"organization": "o-exampleorgid", "accounts": {"222233334444": "backups"}}"#).unwrap();
        assert_eq!(trusted.organization.as_deref(), Some("o-exampleorgid"));
        assert_eq!(*trusted.accounts, BTreeSet::from([AccountId::parse("222233334444").unwrap()]));
        assert_eq!(parse("{}").unwrap(), Trusted::default());
    }

    #[test]
    fn a_slip_is_refused_with_its_place() {
        let refusal = |text: &str| parse(text).unwrap_err().to_string();
        let account = refusal("{\"accounts\":\n {\"22223333444\": \"backups\"}}");
        assert!(account.contains("trusted.json:2:3") && account.contains("22223333444"), "{account}");
        let organization = refusal("{\n\"organization\": \"o-Example\"}");
        assert!(organization.contains("trusted.json:2:17: `o-Example` is not the id"), "{organization}");
        assert!(refusal(r#"{"account": {}}"#).contains("trusted.json:1:"));
    }
}
