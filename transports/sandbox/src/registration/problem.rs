//! What is wrong with something a person asked for on the pages: every problem at once, beside its field.

use serde::Serialize;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The field it stands beside.
    pub(crate) field: Option<&'static str>,
    /// What was given, where it is no secret.
    pub(crate) found: Option<String>,
    /// The portal's own number, where it has one.
    pub(crate) code: Option<&'static str>,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

impl Problem {
    /// A problem of a field.
    pub(crate) fn at(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), found: None, code: None, message: message.into() }
    }

    /// A problem of no field in particular.
    pub(crate) fn general(message: impl Into<String>) -> Self {
        Self { field: None, found: None, code: None, message: message.into() }
    }

    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn found(self, found: impl Into<String>) -> Self {
        Self { found: Some(found.into()), ..self }
    }
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// Something given is wrong.
    #[default]
    Input,
    /// Nobody is logged in to the pages.
    NoSession,
    /// What was asked for is not there.
    NotFound,
    /// It cannot be done as things stand.
    State,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Problems {
    kind: Kind,
    list: Vec<Problem>,
}

/// What came of something asked for.
pub(crate) type Acted<T> = Result<T, Problems>;

impl Problems {
    pub(crate) fn input(problem: Problem) -> Self {
        Self { kind: Kind::Input, list: vec![problem] }
    }

    pub(crate) fn state(problem: Problem) -> Self {
        Self { kind: Kind::State, list: vec![problem] }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { kind: Kind::NotFound, list: vec![Problem::general(message)] }
    }

    pub(crate) fn no_session() -> Self {
        let message = "Nobody is logged in, or the session has ended: it lasts 60 minutes.";
        Self { kind: Kind::NoSession, list: vec![Problem::general(message)] }
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Takes over the problems of something, and gives what it is where there are none.
    pub(crate) fn collect<T>(&mut self, acted: Acted<T>) -> Option<T> {
        match acted {
            Ok(value) => Some(value),
            Err(problems) => {
                self.list.extend(problems.list);
                None
            }
        }
    }

    /// The value, when there is no problem.
    pub(crate) fn or<T>(self, value: T) -> Acted<T> {
        if self.list.is_empty() { Ok(value) } else { Err(self) }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn list(&self) -> &[Problem] {
        &self.list
    }
}
