//! The list of cases, by API. Data, and small builders of data: what is sent is made of it elsewhere.

mod auth;
mod bills;
mod cancel;
mod common;
mod ewb;
mod generate;
mod reads;
mod refused;
mod taxpayers;

use std::borrow::Cow;

use super::case::{Ask, Case, Expected};
use super::report::WANTED;
use crate::arguments::Api;

/// Cases that should succeed, of each API: some more than are asked for, so that one that comes out otherwise does not
/// make the report too short.
const SUCCESSES: usize = WANTED + 5;

/// Every case, in the order in which they are sent.
pub(super) fn all() -> Vec<Case> {
    let (made, subjects) = generate::cases();
    let mut cases = auth::cases();
    cases.extend(taxpayers::cases());
    cases.extend(made);
    cases.extend(refused::cases(&subjects));
    cases.extend(reads::cases(&subjects));
    cases.extend(bills::cases(&subjects));
    cases.extend(cancel::cases(&subjects));
    cases.extend(taxpayers::rejected());
    cases.extend(ewb::cases());
    cases
}

/// Documents that the cases of Generate IRN register, by what later cases can do with them.
#[derive(Debug, Default)]
struct Subjects {
    /// Invoices for goods without an e-way bill: one can be made for each.
    for_bills: Vec<String>,
    /// Of these, exports, whose bill must name the port.
    exports: Vec<String>,
    /// One of these that gets none: requests that fail are about it.
    without_bill: String,
    /// Documents that are cancelled in the end: notes and services.
    for_cancelling: Vec<String>,
    /// One that stays active: requests that fail are about it.
    active: String,
    /// Invoices registered together with their e-way bill.
    with_bills: Vec<String>,
    /// A note, and an invoice for services alone: no bill can be made.
    note: String,
    services: String,
}

/// Gives cases of one API their ids.
struct Listed {
    api: Api,
    cases: Vec<Case>,
}

impl Listed {
    const fn of(api: Api) -> Self {
        Self { api, cases: Vec::new() }
    }

    /// Adds a case that should succeed; its id.
    fn succeeds(&mut self, title: impl Into<Cow<'static, str>>, ask: Ask) -> String {
        self.add(title.into(), Expected::Success, ask)
    }

    /// Adds a case that should be refused with one of these codes; its id.
    fn fails(&mut self, title: impl Into<Cow<'static, str>>, codes: &'static [&'static str], ask: Ask) -> String {
        self.add(title.into(), Expected::Refusal(codes), ask)
    }

    fn add(&mut self, title: Cow<'static, str>, expected: Expected, ask: Ask) -> String {
        let yes = expected == Expected::Success;
        let place = self.cases.iter().filter(|case| case.should_succeed() == yes).count() + 1;
        let id = format!("{}-{}{place:03}", self.api.prefix(), if yes { 'Y' } else { 'N' });
        let (headers, needs, after, same_token) = Default::default();
        self.cases.push(Case {
            id: id.clone(),
            api: self.api,
            title,
            expected,
            needs,
            after,
            headers,
            same_token,
            ask,
        });
        id
    }

    /// Changes the case that was added last.
    fn last(&mut self, change: impl FnOnce(&mut Case)) {
        if let Some(case) = self.cases.last_mut() {
            change(case);
        }
    }
}
