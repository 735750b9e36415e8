//! What is shown of text that somebody else wrote.
//!
//! Events, the ledger and policies hold text that an attacker chose: user agents, session names, tags, descriptions. A
//! terminal obeys some of it. Escape sequences recolour, overwrite or answer for the person at the keyboard;
//! bidirectional controls show `gro.elpmaxe` where `example.org` stands; characters without width make two different
//! names look the same. Here all of these become visible.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with everything escaped that a terminal would obey or not show: `\n`, `\u{1b}`, `\u{202e}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if !is_treacherous(char) {
            shown.push(char);
        } else if matches!(char, '\n' | '\r' | '\t') {
            shown.extend(char.escape_default());
        } else {
            shown.extend(char.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// JSON text that says the same and holds nothing a terminal would obey: in JSON such characters can only be inside
/// strings, where an escape stands for them.
pub(crate) fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_treacherous) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 8);
    for char in json.chars() {
        if is_treacherous(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _infallible = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// Controls, bidirectional formatting, and what takes no room.
///
/// Sources: Unicode Standard Annex #9, "Directional formatting characters"; Unicode Character Database,
/// `DerivedCoreProperties.txt`, property `Default_Ignorable_Code_Point`; Annex #14 for the separators of lines.
fn is_treacherous(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("a\u{1b}[31mb\r\n"), r"a\u{1b}[31mb\r\n");
        assert_eq!(visible("role\u{202e}nimda"), r"role\u{202e}nimda");
        assert_eq!(visible("\u{9b}2J \u{7f} \u{200b} \u{feff}"), r"\u{9b}2J \u{7f} \u{200b} \u{feff}");
        assert!(matches!(visible("Zoë 木 `x` 😀 \\n"), Cow::Borrowed(_)));
    }

    /// Any text, rich in what matters here.
    fn hostile() -> impl Strategy<Value = String> {
        let odd = "\u{0}\u{7}\u{8}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{9d}\u{ad}\u{61c}\u{200b}\u{200d}\u{200f}\u{2028}\u{202e}\u{2066}\u{2069}\u{feff}\u{fff9}\u{e0041}\\\"[]m;é木😀";
        let odd: Vec<char> = odd.chars().collect();
        prop::collection::vec(prop_oneof![prop::sample::select(odd), any::<char>()], 0..40)
            .prop_map(|chars| chars.into_iter().collect())
    }

    /// Independent of `is_treacherous`: the general rule, and each of the bidirectional controls by name.
    fn obeyed(char: char) -> bool {
        char.is_control() || "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{2028}\u{2029}".contains(char)
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_obey(text in hostile()) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(obeyed), "{shown:?}");
            prop_assert_eq!(visible(&shown), shown.as_ref());
            let ordinary = |text: &str| text.chars().filter(|char| !is_treacherous(*char)).collect::<String>();
            prop_assert!(ordinary(&shown).len() >= ordinary(&text).len(), "nothing ordinary is lost");
        }

        #[test]
        fn json_says_the_same(text in hostile()) {
            let json = serde_json::json!({ &text: [&text] });
            let whole = json.to_string();
            let shown = visible_json(&whole);
            prop_assert!(!shown.chars().any(obeyed), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
        }
    }
}
