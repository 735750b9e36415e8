//! `unshare-image` does what every responder must.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{LaunchPermission, LaunchPermissionModifications, PermissionGroup};
use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

const FOREIGN: &str = "210987654321";
const OLD: &str = "999988887777";
const ORGANIZATION: &str = "arn:aws:organizations::210987654321:organization/o-exampleorgid";
const UNIT: &str = "arn:aws:organizations::210987654321:ou/o-exampleorgid/ou-exam-11aa22bb";

const SHARED: [&[&str]; 2] = [&["all", FOREIGN], &[ORGANIZATION, UNIT]];

struct Shared;

fn permissions(names: &[&str]) -> Vec<LaunchPermission> {
    let permission = |name: &&str| {
        let permission = LaunchPermission::builder();
        match *name {
            "all" => permission.group(PermissionGroup::All),
            UNIT => permission.organizational_unit_arn(UNIT),
            ORGANIZATION => permission.organization_arn(ORGANIZATION),
            account => permission.user_id(account),
        }
        .build()
    };
    names.iter().map(permission).collect()
}

impl Shared {
    async fn modify(setting: &Setting, by_attacker: bool, image: &str, added: &[&str], removed: &[&str]) {
        let who = if by_attacker { &setting.attacker } else { &setting.operator };
        let modifications = LaunchPermissionModifications::builder();
        let modifications = match (added, removed) {
            ([], removed) => modifications.set_remove(Some(permissions(removed))),
            (added, _) => modifications.set_add(Some(permissions(added))),
        };
        let call = aws_sdk_ec2::Client::new(who).modify_image_attribute().image_id(image);
        call.launch_permission(modifications.build()).send().await.unwrap();
    }

    async fn with(setting: &Setting, image: &str) -> BTreeSet<String> {
        let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
        let answer = ec2.describe_image_attribute().image_id(image).attribute("launchPermission".into());
        let permissions = answer.send().await.unwrap().launch_permissions.unwrap_or_default().into_iter();
        let name = |it: LaunchPermission| {
            let group = it.group.map(|group| group.as_str().to_owned());
            it.user_id.or(it.organization_arn).or(it.organizational_unit_arn).or(group).unwrap()
        };
        permissions.map(name).collect()
    }
}

impl Scenario for Shared {
    const NAME: &'static str = "unshare-image";
    const WAYS: usize = 2;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
        let image = ec2.register_image().name(format!("web{nth}")).send().await.unwrap().image_id.unwrap();
        Self::modify(setting, false, &image, &[OLD], &[]).await;
        setting.account.events();
        Self::modify(setting, true, &image, SHARED[way], &[]).await;
        Exposure { name: image, event: setting.event() }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        json!(Self::with(setting, &exposure.name).await)
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        Self::modify(setting, false, &exposure.name, &[], &["all", FOREIGN]).await;
        setting.account.events();
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let again = if exposure.event.to_string().contains(UNIT) { UNIT } else { FOREIGN };
        Self::modify(setting, false, &exposure.name, &[again], &[]).await;
        setting.account.events();
        true
    }
}

proves!(Shared);

#[tokio::test]
async fn what_was_shared_before_stays_so_and_a_removal_is_no_finding() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Shared::NAME).await;
    let exposure = Shared::expose(&setting, 0, 1).await;
    let contained = outcome(function.invoke(&exposure.event).await);
    assert_eq!(contained["status"], "contained", "{contained:#}");
    assert_eq!(contained["resource"], format!("arn:aws:ec2:us-east-1::image/{}", exposure.name));
    assert_eq!(Shared::with(&setting, &exposure.name).await, BTreeSet::from([OLD.to_owned()]));
    setting.account.events();
    Shared::modify(&setting, true, &exposure.name, &[], &[OLD]).await;
    assert_eq!(function.invoke(&setting.event()).await.unwrap().body, json!({"outcomes": []}));
}

#[tokio::test]
async fn an_image_that_is_gone_is_safe() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Shared::NAME).await;
    let exposure = Shared::expose(&setting, 0, 1).await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    ec2.deregister_image().image_id(&exposure.name).send().await.unwrap();
    setting.account.events();
    assert_eq!(status(function.invoke(&exposure.event).await), "already_safe");
}
