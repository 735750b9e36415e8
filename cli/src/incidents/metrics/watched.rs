//! Metrics of Amazon CloudWatch.

use chrono::DateTime;
use remedy::CallError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::catalogue::{Metric, Watched};
use super::window::Window;
use super::{Panel, Place, Series};
use crate::cloudwatch::CloudWatch;

/// An answer of `GetMetricData` (Amazon CloudWatch API Reference).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    metric_data_results: Vec<Found>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    id: String,
    /// Seconds since 1970, whole or not.
    timestamps: Vec<f64>,
    values: Vec<f64>,
}

pub(super) async fn look(place: &Place<'_>, all: &[Watched]) -> Result<Vec<Panel>, CallError> {
    let window = place.window;
    let queries: Vec<Value> = all.iter().enumerate().flat_map(|(of, watched)| queries(of, watched, window)).collect();
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let client = CloudWatch::of(place.config);
    let mut found = Vec::new();
    let mut asked = json!({
        "StartTime": window.from.timestamp(), "EndTime": window.to.timestamp(), "MetricDataQueries": queries,
    });
    loop {
        let answer = client.get_metric_data(&asked).await?;
        let answer =
            Answer::deserialize(answer).map_err(|error| CallError::refused("cloudwatch:GetMetricData", error))?;
        found.extend(answer.metric_data_results);
        let Some(next) = answer.next_token else { break };
        if let Some(asked) = asked.as_object_mut() {
            asked.insert("NextToken".to_owned(), next.into());
        }
    }
    Ok(all.iter().enumerate().map(|(of, watched)| panel(of, watched, &found, window)).collect())
}

/// Ids of queries begin with a letter.
fn id(of: usize, metric: usize) -> String {
    format!("m{of}_{metric}")
}

fn queries(of: usize, watched: &Watched, window: Window) -> impl Iterator<Item = Value> {
    let dimensions = watched.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
    let dimensions: Vec<Value> = dimensions.collect();
    watched.metrics.iter().enumerate().map(move |(index, Metric { namespace, name, stat, .. })| {
        let metric = json!({ "Namespace": namespace, "MetricName": name, "Dimensions": dimensions });
        json!({
            "Id": id(of, index),
            "MetricStat": { "Metric": metric, "Period": window.slot.num_seconds(), "Stat": stat },
        })
    })
}

fn panel(of: usize, watched: &Watched, found: &[Found], window: Window) -> Panel {
    let series = watched.metrics.iter().enumerate().map(|(index, Metric { name, label, unit, .. })| {
        let mut values = vec![None; window.slots()];
        let id = id(of, index);
        // What does not fit on one page of answers goes on in the next under the same id.
        for Found { timestamps, values: found, .. } in found.iter().filter(|found| found.id == id) {
            for (at, value) in timestamps.iter().zip(found) {
                #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970, and nobody needs their parts")]
                let at = DateTime::from_timestamp(*at as i64, 0);
                if let Some(slot) = at.and_then(|at| window.slot_of(at)).and_then(|slot| values.get_mut(slot)) {
                    *slot = Some(*value);
                }
            }
        }
        Series { label, metric: name, unit: *unit, values }
    });
    let series: Vec<Series> = series.collect();
    let is_silent = series.iter().all(|series| series.values.iter().all(Option::is_none));
    let note = is_silent.then(|| format!("no data: {}", watched.silent));
    Panel { of: watched.to_string(), series, note }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture::time;
    use crate::incidents::metrics::catalogue::instance;

    fn window() -> Window {
        Window::around(time("2026-11-22T07:03:20Z"), time("2026-11-23T00:00:00Z"))
    }

    fn found(id: &str, at: &str, value: f64) -> Found {
        let at = time(at).timestamp();
        serde_json::from_value(json!({ "Id": id, "Timestamps": [at], "Values": [value], "StatusCode": "Complete" }))
            .unwrap()
    }

    #[test]
    fn values_come_into_the_slots_of_their_times_from_every_page() {
        let all = [
            found("m1_0", "2026-11-22T07:00:00Z", 97.0),
            found("m0_0", "2026-11-22T07:00:00Z", 12.0),
            found("m0_0", "2026-11-22T04:00:00Z", 3.0),
            found("m0_1", "2026-11-22T09:00:00Z", 5.0),
        ];
        let Panel { of, series, note } = panel(0, &instance("i-1".to_owned()), &all, window());
        assert_eq!((of.as_str(), note), ("instance i-1", None));
        assert_eq!((series[0].values[36], series[0].values[0], series[0].values[1]), (Some(12.0), Some(3.0), None));
        assert!(series[1].values.iter().all(Option::is_none), "what is outside is left out");
    }

    #[test]
    fn what_has_no_data_says_why() {
        let Panel { note, .. } = panel(0, &instance("i-1".to_owned()), &[], window());
        assert_eq!(note.unwrap(), "no data: the instance was not running");
    }

    #[test]
    fn a_query_asks_for_one_value_a_slot() {
        let queries: Vec<Value> = queries(2, &instance("i-1".to_owned()), window()).collect();
        assert_eq!(queries.len(), 3);
        assert_eq!(
            queries[0],
            json!({ "Id": "m2_0", "MetricStat": {
                "Metric": { "Namespace": "AWS/EC2", "MetricName": "CPUUtilization",
                    "Dimensions": [{ "Name": "InstanceId", "Value": "i-1" }] },
                "Period": 300, "Stat": "Average" } })
        );
    }
}
