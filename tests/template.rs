//! Each function's part of template.yaml, made from its folder.

mod leases;

use std::fmt::Write;

use cloudtrail::{APPROVAL_TYPE, HEARTBEAT_TYPE, MISSED_TYPE, OWN_SOURCE};

use crate::folders::{By, Folder, Permission, Rule, Scope, pascal_case};
use crate::generated::{COMMAND, check, read, with_section};

#[test]
fn the_template_deploys_every_responder() {
    let folders = Folder::all();
    let [mut own_roles, mut travellers, mut blocks] = [const { String::new() }; 3];
    for (index, folder) in folders.iter().enumerate() {
        let id = folder.type_name();
        // A list in a list: the second argument of `Join`.
        writeln!(own_roles, "          {} - !GetAtt {id}Role.Arn", if index == 0 { '-' } else { ' ' }).unwrap();
        writeln!(travellers, "        - !Ref {id}Role").unwrap();
        blocks.push_str(&block(folder));
    }
    let (leases, lease_policies) = leases::policies(&folders);
    let text = read("template.yaml");
    let text = with_section(&text, "# >>> roles", "# <<<", &own_roles);
    let text = with_section(&text, "# >>> travellers", "# <<<", &travellers);
    let text = with_section(&text, "# >>> lease policies", "# <<<", &lease_policies);
    let text = with_section(&text, "# >>> leases", "# <<< leases", &leases);
    let text = with_section(&text, "# >>> responders", "# <<< responders", &blocks);
    check("template.yaml", &text);
}

fn block(folder: &Folder) -> String {
    let Folder { name } = folder;
    let id = folder.type_name();
    let statements: String = folder.permissions(By::Function).iter().map(statement).collect();
    let mut rules: String = folder
        .rules()
        .iter()
        .map(|rule| {
            let about = format!("Hands {name} the events of its {}.", rule.file);
            rule_block(folder, &rule_id(folder, rule), rule.scope, &about, &folder.read(&rule.file))
        })
        .collect();
    // The event says only which incident or event; what is true of it, the function asks the ledger.
    let asked = format!(
        "{{\n  \"source\": [\"{OWN_SOURCE}\"],\n  \"account\": [{{ \"Ref\": \"AWS::AccountId\" }}],\n  \"detail-type\": [\"{APPROVAL_TYPE}\", \"{MISSED_TYPE}\", \"{HEARTBEAT_TYPE}\"],\n  \"detail\": {{ \"responder\": [\"{name}\"] }}\n}}"
    );
    let about = format!(
        "Hands {name} the approved incidents and the missed events that an operator asks it to deal with, and the \
         canary's question whether it is alive."
    );
    rules.push_str(&rule_block(folder, &format!("{id}AskedRule"), Scope::Regional, &about, &asked));
    format!(
        r#"
  # >>> {name} – generated from functions/{name}; {COMMAND}
  {id}:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties:
        Binary: {name}
    Properties:
      CodeUri: functions/{name}
      Role: !GetAtt {id}Role.Arn
      LoggingConfig:
        LogGroup: !Ref {id}Logs

  {id}Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /aws/lambda/${{AWS::StackName}}-{name}
      RetentionInDays: !Ref LogRetentionDays

  {id}Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: lambda.amazonaws.com
            Action: sts:AssumeRole
      # Which responder's rights it may take in other accounts.
      Tags:
        - Key: countermand-responder
          Value: {name}
      ManagedPolicyArns: [!Ref ResponderAccess]
      Policies:
        - PolicyName: {name}
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
{statements}              # Write its own log.
              - Effect: Allow
                Action: [logs:CreateLogStream, logs:PutLogEvents]
                Resource: !GetAtt {id}Logs.Arn
{rules}
  {id}Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: {name} failed on an event. It is tried three times before the event waits in the queue.
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions:
        - Name: FunctionName
          Value: !Ref {id}
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!If [HasOwnAlarmTopic, !Ref Alarms, !Ref AlarmTopicArn]]
  # <<<
"#
    )
}

fn statement(Permission { action, resource, why, .. }: &Permission) -> String {
    let resource = template_resource(resource);
    format!(
        "              # {why}\n              - Effect: Allow\n                Action: {action}\n                Resource: {resource}\n"
    )
}

/// A resource of permissions.json as the template has it.
fn template_resource(resource: &str) -> String {
    if resource == "*" {
        return "\"*\"".to_owned();
    }
    let arn = resource.replace("${Partition}", "${AWS::Partition}").replace("${Region}", "${AWS::Region}");
    format!("!Sub {}", arn.replace("${Account}", "${AWS::AccountId}"))
}

fn rule_id(folder: &Folder, rule: &Rule) -> String {
    format!("{}{}Rule", folder.type_name(), rule.name().map(pascal_case).unwrap_or_default())
}

/// A rule, and the right to invoke the function that nothing but this rule has.
fn rule_block(folder: &Folder, rule_id: &str, scope: Scope, about: &str, pattern: &str) -> String {
    let Folder { name } = folder;
    let id = folder.type_name();
    let condition = match scope {
        Scope::Regional => "",
        Scope::Global => "    Condition: GlobalEventsArriveHere\n",
    };
    // JSON is YAML: what is deployed is the file's own text.
    let pattern = pattern.trim_end().replace('\n', "\n        ");
    format!(
        "
  {rule_id}:
    Type: AWS::Events::Rule
{condition}    Properties:
      Description: {about}
      EventPattern:
        {pattern}
      Targets:
        - Id: {name}
          Arn: !GetAtt {id}.Arn
          DeadLetterConfig:
            Arn: !GetAtt UndeliveredEvents.Arn
          RetryPolicy:
            MaximumEventAgeInSeconds: 3600
            MaximumRetryAttempts: 185

  {rule_id}Permission:
    Type: AWS::Lambda::Permission
{condition}    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref {id}
      Principal: events.amazonaws.com
      SourceArn: !GetAtt {rule_id}.Arn
"
    )
}
