//! What the function that ends leases may: all that undo needs, of every responder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::template_resource;
use crate::folders::{By, Folder, Permission};

/// IAM counts the characters of a managed policy without white space, and takes this many; a role takes ten such policies.
/// Source: IAM User Guide, "IAM and AWS STS quotas".
const LARGEST: usize = 6_144;
const POLICIES: usize = 10;

/// Actions by resource: where many responders may do the same, it is said once, so that it fits.
type Statements = Vec<(String, BTreeSet<String>)>;

/// The managed policies, and their names for the role's list.
pub(super) fn policies(folders: &[Folder]) -> (String, String) {
    let mut by_resource = BTreeMap::<String, BTreeSet<String>>::new();
    for folder in folders {
        let looks = folder.permissions(By::Function).into_iter().filter(Permission::looks);
        for Permission { action, resource, .. } in looks.chain(folder.permissions(By::Operator)) {
            by_resource.entry(resource).or_default().insert(action);
        }
    }
    let mut parts: Vec<Statements> = vec![Vec::new()];
    for statement in by_resource {
        let part = parts.last().unwrap();
        if !part.is_empty() && size(part) + size(std::slice::from_ref(&statement)) > LARGEST {
            parts.push(Vec::new());
        }
        parts.last_mut().unwrap().push(statement);
    }
    assert!(parts.len() < POLICIES, "{} policies beside `ResponderAccess` are too many for a role", parts.len());
    let (mut resources, mut names) = (String::new(), String::new());
    for (number, part) in (1..).zip(&parts) {
        assert!(size(part) <= LARGEST, "the statement on {} alone is too large", part[0].0);
        writeln!(names, "        - !Ref ReleaseLeasesAccess{number}").unwrap();
        resources.push_str(&resource(number, part));
    }
    (resources, names)
}

fn resource(number: usize, statements: &Statements) -> String {
    let mut text = format!(
        "
  ReleaseLeasesAccess{number}:
    Type: AWS::IAM::ManagedPolicy
    Condition: LeasesEnd
    Properties:
      Description: What it takes to look at the resources of responders and to undo what they did.
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
"
    );
    for (resource, actions) in statements {
        text.push_str("          - Effect: Allow\n            Action:\n");
        for action in actions {
            writeln!(text, "              - {action}").unwrap();
        }
        writeln!(text, "            Resource: {}", template_resource(resource)).unwrap();
    }
    text
}

/// At most so many characters, wherever it is deployed.
fn size(statements: &[(String, BTreeSet<String>)]) -> usize {
    let frame = r#"{"Version":"2012-10-17","Statement":[]}"#.len();
    let statement = |(resource, actions): &(String, BTreeSet<String>)| {
        let resource = resource.replace("${Partition}", "aws-us-gov").replace("${Region}", "ap-southeast-99");
        let resource = resource.replace("${Account}", "123456789012");
        let actions: usize = actions.iter().map(|action| action.len() + r#""","#.len()).sum();
        r#"{"Effect":"Allow","Action":[],"Resource":""},"#.len() + resource.len() + actions
    };
    frame + statements.iter().map(statement).sum::<usize>()
}
