//! Records AWS really wrote, where the workspace's neighbour `shared/events` holds them.

use std::path::Path;

use crate::found::{gzip, read};
use crate::oracle;

#[test]
fn of_recorded_files_the_same_is_found_as_by_parsing_everything() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events");
    for kind in ["cloudtrail", "envelopes", "labelled"] {
        let Ok(files) = folder.join(kind).read_dir() else { return };
        for file in files {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let (expected, records) = oracle::read(&text);
            for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
                let (found, totals) = read(&bytes);
                let found: Vec<_> = found.events.iter().map(|(place, event)| (place.record, &event.id)).collect();
                let expected: Vec<_> = expected.iter().map(|(number, event)| (*number, &event.id)).collect();
                assert_eq!(found, expected, "{}", path.display());
                assert_eq!(totals.records, records, "{}", path.display());
            }
        }
    }
}
