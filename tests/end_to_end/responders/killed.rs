//! What must hold when the function is killed at any call it makes.

use std::time::Duration;

use remedy::State;
use stage::{Fault, FunctionError, When};

use super::Scenario;
use super::conduct::{undo, writes};
use crate::end_to_end::setting::{ENFORCE, PATIENCE, Setting, outcome};

/// Kills it before AWS has a call, and after AWS has done what a call that writes asks; then the event comes again, to a
/// new process. The account is safe, the receipt is enough to undo it, and nothing was done twice.
pub(crate) async fn killed_at_any_call<S: Scenario>() {
    let setting = Setting::with(ENFORCE).await;
    let mut function = setting.function(S::NAME).await;
    let proxy = setting.account.proxy();
    let mut made = 1;
    let exposure = S::expose(&setting, 0, made).await;
    proxy.clear();
    let contained = outcome(function.invoke_within(&exposure.event, PATIENCE).await);
    assert_eq!(contained["status"], "contained", "{contained:#}");
    let calls = proxy.clear();
    assert!(calls.len() > 4, "{calls:#?}");
    for (nth, call) in calls.iter().enumerate() {
        let held = [Some(Fault::HoldBefore), writes(call).then_some(Fault::HoldAfter)];
        for held in held.into_iter().flatten() {
            made += 1;
            let exposure = S::expose(&setting, 0, made).await;
            let exposed = S::look(&setting, &exposure).await;
            proxy.clear();
            let case = format!("{held:?} at call {nth}, {}", call.operation);
            let request = format!("request-{made}");
            proxy.inject(held, When::Nth(u64::try_from(nth).unwrap()), 1);
            {
                let invoked = function.invoke_as(&request, &exposure.event, PATIENCE);
                tokio::pin!(invoked);
                tokio::select! {
                    answer = &mut invoked => panic!("{case} was not reached: {answer:?}"),
                    () = proxy.holds() => function.kill().await,
                    () = tokio::time::sleep(Duration::from_mins(1)) => panic!("{case}: nothing is held"),
                }
                let answer = invoked.await;
                assert!(matches!(answer, Err(FunctionError::Exited { .. })), "{case}: {answer:?}");
            }
            proxy.heal();

            function = setting.function(S::NAME).await;
            let answer = outcome(function.invoke_as(&request, &exposure.event, PATIENCE).await);
            assert!(answer["status"] == "contained" || answer["status"] == "duplicate", "{case}: {answer:#}");
            let incident = setting.incidents().await.into_iter().find(|it| answer["incident"] == it.id.as_str());
            let incident = incident.unwrap();
            assert!(incident.state == State::Contained && !incident.receipt.is_empty(), "{case}: {incident:#?}");
            assert_ne!(S::look(&setting, &exposure).await, exposed, "{case}");
            let (done, said) = undo(&setting, &answer["incident"], &[]).await;
            assert!(done, "{case}: {said}");
            assert_eq!(S::look(&setting, &exposure).await, exposed, "{case}");
        }
    }
}
