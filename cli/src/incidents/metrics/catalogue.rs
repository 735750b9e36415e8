//! Which metrics tell of a resource, by its type.

use std::fmt;

use aws_sdk_cloudtrail::types::LookupAttributeKey;
use cloudtrail::Arn;

use super::calls_of;
use super::sparkline::Unit;
use crate::event_history::Wanted;

/// A metric of Amazon CloudWatch.
#[derive(Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) stat: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: Unit,
}

/// Metrics with the dimensions that they have for one resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watched {
    /// What a person calls the resource's type.
    kind: &'static str,
    pub(super) dimensions: Vec<(&'static str, String)>,
    pub(super) metrics: &'static [Metric],
    /// Why there may be none.
    pub(super) silent: &'static str,
}

/// Where to look for what a resource did, or was done with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// Amazon CloudWatch.
    Watched(Watched),
    /// The instances behind a security group.
    Instances { group: String },
    /// CloudTrail's event history.
    Calls(Wanted),
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.dimensions.first().map_or("", |(_, value)| value);
        write!(f, "{} {name}", self.kind)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watched(watched) => write!(f, "{watched}"),
            Self::Instances { group } => write!(f, "instances in {group}"),
            Self::Calls(wanted) => f.write_str(&calls_of(wanted)),
        }
    }
}

/// Source: Amazon EC2 User Guide, "CloudWatch metrics that are available for your instances".
const INSTANCE: [Metric; 3] = [
    Metric { namespace: "AWS/EC2", name: "CPUUtilization", stat: "Average", label: "cpu", unit: Unit::Percent },
    Metric { namespace: "AWS/EC2", name: "NetworkIn", stat: "Sum", label: "network in", unit: Unit::Bytes },
    Metric { namespace: "AWS/EC2", name: "NetworkOut", stat: "Sum", label: "network out", unit: Unit::Bytes },
];

/// Source: AWS Lambda Developer Guide, "Types of metrics for Lambda functions".
const FUNCTION: [Metric; 2] = [
    Metric { namespace: "AWS/Lambda", name: "Invocations", stat: "Sum", label: "invocations", unit: Unit::Count },
    Metric { namespace: "AWS/Lambda", name: "Errors", stat: "Sum", label: "errors", unit: Unit::Count },
];

/// Source: Amazon S3 User Guide, "Amazon S3 metrics and dimensions". The daily storage metrics say nothing of hours.
const BUCKET: [Metric; 3] = [
    Metric { namespace: "AWS/S3", name: "AllRequests", stat: "Sum", label: "requests", unit: Unit::Count },
    Metric { namespace: "AWS/S3", name: "4xxErrors", stat: "Sum", label: "refused", unit: Unit::Count },
    Metric { namespace: "AWS/S3", name: "BytesDownloaded", stat: "Sum", label: "downloaded", unit: Unit::Bytes },
];

/// What to ask about a resource.
pub(super) fn source(arn: &Arn) -> Source {
    let service = arn.as_str().split(':').nth(2).unwrap_or_default();
    let kind = arn.resource().split(['/', ':']).next().unwrap_or_default();
    let name = || arn.name().to_owned();
    match (service, kind) {
        ("ec2", "instance") => Source::Watched(instance(name())),
        ("ec2", "security-group") => Source::Instances { group: name() },
        ("lambda", "function") => Source::Watched(Watched {
            kind: "function",
            // A version or an alias may follow the name.
            dimensions: vec![("FunctionName", arn.resource().split(':').nth(1).unwrap_or_default().to_owned())],
            metrics: &FUNCTION,
            silent: "it was not invoked",
        }),
        ("s3", _) => Source::Watched(Watched {
            kind: "bucket",
            dimensions: vec![("BucketName", arn.resource().to_owned()), ("FilterId", "EntireBucket".to_owned())],
            metrics: &BUCKET,
            silent: "nobody asked for anything, or the bucket has no request metrics: they cost, and are turned on by a \
                     metrics configuration with the id EntireBucket",
        }),
        ("iam", "user") => Source::Calls((LookupAttributeKey::Username, name())),
        // AWS KMS names keys by their ARNs in the events' resources.
        ("kms", _) => Source::Calls((LookupAttributeKey::ResourceName, arn.to_string())),
        _ => Source::Calls((LookupAttributeKey::ResourceName, name())),
    }
}

/// The metrics of one instance.
pub(super) fn instance(id: String) -> Watched {
    let dimensions = vec![("InstanceId", id)];
    Watched { kind: "instance", dimensions, metrics: &INSTANCE, silent: "the instance was not running" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_asked_about_by_its_type() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
        for (arn, asked) in [
            ("arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "instance i-1"),
            ("arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1", "instances in sg-1"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:pay:live", "function pay"),
            ("arn:aws:lambda:eu-west-1:123456789012:layer:libs", "calls that name libs"),
            ("arn:aws:s3:::reports", "bucket reports"),
            ("arn:aws:iam::123456789012:user/eng/alice", "calls by alice"),
            ("arn:aws:iam::123456789012:role/deploy", "calls that name deploy"),
            ("arn:aws:cloudtrail:eu-west-1:123456789012:trail/main", "calls that name main"),
            ("arn:aws:ec2:eu-west-1::snapshot/snap-1", "calls that name snap-1"),
            (key, &format!("calls that name {key}")),
        ] {
            assert_eq!(source(&Arn::parse(arn).unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn a_buckets_requests_are_those_of_its_whole() {
        let Source::Watched(Watched { dimensions, .. }) = source(&Arn::parse("arn:aws:s3:::reports").unwrap()) else {
            panic!("a bucket has metrics");
        };
        assert_eq!(dimensions, [("BucketName", "reports".to_owned()), ("FilterId", "EntireBucket".to_owned())]);
    }
}
