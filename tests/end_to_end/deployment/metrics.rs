//! The metrics of a function's log, and who looks at them.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use lambda::SystemClock;
use remedy::Clock;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Deployment, RESPONDER, STACK};

/// A line of embedded metric format (Amazon CloudWatch User Guide, "Specification: Embedded metric format").
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "_aws")]
    aws: Metadata,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Definition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: String,
}

/// One metric that CloudWatch makes of a line.
#[derive(Debug)]
struct Metric {
    namespace: String,
    name: String,
    /// Names and values.
    dimensions: BTreeSet<(String, String)>,
    values: Vec<f64>,
}

/// What CloudWatch makes of a line. What it would silently drop fails here.
fn metrics(line: &Line) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for directive in &line.aws.cloud_watch_metrics {
        for dimensions in &directive.dimensions {
            let value = |name: &String| (name.clone(), line.members[name].as_str().unwrap().to_owned());
            let dimensions: BTreeSet<_> = dimensions.iter().map(value).collect();
            for Definition { name } in &directive.metrics {
                let values = match &line.members[name] {
                    Value::Array(values) => values.iter().map(|value| value.as_f64().unwrap()).collect(),
                    value => vec![value.as_f64().unwrap()],
                };
                assert!((1..=100).contains(&values.len()), "{name}: {values:?}");
                let (namespace, dimensions) = (directive.namespace.clone(), dimensions.clone());
                metrics.push(Metric { namespace, name: name.clone(), dimensions, values });
            }
        }
    }
    metrics
}

/// The one containment made the metrics that an alarm and the dashboard ask for, by the very names they ask for.
pub(super) async fn are_watched(deployment: &Deployment) {
    let lines = deployment.logged(RESPONDER, "CloudWatchMetrics").await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line: Line = serde_json::from_value(lines[0].clone()).unwrap();
    let age = SystemClock.now().timestamp_millis() - line.aws.timestamp;
    assert!((0..600_000).contains(&age), "{age} ms old");
    let metrics = metrics(&line);
    let value = |name: &str| metrics.iter().find(|metric| metric.name == name).map(|metric| metric.values.as_slice());
    assert_eq!((value("Findings"), value("Contained")), (Some([1.0].as_slice()), Some([1.0].as_slice())));
    let took = metrics.iter().find(|metric| metric.name == "TimeToContain").unwrap();

    let cloudwatch = aws_sdk_cloudwatch::Client::new(&deployment.root);
    let pages = cloudwatch.describe_alarms().into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let alarms: Vec<_> = pages.iter().flat_map(DescribeAlarmsOutput::metric_alarms).collect();
    let of_metric: Vec<_> = alarms
        .iter()
        .filter(|alarm| {
            let dimensions = alarm.dimensions().iter();
            let dimensions: BTreeSet<(String, String)> =
                dimensions.map(|it| (it.name().unwrap().to_owned(), it.value().unwrap().to_owned())).collect();
            alarm.namespace() == Some(&took.namespace)
                && alarm.metric_name() == Some(&took.name)
                && dimensions == took.dimensions
        })
        .collect();
    assert_eq!(of_metric.len(), 1, "one alarm is about {took:?}");
    let alarm = of_metric[0];
    assert_eq!(alarm.alarm_name(), Some(deployment.monitoring.id("SlowRevokeOpenIngress")));
    assert_eq!((alarm.extended_statistic(), alarm.threshold()), (Some("p99"), Some(300_000.0)));
    assert_eq!(alarm.alarm_actions(), [deployment.monitoring.id("Pages")]);
    assert!(took.values.iter().all(|value| *value < alarm.threshold().unwrap()), "{took:?}");

    let dashboards = cloudwatch.get_dashboard().dashboard_name(deployment.monitoring.id("Dashboard"));
    let body: Value = serde_json::from_str(&dashboards.send().await.unwrap().dashboard_body.unwrap()).unwrap();
    let widgets: Vec<String> = body["widgets"].as_array().unwrap().iter().map(Value::to_string).collect();
    for Metric { namespace, name, dimensions, .. } in &metrics {
        let dimensions: Vec<&str> = dimensions.iter().map(|(name, _)| name.as_str()).collect();
        let schema = format!("{{{namespace},{}}} MetricName=\\\"{name}\\\"", dimensions.join(","));
        assert!(widgets.iter().any(|widget| widget.contains(&schema)), "no widget shows {schema}");
    }
    let own_logs = format!("SOURCE '/aws/lambda/{STACK}-{RESPONDER}'");
    assert!(widgets.iter().any(|widget| widget.contains(&own_logs)), "no widget reads {own_logs}");
    assert!(!body.to_string().contains("${"), "a variable was left: {body:#}");
}
