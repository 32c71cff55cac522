//! Sends the cases, one at a time and at a polite pace, each one's evidence on disk before the next goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use einvoice_core::access::Gateway;
use einvoice_core::clock::SharedClock;
use einvoice_core::date::{DocumentDate, PortalTime, ist_date};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::proof;
use einvoice_core::raw::{LoginSealing, RawBody, RawCall, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::transport::{TransportCapability, TransportError};
use jiff::{SignedDuration, Timestamp};

use super::case::{Case, Need};
use super::context::Context;
use super::judge::{Judged, Sent, judge, token};
use super::request::{Made, Maker};
use super::state::{Evidence, State};
use crate::arguments::Api;
use crate::error::CliError;
use crate::progress::Progress;
use crate::stop::Interrupts;

/// Times that a case without an answer is sent, before the portal is asked something that it is known to answer.
const MISSING_ANSWERS_MAX: u32 = 3;
/// What is left of a day in India when nothing more is sent in it: a call that is under way at midnight would arrive on
/// another day than it was made for.
const END_OF_DAY: Duration = Duration::from_mins(1);
/// How long before its end a token may be replaced by another.
const END_OF_TOKEN: SignedDuration = SignedDuration::from_mins(15);

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
    /// What the route can do.
    pub(super) capability: &'a TransportCapability,
    pub(super) clock: SharedClock,
    pub(super) context: &'a mut Context,
    pub(super) cases: &'a BTreeMap<&'a str, &'a Case>,
    pub(super) pace: Pace,
    pub(super) progress: &'a Progress,
    /// What the last right login brought.
    pub(super) token: Option<Token>,
}

/// The token of a login. It is compared, and never shown or kept in a file.
#[derive(Debug)]
pub(super) struct Token {
    secret: Secret<String>,
    until: Option<Timestamp>,
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

/// How long a document is good for the cases of an API; nothing where it does not matter. An hour is left for the call,
/// and for clocks that differ.
const fn life(api: Api) -> Option<SignedDuration> {
    match api {
        // A registration, and a bill, can be cancelled for a day; a bill's validity may end with the day after.
        Api::Cancel | Api::EwbCancel | Api::EwbPartB => Some(SignedDuration::from_hours(23)),
        // The shortest time for reading that is told of.
        Api::GetIrn | Api::GetByDocument | Api::GenerateEwb | Api::GetEwb => Some(SignedDuration::from_hours(47)),
        _ => None,
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

impl<'a> Runner<'a> {
    /// Sends what is not done.
    ///
    /// # Errors
    /// [`CliError`] when the state cannot be written, or a case is wrong in itself.
    pub(super) async fn run(
        &mut self,
        order: &[&'a Case],
        state: &mut State,
        interrupts: &mut Interrupts,
    ) -> Result<Ended, CliError> {
        let mut missing = 0;
        let mut first = true;
        let mut index = 0;
        while let Some(listed) = order.get(index) {
            let Some(case) = self.due(listed, state)? else {
                self.progress.advance(1);
                index += 1;
                missing = 0;
                continue;
            };
            self.progress.message(format!("{}: {}", case.id, case.title));
            if self.waits(case.api, std::mem::take(&mut first), interrupts).await {
                return Ok(Ended::Interrupted);
            }
            if case.same_token && !self.knows_token() {
                self.learn_token().await;
                if self.waits(case.api, false, interrupts).await {
                    return Ok(Ended::Interrupted);
                }
            }
            let (judged, interrupted) = self.send(case, state, interrupts).await?;
            match judged {
                Judged::Evidence(evidence) => {
                    missing = 0;
                    state.done(*evidence)?;
                }
                Judged::Spent => {
                    missing = 0;
                    state.again(&case.id)?;
                }
                Judged::Pause(text) => return Ok(Ended::Stopped(format!("the portal asks for a pause: {text}"))),
                // What comes after an interruption is for the next run.
                Judged::TokenGone(_) | Judged::NoAnswer(_) if interrupted => {}
                Judged::TokenGone(_) if missing + 1 < MISSING_ANSWERS_MAX => {
                    missing += 1;
                    // What it answers shows in the next sending.
                    let _answered = self.ask_what_is_known(case.api.product()).await;
                }
                Judged::NoAnswer(_) if missing + 1 < MISSING_ANSWERS_MAX => missing += 1,
                Judged::TokenGone(evidence) | Judged::NoAnswer(evidence) => {
                    missing = 0;
                    if self.waits(Api::Gstin, false, interrupts).await {
                        return Ok(Ended::Interrupted);
                    }
                    if let Err(reason) = self.ask_what_is_known(case.api.product()).await {
                        return Ok(Ended::Stopped(stopped_at(case, &evidence, &reason)));
                    }
                    state.done(given_up(*evidence))?;
                }
            }
            if interrupted {
                return Ok(Ended::Interrupted);
            }
        }
        Ok(Ended::Through)
    }

    /// What has to be sent next for a case: itself, or a case that it needs and that is made anew; nothing when it is done
    /// or cannot be sent.
    fn due(&self, case: &'a Case, state: &mut State) -> Result<Option<&'a Case>, CliError> {
        if state.done.contains_key(&case.id) || self.context.left_out.contains_key(&case.id) {
            return Ok(None);
        }
        if obstacle(case, self.context, state).is_none() {
            self.forget_what_is_too_old(case, state)?;
        }
        for before in case.before().filter_map(|id| self.cases.get(id).copied()) {
            if state.turns.contains_key(&before.id)
                && let Some(due) = self.due(before, state)?
            {
                return Ok(Some(due));
            }
        }
        Ok(obstacle(case, self.context, state).is_none().then_some(case))
    }

    /// A document that the portal no longer lets be read or cancelled is made anew, with what a case wants done to it.
    fn forget_what_is_too_old(&self, case: &Case, state: &mut State) -> Result<(), CliError> {
        let (Some(life), Some(id)) = (life(case.api), case.ask.subject()) else { return Ok(()) };
        let made = state.kept.get(id).and_then(super::state::Kept::made_at);
        if made.is_none_or(|made| self.clock.now().duration_since(made) < life) {
            return Ok(());
        }
        state.again(id)?;
        let after = case.after.as_deref().and_then(|id| self.cases.get(id));
        match after {
            Some(after) if after.ask.subject() == Some(id) => state.again(&after.id),
            _ => Ok(()),
        }
    }

    /// Waits as long as the pace asks, and over the end of a day; `true` when that was interrupted.
    async fn waits(&self, api: Api, first: bool, interrupts: &mut Interrupts) -> bool {
        let pace = if first { Duration::ZERO } else { self.pace.before(api) };
        self.rests(pace, interrupts).await || self.rests(to_the_next_day(self.clock.now()), interrupts).await
    }

    async fn rests(&self, wait: Duration, interrupts: &mut Interrupts) -> bool {
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
        &mut self,
        case: &Case,
        state: &mut State,
        interrupts: &mut Interrupts,
    ) -> Result<(Judged, bool), CliError> {
        let now = self.clock.now();
        let at = PortalTime::at(now).to_string();
        let first = state.open.get(&case.id).cloned();
        // What may have been carried out is sent once more as it was; what is to be refused is made for this day.
        let day_of_first = first.as_deref().filter(|_| case.should_succeed()).and_then(|at| PortalTime::parse(at).ok());
        self.context.today = day_of_first.map_or_else(|| ist_date(now), PortalTime::date);
        let about = case.ask.subject().and_then(|id| state.kept.get(id));
        self.context.about = about.and_then(|kept| DocumentDate::parse(&kept.date).ok()).map(DocumentDate::date);
        let request = Maker { context: self.context, cases: self.cases, made: Made::Known(state) }.request(case)?;
        state.sending(&case.id, &at)?;
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
        let brought = answer.as_ref().ok().filter(|_| case.api == Api::Auth).and_then(|answer| Token::of(&answer.data));
        let before = self.token.as_ref().map(|token| &token.secret);
        let judged = judge(Sent { case, request, at, first, token: before }, answer);
        if brought.is_some() {
            self.token = brought;
        }
        Ok((judged, interrupted))
    }

    /// Whether the token of the login before is known, and good for long enough that no other one may come.
    fn knows_token(&self) -> bool {
        let end = self.token.as_ref().and_then(|token| token.until);
        end.is_some_and(|end| end.duration_since(self.clock.now()) > END_OF_TOKEN)
    }

    /// A right login, for the token to compare with: that of an earlier run is kept nowhere.
    async fn learn_token(&mut self) {
        let body = RawBody::Login { members: Vec::new(), sealing: LoginSealing::Right };
        // A login that fails shows in the case that waits for it.
        if let Ok(answer) = self.gateway.call_raw(self.gstin, &RawCall::new(RawTarget::Login, body)).await {
            self.token = Token::of(&answer.data);
        }
    }

    /// A read that is known to be answered, in which the token is renewed if the portal no longer takes it; else the reason
    /// why no answer came.
    async fn ask_what_is_known(&self, product: Product) -> Result<(), String> {
        let Some(question) = proof::read(self.capability, product, self.clock.now()) else {
            return Err("this route carries no read that would tell whether the portal is up".to_owned());
        };
        proof::of_read(self.gateway.call(self.gstin, &question).await).map_err(|error| told(&error))
    }
}

impl Token {
    fn of(answer: &Secret<String>) -> Option<Self> {
        let data: serde_json::Value = serde_json::from_str(answer.expose()).ok()?;
        let until = data.get("TokenExpiry").and_then(serde_json::Value::as_str).and_then(PortalTime::parse_any);
        Some(Self { secret: token(&data)?, until: until.and_then(PortalTime::to_timestamp) })
    }
}

/// How long it is to the next day in India, where this one is all but over.
fn to_the_next_day(now: Timestamp) -> Duration {
    let time = PortalTime::at(now).datetime().time();
    let number = |part: i8| u64::try_from(part).unwrap_or_default();
    let gone = Duration::from_secs(number(time.hour()) * 3_600 + number(time.minute()) * 60 + number(time.second()));
    match Duration::from_hours(24).saturating_sub(gone) {
        // A second more, as clocks differ.
        left if left <= END_OF_DAY => left + Duration::from_secs(1),
        _ => Duration::ZERO,
    }
}

/// Evidence of a case that the portal does not answer, while it answers others.
fn given_up(evidence: Evidence) -> Evidence {
    let note = format!(
        "sent {MISSING_ANSWERS_MAX} times; the portal answered another call right after that, so the case is at fault"
    );
    Evidence { note: Some(note), as_expected: false, ..evidence }
}

/// Why a run stops at a case.
fn stopped_at(case: &Case, evidence: &Evidence, reason: &str) -> String {
    let found = [evidence.codes.join(", "), evidence.message.clone()];
    let found = found.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    format!(
        "case {} brought no answer {MISSING_ANSWERS_MAX} times ({found}), and a read that \
         is known to be answered brought none either: {reason}",
        case.id
    )
}

/// Why a right question was not answered.
fn told(error: &TransportError) -> String {
    if error.class() == Some(ErrorClass::TokenExpired) {
        return format!(
            "{error}; the portal keeps refusing the token that it gave out, so another program may be using the same API user"
        );
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_in_the_last_minute_of_a_day() {
        let wait = |text: &str| to_the_next_day(PortalTime::parse(text).unwrap().to_timestamp().unwrap()).as_secs();
        let times = ["2026-11-05 23:58:59", "2026-11-05 23:59:00", "2026-11-05 23:59:59", "2026-11-06 00:00:00"];
        assert_eq!(times.map(wait), [0, 61, 2, 0]);
    }
}
