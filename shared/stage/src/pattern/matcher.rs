//! One element of a field's array in a pattern: a value, or an operator.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::{Number, Value};

use super::PatternError;

/// What a leaf may be.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// This value.
    Exactly(Value),
    Text(Text),
    /// Any value at all, `null` included.
    Present,
    /// No value. Judged by who knows all the leaves.
    Absent,
    Numeric {
        above: Option<Bound>,
        below: Option<Bound>,
        exactly: Option<f64>,
    },
    Cidr {
        network: IpAddr,
        bits: u32,
    },
    /// None of these values.
    AnythingBut(Vec<Value>),
    /// No text like these.
    NoText(Vec<Text>),
}

/// A condition on a string.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    IgnoreCase(String),
    /// What must come between the asterisks.
    Wildcard(Vec<String>),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    limit: f64,
    inclusive: bool,
}

/// The documented range of numeric matching.
const NUMERIC_LIMIT: f64 = 5.0e9;

impl Matcher {
    pub(super) fn accepts(&self, leaf: &Value) -> bool {
        match self {
            Self::Exactly(value) => equal(value, leaf),
            Self::Text(text) => leaf.as_str().is_some_and(|leaf| text.accepts(leaf)),
            Self::Present => true,
            Self::Absent => false,
            Self::Numeric { above, below, exactly } => leaf.as_f64().is_some_and(|leaf| {
                above.is_none_or(|bound| bound.allows(leaf, Ordering::Greater))
                    && below.is_none_or(|bound| bound.allows(leaf, Ordering::Less))
                    && exactly.is_none_or(|number| number.partial_cmp(&leaf) == Some(Ordering::Equal))
            }),
            Self::Cidr { network, bits } => {
                leaf.as_str().and_then(|leaf| leaf.parse().ok()).is_some_and(|ip| within(*network, *bits, ip))
            }
            Self::AnythingBut(values) => !values.iter().any(|value| equal(value, leaf)),
            Self::NoText(texts) => !leaf.as_str().is_some_and(|leaf| texts.iter().any(|text| text.accepts(leaf))),
        }
    }
}

impl Text {
    fn accepts(&self, leaf: &str) -> bool {
        match self {
            Self::Prefix(prefix) => leaf.starts_with(prefix),
            Self::PrefixIgnoreCase(prefix) => leaf.to_lowercase().starts_with(&prefix.to_lowercase()),
            Self::Suffix(suffix) => leaf.ends_with(suffix),
            Self::SuffixIgnoreCase(suffix) => leaf.to_lowercase().ends_with(&suffix.to_lowercase()),
            Self::IgnoreCase(text) => leaf.to_lowercase() == text.to_lowercase(),
            Self::Wildcard(parts) => wildcard(parts, leaf),
        }
    }
}

impl Bound {
    fn allows(self, leaf: f64, side: Ordering) -> bool {
        match leaf.partial_cmp(&self.limit) {
            Some(Ordering::Equal) => self.inclusive,
            other => other == Some(side),
        }
    }
}

/// Numbers are compared as numbers (300 is 300.0), addresses as addresses (`::1` is `0::1`).
fn equal(value: &Value, leaf: &Value) -> bool {
    match (value, leaf) {
        (Value::Number(value), Value::Number(leaf)) => value == leaf || same_number(value, leaf),
        (Value::String(value), Value::String(leaf)) => {
            value == leaf
                || matches!((value.parse::<IpAddr>(), leaf.parse::<IpAddr>()), (Ok(one), Ok(other)) if one == other)
        }
        _ => value == leaf,
    }
}

/// Whole numbers that a double cannot hold differ where their doubles do not.
fn same_number(one: &Number, other: &Number) -> bool {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one == other,
        _ => one.as_f64().partial_cmp(&other.as_f64()) == Some(Ordering::Equal),
    }
}

fn within(network: IpAddr, bits: u32, ip: IpAddr) -> bool {
    let (width, network, ip) = match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => (32, u128::from(network.to_bits()), u128::from(ip.to_bits())),
        (IpAddr::V6(network), IpAddr::V6(ip)) => (128, network.to_bits(), ip.to_bits()),
        _ => return false,
    };
    // A prefix of no bits shifts everything out, which `checked_shr` does not call a number.
    (network ^ ip).checked_shr(width - bits).unwrap_or(0) == 0
}

fn wildcard(parts: &[String], leaf: &str) -> bool {
    let [first, between @ .., last] = parts else {
        return parts.first().is_some_and(|only| only == leaf);
    };
    let Some(mut rest) = leaf.strip_prefix(first.as_str()) else { return false };
    for part in between {
        let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
        rest = after;
    }
    rest.ends_with(last.as_str())
}

pub(super) fn read(path: &str, element: &Value) -> Result<Matcher, PatternError> {
    let misplaced = || PatternError::Element { path: path.to_owned() };
    let operators = match element {
        Value::Object(operators) => operators,
        Value::Array(_) => return Err(misplaced()),
        value => return Ok(Matcher::Exactly(value.clone())),
    };
    let mut operators = operators.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else { return Err(misplaced()) };
    let at = At { path, operator };
    match operator.as_str() {
        "exactly" => Ok(Matcher::Exactly(at.text(operand)?.into())),
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => {
            at.text_condition(operator, operand).map(Matcher::Text)
        }
        "exists" => match operand {
            Value::Bool(true) => Ok(Matcher::Present),
            Value::Bool(false) => Ok(Matcher::Absent),
            _ => Err(at.wrong("true or false")),
        },
        "numeric" => at.numeric(operand),
        "cidr" => at.cidr(operand),
        "anything-but" => at.anything_but(operand),
        _ => Err(PatternError::UnknownOperator { path: path.to_owned(), operator: operator.clone() }),
    }
}

/// Where in the pattern an operand stands, for the error.
struct At<'p> {
    path: &'p str,
    operator: &'p str,
}

impl At<'_> {
    fn wrong(&self, takes: &'static str) -> PatternError {
        PatternError::Operand { path: self.path.to_owned(), operator: self.operator.to_owned(), takes }
    }

    fn text<'v>(&self, operand: &'v Value) -> Result<&'v str, PatternError> {
        operand.as_str().ok_or_else(|| self.wrong("a string"))
    }

    fn text_condition(&self, operator: &str, operand: &Value) -> Result<Text, PatternError> {
        let ignoring_case = match operand {
            Value::Object(inner) if operator == "prefix" || operator == "suffix" => {
                match (inner.len(), inner.get("equals-ignore-case")) {
                    (1, Some(text)) => Some(self.text(text)?.to_owned()),
                    _ => return Err(self.wrong("a string, or `equals-ignore-case` of one")),
                }
            }
            _ => None,
        };
        Ok(match (operator, ignoring_case) {
            ("prefix", Some(text)) => Text::PrefixIgnoreCase(text),
            ("suffix", Some(text)) => Text::SuffixIgnoreCase(text),
            ("prefix", None) => Text::Prefix(self.text(operand)?.to_owned()),
            ("suffix", None) => Text::Suffix(self.text(operand)?.to_owned()),
            ("wildcard", _) => self.wildcard(self.text(operand)?)?,
            _ => Text::IgnoreCase(self.text(operand)?.to_owned()),
        })
    }

    fn wildcard(&self, text: &str) -> Result<Text, PatternError> {
        let (mut parts, mut part) = (Vec::new(), String::new());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let literal = match letter {
                '*' if letters.peek() == Some(&'*') => return Err(self.wrong("no two asterisks in a row")),
                '*' => {
                    parts.push(std::mem::take(&mut part));
                    continue;
                }
                '\\' => match letters.next() {
                    Some(escaped @ ('*' | '\\')) => escaped,
                    _ => return Err(self.wrong(r"a backslash only before an asterisk or a backslash")),
                },
                other => other,
            };
            part.push(literal);
        }
        parts.push(part);
        Ok(Text::Wildcard(parts))
    }

    fn number(&self, operand: &Value) -> Result<f64, PatternError> {
        operand
            .as_f64()
            .filter(|number| number.abs() <= NUMERIC_LIMIT)
            .ok_or_else(|| self.wrong("numbers between -5.0e9 and 5.0e9"))
    }

    fn numeric(&self, operand: &Value) -> Result<Matcher, PatternError> {
        const TAKES: &str = "`[operator, number]`, or a lower and an upper bound in this order";
        let terms = operand.as_array().ok_or_else(|| self.wrong(TAKES))?;
        let bound = |operator: &Value, number: &Value, strict: &str, inclusive: &str| {
            let operator = operator.as_str().unwrap_or_default();
            if operator != strict && operator != inclusive {
                return Ok(None);
            }
            Ok(Some(Bound { limit: self.number(number)?, inclusive: operator == inclusive }))
        };
        let (above, below, exactly) = match terms.as_slice() {
            [operator, number] if operator == "=" => (None, None, Some(self.number(number)?)),
            [operator, number] => (bound(operator, number, ">", ">=")?, bound(operator, number, "<", "<=")?, None),
            [low, bottom, high, top] => {
                let (above, below) = (bound(low, bottom, ">", ">=")?, bound(high, top, "<", "<=")?);
                if above.is_none() || below.is_none() {
                    return Err(self.wrong(TAKES));
                }
                (above, below, None)
            }
            _ => return Err(self.wrong(TAKES)),
        };
        if above.is_none() && below.is_none() && exactly.is_none() {
            return Err(self.wrong(TAKES));
        }
        if let (Some(above), Some(below)) = (above, below)
            && above.limit >= below.limit
        {
            return Err(self.wrong("a lower bound that is below the upper one"));
        }
        Ok(Matcher::Numeric { above, below, exactly })
    }

    fn cidr(&self, operand: &Value) -> Result<Matcher, PatternError> {
        let wrong = || self.wrong("a block of more than one address, such as `10.0.0.0/8`");
        let (network, bits) = operand.as_str().and_then(|cidr| cidr.split_once('/')).ok_or_else(wrong)?;
        let network: IpAddr = network.parse().map_err(|_| wrong())?;
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        // Ruler wants fewer bits than an address has: one address is written as a plain string.
        if bits >= if network.is_ipv4() { 32 } else { 128 } {
            return Err(wrong());
        }
        Ok(Matcher::Cidr { network, bits })
    }

    fn anything_but(&self, operand: &Value) -> Result<Matcher, PatternError> {
        let listed = |operand: &Value| operand.as_array().cloned().unwrap_or_else(|| vec![operand.clone()]);
        if let Value::Object(inner) = operand {
            let mut inner = inner.iter();
            let takes = "`prefix`, `suffix`, `equals-ignore-case` or `wildcard`";
            let (Some((operator, texts)), None) = (inner.next(), inner.next()) else { return Err(self.wrong(takes)) };
            if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&operator.as_str()) {
                return Err(self.wrong(takes));
            }
            let may_be_empty = matches!(operator.as_str(), "equals-ignore-case" | "wildcard");
            let condition = |text: &Value| match text.as_str() {
                Some(text_of) if may_be_empty || !text_of.is_empty() => self.text_condition(operator, text),
                _ => Err(self.wrong("strings that are not empty")),
            };
            return listed(texts).iter().map(condition).collect::<Result<_, _>>().map(Matcher::NoText);
        }
        let values = listed(operand);
        let (strings, numbers) = (values.iter().all(Value::is_string), values.iter().all(Value::is_number));
        if values.is_empty() || !(strings || numbers) {
            return Err(self.wrong("strings only, or numbers only, and at least one"));
        }
        Ok(Matcher::AnythingBut(values))
    }
}
