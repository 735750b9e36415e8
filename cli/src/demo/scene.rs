//! The account of the story: who is in it, and what they have.

use std::ffi::OsString;
use std::path::Path;

use aws_config::SdkConfig;
use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, SecurityGroupRule};
use stage::Account;
use stage::trail::Identity;

use super::DemoError;

/// The region of the story. IAM's events arrive in us-east-1, so one region serves both functions.
pub(super) const REGION: &str = "us-east-1";

/// The account's trail.
pub(super) const TRAIL: &str = "audit";

/// Where it logs.
const LOGS: &str = "audit-logs";

/// A bucket that is nobody else's business.
pub(super) const PAYROLL: &str = "payroll";

/// The ledger's table.
pub(super) const TABLE: &str = "countermand";

/// The account and the people in it.
pub(super) struct Scene<'a> {
    pub(super) account: &'a Account,
    /// The group that the web servers are in.
    pub(super) web: String,
    /// Its administrator, who sets everything up and undoes what was wrong.
    pub(super) operator: Identity,
    /// The attacker, who has somebody's key.
    pub(super) mallory: SdkConfig,
    /// Who that is.
    pub(super) attacker: Identity,
    /// A snapshot of the orders' disk.
    pub(super) snapshot: String,
    /// A person on call who may open what he needs.
    pub(super) break_glass: SdkConfig,
    pub(super) observer: SdkConfig,
}

/// Names the call that failed.
pub(super) fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    call: &'static str,
) -> impl FnOnce(E) -> DemoError {
    move |error| DemoError::Call { call, source: error.into() }
}

impl<'a> Scene<'a> {
    /// Builds the account: a VPC, a group with two rules, two users, and the ledger.
    pub(super) async fn set(account: &'a Account) -> Result<Self, DemoError> {
        let root = aws_sdk_iam::Client::new(&account.acting_as(Identity::root(), REGION).await);
        root.create_user().user_name("olivia").send().await.map_err(failed("CreateUser"))?;
        let key = root.create_access_key().user_name("olivia").send().await.map_err(failed("CreateAccessKey"))?;
        let key = key.access_key.map(|key| key.access_key_id).unwrap_or_default();
        let operator = Identity::user("olivia").with_mfa(true).signing_with(&key);
        let config = account.acting_as(operator.clone(), REGION).await;
        let ec2 = aws_sdk_ec2::Client::new(&config);
        let vpc = ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.map_err(failed("CreateVpc"))?;
        let vpc = vpc.vpc.and_then(|vpc| vpc.vpc_id).unwrap_or_default();
        let group = ec2.create_security_group().group_name("web").description("web servers").vpc_id(vpc);
        let group = group.send().await.map_err(failed("CreateSecurityGroup"))?;
        let web = group.group_id.unwrap_or_default();
        ec2.authorize_security_group_ingress()
            .group_id(&web)
            .ip_permissions(permission(443, &[("0.0.0.0/0", "customers")]))
            .ip_permissions(permission(22, &[("198.18.4.0/24", "office VPN")]))
            .send()
            .await
            .map_err(failed("AuthorizeSecurityGroupIngress"))?;

        let iam = aws_sdk_iam::Client::new(&config);
        for name in ["alice", "bob", "mallory"] {
            iam.create_user().user_name(name).send().await.map_err(failed("CreateUser"))?;
        }
        let table = aws_sdk_dynamodb::Client::new(&config);
        lambda::create_table(&table, TABLE).await.map_err(failed("CreateTable"))?;

        let attacker = Identity::user("mallory").from_ip("185.220.101.7");
        let scene = Self {
            account,
            web,
            operator,
            mallory: account.acting_as(attacker.clone(), REGION).await,
            attacker,
            snapshot: prepare_attack(&config).await?,
            break_glass: account.acting_as(Identity::role_session("break-glass", "omar"), REGION).await,
            observer: config,
        };
        account.events();
        Ok(scene)
    }

    /// What Lambda gives each function.
    pub(super) fn function_environment(&self, policies: &Path) -> Vec<(&'static str, OsString)> {
        let mut environment = self.account.environment_of(Identity::role_session("countermand", "function"), REGION);
        environment.push(("COUNTERMAND_POLICIES", policies.into()));
        environment.push(("COUNTERMAND_TABLE", TABLE.into()));
        environment.push(("RUST_LOG", "info".into()));
        environment
    }

    /// The ingress rules of the group now, in words.
    pub(super) async fn rules(&self) -> Result<Vec<String>, DemoError> {
        let of_group = Filter::builder().name("group-id").values(&self.web).build();
        let rules = aws_sdk_ec2::Client::new(&self.observer).describe_security_group_rules().filters(of_group);
        let rules = rules.send().await.map_err(failed("DescribeSecurityGroupRules"))?;
        let ingress = rules.security_group_rules().iter().filter(|rule| rule.is_egress() != Some(true));
        let mut rules: Vec<String> = ingress.map(in_words).collect();
        rules.sort();
        Ok(rules)
    }

    /// The status of each access key of a user.
    pub(super) async fn keys(&self, user: &str) -> Result<Vec<(String, String)>, DemoError> {
        let keys = aws_sdk_iam::Client::new(&self.observer).list_access_keys().user_name(user).send().await;
        let keys = keys.map_err(failed("ListAccessKeys"))?;
        let status = |key: &aws_sdk_iam::types::AccessKeyMetadata| {
            let status = key.status().map(|status| status.as_str().to_owned()).unwrap_or_default();
            (key.access_key_id().unwrap_or_default().to_owned(), status)
        };
        Ok(keys.access_key_metadata().iter().map(status).collect())
    }
}

/// What the second act is about: a trail, a bucket and a snapshot, whose id it gives back.
async fn prepare_attack(config: &SdkConfig) -> Result<String, DemoError> {
    let s3 = aws_sdk_s3::Client::new(config);
    for bucket in [LOGS, PAYROLL] {
        s3.create_bucket().bucket(bucket).send().await.map_err(failed("CreateBucket"))?;
    }
    let trails = aws_sdk_cloudtrail::Client::new(config);
    let trail = trails.create_trail().name(TRAIL).s3_bucket_name(LOGS).is_multi_region_trail(true);
    trail.enable_log_file_validation(true).send().await.map_err(failed("CreateTrail"))?;
    trails.start_logging().name(TRAIL).send().await.map_err(failed("StartLogging"))?;
    let ec2 = aws_sdk_ec2::Client::new(config);
    let volume = ec2.create_volume().size(1).availability_zone(format!("{REGION}a")).send().await;
    let volume = volume.map_err(failed("CreateVolume"))?.volume_id.unwrap_or_default();
    let snapshot = ec2.create_snapshot().volume_id(volume).send().await.map_err(failed("CreateSnapshot"))?;
    Ok(snapshot.snapshot_id.unwrap_or_default())
}

/// TCP at one port from some blocks, each with its description.
pub(super) fn permission(port: i32, sources: &[(&str, &str)]) -> IpPermission {
    let ranges =
        sources.iter().map(|(cidr, why)| IpRange::builder().cidr_ip(*cidr).description(*why).build()).collect();
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).set_ip_ranges(Some(ranges)).build()
}

fn in_words(rule: &SecurityGroupRule) -> String {
    let port = rule.from_port().map(|port| format!("/{port}")).unwrap_or_default();
    let source = rule.cidr_ipv4().or(rule.cidr_ipv6()).unwrap_or("another group");
    let why = rule.description().filter(|text| !text.is_empty()).map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{}{port} from {source}{why}", rule.ip_protocol().unwrap_or("?"))
}
