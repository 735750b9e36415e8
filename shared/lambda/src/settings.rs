//! What a deployment can set.

use std::path::PathBuf;

use cloudtrail::{AccountId, Arn, InvalidId, Partition};
use policy::{InvalidLimit, Rate};
use remedy::FLIPS;

use crate::environment::Environment;

/// The part of the environment that is Countermand's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `COUNTERMAND_POLICIES`: the folder with the Cedar policies; `/opt/policies` if not set, which is where the
    /// policy layer is unpacked.
    pub policies: PathBuf,
    /// `COUNTERMAND_SHADOW_POLICIES`: a folder with policies that are only asked what they would have said.
    pub shadow: Option<PathBuf>,
    /// `COUNTERMAND_TABLE`: the name or ARN of the ledger's table.
    pub table: String,
    /// `COUNTERMAND_TOPIC`: the SNS topic that people listen to.
    pub topic: Option<Arn>,
    /// `COUNTERMAND_ROLE` and `COUNTERMAND_EXTERNAL_ID`: the role to assume in other accounts, if any.
    pub role: Option<MemberRole>,
    /// `COUNTERMAND_OWN_ROLES`: the roles of our own functions, whose calls are never findings.
    pub own_roles: Vec<Arn>,
    /// `COUNTERMAND_CONTESTED`: how often a change may be reversed and made again before we stop, as `3/1h`, which it is
    /// if not set; `never` for not stopping.
    pub flips: Option<Rate>,
    /// `COUNTERMAND_CANARY_ROLE`: the role of the canary, whose calls prove that CloudTrail's events get here.
    pub canary_role: Option<Arn>,
    /// `COUNTERMAND_LEASES`: whether leases end by themselves in this deployment, `on` or `off`, which it is if not set.
    pub leases: bool,
}

/// The role that is there for us in every account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRole {
    /// Its name, the same everywhere.
    pub name: String,
    /// What its trust policy asks us to say. Source: IAM User Guide, "Access to AWS accounts owned by third parties".
    pub external_id: Option<String>,
}

impl MemberRole {
    /// The role of this account.
    #[must_use]
    pub fn in_account(&self, partition: Partition, account: &AccountId) -> Arn {
        Arn::of(partition, "iam", "", account, &format!("role/{}", self.name))
    }
}

/// A variable that keeps a function from starting.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable nothing can be done without.
    #[error("`{name}` is not set: set it to {fix}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        fix: &'static str,
    },
    /// A variable that should hold an ARN.
    #[error("`{name}` does not hold what it should: set it to {fix}")]
    NotAnArn {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        fix: &'static str,
        /// What it holds.
        source: InvalidId,
    },
    /// A variable that should hold a rate.
    #[error("`{name}` does not hold what it should: set it to a rate such as `3/1h`, or to `never`")]
    NotARate {
        /// The variable.
        name: &'static str,
        /// What it holds.
        source: InvalidLimit,
    },
    /// A variable that should say `on` or `off`.
    #[error("`{name}` is neither `on` nor `off`")]
    NotASwitch {
        /// The variable.
        name: &'static str,
    },
    /// A variable that should hold the name of a role.
    #[error("`{name}` is not the name of a role: set it to a name without its path, or leave it out")]
    NotARole {
        /// The variable.
        name: &'static str,
    },
    /// A variable that names a file of certificates.
    #[error("the certificates of `{name}` cannot be read from `{}`: set it to a file of PEM certificates", path.display())]
    Certificates {
        /// The variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of certificates without one that can be used.
    #[error("`{name}` names `{}`, which holds no certificate: set it to a file of PEM certificates", path.display())]
    NoCertificates {
        /// The variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
}

const CONTESTED: &str = "COUNTERMAND_CONTESTED";
const LEASES: &str = "COUNTERMAND_LEASES";
const CANARY_ROLE: &str = "COUNTERMAND_CANARY_ROLE";
const ROLE: &str = "COUNTERMAND_ROLE";
const POLICIES: &str = "/opt/policies";

impl Settings {
    /// Reads the process's environment.
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::read(&Environment::of_process())
    }

    pub(crate) fn read(environment: &Environment) -> Result<Self, SettingsError> {
        Ok(Self {
            policies: policies(environment),
            shadow: environment.get("COUNTERMAND_SHADOW_POLICIES").map(PathBuf::from),
            table: required(environment, "COUNTERMAND_TABLE", "the name of the ledger's DynamoDB table")?.to_owned(),
            topic: environment
                .get("COUNTERMAND_TOPIC")
                .map(|topic| arn("COUNTERMAND_TOPIC", "the ARN of an SNS topic, or leave it out", topic))
                .transpose()?,
            flips: match environment.get(CONTESTED) {
                None => Some(FLIPS),
                Some("never") => None,
                Some(rate) => {
                    let rate = Rate::parse(rate);
                    Some(rate.map_err(|source| SettingsError::NotARate { name: CONTESTED, source })?)
                }
            },
            leases: match environment.get(LEASES) {
                None | Some("off") => false,
                Some("on") => true,
                Some(_) => return Err(SettingsError::NotASwitch { name: LEASES }),
            },
            role: member_role(environment)?,
            own_roles: own_roles(environment)?,
            canary_role: environment
                .get(CANARY_ROLE)
                .map(|role| arn(CANARY_ROLE, "the ARN of the canary's role, or leave it out", role))
                .transpose()?,
        })
    }
}

/// `COUNTERMAND_POLICIES`.
pub(crate) fn policies(environment: &Environment) -> PathBuf {
    environment.get("COUNTERMAND_POLICIES").unwrap_or(POLICIES).into()
}

/// `COUNTERMAND_OWN_ROLES`.
pub(crate) fn own_roles(environment: &Environment) -> Result<Vec<Arn>, SettingsError> {
    environment
        .get("COUNTERMAND_OWN_ROLES")
        .unwrap_or_default()
        .split(',')
        .filter(|role| !role.trim().is_empty())
        .map(|role| arn("COUNTERMAND_OWN_ROLES", "the ARNs of the functions' roles, with commas between", role))
        .collect()
}

fn member_role(environment: &Environment) -> Result<Option<MemberRole>, SettingsError> {
    let Some(name) = environment.get(ROLE) else { return Ok(None) };
    // Source: IAM API Reference, `CreateRole`, `RoleName`.
    if name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)) {
        return Err(SettingsError::NotARole { name: ROLE });
    }
    let external_id = environment.get("COUNTERMAND_EXTERNAL_ID").map(str::to_owned);
    Ok(Some(MemberRole { name: name.to_owned(), external_id }))
}

pub(crate) fn arn(name: &'static str, fix: &'static str, text: &str) -> Result<Arn, SettingsError> {
    Arn::parse(text.trim()).map_err(|source| SettingsError::NotAnArn { name, fix, source })
}

/// A variable nothing can be done without.
pub(crate) fn required<'a>(
    environment: &'a Environment,
    name: &'static str,
    fix: &'static str,
) -> Result<&'a str, SettingsError> {
    environment.get(name).ok_or(SettingsError::Missing { name, fix })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_table_is_required() {
        let settings = Settings::read(&[("COUNTERMAND_TABLE", "ledger"), ("COUNTERMAND_TOPIC", "")].into()).unwrap();
        let expected = Settings {
            policies: POLICIES.into(),
            shadow: None,
            table: "ledger".to_owned(),
            topic: None,
            role: None,
            own_roles: vec![],
            flips: Some(FLIPS),
            canary_role: None,
            leases: false,
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn everything_can_be_set() {
        let roles = "arn:aws:iam::123456789012:role/a, arn:aws:iam::123456789012:role/b,";
        let settings = Settings::read(
            &[
                ("COUNTERMAND_TABLE", "ledger"),
                ("COUNTERMAND_POLICIES", "/somewhere"),
                ("COUNTERMAND_SHADOW_POLICIES", "/somewhere/next"),
                ("COUNTERMAND_TOPIC", "arn:aws:sns:eu-west-1:123456789012:told"),
                ("COUNTERMAND_ROLE", "countermand"),
                ("COUNTERMAND_EXTERNAL_ID", "3c1f"),
                ("COUNTERMAND_CONTESTED", "5/30m"),
                ("COUNTERMAND_LEASES", "on"),
                ("COUNTERMAND_OWN_ROLES", roles),
                ("COUNTERMAND_CANARY_ROLE", "arn:aws:iam::123456789012:role/canary"),
            ]
            .into(),
        )
        .unwrap();
        assert_eq!(settings.policies, PathBuf::from("/somewhere"));
        assert_eq!(settings.shadow, Some(PathBuf::from("/somewhere/next")));
        assert_eq!(settings.topic.unwrap().name(), "told");
        let role = settings.role.unwrap();
        assert_eq!((role.name.as_str(), role.external_id.as_deref()), ("countermand", Some("3c1f")));
        let account = AccountId::parse("210987654321").unwrap();
        assert_eq!(
            role.in_account(Partition::China, &account).as_str(),
            "arn:aws-cn:iam::210987654321:role/countermand"
        );
        assert_eq!(settings.flips, Some(Rate { count: 5, window: Duration::from_mins(30) }));
        assert!(settings.leases);
        assert_eq!(settings.canary_role.unwrap().name(), "canary");
        assert_eq!(settings.own_roles.iter().map(Arn::name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_error_names_the_variable_and_the_fix() {
        let refusal = |environment: Environment| Settings::read(&environment).unwrap_err().to_string();
        assert_eq!(
            refusal([].into()),
            "`COUNTERMAND_TABLE` is not set: set it to the name of the ledger's DynamoDB table"
        );
        assert_eq!(
            refusal([("COUNTERMAND_TABLE", "ledger"), ("COUNTERMAND_TOPIC", "told")].into()),
            "`COUNTERMAND_TOPIC` does not hold what it should: set it to the ARN of an SNS topic, or leave it out"
        );
        for (name, wrong) in [
            (CONTESTED, "often"),
            (LEASES, "yes"),
            (ROLE, "path/role"),
            ("COUNTERMAND_OWN_ROLES", "role"),
            (CANARY_ROLE, "canary"),
        ] {
            let told = refusal([("COUNTERMAND_TABLE", "ledger"), (name, wrong)].into());
            assert!(told.starts_with(&format!("`{name}` ")), "{told}");
        }
    }

    #[test]
    fn a_deployment_can_choose_never_to_stop_a_fight() {
        let settings = Settings::read(&[("COUNTERMAND_TABLE", "ledger"), (CONTESTED, "never")].into()).unwrap();
        assert_eq!(settings.flips, None);
    }
}
