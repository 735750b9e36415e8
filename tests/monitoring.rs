//! What template-monitoring.yaml and docs/monitoring.md are made of: the files in monitoring/ and the responders' names.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use crate::folders::Folder;
use crate::generated::{COMMAND, check, read, with_section};
use crate::tamper;

const TEMPLATE: &str = "template-monitoring.yaml";
const PAGE: &str = "docs/monitoring.md";

/// The action of every alarm that pages.
const ACTIONS: &str = "AlarmActions: [!If [HasOwnAlarmTopic, !Ref Pages, !Ref AlarmTopicArn]]";

/// One row of `cis.json`: a control of CIS AWS Foundations Benchmark v3.0.0, section 4.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    id: String,
    name: String,
    about: String,
    means: String,
    level: u8,
    /// The control of AWS Security Hub that looks for exactly this pattern.
    security_hub: Option<String>,
    pattern: String,
    note: Option<String>,
}

/// One entry of `queries.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    name: String,
    over: Over,
    about: String,
    #[serde(rename = "query")]
    text: String,
}

/// Whose log groups a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Over {
    Trail,
    Functions,
}

fn controls() -> Vec<Control> {
    serde_json::from_str(&read("monitoring/cis.json")).unwrap()
}

fn queries() -> Vec<Query> {
    serde_json::from_str(&read("monitoring/queries.json")).unwrap()
}

#[test]
fn the_template_watches_everything_listed() {
    let responders = Folder::all();
    let slow: String = responders.iter().map(slow_alarm).collect();
    let cis: String = controls().iter().map(cis_block).collect();
    let tamper: String = tamper::rules().iter().map(tamper::block).collect();
    let queries: String = queries().iter().map(|query| query_block(query, &responders)).collect();
    let text = read(TEMPLATE);
    let text = with_section(&text, "# >>> tamper", "# <<< tamper", &tamper);
    let text = with_section(&text, "# >>> slow", "# <<< slow", &slow);
    let text = with_section(&text, "# >>> cis", "# <<< cis", &cis);
    let text = with_section(&text, "# >>> dashboard", "# <<< dashboard", &dashboard(&responders));
    check(TEMPLATE, &with_section(&text, "# >>> queries", "# <<< queries", &queries));
}

#[test]
fn the_page_lists_what_is_watched() {
    let mut cis = String::from("| CIS | level | alarm on | Security Hub | note |\n|---|---|---|---|---|\n");
    for Control { id, about, level, security_hub, note, .. } in controls() {
        let (hub, note) = (security_hub.unwrap_or_default(), note.unwrap_or_default().replace('|', "\\|"));
        writeln!(cis, "| {id} | {level} | {about} | {hub} | {note} |").unwrap();
    }
    let mut saved = String::from("| query | over | answers |\n|---|---|---|\n");
    for Query { name, over, about, .. } in queries() {
        let over = if over == Over::Trail { "the trail" } else { "the functions' logs" };
        writeln!(saved, "| {name} | {over} | {about} |").unwrap();
    }
    let mut tamper = String::from("| rule | pages when somebody changes |\n|---|---|\n");
    for rule in tamper::rules() {
        writeln!(tamper, "| `tamper-{}` | {} |", rule.name.to_lowercase(), rule.about).unwrap();
    }
    let text = with_section(&read(PAGE), "<!-- >>> cis", "<!-- <<< -->", &cis);
    let text = with_section(&text, "<!-- >>> tamper", "<!-- <<< -->", &tamper);
    check(PAGE, &with_section(&text, "<!-- >>> queries", "<!-- <<< -->", &saved));
}

#[test]
fn every_control_of_section_4_but_security_hub_has_an_alarm() {
    let ids: Vec<String> = controls().into_iter().map(|control| control.id).collect();
    let expected: Vec<String> = (1..=15).map(|number| format!("4.{number}")).collect();
    assert_eq!(ids, expected, "4.16 asks for AWS Security Hub itself, and no alarm");
}

#[test]
fn a_filter_pattern_is_one_that_cloudwatch_logs_takes() {
    let mut patterns: Vec<(String, String)> =
        controls().into_iter().map(|control| (control.id, control.pattern)).collect();
    let template = read(TEMPLATE);
    let tamper =
        template.split_once("FilterPattern: !Sub >-\n").unwrap().1.split_once("MetricTransformations").unwrap().0;
    let tamper = tamper.split_whitespace().collect::<Vec<_>>().join(" ").replace("${Countermand}", &"s".repeat(20));
    patterns.push(("TamperFilter".to_owned(), tamper));
    for (id, pattern) in patterns {
        // API reference of CloudWatch Logs, `PutMetricFilter`: at most 1,024 characters.
        assert!(pattern.len() <= 1024, "{id} has {} characters", pattern.len());
        assert!(pattern.starts_with('{') && pattern.ends_with('}'), "{id}: {pattern}");
        let depth = pattern.chars().try_fold(0_u32, |depth, letter| match letter {
            '(' => depth.checked_add(1),
            ')' => depth.checked_sub(1),
            _ => Some(depth),
        });
        assert_eq!(depth, Some(0), "{id}: {pattern}");
        let selectors = pattern.matches("$.").count();
        let comparisons = pattern.matches('=').count() + pattern.matches("NOT EXISTS").count();
        assert_eq!(selectors, comparisons, "{id}: {pattern}");
    }
}

#[test]
fn the_dashboard_shows_metrics_that_there_are_and_overlaps_nowhere() {
    let emitted = read("shared/lambda/src/metrics.rs");
    let body: Value = serde_json::from_str(&read("monitoring/dashboard.json")).unwrap();
    let mut taken = std::collections::BTreeSet::new();
    for widget in body["widgets"].as_array().unwrap() {
        let number = |name: &str| widget[name].as_u64().unwrap();
        for x in number("x")..number("x") + number("width") {
            for y in number("y")..number("y") + number("height") {
                assert!(x < 24 && taken.insert((x, y)), "two widgets at {x}, {y}: {widget}");
            }
        }
        for expression in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            let text = expression[0]["expression"].as_str().unwrap();
            assert_eq!(text.matches('(').count(), text.matches(')').count(), "{text}");
            for own in text.split("{Countermand,responder} MetricName=\"").skip(1) {
                let name = own.split('"').next().unwrap();
                assert!(emitted.contains(&format!("\"{name}\"")), "no function emits {name}");
            }
        }
    }
}

#[test]
fn alarms_ask_for_metrics_that_there_are() {
    let emitted = read("shared/lambda/src/metrics.rs");
    assert!(emitted.contains("const NAMESPACE: &str = \"Countermand\";"));
    assert!(emitted.contains("const RESPONDER: &str = \"responder\";"));
    let text = read(TEMPLATE);
    let asked: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Expression: SELECT SUM(")?.split(')').next())
        .collect();
    assert!(asked.len() >= 5, "{asked:?}");
    for name in asked {
        assert!(emitted.contains(&format!("\"{name}\"")), "no function emits {name}");
    }
}

fn slow_alarm(folder: &Folder) -> String {
    let Folder { name } = folder;
    let id = folder.type_name();
    format!(
        "
  Slow{id}:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${{Countermand}}-slow-{name}
      AlarmDescription: {name} takes long from the event to the last change.
      Namespace: Countermand
      MetricName: TimeToContain
      Dimensions:
        - Name: responder
          Value: {name}
      ExtendedStatistic: p99
      Period: 3600
      EvaluationPeriods: 1
      Threshold: !Ref SlowAfterMilliseconds
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      {ACTIONS}
"
    )
}

fn cis_block(control: &Control) -> String {
    let Control { id, name, means, pattern, .. } = control;
    // JSON is YAML, and quotes what a pattern holds.
    let pattern = serde_json::to_string(pattern).unwrap();
    let slug = id.replace('.', "-");
    format!(
        "
  {name}Filter:
    Type: AWS::Logs::MetricFilter
    Condition: HasTrail
    Properties:
      LogGroupName: !Ref TrailLogGroup
      FilterName: !Sub ${{Countermand}}-cis-{slug}
      FilterPattern: {pattern}
      MetricTransformations:
        - MetricNamespace: !Sub ${{Countermand}}/cis
          MetricName: {id}-{name}
          MetricValue: \"1\"

  {name}:
    Type: AWS::CloudWatch::Alarm
    Condition: HasTrail
    Properties:
      AlarmName: !Sub ${{Countermand}}-cis-{slug}-{name}
      AlarmDescription: \"CIS {id}: {means}\"
      Namespace: !Sub ${{Countermand}}/cis
      MetricName: {id}-{name}
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      {ACTIONS}
"
    )
}

fn query_block(query: &Query, responders: &[Folder]) -> String {
    let Query { name, over, about, text } = query;
    let id: String = name.split(' ').map(capitalized).collect();
    let (condition, groups) = match over {
        Over::Trail => ("    Condition: HasTrail\n", "        - !Ref TrailLogGroup\n".to_owned()),
        Over::Functions => {
            let group = |folder: &Folder| format!("        - !Sub /aws/lambda/${{Countermand}}-{}\n", folder.name);
            ("", responders.iter().map(group).collect())
        }
    };
    let text = text.replace('\n', "\n        ");
    format!(
        "
  {id}Query:
    Type: AWS::Logs::QueryDefinition
{condition}    Properties:
      Name: !Sub ${{Countermand}}/{name}
      LogGroupNames:
{groups}      QueryString: |-
        # {about}
        {text}
"
    )
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn dashboard(responders: &[Folder]) -> String {
    let sources: Vec<String> =
        responders.iter().map(|folder| format!("SOURCE '/aws/lambda/${{Countermand}}-{}'", folder.name)).collect();
    let body = read("monitoring/dashboard.json");
    let body = body.trim_end().replace('\n', "\n          ");
    format!(
        "      # Made from monitoring/dashboard.json; {COMMAND}
      DashboardBody: !Sub
        - |-
          {body}
        - Sources: !Sub {}
",
        serde_json::to_string(&sources.join(" | ")).unwrap()
    )
}
