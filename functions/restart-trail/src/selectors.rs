//! Which events a trail logs.
//!
//! Sources: AWS CloudTrail API Reference, "`EventSelector`", "`AdvancedEventSelector`" and "`PutEventSelectors`"; CloudTrail
//! User Guide, "Logging management events".

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A trail's event selectors: it has those of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventSelectors {
    /// Basic ones, five at most.
    Basic(Vec<EventSelector>),
    /// Advanced ones.
    Advanced(Vec<AdvancedEventSelector>),
}

/// A basic event selector. What is left out has AWS's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSelector {
    /// `ReadOnly`, `WriteOnly` or `All`; of management and data events alike.
    #[serde(default = "EventSelector::default_read_write_type")]
    pub read_write_type: String,
    /// Whether it selects management events at all.
    #[serde(default = "EventSelector::default_include_management_events")]
    pub include_management_events: bool,
    /// Which data events it selects.
    #[serde(default)]
    pub data_resources: Vec<DataResource>,
    /// The services whose management events it leaves out.
    #[serde(default)]
    pub exclude_management_event_sources: Vec<String>,
}

/// Data events of one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataResource {
    /// For example `AWS::S3::Object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// ARNs, or beginnings of ARNs.
    #[serde(default)]
    pub values: Vec<String>,
}

/// An advanced event selector: it selects the events that pass all its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvancedEventSelector {
    /// What its author called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The conditions.
    #[serde(default)]
    pub field_selectors: Vec<FieldSelector>,
}

/// A condition on one field of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "AWS's operators, by their names")]
pub struct FieldSelector {
    pub field: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_equals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_starts_with: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_ends_with: Vec<String>,
}

/// The most basic event selectors that a trail may have.
const MOST: usize = 5;

impl EventSelector {
    fn default_read_write_type() -> String {
        "All".to_owned()
    }

    fn default_include_management_events() -> bool {
        true
    }

    /// All management events and no data events: what AWS gives a new trail.
    #[must_use]
    pub fn all_management_events() -> Self {
        Self {
            read_write_type: Self::default_read_write_type(),
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }

    fn coverage(&self) -> Coverage {
        let excluded = || Some(self.exclude_management_event_sources.iter().cloned().collect());
        let (read, write) = match (self.include_management_events, self.read_write_type.as_str()) {
            (true, "All") => (excluded(), excluded()),
            (true, "ReadOnly") => (excluded(), None),
            (true, "WriteOnly") => (None, excluded()),
            _ => (None, None),
        };
        Coverage { read, write }
    }
}

impl AdvancedEventSelector {
    fn all_management_events(name: Option<String>) -> Self {
        let category = FieldSelector {
            field: "eventCategory".to_owned(),
            equals: vec!["Management".to_owned()],
            ..FieldSelector::default()
        };
        Self { name, field_selectors: vec![category] }
    }

    fn is_about_management_events(&self) -> bool {
        let is_so = |field: &FieldSelector| field.equals.iter().any(|value| value == "Management");
        self.field_selectors.iter().any(|field| field.field == "eventCategory" && is_so(field))
    }

    /// Nothing, where it has a condition that is not understood: what it selects surely is what counts.
    fn coverage(&self) -> Coverage {
        if !self.is_about_management_events() {
            return Coverage::default();
        }
        let (mut excluded, mut read, mut write) = (BTreeSet::new(), true, true);
        for field in &self.field_selectors {
            let FieldSelector { field: name, equals, not_equals, .. } = field;
            let known = FieldSelector {
                field: name.clone(),
                equals: equals.clone(),
                not_equals: not_equals.clone(),
                ..FieldSelector::default()
            };
            match name.as_str() {
                _ if *field != known => return Coverage::default(),
                "eventCategory" if not_equals.is_empty() => {}
                "readOnly" if not_equals.is_empty() => {
                    read &= equals.iter().any(|value| value == "true");
                    write &= equals.iter().any(|value| value == "false");
                }
                "eventSource" if equals.is_empty() => excluded.extend(not_equals.iter().cloned()),
                _ => return Coverage::default(),
            }
        }
        Coverage { read: read.then(|| excluded.clone()), write: write.then_some(excluded) }
    }
}

impl Default for EventSelectors {
    fn default() -> Self {
        Self::Basic(vec![EventSelector::all_management_events()])
    }
}

impl EventSelectors {
    /// Which management events they select.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        match self {
            Self::Basic(selectors) => {
                selectors.iter().map(EventSelector::coverage).fold(Coverage::default(), Coverage::or)
            }
            Self::Advanced(selectors) => {
                selectors.iter().map(AdvancedEventSelector::coverage).fold(Coverage::default(), Coverage::or)
            }
        }
    }

    /// These, with all management events. What selects data events stays as it is, unless there is no room for one
    /// selector more.
    #[must_use]
    pub fn with_all_management_events(&self) -> Self {
        match self.clone() {
            Self::Basic(mut selectors) => {
                let all = EventSelector::all_management_events();
                if let Some(selector) = selectors.iter_mut().find(|selector| selector.data_resources.is_empty()) {
                    *selector = all;
                } else if selectors.len() < MOST {
                    selectors.push(all);
                } else if let Some(first) = selectors.first_mut() {
                    let data_resources = std::mem::take(&mut first.data_resources);
                    *first = EventSelector { data_resources, ..all };
                }
                Self::Basic(selectors)
            }
            Self::Advanced(mut selectors) => {
                match selectors.iter_mut().find(|selector| selector.is_about_management_events()) {
                    Some(selector) => *selector = AdvancedEventSelector::all_management_events(selector.name.take()),
                    None => selectors.push(AdvancedEventSelector::all_management_events(None)),
                }
                Self::Advanced(selectors)
            }
        }
    }
}

/// Which management events are surely logged: of those that read and of those that write all but those of some services,
/// or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage {
    read: Option<BTreeSet<String>>,
    write: Option<BTreeSet<String>>,
}

impl Coverage {
    /// All management events.
    #[must_use]
    pub fn all() -> Self {
        Self { read: Some(BTreeSet::new()), write: Some(BTreeSet::new()) }
    }

    /// What one or the other selects.
    fn or(self, other: Self) -> Self {
        let or = |one: Option<BTreeSet<String>>, other: Option<BTreeSet<String>>| match (one, other) {
            (Some(one), Some(other)) => Some(&one & &other),
            (one, other) => one.or(other),
        };
        Self { read: or(self.read, other.read), write: or(self.write, other.write) }
    }

    /// Whether something that `wanted` has is missing.
    #[must_use]
    pub fn lacks_of(&self, wanted: &Self) -> bool {
        let lacks = |have: &Option<BTreeSet<String>>, wanted: &Option<BTreeSet<String>>| match (have, wanted) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(have), Some(wanted)) => !have.is_subset(wanted),
        };
        lacks(&self.read, &wanted.read) || lacks(&self.write, &wanted.write)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let but = |excluded: &BTreeSet<String>| match excluded.iter().cloned().collect::<Vec<_>>().join(" and ") {
            names if names.is_empty() => names,
            names => format!(" but those of {names}"),
        };
        match (&self.read, &self.write) {
            (None, None) => f.write_str("no management events"),
            (Some(read), None) => write!(f, "management events that read{}", but(read)),
            (None, Some(write)) => write!(f, "management events that write{}", but(write)),
            (Some(read), Some(write)) if read == write => write!(f, "all management events{}", but(read)),
            (Some(read), Some(write)) => {
                write!(f, "management events that read{} and those that write{}", but(read), but(write))
            }
        }
    }
}
