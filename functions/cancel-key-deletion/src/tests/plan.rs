//! What is planned for a key's state and rotation, as a function of what is known.

use remedy::{Change, Memory, Plan, Remedy, Responder, Situation};
use serde_json::json;

use super::event;
use super::fake::{Kms, OWN};
use crate::key::{Baseline, KeyState, Observed, Rotation};
use crate::{CancelKeyDeletion, KeyChange};

type R = CancelKeyDeletion<Kms>;

/// As an operator captured it.
fn captured(enabled: bool, rotation: Option<Rotation>) -> Baseline {
    Baseline { enabled, rotation, policy: OWN.to_owned() }
}

fn plan(name: &str, observed: &Observed, baseline: Option<&Baseline>) -> Plan<KeyChange> {
    let finding = R::detect(&event(name)).unwrap().remove(0);
    let baseline = baseline.map(|baseline| serde_json::to_value(baseline).unwrap());
    let memory = Memory { baseline, ..Memory::default() };
    R::plan(&finding, observed, &Situation { memory, ..Situation::default() })
}

/// What would be done, in words.
fn does(name: &str, observed: &Observed, baseline: Option<&Baseline>) -> Vec<String> {
    match plan(name, observed, baseline).remedy {
        Remedy::AlreadySafe => Vec::new(),
        Remedy::Changes(changes) => changes.iter().map(ToString::to_string).collect(),
        Remedy::Uncontainable { next_step } => vec![next_step],
    }
}

/// The key in this state, rotating or not.
fn key(state: KeyState, on: bool, days: Option<i32>) -> Observed {
    let finding = R::detect(&event("disabled")).unwrap().remove(0);
    let mut observed = R::presume(&finding);
    observed.key.as_mut().unwrap().state = state;
    observed.rotation = Some(Rotation { on, days });
    observed
}

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

#[test]
fn a_key_that_is_to_be_deleted_is_kept_and_enabled() {
    let (cancel, enable) = (format!("cancel the deletion of key {ID}"), format!("enable key {ID}"));
    let unused = captured(false, None);
    let used = captured(true, None);
    let table = [
        (KeyState::PendingDeletion, None, vec![&cancel, &enable]),
        (KeyState::PendingReplicaDeletion, None, vec![&cancel, &enable]),
        (KeyState::PendingDeletion, Some(&used), vec![&cancel, &enable]),
        (KeyState::PendingDeletion, Some(&unused), vec![&cancel]),
        (KeyState::Disabled, None, vec![&enable]),
        (KeyState::Disabled, Some(&unused), vec![]),
        (KeyState::Enabled, None, vec![]),
        (KeyState::Other("PendingImport".to_owned()), None, vec![]),
    ];
    for (state, baseline, expected) in table {
        let done = does("scheduled", &key(state.clone(), true, None), baseline);
        assert_eq!(done.iter().collect::<Vec<_>>(), expected, "{state} {baseline:?}");
    }
    assert_eq!(does("scheduled", &Observed::default(), None), [""; 0], "it is gone");
}

#[test]
fn a_disabled_key_is_enabled() {
    for (state, baseline, expected) in [
        (KeyState::Disabled, None, true),
        (KeyState::Disabled, Some(captured(true, None)), true),
        (KeyState::Disabled, Some(captured(false, None)), false),
        (KeyState::Enabled, None, false),
        (KeyState::PendingDeletion, None, false),
    ] {
        let done = does("disabled", &key(state.clone(), true, None), baseline.as_ref());
        assert_eq!(done, vec![format!("enable key {ID}"); usize::from(expected)], "{state} {baseline:?}");
    }
}

#[test]
fn rotation_comes_back_with_its_period() {
    let on = |days| Some(captured(true, Some(Rotation { on: true, days })));
    let off = Some(captured(true, Some(Rotation { on: false, days: None })));
    let never = Some(captured(true, None));
    for (live, baseline, expected) in [
        (key(KeyState::Enabled, false, None), None, Some("")),
        (key(KeyState::Enabled, false, Some(180)), None, Some(" every 180 days")),
        (key(KeyState::Enabled, false, Some(365)), on(Some(90)), Some(" every 90 days")),
        (key(KeyState::Enabled, false, None), on(None), Some("")),
        (key(KeyState::Enabled, true, None), None, None),
        (key(KeyState::Enabled, false, None), off, None),
        (key(KeyState::Enabled, false, None), never, None),
        (key(KeyState::PendingDeletion, false, None), None, None),
        (Observed { rotation: None, ..key(KeyState::Enabled, false, None) }, None, None),
    ] {
        let done = does("rotation-disabled", &live, baseline.as_ref());
        let expected: Vec<_> =
            expected.into_iter().map(|period| format!("enable rotation of key {ID}{period}")).collect();
        assert_eq!(done, expected, "{live:?} {baseline:?}");
    }
    let next_step = &does("rotation-disabled", &key(KeyState::Disabled, false, None), None)[0];
    assert!(next_step.contains("only be turned on while the key is enabled"), "{next_step}");
}

#[test]
fn a_baseline_that_is_not_understood_is_none() {
    let finding = R::detect(&event("disabled")).unwrap().remove(0);
    let memory = Memory { baseline: Some(json!(7)), ..Memory::default() };
    let live = key(KeyState::Disabled, true, None);
    let plan = R::plan(&finding, &live, &Situation { memory, ..Situation::default() });
    assert!(matches!(plan.remedy, Remedy::Changes(_)));
}

#[test]
fn undo_disables_the_key_and_schedules_its_deletion_as_the_call_did() {
    let Remedy::Changes(changes) = plan("scheduled", &key(KeyState::PendingDeletion, true, None), None).remedy else {
        panic!("there are changes")
    };
    let undone: Vec<_> = changes.iter().rev().map(|change| change.inverse().to_string()).collect();
    assert_eq!(undone, [format!("disable key {ID}"), format!("schedule the deletion of key {ID} in 7 days")]);
}

#[test]
fn the_facts_tell_what_is_known() {
    let facts = plan("scheduled", &key(KeyState::PendingDeletion, true, None), None).facts;
    let expected = json!({"act": "deletion-scheduled", "keyId": ID, "baseline": false, "pendingDays": 7,
        "keyState": "PendingDeletion", "letsIn": [], "public": false, "locksOut": false, "unclear": false,
        "confusedDeputy": false});
    assert_eq!(serde_json::to_value(facts).unwrap(), expected);
}

#[test]
fn what_a_change_leaves_is_told_from_what_it_finds() {
    let rotate = |days| KeyChange::Rotation {
        key: R::detect(&event("disabled")).unwrap().remove(0).resource.arn,
        on: true,
        days,
    };
    for (change, on, days, expected) in [
        (rotate(None), true, Some(365), true),
        (rotate(Some(90)), true, Some(90), true),
        (rotate(Some(90)), true, None, true),
        (rotate(Some(90)), true, Some(365), false),
        (rotate(None), false, None, false),
        (rotate(None).inverse(), false, Some(90), true),
        (rotate(None).inverse(), true, Some(90), false),
    ] {
        assert_eq!(change.shows_in(&key(KeyState::Enabled, on, days)), expected, "{change}, {on} {days:?}");
    }
    let Remedy::Changes(changes) = plan("scheduled", &key(KeyState::PendingDeletion, true, None), None).remedy else {
        panic!("there are changes")
    };
    for change in changes {
        let gone = Observed::default();
        assert!(!change.shows_in(&gone) && change.inverse().shows_in(&gone), "{change}: a key that is gone is as lost");
    }
}
