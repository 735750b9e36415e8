//! Who may invoke a function, by its resource policy.

use serde_json::Value;
use wildmatch::WildMatch;

use crate::doctor::check::Check;
use crate::doctor::documents::listed;

const SERVICE: &str = "events.amazonaws.com";

/// Whether each rule may invoke the function, and nobody else. `rules` are their names in the template and their ARNs.
pub(super) fn judge(name: String, function: &str, policy: &Value, rules: &[(&str, String)]) -> Check {
    let statements = listed(policy.get("Statement"));
    let may_not = |(_, arn): &&(&str, String)| !statements.iter().any(|statement| admits(statement, arn));
    let refused: Vec<&(&str, String)> = rules.iter().filter(may_not).collect();
    if !refused.is_empty() {
        let names: Vec<&str> = refused.iter().map(|(logical, _)| *logical).collect();
        let commands: Vec<String> = refused
            .iter()
            .map(|(logical, arn)| {
                format!(
                    "aws lambda add-permission --function-name {function} --statement-id {logical} \
                     --action lambda:InvokeFunction --principal {SERVICE} --source-arn {arn}"
                )
            })
            .collect();
        return Check::failed(name, format!("{} may not invoke it", names.join(" and ")), commands.join(" && "));
    }
    let ours = |statement: &&&Value| rules.iter().any(|(_, arn)| admits(statement, arn));
    let allows = |statement: &&&Value| statement.get("Effect") == Some(&Value::from("Allow"));
    let others = statements.iter().filter(allows).filter(|statement| !ours(statement)).count();
    if others > 0 {
        let seen = format!("its rules may, and {others} statements let others: whoever invokes it can make up events");
        let fix = format!("aws lambda get-policy, then remove-permission, --function-name {function}");
        return Check::warning(name, seen, fix);
    }
    Check::ok(name, "its rules may, and nobody else by its policy")
}

/// Whether a statement lets this rule invoke, and asks for no more than that it is this rule.
fn admits(statement: &Value, rule: &str) -> bool {
    let is = |key: &str, value: &str| statement.get(key) == Some(&Value::from(value));
    let principal = statement.pointer("/Principal/Service");
    let by_events = listed(principal).iter().any(|service| *service == SERVICE);
    let to_invoke = listed(statement.get("Action")).iter().any(|action| *action == "lambda:InvokeFunction");
    is("Effect", "Allow") && by_events && to_invoke && is_only_for(statement.get("Condition"), rule)
}

fn is_only_for(condition: Option<&Value>, rule: &str) -> bool {
    let Some(operators) = condition.and_then(Value::as_object) else { return false };
    let mut keys = operators.iter().flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, values)| (operator.as_str(), key, values))
    });
    keys.all(|(operator, key, values)| {
        let compares = matches!(operator, "ArnLike" | "ArnEquals" | "StringEquals" | "StringLike");
        let matches = |value: &Value| value.as_str().is_some_and(|value| WildMatch::new(value).matches(rule));
        match key.to_ascii_lowercase().as_str() {
            "aws:sourcearn" => compares && listed(Some(values)).into_iter().any(matches),
            "aws:sourceaccount" => listed(Some(values)).iter().any(|id| rule.split(':').nth(4) == id.as_str()),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::check::CheckResult;

    const RULE: &str = "arn:aws:events:us-east-1:123456789012:rule/cm-Rule-1";

    fn statement(condition: &Value) -> Value {
        json!({"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Condition": condition})
    }

    fn result(statements: &[Value]) -> CheckResult {
        judge("f".to_owned(), "f", &json!({ "Statement": statements }), &[("Rule", RULE.to_owned())]).result
    }

    #[test]
    fn only_the_very_rule_may_invoke() {
        let right = statement(&json!({"ArnLike": {"AWS:SourceArn": RULE}}));
        assert_eq!(result(std::slice::from_ref(&right)), CheckResult::Ok);
        let account =
            json!({"ArnLike": {"AWS:SourceArn": RULE}, "StringEquals": {"aws:SourceAccount": "123456789012"}});
        assert_eq!(result(&[statement(&account)]), CheckResult::Ok);
        let other = statement(&json!({"ArnLike": {"AWS:SourceArn": format!("{RULE}2")}}));
        assert_eq!(result(std::slice::from_ref(&other)), CheckResult::Failed);
        assert_eq!(result(&[]), CheckResult::Failed);
        assert_eq!(result(&[right, other]), CheckResult::Warning, "somebody else's rule may too");
        let unlike = statement(&json!({"ArnNotLike": {"AWS:SourceArn": RULE}}));
        assert_eq!(result(&[unlike]), CheckResult::Failed);
    }
}
