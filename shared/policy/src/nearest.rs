//! "Did you mean …?"

/// The known word that `word` is most likely a misspelling of, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of characters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (above, a) in a.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (b, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let up = *cell;
            left = (diagonal + usize::from(a != b)).min(left + 1).min(up + 1);
            diagonal = up;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein_s() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("limit", "limits", 1),
            ("ö", "o", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_a_near_word_is_offered() {
        let known = ["id", "limit", "mode", "reason"];
        assert_eq!(nearest("reasn", known), Some("reason"));
        assert_eq!(nearest("lmit", known), Some("limit"));
        assert_eq!(nearest("severity", known), None);
        assert_eq!(nearest("", known), None);
    }
}
