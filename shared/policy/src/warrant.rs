//! The right to write.

/// Proof that somebody entitled to it allowed one write. What takes `&Warrant` cannot run without a decision.
///
/// Sealed: only [`Policies::decide`](crate::Policies::decide), for the verdict `enforce`,
/// [`Decision::approved`](crate::Decision::approved) and [`Warrant::for_undo`] make one. It cannot be copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Warrant {
    sealed: (),
}

impl Warrant {
    /// The right of an operator to put back, with their own credentials, what we changed.
    ///
    /// Only undo in crate `remedy` may call this; `clippy.toml` bans it everywhere else.
    #[must_use]
    pub fn for_undo() -> Self {
        Self { sealed: () }
    }

    /// Only a decision may call this.
    pub(crate) fn by_policy() -> Self {
        Self { sealed: () }
    }
}
