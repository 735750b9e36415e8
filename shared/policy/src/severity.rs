//! How bad a finding is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// AWS Security Hub's normalized severity, 0 to 100.
///
/// Source of the bands and of the number for each label: AWS Security Hub User Guide, "AWS Security Finding Format
/// (ASFF)", attribute `Severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

/// A number that is no severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity from 0 to 100")]
pub struct InvalidSeverity(u8);

impl Severity {
    /// No issue was found.
    pub const INFORMATIONAL: Self = Self(0);
    /// Needs no action on its own.
    pub const LOW: Self = Self(1);
    /// Must be dealt with, but not urgently.
    pub const MEDIUM: Self = Self(40);
    /// Must be dealt with as a priority.
    pub const HIGH: Self = Self(70);
    /// Must be dealt with at once.
    pub const CRITICAL: Self = Self(90);

    /// That of a `GuardDuty` finding, which counts from 0.1 to 10.0.
    ///
    /// Source: Amazon `GuardDuty` User Guide, "Severity levels of `GuardDuty` findings".
    #[must_use]
    pub fn of_guardduty(severity: f64) -> Self {
        let normalized = (severity * 10.0).round();
        let number = (0..=100_u8).rev().find(|number| f64::from(*number) <= normalized);
        number.map_or(Self::INFORMATIONAL, Self)
    }

    /// The number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Security Hub's word for the band the number is in.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self.0 {
            0 => "INFORMATIONAL",
            1..40 => "LOW",
            40..70 => "MEDIUM",
            70..90 => "HIGH",
            _ => "CRITICAL",
        }
    }
}

impl TryFrom<u8> for Severity {
    type Error = InvalidSeverity;

    fn try_from(number: u8) -> Result<Self, InvalidSeverity> {
        if number <= 100 { Ok(Self(number)) } else { Err(InvalidSeverity(number)) }
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> Self {
        severity.0
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_begins_at_its_constant() {
        let label = |number: u8| Severity::try_from(number).map(Severity::label);
        for (number, expected) in [
            (0, "INFORMATIONAL"),
            (1, "LOW"),
            (39, "LOW"),
            (40, "MEDIUM"),
            (69, "MEDIUM"),
            (70, "HIGH"),
            (89, "HIGH"),
            (90, "CRITICAL"),
            (100, "CRITICAL"),
        ] {
            assert_eq!(label(number), Ok(expected), "{number}");
        }
        assert_eq!(label(101), Err(InvalidSeverity(101)));
        assert_eq!(serde_json::to_string(&Severity::HIGH).unwrap(), "70");
        assert_eq!(
            serde_json::from_str::<Severity>("200").unwrap_err().to_string(),
            "`200` is not a severity from 0 to 100"
        );
    }

    #[test]
    fn guarddutys_ten_is_a_hundred() {
        for (theirs, ours) in
            [(0.1, 1), (5.0, 50), (8.24, 82), (8.25, 83), (10.0, 100), (99.0, 100), (-1.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(Severity::of_guardduty(theirs).get(), ours, "{theirs}");
        }
    }
}
