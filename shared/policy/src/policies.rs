//! The policies in force.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::{Authorizer, PolicySet};
use cloudtrail::Arn;
use serde::{Serialize, Serializer};

use crate::reading::Reading;
use crate::scope::Scope;
use crate::{Limit, NeverTouch, Organization, PolicyError, PolicyId, Problem, Source, Trusted};

/// Whether a policy allows or rules out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// `permit`
    Permit,
    /// `forbid`
    Forbid,
}

/// What a permit leads to, its `@mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Act at once.
    Enforce,
    /// Ask a person first.
    Approve,
}

/// One policy, as its annotations describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `@id`
    pub id: PolicyId,
    /// `permit` or `forbid`.
    pub effect: Effect,
    /// `@mode`; of a `forbid` it means nothing.
    pub mode: Mode,
    /// `@reason`
    pub reason: Option<String>,
    /// `@limit`
    pub limit: Option<Limit>,
    /// `@lease`, in seconds: how long what it lets us do lasts unless a person confirms it.
    #[serde(rename = "lease_seconds", serialize_with = "seconds")]
    pub lease: Option<Duration>,
    /// The name of its source.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// Whether its condition depends on tags.
    pub asks_for_tags: bool,
    #[serde(skip)]
    pub(crate) scope: Scope,
    /// Whether it has a `when` or an `unless`.
    #[serde(skip)]
    pub(crate) is_conditional: bool,
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
pub(crate) fn seconds<S: Serializer>(lease: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    lease.map(|lease| lease.as_secs()).serialize(serializer)
}

/// All policies in force.
#[derive(Debug, Clone)]
pub struct Policies {
    pub(crate) set: PolicySet,
    pub(crate) rules: Vec<Rule>,
    pub(crate) organization: Organization,
    pub(crate) never_touch: NeverTouch,
    trusted: Trusted,
    pub(crate) authorizer: Authorizer,
}

impl Policies {
    /// Reads every `*.cedar` file directly in `folder` (not in folders below it, nor hidden ones), and
    /// `organization.json`, `never-touch.json` and `trusted.json` if they are there.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let policies = Self::parse(sources(folder)?)?;
        let Beside { organization, never_touch, trusted } = beside(folder)?;
        Ok(policies.with_organization(organization).with_never_touch(never_touch).with_trusted(trusted))
    }

    /// Parses policies; their order does not matter. Without any permit the verdict is always `observe`.
    pub fn parse(sources: impl IntoIterator<Item = Source>) -> Result<Self, PolicyError> {
        let Reading { set, rules, problems, .. } = Reading::of(&sources.into_iter().collect::<Vec<_>>());
        if !problems.is_empty() {
            return Err(PolicyError::Invalid { problems });
        }
        let Beside { organization, never_touch, trusted } = Beside::default();
        Ok(Self { set, rules, organization, never_touch, trusted, authorizer: Authorizer::new() })
    }

    /// Other policies, read from a folder as [`Self::load`] reads them, for the same organization, the same list of what must
    /// never be touched and the same trusted accounts: the folder's own `*.json` files are not read.
    pub fn with_rules_of(&self, folder: &Path) -> Result<Self, PolicyError> {
        let Self { set, rules, .. } = Self::parse(sources(folder)?)?;
        Ok(Self { set, rules, ..self.clone() })
    }

    /// These policies, where accounts are in their organizational units.
    #[must_use]
    pub fn with_organization(mut self, organization: Organization) -> Self {
        Arc::make_mut(&mut self.trusted.accounts).extend(organization.accounts().cloned());
        self.organization = organization;
        self
    }

    /// These policies, and a list that stands above them.
    #[must_use]
    pub fn with_never_touch(mut self, never_touch: NeverTouch) -> Self {
        self.never_touch = never_touch;
        self
    }

    /// These policies, and the accounts that are not foreign.
    #[must_use]
    pub fn with_trusted(mut self, trusted: Trusted) -> Self {
        self.trusted = trusted;
        Arc::make_mut(&mut self.trusted.accounts).extend(self.organization.accounts().cloned());
        self
    }

    /// The accounts that are not foreign, those of the organization included.
    #[must_use]
    pub fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    /// Which accounts are ours, and where they are in the organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// These policies, with the roles of our own functions in the list that stands above them.
    #[must_use]
    pub fn sparing(mut self, own_roles: &[Arn]) -> Self {
        self.never_touch.add(own_roles, "a role of Countermand itself");
        self
    }

    /// All policies, in the order they were given.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// What lies in a folder beside its policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// `organization.json`
    pub organization: Organization,
    /// `never-touch.json`
    pub never_touch: NeverTouch,
    /// `trusted.json`
    pub trusted: Trusted,
}

/// What lies in a folder beside its policies, empty where there is none. Tells the problems of all files.
pub fn beside(folder: &Path) -> Result<Beside, PolicyError> {
    let mut problems = Vec::new();
    let beside = Beside {
        organization: read(folder, "organization.json", Organization::parse, &mut problems)?,
        never_touch: read(folder, "never-touch.json", NeverTouch::parse, &mut problems)?,
        trusted: read(folder, "trusted.json", Trusted::parse, &mut problems)?,
    };
    if problems.is_empty() { Ok(beside) } else { Err(PolicyError::Invalid { problems }) }
}

fn read<T: Default>(
    folder: &Path,
    name: &str,
    parse: fn(&Source) -> Result<T, PolicyError>,
    problems: &mut Vec<Problem>,
) -> Result<T, PolicyError> {
    let path = folder.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(T::default()),
        Err(source) => return Err(PolicyError::Read { path, source }),
    };
    match parse(&Source::new(path.display().to_string(), text)) {
        Err(PolicyError::Invalid { problems: more }) => {
            problems.extend(more);
            Ok(T::default())
        }
        parsed => parsed,
    }
}

/// The policy files of a folder by name: what [`Policies::load`] parses and [`check`](crate::check()) checks.
pub fn sources(folder: &Path) -> Result<Vec<Source>, PolicyError> {
    let read = |path: &Path| {
        let path = path.to_path_buf();
        |source| PolicyError::Read { path, source }
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read(folder))? {
        let path = entry.map_err(read(folder))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "cedar") && !path.is_dir() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(PolicyError::NoPolicies { path: folder.to_path_buf() });
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(read(&path))?;
            // Some editors mark UTF-8 with it, and Cedar refuses it.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            Ok(Source::new(path.display().to_string(), text))
        })
        .collect()
}
