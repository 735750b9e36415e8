//! The version of the policy language.

/// What `${…}` means in a document.
///
/// Source: IAM User Guide, "IAM JSON policy elements: Version": without `2012-10-17`, variables such as
/// `${aws:username}` are treated as literal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `2012-10-17`.
    WithVariables,
    /// `2008-10-17`, which is also the default.
    WithoutVariables,
}

impl Version {
    pub(crate) fn named(name: Option<&str>) -> Self {
        if name == Some("2012-10-17") { Self::WithVariables } else { Self::WithoutVariables }
    }

    pub(crate) fn has_variable(self, text: &str) -> bool {
        self == Self::WithVariables && text.contains("${")
    }
}
