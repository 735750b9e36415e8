//! The stacks, made by the emulator's CloudFormation from the templates.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus, TemplateStage};
use serde_json::Value;

use super::package::{BUCKET, Packages};
use super::{MONITORING, STACK, TEMPLATES, TRAIL_LOGS};
use crate::generated::read;

/// Types of resources that the emulator does not know.
const UNKNOWN: [&str; 2] = ["AWS::CloudWatch::CompositeAlarm", "AWS::Logs::QueryDefinition"];

/// What makes of an alarm one over an expression, which the emulator does not know either.
const EXPRESSION: &str = "      Metrics:\n";

/// A stack as it was made.
#[derive(Debug)]
pub(super) struct Stack {
    /// The name in AWS of each resource.
    ids: BTreeMap<String, String>,
    /// The template after its transformation.
    processed: Value,
}

impl Stack {
    /// template.yaml's, after its packages were put where it says.
    pub(super) async fn of_template(config: &SdkConfig, packages: &Packages) -> Self {
        let s3 =
            aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build());
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let (text, files) = packages.of_template();
        for (key, file) in files {
            let body = std::fs::read(file).unwrap();
            s3.put_object().bucket(BUCKET).key(key).body(body.into()).send().await.unwrap();
        }
        // More than a request may hold: `sam deploy` does so as well.
        s3.put_object().bucket(BUCKET).key("template").body(text.into_bytes().into()).send().await.unwrap();
        let url = format!("{}/{BUCKET}/template", config.endpoint_url().unwrap());
        Self::create(config, STACK, &url, &[("ShadowPolicies", "next")]).await
    }

    /// template-monitoring.yaml's, without what the emulator does not know; and the names of what that is.
    pub(super) async fn of_monitoring(config: &SdkConfig) -> (Self, Vec<String>) {
        let s3 =
            aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build());
        let (text, left_out) = known(&read(TEMPLATES[1]));
        s3.put_object().bucket(BUCKET).key("monitoring").body(text.into_bytes().into()).send().await.unwrap();
        let url = format!("{}/{BUCKET}/monitoring", config.endpoint_url().unwrap());
        let parameters = [("Countermand", STACK), ("TrailLogGroup", TRAIL_LOGS)];
        (Self::create(config, MONITORING, &url, &parameters).await, left_out)
    }

    async fn create(config: &SdkConfig, name: &str, url: &str, parameters: &[(&str, &str)]) -> Self {
        let cloudformation = aws_sdk_cloudformation::Client::new(config);
        let parameters = parameters
            .iter()
            .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
        let create = cloudformation.create_stack().stack_name(name).template_url(url);
        let create = create.set_parameters(Some(parameters.collect()));
        let create = create.capabilities(Capability::CapabilityNamedIam).capabilities(Capability::CapabilityAutoExpand);
        create.send().await.unwrap();
        loop {
            let described = cloudformation.describe_stacks().stack_name(name).send().await.unwrap();
            match described.stacks()[0].stack_status() {
                Some(StackStatus::CreateComplete) => break,
                Some(StackStatus::CreateInProgress) => tokio::time::sleep(Duration::from_millis(100)).await,
                other => {
                    let events = cloudformation.describe_stack_events().stack_name(name).send().await.unwrap();
                    let why: Vec<_> =
                        events.stack_events().iter().filter_map(|it| it.resource_status_reason()).collect();
                    panic!("{name} is {other:?}: {why:#?}");
                }
            }
        }
        let pages = cloudformation.list_stack_resources().stack_name(name).into_paginator().items().send();
        let resources = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let named = resources.iter().map(|it| (it.logical_resource_id().unwrap(), it.physical_resource_id().unwrap()));
        let template = cloudformation.get_template().stack_name(name).template_stage(TemplateStage::Processed);
        let template = template.send().await.unwrap().template_body.unwrap();
        Self {
            ids: named.map(|(logical, physical)| (logical.to_owned(), physical.to_owned())).collect(),
            processed: serde_json::from_str(&template).unwrap_or(Value::Null),
        }
    }

    /// The name in AWS of a resource of the template.
    pub(super) fn id(&self, logical: &str) -> &str {
        self.ids.get(logical).unwrap_or_else(|| panic!("the stack has no {logical}"))
    }

    /// The name in AWS of the one resource whose name in the template begins so: SAM adds a hash to a layer's.
    pub(super) fn id_of_version(&self, beginning: &str) -> &str {
        let mut ids = self.ids.iter().filter(|(logical, _)| logical.starts_with(beginning));
        let (Some((_, id)), None) = (ids.next(), ids.next()) else { panic!("which {beginning} of {:#?}?", self.ids) };
        id
    }

    /// The resources as CloudFormation was given them: after the transformation.
    pub(super) fn all_given(&self) -> &Value {
        &self.processed["Resources"]
    }

    /// The names that the template gives its resources.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }
}

/// A template without the resources that the emulator does not know, and their names.
fn known(template: &str) -> (String, Vec<String>) {
    let (mut kept, mut left_out) = (String::new(), Vec::new());
    let (head, resources) = template.split_once("\nResources:\n").unwrap();
    let (resources, tail) = resources.split_once("\nOutputs:\n").unwrap();
    let mut blocks: Vec<String> = vec![String::new()];
    for line in resources.lines() {
        let name = line.strip_prefix("  ");
        let begins = name.is_some_and(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic()));
        if begins {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().unwrap();
        block.push_str(line);
        block.push('\n');
    }
    for block in blocks {
        let unknown = UNKNOWN.iter().any(|kind| block.contains(&format!("    Type: {kind}\n")));
        if unknown || block.contains(EXPRESSION) {
            left_out.push(block.split(':').next().unwrap().trim().to_owned());
        } else {
            kept.push_str(&block);
        }
    }
    (format!("{head}\nResources:\n{kept}\nOutputs:\n{tail}"), left_out)
}
