//! What a role's policies say, by comparing their text: for whoever may not ask IAM to simulate.
//!
//! Sure only of what it says is allowed: a statement with a condition allows nothing here, and boundaries and service
//! control policies are not seen.

use serde_json::Value;
use wildmatch::WildMatch;

use super::permissions::Need;

/// What the policies do not allow.
pub(super) fn lacking<'a>(policies: &[Value], needs: &'a [Need]) -> Vec<&'a Need> {
    let statements: Vec<&Value> = policies.iter().flat_map(|policy| listed(policy.get("Statement"))).collect();
    let with = |effect: &str, need: &Need| {
        statements.iter().any(|statement| {
            statement.get("Effect") == Some(&Value::from(effect))
                && statement.get("Condition").is_none()
                && is_about(statement, need)
        })
    };
    needs.iter().filter(|need| !with("Allow", need) || with("Deny", need)).collect()
}

fn is_about(statement: &Value, need: &Need) -> bool {
    let action = need.action.to_ascii_lowercase();
    let actions = |text: &str| WildMatch::new(&text.to_ascii_lowercase()).matches(&action);
    let resources = |text: &str| WildMatch::new(text).matches(&need.resource);
    selects(statement, "Action", "NotAction", actions) && selects(statement, "Resource", "NotResource", resources)
}

/// IAM User Guide, "IAM JSON policy elements: `NotAction`" and "…: `NotResource`".
fn selects(statement: &Value, names: &str, leaves_out: &str, matches: impl Fn(&str) -> bool) -> bool {
    let any = |value: Option<&Value>| listed(value).into_iter().filter_map(Value::as_str).any(&matches);
    match statement.get(leaves_out) {
        Some(left_out) => !any(Some(left_out)),
        None => any(statement.get(names)),
    }
}

/// What IAM lets stand alone or in a list.
pub(super) fn listed(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lacks(statement: &Value) -> bool {
        let users = "arn:aws:iam::123456789012:user/*".to_owned();
        let need = Need { action: "iam:GetUser".to_owned(), resource: users };
        !lacking(&[json!({ "Statement": [statement] })], &[need]).is_empty()
    }

    #[test]
    fn a_statement_allows_what_it_names() {
        let users = "arn:aws:iam::123456789012:user/*";
        for statement in [
            json!({"Effect": "Allow", "Action": "iam:GetUser", "Resource": users}),
            json!({"Effect": "Allow", "Action": ["x:Y", "IAM:get*"], "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": "iam:Delete*", "NotResource": "arn:aws:s3:::*"}),
        ] {
            assert!(!lacks(&statement), "{statement}");
        }
        for statement in [
            json!({"Effect": "Allow", "Action": "iam:GetUsers", "Resource": users}),
            json!({"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::123456789012:user/a"}),
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:x": "true"}}}),
            json!({"Effect": "Deny", "Action": "iam:GetUser", "Resource": users}),
        ] {
            assert!(lacks(&statement), "{statement}");
        }
    }

    #[test]
    fn a_denial_outweighs() {
        let need = Need { action: "sns:Publish".to_owned(), resource: "arn:aws:sns:r:a:t".to_owned() };
        let allow = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let deny = json!({"Statement": {"Effect": "Deny", "Action": "sns:*", "Resource": "*"}});
        assert_eq!(lacking(&[allow.clone(), deny], std::slice::from_ref(&need)), [&need]);
        assert!(lacking(&[allow], &[need]).is_empty());
    }
}
