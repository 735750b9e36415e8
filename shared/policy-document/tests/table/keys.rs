//! Whether key policies lock us out.

use cloudtrail::Arn;
use policy_document::{Lockout, locks_out};

use crate::{Case, compare, document, parse, trust};

const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;

fn case((statements, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    Case { shown: (*statements).to_owned(), document: document(&statements.replace("ROOT", ROOT)), verdict, why }
}

pub(crate) fn shown_root() -> &'static str {
    ROOT
}

pub(crate) fn cases() -> Vec<Case> {
    CASES.iter().map(case).collect()
}

/// For the account's root, and for one role.
fn verdict(text: &str) -> String {
    let document = parse(text);
    let say = |arn: &str| match locks_out(&document, &Arn::parse(arn).unwrap(), &trust()) {
        Lockout::No => "in".to_owned(),
        Lockout::LeftToIam => "left to IAM".to_owned(),
        Lockout::Yes => "out".to_owned(),
        Lockout::Unknown(doubt) => format!("unknown: {doubt}"),
    };
    format!("{}; {}", say("arn:aws:iam::111122223333:root"), say("arn:aws:iam::111122223333:role/keeper"))
}

#[test]
fn who_is_locked_out_of_a_key_is_told() {
    compare(&cases(), verdict);
}

const CASES: &[(&str, &str, &str)] = &[
    ("ROOT", "in; left to IAM", "the default key policy"),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/keeper"},"Action":"kms:*","Resource":"*"}"#,
        "out; in",
        "without the account, IAM policies do not count",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:*","Resource":"*"}"#,
        "out; out",
        "somebody else has the key",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*"}"#,
        "out; out",
        "to use is not to change",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"NotAction":"kms:Decrypt","Resource":"*"}"#,
        "in; left to IAM",
        "all but another action",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Put*","Resource":"*"}"#,
        "in; left to IAM",
        "a wildcard that takes it in",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*"}"#,
        "out; out",
        "without `Resource` a statement has no effect in a key policy",
    ),
    (
        r#"ROOT,{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*"}"#,
        "out; out",
        "denied to everybody",
    ),
    (
        r#"ROOT,{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/keeper"}}}"#,
        "out; left to IAM",
        "denied to all but one role",
    ),
    (
        r#"ROOT,{"Effect":"Deny","Principal":"*","Action":"kms:PutKeyPolicy","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"444455556666"}}}"#,
        "out; out",
        "denied to all but another account",
    ),
    (
        r#"ROOT,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        "unknown: statement 1 may deny what this one allows; unknown: statement 1 may deny what this one allows",
        "it depends on the call",
    ),
    (
        r#"ROOT,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/keeper"},"Action":"kms:*","Resource":"*"}"#,
        "in; out",
        "denied to one role",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333"}}}"#,
        "in; in",
        "everybody of our account",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-ours1234"}}}"#,
        "in; in",
        "everybody of our organization",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/other*"}}}"#,
        "out; out",
        "other roles",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}"#,
        "unknown: whether `kms:ViaService` restricts is not known; unknown: whether `kms:ViaService` restricts is not known",
        "it depends on the call",
    ),
];
