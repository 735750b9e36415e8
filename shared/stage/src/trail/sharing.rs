//! How CloudTrail records that a snapshot or an image is shared.

use serde_json::{Map, Value, json};

/// The attribute of a call, and what CloudTrail calls it.
const ATTRIBUTES: [(&str, &str); 2] =
    [("createVolumePermission", "CREATE_VOLUME_PERMISSION"), ("launchPermission", "launchPermission")];

/// The list parameters that go with `OperationType`, and what stands for each in a permission.
const LISTS: [(&str, &str); 4] = [
    ("userGroup", "group"),
    ("userId", "userId"),
    ("organizationArn", "organizationArn"),
    ("organizationalUnitArn", "organizationalUnitArn"),
];

/// EC2 takes the permissions to add and to remove as a structure, or as lists beside `OperationType`. CloudTrail has one
/// form for both.
pub(super) fn in_one_form(parameters: Value) -> Value {
    let Value::Object(mut fields) = parameters else { return parameters };
    let named = fields.remove("attribute");
    let of_structure = ATTRIBUTES.iter().find(|(name, _)| fields.contains_key(*name));
    let of_name = ATTRIBUTES.iter().find(|(name, _)| named.as_ref().is_some_and(|named| named == name));
    let Some((name, kind)) = of_structure.or(of_name) else {
        fields.extend(named.map(|named| ("attributeType".to_owned(), named)));
        return Value::Object(fields);
    };
    if let Some(Value::String(operation)) = fields.remove("operationType") {
        let items: Vec<Value> = LISTS.iter().flat_map(|(list, member)| listed(&mut fields, list, member)).collect();
        fields.insert((*name).to_owned(), json!({operation: {"items": items}}));
    }
    fields.insert("attributeType".to_owned(), (*kind).into());
    Value::Object(fields)
}

fn listed(fields: &mut Map<String, Value>, list: &str, member: &str) -> Vec<Value> {
    let Some(Value::Object(mut listed)) = fields.remove(list) else { return Vec::new() };
    let Some(Value::Array(items)) = listed.remove("items") else { return Vec::new() };
    items.iter().filter_map(|item| item.get(list)).map(|value| json!({member: value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_call_make_one_record() {
        let lists = json!({"snapshotId": "snap-1", "attribute": "createVolumePermission", "operationType": "add",
            "userId": {"items": [{"userId": "210987654321"}]}, "userGroup": {"items": [{"userGroup": "all"}]}});
        let structure = json!({"snapshotId": "snap-1", "createVolumePermission":
            {"add": {"items": [{"group": "all"}, {"userId": "210987654321"}]}}});
        let record = json!({"snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": {"add": {"items": [{"group": "all"}, {"userId": "210987654321"}]}}});
        assert_eq!(in_one_form(lists), record);
        assert_eq!(in_one_form(structure), record);
        let image = json!({"imageId": "ami-1", "launchPermission": {"remove": {"items": [{"group": "all"}]}}});
        assert_eq!(in_one_form(image)["attributeType"], "launchPermission");
        let other = json!({"imageId": "ami-1", "attribute": "description", "value": "x"});
        assert_eq!(in_one_form(other), json!({"imageId": "ami-1", "attributeType": "description", "value": "x"}));
    }
}
