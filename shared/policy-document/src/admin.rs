//! Whether identity policies make an administrator.

use std::collections::BTreeSet;

use cloudtrail::Arn;

use crate::document::Document;
use crate::doubt::Doubt;
use crate::escalation::{EscalationPath, Kind, PATHS, TAKEOVERS};
use crate::pattern::Pattern;
use crate::permissions::{Held, Permissions};
use crate::statement::Effect;
use crate::trust::Trust;
use crate::version::Version;

/// What a set of identity policies makes of whoever has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminVerdict {
    /// Whether it makes an administrator.
    pub level: AdminLevel,
    /// Ways to the permissions of roles that are in use already, such as `lambda:UpdateFunctionCode` on every function.
    /// What they gain depends on those roles, so they make no administrator.
    pub takeovers: Vec<Escalation>,
}

/// Whether a policy makes an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminLevel {
    /// It does not, neither now nor by a known way.
    No,
    /// It cannot be told: a condition limits what would do so, or a statement is not understood.
    Unknown(BTreeSet<Doubt>),
    /// Not yet, and by each of these known ways.
    Escalation(Vec<Escalation>),
    /// Everything in IAM, and with that everything, by these statements.
    Admin(BTreeSet<StatementRef>),
}

/// A known way that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// The way.
    pub path: &'static EscalationPath,
    /// The statements that open it.
    pub by: BTreeSet<StatementRef>,
}

/// A statement of one of several documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementRef {
    /// The document's index in the list that was analysed.
    pub document: usize,
    /// The statement's index in the document.
    pub statement: usize,
}

impl AdminLevel {
    /// Whether it surely is an administrator, or becomes one when it likes.
    #[must_use]
    pub fn is_admin_equivalent(&self) -> bool {
        matches!(self, Self::Admin(_) | Self::Escalation(_))
    }

    /// One word for it, as policies may compare it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown(_) => "unknown",
            Self::Escalation(_) => "escalation",
            Self::Admin(_) => "admin",
        }
    }
}

/// Whether `documents`, which one identity of `trust`'s account has together, make it an administrator.
///
/// What an unconditional Deny statement takes away is subtracted; other Deny statements are not, since who meets their
/// conditions is an administrator still. An Allow statement with a condition that limits it leaves a doubt. `holder` is
/// the user, group or role that has the policies, if it is known: to be allowed to add to one's own is enough.
#[must_use]
pub fn admin(documents: &[&Document], holder: Option<&Arn>, trust: &Trust) -> AdminVerdict {
    let permissions = Permissions::of(documents, holder, trust);
    let mut doubts = BTreeSet::new();
    let open = |paths: &'static [EscalationPath], doubts: &mut BTreeSet<Doubt>| {
        let mut escalations = Vec::new();
        for path in paths {
            match permissions.path(path) {
                Held::Yes(by) => escalations.push(Escalation { path, by }),
                Held::Perhaps(doubt) => {
                    doubts.insert(doubt);
                }
                Held::No => {}
            }
        }
        escalations
    };
    let takeovers = open(TAKEOVERS, &mut BTreeSet::new());
    let everything = permissions.all_of_iam();
    // Whoever has everything needs no way to it.
    let ways = if matches!(everything, Held::Yes(_)) { &[] } else { PATHS };
    let escalations = open(ways, &mut doubts);
    if let Held::Perhaps(doubt) = &everything {
        doubts.insert(doubt.clone());
    }
    // What is not understood may allow anything unless it surely denies, and may deny anything unless it surely allows.
    let (mut may_allow, mut may_deny) = (None, None);
    for statement in documents.iter().flat_map(|document| document.statements()) {
        if let Err(doubt) = &statement.body {
            may_allow = may_allow.or((statement.effect() != Some(Effect::Deny)).then(|| doubt.clone()));
            may_deny = may_deny.or((statement.effect() != Some(Effect::Allow)).then(|| doubt.clone()));
        }
    }
    let level = match (everything, escalations.is_empty(), may_deny) {
        (Held::Yes(_), _, Some(doubt)) | (_, false, Some(doubt)) => AdminLevel::Unknown(BTreeSet::from([doubt])),
        (Held::Yes(by), _, None) => AdminLevel::Admin(by),
        (_, false, None) => AdminLevel::Escalation(escalations),
        (_, true, _) => {
            doubts.extend(may_allow);
            if doubts.is_empty() { AdminLevel::No } else { AdminLevel::Unknown(doubts) }
        }
    };
    AdminVerdict { level, takeovers }
}

/// ARNs that stand for all resources of a kind: a pattern that takes them in was not written for particular ones.
pub(crate) fn witnesses(kind: Kind, trust: &Trust) -> [Pattern; 2] {
    ["q7-zz", "q7/zz.q9"].map(|name| {
        let arn = format!("arn:{}:iam::{}:{}/{name}", trust.partition, trust.account, kind.prefix());
        Pattern::new(&arn, Version::WithoutVariables)
    })
}
