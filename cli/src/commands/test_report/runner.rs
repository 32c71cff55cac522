//! Sends the cases, one at a time and at a polite pace, each one's evidence on disk before the next goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use einvoice_core::access::Gateway;
use einvoice_core::clock::SharedClock;
use einvoice_core::date::PortalTime;
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::operation::Operation;

use super::case::{Case, Need};
use super::context::Context;
use super::judge::{Judged, judge};
use super::request::Maker;
use super::state::State;
use crate::arguments::Api;
use crate::error::CliError;
use crate::progress::Progress;
use crate::stop::Interrupts;

/// Answers in a row that do not come, after which the portal is taken to be down.
const MISSING_ANSWERS_MAX: u32 = 3;

/// Waits between calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) calls: Duration,
    pub(super) logins: Duration,
}

impl Pace {
    /// So many calls a minute, and so many logins in 15 minutes; 0 waits for nothing.
    pub(super) fn of(calls: u32, logins: u32) -> Self {
        let share = |whole: Duration, count: u32| whole.checked_div(count).unwrap_or_default();
        Self { calls: share(Duration::from_mins(1), calls), logins: share(Duration::from_mins(15), logins) }
    }

    const fn before(self, api: Api) -> Duration {
        match api {
            Api::Auth => self.logins,
            _ => self.calls,
        }
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Every case was sent that could be.
    Through,
    /// Somebody interrupted it.
    Interrupted,
    /// The portal does not answer, or asks to be left alone.
    Stopped(String),
}

/// What sends the cases.
#[derive(Debug)]
pub(super) struct Runner<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) gstin: Gstin,
    pub(super) clock: SharedClock,
    pub(super) context: &'a Context,
    pub(super) cases: &'a BTreeMap<&'a str, &'a Case>,
    pub(super) pace: Pace,
    pub(super) progress: &'a Progress,
}

/// The cases of some APIs, each behind those that it needs, which may be of other APIs.
pub(super) fn in_order<'a>(all: &'a [Case], cases: &BTreeMap<&'a str, &'a Case>, chosen: &[Api]) -> Vec<&'a Case> {
    let mut order = Order { cases, taken: BTreeSet::new(), all: Vec::with_capacity(all.len()) };
    for case in all.iter().filter(|case| chosen.contains(&case.api)) {
        order.take(case);
    }
    order.all
}

struct Order<'a, 'b> {
    cases: &'b BTreeMap<&'a str, &'a Case>,
    taken: BTreeSet<&'a str>,
    all: Vec<&'a Case>,
}

impl<'a> Order<'a, '_> {
    fn take(&mut self, case: &'a Case) {
        // Taken first, so that a circle, which a test forbids, would end.
        if !self.taken.insert(&case.id) {
            return;
        }
        for before in case.before() {
            if let Some(before) = self.cases.get(before).copied() {
                self.take(before);
            }
        }
        self.all.push(case);
    }
}

/// Why a case cannot be sent; nothing where it can.
pub(super) fn obstacle(case: &Case, context: &Context, state: &State) -> Option<String> {
    if let Some(reason) = context.left_out.get(&case.id) {
        return Some(reason.clone());
    }
    if case.needs == Some(Need::SezBuyer) && context.sez.is_none() {
        return Some("no recipient in an SEZ was named (--sez-buyer)".to_owned());
    }
    let failed = |id: &&str| !state.done.get(*id).is_some_and(|evidence| evidence.accepted);
    if let Some(id) = case.before().find(failed) {
        return Some(format!("case {id}, which it needs, did not succeed"));
    }
    let lost = case.ask.subject().filter(|id| !state.kept.contains_key(*id))?;
    Some(format!("the IRN that case {lost} made is not known"))
}

impl Runner<'_> {
    /// Sends what is not done.
    ///
    /// # Errors
    /// [`CliError`] when the state cannot be written, or a case is wrong in itself.
    pub(super) async fn run(
        &self,
        order: &[&Case],
        state: &mut State,
        interrupts: &mut Interrupts,
    ) -> Result<Ended, CliError> {
        let mut missing = 0;
        let mut first = true;
        let mut index = 0;
        while let Some(case) = order.get(index) {
            if state.done.contains_key(&case.id) || obstacle(case, self.context, state).is_some() {
                self.progress.advance(1);
                index += 1;
                continue;
            }
            self.progress.message(format!("{}: {}", case.id, case.title));
            if !std::mem::take(&mut first) && self.waits(case.api, interrupts).await {
                return Ok(Ended::Interrupted);
            }
            let (judged, interrupted) = self.send(case, state, interrupts).await?;
            match judged {
                Judged::Evidence(evidence) => {
                    missing = 0;
                    state.done(*evidence)?;
                    self.progress.advance(1);
                    index += 1;
                }
                Judged::Pause(text) => return Ok(Ended::Stopped(format!("the portal asks for a pause: {text}"))),
                Judged::TokenGone | Judged::NoAnswer(_) if missing + 1 < MISSING_ANSWERS_MAX => {
                    missing += 1;
                    if matches!(judged, Judged::TokenGone) {
                        self.renew_token(case.api.product()).await;
                    }
                }
                Judged::TokenGone => {
                    return Ok(Ended::Stopped(
                        "the portal keeps refusing the token that it gave out; another program may be using the same \
                         API user"
                            .to_owned(),
                    ));
                }
                Judged::NoAnswer(text) => return Ok(Ended::Stopped(text)),
            }
            if interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Through)
    }

    /// Waits as long as the pace asks; `true` when that was interrupted.
    async fn waits(&self, api: Api, interrupts: &mut Interrupts) -> bool {
        let wait = self.pace.before(api);
        if wait.is_zero() {
            return false;
        }
        tokio::select! {
            () = self.clock.sleep(wait) => false,
            () = interrupts.next() => true,
        }
    }

    /// Sends a case and waits for its answer, even when that is interrupted: what is under way is not thrown away.
    async fn send(
        &self,
        case: &Case,
        state: &mut State,
        interrupts: &mut Interrupts,
    ) -> Result<(Judged, bool), CliError> {
        let maker = Maker { context: self.context, cases: self.cases, kept: &state.kept };
        let request = maker.request(case)?;
        let before = state.open.contains(&case.id);
        state.sending(&case.id)?;
        let at = PortalTime::at(self.clock.now()).to_string();
        let call = request.call.clone();
        let calling = self.gateway.call_raw(self.gstin, &call);
        tokio::pin!(calling);
        let mut interrupted = false;
        let answer = loop {
            tokio::select! {
                answer = &mut calling => break answer,
                () = interrupts.next(), if !interrupted => interrupted = true,
            }
        };
        Ok((judge(case, request, at, before, answer), interrupted))
    }

    /// A right question, in which the token is renewed if the portal no longer takes it.
    async fn renew_token(&self, product: Product) {
        // What it answers shows in the next case.
        let question = match product {
            Product::EWayBill => Operation::EwbGstinDetails { gstin: self.gstin },
            _ => Operation::GstinDetails { gstin: self.gstin },
        };
        let _answered = self.gateway.call(self.gstin, &question).await;
    }
}
