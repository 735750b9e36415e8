//! A policy document: its text, and where its statements are in it.

use std::borrow::Cow;
use std::ops::Range;

use json_spans::{elements, members};
use percent_encoding::percent_decode_str;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::statement::Statement;
use crate::version::Version;

/// The longest document that is read, in bytes: the longest that a service we respond for takes.
///
/// Source: AWS KMS Developer Guide, "Creating a key policy", "Key policy format"; Amazon S3's and AWS Lambda's are 20 KB
/// at most, IAM's less.
pub const LARGEST: usize = 32 * 1024;

/// A policy document. Its text is kept byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Document {
    text: String,
    statements: Vec<Statement>,
}

/// Text that is no policy document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is longer than [`LARGEST`].
    #[error("a policy document of {bytes} bytes is longer than AWS takes, which is {LARGEST}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is URL-encoded, and what it encodes is not text.
    #[error("cannot decode the policy document")]
    Decode(#[source] std::str::Utf8Error),
    /// It is not JSON of this shape, or its `Version` or `Statement` occurs twice.
    #[error("cannot parse the policy document")]
    Parse(#[source] serde_json::Error),
    /// It is JSON of another shape.
    #[error("the policy document is not an object with a `Statement` that is an object or an array of them")]
    Shape,
}

impl Document {
    /// Reads a document as an AWS API returns it: JSON, or URL-encoded JSON as IAM's APIs give it.
    ///
    /// Statements that are not understood do not fail the document: each analysis calls them unknown.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        // Encoding makes a byte three at most.
        if text.len() > LARGEST * 3 {
            return Err(DocumentError::TooLong { bytes: text.len() });
        }
        let text = if text.trim_start().starts_with('{') {
            Cow::Borrowed(text)
        } else {
            percent_decode_str(text).decode_utf8().map_err(DocumentError::Decode)?
        };
        if text.len() > LARGEST {
            return Err(DocumentError::TooLong { bytes: text.len() });
        }
        let statements = statements(&text)?;
        Ok(Self { text: text.into_owned(), statements })
    }

    /// The decoded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statements in order. An analysis names a statement by its index here, from 0.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The exact text of one statement; `None` if there is no such statement.
    #[must_use]
    pub fn statement_text(&self, index: usize) -> Option<&str> {
        self.text.get(self.statements.get(index)?.span.clone())
    }
}

impl TryFrom<String> for Document {
    type Error = DocumentError;

    fn try_from(text: String) -> Result<Self, DocumentError> {
        Self::parse(&text)
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.text
    }
}

fn statements(text: &str) -> Result<Vec<Statement>, DocumentError> {
    if !text.trim_start().starts_with('{') {
        return Err(DocumentError::Shape);
    }
    let (mut version, mut statement) = (None, None);
    for (key, span) in members(text).map_err(DocumentError::Parse)? {
        let place = match key.as_str() {
            "Version" => &mut version,
            "Statement" => &mut statement,
            _ => continue,
        };
        // Which of two counts, only AWS knows.
        if place.replace(span).is_some() {
            return Err(DocumentError::Parse(serde_json::Error::custom(format_args!("`{key}` stands twice"))));
        }
    }
    let part = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default();
    let version: Option<String> = match version {
        Some(span) => serde_json::from_str(part(&span)).map_err(DocumentError::Parse)?,
        None => None,
    };
    let version = Version::named(version.as_deref());
    let element = statement.ok_or(DocumentError::Shape)?;
    let spans = match part(&element).as_bytes().first() {
        Some(b'{') => vec![element],
        Some(b'[') => {
            let inside = elements(part(&element)).map_err(DocumentError::Parse)?.into_iter();
            inside.map(|span| element.start + span.start..element.start + span.end).collect()
        }
        _ => return Err(DocumentError::Shape),
    };
    Ok(spans.into_iter().map(|span| Statement::read(part(&span), span, version)).collect())
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    const TEXT: &str =
        "\n{ \"Version\":\"2012-10-17\", \"Statement\":[ {\"Effect\" : \"Allow\",\"Action\":\"a:é\"} ,7]}";

    #[test]
    fn an_encoded_document_is_the_document() {
        let document = Document::parse(TEXT).unwrap();
        assert_eq!(document.text(), TEXT);
        assert_eq!(document.statement_text(0), Some("{\"Effect\" : \"Allow\",\"Action\":\"a:é\"}"));
        assert_eq!(document.statement_text(1), Some("7"));
        assert_eq!(document.statement_text(2), None);
        let encoded = utf8_percent_encode(TEXT, NON_ALPHANUMERIC).to_string();
        assert_eq!(Document::parse(&encoded).unwrap(), document);
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
    }

    #[test]
    fn a_statement_may_stand_alone() {
        let document = Document::parse(r#"{"Statement":{"Sid":"x","Effect":"Deny","Action":"*"}}"#).unwrap();
        let statement = document.statements().first().unwrap();
        assert_eq!((statement.sid(), statement.effect()), (Some("x"), Some(crate::Effect::Deny)));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_reason() {
        let refusal = |text: &str| Document::parse(text).unwrap_err().to_string();
        let shape = "the policy document is not an object with a `Statement` that is an object or an array of them";
        for text in ["{}", "", "[]", "null", r#"{"Statement":7}"#, r#"{"Version":"2012-10-17"}"#] {
            assert_eq!(refusal(text), shape, "{text}");
        }
        for text in
            ["{", r#"{"Statement":[]} x"#, r#"{"Statement":[],"Statement":[]}"#, r#"{"Statement":[],"Version":7}"#]
        {
            assert_eq!(refusal(text), "cannot parse the policy document", "{text}");
        }
        assert_eq!(refusal("%ff"), "cannot decode the policy document");
        let long = format!("{{\"Statement\":[],\"Id\":\"{}\"}}", "x".repeat(LARGEST));
        assert_eq!(refusal(&long), "a policy document of 32792 bytes is longer than AWS takes, which is 32768");
    }
}
