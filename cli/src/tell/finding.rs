//! An incident in the AWS Security Finding Format.
//!
//! Source for all of it: AWS Security Hub User Guide, "AWS Security Finding Format (ASFF)", required and optional attributes,
//! and its API Reference, `AwsSecurityFinding`, for the lengths.

use std::fmt::Write;

use aws_sdk_securityhub::types::{
    AwsSecurityFinding, FindingProviderFields, FindingProviderSeverity, Partition, Recommendation, RecordState,
    Remediation, Resource, Severity, SeverityLabel,
};
use chrono::{DateTime, SecondsFormat, Utc};
use cloudtrail::Arn;
use hostile_text::blanked;
use lambda::{Written, headline, next_steps, who};
use remedy::Incident;

use super::is_exposed;

/// The longest texts, in characters.
const TITLE: usize = 256;
const DESCRIPTION: usize = 1024;
const RECOMMENDATION: usize = 512;
const FIELD: usize = 2048;

/// "Types": namespace, category.
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Before the responder's name in a finding's `GeneratorId`, and before the incident's id in its `Id`.
pub(super) const OURS: &str = "countermand/";

/// The same for every state of an incident, so that each updates the one before.
pub(super) fn id(incident: &Incident) -> String {
    format!("{OURS}{}/{}/{}", incident.account, incident.region, incident.id)
}

/// The finding, for the hub that the product is of.
///
/// `BatchImportFindings` takes findings of its caller's account only, so that is whose it is; where the incident happened is
/// in its resource and its fields.
///
/// Whether the exposure is there is said by `RecordState`, which is the provider's. `Workflow` is not set: it is what people
/// say about a finding, and `BatchImportFindings` cannot change it later anyway. Security Hub itself makes it `NEW` again
/// when what was archived becomes active, as it does by an undo (its User Guide, "`BatchImportFindings` for finding providers"
/// and "Setting the workflow status of findings"). `Compliance` is for controls.
pub(super) fn finding(Written { incident, home, at, .. }: &Written, product: &Arn) -> AwsSecurityFinding {
    let label = SeverityLabel::from(incident.severity.label());
    let provided = FindingProviderSeverity::builder().label(label.clone()).build();
    let steps: Vec<_> =
        next_steps(incident, home.as_ref()).iter().map(|it| format!("{}: {}", it.what, it.command)).collect();
    let recommended = Recommendation::builder().text(blanked(&steps.join(". "), RECOMMENDATION - 1)).build();
    let title = format!("{} on {} in {}", incident.responder, incident.resource.arn.name(), incident.account);
    let record_state = if is_exposed(incident) { RecordState::Active } else { RecordState::Archived };
    let mut finding = AwsSecurityFinding::builder()
        .schema_version("2018-10-08")
        .id(id(incident))
        .product_arn(product.as_str())
        .product_name("Countermand")
        .company_name("Countermand")
        .generator_id(format!("{OURS}{}", incident.responder))
        .set_aws_account_id(product.account().map(|account| account.to_string()))
        .types(TYPE)
        .created_at(instant(incident.opened))
        .updated_at(instant(*at))
        .set_first_observed_at(incident.event_time.map(instant))
        .severity(Severity::builder().label(label).build())
        .finding_provider_fields(FindingProviderFields::builder().severity(provided).types(TYPE).build())
        .title(blanked(&title, TITLE - 1))
        .description(description(incident))
        .remediation(Remediation::builder().recommendation(recommended).build())
        .record_state(record_state)
        .resources(resource(incident));
    for (name, value) in fields(incident) {
        finding = finding.product_fields(format!("{OURS}{name}"), blanked(&value, FIELD - 1));
    }
    finding.build()
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Each value is cut by itself, so that none pushes out what comes after it.
fn description(incident: &Incident) -> String {
    let text = format!(
        "{} Who: {}. Did: {}. Decided: {}, {}. {}",
        headline(incident),
        blanked(&who(incident), 180),
        blanked(&incident.event_name, 80),
        blanked(&incident.verdict, 20),
        blanked(&incident.because, 200),
        changed(incident),
    );
    blanked(&text, DESCRIPTION - 1)
}

fn changed(incident: &Incident) -> String {
    let did: Vec<_> = incident.receipt.iter().take(2).map(|entry| blanked(&entry.did, 110)).collect();
    let mut text =
        if did.is_empty() { "Nothing was changed.".to_owned() } else { format!("Changed: {}", did.join("; ")) };
    // Writing to a string does not fail.
    let _ = match incident.receipt.len().saturating_sub(did.len()) {
        0 => Ok(()),
        more => write!(text, "; and {more} more"),
    };
    let _ = match (&incident.undone, incident.answer.as_ref().filter(|answer| !answer.approved)) {
        (Some(undone), _) => write!(text, ". Undone by {}", blanked(&undone.by, 100)),
        (None, Some(answer)) => write!(text, " Rejected by {}", blanked(&answer.by, 100)),
        (None, None) if did.is_empty() => Ok(()),
        (None, None) => write!(text, ". Undo: countermand incidents undo {}", incident.id),
    };
    text
}

fn resource(incident: &Incident) -> Resource {
    let arn = &incident.resource.arn;
    Resource::builder()
        .r#type(kind(incident.resource.kind.as_str(), arn))
        .id(blanked(arn.as_str(), 511))
        .partition(Partition::from(arn.as_str().split(':').nth(1).unwrap_or("aws")))
        .region(arn.region().unwrap_or_else(|| incident.region.clone()).as_str())
        .build()
}

/// The format's name of a kind of resource; `Other` for what it has none. Source: the same guide, "Resources ASFF object".
fn kind(kind: &str, arn: &Arn) -> &'static str {
    match kind {
        "Account" | "Root" => "AwsAccount",
        "Bucket" => "AwsS3Bucket",
        "Function" => "AwsLambdaFunction",
        "Group" => "AwsIamGroup",
        "Key" => "AwsKmsKey",
        "LayerVersion" => "AwsLambdaLayerVersion",
        "ManagedPolicy" => "AwsIamPolicy",
        "Role" => "AwsIamRole",
        "SecurityGroup" => "AwsEc2SecurityGroup",
        "Snapshot" if arn.resource().starts_with("snapshot:") => "AwsRdsDbSnapshot",
        "Snapshot" if arn.resource().starts_with("cluster-snapshot:") => "AwsRdsDbClusterSnapshot",
        "Trail" => "AwsCloudTrailTrail",
        "User" => "AwsIamUser",
        _ => "Other",
    }
}

/// What whoever searches in Security Hub wants to find by.
fn fields(incident: &Incident) -> Vec<(&'static str, String)> {
    let policies: Vec<_> = incident.policies.iter().map(|cause| cause.id.as_str()).collect();
    vec![
        ("incident", incident.id.to_string()),
        ("state", incident.state.to_string()),
        ("account", incident.account.to_string()),
        ("region", incident.region.to_string()),
        ("actor", who(incident)),
        ("event", incident.event_name.clone()),
        ("eventId", incident.event_id.to_string()),
        ("verdict", incident.verdict.clone()),
        ("because", incident.because.clone()),
        ("policies", policies.join(", ")),
    ]
    .into_iter()
    .filter(|(_, value)| !value.trim().is_empty())
    .collect()
}
