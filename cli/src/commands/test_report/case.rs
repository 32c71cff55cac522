//! A case of the test report: one request that is right, or wrong in one way, and what the portal should say.

use std::borrow::Cow;

use einvoice_core::raw::{HeaderChange, LoginSealing};
use serde_json::Value;

use super::draft::Draft;
use crate::arguments::Api;

/// One case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// `IRN-N017`: the API, Y for a case that should succeed and N for one that should not, and its place.
    pub(super) id: String,
    pub(super) api: Api,
    /// What is tried, in words.
    pub(super) title: Cow<'static, str>,
    pub(super) expected: Expected,
    /// What a person has to name for it.
    pub(super) needs: Option<Need>,
    /// A case that must have succeeded before, beside the one that made the document.
    pub(super) after: Option<String>,
    pub(super) headers: Vec<HeaderChange>,
    /// Whether its yes has to bring the token that the login before brought.
    pub(super) same_token: bool,
    pub(super) ask: Ask,
}

/// What the portal should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Yes.
    Success,
    /// No, with one of these codes: several where public sources differ, or where two rules are broken at once.
    Refusal(&'static [&'static str]),
}

/// What a case needs beside an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A recipient in an SEZ.
    SezBuyer,
    /// A recipient whose registration has ended.
    InactiveBuyer,
    /// An IRN that was registered days ago.
    OldIrn,
}

/// A change of a JSON document: a pointer, and the value in its place; `null` takes it away.
///
/// In values, `{own}`, `{today}` and the other words of [`super::context`] stand for what is known only in a run.
pub(super) type Edit = (&'static str, Value);

/// What is asked of the portal.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// A login, with other members and another sealing.
    Login { members: Vec<(&'static str, Option<String>)>, sealing: LoginSealing },
    /// The registration of a document under a number of its own.
    Register(Box<Draft>),
    /// The registration of another case's document once more, changed.
    RegisterAgain(String, Vec<Edit>),
    /// A question about an object in the path.
    Object(Subject),
    /// A question about the document of a case, by parameters of the query: changed, or taken away.
    Document(String, Vec<(&'static str, Option<Cow<'static, str>>)>),
    /// The cancellation of an IRN.
    Cancel(Subject, Vec<Edit>),
    /// The e-way bill of an IRN.
    Bill(Subject, Vec<Edit>),
    /// A bill of the e-way bill system, for a challan under a number of its own.
    MakeBill(Vec<Edit>),
    /// Another Part B of a bill there.
    PartB(Subject, Vec<Edit>),
    /// A question for a bill there; nothing leaves the parameter out.
    ReadBill(Option<Subject>),
    /// The cancellation of a bill there.
    CancelBill(Subject, Vec<Edit>),
    /// A day in the query; nothing leaves the parameter out.
    Day(Option<Cow<'static, str>>),
    /// A body that is no right envelope.
    Broken(Broken),
}

/// What a request is about.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The IRN, or the e-way bill, that a case made.
    Of(String),
    /// That IRN, misspelt.
    Misspelt(String, fn(&str) -> String),
    /// An IRN, rightly computed, of a document that nobody has registered.
    Unregistered(u32),
    /// This text; with the words of [`super::context`].
    Text(Cow<'static, str>),
}

/// Bodies that no right program sends.
#[derive(Debug, Clone)]
pub(super) enum Broken {
    /// The whole body.
    Whole(&'static str),
    /// A text in the place of what is sealed.
    Data(&'static str),
    /// Something other than the JSON that is expected, rightly sealed.
    Sealed(&'static str),
}

impl Subject {
    /// The case that must have succeeded before.
    pub(super) fn case(&self) -> Option<&str> {
        match self {
            Self::Of(case) | Self::Misspelt(case, _) => Some(case),
            Self::Unregistered(_) | Self::Text(_) => None,
        }
    }
}

impl Ask {
    /// The case whose document or IRN this one is about.
    pub(super) fn subject(&self) -> Option<&str> {
        match self {
            Self::RegisterAgain(case, _) | Self::Document(case, _) => Some(case),
            Self::Object(subject)
            | Self::Cancel(subject, _)
            | Self::Bill(subject, _)
            | Self::PartB(subject, _)
            | Self::ReadBill(Some(subject))
            | Self::CancelBill(subject, _) => subject.case(),
            _ => None,
        }
    }
}

impl Case {
    /// The cases that must have succeeded before, the maker of the document first.
    pub(super) fn before(&self) -> impl Iterator<Item = &str> {
        self.ask.subject().into_iter().chain(self.after.as_deref())
    }

    /// Whether the portal should do what is asked.
    pub(super) fn should_succeed(&self) -> bool {
        self.expected == Expected::Success
    }
}

impl Expected {
    /// In words.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Success => "success".to_owned(),
            Self::Refusal(codes) => codes.join(" or "),
        }
    }
}
