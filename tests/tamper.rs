//! The rules that page when somebody tampers with Countermand, made into template-monitoring.yaml and tried with events.

use std::fmt::Write;
use std::fs;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::generated::{read, root};

/// One entry of `tamper.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TamperRule {
    pub(crate) name: String,
    pub(crate) about: String,
    /// The request's parameters that may name what was changed; of a list its first.
    named: Vec<String>,
    pattern: Value,
}

/// The deployment role and the stack that the events are about.
const DEPLOYER: &str = "arn:aws:iam::123456789012:role/deployer";
const STACK: &str = "countermand";

/// Amazon EventBridge User Guide, "Amazon EventBridge quotas": characters of an event pattern.
const LONGEST_PATTERN: usize = 2048;

pub(crate) fn rules() -> Vec<TamperRule> {
    serde_json::from_str(&read("monitoring/tamper.json")).unwrap()
}

/// The rule in the template. What it says is read by people, so nothing but single values of the event is put into it.
pub(crate) fn block(rule: &TamperRule) -> String {
    let TamperRule { name, about, named, pattern } = rule;
    let slug = name.to_lowercase();
    // JSON is YAML.
    let pattern = spread(&deployed(pattern), 2).replace('\n', "\n        ");
    let (mut paths, mut what) = (String::new(), String::new());
    for path in named {
        let field = single(path);
        writeln!(paths, "              {field}: $.detail.requestParameters.{path}").unwrap();
        write!(what, " <{field}>").unwrap();
    }
    format!(
        "
  Tamper{name}:
    Type: AWS::Events::Rule
    Properties:
      Name: !Sub ${{Countermand}}-tamper-{slug}
      Description: Pages when anybody but the deployment role changes {about}.
      EventPattern:
        {pattern}
      Targets:
        - Id: page
          Arn: !Ref Pages
          DeadLetterConfig:
            Arn: !GetAtt UnsentPages.Arn
          RetryPolicy:
            MaximumEventAgeInSeconds: 3600
            MaximumRetryAttempts: 185
          InputTransformer:
            InputPathsMap:
              account: $.account
              region: $.region
              time: $.detail.eventTime
              call: $.detail.eventName
              who: $.detail.userIdentity.arn
              type: $.detail.userIdentity.type
              address: $.detail.sourceIPAddress
              agent: $.detail.userAgent
              refused: $.detail.errorCode
              event: $.detail.eventID
{paths}            InputTemplate: !Sub |-
              \"Somebody who does not deploy ${{Countermand}} changed {about}, or tried to.\"
              \"What: <call>{what}\"
              \"Who: <who> (<type>), from <address> with <agent>\"
              \"Where and when: account <account>, <region>, <time>\"
              \"Refused, unless this is empty: <refused>\"
              \"CloudTrail event: <event>\"
              \"What to do: docs/runbook.md, When the tool is attacked\"
"
    )
}

/// The parameter's name without the index.
fn single(path: &str) -> &str {
    path.trim_end_matches("[0]")
}

/// JSON, which is YAML too, with a line for each field of the outer objects.
fn spread(value: &Value, levels: usize) -> String {
    match value {
        Value::Object(fields) if levels > 0 => {
            let line = |(name, inner): (&String, &Value)| {
                format!("  \"{name}\": {}", spread(inner, levels - 1).replace('\n', "\n  "))
            };
            let lines: Vec<String> = fields.iter().map(line).collect();
            format!("{{\n{}\n}}", lines.join(",\n"))
        }
        _ => value.to_string(),
    }
}

/// The pattern with its placeholders as CloudFormation's functions.
fn deployed(pattern: &Value) -> Value {
    match pattern {
        Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(parameter) if !parameter.contains('$') => json!({ "Ref": parameter }),
            _ if text.contains("${") => json!({ "Fn::Sub": text }),
            _ => pattern.clone(),
        },
        Value::Array(items) => items.iter().map(deployed).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), deployed(value))).collect(),
        _ => pattern.clone(),
    }
}

/// The pattern as EventBridge gets it, for one stack and one deployment role.
fn filled_in(rule: &TamperRule) -> Value {
    let text = serde_json::to_string(&rule.pattern).unwrap();
    let deployers = json!([DEPLOYER]).to_string();
    let text = text.replace("\"${DeploymentRoleArns}\"", &deployers).replace("${Countermand}", STACK);
    assert!(!text.contains("${"), "a placeholder is left in {text}");
    serde_json::from_str(&text).unwrap()
}

fn matching(event: &Value) -> Vec<String> {
    let matches = |rule: &TamperRule| {
        stage::pattern::matches(&filled_in(rule), event)
            .unwrap_or_else(|error| panic!("{} has no valid pattern: {error}", rule.name))
    };
    rules().iter().filter(|rule| matches(rule)).map(|rule| rule.name.clone()).collect()
}

/// The events of a folder, each with its file's name.
fn events(folder: &str) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir(root().join("monitoring/tamper").join(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().unwrap().keys().map(String::as_str)
}

/// `event` as made by a session of this role.
fn by_role(event: &Value, role: &str) -> Value {
    let mut event = event.clone();
    event["detail"]["userIdentity"] = json!({
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEROLE:session",
        "arn": "arn:aws:sts::123456789012:assumed-role/somebody/session",
        "accountId": "123456789012",
        "accessKeyId": "ASIAEXAMPLEKEY",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEROLE",
                "arn": role,
                "accountId": "123456789012",
                "userName": "somebody",
            },
            "attributes": { "creationDate": "2026-11-22T06:00:00Z", "mfaAuthenticated": "false" },
        },
    });
    event
}

#[test]
fn tampering_pages_by_one_rule_whoever_does_it() {
    let kinds = [
        json!({ "type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory", "accountId": "123456789012" }),
        json!({ "type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012" }),
        json!({ "type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory", "accountId": "123456789012",
            "sessionContext": { "attributes": { "creationDate": "2026-11-22T06:00:00Z", "mfaAuthenticated": "true" } } }),
    ];
    for (file, event) in events("match") {
        let rule = file.split('-').next().unwrap().to_owned();
        assert_eq!(matching(&event), [rule.as_str()], "{file}");
        for identity in &kinds {
            let mut event = event.clone();
            event["detail"]["userIdentity"] = identity.clone();
            assert_eq!(matching(&event), [rule.as_str()], "{file} by {identity}");
        }
        for role in ["arn:aws:iam::123456789012:role/deployer2", "arn:aws:iam::999999999999:role/deployer"] {
            assert_eq!(matching(&by_role(&event, role)), [rule.as_str()], "{file} by {role}");
        }
    }
}

#[test]
fn what_the_deployment_role_does_pages_nobody() {
    for (file, event) in events("match") {
        assert_eq!(matching(&by_role(&event, DEPLOYER)), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn what_is_no_tampering_pages_nobody() {
    let events = events("ignore");
    assert!(events.len() >= 5, "{events:#?}");
    for (file, event) in events {
        assert_eq!(matching(&event), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn every_rule_and_every_way_to_name_a_thing_has_an_event() {
    let events = events("match");
    for rule in rules() {
        let of_rule: Vec<&Value> = events
            .iter()
            .filter(|(file, _)| file.starts_with(&format!("{}-", rule.name)))
            .map(|(_, event)| event)
            .collect();
        for field in &rule.named {
            let named = of_rule.iter().any(|event| event["detail"]["requestParameters"].get(single(field)).is_some());
            assert!(named, "no event of {} has requestParameters.{field}", rule.name);
        }
        let requests = &rule.pattern["detail"]["requestParameters"];
        let mut asked: Vec<&str> = match requests.get("$or") {
            Some(Value::Array(branches)) => branches.iter().flat_map(keys).collect(),
            _ => keys(requests).collect(),
        };
        let mut named: Vec<&str> = rule.named.iter().map(|path| single(path)).collect();
        asked.sort_unstable();
        named.sort_unstable();
        assert_eq!(asked, named, "{} does not tell what it looks for", rule.name);
    }
}

#[test]
fn a_pattern_is_short_enough_for_eventbridge() {
    for rule in rules() {
        let mut text = serde_json::to_string(&rule.pattern).unwrap();
        // The longest name of a stack, and five roles of the longest name.
        let role = format!("arn:aws-us-gov:iam::123456789012:role/{}", "r".repeat(64));
        text = text.replace("${Countermand}", &"s".repeat(20));
        text = text.replace("\"${DeploymentRoleArns}\"", &serde_json::to_string(&vec![role; 5]).unwrap());
        assert!(text.len() <= LONGEST_PATTERN, "{} has {} characters", rule.name, text.len());
    }
}
