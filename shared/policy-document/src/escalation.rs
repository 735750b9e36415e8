//! Known ways from a permission to an administrator's.
//!
//! Source: Rhino Security Labs, "AWS IAM Privilege Escalation – Methods and Mitigation" (2018), as continued by Datadog's
//! pathfinding.cloud, whose ids the paths have.

/// A way to gain more than a policy says.
#[derive(Debug, PartialEq, Eq)]
pub struct EscalationPath {
    /// Its id at pathfinding.cloud, such as `iam-001`.
    pub id: &'static str,
    /// The permissions it takes, all of them.
    pub(crate) steps: &'static [Step],
    /// The service that `iam:PassRole` must be allowed to pass a role to.
    pub(crate) passes_to: Option<&'static str>,
}

impl EscalationPath {
    /// The actions it takes, all of them, as `iam:PassRole`.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|step| step.action)
    }
}

/// One permission of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) action: &'static str,
    pub(crate) on: On,
}

/// What a permission must be given on to lead anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// All of IAM's resources of this kind.
    Every(Kind),
    /// The same, or the identity itself: to add to one's own permissions is enough.
    EveryOrSelf(Kind),
    /// All resources of another service, of which this is one: what follows the partition in its ARN, with `{}` for the
    /// account.
    All(&'static str),
    /// Any resource.
    Any,
}

/// A kind of IAM resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Role,
    Group,
    Policy,
}

impl Kind {
    /// The first part of its ARN's resource.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::Policy => "policy",
        }
    }
}

const fn iam(id: &'static str, steps: &'static [Step]) -> EscalationPath {
    EscalationPath { id, steps, passes_to: None }
}

const fn pass(id: &'static str, service: &'static str, steps: &'static [Step]) -> EscalationPath {
    EscalationPath { id, steps, passes_to: Some(service) }
}

const fn step(action: &'static str, on: On) -> Step {
    Step { action, on }
}

const fn any(action: &'static str) -> Step {
    step(action, On::Any)
}

const PASS: Step = step("iam:PassRole", On::Every(Kind::Role));

/// Ways to administrator that need nothing but a privileged principal to exist.
pub(crate) const PATHS: &[EscalationPath] = &[
    iam("iam-001", &[step("iam:CreatePolicyVersion", On::Every(Kind::Policy))]),
    iam("iam-002", &[step("iam:CreateAccessKey", On::Every(Kind::User))]),
    iam("iam-004", &[step("iam:CreateLoginProfile", On::Every(Kind::User))]),
    iam("iam-005", &[step("iam:PutRolePolicy", On::EveryOrSelf(Kind::Role))]),
    iam("iam-006", &[step("iam:UpdateLoginProfile", On::Every(Kind::User))]),
    iam("iam-007", &[step("iam:PutUserPolicy", On::EveryOrSelf(Kind::User))]),
    iam("iam-008", &[step("iam:AttachUserPolicy", On::EveryOrSelf(Kind::User))]),
    iam("iam-009", &[step("iam:AttachRolePolicy", On::EveryOrSelf(Kind::Role))]),
    iam("iam-010", &[step("iam:AttachGroupPolicy", On::EveryOrSelf(Kind::Group))]),
    iam("iam-011", &[step("iam:PutGroupPolicy", On::EveryOrSelf(Kind::Group))]),
    iam("iam-012", &[step("iam:UpdateAssumeRolePolicy", On::Every(Kind::Role))]),
    iam("iam-013", &[step("iam:AddUserToGroup", On::Every(Kind::Group))]),
    // Rhino Security Labs, method 2, which pathfinding.cloud does not number.
    iam("set-default-policy-version", &[step("iam:SetDefaultPolicyVersion", On::Every(Kind::Policy))]),
    pass("apprunner-001", "build.apprunner.amazonaws.com", &[PASS, any("apprunner:CreateService")]),
    pass(
        "bedrock-001",
        "bedrock-agentcore.amazonaws.com",
        &[
            PASS,
            any("bedrock-agentcore:CreateCodeInterpreter"),
            any("bedrock-agentcore:StartCodeInterpreterSession"),
            any("bedrock-agentcore:InvokeCodeInterpreter"),
        ],
    ),
    pass("cloudformation-001", "cloudformation.amazonaws.com", &[PASS, any("cloudformation:CreateStack")]),
    pass(
        "cloudformation-003",
        "cloudformation.amazonaws.com",
        &[PASS, any("cloudformation:CreateStackSet"), any("cloudformation:CreateStackInstances")],
    ),
    pass("cloudformation-004", "cloudformation.amazonaws.com", &[PASS, any("cloudformation:UpdateStackSet")]),
    pass(
        "codebuild-001",
        "codebuild.amazonaws.com",
        &[PASS, any("codebuild:CreateProject"), any("codebuild:StartBuild")],
    ),
    pass(
        "codebuild-004",
        "codebuild.amazonaws.com",
        &[PASS, any("codebuild:CreateProject"), any("codebuild:StartBuildBatch")],
    ),
    pass(
        "datapipeline-001",
        "datapipeline.amazonaws.com",
        &[
            PASS,
            any("datapipeline:CreatePipeline"),
            any("datapipeline:PutPipelineDefinition"),
            any("datapipeline:ActivatePipeline"),
        ],
    ),
    pass("ec2-001", "ec2.amazonaws.com", &[PASS, any("ec2:RunInstances")]),
    pass("ec2-003", "ec2.amazonaws.com", &[PASS, any("ec2:RequestSpotInstances")]),
    pass("ecs-003", "ecs-tasks.amazonaws.com", &[PASS, any("ecs:RegisterTaskDefinition"), any("ecs:CreateService")]),
    pass("ecs-004", "ecs-tasks.amazonaws.com", &[PASS, any("ecs:RegisterTaskDefinition"), any("ecs:RunTask")]),
    pass("ecs-005", "ecs-tasks.amazonaws.com", &[PASS, any("ecs:RegisterTaskDefinition"), any("ecs:StartTask")]),
    pass("glue-001", "glue.amazonaws.com", &[PASS, any("glue:CreateDevEndpoint")]),
    pass("glue-003", "glue.amazonaws.com", &[PASS, any("glue:CreateJob"), any("glue:StartJobRun")]),
    pass("glue-004", "glue.amazonaws.com", &[PASS, any("glue:CreateJob"), any("glue:CreateTrigger")]),
    pass("glue-005", "glue.amazonaws.com", &[PASS, any("glue:UpdateJob"), any("glue:StartJobRun")]),
    pass("glue-006", "glue.amazonaws.com", &[PASS, any("glue:UpdateJob"), any("glue:CreateTrigger")]),
    pass("lambda-001", "lambda.amazonaws.com", &[PASS, any("lambda:CreateFunction"), any("lambda:InvokeFunction")]),
    pass(
        "lambda-002",
        "lambda.amazonaws.com",
        &[PASS, any("lambda:CreateFunction"), any("lambda:CreateEventSourceMapping")],
    ),
    pass("lambda-006", "lambda.amazonaws.com", &[PASS, any("lambda:CreateFunction"), any("lambda:AddPermission")]),
    pass("sagemaker-001", "sagemaker.amazonaws.com", &[PASS, any("sagemaker:CreateNotebookInstance")]),
    pass("sagemaker-002", "sagemaker.amazonaws.com", &[PASS, any("sagemaker:CreateTrainingJob")]),
    pass("sagemaker-003", "sagemaker.amazonaws.com", &[PASS, any("sagemaker:CreateProcessingJob")]),
];

/// Ways to the permissions of roles that are in use already. What that gains depends on those roles, and many a plain
/// developer's policy has one of these, AWS's own `PowerUserAccess` most of them: facts, not administrators.
pub(crate) const TAKEOVERS: &[EscalationPath] = &[
    iam("apprunner-002", &[step("apprunner:UpdateService", On::All("apprunner:us-east-1:{}:service/q7-zz/q9"))]),
    iam(
        "bedrock-002",
        &[
            step(
                "bedrock-agentcore:StartCodeInterpreterSession",
                On::All("bedrock-agentcore:us-east-1:{}:code-interpreter/q7-zz"),
            ),
            step(
                "bedrock-agentcore:InvokeCodeInterpreter",
                On::All("bedrock-agentcore:us-east-1:{}:code-interpreter/q7-zz"),
            ),
        ],
    ),
    iam("cloudformation-002", &[step("cloudformation:UpdateStack", STACK)]),
    iam(
        "cloudformation-005",
        &[step("cloudformation:CreateChangeSet", STACK), step("cloudformation:ExecuteChangeSet", STACK)],
    ),
    iam("codebuild-002", &[step("codebuild:StartBuild", PROJECT)]),
    iam("codebuild-003", &[step("codebuild:StartBuildBatch", PROJECT)]),
    iam(
        "ec2-002",
        &[
            step("ec2:ModifyInstanceAttribute", INSTANCE),
            step("ec2:StopInstances", INSTANCE),
            step("ec2:StartInstances", INSTANCE),
        ],
    ),
    iam("ec2-004", &[step("ec2:CreateLaunchTemplateVersion", TEMPLATE), step("ec2:ModifyLaunchTemplate", TEMPLATE)]),
    iam("ec2instanceconnect-003", &[step("ec2-instance-connect:SendSSHPublicKey", INSTANCE)]),
    iam("glue-002", &[step("glue:UpdateDevEndpoint", On::All("glue:us-east-1:{}:devEndpoint/q7-zz"))]),
    iam("lambda-003", &[step("lambda:UpdateFunctionCode", On::All("lambda:us-east-1:{}:function:q7-zz"))]),
    iam("sagemaker-004", &[step("sagemaker:CreatePresignedNotebookInstanceUrl", NOTEBOOK)]),
    iam(
        "sagemaker-005",
        &[
            any("sagemaker:CreateNotebookInstanceLifecycleConfig"),
            step("sagemaker:StopNotebookInstance", NOTEBOOK),
            step("sagemaker:UpdateNotebookInstance", NOTEBOOK),
            step("sagemaker:StartNotebookInstance", NOTEBOOK),
        ],
    ),
    iam("ssm-001", &[step("ssm:StartSession", INSTANCE)]),
    iam("ssm-002", &[step("ssm:SendCommand", INSTANCE)]),
    iam("sts-001", &[step("sts:AssumeRole", On::Every(Kind::Role))]),
];

const INSTANCE: On = On::All("ec2:us-east-1:{}:instance/i-0q7zz");
const NOTEBOOK: On = On::All("sagemaker:us-east-1:{}:notebook-instance/q7-zz");
const PROJECT: On = On::All("codebuild:us-east-1:{}:project/q7-zz");
const STACK: On = On::All("cloudformation:us-east-1:{}:stack/q7-zz/q9");
const TEMPLATE: On = On::All("ec2:us-east-1:{}:launch-template/lt-0q7zz");
