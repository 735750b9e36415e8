//! Whether a trail records what the responders wait for.
//!
//! EventBridge is given the management events that some trail of the account logs (Amazon EventBridge User Guide, "AWS
//! service events delivered via AWS CloudTrail"). Of a trail count: that it is logging, that it sees this region, and that
//! its selectors let write events of the service through.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType, Trail};
use lambda::call_error;
use remedy::CallError;
use serde_json::Value;

use super::Scene;
use super::check::{Check, CheckResult};
use super::template::{self, Rule};

const NAME: &str = "trail";

const FIX: &str = "aws cloudtrail create-trail --name management --s3-bucket-name BUCKET --is-multi-region-trail, then \
                   aws cloudtrail start-logging --name management; a new trail logs all management events";

const STOPPED: &str = "is stopped";

/// A service whose events the responders wait for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// `ec2.amazonaws.com`
    source: String,
    /// Whether its events arrive in one region of the partition only.
    global: bool,
}

/// What a trail was found to log.
struct Heard {
    name: String,
    sources: BTreeSet<Wanted>,
    /// Why it logs nothing that we wait for.
    silent: Option<&'static str>,
}

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let wanted: BTreeSet<Wanted> = template::rules().iter().flat_map(wanted_by).collect();
    let trails = match trails(scene).await {
        Ok(trails) => trails,
        Err(error) => return vec![Check::unknown(NAME, &error)],
    };
    let (mut heard, mut unknown) = (Vec::new(), Vec::new());
    for trail in &trails {
        match listen(scene, trail, &wanted).await {
            Ok(one) => heard.push(one),
            Err(error) => unknown.push(Check::unknown(NAME, &error)),
        }
    }
    let judged = judge(&wanted, &heard);
    // What one trail is not known to log, another may log.
    if judged.result == CheckResult::Ok || unknown.is_empty() { vec![judged] } else { unknown }
}

fn judge(wanted: &BTreeSet<Wanted>, heard: &[Heard]) -> Check {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|source| !heard.iter().any(|trail| trail.sources.contains(source)))
        .map(|wanted| wanted.source.as_str())
        .collect();
    if missing.is_empty() {
        let names = heard.iter().filter(|trail| !trail.sources.is_empty()).map(|trail| trail.name.as_str());
        let names: Vec<&str> = names.collect();
        return Check::ok(NAME, format!("write management events are logged by {}", names.join(", ")));
    }
    let reason = |trail: &Heard| trail.silent.map(|why| format!("{} {why}", trail.name));
    let reasons: Vec<String> = heard.iter().filter_map(reason).collect();
    let why = if heard.is_empty() { "there is no trail".to_owned() } else { reasons.join("; ") };
    let stopped = heard.iter().find(|trail| trail.silent == Some(STOPPED));
    let fix =
        stopped.map_or_else(|| FIX.to_owned(), |trail| format!("aws cloudtrail start-logging --name {}", trail.name));
    Check::failed(NAME, format!("no trail logs write events of {}: {why}", missing.join(", ")), fix)
}

/// A service without regions.
const IAM: &str = "iam.amazonaws.com";

/// The services that a rule waits for.
fn wanted_by(rule: &Rule) -> Vec<Wanted> {
    fn find(pattern: &Value, found: &mut Vec<String>) {
        match pattern {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::Array(sources) if key == "eventSource" => {
                            found.extend(sources.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => find(value, found),
                    }
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| find(part, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    find(&rule.pattern, &mut found);
    // A regional rule may ask for IAM's events beside those of services that have regions.
    let wanted = |source: String| Wanted { global: rule.global || source == IAM, source };
    found.into_iter().map(wanted).collect()
}

async fn trails(scene: &Scene) -> Result<Vec<Trail>, CallError> {
    let answer = Client::new(&scene.config).describe_trails().include_shadow_trails(true).send().await;
    Ok(answer.map_err(|error| call_error("cloudtrail:DescribeTrails", error))?.trail_list.unwrap_or_default())
}

async fn listen(scene: &Scene, trail: &Trail, wanted: &BTreeSet<Wanted>) -> Result<Heard, CallError> {
    let name = trail.name().unwrap_or_default().to_owned();
    let silent = |name, why| Ok(Heard { name, sources: BTreeSet::new(), silent: Some(why) });
    let home = trail.home_region().unwrap_or(scene.region.as_str());
    let everywhere = trail.is_multi_region_trail() == Some(true);
    if !everywhere && home != scene.region.as_str() {
        return silent(name, "is of another region only");
    }
    let client = Client::new(&lambda::in_region(&scene.config, home));
    let arn = trail.trail_arn().unwrap_or_default();
    let status = client.get_trail_status().name(arn).send().await;
    if status.map_err(|error| call_error("cloudtrail:GetTrailStatus", error))?.is_logging() != Some(true) {
        return silent(name, STOPPED);
    }
    let selectors = client.get_event_selectors().trail_name(arn).send().await;
    let selectors = selectors.map_err(|error| call_error("cloudtrail:GetEventSelectors", error))?;
    let logs = |wanted: &&Wanted| {
        let sees = everywhere || !wanted.global || trail.include_global_service_events() == Some(true);
        sees && logs(selectors.event_selectors(), selectors.advanced_event_selectors(), &wanted.source)
    };
    let sources: BTreeSet<Wanted> = wanted.iter().filter(logs).cloned().collect();
    if sources.is_empty() {
        return silent(name, "logs no write management events");
    }
    let silent = (sources.len() < wanted.len()).then_some("logs only some services' events");
    Ok(Heard { name, sources, silent })
}

/// Whether the selectors let a service's write management events through. A trail without any logs all management events
/// (AWS CloudTrail API Reference, `PutEventSelectors`).
fn logs(basic: &[EventSelector], advanced: &[AdvancedEventSelector], source: &str) -> bool {
    let by_basic = |selector: &EventSelector| {
        selector.include_management_events() != Some(false)
            && selector.read_write_type() != Some(&ReadWriteType::ReadOnly)
            && !selector.exclude_management_event_sources().iter().any(|excluded| excluded == source)
    };
    let by_advanced = |selector: &AdvancedEventSelector| {
        let field = |name: &str| selector.field_selectors().iter().find(|field| field.field() == name);
        let is_management = field("eventCategory").is_some_and(|field| lets_through(field, "Management"));
        is_management
            && selector.field_selectors().iter().all(|field| match field.field() {
                "eventCategory" => true,
                "readOnly" => lets_through(field, "false"),
                "eventSource" => lets_through(field, source),
                // What is left out by another field may be just what we wait for; what is named is only that.
                _ => field.equals().is_empty() && field.starts_with().is_empty() && field.ends_with().is_empty(),
            })
    };
    (basic.is_empty() && advanced.is_empty()) || basic.iter().any(by_basic) || advanced.iter().any(by_advanced)
}

/// AWS CloudTrail API Reference, `AdvancedFieldSelector`.
fn lets_through(field: &AdvancedFieldSelector, value: &str) -> bool {
    let any = |patterns: &[String], matches: &dyn Fn(&str) -> bool| patterns.iter().any(|pattern| matches(pattern));
    let (is, starts, ends) = (
        |pattern: &str| value == pattern,
        |pattern: &str| value.starts_with(pattern),
        |pattern: &str| value.ends_with(pattern),
    );
    let named = [any(field.equals(), &is), any(field.starts_with(), &starts), any(field.ends_with(), &ends)];
    let names_none = field.equals().is_empty() && field.starts_with().is_empty() && field.ends_with().is_empty();
    let left_out =
        any(field.not_equals(), &is) || any(field.not_starts_with(), &starts) || any(field.not_ends_with(), &ends);
    !left_out && (names_none || named.contains(&true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC2: &str = "ec2.amazonaws.com";

    fn basic() -> aws_sdk_cloudtrail::types::builders::EventSelectorBuilder {
        EventSelector::builder().include_management_events(true).read_write_type(ReadWriteType::All)
    }

    fn advanced(fields: &[AdvancedFieldSelector]) -> Vec<AdvancedEventSelector> {
        vec![AdvancedEventSelector::builder().set_field_selectors(Some(fields.to_vec())).build().unwrap()]
    }

    fn field(name: &str) -> aws_sdk_cloudtrail::types::builders::AdvancedFieldSelectorBuilder {
        AdvancedFieldSelector::builder().field(name)
    }

    #[test]
    fn basic_selectors_must_let_writes_through() {
        assert!(logs(&[], &[], EC2), "a trail without selectors logs management events");
        assert!(logs(&[basic().build()], &[], EC2));
        assert!(logs(&[basic().read_write_type(ReadWriteType::WriteOnly).build()], &[], EC2));
        assert!(!logs(&[basic().read_write_type(ReadWriteType::ReadOnly).build()], &[], EC2));
        assert!(!logs(&[basic().include_management_events(false).build()], &[], EC2));
        let without_kms = [basic().exclude_management_event_sources("kms.amazonaws.com").build()];
        assert!(logs(&without_kms, &[], EC2) && !logs(&without_kms, &[], "kms.amazonaws.com"));
    }

    #[test]
    fn advanced_selectors_must_let_writes_through() {
        let management = field("eventCategory").equals("Management").build().unwrap();
        let data = field("eventCategory").equals("Data").build().unwrap();
        let with = |more: AdvancedFieldSelector| advanced(&[management.clone(), more]);
        assert!(logs(&[], &advanced(std::slice::from_ref(&management)), EC2));
        assert!(!logs(&[], &advanced(&[data]), EC2));
        assert!(logs(&[], &with(field("readOnly").equals("false").build().unwrap()), EC2));
        assert!(!logs(&[], &with(field("readOnly").equals("true").build().unwrap()), EC2));
        let no_kms = with(field("eventSource").not_equals("kms.amazonaws.com").build().unwrap());
        assert!(logs(&[], &no_kms, EC2) && !logs(&[], &no_kms, "kms.amazonaws.com"));
        let only_ec2 = with(field("eventSource").starts_with("ec2.").build().unwrap());
        assert!(logs(&[], &only_ec2, EC2) && !logs(&[], &only_ec2, "iam.amazonaws.com"));
        assert!(!logs(&[], &with(field("eventName").equals("RunInstances").build().unwrap()), EC2));
    }

    #[test]
    fn a_trail_that_is_stopped_is_to_be_started_and_not_made_again() {
        let wanted = BTreeSet::from([Wanted { source: EC2.to_owned(), global: false }]);
        let heard = |why| Heard { name: "main".to_owned(), sources: BTreeSet::new(), silent: Some(why) };
        let fix = |heard: &[Heard]| judge(&wanted, heard).fix.unwrap();
        assert_eq!(fix(&[heard(STOPPED)]), "aws cloudtrail start-logging --name main");
        assert!(fix(&[]).starts_with("aws cloudtrail create-trail"));
        assert!(fix(&[heard("is of another region only")]).starts_with("aws cloudtrail create-trail"));
    }

    #[test]
    fn the_responders_services_are_those_of_their_patterns() {
        let wanted: Vec<Wanted> = template::rules().iter().flat_map(wanted_by).collect();
        let of = |source: &str| wanted.iter().find(|wanted| wanted.source == source).map(|wanted| wanted.global);
        assert_eq!((of(EC2), of("iam.amazonaws.com")), (Some(false), Some(true)));
    }
}
