//! What is done, with a fake account and ledger.

use cloudtrail::{Event, EventId};
use remedy::{Certainty, Incident, Responder, State, Status};
use serde_json::{Value, json};
use testkit::{Bench, World, check_laws};

use super::fake::{Lambda, bystander};
use super::{event, events};
use crate::RevokeFunctionAccess;

const INVOKE: &str = "lambda:InvokeFunction";

fn setting(event: &Event) -> (Lambda, RevokeFunctionAccess<Lambda>) {
    let lambda = Lambda::after(event);
    (lambda.clone(), RevokeFunctionAccess(lambda))
}

fn statement(sid: &str, principal: &Value, condition: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": INVOKE, "Condition": condition,
        "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:orders"})
}

fn deliver(lambda: &Lambda, event: &Event) -> (Status, Incident) {
    let bench = Bench::enforcing();
    let responded = bench.deliver(&RevokeFunctionAccess(lambda.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    (responded.outcomes[0].status, bench.ledger.incidents().remove(0))
}

#[test]
fn keeps_the_laws() {
    let sure = |(_, event): (String, Event)| {
        let found = RevokeFunctionAccess::<Lambda>::detect(&event).unwrap();
        (found[0].certainty == Certainty::Event).then_some(event)
    };
    let events: Vec<Event> = events("match", "").into_iter().filter_map(sure).collect();
    assert!(events.len() >= 9, "{}", events.len());
    check_laws(setting, &events);
}

#[test]
fn only_the_statement_of_the_call_goes() {
    let seen = event("function-for-everybody");
    let lambda = Lambda::after(&seen);
    let older = statement("older", &json!("*"), &json!({}));
    let mut statements = lambda.statements();
    statements.insert(0, older);
    lambda.set(&statements);
    let (status, incident) = deliver(&lambda, &seen);
    assert_eq!((status, lambda.sids()), (Status::Contained, vec!["older".to_owned(), "ours".to_owned()]));
    assert_eq!(
        incident.receipt[0].did,
        "remove permission backdoor (lambda:InvokeFunction for *) from function orders"
    );
}

#[test]
fn where_the_record_names_no_statement_all_that_offend_go() {
    let seen = event("parameters-left-out");
    let lambda = Lambda::after(&seen);
    let of = |sid: &str, principal: Value| statement(sid, &principal, &json!({}));
    lambda.set(&[of("a", json!("*")), bystander(), of("b", json!({"AWS": "arn:aws:iam::999999999999:root"}))]);
    assert_eq!(deliver(&lambda, &seen).0, Status::Contained);
    assert_eq!(lambda.sids(), ["ours"]);
}

/// The account is the truth: somebody has put something else under the id since.
#[test]
fn what_is_harmless_by_now_stays() {
    let seen = event("function-for-everybody");
    for harmless in [
        statement("backdoor", &json!({"AWS": "arn:aws:iam::123456789012:role/app"}), &json!({})),
        statement("backdoor", &json!("*"), &json!({"StringEquals": {"AWS:SourceAccount": "123456789012"}})),
        statement(
            "backdoor",
            &json!({"Service": "s3.amazonaws.com"}),
            &json!({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::orders"}, "StringEquals": {"AWS:SourceAccount": "123456789012"}}),
        ),
        bystander(),
    ] {
        let lambda = Lambda::after(&seen);
        lambda.set(std::slice::from_ref(&harmless));
        assert_eq!(deliver(&lambda, &seen).0, Status::AlreadySafe, "{harmless}");
        assert_eq!(lambda.journal().writes(), 0);
    }
    let gone = Lambda::after(&seen);
    gone.policies.borrow_mut().clear();
    assert_eq!(deliver(&gone, &seen).0, Status::AlreadySafe);
}

#[test]
fn what_could_not_be_put_back_is_left_to_a_person() {
    let seen = event("function-for-everybody");
    for odd in [
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-theirs5678"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringLike": {"AWS:SourceArn": "arn:aws:s3:::*"}}),
    ] {
        let lambda = Lambda::after(&seen);
        lambda.set(&[statement("backdoor", &json!("*"), &odd)]);
        let (status, incident) = deliver(&lambda, &seen);
        assert_eq!((status, lambda.journal().writes()), (Status::Uncontainable, 0), "{odd}");
        assert!(incident.because.contains("AddPermission could not put it back"), "{}", incident.because);
    }
}

#[test]
fn what_cannot_be_judged_is_left_to_a_person() {
    let (status, incident) =
        deliver(&Lambda::after(&event("layer-for-an-organization")), &event("layer-for-an-organization"));
    assert_eq!(status, Status::Uncontainable);
    assert!(incident.because.contains("`o-theirs5678` may be ours"), "{}", incident.because);
    let facts: Value = incident.facts;
    assert!(facts["unclear"].as_str().unwrap().contains("o-theirs5678"));
}

#[test]
fn a_service_without_a_source_is_a_fact_and_stays() {
    let seen = event("service-without-source");
    let lambda = Lambda::after(&seen);
    let (status, incident) = deliver(&lambda, &seen);
    assert_eq!((status, incident.severity.label()), (Status::AlreadySafe, "LOW"));
    assert_eq!((&incident.facts["confusedDeputy"], &incident.facts["public"]), (&json!(true), &json!(false)));
    assert_eq!(lambda.sids(), ["ours", "sns"]);
}

#[test]
fn a_policy_that_changes_meanwhile_is_read_again() {
    let seen = event("function-for-everybody");
    let lambda = Lambda::after(&seen);
    lambda.meddled.set(2);
    assert_eq!(deliver(&lambda, &seen).0, Status::Contained);
    assert_eq!(lambda.sids(), ["ours"]);
}

#[test]
fn what_somebody_puts_under_the_id_meanwhile_stays() {
    let seen = event("function-for-everybody");
    let lambda = Lambda::after(&seen);
    let harmless = statement("backdoor", &json!({"AWS": "arn:aws:iam::123456789012:role/app"}), &json!({}));
    *lambda.then.borrow_mut() = Some(vec![harmless.clone()]);
    assert_eq!(deliver(&lambda, &seen).0, Status::AlreadySafe);
    assert_eq!(lambda.statements(), [harmless]);
}

#[test]
fn a_url_that_somebody_has_closed_or_deleted_is_safe() {
    let seen = event("url-without-authentication");
    let deleted = Lambda::after(&seen);
    deleted.urls.borrow_mut().clear();
    let closed = Lambda::after(&seen);
    closed.urls.borrow_mut().values_mut().for_each(|url| *url = crate::target::AuthType::AwsIam);
    for lambda in [deleted, closed] {
        assert_eq!(deliver(&lambda, &seen).0, Status::AlreadySafe);
        assert_eq!(lambda.journal().writes(), 0);
    }
}

#[test]
fn the_statements_for_a_url_stay_and_are_told() {
    let seen = event("url-without-authentication");
    let lambda = Lambda::after(&seen);
    let mut open = statement("url", &json!("*"), &json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}));
    open["Action"] = json!("lambda:InvokeFunctionUrl");
    lambda.set(&[bystander(), open]);
    let (status, incident) = deliver(&lambda, &seen);
    assert_eq!((status, lambda.sids()), (Status::Contained, vec!["ours".to_owned(), "url".to_owned()]));
    assert_eq!(
        (&incident.facts["statementIds"], &incident.facts["public"], &incident.facts["urlAuthType"]),
        (&json!(["url"]), &json!(true), &json!("NONE"))
    );
}

#[test]
fn undo_stops_where_somebody_has_taken_the_id() {
    let seen = event("function-for-everybody");
    let (lambda, bench) = (Lambda::after(&seen), Bench::enforcing());
    bench.deliver(&RevokeFunctionAccess(lambda.clone()), &seen, "a");
    let incident = bench.ledger.incidents().remove(0);
    assert_eq!(incident.state, State::Contained);
    lambda.set(&[statement("backdoor", &json!({"AWS": "arn:aws:iam::123456789012:role/app"}), &json!({}))]);
    bench.undo(&RevokeFunctionAccess(lambda.clone()), incident).unwrap_err();
    assert_eq!(lambda.sids(), ["backdoor"]);
}

/// That a person wants one statement back does not make an exception for another under its id.
#[test]
fn another_statement_under_a_wanted_id_is_removed() {
    let seen = event("function-for-everybody");
    let (lambda, bench) = (Lambda::after(&seen), Bench::enforcing());
    let responder = RevokeFunctionAccess(lambda.clone());
    bench.deliver(&responder, &seen, "a");
    bench.undo(&responder, bench.ledger.incidents().remove(0)).unwrap();
    let again = Event { id: EventId::new("again"), ..event("function-for-everybody") };
    assert_eq!(bench.deliver(&responder, &again, "b").outcomes[0].status, Status::Exempt);
    lambda.set(&[statement("backdoor", &json!({"AWS": "arn:aws:iam::999999999999:root"}), &json!({}))]);
    let other = Event { id: EventId::new("other"), ..event("function-for-everybody") };
    assert_eq!(bench.deliver(&responder, &other, "c").outcomes[0].status, Status::Contained);
    assert_eq!(lambda.sids(), Vec::<String>::new());
}
