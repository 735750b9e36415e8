//! What every responder must do, shown of each in the same way. What is special to one is in its own file.

mod block_bucket_exposure;
mod cancel_key_deletion;
mod conduct;
mod deny_console_login;
mod detach_admin_policy;
mod disable_access_key;
mod killed;
mod restart_trail;
mod restore_role_trust;
mod revoke_function_access;
mod revoke_open_ingress;
mod revoke_role_sessions;
mod unshare_image;
mod unshare_snapshot;

use serde_json::Value;
use stage::Call;

pub(crate) use self::conduct::{answers_as_policies_say, needs_all_it_may, one_failure_loses_nothing};
pub(crate) use self::killed::killed_at_any_call;
use super::setting::Setting;

/// Something dangerous that somebody has just done, to a resource of its own.
#[derive(Debug)]
pub(crate) struct Exposure {
    /// Names the resource for [`Scenario::look`] and the others.
    pub(crate) name: String,
    /// What EventBridge delivers of it.
    pub(crate) event: Value,
}

/// What there is to know of a responder to show that it does what each of them must.
pub(crate) trait Scenario {
    /// The responder.
    const NAME: &'static str;
    /// In how many ways a resource is exposed here. Together they take every permission of the function's role.
    const WAYS: usize = 1;
    /// Permissions of the function's role of which no way shows that they are needed, and why.
    const NOT_SHOWN: &'static [(&'static str, &'static str)] = &[];

    /// Somebody exposes a new resource, in the way of this number. `nth` is another one each time, for names.
    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure;

    /// How the resource looks to AWS: everything about it that the responder may change.
    async fn look(setting: &Setting, exposure: &Exposure) -> Value;

    /// Somebody makes it safe by hand.
    async fn mend(setting: &Setting, exposure: &Exposure);

    /// Somebody changes what we have made of it into something else than it was, so that an undo is to refuse; `false`
    /// where there is nothing else it could be.
    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool;

    /// The IAM action that a call of the function needs; services that speak REST have their own.
    fn action(call: &Call) -> String {
        format!("{}:{}", call.service, call.operation)
    }
}

/// The tests of a scenario.
macro_rules! proves {
    ($scenario:ty) => {
        #[tokio::test]
        async fn it_answers_as_policies_say() {
            $crate::end_to_end::responders::answers_as_policies_say::<$scenario>().await;
        }

        #[tokio::test]
        async fn it_needs_all_it_may() {
            $crate::end_to_end::responders::needs_all_it_may::<$scenario>().await;
        }

        #[tokio::test]
        async fn one_failure_at_any_call_loses_nothing() {
            $crate::end_to_end::responders::one_failure_loses_nothing::<$scenario>().await;
        }

        #[tokio::test]
        async fn killed_at_any_call_it_is_contained_once_and_can_be_undone() {
            $crate::end_to_end::responders::killed_at_any_call::<$scenario>().await;
        }
    };
}
pub(crate) use proves;
