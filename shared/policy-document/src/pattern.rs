//! Patterns of actions, ARNs and condition values: `*` stands for any text, `?` for any one character.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Resource", "…: Action" and "Variables and tags".

use crate::version::Version;

/// A pattern as a policy writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    /// Whether it contains a policy variable, so that what it matches depends on the request.
    is_variable: bool,
}

impl Pattern {
    pub(crate) fn new(text: &str, version: Version) -> Self {
        Self { text: text.to_owned(), is_variable: version.has_variable(text) }
    }

    /// Actions are compared without regard to case.
    pub(crate) fn of_action(text: &str, version: Version) -> Self {
        Self::new(&text.to_ascii_lowercase(), version)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it contains a policy variable and ends with this text, in any case.
    pub(crate) fn is_variable_ending(&self, end: &str) -> bool {
        let start = self.text.len().checked_sub(end.len());
        self.is_variable && start.and_then(|at| self.text.get(at..)).is_some_and(|rest| rest.eq_ignore_ascii_case(end))
    }

    /// Whether it surely matches `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        !self.is_variable && glob(&self.text, text, Wildcards::AreText)
    }

    /// Whether it surely matches all that `other` matches.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        if other.is_variable {
            return self.text == "*";
        }
        !self.is_variable && glob(&self.text, &other.text, Wildcards::AreWildcards)
    }

    /// Whether some text may match both. False is sure, true is not.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        if self.is_variable || other.is_variable {
            return true;
        }
        if !has_wildcard(&self.text) {
            return other.matches(&self.text);
        }
        if !has_wildcard(&other.text) {
            return self.matches(&other.text);
        }
        agree(self.text.bytes(), other.text.bytes()) && agree(self.text.bytes().rev(), other.text.bytes().rev())
    }
}

/// Whether two patterns are the same up to the first wildcard of either.
fn agree(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> bool {
    one.zip(other).take_while(|(a, b)| !matches!(a, b'*' | b'?') && !matches!(b, b'*' | b'?')).all(|(a, b)| a == b)
}

/// Whether there is a wildcard in `text`.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// What wildcards in the text that is matched are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// Plain characters.
    AreText,
    /// Wildcards of a pattern, which only wildcards can match.
    AreWildcards,
}

/// Matches in at most pattern × text steps, however many wildcards there are: it goes back to the last `*` only.
pub(crate) fn glob(pattern: &str, text: &str, wildcards: Wildcards) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let is_wild = |byte: u8| wildcards == Wildcards::AreWildcards && matches!(byte, b'*' | b'?');
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(place) {
        let is_next = match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, place));
                at += 1;
                continue;
            }
            Some(b'?') => !(is_wild(byte) && byte == b'*'),
            Some(expected) => *expected == byte,
            None => false,
        };
        if is_next {
            let is_any = pattern.get(at) == Some(&b'?');
            (at, place) = (at + 1, if is_any { after_char(text, place) } else { place + 1 });
        } else if let Some((after_star, from)) = retry {
            let from = after_char(text, from);
            retry = Some((after_star, from));
            (at, place) = (after_star, from);
        } else {
            return false;
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Where the character that begins at `place` ends: wildcards count characters, not bytes.
fn after_char(text: &[u8], place: usize) -> usize {
    let rest = text.iter().skip(place + 1);
    place + 1 + rest.take_while(|byte| **byte & 0xc0 == 0x80).count()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text, Version::WithVariables)
    }

    /// The definition of matching, without regard to time.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                slow(rest, text) || text.split_first().is_some_and(|(_, text)| slow(pattern, text))
            }
            (Some(('?', rest)), Some((_, text))) => slow(rest, text),
            (Some((a, rest)), Some((b, text))) => a == b && slow(rest, text),
            _ => false,
        }
    }

    #[test]
    fn wildcards_match_as_in_iam() {
        for (glob, text) in [
            ("*", ""),
            ("s3:*", "s3:getobject"),
            ("iam:*policy*", "iam:putuserpolicy"),
            ("iam:put?serpolicy", "iam:putuserpolicy"),
            ("arn:aws:iam::*:root", "arn:aws:iam::111122223333:root"),
            ("a**b", "ab"),
        ] {
            assert!(pattern(glob).matches(text), "{glob} {text}");
        }
        for (glob, text) in [("", "a"), ("s3:Get*", "s3:getobject"), ("?", ""), ("a?", "a"), ("a*b", "abc")] {
            assert!(!pattern(glob).matches(text), "{glob} {text}");
        }
    }

    #[test]
    fn a_policy_variable_surely_matches_nothing_and_may_match_anything() {
        let variable = pattern("arn:aws:iam::*:user/${aws:username}");
        assert!(!variable.matches("arn:aws:iam::1:user/${aws:username}"));
        assert!(variable.may_meet(&pattern("x")));
        assert!(pattern("*").includes(&variable));
        assert!(!pattern("arn:aws:iam::*:user/*").includes(&variable));
        assert!(Pattern::new("${a}", Version::WithoutVariables).matches("${a}"));
    }

    #[test]
    fn what_includes_another_matches_all_of_it() {
        for (large, small) in [("*", "s3:*"), ("s3:*", "s3:get*"), ("s3:*t", "s3:*object?t"), ("a?c", "a?c")] {
            assert!(pattern(large).includes(&pattern(small)), "{large} {small}");
        }
        for (large, small) in [("s3:get*", "s3:*"), ("a?c", "a*c"), ("s3:*", "*"), ("abc", "a?c")] {
            assert!(!pattern(large).includes(&pattern(small)), "{large} {small}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_its_size_allows() {
        let start = Instant::now();
        let text = "a".repeat(16_000);
        assert!(!pattern(&format!("{}b", "a*".repeat(8_000))).matches(&text));
        assert!(!pattern(&format!("{}b", "*?".repeat(8_000))).matches(&text));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn it_matches_what_the_definition_matches(glob in "[ab€*?]{0,8}", text in "[ab€]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(pattern(&glob).matches(&text), slow(&chars(&glob), &chars(&text)));
        }

        #[test]
        fn inclusion_and_meeting_are_true_to_matching(
            one in "[ab*?]{0,6}", other in "[ab*?]{0,6}", text in "[ab]{0,6}",
        ) {
            let (one, other) = (pattern(&one), pattern(&other));
            if one.includes(&other) && other.matches(&text) {
                prop_assert!(one.matches(&text));
            }
            if one.matches(&text) && other.matches(&text) {
                prop_assert!(one.may_meet(&other));
            }
        }
    }
}
