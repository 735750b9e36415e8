//! Looking at an incident before it is undone, and undoing it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use remedy::{Drift, Incident, IncidentId, Undo, UndoError, UndoReport};

use super::refusal::Refusal;
use crate::elsewhere;
use crate::incidents::{NoIncident, Operator, Session};
use crate::responders::Entry;

/// What CloudTrail shows of an undo in another account.
const SESSION: &str = "countermand-undo";

/// An incident that is to be undone.
#[derive(Debug)]
pub(super) struct Prospect {
    pub(super) incident: Incident,
    entry: &'static Entry,
    config: SdkConfig,
    /// What would be done, in words and in order.
    pub(super) would: Vec<String>,
    /// What somebody has taken back.
    pub(super) already: Vec<String>,
    /// What is not as we left it: to be overridden, or to be looked at again.
    pub(super) drifts: Vec<Drift>,
    /// A newer incident of the same resource that is to be undone before this one, which is as we left it only then.
    pub(super) newer: Option<IncidentId>,
}

/// Who undoes what, and how.
pub(super) struct Undoer<'a> {
    pub(super) session: &'a Session,
    pub(super) operator: &'a Operator,
    /// The role to take in other accounts than the operator's.
    pub(super) role: Option<&'a str>,
    /// Sessions of it so far.
    pub(super) elsewhere: RefCell<BTreeMap<AccountId, SdkConfig>>,
    pub(super) now: DateTime<Utc>,
    pub(super) force: bool,
}

impl Undoer<'_> {
    /// Looks what an undo would do, after those that are to be undone `before`.
    pub(super) async fn look(&self, incident: Incident, before: &[Prospect]) -> Result<Prospect, Refusal> {
        let Some(entry) = Entry::named(&incident.responder) else {
            return Err(Refusal::Responder { incident: incident.id.to_string(), responder: incident.responder });
        };
        let config = lambda::in_region(&self.config_for(&incident).await?, incident.region.as_str());
        let look = Undo {
            ledger: &self.session.ledger,
            by: &self.operator.arn,
            now: self.now,
            force: false,
            dry_run: true,
            lease_ended: false,
        };

        let (mut drifts, mut newer) = (Vec::new(), None);
        let expected = match (entry.undo)(&look, &config, incident.clone()).await {
            Err(UndoError::Drifted { drifts: found, .. }) if self.force => {
                drifts = found;
                Some((entry.undo)(&Undo { force: true, ..look }, &config, incident.clone()).await?)
            }
            Err(UndoError::Drifted { incident: id, drifts: found }) => {
                newer = before.iter().rfind(|prospect| prospect.is_about_the_same(&incident)).map(Prospect::id);
                if newer.is_none() {
                    return Err(UndoError::Drifted { incident: id, drifts: found }.into());
                }
                drifts = found;
                None
            }
            looked => Some(looked?),
        };
        let (would, already) = expected.map(|report| (report.did, report.already)).unwrap_or_default();
        Ok(Prospect { incident, entry, config, would, already, drifts, newer })
    }

    /// What acts in the incident's account.
    async fn config_for(&self, incident: &Incident) -> Result<SdkConfig, Refusal> {
        let (theirs, yours) = (&incident.account, &self.operator.account);
        if theirs == yours {
            return Ok(self.session.config.clone());
        }
        let kept = self.elsewhere.borrow().get(theirs).cloned();
        if let Some(config) = kept {
            return Ok(config);
        }
        let Some(role) = self.role else {
            let (theirs, yours) = (theirs.clone(), yours.clone());
            return Err(Refusal::Account { incident: incident.id.to_string(), theirs, yours });
        };
        let config = elsewhere::acting_in(theirs, role, SESSION, &self.session.config).await?;
        self.elsewhere.borrow_mut().insert(theirs.clone(), config.clone());
        Ok(config)
    }

    /// Reads the incident once more, since people take their time to answer, and undoes it.
    pub(super) async fn undo(&self, prospect: Prospect) -> Result<UndoReport, Refusal> {
        let Prospect { incident, entry, config, .. } = prospect;
        let Some(incident) = self.session.ledger.get(&incident.id).await.map_err(UndoError::Ledger)? else {
            return Err(NoIncident::Absent { id: incident.id.to_string() }.into());
        };
        let (ledger, by) = (&self.session.ledger, self.operator.arn.as_str());
        let undo = Undo { ledger, by, now: self.now, force: self.force, dry_run: false, lease_ended: false };
        Ok((entry.undo)(&undo, &config, incident).await?)
    }
}

impl Prospect {
    fn id(&self) -> IncidentId {
        self.incident.id.clone()
    }

    fn is_about_the_same(&self, other: &Incident) -> bool {
        self.incident.responder == other.responder && self.incident.resource.arn == other.resource.arn
    }
}
