//! Many processes' times, as the table has them.

use std::time::Duration;

use crate::process::Took;

/// What the processes of one program took under the same conditions.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    first_poll: Vec<Duration>,
    first_event: Vec<Duration>,
    further_events: Vec<Duration>,
    peak: u64,
    calls: usize,
}

impl Figures {
    pub(crate) const HEAD: [&str; 5] =
        ["start to first poll", "start to end of 1st event", "each further event", "peak memory", "AWS calls"];

    pub(crate) fn add(&mut self, took: Took) {
        self.first_poll.push(took.first_poll);
        self.first_event.push(took.first_event);
        self.further_events.extend(took.further_events);
        self.peak = self.peak.max(took.peak);
        self.calls = self.calls.max(took.calls);
    }

    pub(crate) fn cells(self) -> [String; 5] {
        [
            summary(self.first_poll),
            summary(self.first_event),
            summary(self.further_events),
            format!("{}.{} MiB", self.peak / 1024, self.peak % 1024 * 10 / 1024),
            self.calls.to_string(),
        ]
    }
}

/// The median, and what 95 of 100 do not exceed.
fn summary(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let of_hundred = |part: usize| {
        let rank = (times.len() * part).div_ceil(100).saturating_sub(1);
        times.get(rank).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    format!("{:.1} / {:.1} ms", of_hundred(50), of_hundred(95))
}
