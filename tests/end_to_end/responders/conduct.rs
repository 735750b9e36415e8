//! What a responder does about an exposure: as policies say, with the permissions it has, whatever fails.

use std::collections::BTreeSet;

use remedy::State;
use serde_json::{Value, json};
use stage::{Call, Fault, Function, FunctionError, When};

use super::{Exposure, Scenario};
use crate::end_to_end::setting::{ENFORCE, PATIENCE, Setting, outcome, status};
use crate::folders::{By, Folder};

const OBSERVE: &str = r#"@id("nothing") forbid (principal, action, resource) when { false };"#;
const EXEMPT: &str = r#"
    @id("all") permit (principal, action, resource);
    @id("not-this") @reason("by choice") forbid (principal, action, resource);
"#;

/// Services that all functions use for themselves.
const SHARED: [&str; 3] = ["dynamodb", "sns", "sts"];

/// What is written and not only read.
pub(super) fn writes(call: &Call) -> bool {
    let reads = ["Get", "List", "Describe", "BatchGet", "Head", "GET ", "HEAD "];
    !reads.iter().any(|verb| call.operation.starts_with(verb))
}

pub(super) async fn undo(setting: &Setting, incident: &Value, more: &[&str]) -> (bool, String) {
    let id = incident.as_str().unwrap();
    setting.countermand(&[&["incidents", "undo", id, "--yes"], more].concat()).await
}

/// Contained once and undone, already safe, observed, exempt; undo refuses after drift, unless forced.
pub(crate) async fn answers_as_policies_say<S: Scenario>() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(S::NAME).await;
    let mut nth = 0;
    for way in 0..S::WAYS {
        nth += 1;
        let exposure = expose::<S>(&setting, way, nth).await;
        let exposed = S::look(&setting, &exposure).await;
        setting.account.events();
        let contained = outcome(function.invoke_within(&exposure.event, PATIENCE).await);
        assert_eq!(contained["status"], "contained", "way {way}: {contained:#}");
        let safe = S::look(&setting, &exposure).await;
        assert_ne!(safe, exposed, "way {way}");
        assert_eq!(status(function.invoke(&exposure.event).await), "duplicate", "way {way}");

        setting.account.events();
        let (done, said) = undo(&setting, &contained["incident"], &[]).await;
        assert!(done, "way {way}: {said}");
        let own = setting.account.events();
        assert_eq!(S::look(&setting, &exposure).await, exposed, "way {way}: undone");
        for event in own {
            let body = function.invoke(&event).await.unwrap().body;
            let again = body["outcomes"].as_array().unwrap().iter().find(|outcome| outcome["status"] == "contained");
            assert_eq!(again, None, "way {way}: an undo's own event");
        }
        assert_eq!(S::look(&setting, &exposure).await, exposed, "way {way}: an undo stays undone");

        nth += 1;
        let exposure = expose::<S>(&setting, way, nth).await;
        let exposed = S::look(&setting, &exposure).await;
        let contained = outcome(function.invoke(&exposure.event).await);
        assert_eq!(contained["status"], "contained", "way {way}: {contained:#}");
        if !S::meddle(&setting, &exposure).await {
            continue;
        }
        let meddled = S::look(&setting, &exposure).await;
        let (done, said) = undo(&setting, &contained["incident"], &[]).await;
        assert!(!done && said.contains("--force"), "way {way}: {said}");
        assert_eq!(S::look(&setting, &exposure).await, meddled, "way {way}: nothing was changed");
        let (done, said) = undo(&setting, &contained["incident"], &["--force"]).await;
        assert!(done, "way {way}: {said}");
        assert_eq!(S::look(&setting, &exposure).await, exposed, "way {way}: forced");
    }

    nth += 1;
    let exposure = expose::<S>(&setting, 0, nth).await;
    S::mend(&setting, &exposure).await;
    let mended = S::look(&setting, &exposure).await;
    assert_eq!(status(function.invoke(&exposure.event).await), "already_safe");
    assert_eq!(S::look(&setting, &exposure).await, mended);

    for (policies, expected) in [(OBSERVE, "observed"), (EXEMPT, "exempt")] {
        setting.set_policies(policies);
        let function = setting.function(S::NAME).await;
        nth += 1;
        let exposure = expose::<S>(&setting, 0, nth).await;
        let exposed = S::look(&setting, &exposure).await;
        assert_eq!(status(function.invoke(&exposure.event).await), expected);
        assert_eq!(S::look(&setting, &exposure).await, exposed);
    }
}

/// The function makes the calls that `permissions.json` allows it and no others; without any one of them it fails, says
/// which it lacks, and does not claim to have contained anything.
pub(crate) async fn needs_all_it_may<S: Scenario>() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(S::NAME).await;
    let mut nth = 0;
    let mut made = BTreeSet::new();
    for way in 0..S::WAYS {
        nth += 1;
        let exposure = expose::<S>(&setting, way, nth).await;
        setting.account.proxy().clear();
        assert_eq!(status(function.invoke_within(&exposure.event, PATIENCE).await), "contained", "way {way}");
        let calls = setting.account.proxy().clear();
        let own: Vec<&Call> = calls.iter().filter(|call| !SHARED.contains(&call.service.as_str())).collect();
        made.extend(own.iter().map(|call| S::action(call)));
        for call in own.iter().filter(|call| !call.operation.contains(' ')) {
            nth += 1;
            let exposure = expose::<S>(&setting, way, nth).await;
            let exposed = S::look(&setting, &exposure).await;
            let denied = When::operation(&call.service, &call.operation);
            setting.account.proxy().inject(Fault::Denied, denied, 100);
            let answer = function.invoke_within(&exposure.event, PATIENCE).await;
            setting.account.proxy().heal();
            let action = S::action(call);
            let Err(FunctionError::Failed { error_message, .. }) = answer else {
                panic!("way {way} without {action}: {answer:?}")
            };
            assert!(error_message.contains(&action), "way {way} without {action}: {error_message}");
            if !own.iter().any(|other| writes(other) && other.operation != call.operation) || !writes(call) {
                assert_eq!(S::look(&setting, &exposure).await, exposed, "way {way} without {action}");
            }
        }
    }
    let folder = Folder { name: S::NAME.to_owned() };
    let permissions = folder.permissions(By::Function).into_iter();
    let allowed: BTreeSet<String> = permissions.map(|permission| permission.action).collect();
    for (action, why) in S::NOT_SHOWN {
        assert!(allowed.contains(*action), "{action} is allowed to nobody: take it out");
        assert!(!made.contains(*action), "{action} is shown after all; the list says: {why}");
        made.insert((*action).to_owned());
    }
    assert_eq!(made, allowed, "what it does, and what permissions.json allows");
}

/// A call that fails, or whose answer is lost, keeps nothing from being contained once and undone.
pub(crate) async fn one_failure_loses_nothing<S: Scenario>() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(S::NAME).await;
    let mut made = 0;
    for fault in [Fault::Throttle, Fault::ServerError, Fault::DropBefore, Fault::DropAfter, Fault::Denied] {
        for nth in 0.. {
            made += 1;
            let exposure = expose::<S>(&setting, 0, made).await;
            let exposed = S::look(&setting, &exposure).await;
            setting.account.proxy().clear();
            let case = format!("{fault:?} at call {nth}");
            setting.account.proxy().inject(fault, When::Nth(nth), 1);
            let answer = deliver(&function, &exposure.event, &format!("request-{made}")).await;
            setting.account.proxy().heal();
            let calls = setting.account.proxy().clear();
            let was_hit = calls.iter().any(|call| call.fault.is_some());
            let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(answer["status"], "contained", "{case}: {answer:#} {calls:?}");
            let incident = setting.incidents().await.into_iter().find(|it| answer["incident"] == it.id.as_str());
            assert_eq!(incident.unwrap().state, State::Contained, "{case}: {calls:?}");
            let (done, said) = undo(&setting, &answer["incident"], &[]).await;
            assert!(done, "{case}: {said}");
            assert_eq!(S::look(&setting, &exposure).await, exposed, "{case}: {calls:?}");
            if !was_hit {
                assert!(nth > 3, "the function makes more calls than {nth}");
                break;
            }
        }
    }
}

/// Delivers as Lambda does: with the same request id until it succeeds, three times at most.
async fn deliver(function: &Function, event: &Value, request_id: &str) -> Value {
    for _ in 1..3 {
        if let Ok(answer) = function.invoke_as(request_id, event, PATIENCE).await {
            return outcome(Ok(answer));
        }
    }
    match function.invoke_as(request_id, event, PATIENCE).await {
        Ok(answer) => outcome(Ok(answer)),
        Err(failure) => json!({ "status": failure.to_string() }),
    }
}

/// What `expose` itself does is not the function's to answer for.
async fn expose<S: Scenario>(setting: &Setting, way: usize, nth: u32) -> Exposure {
    let exposure = S::expose(setting, way, nth).await;
    setting.account.events();
    exposure
}
