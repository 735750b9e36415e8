//! A series of values as one line of text.

use serde::Serialize;

/// From nothing to the most.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where there is no value, which is not nothing.
const UNKNOWN: char = '·';

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    Bytes,
    Count,
    Percent,
}

/// One mark for each value, as high as it is beside the greatest. The lowest mark is nothing.
pub(super) fn draw(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    values.iter().map(|value| value.map_or(UNKNOWN, |value| block(value, most))).collect()
}

fn block(value: f64, most: f64) -> char {
    let [nothing, .., full] = BLOCKS;
    if value <= 0.0 || most <= 0.0 {
        return nothing;
    }
    // Whatever is more than nothing shows.
    let above = BLOCKS.iter().skip(1).zip(1_u8..).find(|(_, step)| value <= most * f64::from(*step) / 7.0);
    above.map_or(full, |(block, _)| *block)
}

/// The least and the greatest of the values that are known; `None` if none is.
pub(super) fn range(values: &[Option<f64>], unit: Unit) -> Option<String> {
    let least = values.iter().flatten().copied().reduce(f64::min)?;
    let most = values.iter().flatten().copied().reduce(f64::max)?;
    let [least, most] = [least, most].map(|value| amount(value, unit));
    Some(if least == most { format!("all {most}") } else { format!("{least} to {most}") })
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{value:.1} %"),
        Unit::Count => scaled(value, ["", " k", " M", " G"]),
        Unit::Bytes => scaled(value, [" B", " kB", " MB", " GB"]),
    }
}

/// With the first of the units, each a thousand of the one before it, in which there are less than a thousand.
fn scaled(value: f64, [one, units @ ..]: [&str; 4]) -> String {
    // What is printed as 1000 is too much for its unit.
    if value < 999.5 {
        return format!("{value:.0}{one}");
    }
    let (mut value, mut unit) = (value, one);
    for larger in units {
        (value, unit) = (value / 1000.0, larger);
        if value < 999.95 {
            break;
        }
    }
    format!("{value:.1}{unit}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_as_high_as_the_values() {
        let values: Vec<Option<f64>> = (0..8).map(|value| Some(f64::from(value))).collect();
        assert_eq!(draw(&values), "▁▂▃▄▅▆▇█");
        assert_eq!(draw(&[Some(0.0), Some(0.001), None, Some(100.0)]), "▁▂·█");
        assert_eq!(draw(&[Some(0.0), Some(0.0)]), "▁▁", "all nothing is not all full");
        assert_eq!(draw(&[Some(5.0), Some(5.0)]), "██");
        assert_eq!(draw(&[None, None]), "··");
    }

    #[test]
    fn a_range_is_told_in_units_that_people_read() {
        assert_eq!(range(&[Some(0.4), None, Some(97.23)], Unit::Percent).unwrap(), "0.4 % to 97.2 %");
        assert_eq!(range(&[Some(0.0), Some(1_234_567.0)], Unit::Bytes).unwrap(), "0 B to 1.2 MB");
        assert_eq!(range(&[Some(999.0), Some(999.9)], Unit::Count).unwrap(), "999 to 1.0 k");
        assert_eq!(range(&[Some(999_960.0), Some(5e12)], Unit::Bytes).unwrap(), "1.0 MB to 5000.0 GB");
        assert_eq!(range(&[Some(3.0), Some(3.0)], Unit::Count).unwrap(), "all 3");
        assert_eq!(range(&[None], Unit::Count), None);
    }

    proptest! {
        #[test]
        fn whatever_the_values_a_line_has_one_mark_for_each(values: Vec<Option<f64>>) {
            let marks: Vec<char> = draw(&values).chars().collect();
            prop_assert_eq!(marks.len(), values.len());
            for (value, mark) in values.iter().zip(marks) {
                prop_assert_eq!(value.is_none(), mark == UNKNOWN);
            }
        }

        #[test]
        fn a_greater_value_has_no_lower_mark(a in 0.0..1e12_f64, b in 0.0..1e12_f64) {
            let line = draw(&[Some(a), Some(b)]);
            let marks: Vec<char> = line.chars().collect();
            prop_assert_eq!(a < b && marks[0] > marks[1], false);
        }
    }
}
