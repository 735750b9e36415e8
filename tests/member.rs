//! `stacksets/member.yaml`: what it forwards and what its role may, made from the folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};
use stage::pattern;

use crate::folders::{By, Folder, Permission, Rule, Scope};
use crate::generated::{check, read, with_section};

const PATH: &str = "stacksets/member.yaml";

/// EventBridge takes so many characters of a pattern. Source: Amazon EventBridge User Guide, "Amazon EventBridge quotas".
const LONGEST_PATTERN: usize = 2_048;

/// IAM takes so many characters of a managed policy, not counting white space, and ten such policies of a role. Source: IAM
/// User Guide, "IAM and AWS STS quotas".
const LARGEST_POLICY: usize = 6_144;
const POLICIES: usize = 10;

#[test]
fn the_member_stack_forwards_what_responders_await_and_allows_what_they_may() {
    let folders = Folder::all();
    let (mut names, mut arns, mut rules) = (String::new(), String::new(), String::new());
    for Forward { id, scope, pattern } in forwards(&folders) {
        let arn = match scope {
            Scope::Regional => format!("!GetAtt {id}.Arn"),
            Scope::Global => format!("!If [ForwardsGlobalEvents, !GetAtt {id}.Arn, !Ref AWS::NoValue]"),
        };
        writeln!(arns, "                  - {arn}").unwrap();
        rules.push_str(&rule(&id, scope, &pattern));
    }
    let mut access = String::new();
    for (number, part) in (1..).zip(packed(&folders)) {
        writeln!(names, "        - !Ref Access{number}").unwrap();
        access.push_str(&policy(number, &part));
    }
    let text = read(PATH);
    let text = with_section(&text, "# >>> policies", "# <<<", &names);
    let text = with_section(&text, "# >>> access", "# <<< access", &access);
    let text = with_section(&text, "# >>> rules", "# <<<", &arns);
    let text = with_section(&text, "# >>> forwarding", "# <<< forwarding", &rules);
    check(PATH, &text);
}

/// A rule that hands events to the hub.
struct Forward {
    id: String,
    scope: Scope,
    pattern: Value,
}

/// As few rules as the length of a pattern permits.
fn forwards(folders: &[Folder]) -> Vec<Forward> {
    let mut forwards = Vec::new();
    for (scope, name) in [(Scope::Regional, "Forward"), (Scope::Global, "ForwardGlobal")] {
        let of_scope =
            |folder: &Folder| -> Vec<Rule> { folder.rules().into_iter().filter(|rule| rule.scope == scope).collect() };
        let patterns = folders.iter().flat_map(|folder| {
            of_scope(folder).into_iter().map(|rule| folder.json::<Value>(&rule.file)).collect::<Vec<_>>()
        });
        let (calls, others): (Vec<_>, Vec<_>) = patterns.partition(is_of_calls);
        let parts = split(&calls, union).into_iter().chain(split(&others, any_of));
        for (number, pattern) in (1..).zip(parts) {
            forwards.push(Forward { id: format!("{name}{number}"), scope, pattern });
        }
    }
    forwards
}

/// Patterns put together, each time as many as one rule takes.
fn split(patterns: &[Value], together: impl Fn(&[Value]) -> Value) -> Vec<Value> {
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    for pattern in patterns {
        part.push(pattern.clone());
        if together(&part).to_string().len() > LONGEST_PATTERN {
            part.pop();
            parts.push(together(&part));
            part = vec![pattern.clone()];
        }
    }
    if !part.is_empty() {
        parts.push(together(&part));
    }
    parts
}

/// Whether a pattern is of successful calls by their names, and of nothing else.
fn is_of_calls(pattern: &Value) -> bool {
    let known = json!({"source": 0, "detail-type": 0, "detail": {"eventSource": 0, "eventName": 0, "errorCode": 0}});
    let keys = |value: &Value| value.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
    keys(pattern) == keys(&known)
        && keys(&pattern["detail"]) == keys(&known["detail"])
        && pattern["detail-type"] == json!([{ "suffix": "via CloudTrail" }])
        && pattern["detail"]["errorCode"] == json!([{ "exists": false }])
}

/// Every one of the sources with every one of the names: a name that two services have is forwarded of both.
fn union(patterns: &[Value]) -> Value {
    let all = |pointer: &str| -> BTreeSet<String> {
        let values = patterns.iter().flat_map(|pattern| pattern.pointer(pointer).unwrap().as_array().unwrap());
        values.map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    json!({
        "source": all("/source"),
        "detail-type": [{ "suffix": "via CloudTrail" }],
        "detail": {
            "eventSource": all("/detail/eventSource"),
            "eventName": all("/detail/eventName"),
            "errorCode": [{ "exists": false }],
        },
    })
}

fn any_of(patterns: &[Value]) -> Value {
    let each = patterns.iter().flat_map(|pattern| match pattern.get("$or") {
        Some(Value::Array(inner)) => inner.clone(),
        _ => vec![pattern.clone()],
    });
    json!({ "$or": each.collect::<Vec<_>>() })
}

fn rule(id: &str, scope: Scope, pattern: &Value) -> String {
    let (condition, about) = match scope {
        Scope::Regional => ("Forwards", "Forwards what responders await."),
        Scope::Global => ("ForwardsGlobalEvents", "Forwards what responders await of global services."),
    };
    let pattern = serde_json::to_string_pretty(pattern).unwrap().replace('\n', "\n        ");
    format!(
        "
  {id}:
    Type: AWS::Events::Rule
    Condition: {condition}
    Properties:
      Description: {about}
      EventPattern:
        {pattern}
      Targets:
        - Id: hub
          Arn: !Sub arn:${{AWS::Partition}}:events:${{HubRegion}}:${{HubAccountId}}:event-bus/default
          RoleArn: !Sub arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/${{MemberRole}}-forward
          DeadLetterConfig:
            Arn: !GetAtt Unforwarded.Arn
          RetryPolicy:
            MaximumEventAgeInSeconds: 3600
            MaximumRetryAttempts: 185
"
    )
}

/// What sessions of one responder may, on one kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    responder: String,
    /// Whether it takes an incident to do it.
    writes: bool,
    resource: String,
    actions: BTreeSet<String>,
}

fn statements(folder: &Folder) -> Vec<Statement> {
    let mut found = BTreeMap::<(bool, String), BTreeSet<String>>::new();
    for permission in folder.permissions(By::Function) {
        let writes = !permission.looks();
        let Permission { action, resource, .. } = permission;
        found.entry((writes, resource)).or_default().insert(action);
    }
    let statement =
        |((writes, resource), actions)| Statement { responder: folder.name.clone(), writes, resource, actions };
    found.into_iter().map(statement).collect()
}

/// In as few policies as their size permits.
fn packed(folders: &[Folder]) -> Vec<Vec<Statement>> {
    let mut parts: Vec<Vec<Statement>> = vec![Vec::new()];
    for statement in folders.iter().flat_map(statements) {
        let part = parts.last().unwrap();
        if !part.is_empty() && size(part) + size(std::slice::from_ref(&statement)) > LARGEST_POLICY {
            parts.push(Vec::new());
        }
        parts.last_mut().unwrap().push(statement);
    }
    assert!(parts.len() <= POLICIES, "{} policies are too many for a role", parts.len());
    parts
}

/// At most so many characters, wherever it is deployed.
fn size(statements: &[Statement]) -> usize {
    let frame = r#"{"Version":"2012-10-17","Statement":[]}"#.len();
    let statement = |Statement { responder, writes, resource, actions }: &Statement| {
        let resource = resource.replace("${Partition}", "aws-us-gov").replace("${Region}", "*");
        let mut condition = json!({"StringEquals": {"aws:PrincipalTag/countermand-responder": responder}});
        if *writes {
            condition["Null"] = json!({"aws:PrincipalTag/countermand-incident": "false"});
        }
        let statement = json!({"Effect": "Allow", "Action": actions, "Condition": condition,
            "Resource": resource.replace("${Account}", "123456789012")});
        statement.to_string().len() + 1
    };
    frame + statements.iter().map(statement).sum::<usize>()
}

fn policy(number: usize, statements: &[Statement]) -> String {
    let mut text = format!(
        "
  Access{number}:
    Type: AWS::IAM::ManagedPolicy
    Condition: IsHome
    Properties:
      Description: What each responder of Countermand may look at and change in this account.
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
"
    );
    for Statement { responder, writes, resource, actions } in statements {
        text.push_str("          - Effect: Allow\n            Action:\n");
        for action in actions {
            writeln!(text, "              - {action}").unwrap();
        }
        // One role is for all regions.
        let arn = resource.replace("${Partition}", "${AWS::Partition}").replace("${Region}", "*");
        let arn = arn.replace("${Account}", "${AWS::AccountId}");
        let resource = if resource == "*" { "\"*\"".to_owned() } else { format!("!Sub {arn}") };
        write!(
            text,
            "            Resource: {resource}\n            Condition:\n              StringEquals:\n                \
             aws:PrincipalTag/countermand-responder: {responder}\n"
        )
        .unwrap();
        if *writes {
            text.push_str(
                "              \"Null\":\n                aws:PrincipalTag/countermand-incident: \"false\"\n",
            );
        }
    }
    text
}

#[test]
fn every_event_that_a_responder_awaits_is_forwarded_where_it_arrives() {
    let folders = Folder::all();
    let forwards = forwards(&folders);
    for folder in &folders {
        for (file, event) in folder.events("match") {
            for rule in folder.rules() {
                if !pattern::matches(&folder.json(&rule.file), &event).unwrap() {
                    continue;
                }
                let mut found = forwards.iter().filter(|it| it.scope == rule.scope);
                let forwarded = found.any(|it| pattern::matches(&it.pattern, &event).unwrap());
                assert!(forwarded, "{} of {} is not forwarded: {file}", rule.file, folder.name);
            }
        }
    }
}

/// Members send the events of global services to the hub's region, which need not be the one in which they arise.
#[test]
fn a_hub_has_the_rules_of_global_events_in_every_region() {
    let template = read("template.yaml");
    let (_, condition) = template.split_once("  GlobalEventsArriveHere: !Or\n").unwrap();
    assert_eq!(condition.lines().next(), Some("    - Condition: ManyAccounts"));
}

#[test]
fn only_events_of_aws_services_are_forwarded_and_each_pattern_is_short_enough() {
    let folders = Folder::all();
    for Forward { id, pattern, .. } in forwards(&folders) {
        assert!(pattern.to_string().len() <= LONGEST_PATTERN, "{id}");
        for (file, event) in folders.iter().flat_map(|folder| folder.events("match")) {
            for source in ["countermand", "custom", "ec2", "xaws.ec2", ""] {
                let mut event = event.clone();
                event["source"] = json!(source);
                assert!(!pattern::matches(&pattern, &event).unwrap(), "{id} takes {file} from {source:?}");
            }
        }
    }
}

/// Read off the template's own text.
#[test]
fn a_session_may_only_what_its_tags_say() {
    let text = read(PATH);
    let access = text.split_once("# >>> access").unwrap().1.split_once("# <<< access").unwrap().0;
    let mut seen = BTreeSet::new();
    for statement in access.split("- Effect: Allow\n").skip(1) {
        let value = |name: &str| statement.lines().find_map(|line| line.trim().strip_prefix(name));
        let responder = value("aws:PrincipalTag/countermand-responder: ").unwrap_or_else(|| panic!("{statement}"));
        let resource = value("Resource: ").unwrap().trim_matches('"').trim_start_matches("!Sub ").replace("AWS::", "");
        let folder = Folder { name: responder.to_owned() };
        let may = folder.permissions(By::Function);
        let actions = statement.lines().filter_map(|line| line.trim().strip_prefix("- "));
        for action in actions {
            let same = |it: &&Permission| {
                let of_it = it.resource.replace("${Region}", "*").replace("${Account}", "${AccountId}");
                it.action == action && of_it == resource
            };
            let permission = may.iter().find(same).unwrap_or_else(|| panic!("{responder} may not {action}"));
            let tagged = statement.contains("aws:PrincipalTag/countermand-incident: \"false\"");
            assert_eq!(tagged, !permission.looks(), "{responder}: {action}");
            seen.insert((responder.to_owned(), action.to_owned(), resource.clone()));
        }
    }
    let all: usize = Folder::all().iter().map(|folder| folder.permissions(By::Function).len()).sum();
    assert_eq!(seen.len(), all, "every permission of every function");
}
