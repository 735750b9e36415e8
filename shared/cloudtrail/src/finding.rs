//! Findings of other services that we respond to.

use serde::Deserialize;

use crate::ids::AccessKeyId;

/// The credentials a `GuardDuty` finding is about (`detail.resource.accessKeyDetails`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyDetails {
    /// The key, long-term or temporary.
    pub access_key_id: Option<AccessKeyId>,
    /// The user or role.
    pub user_name: Option<String>,
    /// `IAMUser`, `AssumedRole`, `Root`, …
    pub user_type: Option<String>,
    /// The unique id, `AIDA…` or `AROA…:session`.
    pub principal_id: Option<String>,
}

/// A `GuardDuty` finding. Source: Amazon `GuardDuty` User Guide, "Processing findings with Amazon EventBridge".
#[derive(Debug, Clone)]
pub struct GuardDutyFinding {
    /// For example `UnauthorizedAccess:IAMUser/TorIPCaller`.
    pub kind: String,
    /// 0.1 to 10.0.
    pub severity: f64,
    /// How often it was seen so far; it grows with each update of the finding.
    pub count: u64,
    /// Whether somebody archived it.
    pub archived: bool,
    /// Whether it was made by `CreateSampleFindings`.
    pub sample: bool,
    /// The credentials concerned, if it is about credentials.
    pub key: Option<KeyDetails>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    severity: f64,
    #[serde(default)]
    service: Service,
    #[serde(default)]
    resource: Resource,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Service {
    count: u64,
    archived: bool,
    additional_info: Option<AdditionalInfo>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AdditionalInfo {
    Parsed {
        #[serde(default)]
        sample: bool,
        /// Newer findings carry the same facts once more, as JSON text.
        #[serde(default)]
        value: Option<String>,
    },
    Other(serde::de::IgnoredAny),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    access_key_details: Option<KeyDetails>,
}

impl<'de> Deserialize<'de> for GuardDutyFinding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Detail { kind, severity, service, resource } = Detail::deserialize(deserializer)?;
        let sample = match service.additional_info {
            Some(AdditionalInfo::Parsed { sample, value }) => {
                sample || value.is_some_and(|text| text.replace(' ', "").contains("\"sample\":true"))
            }
            Some(AdditionalInfo::Other(_)) | None => false,
        };
        let (count, archived) = (service.count, service.archived);
        Ok(Self { kind, severity, count, archived, sample, key: resource.access_key_details })
    }
}

/// An AWS Health event. Source: AWS Health User Guide, "AWS Health events Amazon EventBridge schema".
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthEvent {
    /// For example `AWS_RISK_CREDENTIALS_EXPOSED`.
    pub event_type_code: String,
    /// What is affected: for exposed credentials the access key ids.
    #[serde(default)]
    pub affected_entities: Vec<AffectedEntity>,
}

/// One thing an AWS Health event is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedEntity {
    /// Its id.
    #[serde(default)]
    pub entity_value: String,
}
