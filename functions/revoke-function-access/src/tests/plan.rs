//! What is planned, as a function of what is known, and how statements and parameters become one another.

use std::sync::Arc;

use cloudtrail::AccountId;
use policy::Trusted;
use proptest::prelude::*;
use remedy::{Change, Remedy, Responder, Situation};
use serde_json::{Value, json};
use testkit::now;

use super::event;
use super::fake::Lambda;
use crate::RevokeFunctionAccess;
use crate::change::AccessChange;
use crate::permission::Permission;

fn situation(trusted: Trusted) -> Situation {
    Situation { now: now(), trusted, ..Situation::default() }
}

fn presumed(name: &str, trusted: Trusted) -> Remedy<AccessChange> {
    let finding = RevokeFunctionAccess::<Lambda>::detect(&event(name)).unwrap().remove(0);
    let observed = RevokeFunctionAccess::<Lambda>::presume(&finding);
    RevokeFunctionAccess::<Lambda>::plan(&finding, &observed, &situation(trusted)).remedy
}

#[test]
fn whom_the_user_trusts_may_come_in() {
    let partner =
        Trusted { accounts: Arc::new([AccountId::parse("999999999999").unwrap()].into()), ..Trusted::default() };
    for name in [
        "alias-for-another-account",
        "function-for-a-foreign-role",
        "layer-for-another-account",
        "service-for-another-account",
    ] {
        assert!(matches!(presumed(name, Trusted::default()), Remedy::Changes(_)), "{name}");
        assert_eq!(presumed(name, partner.clone()), Remedy::AlreadySafe, "{name}");
    }
    assert!(matches!(presumed("function-for-everybody", partner), Remedy::Changes(_)));
    let name = "layer-for-an-organization";
    let organization = |id: &str| Trusted { organization: Some(id.to_owned()), ..Trusted::default() };
    assert!(matches!(presumed(name, Trusted::default()), Remedy::Uncontainable { .. }));
    assert!(matches!(presumed(name, organization("o-ours1234")), Remedy::Changes(_)));
    assert_eq!(presumed(name, organization("o-theirs5678")), Remedy::AlreadySafe);
}

#[test]
fn changes_read_well() {
    for (name, does, undo) in [
        (
            "url-statement-for-everybody",
            "remove permission FunctionURLAllowPublicAccess (lambda:InvokeFunctionUrl for * if \
             lambda:FunctionUrlAuthType NONE) from function orders",
            "add permission FunctionURLAllowPublicAccess (lambda:InvokeFunctionUrl for * if \
             lambda:FunctionUrlAuthType NONE) to function orders again",
        ),
        (
            "layer-for-another-account",
            "remove permission partner (lambda:GetLayerVersion for 999999999999) from layer shared-code:3",
            "add permission partner (lambda:GetLayerVersion for 999999999999) to layer shared-code:3 again",
        ),
        (
            "url-of-an-alias-changed-to-none",
            "set the URL of orders:live to AWS_IAM",
            "set the URL of orders:live to NONE",
        ),
    ] {
        let Remedy::Changes(changes) = presumed(name, Trusted::default()) else { panic!("{name}") };
        assert_eq!((changes[0].to_string().as_str(), changes[0].inverse().to_string().as_str()), (does, undo));
    }
}

fn statement(principal: &Value, condition: &Value) -> Value {
    json!({"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f", "Condition": condition})
}

#[test]
fn a_statement_that_no_parameters_make_is_not_read() {
    let everybody = statement(&json!("*"), &json!({}));
    assert_eq!(Permission::read(&everybody.to_string()).unwrap().principal, "*");
    let set = |field: &str, value: Value| {
        let mut statement = everybody.clone();
        statement[field] = value;
        statement
    };
    for odd in [
        set("Effect", json!("Deny")),
        set("Action", json!(["lambda:InvokeFunction"])),
        set("NotAction", json!("x")),
        set("Resource", json!(["a", "b"])),
        set("Principal", json!({"AWS": ["*"]})),
        set("Principal", json!({"CanonicalUser": "x"})),
        set("Principal", json!({"AWS": "*", "Service": "s3.amazonaws.com"})),
        set("Condition", json!({"StringLike": {"AWS:SourceArn": "arn:aws:s3:::x"}})),
        set("Condition", json!({"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:::x"]}})),
        set("Condition", json!({"ArnLike": {"AWS:SourceArn": "a", "aws:sourcearn": "b"}})),
        set("Condition", json!({"Bool": {"lambda:InvokedViaFunctionUrl": "perhaps"}})),
        set("Condition", json!({"StringEquals": {"aws:PrincipalTag/team": "red"}})),
    ] {
        assert_eq!(Permission::read(&odd.to_string()), None, "{odd}");
    }
    let mut without_id = everybody.clone();
    without_id.as_object_mut().unwrap().remove("Sid");
    assert_eq!(Permission::read(&without_id.to_string()), None);
}

#[test]
fn an_account_is_known_by_its_root() {
    for (principal, expected) in [
        (json!({"AWS": "arn:aws:iam::999999999999:root"}), "999999999999"),
        (json!({"AWS": "arn:aws-cn:iam::999999999999:root"}), "999999999999"),
        (json!({"AWS": "999999999999"}), "999999999999"),
        (json!("999999999999"), "999999999999"),
        (json!({"AWS": "arn:aws:iam::999999999999:role/root"}), "arn:aws:iam::999999999999:role/root"),
        (json!({"AWS": "*"}), "*"),
        (json!({"Service": "s3.amazonaws.com"}), "s3.amazonaws.com"),
    ] {
        let read = Permission::read(&statement(&principal, &json!({})).to_string()).unwrap();
        assert_eq!(read.principal, expected, "{principal}");
    }
}

proptest! {
    #[test]
    fn what_is_made_of_parameters_gives_them_back(
        sid in "[a-zA-Z0-9_-]{1,12}",
        principal in prop::sample::select(vec!["*", "999999999999", "s3.amazonaws.com", "arn:aws:iam::999999999999:role/r"]),
        texts in prop::collection::vec(prop::option::of("[ -~]{0,12}"), 5),
        via_url in prop::option::of(any::<bool>()),
    ) {
        let [source_arn, source_account, organization, url_auth_type, event_source_token] = texts.try_into().unwrap();
        let permission = Permission { sid, principal: principal.to_owned(), action: "lambda:InvokeFunction".to_owned(),
            resource: "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
            source_arn, source_account, organization, url_auth_type, event_source_token, via_url };
        prop_assert_eq!(Permission::read(&permission.statement().to_string()), Some(permission));
    }
}
