//! What Cedar's parser does not tell of a text: where each policy and annotation stands, and whether it is safe to parse.

/// One policy of a text that Cedar has parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline<'a> {
    /// The offset of its first token.
    pub(crate) start: usize,
    /// Its annotations and the offsets of their `@`.
    pub(crate) annotations: Vec<(&'a str, usize)>,
    /// Whether it asks for anybody's tags.
    pub(crate) asks_for_tags: bool,
    /// Where it asks for the tags of the principal.
    pub(crate) principal_tags: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text,
    Sign(u8),
}

/// The policies of a text, in their order. Of a text that Cedar refuses, the result means nothing.
pub(crate) fn outline(text: &str) -> Vec<Outline<'_>> {
    let mut policies = Vec::new();
    let mut current: Option<Outline<'_>> = None;
    let mut before = [None, None];
    for (offset, token) in (Tokens { text, offset: 0 }) {
        let policy = current.get_or_insert_with(|| Outline { start: offset, ..Outline::default() });
        match (token, before) {
            (Token::Sign(b';'), _) => policies.extend(current.take()),
            (Token::Word(name), [_, Some(Token::Sign(b'@'))]) => policy.annotations.push((name, offset - 1)),
            (Token::Word("hasTag" | "getTag"), [object, Some(Token::Sign(b'.'))]) => {
                policy.asks_for_tags = true;
                if object == Some(Token::Word("principal")) {
                    policy.principal_tags = policy.principal_tags.or(Some(offset));
                }
            }
            _ => {}
        }
        let [_, last] = before;
        before = [last, Some(token)];
    }
    policies
}

/// Cedar parses by recursion and does not watch its stack: in a debug build a test's thread of 2 MiB ends at 40 nested
/// brackets, 500 `if`, or a chain of 10,000 operators. No policy that a person can read comes near these.
const DEEPEST: usize = 24;
const MOST_IFS: usize = 50;
const LONGEST: usize = 4000;

/// Where a text, policies or schema, goes beyond what can be parsed safely, and how.
pub(crate) fn excess(text: &str) -> Option<(usize, String)> {
    let (mut depth, mut ifs, mut length) = (0_usize, 0, 0);
    for (offset, token) in (Tokens { text, offset: 0 }) {
        length += 1;
        match token {
            Token::Sign(b'(' | b'[' | b'{') => depth += 1,
            Token::Sign(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            Token::Sign(b';') => (ifs, length) = (0, 0),
            Token::Word("if") => ifs += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Some((offset, format!("more than {DEEPEST} brackets within one another")));
        }
        if ifs > MOST_IFS {
            return Some((offset, format!("more than {MOST_IFS} times `if` in one policy")));
        }
        if length > LONGEST {
            return Some((offset, format!("more than {LONGEST} words and signs in one policy")));
        }
    }
    None
}

/// Cedar Policy Language Reference Guide, "Grammar specification for Cedar policies": `COMMENT`, `STR`, `IDENT`.
struct Tokens<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.text.get(self.offset..)?;
            let bytes = rest.as_bytes();
            let start = self.offset;
            let (length, token) = match bytes {
                [] => return None,
                [b'/', b'/', ..] => (rest.find(['\n', '\r']).unwrap_or(rest.len()), None),
                [b'"', ..] => (text_length(bytes), Some(Token::Text)),
                [first, ..] if is_word(*first) => {
                    let length = bytes.iter().take_while(|byte| is_word(**byte)).count();
                    (length, rest.get(..length).map(Token::Word))
                }
                [first, ..] if first.is_ascii() => (1, (!first.is_ascii_whitespace()).then_some(Token::Sign(*first))),
                _ => (rest.chars().next().map_or(1, char::len_utf8), None),
            };
            self.offset += length;
            if let Some(token) = token {
                return Some((start, token));
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of the string that begins with the first byte, both quotes included.
fn text_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let inside = bytes.iter().skip(1).take_while(|byte| {
        let ends = **byte == b'"' && !escaped;
        escaped = **byte == b'\\' && !escaped;
        !ends
    });
    (inside.count() + 2).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_overflow_the_stack_is_seen_before() {
        let check = |text: String, expected: Option<&str>| {
            assert_eq!(excess(&text).map(|(_, message)| message).as_deref(), expected, "{text:.50}");
        };
        check("(".repeat(DEEPEST), None);
        check("({[".repeat(DEEPEST), Some("more than 24 brackets within one another"));
        check("()".repeat(1000), None);
        check("if ".repeat(MOST_IFS + 1), Some("more than 50 times `if` in one policy"));
        check("if ;".repeat(MOST_IFS + 1), None);
        check("true && ".repeat(LONGEST), Some("more than 4000 words and signs in one policy"));
        check(format!("// {}", "(".repeat(1000)), None);
    }

    #[test]
    fn a_comment_ends_where_cedar_ends_it() {
        let [policy] = outline("// one\r@id(\"a\") // two\n;").try_into().unwrap();
        assert_eq!((policy.start, policy.annotations), (7, vec![("id", 7)]));
    }

    #[test]
    fn annotations_are_found_and_nothing_in_text_or_comments_is() {
        let text = r#"// @id("no"); resource.hasTag
@id("a;\"@b\\") @reason ("ä") // ;
permit (principal == User::"; @x", action, resource) when { resource . hasTag("x") };
  @id("b")
forbid (principal, action, resource) unless { principal.getTag("y") == "z" && "hasTag" == "\\" };
"#;
        let policies = outline(text);
        let at = |needle: &str| text.find(needle).unwrap();
        assert_eq!(
            policies,
            [
                Outline {
                    start: at("@id(\"a"),
                    annotations: vec![("id", at("@id(\"a")), ("reason", at("@reason"))],
                    asks_for_tags: true,
                    principal_tags: None,
                },
                Outline {
                    start: at("@id(\"b"),
                    annotations: vec![("id", at("@id(\"b"))],
                    asks_for_tags: true,
                    principal_tags: Some(at("getTag")),
                }
            ]
        );
    }
}
