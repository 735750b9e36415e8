//! Which folders of an archive are listed.

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{AccountId, Region};
use log_files::{Listing, Selection};
use proptest::prelude::*;

const ROOT: &str = "audit/AWSLogs/o-exampleorg/";
const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn without_a_wish_everything_is_one_listing() {
    assert_eq!(Selection::default().listing(""), Listing::Everything);
}

#[test]
fn folders_that_cannot_match_are_skipped() {
    let selection = Selection {
        accounts: [AccountId::parse(ACCOUNTS[0]).unwrap()].into(),
        regions: [Region::new(REGIONS[0])].into(),
        ..Selection::default()
    };
    let listing = |folder: &str| selection.listing(&format!("{ROOT}{folder}"));
    for folder in ["", "111122223333/", "111122223333/CloudTrail/"] {
        assert_eq!(listing(folder), Listing::Folders, "{folder}");
    }
    for folder in ["444455556666/", "111122223333/CloudTrail-Digest/", "111122223333/CloudTrail/us-east-1/"] {
        assert_eq!(listing(folder), Listing::Skip, "{folder}");
    }
    for folder in ["111122223333/CloudTrail/eu-west-1/", "111122223333/Config/"] {
        assert_eq!(listing(folder), Listing::Everything, "{folder}");
    }
    assert_eq!(selection.listing("exports/of/other/things/"), Listing::Everything);
}

#[test]
fn days_are_a_range_of_keys() {
    let region = "AWSLogs/111122223333/CloudTrail/eu-west-1/";
    let selection = Selection {
        since: Some(time("2026-11-01T00:30:00Z")),
        until: Some(time("2026-11-03T00:00:00Z")),
        ..Selection::default()
    };
    let days = Listing::Days { first: format!("{region}2026/10/31/"), last: format!("{region}2026/11/03/") };
    assert_eq!(selection.listing(region), days);
    assert_eq!(selection.listing(&format!("{region}2026/")), days, "whatever part of it is named");
    let open = Selection { until: None, ..selection };
    let Listing::Days { last, .. } = open.listing(region) else { panic!("{open:?}") };
    assert!(format!("{region}9999/12/31/x") < last);
}

proptest! {
    /// What a listing leaves out, the paths alone rule out as well.
    #[test]
    fn nothing_is_left_out_that_a_path_admits(
        hour in -60_i64..60,
        since in prop::option::of(-60_i64..60),
        until in prop::option::of(-60_i64..60),
        place in (0..2_usize, 0..2_usize),
        asked in (prop::option::of(0..2_usize), prop::option::of(0..2_usize)),
    ) {
        let at = |hours: i64| time("2026-03-01T00:30:00Z") + TimeDelta::hours(hours);
        let selection = Selection {
            since: since.map(at),
            until: until.map(at),
            accounts: asked.0.map(|number| AccountId::parse(ACCOUNTS[number]).unwrap()).into_iter().collect(),
            regions: asked.1.map(|number| Region::new(REGIONS[number])).into_iter().collect(),
        };
        let (account, region) = (ACCOUNTS[place.0], REGIONS[place.1]);
        let delivered = at(hour);
        let key = format!(
            "{ROOT}{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{}_x.json.gz",
            delivered.format("%Y/%m/%d"),
            delivered.format("%Y%m%dT%H%MZ"),
        );
        let mut listed = true;
        for (end, _) in key.match_indices('/') {
            match selection.listing(key.get(..=end).unwrap()) {
                Listing::Folders => {}
                Listing::Everything => break,
                Listing::Skip => listed = false,
                Listing::Days { first, last } => {
                    listed = key > first && (key <= last || key.starts_with(&last));
                    break;
                }
            }
        }
        let bounds_cross = selection.since.zip(selection.until).is_some_and(|(since, until)| since >= until);
        prop_assert!(listed || bounds_cross || !selection.admits_path(&key), "{key} is not listed");
    }
}
