//! Why a command failed.

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use lambda::SettingsError;
use policy::PolicyError;
use remedy::{CallError, CallErrorKind, LedgerError};

use crate::exit::Exit;

/// A command that could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    #[error("the policies in `{}` cannot be used", folder.display())]
    Policies { folder: PathBuf, source: PolicyError },
    #[error("the schemas of the responders do not fit together")]
    Schemas(#[source] PolicyError),
    #[error("cannot start to talk to AWS")]
    Settings(#[from] SettingsError),
    #[error("cannot run anything at once")]
    Runtime(#[source] io::Error),
    #[error("no region is set")]
    NoRegion,
    #[error("the ledger in table `{table}` cannot be used")]
    Ledger { table: String, source: LedgerError },
    #[error("the stack `{stack}` cannot be read")]
    Stack { stack: String, source: CallError },
    #[error("cannot tell who you are")]
    Identity(#[source] CallError),
    #[error("AWS does not say who you are")]
    Nobody,
    #[error("there is nobody here who could be asked")]
    NobodyToAsk,
    #[error("the period ends before it begins: since {} until {}", seconds(since), seconds(until))]
    Period { since: DateTime<Utc>, until: DateTime<Utc> },
}

impl Failure {
    /// Whether it is only that the reader of our output has read enough.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NobodyToAsk | Self::Period { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    /// What to do next.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Output(_) | Self::Runtime(_) | Self::Period { .. } => return None,
            Self::Policies { source: PolicyError::Invalid { .. }, .. } => {
                "`countermand policy check` says more about each problem"
            }
            Self::Policies { .. } => "name the folder that holds your `*.cedar` files",
            Self::Schemas(_) => "this build of countermand is broken: report it",
            Self::Settings(_) => "see `countermand incidents --help` for the settings",
            Self::NoRegion => "set --region or AWS_REGION to the region of the deployment",
            Self::Ledger { .. } => {
                "check --table, --region and --profile; your role needs dynamodb:GetItem, Query, Scan and, to undo, \
                 TransactWriteItems' UpdateItem and PutItem on the table"
            }
            Self::Stack { .. } => {
                "check --stack, --region and --profile; your role needs cloudformation:ListStackResources on the stack"
            }
            Self::Identity(source) if source.kind == CallErrorKind::Unanswered => {
                "check the network, and AWS_ENDPOINT_URL if it is set"
            }
            Self::Identity(_) | Self::Nobody => "sign in, for example with `aws sso login`, or name a --profile",
            Self::NobodyToAsk => "look with --dry-run first, then say --yes",
        })
    }
}

fn seconds(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
