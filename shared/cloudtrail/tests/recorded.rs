//! Records AWS really wrote, where the workspace's neighbour `shared/events` holds them.

use std::path::Path;

use cloudtrail::Event;
use serde_json::Value;

#[test]
fn every_recorded_event_decodes_or_says_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events");
    let (mut decoded, mut refused) = (0, 0);
    for kind in ["cloudtrail", "envelopes"] {
        let Ok(files) = folder.join(kind).read_dir() else { return };
        for file in files {
            let path = file.unwrap().path();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                match Event::decode(serde_json::from_str::<Value>(line).unwrap()) {
                    Ok(_) => decoded += 1,
                    Err(error) => {
                        assert!(
                            error.to_string().contains('`')
                                || error.to_string().contains("neither")
                                || error.to_string().contains("envelope"),
                            "{error}"
                        );
                        refused += 1;
                    }
                }
            }
        }
    }
    println!("{decoded} decoded, {refused} refused");
    assert!(decoded > 3000 && refused < decoded / 10, "{decoded} decoded, {refused} refused");
}
