//! Whether a deployment that is to act in other accounts can: whether it knows them, and takes their events.

use std::path::Path;

use lambda::call_error;
use remedy::CallError;

use super::Scene;
use super::check::Check;
use crate::responders::ENTRIES;

const NAME: &str = "members";

const ROLE: &str = "COUNTERMAND_ROLE";

/// Nothing, where the functions are told of no role to take elsewhere.
pub(super) async fn look(scene: &Scene, policies: &Path) -> Option<Check> {
    let function = ENTRIES.iter().find_map(|entry| scene.deployment.function(entry.spec.name))?;
    match scene.variable(function, ROLE).await {
        Ok(role) => role?,
        Err(error) => return Some(Check::unknown(NAME, &error)),
    };
    let list = policies.join("organization.json");
    let accounts = match policy::beside(policies) {
        Ok(beside) => beside.organization.accounts().count(),
        Err(error) => {
            let seen = format!("not known: {}", remedy::in_full(&error));
            return Some(Check::warning(NAME, seen, "name the folder with your policies: --policies DIR"));
        }
    };
    if accounts == 0 {
        let seen = format!("`{}` lists no account, so every event of another one is refused", list.display());
        return Some(Check::failed(NAME, seen, "list the accounts (docs/many-accounts.md), then `sam deploy`"));
    }
    Some(match takes_events(scene).await {
        Ok(true) => Check::ok(NAME, format!("{accounts} accounts are listed, and the bus takes their events")),
        Ok(false) => {
            let seen = "the default event bus takes no events of an organization";
            Check::failed(NAME, seen, "`sam deploy` with OrganizationId, after removing the stack's drift")
        }
        Err(error) => Check::unknown(NAME, &error),
    })
}

async fn takes_events(scene: &Scene) -> Result<bool, CallError> {
    let answer = aws_sdk_eventbridge::Client::new(&scene.config).describe_event_bus().send().await;
    let answer = answer.map_err(|error| call_error("events:DescribeEventBus", error))?;
    Ok(answer.policy().is_some_and(|policy| policy.contains("aws:PrincipalOrgID")))
}
