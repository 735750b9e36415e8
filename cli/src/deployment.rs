//! What a deployment consists of, as CloudFormation tells it.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use lambda::call_error;
use remedy::CallError;

pub(crate) const FUNCTION: &str = "AWS::Lambda::Function";
pub(crate) const QUEUE: &str = "AWS::SQS::Queue";
pub(crate) const RULE: &str = "AWS::Events::Rule";
pub(crate) const TABLE: &str = "AWS::DynamoDB::Table";
pub(crate) const TOPIC: &str = "AWS::SNS::Topic";

/// The dead-letter queues, by their names in the template.
pub(crate) const QUEUES: [&str; 2] = ["FailedEvents", "UndeliveredEvents"];

/// A stack made of template.yaml.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployment {
    resources: Vec<Resource>,
}

#[derive(Debug, Clone)]
struct Resource {
    kind: String,
    /// Its name in the template: `RevokeOpenIngress`.
    logical: String,
    /// Its name in AWS.
    physical: String,
}

impl Deployment {
    /// Reads a stack's resources.
    pub(crate) async fn of(config: &SdkConfig, stack: &str) -> Result<Self, CallError> {
        let client = Client::new(config);
        let mut resources = Vec::new();
        let mut next = None;
        loop {
            let page = client.list_stack_resources().stack_name(stack).set_next_token(next).send().await;
            let page = page.map_err(|error| call_error("cloudformation:ListStackResources", error))?;
            resources.extend(page.stack_resource_summaries().iter().filter_map(|resource| {
                Some(Resource {
                    kind: resource.resource_type()?.to_owned(),
                    logical: resource.logical_resource_id()?.to_owned(),
                    physical: resource.physical_resource_id().filter(|id| !id.is_empty())?.to_owned(),
                })
            }));
            next = page.next_token;
            if next.is_none() {
                return Ok(Self { resources });
            }
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.resources.len()
    }

    /// The name that a resource of the template has in AWS.
    pub(crate) fn physical(&self, kind: &str, logical: &str) -> Option<&str> {
        self.of_kind(kind).find(|resource| resource.logical == logical).map(|resource| resource.physical.as_str())
    }

    /// The name in AWS of the function that people call so: `revoke-open-ingress`.
    pub(crate) fn function(&self, name: &str) -> Option<&str> {
        self.of_kind(FUNCTION).find(|it| name_of(&it.logical) == name).map(|it| it.physical.as_str())
    }

    /// What people call the function that has this name in AWS.
    pub(crate) fn function_called(&self, physical: &str) -> Option<String> {
        self.of_kind(FUNCTION).find(|it| it.physical == physical).map(|it| name_of(&it.logical))
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }
}

/// What is called `RevokeOpenIngress` in the template is `revoke-open-ingress` everywhere else.
pub(crate) fn name_of(logical: &str) -> String {
    let mut name = String::new();
    for letter in logical.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_by_its_responders_name() {
        let resource = |kind: &str, logical: &str, physical: &str| Resource {
            kind: kind.to_owned(),
            logical: logical.to_owned(),
            physical: physical.to_owned(),
        };
        let deployment = Deployment {
            resources: vec![
                resource(RULE, "RevokeOpenIngress", "a-rule"),
                resource(FUNCTION, "RevokeOpenIngress", "cm-RevokeOpenIngress-1"),
            ],
        };
        assert_eq!(deployment.function("revoke-open-ingress"), Some("cm-RevokeOpenIngress-1"));
        assert_eq!(deployment.function_called("cm-RevokeOpenIngress-1").unwrap(), "revoke-open-ingress");
        assert_eq!((deployment.function("other"), deployment.function_called("a-rule")), (None, None));
    }
}
