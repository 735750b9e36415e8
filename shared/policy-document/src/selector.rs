//! `Action` and `Resource`, or their `Not` forms.

use crate::pattern::Pattern;

/// What a statement selects: what one of the patterns matches, or what none of them does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) is_negated: bool,
}

impl Selector {
    /// Whether it surely selects `text`.
    pub(crate) fn selects(&self, text: &Pattern) -> bool {
        if self.is_negated {
            !self.patterns.iter().any(|pattern| pattern.may_meet(text))
        } else {
            self.patterns.iter().any(|pattern| pattern.includes(text))
        }
    }

    /// Whether it may select some of `text`. False is sure, true is not.
    pub(crate) fn may_select(&self, text: &Pattern) -> bool {
        if self.is_negated {
            !self.patterns.iter().any(|pattern| pattern.includes(text))
        } else {
            self.patterns.iter().any(|pattern| pattern.may_meet(text))
        }
    }

    /// Whether it surely selects all that `other` selects.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if !other.is_negated {
            return other.patterns.iter().all(|pattern| self.selects(pattern));
        }
        if self.is_negated {
            self.patterns.iter().all(|pattern| other.patterns.iter().any(|kept| kept.includes(pattern)))
        } else {
            self.patterns.iter().any(|pattern| pattern.as_str() == "*")
        }
    }

    /// Whether it may select something that `other` selects. False is sure, true is not.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        match (self.is_negated, other.is_negated) {
            (_, false) => other.patterns.iter().any(|pattern| self.may_select(pattern)),
            (false, true) => self.patterns.iter().any(|pattern| other.may_select(pattern)),
            (true, true) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    fn selector(patterns: &[&str], is_negated: bool) -> Selector {
        let patterns = patterns.iter().map(|text| Pattern::new(text, Version::WithVariables)).collect();
        Selector { patterns, is_negated }
    }

    #[test]
    fn covering_holds_for_every_pattern() {
        let get = selector(&["s3:get*", "s3:list*"], false);
        assert!(selector(&["s3:*"], false).covers(&get));
        assert!(!selector(&["s3:get*"], false).covers(&get));
        assert!(selector(&["iam:*"], true).covers(&get));
        assert!(!selector(&["s3:getobject"], true).covers(&get));
        let all_but_iam = selector(&["iam:*"], true);
        assert!(selector(&["*"], false).covers(&all_but_iam));
        assert!(!selector(&["s3:*"], false).covers(&all_but_iam));
        assert!(selector(&["iam:get*"], true).covers(&all_but_iam));
        assert!(!selector(&["s3:*"], true).covers(&all_but_iam));
    }

    #[test]
    fn what_cannot_meet_is_told() {
        let get = selector(&["s3:get*"], false);
        assert!(!selector(&["s3:put*"], false).may_meet(&get));
        assert!(selector(&["s3:*object"], false).may_meet(&get));
        assert!(!selector(&["s3:*"], true).may_meet(&get));
        assert!(!get.may_meet(&selector(&["s3:*"], true)));
        assert!(selector(&["s3:*"], true).may_meet(&selector(&["iam:*"], true)));
    }
}
