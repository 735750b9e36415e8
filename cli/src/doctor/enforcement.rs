//! Which responders may act at all, by the policies at hand.

use std::path::Path;

use cedar_policy::{ActionConstraint, Effect, Policy, PolicySet};
use policy::Source;

use super::check::Check;
use crate::responders::ENTRIES;

const NAME: &str = "enforcement";

pub(super) fn look(folder: &Path) -> Check {
    let place = folder.display();
    let sources = match policy::sources(folder) {
        Ok(sources) => sources,
        Err(error) => {
            let seen = format!("not known: {}", remedy::in_full(&error));
            return Check::warning(NAME, seen, "name the folder with your policies: --policies DIR");
        }
    };
    let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.spec.name).collect();
    let Some(permitted) = permitted(&sources, &names) else {
        let fix =
            format!("`countermand policy check {place}` says what is wrong; a function with these does not start");
        return Check::failed(NAME, format!("the policies in `{place}` cannot be used"), fix);
    };
    let observing: Vec<&str> = names.into_iter().filter(|name| !permitted.contains(name)).collect();
    let by = format!("by the policies in `{place}`, if they are those deployed");
    if observing.is_empty() {
        return Check::ok(NAME, format!("every responder has a permit, {by}"));
    }
    let acting = if permitted.is_empty() { "none".to_owned() } else { permitted.join(", ") };
    let seen = format!("{by}, with a permit: {acting}; observes only: {}", observing.join(", "));
    Check::warning(NAME, seen, "if they are to act, permit it: see policies/starter; then `sam deploy`")
}

/// Those of the responders that some `permit` speaks of; `None` where the policies cannot be used.
fn permitted<'a>(sources: &[Source], names: &[&'a str]) -> Option<Vec<&'a str>> {
    // Before Cedar is given a text it is looked at whether it can be parsed safely.
    policy::Policies::parse(sources.iter().cloned()).ok()?;
    let sets: Option<Vec<PolicySet>> = sources.iter().map(|source| source.text.parse().ok()).collect();
    let sets = sets?;
    let speaks_of = |name: &str| {
        let mut permits = sets.iter().flat_map(PolicySet::policies).filter(|policy| policy.effect() == Effect::Permit);
        permits.any(|permit| is_about(permit, name))
    };
    Some(names.iter().copied().filter(|name| speaks_of(name)).collect())
}

fn is_about(permit: &Policy, name: &str) -> bool {
    match permit.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(action) => action.id().unescaped() == name,
        ActionConstraint::In(actions) => actions.iter().any(|action| action.id().unescaped() == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Option<Vec<&'static str>> {
        permitted(&[Source::new("test.cedar", text)], &["close-a", "close-b"])
    }

    #[test]
    fn a_responder_without_a_permit_observes() {
        let of_a = r#"@id("a") permit (principal, action == Action::"close-a", resource);"#;
        assert_eq!(with(of_a).unwrap(), ["close-a"]);
        let all = r#"@id("all") permit (principal, action, resource);"#;
        assert_eq!(with(all).unwrap(), ["close-a", "close-b"]);
        let list = r#"@id("l") permit (principal, action in [Action::"close-b", Action::"x"], resource);"#;
        assert_eq!(with(list).unwrap(), ["close-b"]);
        assert!(with(r#"@id("f") forbid (principal, action, resource);"#).unwrap().is_empty());
        assert_eq!(with("permit (principal"), None);
    }
}
