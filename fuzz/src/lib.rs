//! What the fuzz targets share: every responder, without the AWS SDK behind it, and what a refusal must say.

use policy::{PolicyError, Problem, Source};

/// For each responder a type for its port to AWS that has no values. Written by `build.rs`.
mod nobody {
    include!(concat!(env!("OUT_DIR"), "/nobody.rs"));
}

/// Makes the list of all responders, and of their laws, from the names of their crates.
macro_rules! responders {
    ($($responder:ident),* $(,)?) => {
        /// What the folders of all responders say.
        pub const SPECS: &[remedy::Spec] = &[$(<crate::nobody::$responder::Pure as remedy::Responder>::SPEC),*];

        /// The laws of every responder's pure half, to be checked on JSON text.
        #[must_use]
        pub fn judgements() -> Vec<Box<dyn Fn(&[u8])>> {
            vec![$({
                let judgement = testkit::Judgement::<crate::nobody::$responder::Pure>::default();
                Box::new(move |text: &[u8]| {
                    let _findings = judgement.check(text);
                })
            }),*]
        }
    };
}

#[path = "../../cli/src/registry.rs"]
mod registry;

pub use registry::{SPECS, judgements};

/// Checks that a text was refused for what is in it, and at a place in it.
///
/// # Panics
/// Where it was not.
pub fn refused(error: Option<&PolicyError>, source: &Source) {
    match error {
        Some(PolicyError::Invalid { problems }) => {
            assert!(!problems.is_empty(), "a refusal says why");
            have_places(problems, source);
        }
        Some(other) => panic!("{other}"),
        None => {}
    }
}

/// Checks that each problem of a text is in it.
///
/// # Panics
/// Where one is not.
pub fn have_places(problems: &[Problem], source: &Source) {
    let lines = source.text.matches('\n').count() + 1;
    for problem in problems.iter().filter(|problem| problem.file == source.name) {
        assert!((1..=lines).contains(&problem.line) && problem.col >= 1, "{problem}");
        assert!(!problem.message.is_empty());
    }
}
