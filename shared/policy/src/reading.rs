//! From text to policies, with everything that is wrong with the text.

use std::collections::BTreeMap;

use cedar_policy::{PolicyId as CedarId, PolicySet};

use crate::annotations;
use crate::outline::{Outline, excess, outline};
use crate::{Level, Problem, Rule, Source};

/// What was read. With any problem, `set` and `rules` are only what could be read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// By `@id`; a policy without a usable one goes by a made-up id that no `@id` can have.
    pub(crate) set: PolicySet,
    pub(crate) rules: Vec<Rule>,
    /// In the order of the sources.
    pub(crate) problems: Vec<Problem>,
    /// The source of each policy in `set`, as its index, and where in it the policy begins.
    pub(crate) places: BTreeMap<CedarId, (usize, usize)>,
}

impl Reading {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let mut reading = Self::default();
        for (index, source) in sources.iter().enumerate() {
            let before = reading.problems.len();
            reading.read(index, source);
            if let Some(new) = reading.problems.get_mut(before..) {
                new.sort_by_key(|problem| (problem.line, problem.col));
            }
        }
        reading
    }

    fn read(&mut self, index: usize, source: &Source) {
        if let Some((offset, message)) = excess(&source.text) {
            self.problems.push(source.error(offset, message, Some("split it".to_owned())));
            return;
        }
        let parsed: PolicySet = match source.text.parse() {
            Ok(parsed) => parsed,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                self.problems.extend(errors.iter().map(|error| source.diagnostic(Level::Error, 0, error)));
                return;
            }
        };
        // Cedar names the policies of a text `policy0`, `policy1`, …: `PolicySet::from_str`.
        let outlines = outline(&source.text);
        if outlines.len() != parsed.num_of_policies() + parsed.num_of_templates() {
            self.problems.push(source.error(0, "the policies of this text cannot be told apart", None));
        }
        for (number, outline) in outlines.into_iter().enumerate() {
            let id = CedarId::new(format!("policy{number}"));
            match parsed.policy(&id) {
                Some(policy) => self.add(policy, &outline, index, source),
                None => self.problems.push(source.error(
                    outline.start,
                    "a template, with ?principal or ?resource, is not a policy",
                    Some("name the principal and the resource".to_owned()),
                )),
            }
        }
    }

    fn add(&mut self, policy: &cedar_policy::Policy, outline: &Outline<'_>, index: usize, source: &Source) {
        let mut rule = annotations::rule(policy, outline, source, &mut self.problems);
        if let Some(twin) = rule.as_ref().and_then(|rule| self.rules.iter().find(|other| other.id == rule.id)) {
            let message = format!("another policy has the @id `{}`", twin.id);
            let help = format!("it is at {}:{}", twin.file, twin.line);
            let place = outline.annotations.iter().find(|(name, _)| *name == "id").map_or(outline.start, |(_, at)| *at);
            self.problems.push(source.error(place, message, Some(help)));
            rule = None;
        }
        let id = match &rule {
            Some(rule) => CedarId::new(rule.id.as_str()),
            None => CedarId::new(format!("#{}", self.places.len())),
        };
        if let Err(error) = self.set.add(policy.new_id(id.clone())) {
            self.problems.push(source.diagnostic(Level::Error, outline.start, &error));
            return;
        }
        self.places.insert(id, (index, outline.start));
        self.rules.extend(rule);
    }
}
