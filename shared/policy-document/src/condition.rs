//! The `Condition` element.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
//! keys". Operators and keys are compared without regard to case, values with.

use crate::version::Version;

/// One key of one operator: all conditions of a statement must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// As written.
    pub(crate) operator: String,
    pub(crate) test: Option<Test>,
    /// `true` for a negated operator such as `StringNotLike`.
    pub(crate) is_negated: bool,
    pub(crate) quantifier: Quantifier,
    pub(crate) if_exists: bool,
    /// As written.
    pub(crate) key: String,
    /// Any one of them suffices; for a negated operator none of them may hold.
    pub(crate) values: Vec<String>,
    pub(crate) version: Version,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// Text, without wildcards.
    Equal { ignore_case: bool },
    /// Text, with wildcards.
    Like,
    /// An ARN, part by part, with wildcards. `ArnEquals` and `ArnLike` are the same.
    Arn,
    /// An address in a block.
    Address,
    /// `true` or `false`.
    Bool,
    /// Whether the key is missing.
    Null,
    /// A number.
    Number,
    /// A time.
    Date,
    /// Base64.
    Binary,
}

/// How many values of a multivalued key must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// Not said: for keys with one value.
    One,
    /// `ForAnyValue:`; false where the key is missing.
    Any,
    /// `ForAllValues:`; true where the key is missing.
    All,
}

impl Condition {
    pub(crate) fn new(operator: &str, key: &str, values: Vec<String>, version: Version) -> Self {
        let name = operator.to_ascii_lowercase();
        let (quantifier, name) = match name.split_once(':') {
            Some(("foranyvalue", name)) => (Quantifier::Any, name),
            Some(("forallvalues", name)) => (Quantifier::All, name),
            _ => (Quantifier::One, name.as_str()),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |name| (name, true));
        let (test, is_negated) = match name {
            "stringequals" => (Some(Test::Equal { ignore_case: false }), false),
            "stringnotequals" => (Some(Test::Equal { ignore_case: false }), true),
            "stringequalsignorecase" => (Some(Test::Equal { ignore_case: true }), false),
            "stringnotequalsignorecase" => (Some(Test::Equal { ignore_case: true }), true),
            "stringlike" => (Some(Test::Like), false),
            "stringnotlike" => (Some(Test::Like), true),
            "arnequals" | "arnlike" => (Some(Test::Arn), false),
            "arnnotequals" | "arnnotlike" => (Some(Test::Arn), true),
            "ipaddress" => (Some(Test::Address), false),
            "notipaddress" => (Some(Test::Address), true),
            "bool" => (Some(Test::Bool), false),
            "null" if !if_exists && quantifier == Quantifier::One => (Some(Test::Null), false),
            "numericequals"
            | "numericlessthan"
            | "numericlessthanequals"
            | "numericgreaterthan"
            | "numericgreaterthanequals" => (Some(Test::Number), false),
            "numericnotequals" => (Some(Test::Number), true),
            "dateequals" | "datelessthan" | "datelessthanequals" | "dategreaterthan" | "dategreaterthanequals" => {
                (Some(Test::Date), false)
            }
            "datenotequals" => (Some(Test::Date), true),
            "binaryequals" => (Some(Test::Binary), false),
            _ => (None, false),
        };
        let (operator, key) = (operator.to_owned(), key.to_owned());
        Self { operator, test, is_negated, quantifier, if_exists, key, values, version }
    }

    /// Whether it holds where the request has no such key.
    pub(crate) fn holds_without_key(&self) -> bool {
        match self.quantifier {
            Quantifier::All => true,
            Quantifier::Any => self.if_exists,
            Quantifier::One => self.is_negated || self.if_exists,
        }
    }

    /// The one value of a `Bool` or `Null`; `None` if there is not exactly one that is `true` or `false`.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.values.as_slice() {
            [value] if value.eq_ignore_ascii_case("true") => Some(true),
            [value] if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(operator: &str) -> Condition {
        Condition::new(operator, "aws:SourceIp", Vec::new(), Version::WithVariables)
    }

    #[test]
    fn an_operator_is_its_parts_in_any_case() {
        let parts = |operator: &str| {
            let condition = condition(operator);
            (condition.test, condition.is_negated, condition.quantifier, condition.if_exists)
        };
        assert_eq!(parts("StringLike"), (Some(Test::Like), false, Quantifier::One, false));
        assert_eq!(parts("forallvalues:ARNNotEqualsIfExists"), (Some(Test::Arn), true, Quantifier::All, true));
        assert_eq!(
            parts("ForAnyValue:stringequals"),
            (Some(Test::Equal { ignore_case: false }), false, Quantifier::Any, false)
        );
        assert_eq!(parts("Null"), (Some(Test::Null), false, Quantifier::One, false));
        for unknown in ["NullIfExists", "ForAllValues", "StringContains", "", "ForSomeValues:StringLike"] {
            assert_eq!(condition(unknown).test, None, "{unknown}");
        }
    }

    #[test]
    fn a_missing_key_passes_negations_if_exists_and_for_all_values() {
        for passes in ["StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "NotIpAddress"] {
            assert!(condition(passes).holds_without_key(), "{passes}");
        }
        for fails in ["StringEquals", "ForAnyValue:StringLike", "ForAnyValue:StringNotLike", "IpAddress"] {
            assert!(!condition(fails).holds_without_key(), "{fails}");
        }
    }
}
