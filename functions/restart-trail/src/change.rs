//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use cloudtrail::Arn;
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::selectors::EventSelectors;
use crate::trail::{Delivery, InsightSelector, Switch, Trail};

/// A write to a trail: one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrailChange {
    /// Turns something on or off.
    Turn {
        /// The trail.
        trail: Arn,
        /// What.
        switch: Switch,
        /// Whether on.
        on: bool,
    },
    /// Changes where log files go.
    Deliver {
        /// The trail.
        trail: Arn,
        /// Where they went.
        from: Delivery,
        /// Where they go.
        to: Delivery,
    },
    /// Replaces the event selectors.
    SelectEvents {
        /// The trail.
        trail: Arn,
        /// Those that were there.
        from: EventSelectors,
        /// Those that will be.
        to: EventSelectors,
    },
    /// Replaces the insight selectors.
    SelectInsights {
        /// The trail.
        trail: Arn,
        /// Those that were there.
        from: BTreeSet<InsightSelector>,
        /// Those that will be.
        to: BTreeSet<InsightSelector>,
    },
    /// Creates the trail.
    Create(Box<Trail>),
    /// Deletes it.
    Delete(Box<Trail>),
}

impl TrailChange {
    /// Whether the trail, or that there is none, is as this change leaves it. A trail that is gone logs nothing.
    #[must_use]
    pub fn shows_in(&self, found: Option<&Trail>) -> bool {
        match self {
            Self::Turn { switch, on, .. } => found.is_some_and(|trail| trail.on.contains(switch)) == *on,
            Self::Deliver { to, .. } => found.is_some_and(|trail| trail.delivery == *to),
            Self::SelectEvents { to, .. } => found.is_some_and(|trail| trail.event_selectors == *to),
            Self::SelectInsights { to, .. } => found.is_some_and(|trail| trail.insight_selectors == *to),
            Self::Create(created) => found.is_some_and(|found| {
                let (created, found) = (created.as_created(), found.as_created());
                (created.delivery, created.on) == (found.delivery, found.on)
            }),
            Self::Delete(_) => found.is_none(),
        }
    }

    /// What is weak without this change, a word: in the fact `weakened`.
    #[must_use]
    pub fn mends(&self) -> &'static str {
        match self {
            Self::Turn { switch, .. } => switch.name(),
            Self::Deliver { .. } => "delivery",
            Self::SelectEvents { .. } => "management-events",
            Self::SelectInsights { .. } => "insights",
            Self::Create(_) | Self::Delete(_) => "trail",
        }
    }
}

impl Change for TrailChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Turn { trail, switch, on } => Self::Turn { trail, switch, on: !on },
            Self::Deliver { trail, from, to } => Self::Deliver { trail, from: to, to: from },
            Self::SelectEvents { trail, from, to } => Self::SelectEvents { trail, from: to, to: from },
            Self::SelectInsights { trail, from, to } => Self::SelectInsights { trail, from: to, to: from },
            Self::Create(trail) => Self::Delete(trail),
            Self::Delete(trail) => Self::Create(trail),
        }
    }

    /// Names both states, where there are more than two: that one weakness is wanted says nothing of another.
    fn key(&self) -> ChangeKey {
        let between = |what, mut states: [String; 2]| {
            states.sort();
            ChangeKey::new(format!("{what}: {}", states.join(" | ")))
        };
        match self {
            Self::Turn { .. } | Self::Create(_) | Self::Delete(_) => ChangeKey::new(self.mends()),
            Self::Deliver { from, to, .. } => between("delivery", [from.to_string(), to.to_string()]),
            Self::SelectEvents { from, to, .. } => {
                between("events", [from.coverage().to_string(), to.coverage().to_string()])
            }
            Self::SelectInsights { from, to, .. } => between("insights", [insights(from), insights(to)]),
        }
    }
}

impl fmt::Display for TrailChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn { trail, switch: Switch::Logging, on } => {
                write!(f, "{} logging of trail {}", if *on { "start" } else { "stop" }, trail.name())
            }
            Self::Turn { trail, switch, on } => {
                let what = match switch {
                    Switch::GlobalServiceEvents => "global service events",
                    Switch::MultiRegion => "events of all regions",
                    Switch::Validation => "log file validation",
                    Switch::Logging => "logging",
                };
                write!(f, "turn {} {what} of trail {}", if *on { "on" } else { "off" }, trail.name())
            }
            Self::Deliver { trail, to, .. } => write!(f, "deliver log files of trail {} to {to}", trail.name()),
            Self::SelectEvents { trail, to, .. } => write!(f, "let trail {} log {}", trail.name(), to.coverage()),
            Self::SelectInsights { trail, to, .. } => write!(f, "let trail {} log {}", trail.name(), insights(to)),
            Self::Create(trail) => write!(f, "create trail {}", trail.arn.name()),
            Self::Delete(trail) => write!(f, "delete trail {}", trail.arn.name()),
        }
    }
}

fn insights(selectors: &BTreeSet<InsightSelector>) -> String {
    let kind = |selector: &InsightSelector| match selector.categories.iter().cloned().collect::<Vec<_>>().join(" and ")
    {
        categories if categories.is_empty() => selector.kind.clone(),
        categories => format!("{} of {categories} events", selector.kind),
    };
    match selectors.iter().map(kind).collect::<Vec<_>>().join(" and ") {
        kinds if kinds.is_empty() => "no insights".to_owned(),
        kinds => kinds,
    }
}
