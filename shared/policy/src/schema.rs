//! What policies may speak of: one schema of all responders' fragments.

use std::collections::BTreeMap;
use std::error::Error;

use cedar_policy::SchemaFragment;
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entities::{ACTORS, World};
use crate::outline::excess;
use crate::question::{Question, Unaskable};
use crate::{Fact, Level, Organization, PolicyError, Problem, Request, Source};

const BASE: &str = include_str!("base.cedarschema");
/// In a fragment, stands for every kind of actor.
const ACTOR: &str = "Actor";
/// In the base, the record of the attributes that every context has.
const CONTEXT: &str = "Base";

/// The actions, resources and facts of all responders.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(crate) cedar: cedar_policy::Schema,
    base: Attributes,
}

/// A request that is not as the schema declares it: a mistake of the responder or of its schema.
#[derive(Debug, thiserror::Error)]
pub enum Nonconforming {
    /// A fact has a name that is taken.
    #[error("the fact `{fact}` has the name of something every context has")]
    Taken {
        /// Its name.
        fact: &'static str,
    },
    /// A percentage that is no number, which policies do not get to see.
    #[error("the fact `{fact}` is not a number")]
    NotANumber {
        /// Its name.
        fact: &'static str,
    },
    /// An action, resource or fact that the schema does not have, or not as this type.
    #[error("the request is not as the schema declares it")]
    Undeclared(#[source] Box<dyn Error + Send + Sync>),
}

type Attributes = serde_json::Map<String, Value>;

/// A schema without namespaces in the JSON form.
///
/// Source: Cedar Policy Language Reference Guide, "JSON schema format".
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Declarations {
    #[serde(default)]
    common_types: BTreeMap<String, Value>,
    #[serde(default)]
    entity_types: BTreeMap<String, Value>,
    #[serde(default)]
    actions: BTreeMap<String, Action>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    applies_to: Option<AppliesTo>,
    #[serde(default, skip_serializing)]
    member_of: Vec<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppliesTo {
    principal_types: Vec<String>,
    resource_types: Vec<String>,
    #[serde(default)]
    context: Option<Value>,
}

impl Schema {
    /// Merges the fragments of responders with the base: in each action the principal `Actor` becomes every kind of
    /// actor, and the context gets what every context has.
    pub fn merge(fragments: impl IntoIterator<Item = Source>) -> Result<Self, PolicyError> {
        let mut merge = Merge { sources: vec![Source::new("base.cedarschema", BASE)], ..Merge::default() };
        let base = merge.parse(&Source::new("base.cedarschema", BASE)).unwrap_or_default();
        let attributes = base.common_types.get(CONTEXT).and_then(attributes).cloned().unwrap_or_default();
        merge.add(base, 0, &attributes);
        for source in fragments {
            let declarations = merge.parse(&source);
            merge.sources.push(source);
            merge.add(declarations.unwrap_or_default(), merge.sources.len() - 1, &attributes);
        }
        let cedar = merge.finish()?;
        Ok(Self { cedar, base: attributes })
    }

    /// Whether the request, its facts included, is as the schema declares it.
    pub fn conforms(&self, request: &Request<'_>) -> Result<(), Nonconforming> {
        for (fact, value) in request.facts.iter() {
            if self.base.contains_key(fact) {
                return Err(Nonconforming::Taken { fact });
            }
            if matches!(value, Fact::Percent(percent) if percent.is_nan()) {
                return Err(Nonconforming::NotANumber { fact });
            }
        }
        World::of(request, &Organization::default())
            .map_err(Unaskable::from)
            .and_then(|world| Question::of(request, world, Some(&self.cedar)))
            .map(|_| ())
            .map_err(|error| Nonconforming::Undeclared(Box::new(error)))
    }
}

#[derive(Debug, Default)]
struct Merge {
    sources: Vec<Source>,
    merged: Declarations,
    /// The source of each action and type, as its index.
    origins: BTreeMap<String, usize>,
    problems: Vec<Problem>,
}

impl Merge {
    fn parse(&mut self, source: &Source) -> Option<Declarations> {
        if let Some((offset, message)) = excess(&source.text) {
            self.problems.push(source.error(offset, message, None));
            return None;
        }
        let (fragment, warnings) = match SchemaFragment::from_cedarschema_str(&source.text) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.problems.push(source.diagnostic(Level::Error, 0, &error));
                return None;
            }
        };
        self.problems.extend(warnings.map(|warning| source.diagnostic(Level::Error, 0, &warning)));
        let namespaces: BTreeMap<String, Declarations> =
            match fragment.to_json_value().map(serde_json::from_value::<BTreeMap<String, Declarations>>) {
                Ok(Ok(namespaces)) => namespaces,
                Ok(Err(error)) => {
                    self.problems.push(source.error(0, format!("the schema is not understood: {error}"), None));
                    return None;
                }
                Err(error) => {
                    self.problems.push(source.diagnostic(Level::Error, 0, &error));
                    return None;
                }
            };
        let mut declarations = None;
        for (name, namespace) in namespaces {
            if name.is_empty() {
                declarations = Some(namespace);
            } else {
                let help = Some("all responders share one; write its contents alone".to_owned());
                self.problems.push(source.error(
                    mention(source, &name).unwrap_or_default(),
                    format!("a namespace, `{name}`"),
                    help,
                ));
            }
        }
        declarations
    }

    fn add(&mut self, declarations: Declarations, origin: usize, base: &Attributes) {
        let Declarations { common_types, entity_types, actions } = declarations;
        for (name, mut action) in actions {
            self.complete(&name, &mut action, origin, &common_types, base);
            if let Some(other) = self.origins.get(&format!("action {name}")).copied() {
                self.twice("action", &name, origin, other);
            } else {
                self.origins.insert(format!("action {name}"), origin);
                self.merged.actions.insert(name, action);
            }
        }
        for (kind, types) in [("type", common_types), ("entity type", entity_types)] {
            for (name, declaration) in types {
                let all = if kind == "type" { &mut self.merged.common_types } else { &mut self.merged.entity_types };
                if all.get(&name).is_some_and(|other| *other != declaration) {
                    let other = self.origins.get(&format!("{kind} {name}")).copied().unwrap_or_default();
                    self.twice(kind, &name, origin, other);
                } else {
                    all.insert(name.clone(), declaration);
                    self.origins.entry(format!("{kind} {name}")).or_insert(origin);
                }
            }
        }
    }

    /// Puts the kinds of actors and the base context into an action.
    fn complete(
        &mut self,
        name: &str,
        action: &mut Action,
        origin: usize,
        common_types: &BTreeMap<String, Value>,
        base: &Attributes,
    ) {
        if !action.member_of.is_empty() {
            let help = "policies can list actions: `action in [Action::\"a\", Action::\"b\"]`".to_owned();
            self.problem(origin, name, format!("action `{name}` is in a group, and there are none"), Some(help));
        }
        let Some(applies_to) = action.applies_to.as_mut().filter(|to| !to.resource_types.is_empty()) else {
            self.problem(origin, name, format!("action `{name}` applies to nothing"), None);
            return;
        };
        applies_to.principal_types = std::mem::take(&mut applies_to.principal_types)
            .into_iter()
            .flat_map(|kind| if kind == ACTOR { ACTORS.map(str::to_owned).to_vec() } else { vec![kind] })
            .collect();
        let own = match &applies_to.context {
            None => Some(Attributes::new()),
            Some(context) => {
                attributes(context).or_else(|| attributes(common_types.get(context.get("type")?.as_str()?)?)).cloned()
            }
        };
        let Some(mut context) = own else {
            let help = Some("write it out as a record of facts".to_owned());
            self.problem(origin, name, format!("the context of action `{name}` cannot be read"), help);
            return;
        };
        for (attribute, declaration) in base {
            if context.insert(attribute.clone(), declaration.clone()).is_some() {
                let help = Some("every context has it already".to_owned());
                self.problem(origin, attribute, format!("action `{name}` declares `{attribute}` anew"), help);
            }
        }
        applies_to.context = Some(serde_json::json!({"type": "Record", "attributes": context}));
    }

    fn finish(mut self) -> Result<cedar_policy::Schema, PolicyError> {
        if self.problems.is_empty() {
            let json = serde_json::json!({"": &self.merged});
            match cedar_policy::Schema::from_json_value(json) {
                Ok(schema) => return Ok(schema),
                Err(error) => {
                    let help = error.help().map(|help| help.to_string());
                    let text = format!("{error} {}", help.as_deref().unwrap_or_default());
                    // Cedar has seen only the merged schema; the names it quotes tell where they come from.
                    let names = || text.split('`').skip(1).step_by(2);
                    let place = self.sources.iter().skip(1).find_map(|source| {
                        let offset = names().find_map(|name| mention(source, name))?;
                        Some((source, offset))
                    });
                    if let Some((source, offset)) = place.or(self.sources.first().map(|base| (base, 0))) {
                        self.problems.push(source.error(offset, error.to_string(), help));
                    }
                }
            }
        }
        Err(PolicyError::Invalid { problems: self.problems })
    }

    fn twice(&mut self, kind: &str, name: &str, origin: usize, other: usize) {
        let declared = match kind {
            "entity type" => format!("entity {name}"),
            "type" => format!("type {name}"),
            _ => name.to_owned(),
        };
        let help = self.sources.get(other).map(|source| {
            let (line, _) = source.place(mention(source, &declared).unwrap_or_default());
            format!("it is in {}:{line} too", source.name)
        });
        self.problem(origin, &declared, format!("{kind} `{name}` is declared twice"), help);
    }

    fn problem(&mut self, origin: usize, name: &str, message: String, help: Option<String>) {
        if let Some(source) = self.sources.get(origin) {
            self.problems.push(source.error(mention(source, name).unwrap_or_default(), message, help));
        }
    }
}

/// The attributes of a record type.
fn attributes(declared: &Value) -> Option<&Attributes> {
    declared.get("attributes").and_then(Value::as_object)
}

/// Where a text first mentions a name as a whole word.
fn mention(source: &Source, name: &str) -> Option<usize> {
    let part_of_word = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
    source
        .text
        .match_indices(name)
        .find(|(at, _)| {
            let before = source.text.get(..*at).and_then(|text| text.chars().next_back());
            let after = source.text.get(at + name.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
        })
        .map(|(at, _)| at)
}
