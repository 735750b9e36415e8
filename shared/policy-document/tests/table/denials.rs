//! What Deny statements take back.

use crate::{Case, compare, document, verdict};

const ALLOW: &str = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;

fn case((statements, verdict, why): &(&'static str, &'static str, &'static str)) -> Case {
    Case { shown: (*statements).to_owned(), document: document(&statements.replace("ALLOW", ALLOW)), verdict, why }
}

pub(crate) fn shown_allow() -> &'static str {
    ALLOW
}

pub(crate) fn cases() -> Vec<Case> {
    CASES.iter().map(case).collect()
}

#[test]
fn what_is_denied_again_is_not_let_in() {
    compare(&cases(), verdict);
}

const CASES: &[(&str, &str, &str)] = &[
    (r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#, "nobody", "all is denied again"),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-ours1234"}}}"#,
        "within",
        "all but our organization is denied, also who is in none",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-ours1234"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}"#,
        "unguarded service *",
        "the AWS data perimeter's form: our organization and AWS services are left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-theirs5678"}}}"#,
        "foreign o-theirs5678",
        "another organization is left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}"#,
        "pinned to aws:SourceIp 203.0.113.0/24",
        "one network is left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/reader"}}}"#,
        "within",
        "a role of ours is left: the form that AWS recommends instead of `NotPrincipal`",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/reader","111122223333"]},"Action":"*","Resource":"*"}"#,
        "within",
        "we are left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","NotAction":"s3:ListBucket","Principal":"*","Resource":"*"}"#,
        "nobody",
        "all but another action is denied",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","NotResource":"arn:aws:s3:::other/*"}"#,
        "nobody",
        "all but another bucket is denied",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
        "public",
        "everybody can use TLS",
    ),
    (r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}"#, "public", "another action"),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/secret/*"}"#,
        "public",
        "the rest of the bucket is left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}"#,
        "public",
        "all the others are left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-theirs5678"}}}"#,
        "public",
        "all the others are left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}"#,
        "public",
        "all other networks are left",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        "public",
        "anybody can have MFA",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-ours1234","aws:UserAgent":"x"}}}"#,
        "public",
        "who sends this agent is spared: both conditions must hold to deny",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"example:Key":"x"}}}"#,
        "unknown: statement 1 may deny what this one allows",
        "an unknown key",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}"#,
        "unknown: statement 1 may deny what this one allows",
        "whether it is that late, is not judged",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringNotLike":{"aws:PrincipalOrgPaths":"o-ours1234/*"}}}"#,
        "unknown: statement 1 may deny what this one allows",
        "who is in no organization may or may not be spared",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:*"}}}"#,
        "unknown: statement 1 may deny what this one allows",
        "hardly anybody is left",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"*"}"#,
        "public",
        "`s3:GetObject`, for one, is left",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:GetObjectAcl","s3:GetObjectVersion"],"Resource":"*"}"#,
        "unknown: statement 1 may deny what this one allows",
        "whether an action that matters is left, is not known",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"444455556666"}}}"#,
        "nobody",
        "just this account is denied",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/x"},"Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}"#,
        "nobody",
        "its whole account is denied",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::444455556666:role/x"},"Action":"*","Resource":"*"}"#,
        "foreign 444455556666",
        "the rest of the account is left",
    ),
    (
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-ours1234"}}}"#,
        "within",
        "as long as the account is in our organization",
    ),
    (
        r#"ALLOW,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Conditions":{}}"#,
        "unknown: statement 1 may deny what this one allows; unknown: the statement is not understood from its line 1, column 73 on",
        "an element that AWS does not document",
    ),
    (
        r#"ALLOW,{"Effect":"Allow","Actions":"x"}"#,
        "public; unknown: the statement is not understood from its line 1, column 27 on",
        "what surely allows takes nothing back",
    ),
    (
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#,
        "unknown: the statement is not complete: it names no principal",
        "an identity policy's statement",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Resource":"*"}"#,
        "unknown: the statement is not complete: it has not exactly one of `Action` and `NotAction`",
        "AWS would refuse it",
    ),
    (
        r#"{"Effect":"allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#,
        "unknown: the statement is not understood from its line 1, column 17 on",
        "values of `Effect` are compared with regard to case",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"example:Key":"x"}}},{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333","444455556666"]},"Action":"*","Resource":"*"}"#,
        "unknown: whether `example:Key` restricts is not known",
        "being left by a Deny statement grants nothing",
    ),
    (
        r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-ours1234","AWS:PrincipalOrgID":"*"}}}"#,
        "unknown: the statement is not understood from its line 1, column 161 on",
        "a key that occurs twice: which one counts, is not ours to guess",
    ),
];
