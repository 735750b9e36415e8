//! Where incidents are told beyond the topic that people listen to.

use cloudtrail::Arn;

use crate::environment::Environment;
use crate::settings::{SettingsError, arn};

/// The channels of a deployment; none of them need be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// `COUNTERMAND_SECURITY_HUB`: the ARN of the product that findings are imported for, in the hub of its region.
    pub product: Option<Arn>,
    /// `COUNTERMAND_CHAT_TOPIC`: the SNS topic that Amazon Q Developer in chat applications listens to.
    pub chat: Option<Arn>,
    /// `COUNTERMAND_WEBHOOK`: the secret in AWS Secrets Manager with the webhook's address and key.
    pub webhook: Option<Arn>,
}

impl Channels {
    pub(crate) fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let read =
            |name: &'static str, fix: &'static str| environment.get(name).map(|text| arn(name, fix, text)).transpose();
        Ok(Self {
            product: read("COUNTERMAND_SECURITY_HUB", "the ARN of a Security Hub product, or leave it out")?,
            chat: read("COUNTERMAND_CHAT_TOPIC", "the ARN of an SNS topic, or leave it out")?,
            webhook: read("COUNTERMAND_WEBHOOK", "the ARN of a secret in Secrets Manager, or leave it out")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_is_there_or_not() {
        let product = "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default";
        let channels = Channels::read(&[("COUNTERMAND_SECURITY_HUB", product), ("COUNTERMAND_WEBHOOK", "")].into());
        let Channels { product: read, chat, webhook } = channels.unwrap();
        assert_eq!((read.unwrap().as_str(), chat, webhook), (product, None, None));
        let refusal = Channels::read(&[("COUNTERMAND_CHAT_TOPIC", "chat")].into()).unwrap_err().to_string();
        assert!(refusal.starts_with("`COUNTERMAND_CHAT_TOPIC` does not hold what it should"), "{refusal}");
    }
}
