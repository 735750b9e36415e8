//! A pattern as alternatives, each a list of fields and what they may be.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PatternError;
use super::matcher::{self, Matcher};

/// Fields by dotted name; every one has to hold. `$or` makes several of these.
pub(super) type Alternative = BTreeMap<String, Vec<Matcher>>;

const OR: &str = "$or";

/// What Ruler reserves: a field of such a name directly under `$or` is an operator gone astray.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

pub(super) fn compile(pattern: &Value) -> Result<Vec<Alternative>, PatternError> {
    let fields = pattern.as_object().ok_or(PatternError::NotAnObject)?;
    let mut compiling = Compiling { steps: Vec::new(), in_or: false };
    compiling.object(fields, vec![Alternative::new()])
}

struct Compiling<'p> {
    steps: Vec<&'p str>,
    in_or: bool,
}

impl<'p> Compiling<'p> {
    fn path(&self) -> String {
        self.steps.join(".")
    }

    fn object(
        &mut self,
        fields: &'p Map<String, Value>,
        mut so_far: Vec<Alternative>,
    ) -> Result<Vec<Alternative>, PatternError> {
        if fields.is_empty() {
            return Err(PatternError::Empty { path: self.path() });
        }
        for (name, constraint) in fields {
            if name == OR {
                so_far = self.or(constraint, &so_far)?;
                continue;
            }
            if self.in_or && RESERVED.contains(&name.as_str()) {
                return Err(PatternError::Or { path: self.path() });
            }
            self.steps.push(name);
            so_far = match constraint {
                Value::Object(inner) => self.object(inner, so_far)?,
                Value::Array(elements) => self.field(elements, so_far)?,
                _ => return Err(PatternError::Bare { path: self.path() }),
            };
            self.steps.pop();
        }
        Ok(so_far)
    }

    fn or(&mut self, branches: &'p Value, so_far: &[Alternative]) -> Result<Vec<Alternative>, PatternError> {
        let misplaced = || PatternError::Or { path: self.path() };
        let branches: Vec<&Map<String, Value>> = branches
            .as_array()
            .and_then(|branches| branches.iter().map(Value::as_object).collect())
            .ok_or_else(misplaced)?;
        if branches.len() < 2 {
            return Err(misplaced());
        }
        let outer = std::mem::replace(&mut self.in_or, true);
        let mut alternatives = Vec::new();
        for branch in branches {
            alternatives.extend(self.object(branch, so_far.to_vec())?);
        }
        self.in_or = outer;
        Ok(alternatives)
    }

    fn field(&self, elements: &[Value], mut so_far: Vec<Alternative>) -> Result<Vec<Alternative>, PatternError> {
        let path = self.path();
        if elements.is_empty() {
            return Err(PatternError::Empty { path });
        }
        let matchers = elements.iter().map(|element| matcher::read(&path, element)).collect::<Result<Vec<_>, _>>()?;
        for alternative in &mut so_far {
            if alternative.insert(path.clone(), matchers.clone()).is_some() {
                return Err(PatternError::Twice { path });
            }
        }
        Ok(so_far)
    }
}
