//! What is drawn: SVG inside the page, coloured by its style sheet.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use crate::report::Report;
use crate::report::count::{float, many};
use crate::report::row::Standing;
use crate::report::spread::{Spread, place, told};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 200.0;
/// Room for the numbers on the left, and for the times below.
const LEFT: f64 = 36.0;
const BELOW: f64 = 26.0;

/// Columns stand for so many seconds: an hour, six, a day, a week, thirty days, a year.
const STEPS: [i64; 6] = [3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400];
const COLUMNS: i64 = 96;

/// A coordinate: nobody sees less than a tenth.
fn at(place: f64) -> String {
    format!("{place:.1}")
}

/// A bar as long as `count` is to `most`.
pub(super) fn bar(count: usize, most: usize) -> Markup {
    let width = 100.0 * float(count) / float(most.max(1));
    html! {
        svg.meter viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(at(width)) height="8" {}
        }
    }
}

/// The numbers to write beside columns of at most `most`: four or fewer, and round.
fn levels(most: usize) -> Vec<usize> {
    let round = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_usize.saturating_pow(power)));
    let step = round.into_iter().find(|step| most <= step * 4).unwrap_or(most.max(1));
    (1..=4).map(|level| level * step).take_while(|level| *level <= most.max(step)).collect()
}

/// Lines across the drawing, with their numbers, and where a count is on it.
struct Scale {
    levels: Vec<usize>,
    top: f64,
    most: usize,
}

impl Scale {
    fn of(most: usize, top: f64) -> Self {
        Self { levels: levels(most), top, most: most.max(1) }
    }

    fn y(&self, count: usize) -> f64 {
        let room = HEIGHT - BELOW - self.top;
        HEIGHT - BELOW - room * float(count) / float(self.most.max(self.levels.last().copied().unwrap_or(1)))
    }

    fn lines(&self) -> Markup {
        html! {
            @for level in std::iter::once(&0).chain(&self.levels) {
                line.grid x1=(at(LEFT)) x2=(at(WIDTH)) y1=(at(self.y(*level))) y2=(at(self.y(*level))) {}
                text.end x=(at(LEFT - 6.0)) y=(at(self.y(*level) + 4.0)) { (level) }
            }
        }
    }
}

struct Column {
    start: DateTime<Utc>,
    /// By standing, in the order of [`Standing::ALL`].
    counts: [usize; Standing::ALL.len()],
}

fn columns(report: &Report) -> (i64, Vec<Column>) {
    let (from, to) = (report.from.timestamp(), report.to.timestamp());
    let step = STEPS.into_iter().find(|step| (to - from) / step < COLUMNS).unwrap_or((to - from) / COLUMNS + 1);
    let first = from.div_euclid(step);
    let starts = (first..=(to - 1).max(from).div_euclid(step)).map(|index| index * step);
    let columns = starts.map(|start| {
        let within = |time: DateTime<Utc>| (start..start + step).contains(&time.timestamp());
        let counts = Standing::ALL
            .map(|standing| report.rows.iter().filter(|row| row.standing() == standing && within(row.opened)).count());
        Column { start: DateTime::from_timestamp(start, 0).unwrap_or_default(), counts }
    });
    (step, columns.collect())
}

/// How many incidents were opened when, by what became of them.
pub(super) fn timeline(report: &Report) -> Markup {
    let (step, columns) = columns(report);
    let most = columns.iter().map(|column| column.counts.iter().sum()).max().unwrap_or(0);
    let scale = Scale::of(most, 8.0);
    let each = (WIDTH - LEFT) / float(columns.len());
    let wide = (each * 0.8).min(36.0);
    let every = columns.len().div_ceil(8).max(1);
    let format = if step < 86_400 { "%d %b %H:%M" } else { "%d %b" };
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
            title { "Incidents over time" }
            (scale.lines())
            @for (index, column) in columns.iter().enumerate() {
                @let middle = LEFT + each * (float(index) + 0.5);
                g {
                    title {
                        (column.start.format("%Y-%m-%d %H:%M").to_string()) ": "
                        (many(column.counts.iter().sum(), "incident"))
                    }
                    @for (standing, below, count) in stacked(column) {
                        rect .(standing.class()) x=(at(middle - wide / 2.0)) y=(at(scale.y(below + count)))
                            width=(at(wide)) height=(at(scale.y(below) - scale.y(below + count))) {}
                    }
                }
                @if index % every == 0 {
                    text.middle x=(at(middle.clamp(LEFT + 24.0, WIDTH - 30.0))) y=(at(HEIGHT - 8.0)) {
                        (column.start.format(format).to_string())
                    }
                }
            }
        }
        ul.legend {
            @for standing in Standing::ALL { li .(standing.class()) { (standing.words()) } }
        }
    }
}

/// The parts of a column that are not empty, each with what is below it.
fn stacked(column: &Column) -> impl Iterator<Item = (Standing, usize, usize)> {
    let parts = Standing::ALL.into_iter().zip(column.counts);
    let stacked = parts.scan(0, |below, (standing, count)| {
        let part = (standing, *below, count);
        *below += count;
        Some(part)
    });
    stacked.filter(|(_, _, count)| *count > 0)
}

/// How many took how long. The axis is no measure of time: its bins grow.
pub(super) fn histogram(spread: &Spread, median: TimeDelta, most: TimeDelta) -> Markup {
    let bins = spread.bins();
    let scale = Scale::of(bins.iter().map(|bin| bin.count).max().unwrap_or(0), 58.0);
    let each = (WIDTH - LEFT) / float(bins.len());
    let x = |place: f64| LEFT + each * place;
    let marks = [("median", median, 14.0), ("95 %", most, 32.0)];
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
            title { "Time to contain: median " (told(median)) ", 95 % within " (told(most)) }
            (scale.lines())
            @for (index, bin) in bins.iter().enumerate() {
                @let left = x(float(index));
                @if bin.count > 0 {
                    rect.safe x=(at(left + 2.0)) width=(at(each - 4.0)) y=(at(scale.y(bin.count)))
                        height=(at(scale.y(0) - scale.y(bin.count))) {}
                }
                @if let Some((_, end)) = bin.end {
                    @let last = index + 1 == bins.len();
                    text .(if last { "end" } else { "middle" }) x=(at(left + each)) y=(at(HEIGHT - 8.0)) { (end) }
                }
            }
            @for (name, time, y) in marks {
                @let place = x(place(&bins, time));
                @let right = place > WIDTH * 0.75;
                line.mark x1=(at(place)) x2=(at(place)) y1=(at(y - 10.0)) y2=(at(HEIGHT - BELOW)) {}
                @let (side, beside) = if right { ("end", place - 6.0) } else { ("start", place + 6.0) };
                text.strong.(side) x=(at(beside)) y=(at(y)) {
                    (name) " " (told(time))
                }
            }
            @for (index, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
                text.middle.above x=(at(x(float(index) + 0.5))) y=(at(scale.y(bin.count) - 5.0)) { (bin.count) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_few_and_round() {
        assert_eq!(levels(0), [1]);
        assert_eq!(levels(1), [1]);
        assert_eq!(levels(4), [1, 2, 3, 4]);
        assert_eq!(levels(5), [2, 4]);
        assert_eq!(levels(37), [10, 20, 30]);
        assert_eq!(levels(1_000), [500, 1_000]);
    }
}
