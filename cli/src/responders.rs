//! Every responder behind one type, so that commands need not know any by name.

use std::fmt;
use std::pin::Pin;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use cloudtrail::{Event, EventError};
use lambda::{Connect, DynamoLedger};
use policy::{Policies, Resource};
use remedy::{
    CallError, Change, ChangeKey, Explanation, Incident, IncidentId, Predicted, Responder, Spec, Undo, UndoError,
    UndoReport,
};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use crate::registry::ENTRIES;

/// Makes the list of all responders from the names of their crates, each of which has its `aws::Live`.
macro_rules! responders {
    ($($responder:ident),* $(,)?) => {
        /// All responders, by name.
        pub(crate) const ENTRIES: &[$crate::responders::Entry] =
            &[$($crate::responders::Entry::of::<$responder::aws::Live>()),*];
    };
}

type Explain<C> = fn(&Event, &Policies, DateTime<Utc>) -> Result<Vec<Explanation<C>>, EventError>;
type IncidentsOf = fn(&Event) -> Result<Vec<IncidentId>, EventError>;
type UndoIn = for<'a> fn(&'a Undo<'a, DynamoLedger>, &'a SdkConfig, Incident) -> Undoing<'a>;
type Capture = for<'a> fn(&'a SdkConfig) -> Capturing<'a>;
type Capturing<'a> = Pin<Box<dyn Future<Output = Result<Vec<(Resource, Value)>, CallError>> + 'a>>;
type Undoing<'a> = Pin<Box<dyn Future<Output = Result<UndoReport, UndoError>> + 'a>>;

/// One responder.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The files of its folder.
    pub(crate) spec: Spec,
    /// What it would do about an event.
    pub(crate) explain: Explain<Predicted>,
    /// As `explain`, without words.
    pub(crate) explain_briefly: Explain<ChangeKey>,
    /// The incidents that its function would open for an event.
    pub(crate) incidents_of: IncidentsOf,
    /// Takes back one of its incidents, in the account and region of the configuration.
    pub(crate) undo: UndoIn,
    /// How everything is that it would put back, in the account and region of the configuration.
    pub(crate) capture: Capture,
    /// A change as the ledger keeps it, in words.
    pub(crate) words: fn(&Value) -> Result<Predicted, serde_json::Error>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.spec.name).finish()
    }
}

impl Entry {
    pub(crate) const fn of<R: Connect>() -> Self {
        Self {
            spec: R::SPEC,
            explain: remedy::explain::<R>,
            explain_briefly: remedy::explain_briefly::<R>,
            incidents_of: remedy::incidents_of::<R>,
            undo: undo::<R>,
            capture: capture::<R>,
            words: words::<R>,
        }
    }

    /// The responder of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ENTRIES.iter().find(|entry| entry.spec.name == name)
    }
}

fn undo<'a, R: Connect>(undo: &'a Undo<'a, DynamoLedger>, config: &'a SdkConfig, incident: Incident) -> Undoing<'a> {
    Box::pin(async move {
        let responder = R::connect(config);
        undo.run(&responder, incident).await
    })
}

fn capture<R: Connect>(config: &SdkConfig) -> Capturing<'_> {
    Box::pin(async move { R::connect(config).capture().await })
}

fn words<R: Responder>(change: &Value) -> Result<Predicted, serde_json::Error> {
    let change = R::Change::deserialize(change)?;
    Ok(Predicted { does: change.to_string(), undo: change.inverse().to_string() })
}
