//! The command line.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::incidents::Filter;
use crate::output::Format;
use crate::{backtest, baseline, demo, dlq, doctor, explain, policies, reconcile, report};

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing to do, or done
  1  failed, if only in part
  2  the command was not understood
  3  findings that would be acted on (explain, backtest), or events that were missed (reconcile --dry-run)";

/// Undoes dangerous changes in AWS accounts seconds after they are made.
#[derive(Debug, Clone, Parser)]
#[command(name = "countermand", version, after_help = EXIT_CODES, max_term_width = 120)]
pub(crate) struct Cli {
    /// For whom the results are: a person, or a program that reads one JSON object a line
    #[arg(long, global = true, value_enum, default_value = "human", hide_possible_values = true)]
    #[arg(value_name = "human|json")]
    pub(crate) format: Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// List the responders: what they fire on, what they do, how it is undone, what they may
    Responders,
    /// List which techniques of MITRE ATT&CK and Stratus Red Team and which controls the responders answer
    Coverage,
    /// Say what would be done about an event, and why; needs no AWS
    Explain(explain::Args),
    /// Say what would have been done about the events in CloudTrail's log files, on a disk or in Amazon S3
    Backtest(backtest::Args),
    /// Work with policies
    #[command(subcommand)]
    Policy(policies::Command),
    /// Say how resources should be, for responders that put them back
    #[command(subcommand)]
    Baseline(baseline::Command),
    /// Look at what was done in your accounts, and take it back
    #[command(subcommand)]
    Incidents(Incidents),
    /// Hand the functions what CloudTrail recorded and they were not given: its delivery is on best effort
    Reconcile(reconcile::Args),
    /// Look at the events that no function could deal with, and hand them to their functions again
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// Say what in an account or a deployment keeps Countermand from working, and how to mend it; changes nothing
    Doctor(doctor::Args),
    /// Report on a period: a page to read and print, CSV or JSON
    Report(report::Args),
    /// Play an attack against an emulated account, and watch it being undone
    Demo(demo::Args),
    /// Print a script that completes this command in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Incidents {
    /// List incidents, newest first
    List(List),
    /// Tell the whole story of an incident
    Show {
        /// The incident's id, or a beginning of it that no other id has
        id: String,
        /// Show what its resource and its actor did around the event too, from CloudWatch and CloudTrail
        #[arg(long)]
        metrics: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Let happen what waits for a person; the function looks again before it acts
    Approve(Answer),
    /// Let stay what was done under a lease, which would be taken back by itself
    Confirm(Answer),
    /// Leave as it is what waits for a person
    Reject(Answer),
    /// Take back what was changed, with your own AWS credentials
    ///
    /// Say which incidents: by their ids, or by filters, which mean what `incidents list` shows with the same ones. You
    /// see what would be done and are asked once. Newer incidents are undone before older ones; one that fails, or whose
    /// resource is no longer as we left it, does not keep the others from being undone. The same command again goes on
    /// with what is left.
    Undo(Undo),
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Answer {
    /// The incident's id, or a beginning of it that no other id has
    pub(crate) id: String,
    /// Why; kept in the ledger with your name
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Where the ledger is, and who asks.
#[derive(Debug, Clone, clap::Args)]
#[command(
    next_help_heading = "AWS (endpoints come from AWS_ENDPOINT_URL, credentials from where the AWS CLI finds them)"
)]
pub(crate) struct Connection {
    /// The name or ARN of the ledger's DynamoDB table: the stack's output `Ledger`
    #[arg(long, env = "COUNTERMAND_TABLE")]
    pub(crate) table: String,
    /// The profile in your AWS configuration
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The region of the ledger's table
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// Where the deployment is, and who asks.
#[derive(Debug, Clone, clap::Args)]
#[command(
    next_help_heading = "AWS (endpoints come from AWS_ENDPOINT_URL, credentials from where the AWS CLI finds them)"
)]
pub(crate) struct Place {
    /// The name of the deployment's CloudFormation stack
    #[arg(long, env = "COUNTERMAND_STACK", default_value = "countermand", value_name = "NAME")]
    pub(crate) stack: String,
    /// The profile in your AWS configuration
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The region of the deployment
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct List {
    /// The newest so many
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Clone, clap::Args)]
#[command(override_usage = "\
    countermand incidents undo [OPTIONS] --table <TABLE> <ID>...
       countermand incidents undo [OPTIONS] --table <TABLE> <FILTERS>")]
pub(crate) struct Undo {
    /// Incidents' ids, or beginnings of them that no other ids have; instead of filters
    #[arg(value_name = "ID", required_unless_present = "Filter", conflicts_with = "Filter")]
    pub(crate) ids: Vec<String>,
    /// Only show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Undo even where the account is no longer as we left it
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// The name of the role to take, with your credentials, in the account of each incident that is not of your own
    #[arg(long, value_name = "NAME")]
    pub(crate) role: Option<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
