//! Whether this machine's clock is AWS's: a request that is signed more than five minutes off is refused, and what is told
//! of leases and ages is wrong before that.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use chrono::{DateTime, TimeDelta, Utc};
use lambda::SystemClock;
use remedy::Clock;

use super::check::Check;

const NAME: &str = "clock";

/// AWS Signature Version 4 lets a request be so far off (IAM User Guide, "AWS Signature Version 4 for API requests").
const REFUSED: TimeDelta = TimeDelta::minutes(5);
/// From here on somebody should set the clock.
const ODD: TimeDelta = TimeDelta::seconds(30);

/// Keeps the `Date` of an answer, whatever the answer is. The SDK runs it in a task of its own, so it is shared.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<String>>>);

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

pub(super) async fn look(config: &SdkConfig) -> Check {
    let date = DateOfAnswer::default();
    let call = aws_sdk_sts::Client::new(config).get_caller_identity().customize().interceptor(date.clone());
    // Of this answer only the date counts, and a refusal has one too: that of a clock that is off, above all.
    let _whatever = call.send().await;
    let here = SystemClock.now();
    let said = date.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let there = said.and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    judge(here, there.map(|date| date.to_utc()))
}

fn judge(here: DateTime<Utc>, there: Option<DateTime<Utc>>) -> Check {
    let Some(there) = there else {
        return Check::warning(NAME, "AWS's answer says no time", "compare this machine's clock with another");
    };
    let off = (here - there).abs();
    let seen = format!("{} s from AWS's", off.num_seconds());
    let fix = "set this machine's clock: let it follow an NTP server";
    match off {
        off if off >= REFUSED => Check::failed(NAME, seen, fix),
        off if off >= ODD => Check::warning(NAME, seen, fix),
        _ => Check::ok(NAME, seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::CheckResult;

    #[test]
    fn a_clock_may_be_a_little_off() {
        let there = DateTime::from_timestamp(1_795_330_800, 0).unwrap();
        let result = |seconds| judge(there + TimeDelta::seconds(seconds), Some(there)).result;
        assert_eq!([0, 29, -29].map(result), [CheckResult::Ok; 3]);
        assert_eq!([30, -299].map(result), [CheckResult::Warning; 2]);
        assert_eq!([300, -4000].map(result), [CheckResult::Failed; 2]);
        assert_eq!(judge(there, None).result, CheckResult::Warning);
    }
}
