//! What `countermand baseline capture` keeps of a user, role or group.

use std::error::Error;

use policy::Resource;
use remedy::{CallError, Situation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::decode;
use crate::live::{InlinePolicies, Policies};

/// The inline policies of a user, role or group, as they should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The texts by the policies' names.
    pub inline: InlinePolicies,
}

impl Baseline {
    /// The captured one; an empty one if there is none or it is not understood.
    pub(crate) fn of(situation: &Situation) -> Self {
        let Some(captured) = &situation.memory.baseline else { return Self::default() };
        Self::deserialize(captured).unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn Error, "a captured baseline is not understood");
            Self::default()
        })
    }
}

/// Of every user, role and group that has inline policies, what they say.
pub(crate) async fn capture(iam: &impl Policies) -> Result<Vec<(Resource, Value)>, CallError> {
    let all = iam.all_inline().await?.into_iter().filter(|(_, _, inline)| !inline.is_empty());
    let captured = all.map(|(kind, arn, inline)| {
        let inline: InlinePolicies = inline.into_iter().map(|(name, text)| (name, decode(&text))).collect();
        (Resource { kind: kind.resource(), arn, tags: None }, serde_json::json!(Baseline { inline }))
    });
    Ok(captured.collect())
}
