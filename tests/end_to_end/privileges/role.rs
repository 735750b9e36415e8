//! What template.yaml lets a function do, read off its own text.
//!
//! Only plain statements are understood: `Allow`, actions, one resource. Whatever else stands in a role is refused here,
//! so that nothing can be allowed in it that the proof does not see.

use serde_json::{Value, json};

use crate::end_to_end::setting::{REGION, TABLE};
use crate::folders::Folder;
use crate::generated::read;

/// One action that a role may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowed {
    /// `ec2:DescribeSecurityGroups`
    pub(super) action: String,
    /// An ARN, with wildcards, or `*`.
    pub(super) resource: String,
}

/// Everything that a function's role allows: its own permissions, and what all functions share.
pub(super) fn role(folder: &Folder, topic: &str) -> Vec<Allowed> {
    let template = read("template.yaml");
    let of_function = format!("{}Role", folder.type_name());
    let role = resource(&template, &of_function);
    let (head, own) = role.split_once("      Policies:\n").unwrap();
    assert!(head.ends_with("      ManagedPolicyArns: [!Ref ResponderAccess]\n"), "{of_function}: {head}");
    let of_all = resource(&template, "ResponderAccess");
    let texts = [own, &of_all].map(|text| text.split_once("Statement:\n").unwrap().1);
    texts.iter().flat_map(|text| statements(text, topic)).collect()
}

/// The policy document that allows all this.
pub(super) fn document(allowed: &[Allowed]) -> String {
    let statement = |Allowed { action, resource }: &Allowed| -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    };
    let statements: Vec<_> = allowed.iter().map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The text of one resource of the template.
fn resource(template: &str, id: &str) -> String {
    let head = format!("  {id}:");
    let is_inside = |line: &&str| line.is_empty() || line.starts_with("   ");
    let lines: Vec<_> = template.lines().skip_while(|line| *line != head).skip(1).take_while(is_inside).collect();
    assert!(!lines.is_empty(), "template.yaml has no {id}");
    lines.join("\n").trim_end().to_owned()
}

fn statements(text: &str, topic: &str) -> Vec<Allowed> {
    let mut allowed = Vec::new();
    let mut actions: Vec<String> = Vec::new();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if line == "- Effect: Allow" {
            assert_eq!(actions, Vec::<String>::new(), "a statement without a resource");
        } else if let Some(list) = line.strip_prefix("Action:") {
            let list = list.trim().trim_start_matches('[').trim_end_matches(']');
            actions.extend(list.split(',').map(|action| action.trim().to_owned()).filter(|action| !action.is_empty()));
        } else if let Some(resource) = line.strip_prefix("Resource: ") {
            assert_ne!(actions, Vec::<String>::new(), "a statement without an action");
            let resource = resolved(resource, topic);
            allowed.extend(actions.drain(..).map(|action| Allowed { action, resource: resource.clone() }));
        } else if let Some(action) = line.strip_prefix("- ").filter(|action| is_action(action)) {
            actions.push(action.to_owned());
        } else {
            panic!("a role says what this test does not understand: {line}");
        }
    }
    assert_eq!(actions, Vec::<String>::new(), "a statement without a resource");
    let vague = allowed.iter().find(|allowed| !is_action(&allowed.action));
    assert_eq!(vague, None, "each permission is one action");
    allowed
}

fn is_action(text: &str) -> bool {
    let name = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric());
    text.split_once(':').is_some_and(|(service, operation)| name(service) && name(operation))
}

/// A resource with the names that it has in the test's account.
fn resolved(resource: &str, topic: &str) -> String {
    let account = stage::ACCOUNT;
    if let Some(arn) = resource.strip_prefix("!Sub ") {
        let arn = arn.replace("${AWS::Partition}", "aws").replace("${AWS::Region}", REGION);
        let arn = arn.replace("${AWS::AccountId}", account);
        assert!(arn.starts_with("arn:aws:") && !arn.contains("${"), "{arn}");
        return arn;
    }
    match resource {
        r#""*""# => "*".to_owned(),
        "!GetAtt Ledger.Arn" => format!("arn:aws:dynamodb:{REGION}:{account}:table/{TABLE}"),
        "!Ref Incidents" => topic.to_owned(),
        "!GetAtt FailedEvents.Arn" => format!("arn:aws:sqs:{REGION}:{account}:failed"),
        logs if logs.ends_with("Logs.Arn") => format!("arn:aws:logs:{REGION}:{account}:log-group:/aws/lambda/f:*"),
        other => panic!("what is {other}?"),
    }
}
