//! AWS Security Hub.

use std::collections::BTreeSet;

use aws_config::{Region, SdkConfig};
use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::config::Builder;
use cloudtrail::Arn;
use lambda::{Untold, Written, call_error};
use remedy::{CallError, in_full};

use super::finding::{finding, id};

/// Of one call. Source: AWS Security Hub API Reference, `BatchImportFindings`, `Findings`.
const MOST: usize = 100;

/// The hub that a product is of.
#[derive(Debug)]
pub(super) struct Hub {
    client: Client,
    product: Arn,
}

/// Why a finding is not in the hub.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("the findings were not imported")]
    Call(#[source] CallError),
    /// The call succeeds all the same. The same reference, `FailedFindings`.
    #[error("Security Hub refused the finding `{id}` with `{code}`: {message}")]
    Refused { id: String, code: String, message: String },
    #[error("Security Hub refused {0} of the findings and does not say which")]
    Unnamed(i32),
}

impl Hub {
    pub(super) fn new(config: &SdkConfig, product: Arn) -> Self {
        let mut builder = Builder::from(config);
        if let Some(region) = product.region() {
            builder.set_region(Some(Region::new(region.as_str().to_owned())));
        }
        Self { client: Client::from_conf(builder.build()), product }
    }

    /// Imports a finding for each, new or in place of its last state; returns what was not imported.
    pub(super) async fn import(&self, due: &[&Written]) -> Untold {
        let mut untold = Untold::new();
        for batch in due.chunks(MOST) {
            let refused = match self.import_batch(batch).await {
                Ok(refused) => refused,
                Err(error) => {
                    tracing::error!(error = in_full(&error), "Security Hub was not told");
                    batch.iter().map(|written| id(&written.incident)).collect()
                }
            };
            let failed = batch.iter().filter(|written| refused.contains(&id(&written.incident)));
            untold.extend(failed.map(|written| written.sequence.clone()));
        }
        untold
    }

    /// The ids of the findings that were refused.
    async fn import_batch(&self, batch: &[&Written]) -> Result<BTreeSet<String>, ImportError> {
        let findings = batch.iter().map(|written| finding(written, &self.product)).collect();
        let answer = self.client.batch_import_findings().set_findings(Some(findings)).send().await;
        let answer = answer.map_err(|error| ImportError::Call(call_error("securityhub:BatchImportFindings", error)))?;
        let mut refused = BTreeSet::new();
        for failed in answer.failed_findings() {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let id = text(failed.id());
            let (code, message) = (text(failed.error_code()), text(failed.error_message()));
            let error = ImportError::Refused { id: id.clone(), code, message };
            tracing::error!(error = in_full(&error), "Security Hub was not told");
            refused.insert(id);
        }
        let failed = answer.failed_count().unwrap_or_default();
        let known = batch.iter().filter(|written| refused.contains(&id(&written.incident))).count();
        if usize::try_from(failed).is_ok_and(|failed| failed > known) {
            return Err(ImportError::Unnamed(failed));
        }
        Ok(refused)
    }
}

#[cfg(test)]
mod tests {
    use remedy::{IncidentId, State};
    use serde_json::{Value, json};

    use super::super::{examples, tests::written};
    use super::*;
    use crate::canned::Canned;

    fn hub(answer: &Value) -> (Hub, Canned) {
        let canned = Canned::new(200, answer);
        let product = "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default";
        (Hub::new(&canned.config(), Arn::parse(product).unwrap()), canned)
    }

    fn imported() -> Value {
        json!({ "FailedCount": 0, "SuccessCount": 1, "FailedFindings": [] })
    }

    async fn sent(written: &Written) -> Value {
        let (hub, canned) = hub(&imported());
        assert!(hub.import(&[written]).await.is_empty());
        canned.sent()[0]["Findings"][0].clone()
    }

    #[tokio::test]
    async fn the_guide_shows_a_finding() {
        let mut finding = sent(&examples::contained()).await;
        // A map of the SDK, which has no order.
        finding["ProductFields"].as_object_mut().unwrap().sort_keys();
        examples::check("finding", &serde_json::to_string_pretty(&finding).unwrap());
    }

    #[tokio::test]
    async fn a_finding_says_whose_word_it_stands_by() {
        let mut undone = examples::contained();
        let (by, at) = ("arn:aws:iam::123456789012:user/olivia", undone.incident.opened);
        undone.incident.state = State::Undone;
        undone.incident.undone = Some(remedy::Undone { by: by.to_owned(), at, forced: false, lease_ended: false });
        let description = sent(&undone).await["Description"].as_str().unwrap().to_owned();
        assert!(description.starts_with("Somebody took back") && description.ends_with(&format!("Undone by {by}")));
        let mut rejected = written("1", State::Rejected, 1);
        rejected.incident.answer = Some(remedy::Answer { approved: false, by: by.to_owned(), at, reason: None });
        let description = sent(&rejected).await["Description"].as_str().unwrap().to_owned();
        assert!(description.ends_with(&format!("Nothing was changed. Rejected by {by}")), "{description}");
    }

    #[tokio::test]
    async fn a_finding_is_active_while_the_exposure_is_there() {
        let mut half_undone = examples::contained();
        half_undone.incident.receipt[0].undone = Some(half_undone.incident.opened);
        assert_eq!(sent(&half_undone).await["RecordState"], "ACTIVE");
        for (state, expected) in [
            (State::Contained, "ARCHIVED"),
            (State::AlreadySafe, "ARCHIVED"),
            (State::Exempt, "ARCHIVED"),
            (State::Pending, "ACTIVE"),
            (State::Observed, "ACTIVE"),
            (State::Contested, "ACTIVE"),
            (State::Uncontainable, "ACTIVE"),
            (State::Failed, "ACTIVE"),
            (State::Rejected, "ACTIVE"),
            (State::Undone, "ACTIVE"),
        ] {
            let finding = sent(&written("1", state, 1)).await;
            assert_eq!((&finding["RecordState"], &finding["Workflow"]), (&json!(expected), &Value::Null), "{state}");
        }
    }

    /// The lengths are those of AWS Security Hub's API Reference, `AwsSecurityFinding`, and of its guide.
    #[tokio::test]
    async fn no_finding_is_longer_than_security_hub_takes() {
        let mut long = examples::contained();
        let text = "ä".repeat(20_000);
        let incident = &mut long.incident;
        for field in
            [&mut incident.event_name, &mut incident.because, &mut incident.verdict, &mut incident.receipt[0].did]
        {
            text.clone_into(field);
        }
        incident.receipt = vec![incident.receipt[0].clone(); 500];
        incident.actor.session = Some(text.clone());
        incident.resource.arn =
            Arn::parse(&format!("arn:aws:ec2:eu-west-1:123456789012:security-group/{text}")).unwrap();
        let finding = sent(&long).await;
        let length = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap().chars().count();
        for (pointer, most) in [
            ("/Id", 512),
            ("/GeneratorId", 512),
            ("/Title", 256),
            ("/Description", 1024),
            ("/Remediation/Recommendation/Text", 512),
            ("/Resources/0/Id", 512),
        ] {
            assert!((1..=most).contains(&length(pointer)), "{pointer} has {}", length(pointer));
        }
        let fields = finding["ProductFields"].as_object().unwrap();
        assert!(fields.len() <= 50);
        assert!(fields.values().all(|value| (1..=2048).contains(&value.as_str().unwrap().chars().count())));
        assert!(finding.to_string().len() < 240_000);
        assert!(
            finding["Description"].as_str().unwrap().contains("Undo: countermand incidents undo 0123456789abcdef0123")
        );
    }

    #[tokio::test]
    async fn a_refused_finding_comes_again_and_the_others_do_not() {
        let named = |sequence: &str| {
            let mut written = written(sequence, State::Observed, 0);
            written.incident.id = IncidentId::new(sequence);
            written
        };
        let (one, two) = (named("100"), named("101"));
        let failed = json!({ "Id": id(&two.incident), "ErrorCode": "InvalidInput", "ErrorMessage": "no" });
        let (refusing, _) = hub(&json!({ "FailedCount": 1, "SuccessCount": 1, "FailedFindings": [failed] }));
        assert_eq!(refusing.import(&[&one, &two]).await, ["101".to_owned()].into());
        let (silent, _) = hub(&json!({ "FailedCount": 1, "SuccessCount": 1, "FailedFindings": [] }));
        assert_eq!(silent.import(&[&one, &two]).await, ["100", "101"].map(str::to_owned).into());
    }

    #[tokio::test]
    async fn a_hundred_findings_are_one_call() {
        let all: Vec<_> = (0..101).map(|number| written(&number.to_string(), State::Observed, 0)).collect();
        let (hub, canned) = hub(&imported());
        assert!(hub.import(&all.iter().collect::<Vec<_>>()).await.is_empty());
        let sizes: Vec<_> = canned.sent().iter().map(|sent| sent["Findings"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [100, 1]);
    }
}
