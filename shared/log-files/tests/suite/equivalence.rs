//! On valid JSON, the engine finds what parsing everything finds.

use fastrand::Rng;
use log_files::Problem;
use proptest::prelude::*;

use crate::found::{gzip, read};
use crate::oracle;
use crate::texts::file;

/// For comparing: an event has no equality of its own.
fn events(events: Vec<(Option<usize>, cloudtrail::Event)>) -> Vec<String> {
    events.into_iter().map(|(number, event)| format!("{number:?} {event:?}")).collect()
}

fn found_in(bytes: &[u8]) -> (Vec<String>, u64, Vec<Problem>) {
    let (found, totals) = read(bytes);
    (
        events(found.events.into_iter().map(|(place, event)| (place.record, event)).collect()),
        totals.records,
        found.problems,
    )
}

/// Several gzip members, which end anywhere.
fn members(text: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut gzipped = Vec::new();
    let mut rest = text;
    for _ in 0..random.usize(1..4) {
        let (member, others) = rest.split_at(random.usize(..=rest.len()));
        gzipped.extend(gzip(member));
        rest = others;
    }
    gzipped.extend(gzip(rest));
    gzipped
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("COUNTERMAND_LOAD").is_some() { 20_000 } else { 300 }))]

    #[test]
    fn the_events_of_a_valid_file_are_those_that_parsing_everything_finds(seed in any::<u64>()) {
        let text = file(seed, true);
        let (expected, records) = oracle::read(&text);
        let expected = events(expected);
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes()), members(text.as_bytes(), &mut Rng::with_seed(seed))] {
            let (found, counted, problems) = found_in(&bytes);
            prop_assert_eq!(&found, &expected, "{}", text);
            prop_assert_eq!(counted, records, "{}", text);
            for problem in problems {
                let of_the_event = matches!(problem, Problem::Event { .. } | Problem::Further { .. });
                prop_assert!(of_the_event || records == 0, "{} in {}", problem, text);
            }
        }
    }

    #[test]
    fn of_a_file_that_is_cut_off_all_is_found_that_comes_before(seed in any::<u64>()) {
        let whole = file(seed, false);
        let mut end = Rng::with_seed(seed).usize(..=whole.len());
        while !whole.is_char_boundary(end) {
            end -= 1;
        }
        let (text, _) = whole.split_at(end);
        let (expected, _) = oracle::read(text);
        let (all, _) = oracle::read(&whole);
        let (expected, all) = (events(expected), events(all));
        for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
            let (found, _, _) = found_in(&bytes);
            prop_assert!(found.starts_with(&expected), "{:?} instead of {:?} in {}", found, expected, text);
            prop_assert!(found.len() <= all.len(), "{:?} in {}", found, text);
        }
    }
}
