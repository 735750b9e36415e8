//! `revoke-open-ingress` does what every responder must.

use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::Setting;

struct OpenSsh;

impl Scenario for OpenSsh {
    const NAME: &'static str = "revoke-open-ingress";
    const WAYS: usize = 2;
    const NOT_SHOWN: &'static [(&'static str, &'static str)] = &[
        ("ec2:GetManagedPrefixListEntries", "no rule here names a prefix list; `privileges.rs` has one that does"),
        ("ec2:DescribeVpcs", "no event here names a group by its name; `privileges.rs` has one that does"),
    ];

    async fn expose(setting: &Setting, way: usize, _: u32) -> Exposure {
        let name = setting.group().await;
        let sources: &[&str] = if way == 0 { &["0.0.0.0/0"] } else { &["0.0.0.0/1", "::/0"] };
        let event = setting.open(&name, 22, sources).await;
        Exposure { name, event }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        json!(setting.rules(&exposure.name).await)
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        setting.close(&exposure.name, 22, "0.0.0.0/0").await;
    }

    /// A rule is there or it is not.
    async fn meddle(_: &Setting, _: &Exposure) -> bool {
        false
    }
}

proves!(OpenSsh);
