//! Why a configuration was not taken: what is wrong, where, and how to mend it.

use std::fmt;

/// A configuration that does not load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    place: String,
    problem: String,
    mend: String,
}

impl ConfigError {
    /// `place` is a key path (`tenants[0].enforce`), a file or a variable of the environment.
    pub(crate) fn new(
        place: impl Into<String>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), problem: problem.into(), mend: mend.into() }
    }

    /// The same, asked by a section of a standard.
    pub(crate) fn under(self, section: &str) -> Self {
        Self { problem: format!("{section}: {}", self.problem), ..self }
    }

    /// Where it is wrong: a key path, a file or a variable of the environment.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, problem, mend } = self;
        write!(f, "{place}: {problem}\n  to mend it: {mend}")
    }
}

impl std::error::Error for ConfigError {}
