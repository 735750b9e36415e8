//! Events about buckets. Amazon S3's calls are REST, which tells no operation, so they are told here.

use serde_json::{Value, json};

use super::Identity;
use super::envelope::{envelope, second};
use crate::clock;

/// The `EventBridge` event of a `PutBucketPolicy` by `who`, signed with a key, in `region`, just now.
#[must_use]
pub fn put_bucket_policy(who: &Identity, region: &str, bucket: &str, policy: &Value) -> Value {
    let at = clock::now();
    let host = format!("{bucket}.s3.{region}.amazonaws.com");
    let id = clock::derived_id(&["bucket-policy", bucket, &policy.to_string(), &at.to_rfc3339()]);
    envelope(&json!({
        "eventVersion": "1.11",
        "userIdentity": who.user_identity(who.key().unwrap_or("AKIAIOSFODNN7EXAMPLE"), at),
        "eventTime": second(at),
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketPolicy",
        "awsRegion": region,
        "sourceIPAddress": who.source_ip(),
        "userAgent": "[aws-cli/2.31.0]",
        "requestParameters": { "bucketPolicy": policy, "bucketName": bucket, "Host": host, "policy": "" },
        "responseElements": null,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": policy.to_string().len(),
            "AuthenticationMethod": "AuthHeader",
            "bytesTransferredOut": 0
        },
        "requestID": "8Q1A2B3C4D5E6F7G",
        "eventID": id,
        "readOnly": false,
        "resources": [{
            "accountId": who.account(),
            "type": "AWS::S3::Bucket",
            "ARN": format!("arn:aws:s3:::{bucket}")
        }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": who.account(),
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host
        }
    }))
}
