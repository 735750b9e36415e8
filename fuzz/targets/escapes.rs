//! Nothing that a terminal, a spreadsheet or a reader would obey is left of any text.
#![no_main]

use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use hostile_text::{blanked, cell, visible, visible_json};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// The general rule, each of the bidirectional controls by name, and what has no width. Not the code's own list.
fn is_obeyed(char: char) -> bool {
    const MARKS: &str = "\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\
                         \u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{3164}\u{fe0f}";
    char.is_control() || MARKS.contains(char)
}

fuzz_target!(|text: &str| {
    let shown = visible(text);
    assert!(!shown.contains(is_obeyed), "{shown:?}");
    assert_eq!(visible(&shown), shown, "what is shown is shown as it is");
    assert!(shown.len() >= text.len(), "nothing is lost");

    let value = json!({ (text): [text, { "text": text }] });
    let whole = value.to_string();
    let shown_json = visible_json(&whole);
    assert!(!shown_json.contains(is_obeyed), "{shown_json:?}");
    assert_eq!(serde_json::from_str::<Value>(&shown_json).expect("it is still JSON"), value);

    let inert = cell(text);
    assert!(!inert.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{inert:?}");
    assert!(!inert.contains(is_obeyed), "{inert:?}");
    assert!(inert == shown || inert.strip_prefix('\'') == Some(&shown), "{inert:?} says more than {shown:?}");
    let mut table =
        WriterBuilder::new().quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
    table.write_record([&*inert, "next"]).expect("memory can be written");
    let table = table.into_inner().expect("memory can be written");
    assert_eq!(table.split(|byte| *byte == b'\n').count(), 2, "one line, and nothing after its end");
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(&*table);
    let row = reader.records().next().expect("there is a row").expect("it can be read");
    assert_eq!(row.iter().collect::<Vec<_>>(), [&*inert, "next"]);

    let longest = text.len() % 50;
    let line = blanked(text, longest);
    assert!(!line.contains(is_obeyed), "{line:?}");
    assert_eq!(line.chars().count(), text.chars().count().min(longest + 1));
});
