//! Events about access keys that other services send: GuardDuty and AWS Health.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::envelope::second;
use crate::clock;

/// What GuardDuty has to say of an access key. Take [`KeyFinding::of_user`] and change what matters.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyFinding {
    /// When it was found.
    pub at: DateTime<Utc>,
    /// `UnauthorizedAccess:IAMUser/TorIPCaller` …
    pub finding_type: String,
    /// 1 to 10.
    pub severity: f64,
    /// The key that was used: `AKIA…`, or `ASIA…` for a temporary one.
    pub access_key_id: String,
    /// `IAMUser`, `AssumedRole`, `Root` …
    pub user_type: String,
    /// The user, or the role.
    pub user_name: String,
    /// The account.
    pub account: String,
    /// The region of the detector.
    pub region: String,
    /// The API that was called with it.
    pub api: String,
    /// From where.
    pub remote_ip: String,
    /// A sample finding, which must never be acted on.
    pub sample: bool,
    /// An archived one, which neither.
    pub archived: bool,
}

impl KeyFinding {
    /// A user's long-term key, used from a Tor exit node.
    #[must_use]
    pub fn of_user(user_name: &str, access_key_id: &str, at: DateTime<Utc>) -> Self {
        Self {
            at,
            finding_type: "UnauthorizedAccess:IAMUser/TorIPCaller".to_owned(),
            severity: 5.0,
            access_key_id: access_key_id.to_owned(),
            user_type: "IAMUser".to_owned(),
            user_name: user_name.to_owned(),
            account: crate::ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            api: "ListBuckets".to_owned(),
            remote_ip: "198.51.100.7".to_owned(),
            sample: false,
            archived: false,
        }
    }
}

/// The `EventBridge` event of a GuardDuty finding about an access key.
#[must_use]
pub fn guardduty_key_finding(finding: &KeyFinding) -> Value {
    let KeyFinding { account, region, api, user_name, finding_type, remote_ip, .. } = finding;
    let subject = format!("{finding_type}/{}/{account}", finding.access_key_id);
    let (id, detector) = (clock::derived_hex(&subject), clock::derived_hex(account));
    let prefix = if finding.user_type == "AssumedRole" { "AROA" } else { "AIDA" };
    let seen = second(finding.at);
    let stamped = finding.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let additional = if finding.sample {
        json!({"sample": true, "value": "{\"sample\":true}", "type": "default"})
    } else {
        json!({"value": "{}", "type": "default"})
    };
    json!({
        "version": "0",
        "id": clock::derived_id(&["guardduty", &id, &stamped]),
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": account,
        "time": seen,
        "region": region,
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": account,
            "region": region,
            "partition": "aws",
            "id": id,
            "arn": format!("arn:aws:guardduty:{region}:{account}:detector/{detector}/finding/{id}"),
            "type": finding_type,
            "resource": {
                "resourceType": "AccessKey",
                "accessKeyDetails": {
                    "accessKeyId": finding.access_key_id,
                    "principalId": clock::derived_unique_id(prefix, user_name, 17),
                    "userType": finding.user_type,
                    "userName": user_name
                }
            },
            "service": {
                "serviceName": "guardduty",
                "detectorId": detector,
                "action": {
                    "actionType": "AWS_API_CALL",
                    "awsApiCallAction": {
                        "api": api,
                        "serviceName": "s3.amazonaws.com",
                        "callerType": "Remote IP",
                        "remoteIpDetails": {
                            "ipAddressV4": remote_ip,
                            "organization": {"asn": "64496", "asnOrg": "Example", "isp": "Example", "org": "Example"},
                            "country": {"countryName": "Netherlands"},
                            "city": {"cityName": "Amsterdam"},
                            "geoLocation": {"lat": 52.37, "lon": 4.89}
                        },
                        "affectedResources": {}
                    }
                },
                "resourceRole": "TARGET",
                "additionalInfo": additional,
                "eventFirstSeen": seen,
                "eventLastSeen": seen,
                "archived": finding.archived,
                "count": 1
            },
            "severity": finding.severity,
            "createdAt": stamped,
            "updatedAt": stamped,
            "title": format!("API {api} was invoked with the access key of {user_name} from an unusual place."),
            "description": format!("API {api} was invoked from IP address {remote_ip}.")
        }
    })
}

/// The AWS Health event that tells of an access key found in public.
#[must_use]
pub fn health_exposed_key(account: &str, access_key_id: &str, at: DateTime<Utc>) -> Value {
    let id = clock::derived_id(&["health", account, access_key_id]);
    let spoken = |at: DateTime<Utc>| at.format("%a, %-d %b %Y %H:%M:%S GMT").to_string();
    json!({
        "version": "0",
        "id": clock::derived_id(&["health event", &id]),
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": account,
        "time": second(at),
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventArn": format!("arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED_{id}"),
            "service": "RISK",
            "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
            "eventTypeCategory": "issue",
            "eventScopeCode": "ACCOUNT_SPECIFIC",
            "communicationId": clock::derived_hex(&id),
            "startTime": spoken(at - Duration::minutes(5)),
            "lastUpdatedTime": spoken(at),
            "statusCode": "open",
            "eventRegion": "us-east-1",
            "eventDescription": [{
                "language": "en_US",
                "latestDescription": "An access key of your account has been found in a public place."
            }],
            "affectedEntities": [{"entityValue": access_key_id}],
            "affectedAccount": account,
            "page": "1",
            "totalPages": "1"
        }
    })
}
