//! What is shown of text that somebody else wrote.
//!
//! Events, the ledger and policies hold text that an attacker chose: user agents, session names, tags, descriptions. A
//! terminal obeys some of it. Escape sequences recolour, overwrite or answer for the person at the keyboard;
//! bidirectional controls show `gro.elpmaxe` where `example.org` stands; characters without width make two different
//! names look the same. A spreadsheet computes what looks like a formula, and a line break in a message forges a line.
//!
//! Here is the one list of such characters, and what becomes of them: [`visible`] for terminals and pages,
//! [`visible_json`] for JSON, [`cell`] for spreadsheets, [`blanked`] for messages and [`code`] for chats.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with everything escaped that a terminal would obey or not show: `\n`, `\u{1b}`, `\u{202e}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_harmless(text) {
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
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if is_harmless(json) {
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

/// The text as a spreadsheet takes it for text: [`visible`], and with an apostrophe before what would be computed.
///
/// What begins with `=`, `+`, `-`, `@`, a tab or a line break may be taken for a formula, in some regions also with the
/// wide forms of these; space before them does not always help. Source: OWASP, "CSV Injection".
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    let start = |text: &str| text.trim_start_matches(|char: char| char.is_whitespace() || char == '"').chars().next();
    let computed = |char| matches!(char, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%');
    let breaks = text.starts_with(['\t', '\r', '\n', '\0']);
    if breaks || start(&shown).is_some_and(computed) { Cow::Owned(format!("'{shown}")) } else { shown }
}

/// The text as a value in a message to people: spaces for what [`visible`] escapes, and `…` after `longest` characters.
#[must_use]
pub fn blanked(text: &str, longest: usize) -> String {
    let mut chars = text.chars();
    let shown = chars.by_ref().take(longest).map(|char| if is_treacherous(char) { ' ' } else { char });
    let mut line: String = shown.collect();
    line.extend(chars.next().map(|_| '…'));
    line
}

/// The text as a value in a message to a chat: [`blanked`], in a code span, in which neither Slack nor Microsoft Teams reads
/// marks or makes links, and without what is read even there: what ends the span, and what Slack takes for a mention, a link
/// or an entity (Slack API, "Formatting text for app surfaces"). Look-alikes stand for these, since Teams would show an entity
/// as it is written.
#[must_use]
pub fn code(text: &str, longest: usize) -> String {
    let line = blanked(text, longest);
    let shown: String = line
        .chars()
        .map(|char| match char {
            '`' => '\'',
            '<' => '‹',
            '>' => '›',
            '&' => '＆',
            char => char,
        })
        .collect();
    // An empty span would be two marks that begin the next one.
    if shown.trim().is_empty() { "`-`".to_owned() } else { format!("`{shown}`") }
}

/// Most text is what a typewriter has, and that is seen at a glance.
fn is_harmless(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.chars().any(is_treacherous)
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

    #[test]
    fn what_would_be_computed_is_text() {
        for (text, expected) in [
            ("=cmd|'/C calc'!A1", "'=cmd|'/C calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("  =1", "'  =1"),
            ("\"=1", "'\"=1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("arn:aws:iam::1:user/=x", "arn:aws:iam::1:user/=x"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn a_value_of_a_message_is_one_short_line() {
        assert_eq!(blanked("a\r\n\u{2028}\u{202e}b\u{200b}\u{3164}c", 20), "a    b  c");
        assert_eq!(blanked("äöü", 3), "äöü");
        assert_eq!(blanked("äöü\n", 3), "äöü…");
    }

    #[test]
    fn nothing_in_a_chat_calls_links_or_ends_its_span() {
        assert_eq!(
            code("<!channel> `x` <https://evil|here> &lt;\n", 60),
            "`‹!channel› 'x' ‹https://evil|here› ＆lt; `"
        );
        assert_eq!((code("", 5), code(" \n", 5), code("abcdef", 5)), ("`-`".into(), "`-`".into(), "`abcde…`".into()));
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

        /// By the rule as spreadsheets have it, which is not the code's.
        #[test]
        fn no_cell_is_computed_and_none_breaks_the_line(text in "[=+\\-@\t\r\n \"',;a]{0,6}\\PC{0,6}\\p{Cc}{0,3}") {
            let cell = cell(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            prop_assert!(!cell.contains(char::is_control), "{cell:?}");
            let shown = visible(&text);
            prop_assert!(cell == shown || cell.strip_prefix('\'') == Some(&shown), "{cell:?} says more than {shown:?}");
        }

        #[test]
        fn a_value_of_a_chat_is_one_span(text in "[`<>&!@#\n\u{202e}a ]{0,30}", longest in 1..40_usize) {
            let span = code(&text, longest);
            prop_assert!(span.starts_with('`') && span.ends_with('`') && span.matches('`').count() == 2, "{span:?}");
            prop_assert!(!span.contains(['<', '>', '&']) && !span.chars().any(obeyed), "{span:?}");
            prop_assert!(span.chars().count() <= longest + 3, "{span:?}");
        }

        #[test]
        fn no_value_of_a_message_is_more_than_its_line(text in hostile(), longest in 0..50_usize) {
            let line = blanked(&text, longest);
            prop_assert!(!line.chars().any(obeyed), "{line:?}");
            prop_assert_eq!(line.chars().count(), text.chars().count().min(longest + 1));
            prop_assert!(line.chars().count() <= longest || line.ends_with('…'), "what is cut says so");
        }
    }
}
