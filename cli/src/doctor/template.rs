//! What this build's template deploys: the rules, with the patterns that the responders' folders say.

use cloudtrail::AccountId;
use serde_json::Value;

use crate::deployment::name_of;

/// The template as it is deployed. A test of the workspace holds it to the folders.
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// One rule of the template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    /// Its name in the template: `DisableAccessKeyRule`.
    pub(super) logical: &'static str,
    /// The function that it hands events to.
    pub(super) function: String,
    pub(super) pattern: Value,
    /// Whether its events arrive in one region of the partition only.
    pub(super) global: bool,
}

impl Rule {
    /// The pattern as it is deployed in an account.
    pub(super) fn pattern_in(&self, account: &AccountId) -> Value {
        let mut pattern = self.pattern.clone();
        // The one thing that the template leaves to CloudFormation.
        if let Some(own) = pattern.pointer_mut("/account/0") {
            *own = account.as_str().into();
        }
        pattern
    }
}

/// The rules with a pattern; the clock's have none.
pub(super) fn rules() -> Vec<Rule> {
    resources("AWS::Events::Rule")
        .filter_map(|(logical, lines)| {
            let pattern = lines.iter().skip_while(|line| **line != "      EventPattern:").skip(1);
            let pattern: String = pattern.take_while(|line| line.starts_with("        ")).copied().collect();
            let target =
                lines.iter().find_map(|line| line.strip_prefix("          Arn: !GetAtt ")?.strip_suffix(".Arn"))?;
            Some(Rule {
                logical,
                function: name_of(target),
                pattern: serde_json::from_str(&pattern).ok()?,
                global: lines.contains(&"    Condition: GlobalEventsArriveHere"),
            })
        })
        .collect()
}

/// The region of each partition in which the events of global services arrive.
pub(super) fn global_region(partition: &str) -> Option<&'static str> {
    let head = format!("    {partition}:");
    let mut lines = TEMPLATE.lines().skip_while(|line| *line != "  GlobalEvents:").skip_while(|line| *line != head);
    lines.nth(1)?.strip_prefix("      Region: ")
}

/// The resources of a kind, each with its lines.
fn resources(kind: &str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let kind = format!("    Type: {kind}");
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in TEMPLATE.lines().skip_while(|line| *line != "Resources:").take_while(|line| *line != "Outputs:") {
        match line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')).filter(|name| !name.starts_with(' ')) {
            Some(name) => blocks.push((name, Vec::new())),
            None => blocks.last_mut().into_iter().for_each(|(_, lines)| lines.push(line)),
        }
    }
    blocks.into_iter().filter(move |(_, lines)| lines.contains(&kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responders::ENTRIES;

    #[test]
    fn every_responder_has_the_rule_of_its_pattern_and_one_for_what_is_asked() {
        let rules = rules();
        for entry in ENTRIES {
            let own: Vec<_> = rules.iter().filter(|rule| rule.function == entry.spec.name).collect();
            let pattern: Value = serde_json::from_str(entry.spec.pattern).unwrap();
            assert!(own.iter().any(|rule| rule.pattern == pattern), "{entry:?} {own:#?}");
            let asked = own.iter().find(|rule| rule.logical.ends_with("AskedRule")).unwrap();
            assert_eq!(asked.pattern["detail"]["responder"][0], entry.spec.name);
        }
        let key = rules.iter().find(|rule| rule.logical == "DisableAccessKeyRule").unwrap();
        let finding = rules.iter().find(|rule| rule.logical == "DisableAccessKeyFindingsRule").unwrap();
        assert!(key.global && !finding.global);
    }

    #[test]
    fn every_rule_of_the_template_that_has_a_pattern_is_read() {
        let written = TEMPLATE.lines().filter(|line| *line == "      EventPattern:").count();
        assert_eq!(rules().len(), written);
    }

    #[test]
    fn each_partition_has_its_region_of_global_events() {
        let regions = ["aws", "aws-cn", "aws-us-gov", "aws-iso"].map(global_region);
        assert_eq!(regions, [Some("us-east-1"), Some("cn-north-1"), Some("us-gov-west-1"), None]);
    }
}
