//! Selectors in the SDK's words and in ours.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::error::BuildError;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector as SdkAdvanced, AdvancedFieldSelector, DataResource as SdkDataResource,
    EventSelector as SdkBasic, InsightSelector as SdkInsight,
};

use crate::selectors::{AdvancedEventSelector, DataResource, EventSelector, EventSelectors, FieldSelector};
use crate::trail::InsightSelector;

/// A trail that has none logs as a new one does. Source: AWS CloudTrail API Reference, "`PutEventSelectors`".
pub(super) fn event_selectors(basic: Vec<SdkBasic>, advanced: Vec<SdkAdvanced>) -> EventSelectors {
    match (basic.is_empty(), advanced.is_empty()) {
        (false, _) => EventSelectors::Basic(basic.into_iter().map(from_basic).collect()),
        (true, false) => EventSelectors::Advanced(advanced.into_iter().map(from_advanced).collect()),
        (true, true) => EventSelectors::default(),
    }
}

fn from_basic(selector: SdkBasic) -> EventSelector {
    let default = EventSelector::all_management_events();
    let data = |data: SdkDataResource| DataResource {
        kind: data.r#type.unwrap_or_default(),
        values: data.values.unwrap_or_default(),
    };
    EventSelector {
        read_write_type: selector.read_write_type.map_or(default.read_write_type, |kind| kind.as_str().to_owned()),
        include_management_events: selector.include_management_events.unwrap_or(default.include_management_events),
        data_resources: selector.data_resources.unwrap_or_default().into_iter().map(data).collect(),
        exclude_management_event_sources: selector.exclude_management_event_sources.unwrap_or_default(),
    }
}

fn from_advanced(selector: SdkAdvanced) -> AdvancedEventSelector {
    let field = |field: AdvancedFieldSelector| FieldSelector {
        field: field.field,
        equals: field.equals.unwrap_or_default(),
        starts_with: field.starts_with.unwrap_or_default(),
        ends_with: field.ends_with.unwrap_or_default(),
        not_equals: field.not_equals.unwrap_or_default(),
        not_starts_with: field.not_starts_with.unwrap_or_default(),
        not_ends_with: field.not_ends_with.unwrap_or_default(),
    };
    let field_selectors = selector.field_selectors.into_iter().map(field).collect();
    AdvancedEventSelector { name: selector.name.filter(|name| !name.is_empty()), field_selectors }
}

pub(super) fn to_basic(selectors: &[EventSelector]) -> Vec<SdkBasic> {
    let data = |data: &DataResource| {
        SdkDataResource::builder().r#type(&data.kind).set_values(Some(data.values.clone())).build()
    };
    let basic = |selector: &EventSelector| {
        SdkBasic::builder()
            .read_write_type(selector.read_write_type.as_str().into())
            .include_management_events(selector.include_management_events)
            .set_data_resources(Some(selector.data_resources.iter().map(data).collect()))
            .set_exclude_management_event_sources(Some(selector.exclude_management_event_sources.clone()))
            .build()
    };
    selectors.iter().map(basic).collect()
}

pub(super) fn to_advanced(selectors: &[AdvancedEventSelector]) -> Result<Vec<SdkAdvanced>, BuildError> {
    // CloudTrail refuses an operator without values.
    let values = |values: &[String]| Some(values.to_vec()).filter(|values| !values.is_empty());
    let field = |field: &FieldSelector| {
        AdvancedFieldSelector::builder()
            .field(&field.field)
            .set_equals(values(&field.equals))
            .set_starts_with(values(&field.starts_with))
            .set_ends_with(values(&field.ends_with))
            .set_not_equals(values(&field.not_equals))
            .set_not_starts_with(values(&field.not_starts_with))
            .set_not_ends_with(values(&field.not_ends_with))
            .build()
    };
    let advanced = |selector: &AdvancedEventSelector| {
        let fields = selector.field_selectors.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        SdkAdvanced::builder().set_name(selector.name.clone()).set_field_selectors(Some(fields)).build()
    };
    selectors.iter().map(advanced).collect()
}

pub(super) fn insights(selectors: Vec<SdkInsight>) -> BTreeSet<InsightSelector> {
    let insight = |selector: SdkInsight| {
        let categories = selector.event_categories.unwrap_or_default();
        let categories = categories.iter().map(|category| category.as_str().to_owned()).collect();
        Some(InsightSelector { kind: selector.insight_type?.as_str().to_owned(), categories })
    };
    selectors.into_iter().filter_map(insight).collect()
}

pub(super) fn to_insights(selectors: &BTreeSet<InsightSelector>) -> Vec<SdkInsight> {
    let insight = |selector: &InsightSelector| {
        let categories: Vec<_> = selector.categories.iter().map(|category| category.as_str().into()).collect();
        SdkInsight::builder()
            .insight_type(selector.kind.as_str().into())
            .set_event_categories(Some(categories).filter(|categories| !categories.is_empty()))
            .build()
    };
    selectors.iter().map(insight).collect()
}
