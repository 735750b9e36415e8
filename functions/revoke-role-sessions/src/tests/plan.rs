//! What is planned, as a function of what is known.

use cloudtrail::AccessKeyId;
use policy::Fact;
use remedy::{Applied, Change, Plan, Remedy, Responder, Situation};
use session_denial::{Denial, RoleSession, name};
use testkit::{World, block_on, now};

use super::event;
use super::fake::Iam;
use crate::{DenialChange, RevokeRoleSessions};

type Sessions = RevokeRoleSessions<Iam>;

fn presumed(name: &str) -> Plan<DenialChange> {
    let event = event(name);
    let finding = Sessions::detect(&event).unwrap().remove(0);
    let situation = Situation { now: now(), event_time: event.time, ..Situation::default() };
    Sessions::plan(&finding, &Sessions::presume(&finding), &situation)
}

fn change(name: &str) -> DenialChange {
    let Remedy::Changes(mut changes) = presumed(name).remedy else { panic!("{name}") };
    assert_eq!(changes.len(), 1);
    changes.remove(0)
}

#[test]
fn the_facts_say_what_would_be_hit() {
    let text = |fact: &str| Some(Fact::from(fact));
    let of_instance = presumed("instance-credentials-in-another-account").facts;
    assert_eq!(of_instance.get("roleSession").cloned(), text("i-0123456789abcdef0"));
    assert_eq!((of_instance.get("instance"), of_instance.get("wholeRole")), (Some(&true.into()), Some(&false.into())));
    assert_eq!(of_instance.get("guarddutyCount"), Some(&Fact::Long(3)));
    assert_eq!(of_instance.get("temporaryKeyId").cloned(), text("ASIAI44QH8DHBEXAMPLE"));

    let of_role = presumed("session-not-named").facts;
    assert_eq!((of_role.get("roleSession"), of_role.get("wholeRole")), (None, Some(&true.into())));
    assert_eq!(of_role.get("roleName").cloned(), text("deployer"));

    let federated = presumed("federated-user").facts;
    assert_eq!((federated.get("roleName"), federated.get("wholeRole")), (None, Some(&false.into())));
}

#[test]
fn a_role_of_identity_center_is_known_by_its_name_where_its_path_is_not() {
    assert!(matches!(presumed("session-of-identity-center").remedy, Remedy::Uncontainable { .. }));
}

#[test]
fn a_change_and_its_inverse_are_about_the_same_and_read_well() {
    for (name, does, undo) in [
        (
            "instance-credentials-outside-aws",
            "deny web-server's session i-0123456789abcdef0 what was issued to it before 2026-11-22T07:01:00Z",
            "no longer deny web-server's session i-0123456789abcdef0 what was issued to it before 2026-11-22T07:01:00Z",
        ),
        (
            "session-not-named",
            "deny deployer's sessions minted before 2026-11-22T07:01:00Z",
            "no longer deny deployer's sessions minted before 2026-11-22T07:01:00Z",
        ),
    ] {
        let change = change(name);
        assert_eq!((change.to_string().as_str(), change.inverse().to_string().as_str()), (does, undo));
        assert_eq!((change.inverse().inverse(), change.inverse().key()), (change.clone(), change.key()));
        let stored = serde_json::to_value(&change).unwrap();
        assert_eq!(serde_json::from_value::<DenialChange>(stored).unwrap(), change);
    }
    let key = AccessKeyId::new("ASIA1");
    let session = RoleSession::parse("AROA1:ab").unwrap();
    assert_eq!(DenialChange::key_of(Some(&session), Some(&key)).as_str(), "AROA1:ab for ASIA1");
    assert_ne!(DenialChange::key_of(None, Some(&key)), DenialChange::key_of(None, None));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a warrant for a test")]
fn what_another_run_wrote_since_the_plan_stays() {
    let change = change("instance-credentials-outside-aws");
    let iam = Iam::of(&event("instance-credentials-outside-aws"));
    let ended = Denial::of_all(now() - session_denial::LONGEST_SESSION).document();
    let other = Denial::until(now(), Some(RoleSession::parse("AROACKCEVSQ6C2EXAMPLE:i-two").unwrap()));
    iam.put(name::STOLEN_SESSIONS, &ended.replace("]}", &format!(",{}]}}", other.statement())));
    let apply = |change: &DenialChange| {
        block_on(RevokeRoleSessions(iam.clone()).apply(change, &policy::Warrant::for_undo())).unwrap()
    };
    assert_eq!(apply(&change), Applied::Changed);
    let both: Vec<_> = crate::statements::denials(iam.policy().as_deref()).collect();
    assert_eq!(both, [other.clone(), change.denial.clone()]);
    assert_eq!(apply(&change), Applied::AlreadySo);

    assert_eq!(apply(&change.inverse()), Applied::Changed);
    assert_eq!(crate::statements::denials(iam.policy().as_deref()).collect::<Vec<_>>(), [other]);
    assert_eq!(apply(&change.inverse()), Applied::AlreadySo);
    assert_eq!(iam.journal().writes(), 2);
}
