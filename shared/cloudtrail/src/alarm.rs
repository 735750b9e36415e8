//! Alarms of Amazon CloudWatch.

use serde::Deserialize;

/// An alarm that changed its state. Source: Amazon CloudWatch User Guide, "Alarm events and EventBridge".
///
/// Whoever may make alarms chooses its name, and whoever may set their states chooses that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The alarm's name.
    pub name: String,
    /// `ALARM`, `OK` or `INSUFFICIENT_DATA`, which it is now.
    pub state: String,
    /// The metrics it watches; none of a composite alarm or a query.
    pub metrics: Vec<AlarmMetric>,
}

/// A metric that an alarm watches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AlarmMetric {
    /// For example `AWS/EC2`.
    pub namespace: String,
    /// For example `CPUUtilization`.
    pub name: String,
}

impl Alarm {
    /// Whether it is in alarm.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.state == "ALARM"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    alarm_name: String,
    state: State,
    #[serde(default)]
    configuration: Configuration,
}

#[derive(Deserialize)]
struct State {
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    metrics: Vec<Query>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    /// An expression has none.
    metric_stat: Option<Stat>,
}

#[derive(Deserialize)]
struct Stat {
    metric: AlarmMetric,
}

impl<'de> Deserialize<'de> for Alarm {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Detail { alarm_name, state, configuration } = Detail::deserialize(deserializer)?;
        let metrics = configuration.metrics.into_iter().filter_map(|query| query.metric_stat).map(|stat| stat.metric);
        Ok(Self { name: alarm_name, state: state.value, metrics: metrics.collect() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(configuration: &Value) -> Alarm {
        let detail = json!({"alarmName": "a", "state": {"value": "ALARM"}, "configuration": configuration});
        serde_json::from_value(detail).unwrap()
    }

    #[test]
    fn the_metrics_of_an_alarm_are_read_and_its_expressions_passed_over() {
        let alarm = read(&json!({"metrics": [
            {"id": "e", "expression": "m * 2", "returnData": true},
            {"id": "m", "metricStat": {"metric": {"namespace": "AWS/EC2", "name": "CPUUtilization", "dimensions": {}},
                "period": 300, "stat": "Sum"}, "returnData": false},
        ]}));
        let metric = AlarmMetric { namespace: "AWS/EC2".to_owned(), name: "CPUUtilization".to_owned() };
        assert_eq!((alarm.is_on(), alarm.metrics), (true, vec![metric]));
    }

    #[test]
    fn a_composite_alarm_has_no_metric() {
        assert_eq!(read(&json!({"alarmRule": "ALARM(\"a\")", "actionsSuppressor": "b"})).metrics, []);
    }
}
