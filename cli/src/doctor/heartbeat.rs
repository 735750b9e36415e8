//! Whether events got through: what the canary heard in its latest round.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use lambda::{DynamoLedger, Round, SystemClock};
use remedy::{Clock, in_full};

use super::Scene;
use super::check::Check;
use crate::deployment::TABLE;
use crate::heartbeat::{self, PATIENCE};

const NAME: &str = "heartbeat";

/// The canary asks every hour: so long after it asked last, it is late.
const LATE: TimeDelta = TimeDelta::hours(2);

/// Where to look on.
const RUNBOOK: &str = "\"The heartbeat is silent\" in docs/runbook.md";

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let canary = scene.deployment.function(heartbeat::HANDLER);
    let (Some(_), Some(table)) = (canary, scene.deployment.physical(TABLE, "Ledger")) else { return Vec::new() };
    vec![match DynamoLedger::new(&scene.config, table).round().await {
        Ok(round) => judge(round.as_ref(), SystemClock.now()),
        Err(error) => {
            let fix = "if that was denied, allow yourself dynamodb:GetItem on the ledger; else look again later";
            Check::failed(NAME, format!("not known: {}", in_full(&error)), fix)
        }
    }]
}

fn judge(round: Option<&Round>, now: DateTime<Utc>) -> Check {
    let Some(round) = round else {
        let seen = "the canary has not asked yet";
        return Check::warning(NAME, seen, format!("it asks every hour: look again then, and after that at {RUNBOOK}"));
    };
    let age = now - round.begun;
    let at = round.begun.to_rfc3339_opts(SecondsFormat::Secs, true);
    if age >= LATE {
        return Check::failed(NAME, format!("the canary last asked at {at}, and it should every hour"), RUNBOOK);
    }
    let (answered, asked) = (round.answers.len(), round.asked.len());
    let silent = heartbeat::silent(round);
    if silent.is_empty() {
        return Check::ok(NAME, format!("all {asked} functions, and CloudTrail's record, answered the canary of {at}"));
    }
    if age < PATIENCE {
        let seen = format!("the canary asked at {at}: {answered} of {asked} functions have answered so far");
        return Check::ok(NAME, seen);
    }
    Check::failed(NAME, format!("nothing came in the canary's round of {at} from {}", silent.join(", ")), RUNBOOK)
}

#[cfg(test)]
mod tests {
    use lambda::Delivery;

    use super::*;
    use crate::doctor::check::CheckResult;

    #[test]
    fn silence_is_told_from_patience() {
        let now: DateTime<Utc> = "2026-11-22T07:00:00Z".parse().unwrap();
        let seen = |minutes: i64, answers: &[&str], delivered: bool| {
            let begun = now - TimeDelta::minutes(minutes);
            let answers = answers.iter().map(|name| ((*name).to_owned(), begun)).collect();
            let delivery = delivered.then_some(Delivery { called: begun, arrived: now });
            let round = Round { answers, delivery, ..Round::new(["a", "b"].map(str::to_owned), begun) };
            let check = judge(Some(&round), now);
            (check.result, check.seen)
        };
        let (result, told) = seen(10, &["a"], false);
        assert!(result == CheckResult::Ok && told.contains("1 of 2"), "{told}");
        let (result, told) = seen(31, &["a", "b"], true);
        assert!(result == CheckResult::Ok && told.contains("06:29:00Z"), "{told}");
        let (result, told) = seen(31, &["a"], false);
        assert!(result == CheckResult::Failed && told.ends_with("from b, CloudTrail"), "{told}");
        let (result, told) = seen(121, &["a", "b"], true);
        assert!(result == CheckResult::Failed && told.contains("last asked"), "{told}");
        assert_eq!(judge(None, now).result, CheckResult::Warning);
    }
}
