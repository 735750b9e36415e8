//! What must never be acted on, whatever the policies say.

use std::collections::BTreeMap;

use cloudtrail::Arn;

use crate::{Cause, PolicyError, PolicyId, Problem, Request, Source};

/// The list in `never-touch.json` beside the policies: ARNs of principals and resources, each with the reason.
///
/// `{"arn:aws:iam::111122223333:role/break-glass": "the way in when all else fails"}`. It is asked before any policy, so
/// that no slip in a policy file can override it. A role session is its role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeverTouch(BTreeMap<Arn, String>);

const FORM: &str = "it is an object of ARN to the reason why it must never be touched";

/// The id under which the list appears among the policies that made a verdict.
const ID: &str = "never-touch";

impl NeverTouch {
    /// Reads the file.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        let entries: BTreeMap<String, String> = serde_json::from_str(&source.text)
            .map_err(|error| PolicyError::Invalid { problems: vec![source.json_error(&error, FORM)] })?;
        let (mut list, mut problems) = (BTreeMap::new(), Vec::<Problem>::new());
        for (arn, reason) in entries {
            match Arn::parse(&arn) {
                Ok(arn) => {
                    list.insert(arn, reason);
                }
                Err(error) => {
                    let place = source.text.find(&format!("\"{arn}\"")).unwrap_or_default();
                    problems.push(source.error(place, error.to_string(), Some(FORM.to_owned())));
                }
            }
        }
        if problems.is_empty() { Ok(Self(list)) } else { Err(PolicyError::Invalid { problems }) }
    }

    /// Adds to the list; what is on it keeps its own reason.
    pub(crate) fn add(&mut self, arns: &[Arn], reason: &str) {
        for arn in arns {
            self.0.entry(arn.clone()).or_insert_with(|| reason.to_owned());
        }
    }

    /// Why the request's principal or resource must not be touched, if it must not.
    pub(crate) fn cause(&self, request: &Request<'_>) -> Option<Cause> {
        let principal = Arn::parse(&request.event.actor.principal.to_string()).ok();
        let mut named = [Some(&request.resource.arn), principal.as_ref()].into_iter().flatten();
        let (arn, reason) = named.find_map(|arn| self.0.get_key_value(arn))?;
        Some(Cause { id: PolicyId::new(ID), reason: Some(format!("{arn}: {reason}")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_refused_with_its_place() {
        let refusal = |text: &str| NeverTouch::parse(&Source::new("never-touch.json", text)).unwrap_err().to_string();
        assert!(refusal("{\n \"role/admin\": \"x\"}").contains("never-touch.json:2:2: `role/admin` is not an ARN"));
        assert!(refusal("[]").contains("never-touch.json:1:"), "{}", refusal("[]"));
        assert!(NeverTouch::parse(&Source::new("n", "{}")).is_ok_and(|list| list == NeverTouch::default()));
    }
}
