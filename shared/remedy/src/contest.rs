//! Fights over a resource: we close it, somebody opens it, and so on.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cloudtrail::Actor;
use policy::{Rate, Resource};
use serde::{Deserialize, Serialize};

use crate::incident::{Incident, IncidentId};
use crate::ledger::{Charge, Ledger, LedgerError, MemoryKey};

/// How often a change of ours may be reversed and made again before we stop, if a deployment does not say.
pub const FLIPS: Rate = Rate { count: 3, window: Duration::from_hours(1) };

/// So many turns are told; a fight that went on for longer is no clearer for more of them.
const MOST_TURNS: usize = 20;

/// Who undoes whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contest {
    /// How often we had made the change again within the window when we stopped.
    pub flips: u32,
    /// The window, in seconds.
    pub window_seconds: u64,
    /// The turns of the others, the latest first; the first is the one that we left alone.
    pub turns: Vec<Turn>,
    /// What seems to put the resource back to what it thinks right: its stack, or the tool that its tags name.
    pub belongs_to: Option<String>,
}

/// What somebody else did, and we took back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The incident.
    pub incident: IncidentId,
    /// Who.
    pub actor: Actor,
    /// The operation or finding type.
    pub event_name: String,
    /// When.
    pub event_time: Option<DateTime<Utc>>,
    /// When we took it back, if we did.
    pub contained: Option<DateTime<Utc>>,
}

impl Turn {
    fn of(incident: &Incident) -> Self {
        Self {
            incident: incident.id.clone(),
            actor: incident.actor.clone(),
            event_name: incident.event_name.clone(),
            event_time: incident.event_time,
            contained: incident.contained,
        }
    }
}

impl Contest {
    /// The fight that `incident` is the latest turn of, as far as the ledger remembers it.
    pub(crate) async fn over<L: Ledger>(incident: &Incident, flips: Rate, ledger: &L) -> Result<Self, LedgerError> {
        let mut turns = vec![Turn::of(incident)];
        let mut before = incident.previous.clone();
        while let Some(id) = before.filter(|_| turns.len() < MOST_TURNS) {
            let Some(found) = ledger.find(&id).await? else { break };
            if found.opened + flips.window < incident.opened {
                break;
            }
            turns.push(Turn::of(&found));
            before = found.previous;
        }
        Ok(Self {
            flips: flips.count,
            window_seconds: flips.window.as_secs(),
            turns,
            belongs_to: belongs_to(&incident.resource, &incident.actor),
        })
    }
}

/// One flip of the resource, to be counted with the claim.
pub(crate) fn flip(resource: &MemoryKey, flips: Rate) -> Charge {
    Charge { budget: format!("flips of {resource}"), count: flips.count, window: flips.window }
}

/// Tags whose keys begin with `aws:` only AWS can set; the others anybody can who may tag, so what they say is a hint.
///
/// Source: AWS CloudFormation User Guide, "Resource tag". Terraform has no tag of its own: its users' custom is a tag
/// that names it.
fn belongs_to(resource: &Resource, actor: &Actor) -> Option<String> {
    let empty = BTreeMap::new();
    let tags = resource.tags.as_ref().unwrap_or(&empty);
    if let Some(stack) = tags.get("aws:cloudformation:stack-name") {
        return Some(format!("CloudFormation stack {stack}"));
    }
    if actor.invoked_by.as_deref() == Some("cloudformation.amazonaws.com") {
        return Some("CloudFormation, which made the call".to_owned());
    }
    let names_terraform = |text: &String| text.to_ascii_lowercase().contains("terraform");
    let (key, value) = tags.iter().find(|(key, value)| names_terraform(key) || names_terraform(value))?;
    Some(format!("Terraform, says its tag {key}={value}"))
}
