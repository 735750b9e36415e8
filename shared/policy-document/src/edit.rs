//! Taking statements out of a document without touching the others.

use std::collections::BTreeSet;

use crate::document::{Document, DocumentError};

/// A removal that was refused.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no statement of this index.
    #[error("the policy document has no statement {index}")]
    NoSuchStatement {
        /// The index.
        index: usize,
    },
    /// What is left is no policy document, which would be a defect of this crate.
    #[error("cannot read what is left of the policy document")]
    Reread(#[source] DocumentError),
}

impl Document {
    /// The document without these statements; `None` if none are left, since AWS takes no document without statements.
    ///
    /// Every other byte stays: all text before the first and after the last statement, and each remaining statement
    /// with its white space and the order of its keys. Of the text between statements, what follows a removed statement
    /// goes with it, or what precedes it if it was the last.
    pub fn without(&self, indexes: &BTreeSet<usize>) -> Result<Option<Self>, EditError> {
        let statements = self.statements();
        if let Some(&index) = indexes.iter().find(|index| **index >= statements.len()) {
            return Err(EditError::NoSuchStatement { index });
        }
        let text = self.text();
        let mut kept = statements.iter().enumerate().filter(|(index, _)| !indexes.contains(index)).peekable();
        if kept.peek().is_none() {
            return Ok(None);
        }
        let begin = statements.first().map_or(0, |statement| statement.span.start);
        let end = statements.last().map_or(begin, |statement| statement.span.end);
        let mut left = String::with_capacity(text.len());
        left.push_str(text.get(..begin).unwrap_or_default());
        while let Some((index, statement)) = kept.next() {
            // A remaining statement brings the separator after it, unless nothing remains to be separated.
            let next = statements.get(index + 1).map_or(end, |next| next.span.start);
            let until = if kept.peek().is_some() { next } else { statement.span.end };
            left.push_str(text.get(statement.span.start..until).unwrap_or_default());
        }
        left.push_str(text.get(end..).unwrap_or_default());
        Self::parse(&left).map(Some).map_err(EditError::Reread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, indexes: &[usize]) -> Option<String> {
        let left = Document::parse(text).unwrap().without(&indexes.iter().copied().collect()).unwrap();
        left.map(|document| document.text().to_owned())
    }

    const A: &str = r#"{"Effect":"Allow", "Action" : "a:b"}"#;
    const B: &str = "{\n \"Action\":\"c:d\"  ,\"Effect\":\"Deny\" }";
    const C: &str = r#"{"anything": [1.0, "\u0041"]}"#;

    #[test]
    fn the_others_stay_byte_for_byte() {
        let text = format!("\n{{ \"Id\" : \"x\",\"Statement\":[ {A} ,\t{B},\n\n {C} ] , \"Version\":\"2012-10-17\"}} ");
        let part =
            |body: &str| Some(format!("\n{{ \"Id\" : \"x\",\"Statement\":[ {body} ] , \"Version\":\"2012-10-17\"}} "));
        assert_eq!(without(&text, &[]), Some(text.clone()));
        assert_eq!(without(&text, &[0]), part(&format!("{B},\n\n {C}")));
        assert_eq!(without(&text, &[1]), part(&format!("{A} ,\t{C}")));
        assert_eq!(without(&text, &[2]), part(&format!("{A} ,\t{B}")));
        assert_eq!(without(&text, &[0, 2]), part(B));
        assert_eq!(without(&text, &[0, 1]), part(C));
        assert_eq!(without(&text, &[0, 1, 2]), None);
    }

    #[test]
    fn a_single_statement_without_a_list_leaves_nothing() {
        let text = format!("{{\"Statement\":{A}}}");
        assert_eq!(without(&text, &[0]), None);
        assert_eq!(without(&text, &[]), Some(text.clone()));
    }

    #[test]
    fn an_index_that_is_not_there_is_refused() {
        let document = Document::parse(&format!("{{\"Statement\":[{A}]}}")).unwrap();
        let refused = document.without(&BTreeSet::from([0, 3])).unwrap_err();
        assert_eq!(refused.to_string(), "the policy document has no statement 3");
    }
}
