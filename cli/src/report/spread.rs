//! How long containment took.

use chrono::TimeDelta;

use super::count::float;
use super::row::Row;

/// Where the bins of the histogram end, in seconds: close together where it matters whether it was one second or two.
const ENDS: [(f64, &str); 14] = [
    (1.0, "1 s"),
    (2.0, "2 s"),
    (5.0, "5 s"),
    (10.0, "10 s"),
    (20.0, "20 s"),
    (30.0, "30 s"),
    (60.0, "1 min"),
    (120.0, "2 min"),
    (300.0, "5 min"),
    (600.0, "10 min"),
    (1800.0, "30 min"),
    (3600.0, "1 h"),
    (21_600.0, "6 h"),
    (86_400.0, "1 d"),
];

/// At least so many bins are shown, for two reports to look alike: up to a minute.
const SHOWN: usize = 7;

/// A part of the histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// From so many seconds.
    pub(super) start: f64,
    /// To less than so many seconds; the last has no end.
    pub(super) end: Option<(f64, &'static str)>,
    pub(super) count: usize,
}

/// The times of all that was contained, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spread(Vec<TimeDelta>);

impl Spread {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut times: Vec<TimeDelta> = rows.iter().filter_map(Row::took).collect();
        times.sort();
        Self(times)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The shortest time that `percent` of all did not exceed (nearest rank).
    pub(super) fn percentile(&self, percent: usize) -> Option<TimeDelta> {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }

    pub(super) fn bins(&self) -> Vec<Bin> {
        let starts = std::iter::once(0.0).chain(ENDS.iter().map(|(end, _)| *end));
        let ends = ENDS.iter().copied().map(Some).chain([None]);
        let mut bins: Vec<Bin> = starts
            .zip(ends)
            .map(|(start, end)| {
                let within = |time: &&TimeDelta| {
                    let time = time.as_seconds_f64();
                    time >= start && end.is_none_or(|(end, _)| time < end)
                };
                Bin { start, end, count: self.0.iter().filter(within).count() }
            })
            .collect();
        let last = bins.iter().rposition(|bin| bin.count > 0).map_or(0, |last| last + 1);
        bins.truncate(last.max(SHOWN));
        bins
    }
}

/// Where a time is on an axis on which every bin is 1 wide.
pub(super) fn place(bins: &[Bin], time: TimeDelta) -> f64 {
    let time = time.as_seconds_f64();
    let index = bins.iter().position(|bin| bin.end.is_none_or(|(end, _)| time < end));
    let index = index.unwrap_or(bins.len().saturating_sub(1));
    let within = bins.get(index).map_or(0.0, |bin| match bin.end {
        Some((end, _)) => (time - bin.start) / (end - bin.start),
        None => 0.5,
    });
    float(index) + within.clamp(0.0, 1.0)
}

/// A time as people say it: `1.4 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(crate) fn told(time: TimeDelta) -> String {
    let seconds = time.num_seconds();
    match seconds {
        ..60 => format!("{:.1} s", time.as_seconds_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(seconds: &[i64]) -> Spread {
        let mut times: Vec<TimeDelta> = seconds.iter().copied().map(TimeDelta::seconds).collect();
        times.sort();
        Spread(times)
    }

    #[test]
    fn a_percentile_is_a_time_that_was_taken() {
        let percentile = |seconds: &[i64], percent| spread(seconds).percentile(percent).map(|time| time.num_seconds());
        assert_eq!(percentile(&[], 50), None);
        assert_eq!((percentile(&[7], 50), percentile(&[7], 95)), (Some(7), Some(7)));
        assert_eq!((percentile(&[4, 1, 3, 2], 50), percentile(&[4, 1, 3, 2], 95)), (Some(2), Some(4)));
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 95)), (Some(50), Some(95)));
    }

    #[test]
    fn every_time_is_in_one_bin() {
        let spread = spread(&[0, 1, 1, 2, 59, 60, 86_399, 86_400, 900_000]);
        let bins = spread.bins();
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), spread.count());
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 2, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(Spread(Vec::new()).bins().len(), SHOWN);
    }

    #[test]
    fn a_place_is_within_its_bin() {
        let bins = spread(&[0]).bins();
        let place = |milliseconds| place(&bins, TimeDelta::milliseconds(milliseconds));
        assert_eq!(
            [place(500), place(1000), place(3500), place(45_000)].map(|place| format!("{place:.2}")),
            ["0.50", "1.00", "2.50", "6.50"]
        );
        assert_eq!(format!("{:.2}", place(90_000)), "7.00", "never outside");
    }

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let told = |seconds| told(TimeDelta::seconds(seconds));
        assert_eq!([told(3), told(125), told(11_520), told(187_200)], ["3.0 s", "2 min 5 s", "3 h 12 min", "2 d 4 h"]);
    }
}
