//! Documents and their verdicts: each case is a row of `docs/policy-analysis.md`, so neither can drift.

#![cfg(test)]

mod administrators;
mod anyone;
mod denials;
mod keys;
mod openings;
mod page;
mod principals;

use std::sync::Arc;

use cloudtrail::{AccountId, Partition};
use policy_document::{Document, Trust, exposure};

/// Ours; `222233334444` is trusted, `444455556666` foreign, `o-ours1234` our organization.
pub(crate) fn trust() -> Trust {
    let account = |id: &str| AccountId::parse(id).unwrap();
    Trust {
        account: account("111122223333"),
        partition: Partition::Aws,
        organization: Some("o-ours1234".to_owned()),
        accounts: Arc::new([account("222233334444")].into()),
    }
}

/// One row.
pub(crate) struct Case {
    /// What the table shows of the document.
    pub(crate) shown: String,
    /// The document.
    pub(crate) document: String,
    /// What the analysis must say.
    pub(crate) verdict: &'static str,
    /// Why that is right.
    pub(crate) why: &'static str,
}

/// A document of these statements.
pub(crate) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

pub(crate) fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What exposure says of each Allow statement.
pub(crate) fn verdict(document: &str) -> String {
    let grants = exposure(&parse(document), &trust());
    grants.iter().map(|grant| grant.access.to_string()).collect::<Vec<_>>().join("; ")
}

/// Fails with all differences at once.
pub(crate) fn compare(cases: &[Case], judge: impl Fn(&str) -> String) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let actual = judge(&case.document);
            (actual != case.verdict)
                .then(|| format!("{}\n  expected {}\n  actual   {actual}", case.document, case.verdict))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
