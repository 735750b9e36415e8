//! Documents of recorded calls, where the workspace's neighbour `shared/events` holds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cloudtrail::{AccountId, Partition};
use policy_document::{AdminLevel, Document, Trust, admin, exposure, opened};
use serde_json::Value;

use crate::hostile::analyse;

const PARAMETERS: [&str; 4] = ["policy", "policyDocument", "assumeRolePolicyDocument", "bucketPolicy"];

/// What the analysis of the call's kind says.
fn verdict(call: &str, document: &Document, trust: &Trust) -> String {
    match call {
        "UpdateAssumeRolePolicy" | "CreateRole" => format!("opens {}", opened(None, document, trust).len()),
        "PutBucketPolicy" | "PutKeyPolicy" | "CreateKey" => {
            exposure(document, trust).iter().map(|grant| grant.access.name()).collect::<Vec<_>>().join(" ")
        }
        _ => match admin(&[document], None, trust).level {
            AdminLevel::Admin(_) => "admin".to_owned(),
            level => level.name().to_owned(),
        },
    }
}

#[test]
fn every_recorded_document_is_analysed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail");
    let Ok(files) = folder.read_dir() else { return };
    let mut verdicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let record = event.get("detail").unwrap_or(&event);
            let (Some(call), account) = (record["eventName"].as_str(), record["recipientAccountId"].as_str()) else {
                continue;
            };
            for parameter in PARAMETERS {
                let text = match &record["requestParameters"][parameter] {
                    Value::String(text) => text.clone(),
                    Value::Object(object) if object.contains_key("Statement") => {
                        Value::from(object.clone()).to_string()
                    }
                    _ => continue,
                };
                let Ok(document) = Document::parse(&text) else { continue };
                analyse(&document);
                let account = AccountId::parse(account.unwrap_or_default());
                let ours = account.unwrap_or_else(|_| AccountId::parse("111122223333").unwrap());
                let verdict = verdict(call, &document, &Trust::only(ours, Partition::Aws));
                verdicts.entry(call.to_owned()).or_default().push(verdict);
            }
        }
    }
    let of = |call: &str| verdicts.get(call).cloned().unwrap_or_default();
    assert!(of("CreatePolicyVersion").contains(&"admin".to_owned()), "Splunk's `rhino_escalate`: {verdicts:?}");
    assert!(of("UpdateAssumeRolePolicy").contains(&"opens 1".to_owned()), "Stratus's backdoor: {verdicts:?}");
    assert!(of("PutBucketPolicy").contains(&"public".to_owned()), "Panther's public bucket: {verdicts:?}");
    assert!(of("PutKeyPolicy").contains(&"within".to_owned()), "AWS's default key policy: {verdicts:?}");
    assert!(of("PutUserPolicy").iter().all(|verdict| verdict == "no"), "AWS's quarantine: {verdicts:?}");
}
