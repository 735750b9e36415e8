//! Which management events selectors select.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fake::payroll;
use crate::selectors::{AdvancedEventSelector, Coverage, EventSelector, EventSelectors, FieldSelector};

fn basic(selectors: &Value) -> EventSelectors {
    EventSelectors::Basic(serde_json::from_value(selectors.clone()).unwrap())
}

fn advanced(fields: &Value) -> EventSelectors {
    EventSelectors::Advanced(serde_json::from_value(json!([{ "fieldSelectors": fields }])).unwrap())
}

#[test]
fn selectors_select_what_aws_says() {
    let management = json!({"field": "eventCategory", "equals": ["Management"]});
    let table = [
        (basic(&json!([])), "no management events"),
        (basic(&json!([{}])), "all management events"),
        (basic(&json!([{"includeManagementEvents": false}])), "no management events"),
        (basic(&json!([{"readWriteType": "ReadOnly"}])), "management events that read"),
        (basic(&json!([{"readWriteType": "ReadOnly"}, {"readWriteType": "WriteOnly"}])), "all management events"),
        (basic(&json!([{"readWriteType": "Odd"}])), "no management events"),
        (
            basic(&json!([{"excludeManagementEventSources": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}])),
            "all management events but those of kms.amazonaws.com and rdsdata.amazonaws.com",
        ),
        (
            basic(&json!([{"excludeManagementEventSources": ["kms.amazonaws.com"]}, {"readWriteType": "WriteOnly"}])),
            "management events that read but those of kms.amazonaws.com and those that write",
        ),
        (advanced(&json!([management])), "all management events"),
        (advanced(&json!([{"field": "eventCategory", "equals": ["Data"]}])), "no management events"),
        (advanced(&json!([management, {"field": "readOnly", "equals": ["false"]}])), "management events that write"),
        (advanced(&json!([management, {"field": "readOnly", "equals": ["true", "false"]}])), "all management events"),
        (
            advanced(&json!([management, {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}])),
            "all management events but those of kms.amazonaws.com",
        ),
        (
            advanced(&json!([management, {"field": "eventSource", "equals": ["iam.amazonaws.com"]}])),
            "no management events",
        ),
        (advanced(&json!([management, {"field": "eventName", "notEquals": ["StopLogging"]}])), "no management events"),
        (advanced(&json!([management, {"field": "readOnly", "startsWith": ["t"]}])), "no management events"),
    ];
    for (selectors, expected) in table {
        assert_eq!(selectors.coverage().to_string(), expected, "{selectors:?}");
    }
}

#[test]
fn fewer_is_told_from_other() {
    let only = |kind: &str, excluded: &[&str]| {
        basic(&json!([{"readWriteType": kind, "excludeManagementEventSources": excluded}])).coverage()
    };
    let (kms, rds) = (["kms.amazonaws.com"], ["rdsdata.amazonaws.com"]);
    for (have, wanted, lacks) in [
        (only("All", &[]), only("All", &kms), false),
        (only("All", &kms), only("All", &[]), true),
        (only("All", &kms), only("All", &kms), false),
        (only("All", &kms), only("All", &rds), true),
        (only("ReadOnly", &[]), only("WriteOnly", &[]), true),
        (only("All", &[]), only("WriteOnly", &[]), false),
        (Coverage::default(), Coverage::default(), false),
    ] {
        assert_eq!(have.lacks_of(&wanted), lacks, "{have} against {wanted}");
    }
}

#[test]
fn mending_leaves_what_selects_data_events() {
    let data = EventSelector {
        read_write_type: "ReadOnly".to_owned(),
        include_management_events: false,
        data_resources: vec![payroll()],
        exclude_management_event_sources: Vec::new(),
    };
    let writes = EventSelector { read_write_type: "WriteOnly".to_owned(), ..EventSelector::all_management_events() };
    let all = EventSelector::all_management_events();
    let mended = |selectors: &[&EventSelector]| {
        let mended = EventSelectors::Basic(selectors.iter().copied().cloned().collect()).with_all_management_events();
        let EventSelectors::Basic(mended) = mended else { panic!("{mended:?}") };
        mended
    };
    assert_eq!(mended(&[&data]), [data.clone(), all.clone()]);
    assert_eq!(mended(&[&writes, &data]), [all.clone(), data.clone()]);
    let full = mended(&[&data, &data, &data, &data, &data]);
    assert_eq!(full[0], EventSelector { data_resources: vec![payroll()], ..all });
    assert_eq!(full[1..], [data.clone(), data.clone(), data.clone(), data]);
}

fn any_basic() -> impl Strategy<Value = EventSelector> {
    let source = prop::sample::select(vec!["kms.amazonaws.com", "rdsdata.amazonaws.com"]);
    (
        prop::sample::select(vec!["All", "ReadOnly", "WriteOnly", ""]),
        any::<bool>(),
        0..2_usize,
        prop::collection::vec(source.prop_map(str::to_owned), 0..2),
    )
        .prop_map(|(kind, management, data, excluded)| EventSelector {
            read_write_type: kind.to_owned(),
            include_management_events: management,
            data_resources: vec![payroll(); data],
            exclude_management_event_sources: excluded,
        })
}

fn any_advanced() -> impl Strategy<Value = AdvancedEventSelector> {
    let field = (
        prop::sample::select(vec!["eventCategory", "readOnly", "eventSource", "eventName", "resources.type"]),
        prop::collection::vec(prop::sample::select(vec!["Management", "Data", "true", "false", "x"]), 0..3),
        any::<bool>(),
    );
    let field = field.prop_map(|(field, values, not)| {
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        let (equals, not_equals) = if not { (Vec::new(), values) } else { (values, Vec::new()) };
        FieldSelector { field: field.to_owned(), equals, not_equals, ..FieldSelector::default() }
    });
    prop::collection::vec(field, 0..4).prop_map(|field_selectors| AdvancedEventSelector { name: None, field_selectors })
}

proptest! {
    #[test]
    fn mended_selectors_select_all_management_events(
        basic in prop::collection::vec(any_basic(), 0..=5),
        advanced in prop::collection::vec(any_advanced(), 0..4),
    ) {
        let resources = |selectors: &[EventSelector]| -> BTreeSet<String> {
            selectors.iter().flat_map(|one| &one.data_resources).map(|data| data.kind.clone()).collect()
        };
        let mended = EventSelectors::Basic(basic.clone()).with_all_management_events();
        prop_assert_eq!(mended.coverage(), Coverage::all());
        let EventSelectors::Basic(after) = mended else { panic!("of the same kind") };
        prop_assert!(after.len() <= 5);
        prop_assert_eq!(resources(&after), resources(&basic));
        prop_assert_eq!(EventSelectors::Advanced(advanced).with_all_management_events().coverage(), Coverage::all());
    }
}
