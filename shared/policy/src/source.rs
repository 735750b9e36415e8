//! Text, and places in it.

use miette::Diagnostic;

use crate::{Level, Problem};

/// The text of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What problems call it: a file name or path.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Source {
    /// A text under the name that problems will call it by.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// An error at a byte offset; beyond the end it is at the end.
    pub(crate) fn error(&self, offset: usize, message: impl Into<String>, help: Option<String>) -> Problem {
        self.problem(Level::Error, offset, message.into(), help)
    }

    /// What serde says, at the place where it says so.
    pub(crate) fn json_error(&self, error: &serde_json::Error, form: &str) -> Problem {
        let before: usize = self.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let whole = error.to_string();
        let message = whole.split(" at line ").next().unwrap_or_default();
        self.error(before + error.column().saturating_sub(1), message, Some(form.to_owned()))
    }

    /// What Cedar says, at the place where it says so, else at `offset`.
    pub(crate) fn diagnostic(&self, level: Level, offset: usize, diagnostic: &dyn Diagnostic) -> Problem {
        let label = diagnostic.labels().and_then(|mut labels| labels.next());
        let offset = label.as_ref().map_or(offset, miette::LabeledSpan::offset);
        let help = diagnostic
            .help()
            .map(|help| help.to_string())
            .or_else(|| label.and_then(|label| label.label().map(str::to_owned)));
        self.problem(level, offset, diagnostic.to_string(), help)
    }

    /// The line and column of a byte offset, both from 1.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.text.floor_char_boundary(offset)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let col = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, col)
    }

    fn problem(&self, level: Level, offset: usize, message: String, help: Option<String>) -> Problem {
        let (line, col) = self.place(offset);
        Problem { file: self.name.clone(), line, col, level, message, help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_and_stays_in_the_text() {
        let source = Source::new("x", "ä\nöü@\n");
        let at = source.text.find('@').unwrap();
        assert_eq!(source.place(at), (2, 3));
        assert_eq!(source.place(1), (1, 1));
        assert_eq!(source.place(1000), (3, 1));
        assert_eq!(source.error(at, "no", Some("yes".to_owned())).to_string(), "x:2:3: no (yes)");
    }
}
