//! Text that nobody meant well.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cloudtrail::Arn;
use policy_document::{Document, LARGEST, admin, exposure, locks_out, opened};
use proptest::prelude::*;

use crate::made::{document, statement};
use crate::trust;

/// Runs every analysis.
pub(crate) fn analyse(document: &Document) {
    let root = Arn::parse("arn:aws:iam::111122223333:root").unwrap();
    let _grants = exposure(document, &trust());
    let _openings = opened(Some(document), document, &trust());
    let _verdict = admin(&[document, document], Some(&root), &trust());
    let _lockout = locks_out(document, &root, &trust());
    for index in 0..document.statements().len() {
        let _left = document.without(&BTreeSet::from([index])).unwrap();
    }
}

/// Any JSON.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<i32>().prop_map(|number| number.to_string()),
        "[a-zA-Z0-9:*?/${}.-]{0,12}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = proptest::sample::select(
            &["Effect", "Action", "NotAction", "Resource", "Principal", "AWS", "Condition", "StringLike", "Sid", "x"][..],
        );
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_a_document_or_not(text in any::<String>()) {
        if let Ok(document) = Document::parse(&text) {
            analyse(&document);
        }
    }

    #[test]
    fn any_json_is_a_document_or_not(statement in json(), version in json()) {
        let bare = format!(r#"{{"Version":{version},"Statement":{statement}}}"#);
        let listed = format!(r#"{{"Version":"2012-10-17","Statement":[{statement},{{"Effect":"Allow","Principal":"*","Action":{statement}}}]}}"#);
        for text in [bare, listed] {
            if let Ok(document) = Document::parse(&text) {
                analyse(&document);
            }
        }
    }

    #[test]
    fn a_document_cut_anywhere_is_a_document_or_not(statement in statement("Allow"), at in any::<prop::sample::Index>()) {
        let text = document(&[statement]);
        let cut: String = text.chars().take(at.index(text.len())).collect();
        if let Ok(document) = Document::parse(&cut) {
            analyse(&document);
        }
    }

    #[test]
    fn what_is_left_is_left_byte_for_byte(
        statements in prop::collection::vec((statement("Allow"), "[ \n\t]{0,3}", "[ \n\t]{0,3}"), 1..6),
        chosen in any::<u8>(),
        around in ("[ \n\t]{0,3}", "[ \n\t]{0,3}"),
    ) {
        let body: Vec<String> =
            statements.iter().map(|(text, before, after)| format!("{before}{}{after}", text.replace(',', "\t, "))).collect();
        let head = format!("{}{{ \"Id\":\"a,b\",\"Statement\" : [", around.0);
        let tail = format!("]  ,\"Version\":\"2012-10-17\"}}{}", around.1);
        let text = format!("{head}{}{tail}", body.join(","));
        let document = Document::parse(&text).unwrap();
        let removed: BTreeSet<usize> = (0..statements.len()).filter(|index| chosen >> index & 1 == 1).collect();
        let kept: Vec<usize> = (0..statements.len()).filter(|index| !removed.contains(index)).collect();
        match document.without(&removed).unwrap() {
            None => prop_assert!(kept.is_empty()),
            Some(left) => {
                prop_assert_eq!(left.statements().len(), kept.len());
                for (new, old) in kept.iter().enumerate() {
                    prop_assert_eq!(left.statement_text(new), document.statement_text(*old));
                }
                prop_assert!(left.text().starts_with(&head) && left.text().ends_with(&tail), "{}", left.text());
                prop_assert!(left.text().len() <= text.len());
            }
        }
    }
}

#[test]
fn the_largest_hostile_documents_take_seconds_at_most() {
    let fill = |part: &str| {
        let count = (LARGEST - 400) / (part.len() + 1);
        vec![part; count].join(",")
    };
    let wide = |actions: &str, denies: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":[{actions}],"Resource":"*"}},{{"Effect":"Deny","Principal":"*","Action":[{denies}],"Resource":"*","Condition":{{"StringEquals":{{"a:b":"c"}}}}}}]}}"#
        )
    };
    let half = |part: &str| vec![part; (LARGEST - 400) / (part.len() + 1) / 2].join(",");
    let stars = format!("\"{}b\"", "*a".repeat(60));
    let denial =
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:x*","Resource":"*","Condition":{"StringEquals":{"a:b":"c"}}}"#;
    let accounts: Vec<String> = (0..LARGEST / 2 / 15).map(|number| format!("\"{number:012}\"")).collect();
    let documents = [
        wide(&half(r#""a:*""#), &half(r#""a:*b""#)),
        wide(&half(&stars), &half(&format!("\"{}a\"", "?".repeat(100)))),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}},{}]}}"#,
            fill(denial)
        ),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":[{}]}},"Action":"s3:*","Resource":"*"}},{}]}}"#,
            accounts.join(","),
            vec![denial; LARGEST / 2 / (denial.len() + 1) - 3].join(",")
        ),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            fill(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#)
        ),
        format!(r#"{{"Statement":{}}}"#, "[".repeat(LARGEST - 20)),
    ];
    for text in documents {
        let start = Instant::now();
        assert!(text.len() <= LARGEST, "{}", text.len());
        if let Ok(document) = Document::parse(&text) {
            let _grants = exposure(&document, &trust());
            let _verdict = admin(&[&document], None, &trust());
            let _openings = opened(None, &document, &trust());
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?} {:.200}", start.elapsed(), text);
    }
    Document::parse(&" ".repeat(LARGEST * 3 + 1)).unwrap_err();
}
