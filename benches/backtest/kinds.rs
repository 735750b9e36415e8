//! The operations in the generated logs: how often each is called, and what its parameters look like.

/// An operation, with its `requestParameters` and `responseElements` as templates: what stands in `<…>` is filled in
/// anew for each record ([`crate::records`] knows the names).
#[derive(Debug)]
pub(crate) struct Kind {
    /// What comes before `.amazonaws.com` in `eventSource`.
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    /// How often, relative to the others.
    pub(crate) weight: u32,
    /// CloudTrail's `readOnly`.
    pub(crate) read_only: bool,
    pub(crate) request: &'static str,
    pub(crate) response: &'static str,
}

const fn read(service: &'static str, name: &'static str, weight: u32, request: &'static str) -> Kind {
    Kind { service, name, weight, read_only: true, request, response: "null" }
}

const fn write(
    service: &'static str,
    name: &'static str,
    weight: u32,
    request: &'static str,
    response: &'static str,
) -> Kind {
    Kind { service, name, weight, read_only: false, request, response }
}

const CREDENTIALS: &str = r#"{"credentials":{"accessKeyId":"ASIA<key>","sessionToken":"<token>","expiration":"Nov 22, 2026, 8:14:07 PM"},"assumedRoleUser":{"assumedRoleId":"AROA<key>:<session>","arn":"arn:aws:sts::<account>:assumed-role/<role>/<session>"}}"#;
const INSTANCES: &str = r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"i-<hex17>","currentState":{"code":64,"name":"stopping"},"previousState":{"code":16,"name":"running"}}]}}"#;
const DONE: &str = r#"{"requestId":"<uuid>","_return":true}"#;
const GROUP: &str = r#"{"groupId":"sg-<hex17>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"ssh \u003c- anywhere"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#;

/// Everyday calls: a few make most of the log, and many are rare.
pub(crate) const ORDINARY: &[Kind] = &[
    write(
        "sts",
        "AssumeRole",
        1600,
        r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>","durationSeconds":3600}"#,
        CREDENTIALS,
    ),
    read(
        "kms",
        "Decrypt",
        1300,
        r#"{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:<region>:<account>:function:<name>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
    ),
    read(
        "ec2",
        "DescribeInstances",
        1000,
        r#"{"instancesSet":{"items":[{"instanceId":"i-<hex17>"},{"instanceId":"i-<hex17>"}]},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"<name>"}]}}]}}"#,
    ),
    write(
        "kms",
        "GenerateDataKey",
        800,
        r#"{"keyId":"arn:aws:kms:<region>:<account>:key/<uuid>","keySpec":"AES_256","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<path>"}}"#,
        "null",
    ),
    read(
        "s3",
        "GetBucketAcl",
        600,
        r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","acl":""}"#,
    ),
    read(
        "ec2",
        "DescribeNetworkInterfaces",
        520,
        r#"{"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"attachment.instance-id","valueSet":{"items":[{"value":"i-<hex17>"}]}}]}}"#,
    ),
    write(
        "logs",
        "CreateLogStream",
        480,
        r#"{"logGroupName":"/aws/lambda/<name>","logStreamName":"2026/11/22/[$LATEST]<hex32>"}"#,
        "null",
    ),
    read("ssm", "GetParameter", 420, r#"{"name":"/<name>/database/url","withDecryption":true}"#),
    read(
        "elasticloadbalancing",
        "DescribeTargetHealth",
        400,
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<hex16>"}"#,
    ),
    write(
        "ssm",
        "UpdateInstanceInformation",
        390,
        r#"{"instanceId":"i-<hex17>","agentVersion":"3.3.1957.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"10.<byte>.<byte>.<byte>","computerName":"ip-10-<byte>-<byte>-<byte>.ec2.internal","agentName":"amazon-ssm-agent","availabilityZone":"<region>a","availabilityZoneId":"use1-az4","sSMConnectionChannel":"ssmmessages"}"#,
        "null",
    ),
    read(
        "secretsmanager",
        "GetSecretValue",
        330,
        r#"{"secretId":"arn:aws:secretsmanager:<region>:<account>:secret:<name>-<token6>","versionStage":"AWSCURRENT"}"#,
    ),
    read("dynamodb", "DescribeTable", 300, r#"{"tableName":"<name>"}"#),
    read(
        "ec2",
        "DescribeSecurityGroups",
        280,
        r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-<hex17>"}]},"filterSet":{}}"#,
    ),
    read("iam", "GetRole", 260, r#"{"roleName":"<role>"}"#),
    read(
        "ec2",
        "DescribeVolumes",
        240,
        r#"{"maxResults":500,"volumeSet":{},"filterSet":{"items":[{"name":"status","valueSet":{"items":[{"value":"available"}]}}]}}"#,
    ),
    read(
        "autoscaling",
        "DescribeAutoScalingGroups",
        220,
        r#"{"autoScalingGroupNames":["<name>-<hex8>"],"maxRecords":100}"#,
    ),
    read(
        "cloudformation",
        "DescribeStacks",
        200,
        r#"{"stackName":"arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>"}"#,
    ),
    read(
        "ecr",
        "BatchGetImage",
        190,
        r#"{"registryId":"<account>","repositoryName":"<name>","imageIds":[{"imageTag":"<hex8>"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json","application/vnd.oci.image.manifest.v1+json"]}"#,
    ),
    read("sts", "GetCallerIdentity", 180, "null"),
    write(
        "s3",
        "PutObject",
        170,
        r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.amazonaws.com","key":"<path>","x-amz-storage-class":"STANDARD"}"#,
        r#"{"x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:<region>:<account>:key/<uuid>","x-amz-version-id":"<token>"}"#,
    ),
    read("s3", "GetObject", 160, r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.amazonaws.com","key":"<path>"}"#),
    read(
        "lambda",
        "GetFunction20150331v2",
        150,
        r#"{"functionName":"arn:aws:lambda:<region>:<account>:function:<name>"}"#,
    ),
    read("cloudwatch", "DescribeAlarms", 140, r#"{"alarmNamePrefix":"<name>","maxRecords":100}"#),
    read(
        "tagging",
        "GetResources",
        130,
        r#"{"resourcesPerPage":100,"tagFilters":[{"key":"team","values":["<name>"]}],"paginationToken":"<token>"}"#,
    ),
    write(
        "ec2",
        "CreateTags",
        120,
        r#"{"resourcesSet":{"items":[{"resourceId":"i-<hex17>"}]},"tagSet":{"items":[{"key":"Name","value":"<name> \"blue\""},{"key":"team","value":"<user>"}]}}"#,
        DONE,
    ),
    write(
        "ec2",
        "RunInstances",
        110,
        r#"{"instancesSet":{"items":[{"imageId":"ami-<hex17>","minCount":1,"maxCount":1,"keyName":"<user>"}]},"instanceType":"m7g.large","blockDeviceMapping":{},"monitoring":{"enabled":false},"disableApiTermination":false,"networkInterfaceSet":{"items":[{"deviceIndex":0,"subnetId":"subnet-<hex17>","groupSet":{"items":[{"groupId":"sg-<hex17>"}]}}]}}"#,
        r#"{"requestId":"<uuid>","reservationId":"r-<hex17>","ownerId":"<account>","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-<hex17>","imageId":"ami-<hex17>","instanceState":{"code":0,"name":"pending"},"privateDnsName":"ip-10-<byte>-<byte>-<byte>.ec2.internal","amiLaunchIndex":0,"productCodes":{},"instanceType":"m7g.large","launchTime":1795330000000,"placement":{"availabilityZone":"<region>a","tenancy":"default"},"monitoring":{"state":"disabled"},"subnetId":"subnet-<hex17>","vpcId":"vpc-<hex17>","privateIpAddress":"10.<byte>.<byte>.<byte>","stateReason":{"code":"pending","message":"pending"},"architecture":"arm64","rootDeviceType":"ebs","rootDeviceName":"/dev/xvda","blockDeviceMapping":{},"virtualizationType":"hvm","hypervisor":"xen","clientToken":"<uuid>","groupSet":{"items":[{"groupId":"sg-<hex17>","groupName":"<name>"}]},"sourceDestCheck":true,"ebsOptimized":true,"enaSupport":true,"bootMode":"uefi"}]}}"#,
    ),
    write("ec2", "TerminateInstances", 100, r#"{"instancesSet":{"items":[{"instanceId":"i-<hex17>"}]}}"#, INSTANCES),
    write(
        "ec2",
        "StopInstances",
        95,
        r#"{"instancesSet":{"items":[{"instanceId":"i-<hex17>"}]},"force":false}"#,
        INSTANCES,
    ),
    write("signin", "ConsoleLogin", 90, "null", r#"{"ConsoleLogin":"Success"}"#),
    read("rds", "DescribeDBInstances", 85, r#"{"dBInstanceIdentifier":"<name>"}"#),
    read("eks", "DescribeCluster", 80, r#"{"name":"<name>"}"#),
    read("route53", "ListResourceRecordSets", 75, r#"{"hostedZoneId":"Z<key>","maxItems":"300"}"#),
    write(
        "route53",
        "ChangeResourceRecordSets",
        70,
        r#"{"hostedZoneId":"Z<key>","changeBatch":{"changes":[{"action":"UPSERT","resourceRecordSet":{"name":"<name>.example.com","type":"A","tTL":60,"resourceRecords":[{"value":"10.<byte>.<byte>.<byte>"}]}}]}}"#,
        r#"{"changeInfo":{"status":"PENDING","id":"/change/C<key>","submittedAt":"Nov 22, 2026 7:14:07 PM"}}"#,
    ),
    read("organizations", "DescribeAccount", 65, r#"{"accountId":"<account>"}"#),
    read("iam", "ListAttachedRolePolicies", 60, r#"{"roleName":"<role>","maxItems":100}"#),
    read("iam", "ListAccessKeys", 55, r#"{"userName":"<user>"}"#),
    read(
        "access-analyzer",
        "ListFindings",
        50,
        r#"{"analyzerArn":"arn:aws:access-analyzer:<region>:<account>:analyzer/<name>","filter":{"status":{"eq":["ACTIVE"]}}}"#,
    ),
    read(
        "config",
        "GetResourceConfigHistory",
        46,
        r#"{"resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-<hex17>","limit":1}"#,
    ),
    write(
        "config",
        "PutEvaluations",
        42,
        r#"{"evaluations":[{"complianceResourceType":"AWS::S3::Bucket","complianceResourceId":"<bucket>","complianceType":"COMPLIANT","orderingTimestamp":"Nov 22, 2026, 7:14:07 PM"}],"resultToken":"<token>","testMode":false}"#,
        r#"{"failedEvaluations":[]}"#,
    ),
    write(
        "states",
        "StartExecution",
        38,
        r#"{"stateMachineArn":"arn:aws:states:<region>:<account>:stateMachine:<name>","name":"<uuid>","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        r#"{"executionArn":"arn:aws:states:<region>:<account>:execution:<name>:<uuid>","startDate":"Nov 22, 2026, 7:14:07 PM"}"#,
    ),
    write(
        "events",
        "PutRule",
        34,
        r#"{"name":"<name>","eventPattern":"{\"source\":[\"aws.iam\"],\"detail\":{\"eventName\":[\"CreateUser\"]}}","state":"ENABLED"}"#,
        r#"{"ruleArn":"arn:aws:events:<region>:<account>:rule/<name>"}"#,
    ),
    write(
        "ecs",
        "RegisterTaskDefinition",
        31,
        r#"{"family":"<name>","networkMode":"awsvpc","containerDefinitions":[{"name":"app","image":"<account>.dkr.ecr.<region>.amazonaws.com/<name>:<hex8>","cpu":256,"memory":512,"essential":true,"portMappings":[{"containerPort":8080,"protocol":"tcp"}],"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/ecs/<name>","awslogs-region":"<region>"}}}]}"#,
        r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:<region>:<account>:task-definition/<name>:41","family":"<name>","revision":41,"status":"ACTIVE"}}"#,
    ),
    read("ecs", "DescribeServices", 28, r#"{"cluster":"<name>","services":["<name>"]}"#),
    write(
        "lambda",
        "UpdateFunctionCode20150331v2",
        25,
        r#"{"functionName":"<name>","s3Bucket":"<bucket>","s3Key":"<path>","publish":false,"dryRun":false}"#,
        r#"{"functionName":"<name>","functionArn":"arn:aws:lambda:<region>:<account>:function:<name>","runtime":"provided.al2023","role":"arn:aws:iam::<account>:role/<role>","handler":"bootstrap","codeSize":4194304,"memorySize":128,"codeSha256":"<token>"}"#,
    ),
    write(
        "cloudformation",
        "CreateChangeSet",
        22,
        r#"{"stackName":"<name>","changeSetName":"<name>-<hex8>","capabilities":["CAPABILITY_IAM"],"changeSetType":"UPDATE"}"#,
        r#"{"id":"arn:aws:cloudformation:<region>:<account>:changeSet/<name>/<uuid>","stackId":"arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>"}"#,
    ),
    write(
        "ec2",
        "CreateSecurityGroup",
        20,
        r#"{"groupName":"<name>","groupDescription":"<user>'s <name> group \u0026 more","vpcId":"vpc-<hex17>"}"#,
        r#"{"requestId":"<uuid>","_return":true,"groupId":"sg-<hex17>"}"#,
    ),
    write("ec2", "RevokeSecurityGroupIngress", 18, GROUP, DONE),
    write(
        "iam",
        "CreateRole",
        16,
        r#"{"roleName":"<role>","description":"für <user>","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}"#,
        r#"{"role":{"path":"/","roleName":"<role>","roleId":"AROA<key>","arn":"arn:aws:iam::<account>:role/<role>","createDate":"Nov 22, 2026 7:14:07 PM"}}"#,
    ),
    write("iam", "TagRole", 14, r#"{"roleName":"<role>","tags":[{"key":"team","value":"<name>"}]}"#, "null"),
    write(
        "s3",
        "CreateBucket",
        12,
        r#"{"bucketName":"<bucket>","Host":"s3.<region>.amazonaws.com","CreateBucketConfiguration":{"LocationConstraint":"<region>"}}"#,
        "null",
    ),
    write(
        "s3",
        "PutBucketTagging",
        11,
        r#"{"bucketName":"<bucket>","tagging":"","Tagging":{"TagSet":{"Tag":{"Key":"team","Value":"<name>"}}}}"#,
        "null",
    ),
    write(
        "sqs",
        "CreateQueue",
        10,
        r#"{"queueName":"<name>","attributes":{"SqsManagedSseEnabled":"true"}}"#,
        r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<name>"}"#,
    ),
    write(
        "sns",
        "Subscribe",
        9,
        r#"{"topicArn":"arn:aws:sns:<region>:<account>:<name>","protocol":"sqs","endpoint":"arn:aws:sqs:<region>:<account>:<name>"}"#,
        r#"{"subscriptionArn":"arn:aws:sns:<region>:<account>:<name>:<uuid>"}"#,
    ),
    read("guardduty", "GetFindings", 8, r#"{"detectorId":"<hex32>","findingIds":["<hex32>","<hex32>"]}"#),
    write(
        "athena",
        "StartQueryExecution",
        7,
        r#"{"queryString":"SELECT eventname, count(*) FROM cloudtrail WHERE eventname = 'CreateAccessKey' GROUP BY 1","clientRequestToken":"<uuid>","workGroup":"primary"}"#,
        r#"{"queryExecutionId":"<uuid>"}"#,
    ),
    read(
        "cloudtrail",
        "LookupEvents",
        6,
        r#"{"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"CreateAccessKey"}],"maxResults":50}"#,
    ),
    write(
        "backup",
        "StartBackupJob",
        5,
        r#"{"backupVaultName":"<name>","resourceArn":"arn:aws:dynamodb:<region>:<account>:table/<name>","iamRoleArn":"arn:aws:iam::<account>:role/<role>"}"#,
        r#"{"backupJobId":"<uuid>","creationDate":"Nov 22, 2026, 7:14:07 PM"}"#,
    ),
    write(
        "acm",
        "RequestCertificate",
        4,
        r#"{"domainName":"<name>.example.com","validationMethod":"DNS"}"#,
        r#"{"certificateArn":"arn:aws:acm:<region>:<account>:certificate/<uuid>"}"#,
    ),
    write(
        "glue",
        "StartJobRun",
        3,
        r#"{"jobName":"<name>","arguments":{"--day":"2026-11-22"}}"#,
        r#"{"jobRunId":"jr_<hex32><hex32>"}"#,
    ),
    read("support", "DescribeTrustedAdvisorChecks", 2, r#"{"language":"en"}"#),
    write(
        "wafv2",
        "UpdateIPSet",
        1,
        r#"{"name":"<name>","scope":"REGIONAL","id":"<uuid>","addresses":["10.<byte>.<byte>.0/24"],"lockToken":"<uuid>"}"#,
        r#"{"nextLockToken":"<uuid>"}"#,
    ),
];

/// One record in a thousand is one of these, in turn. Their weight is not used.
pub(crate) const RISKY: &[Kind] = &[
    write("ec2", "AuthorizeSecurityGroupIngress", 0, GROUP, DONE),
    write(
        "iam",
        "CreateAccessKey",
        0,
        r#"{"userName":"<user>"}"#,
        r#"{"accessKey":{"userName":"<user>","accessKeyId":"AKIA<key>","status":"Active","createDate":"Nov 22, 2026 7:14:07 PM"}}"#,
    ),
    write("iam", "UpdateAccessKey", 0, r#"{"userName":"<user>","accessKeyId":"AKIA<key>","status":"Active"}"#, "null"),
    write(
        "iam",
        "AttachUserPolicy",
        0,
        r#"{"userName":"<user>","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
        "null",
    ),
    write(
        "iam",
        "PutUserPolicy",
        0,
        r#"{"userName":"<user>","policyName":"all","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}"#,
        "null",
    ),
    write(
        "ec2",
        "ModifySecurityGroupRules",
        0,
        r#"{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-<hex17>","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-<hex17>","tag":1,"SecurityGroupRule":{"IpProtocol":"tcp","CidrIpv4":"0.0.0.0/0","FromPort":3389,"ToPort":3389}}}}"#,
        r#"{"ModifySecurityGroupRulesResponse":{"xmlns":"http://ec2.amazonaws.com/doc/2016-11-15/","requestId":"<uuid>","return":true}}"#,
    ),
    write(
        "s3",
        "PutBucketPolicy",
        0,
        r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::<bucket>/*"}]}}"#,
        "null",
    ),
    write("cloudtrail", "StopLogging", 0, r#"{"name":"arn:aws:cloudtrail:<region>:<account>:trail/<name>"}"#, "null"),
];
