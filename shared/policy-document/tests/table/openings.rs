//! What changes of trust policies open.

use policy_document::{OpeningKind, opened};

use crate::{Case, compare, document, parse, trust};

/// The documents before and after, in one text.
const BETWEEN: &str = " ⟶ ";

fn case((before, after, verdict, why): &(&'static str, &'static str, &'static str, &'static str)) -> Case {
    let whole =
        |statements: &str| statements.replace('«', r#"{"Effect":"Allow","Action":"sts:AssumeRole","#).replace('»', "}");
    Case {
        shown: format!("{before}{BETWEEN}{after}"),
        document: format!(
            "{}{BETWEEN}{}",
            if before.is_empty() { String::new() } else { document(&whole(before)) },
            document(&whole(after))
        ),
        verdict,
        why,
    }
}

pub(crate) fn cases() -> Vec<Case> {
    CASES.iter().map(case).collect()
}

fn verdict(documents: &str) -> String {
    let (before, after) = documents.split_once(BETWEEN).unwrap();
    let before = (!before.is_empty()).then(|| parse(before));
    let openings = opened(before.as_ref(), &parse(after), &trust());
    let said = openings.iter().map(|opening| match &opening.change {
        OpeningKind::Admits(access) => format!("admits {access}"),
        OpeningKind::Loosens(guard) => format!("loosens {guard} for {}", opening.principal),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join("; ") }
}

#[test]
fn what_a_change_opens_is_told() {
    compare(&cases(), verdict);
}

const CASES: &[(&str, &str, &str, &str)] = &[
    (
        r#"«"Principal":{"Service":"ec2.amazonaws.com"}»"#,
        r#"«"Principal":{"Service":"ec2.amazonaws.com"}»,«"Principal":{"AWS":"arn:aws:iam::444455556666:root"}»"#,
        "admits foreign 444455556666",
        "Stratus Red Team's backdoor of a role",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"}»"#,
        r#"«"Principal":{"AWS":"arn:aws:iam::444455556666:root"}»"#,
        "nothing",
        "the same account, spelt otherwise",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"}»"#,
        r#"«"Principal":{"AWS":["444455556666","777788889999"]}»"#,
        "admits foreign 777788889999",
        "only what is new",
    ),
    (r#"«"Principal":{"AWS":"111122223333"}»"#, r#"«"Principal":"*"»"#, "admits public", "to everybody"),
    (r#"«"Principal":"*"»"#, r#"«"Principal":"*"»"#, "nothing", "it was so before"),
    ("", r#"«"Principal":{"AWS":"444455556666"}»"#, "admits foreign 444455556666", "a new role"),
    ("", r#"«"Principal":{"AWS":"111122223333"}»"#, "nothing", "a new role for ourselves"),
    (
        r#"«"Principal":{"AWS":"111122223333"}»"#,
        r#"«"Principal":{"AWS":["111122223333","222233334444"]},"Condition":{}»"#,
        "nothing",
        "a trusted account",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}»"#,
        r#"«"Principal":{"AWS":"444455556666"}»"#,
        "loosens sts:ExternalId for 444455556666",
        "the external id is gone",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}»"#,
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":["x","y"]}}»"#,
        "loosens sts:ExternalId for 444455556666",
        "another value will do",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":["x","y"]}}»"#,
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}»"#,
        "nothing",
        "fewer values will do",
    ),
    (
        r#"«"Principal":{"AWS":"111122223333"},"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}»"#,
        r#"«"Principal":{"AWS":"111122223333"}»"#,
        "loosens multi-factor authentication for 111122223333",
        "MFA is no longer asked for, of our own users",
    ),
    (
        r#"«"Principal":{"AWS":"111122223333"},"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}»"#,
        r#"«"Principal":{"AWS":"111122223333"},"Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}»"#,
        "loosens multi-factor authentication for 111122223333",
        "who uses long-term keys passes now",
    ),
    (
        r#"«"Principal":{"AWS":"111122223333"}»,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        r#"«"Principal":{"AWS":"111122223333"}»"#,
        "loosens multi-factor authentication for 111122223333",
        "the Deny statement that asked for it is gone",
    ),
    (
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}}»"#,
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:*"}}»"#,
        "nothing",
        "one repository of the organization",
    ),
    (
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}}»"#,
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:evil/*"}}»"#,
        "loosens token.actions.githubusercontent.com:sub for arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "another organization",
    ),
    (
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}}»"#,
        r#"«"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}»"#,
        "admits public; loosens token.actions.githubusercontent.com:sub for arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "everybody on GitHub",
    ),
    (
        r#"«"Principal":{"AWS":"111122223333"}»"#,
        r#"«"Principal":{"AWS":"111122223333"}»,«"Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/new"},"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}»"#,
        "admits guarded federated arn:aws:iam::111122223333:saml-provider/new",
        "a new identity provider, guarded: for reporting",
    ),
    (
        r#"«"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-ours1234"}}»"#,
        r#"«"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-ours1234","o-theirs5678"]}}»"#,
        "admits foreign o-theirs5678",
        "another organization",
    ),
    (
        r#"«"Principal":{"AWS":"111122223333"}»"#,
        r#"{"Effect":"Allow","Principle":"*","Action":"sts:AssumeRole"}"#,
        "admits unknown: the statement is not understood from its line 1, column 29 on",
        "an element that AWS does not document",
    ),
    (
        r#"«"Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}»,«"Principal":{"AWS":"444455556666"}»"#,
        r#"«"Principal":{"AWS":"444455556666"}»"#,
        "nothing",
        "another statement asked for nothing before",
    ),
];
