//! What is done about it.

use chrono::TimeDelta;
use cloudtrail::{Event, EventId};
use remedy::{Change, Incident, Memory, Plan, Responder, Situation, Status};
use testkit::{Bench, World, block_on, check_laws, now};

use super::fake::Iam;
use super::{event, events};
use crate::deny::{self, Sessions, document};
use crate::{DenyConsoleLogin, Exposure, PolicyChange};

const SOMEBODYS: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}"#;

fn deliver(bench: &Bench, iam: &Iam, event: &Event) -> Status {
    let responded = bench.deliver(&DenyConsoleLogin(iam.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

/// The same thing once more, later.
fn again(event: &Event, id: &str) -> Event {
    let time = event.time.map(|time| time + TimeDelta::hours(1));
    Event { id: EventId::new(id), time, ..event.clone() }
}

/// The incident of the event.
fn incident(bench: &Bench, event: &Event) -> Incident {
    bench.ledger.incidents().into_iter().find(|incident| incident.event_id == event.id).unwrap()
}

fn undo(bench: &Bench, iam: &Iam, event: &Event) {
    bench.undo(&DenyConsoleLogin(iam.clone()), incident(bench, event)).unwrap();
}

#[test]
fn keeps_the_laws() {
    let containable: Vec<Event> =
        events("match").into_iter().filter(|(name, _)| !name.contains("root")).map(|(_, event)| event).collect();
    assert_eq!(containable.len(), 7);
    check_laws(
        |event| {
            let iam = Iam::new();
            // One of the two ways the account may have looked before.
            if event.id.as_str().bytes().map(u32::from).sum::<u32>().is_multiple_of(2) {
                iam.put_by_hand(Some(SOMEBODYS));
            }
            (iam.clone(), DenyConsoleLogin(iam))
        },
        &containable,
    );
}

#[test]
fn each_reason_denies_what_it_must() {
    for (name, denied, did) in [
        ("password-made-for-another", Sessions::All, "deny alice's console sessions and other temporary credentials"),
        ("password-set-for-another", Sessions::All, "deny alice's console sessions and other temporary credentials"),
        (
            "mfa-deactivated-by-another",
            Sessions::WithoutMfa,
            "deny alice's console sessions and other temporary credentials without MFA",
        ),
        (
            "login-without-mfa",
            Sessions::WithoutMfa,
            "deny alice's console sessions and other temporary credentials without MFA",
        ),
        (
            "login-that-does-not-say",
            Sessions::WithoutMfa,
            "deny alice's console sessions and other temporary credentials without MFA",
        ),
    ] {
        let (iam, bench, event) = (Iam::new(), Bench::enforcing(), event(name));
        assert_eq!(deliver(&bench, &iam, &event), Status::Contained, "{name}");
        assert_eq!(iam.policy(), Some(document(denied)), "{name}");
        let incident = incident(&bench, &event);
        assert_eq!(incident.resource.arn.as_str(), "arn:aws:iam::123456789012:user/engineering/alice");
        assert_eq!(incident.resource.tags.as_ref().unwrap()["team"], "payments");
        assert_eq!(incident.receipt.iter().map(|entry| entry.did.as_str()).collect::<Vec<_>>(), [did], "{name}");
    }
}

#[test]
fn what_the_account_shows_decides() {
    let (one, none) = (1, 0);
    let table = [
        ("password-made-for-another", true, one, Status::Contained),
        ("password-made-for-another", false, none, Status::AlreadySafe),
        ("password-set-for-another", false, one, Status::AlreadySafe),
        // Another device is left, so the password alone does not do.
        ("mfa-deactivated-by-another", true, one, Status::AlreadySafe),
        // Without a password there is no sign-in.
        ("mfa-deactivated-by-another", false, none, Status::AlreadySafe),
        // The session without MFA is there, whatever was changed since.
        ("login-without-mfa", true, one, Status::Contained),
        ("login-without-mfa", false, none, Status::Contained),
        // With a device the console would have asked for it.
        ("login-that-does-not-say", true, one, Status::AlreadySafe),
    ];
    for (name, password, mfa_devices, status) in table {
        let iam = Iam::new();
        iam.alice.borrow_mut().password = password;
        iam.alice.borrow_mut().mfa_devices = mfa_devices;
        assert_eq!(deliver(&Bench::enforcing(), &iam, &event(name)), status, "{name} {password} {mfa_devices}");
    }
    for (name, event) in events("match").into_iter().filter(|(name, _)| !name.contains("root")) {
        let iam = Iam::new();
        iam.alice.borrow_mut().exists = false;
        assert_eq!(deliver(&Bench::enforcing(), &iam, &event), Status::AlreadySafe, "{name}");
    }
}

#[test]
fn root_needs_a_person() {
    for (name, words) in [
        ("login-of-root", "the root user of account 123456789012 signed in without MFA"),
        ("login-of-root-with-mfa", "the root user of account 123456789012 signed in with MFA"),
        ("password-made-for-root", "somebody let the root user of account 123456789012 have a password"),
    ] {
        let (iam, bench, event) = (Iam::new(), Bench::enforcing(), event(name));
        assert_eq!(deliver(&bench, &iam, &event), Status::Uncontainable, "{name}");
        assert!(iam.journal().calls().is_empty(), "{name}");
        let because = incident(&bench, &event).because;
        assert!(because.contains(words) && because.contains("Root user best practices"), "{because}");
        assert_eq!(bench.told().len(), 1);
    }
}

#[test]
fn the_wider_deny_covers_the_narrower_and_not_the_other_way_round() {
    let (password, login) = (event("password-set-for-another"), event("login-without-mfa"));
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &login), Status::Contained);
    assert_eq!(deliver(&bench, &iam, &password), Status::Contained);
    assert_eq!(iam.policy(), Some(document(Sessions::All)));
    assert_eq!(deliver(&bench, &iam, &again(&login, "later")), Status::AlreadySafe);

    // Only newest first: the older incident is not as we left it.
    bench.undo(&DenyConsoleLogin(iam.clone()), incident(&bench, &login)).unwrap_err();
    undo(&bench, &iam, &password);
    assert_eq!(iam.policy(), Some(document(Sessions::WithoutMfa)));
    undo(&bench, &iam, &login);
    assert_eq!(iam.policy(), None);
}

#[test]
fn a_policy_of_that_name_which_is_not_ours_is_replaced_and_put_back() {
    let (iam, bench, event) = (Iam::new(), Bench::enforcing(), event("password-set-for-another"));
    let weakened = document(Sessions::All).replace("\"Deny\"", "\"Allow\"");
    iam.put_by_hand(Some(&weakened));
    assert_eq!(deliver(&bench, &iam, &event), Status::Contained);
    assert_eq!(iam.policy(), Some(document(Sessions::All)));
    undo(&bench, &iam, &event);
    assert_eq!(iam.policy(), Some(weakened));
}

#[test]
fn an_undo_vouches_for_this_password_and_not_for_the_next() {
    let (iam, bench, event) = (Iam::new(), Bench::enforcing(), event("password-set-for-another"));
    assert_eq!(deliver(&bench, &iam, &event), Status::Contained);
    undo(&bench, &iam, &event);
    assert_eq!(deliver(&bench, &iam, &again(&event, "another password")), Status::Contained);
}

#[test]
fn an_undo_says_that_the_user_may_do_without_mfa() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let deactivated = event("mfa-deactivated-by-another");
    assert_eq!(deliver(&bench, &iam, &deactivated), Status::Contained);
    undo(&bench, &iam, &deactivated);
    assert_eq!(deliver(&bench, &iam, &event("login-without-mfa")), Status::Exempt);
    assert_eq!(iam.policy(), None);
    assert_eq!(deliver(&bench, &iam, &event("password-set-for-another")), Status::Contained, "that is something else");
    bench.wait(TimeDelta::days(15));
    iam.put_by_hand(None);
    assert_eq!(deliver(&bench, &iam, &again(&event("login-without-mfa"), "late")), Status::Contained);
}

#[test]
fn an_undo_stops_where_the_policy_was_changed() {
    let (iam, bench, event) = (Iam::new(), Bench::enforcing(), event("login-without-mfa"));
    assert_eq!(deliver(&bench, &iam, &event), Status::Contained);
    iam.put_by_hand(Some(SOMEBODYS));
    bench.undo(&DenyConsoleLogin(iam.clone()), incident(&bench, &event)).unwrap_err();
    assert_eq!(iam.policy().as_deref(), Some(SOMEBODYS));
}

fn planned(name: &str, live: Option<&Iam>) -> Plan<PolicyChange> {
    let event = event(name);
    let finding = DenyConsoleLogin::<Iam>::detect(&event).unwrap().remove(0);
    let observed = match live {
        Some(iam) => block_on(DenyConsoleLogin(iam.clone()).observe(&finding)).unwrap(),
        None => DenyConsoleLogin::<Iam>::presume(&finding),
    };
    let situation = Situation {
        now: now(),
        event_time: event.time,
        memory: Memory::default(),
        trusted: policy::Trusted::default(),
    };
    DenyConsoleLogin::<Iam>::plan(&finding, &observed, &situation)
}

#[test]
fn the_facts_say_what_a_policy_may_ask() {
    let live = planned("password-made-by-a-role", Some(&Iam::new())).facts;
    assert_eq!(live.get("resetRequired"), Some(&true.into()));
    assert_eq!((live.get("hasPassword"), live.get("mfaDevices")), (Some(&true.into()), Some(&0.into())));
    assert_eq!(live.get("userPath"), Some(&"/engineering/".into()));
    let login = planned("login-without-mfa", None).facts;
    assert_eq!((login.get("mfaUsed"), login.get("hasPassword")), (Some(&false.into()), None));
    assert_eq!(planned("login-that-does-not-say", None).facts.get("mfaUsed"), None);
    assert_eq!(planned("login-of-root-with-mfa", None).facts.get("root"), Some(&true.into()));
}

#[test]
fn a_change_and_its_inverse_are_about_the_same_and_read_well() {
    let change = |exposure, before: Option<&str>, after: Sessions| PolicyChange {
        user: "alice".to_owned(),
        exposure,
        before: before.map(str::to_owned),
        after: Some(document(after)),
    };
    let narrow = document(Sessions::WithoutMfa);
    let password = || Exposure::Password(event("password-set-for-another").time);
    for (change, key, undo) in [
        (
            change(password(), None, Sessions::All),
            "console with the password set at 2026-11-20T10:15:04Z",
            "no longer deny alice's console sessions and other temporary credentials",
        ),
        (
            change(Exposure::Password(None), Some(&narrow), Sessions::All),
            "console with a password set by somebody else",
            "deny alice's console sessions and other temporary credentials without MFA only",
        ),
        (
            change(Exposure::WithoutMfa, Some(SOMEBODYS), Sessions::WithoutMfa),
            "console without MFA",
            "put back alice's inline policy countermand-deny-console",
        ),
    ] {
        assert_eq!((change.key().as_str(), change.inverse().to_string().as_str()), (key, undo));
        assert_eq!((change.inverse().inverse(), change.inverse().key()), (change.clone(), change.key()));
    }
    let nothing = PolicyChange { user: "bob".to_owned(), exposure: Exposure::WithoutMfa, before: None, after: None };
    assert_eq!(nothing.to_string(), "delete bob's inline policy countermand-deny-console");
}

/// Source of what is in a request: IAM User Guide, "AWS global condition context keys".
#[test]
fn no_policy_of_ours_denies_a_long_term_key_and_none_spares_a_console_session_without_mfa() {
    #[derive(Clone, Copy)]
    struct Request {
        token_issue_time: bool,
        mfa: Option<bool>,
    }
    let denies = |sessions, request: Request| {
        let policy: serde_json::Value = serde_json::from_str(&document(sessions)).unwrap();
        let statement = &policy["Statement"][0];
        assert_eq!(
            (&statement["Effect"], &statement["Action"], &statement["Resource"]),
            (&"Deny".into(), &"*".into(), &"*".into())
        );
        let conditions = statement["Condition"].as_object().unwrap();
        conditions.iter().all(|(operator, keys)| match (operator.as_str(), &keys["aws:TokenIssueTime"], keys) {
            ("Null", flag, _) if flag == "false" => request.token_issue_time,
            ("BoolIfExists", _, keys) if keys["aws:MultiFactorAuthPresent"] == "false" => request.mfa != Some(true),
            other => panic!("{other:?}"),
        })
    };
    let long_term_key = Request { token_issue_time: false, mfa: None };
    let console = |mfa| Request { token_issue_time: true, mfa };
    for (sessions, denied) in
        [(Sessions::All, [false, true, true, true]), (Sessions::WithoutMfa, [false, true, true, false])]
    {
        let requests = [long_term_key, console(None), console(Some(false)), console(Some(true))];
        assert_eq!(requests.map(|request| denies(sessions, request)), denied, "{sessions:?}");
        assert_eq!(deny::sessions_of(&document(sessions)), Some(sessions));
    }
    assert_eq!(deny::sessions_of("{}"), None);
    assert_eq!(deny::sessions_of("no JSON"), None);
}
