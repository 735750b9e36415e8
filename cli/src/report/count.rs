//! How many of what.

use std::collections::BTreeMap;

use super::row::Row;

/// How many rows have which name: the most first, then by name.
pub(super) fn by<'a, K: Ord>(rows: &'a [Row], name: impl Fn(&'a Row) -> K) -> Vec<(K, usize)> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(name(row)).or_insert(0) += 1;
    }
    let mut counts: Vec<(K, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// A count to draw with. Nobody draws four thousand million of anything.
pub(super) fn float(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

/// `1 incident`, `2 incidents`.
pub(crate) fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
