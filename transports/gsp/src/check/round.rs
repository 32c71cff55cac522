//! The round through the emulator: what a profile promises beyond the suite, each in a world of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use einvoice_core::environment::Product;
use einvoice_core::ewb::CancelReason;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::proof;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginReach, Reach, Retry, Transport, TransportError};

use super::world::{World, by_document, cancel, generate, generate_too_early, irn};
use super::{Became, Told, in_one_line};
use crate::emulator::ProviderFault;
use crate::profile::{Crypto, Known, Login, Meaning, Named, Profile, TaxpayerMode};

/// Why a promise was not kept.
#[derive(Debug)]
pub(super) enum Why {
    /// It is about something that the profile has not.
    NotApplicable(&'static str),
    /// It was broken.
    Broken(String),
}

impl Why {
    pub(super) fn broken(found: impl Into<String>) -> Self {
        Self::Broken(found.into())
    }

    pub(super) fn of(error: impl fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

type Showing<'w> = Pin<Box<dyn Future<Output = Result<(), Why>> + 'w>>;

struct Promise {
    name: &'static str,
    show: for<'w> fn(&'w mut World) -> Showing<'w>,
    keys: &'static [&'static str],
}

macro_rules! promises {
    ($($name:ident: [$($key:literal),*],)+) => {
        &[$(Promise { name: stringify!($name), show: |world| Box::pin($name(world)), keys: &[$($key),*] }),+]
    };
}

const PROMISES: &[Promise] = promises! {
    a_document_is_registered_read_back_and_cancelled:
        ["irp.login", "irp.headers", "irp.operations.generate_irn", "irp.reply", "irp.operations.get_irn", "irp.operations.cancel_irn"],
    a_document_that_is_not_there_is_told_by_the_portals_own_code:
        ["irp.operations.get_irn_by_document", "irp.reply.errors"],
    a_refusal_of_the_portal_keeps_its_code_through_every_wrapping: ["irp.reply.errors"],
    an_earlier_registration_is_named_with_a_duplicate: ["irp.reply.info", "irp.reply.refused_info"],
    a_refusal_inside_of_an_error_of_the_providers_own_is_the_portals: ["irp.reply.errors"],
    an_eway_bill_is_read_and_cancelled: ["ewb.login", "ewb.headers", "ewb.operations", "ewb.reply"],
    a_token_of_the_account_that_was_ended_is_replaced_once_and_the_call_goes_on:
        ["provider.login", "codes", "http"],
    a_session_that_was_kept_brings_the_token_of_the_account_along: ["provider.login"],
    a_login_of_the_taxpayer_that_is_over_asks_for_another_one: ["irp.login", "codes", "http"],
    what_the_provider_says_of_itself_has_the_meaning_that_its_codes_give_it: ["codes", "http"],
    a_page_and_a_lost_answer_leave_a_write_open_and_nothing_is_sent_twice: ["irp.reply", "http"],
    the_status_of_a_gateway_around_a_refusal_counts_as_the_profile_says: ["http"],
    what_is_left_of_the_account_is_told: ["limits.balance"],
    a_wrong_client_secret_is_refused_and_shown_nowhere: ["provider.headers", "provider.login"],
    a_kept_session_gives_the_token_of_the_account_to_its_own_client_pair_only: ["provider.login"],
    a_read_of_what_cannot_exist_proves_the_credentials: ["irp.operations.get_irn", "irp.reply.errors"],
    a_wrong_password_is_refused_and_shown_nowhere: ["irp.headers", "irp.login", "irp.reply.errors"],
};

/// Takes a profile through the emulator, with the provider played before it by the same profile. Nothing leaves the
/// process.
pub async fn round(profile: &Profile) -> Vec<Told> {
    let mut told = Vec::new();
    for Promise { name, show, keys } in PROMISES {
        let shown = match World::of(profile).await {
            Ok(mut world) => show(&mut world).await,
            Err(why) => Err(why),
        };
        let became = match shown {
            Ok(()) => Became::Kept,
            Err(Why::NotApplicable(reason)) => Became::NotApplicable(reason.to_owned()),
            Err(Why::Broken(found)) => Became::Broken(in_one_line(&found)),
        };
        told.push(Told::of(name, became, keys));
    }
    told
}

/// What is found must be what is expected.
#[expect(clippy::needless_pass_by_value, reason = "both are most often made for the comparison")]
fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Why> {
    if found == expected { Ok(()) } else { Err(Why::broken(format!("{what}: found {found:?}, expected {expected:?}"))) }
}

fn holds(is: bool, otherwise: impl FnOnce() -> String) -> Result<(), Why> {
    if is { Ok(()) } else { Err(Why::broken(otherwise())) }
}

const NO_REGISTRATION: &str = "the profile does not carry `generate_irn`";

async fn logged_in(world: &World, product: Product) -> Result<Session, Why> {
    world.login(product).await.map_err(|error| Why::broken(format!("login to the {product} system: {error}")))
}

/// A login to the e-invoice system, where it registers.
async fn registrar(world: &World) -> Result<Session, Why> {
    if world.can(OperationKind::GenerateIrn) {
        logged_in(world, Product::EInvoice).await
    } else {
        Err(Why::NotApplicable(NO_REGISTRATION))
    }
}

async fn register(
    world: &World,
    session: &Session,
    number: u32,
) -> Result<einvoice_core::operation::Registration, Why> {
    let made = world.registered(session, &generate(number)).await?;
    made.map_err(|error| Why::broken(format!("registering: {error}")))
}

/// The error of a call that must not succeed.
async fn refused(world: &World, session: &Session, operation: &Operation) -> Result<TransportError, Why> {
    match world.transport.call(session, operation).await {
        Ok(reply) => Err(Why::broken(format!("{} instead of a refusal", reply.words()))),
        Err(error) => Ok(error),
    }
}

fn profile(world: &World) -> &Profile {
    world.transport.profile()
}

async fn a_document_is_registered_read_back_and_cancelled(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    let made = register(world, &session, 1).await?;
    same("the IRN", made.irn, irn(1)?)?;
    same("digits of the acknowledgement number", made.ack_no.len(), 15)?;
    holds(made.signed_invoice.is_some() && made.signed_qr.is_some(), || "the signed copy is missing".to_owned())?;
    if world.can(OperationKind::GetIrn) {
        let read = world.registered(&session, &Operation::GetIrn { irn: irn(1)?, site: None }).await?;
        let read = read.map_err(|error| Why::broken(format!("reading by IRN: {error}")))?;
        same("IRN and acknowledgement read back", (read.irn, &read.ack_no), (made.irn, &made.ack_no))?;
    }
    if world.can(OperationKind::GetIrnByDocument) {
        let read = world.registered(&session, &by_document(1)?).await?;
        let read = read.map_err(|error| Why::broken(format!("reading by document: {error}")))?;
        same("the IRN read by document", read.irn, made.irn)?;
    }
    if world.can(OperationKind::CancelIrn) {
        let cancelled = world.transport.call(&session, &cancel(1)?).await;
        let is_done = matches!(cancelled, Ok(Reply::IrnCancelled(_)));
        holds(is_done, || match cancelled {
            Ok(reply) => format!("{} instead of a cancellation", reply.words()),
            Err(error) => format!("cancelling: {error}"),
        })?;
    }
    same("registrations in the portal's books", world.sandbox.invoices().len(), 1)
}

async fn a_document_that_is_not_there_is_told_by_the_portals_own_code(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    if !world.can(OperationKind::GetIrnByDocument) {
        return Err(Why::NotApplicable("the profile does not carry `get_irn_by_document`"));
    }
    let error = refused(world, &session, &by_document(404)?).await?;
    holds(error.class() == Some(ErrorClass::NotFound), || format!("{error}"))
}

async fn a_refusal_of_the_portal_keeps_its_code_through_every_wrapping(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    register(world, &session, 1).await?;
    let again = refused(world, &session, &generate(1)).await?;
    same("class of a duplicate", again.class(), Some(ErrorClass::Duplicate))?;
    let code = again.portal_errors().first().map(|error| error.code.clone());
    same("its code", code.as_deref(), Some("2150"))?;
    same("what comes next", again.retry(), Retry::AskFirst)?;
    let error = refused(world, &session, &generate_too_early(2)?).await?;
    same("what comes after a refusal", error.retry(), Retry::Never)?;
    let has_code = error.portal_errors().iter().any(|error| error.code == "2163");
    holds(has_code, || format!("the portal said 2163, and what came is: {error}"))?;
    holds(!world.shows_a_secret(&error, &[]), || "the error shows a credential".to_owned())
}

async fn an_earlier_registration_is_named_with_a_duplicate(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    let part = profile(world).irp.as_ref();
    let says = part.is_some_and(|part| {
        let tells = |layer: &crate::profile::Layer| layer.nic || layer.info.is_some() || layer.refused_info.is_some();
        part.crypto == Crypto::Nic || part.reply.iter().any(tells)
    });
    if !says {
        return Err(Why::NotApplicable("no layer of `irp.reply` says where the portal's `InfoDtls` stand"));
    }
    register(world, &session, 1).await?;
    let TransportError::Refused { info, .. } = refused(world, &session, &generate(1)).await? else {
        return Err(Why::broken("the second registration was not refused"));
    };
    let told = info.iter().find_map(|detail| detail.duplicate.as_ref()).map(|duplicate| duplicate.irn);
    same("the IRN named", told, Some(irn(1)?))
}

async fn a_refusal_inside_of_an_error_of_the_providers_own_is_the_portals(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    let part = profile(world).irp.as_ref();
    if part.is_none_or(|part| part.crypto == Crypto::Nic) {
        return Err(Why::NotApplicable("the portal's envelope passes through, and nothing wraps it"));
    }
    register(world, &session, 1).await?;
    world.provider.push_fault(ProviderFault::Nested);
    let error = refused(world, &session, &generate(1)).await?;
    let codes: Vec<&str> = error.portal_errors().iter().map(|error| error.code.as_str()).collect();
    holds(codes.contains(&"2150"), || format!("the portal said 2150, and what came is: {error}"))?;
    same("its class", error.class(), Some(ErrorClass::Duplicate))?;
    same("what comes next", error.retry(), Retry::AskFirst)
}

async fn an_eway_bill_is_read_and_cancelled(world: &mut World) -> Result<(), Why> {
    if !world.can(OperationKind::CancelEwb) {
        return Err(Why::NotApplicable("the profile does not carry `cancel_ewb`"));
    }
    let number = world.bill(1).await?;
    let session = logged_in(world, Product::EWayBill).await?;
    if world.can(OperationKind::GetEwb) {
        match world.transport.call(&session, &Operation::GetEwb { number }).await {
            Ok(Reply::EwbDetails(details)) => same("the number read back", details.number, number)?,
            Ok(other) => return Err(Why::broken(format!("{} instead of an e-way bill", other.words()))),
            Err(error) => return Err(Why::broken(format!("reading the bill: {error}"))),
        }
    }
    let cancel = Operation::CancelEwb { number, reason: CancelReason::Duplicate, remark: "made twice".to_owned() };
    match world.transport.call(&session, &cancel).await {
        Ok(Reply::EwbChanged(_)) => {}
        Ok(other) => return Err(Why::broken(format!("{} instead of a cancellation", other.words()))),
        Err(error) => return Err(Why::broken(format!("cancelling the bill: {error}"))),
    }
    let again = refused(world, &session, &cancel).await?;
    let has_code = again.portal_errors().iter().any(|error| error.code == "312");
    holds(has_code, || format!("the portal said 312, and what came is: {again}"))
}

fn uses_provider_token(profile: &Profile) -> bool {
    let of_login = |login: &Login| login.headers.values().any(|template| template.uses(Known::ProviderToken));
    let tables = [Some(&profile.provider.headers), profile.irp.as_ref().map(|part| &part.headers)];
    let in_headers = tables.into_iter().flatten().flat_map(Named::values).any(|it| it.uses(Known::ProviderToken));
    in_headers || profile.irp.as_ref().and_then(|part| part.login.as_ref()).is_some_and(of_login)
}

async fn a_token_of_the_account_that_was_ended_is_replaced_once_and_the_call_goes_on(
    world: &mut World,
) -> Result<(), Why> {
    let session = registrar(world).await?;
    if !uses_provider_token(profile(world)) {
        return Err(Why::NotApplicable("no call carries a token of the provider"));
    }
    world.provider.end_tokens();
    let before = world.provider.calls();
    let made = world.registered(&session, &generate(1)).await?;
    if let Err(error) = made {
        if error.is_unproven() {
            // The provider has nothing but an HTTP status for it, which leaves a write open.
            holds(world.sandbox.invoices().is_empty(), || "it was sent once more without a question".to_owned())?;
            register(world, &session, 1).await?;
            let calls = world.provider.calls() - before;
            return holds(calls <= 3, || "more than one login to the provider".to_owned());
        }
        // Where only the taxpayer's login carries the token, the call does not meet it.
        let is_of_login = error.class() == Some(ErrorClass::TokenExpired);
        holds(is_of_login, || format!("with another token: {error}"))?;
        let session = logged_in(world, Product::EInvoice).await?;
        return register(world, &session, 1).await.map(drop);
    }
    let calls = world.provider.calls() - before;
    holds(calls <= 3, || "more than one login to the provider".to_owned())?;
    let at_hand = world.transport.provider_token(session.access()).await;
    // Where only the taxpayer's login carries the token, one call is all there was.
    let is_told = calls == 1 || (at_hand.is_some() && at_hand != session.saved().provider);
    holds(is_told, || "the new token of the account is not told, so that no other worker goes on with it".to_owned())?;
    same("registrations in the portal's books", world.sandbox.invoices().len(), 1)
}

async fn a_session_that_was_kept_brings_the_token_of_the_account_along(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    if !uses_provider_token(profile(world)) {
        return Err(Why::NotApplicable("no call carries a token of the provider"));
    }
    holds(session.saved().provider.is_some(), || "the session brings no token of the account".to_owned())?;
    // Another worker, which has nothing but the session out of the store.
    world.transport = world.another_transport()?;
    let before = world.provider.calls();
    register(world, &session, 1).await?;
    same("requests of the other worker", world.provider.calls() - before, 1)
}

async fn a_login_of_the_taxpayer_that_is_over_asks_for_another_one(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    if profile(world).irp.as_ref().is_none_or(|part| part.taxpayer != TaxpayerMode::Login) {
        return Err(Why::NotApplicable("no login of the taxpayer brings a token in the provider's own form"));
    }
    world.provider.end_logins();
    let error = refused(world, &session, &generate(1)).await?;
    same("class of the refusal", error.class(), Some(ErrorClass::TokenExpired))?;
    let next = if error.is_unproven() { Retry::AskFirst } else { Retry::Safe };
    same("what comes next", error.retry(), next)?;
    let session = logged_in(world, Product::EInvoice).await?;
    register(world, &session, 1).await.map(drop)
}

async fn what_the_provider_says_of_itself_has_the_meaning_that_its_codes_give_it(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    let rules = profile(world);
    let known: Vec<Meaning> =
        rules.codes.iter().map(|rule| rule.is).chain(rules.http.iter().map(|rule| rule.is)).collect();
    // Tokens are asked about elsewhere, and a body that decides is no meaning.
    let is_other =
        |meaning: &Meaning| !matches!(meaning, Meaning::ReauthProvider | Meaning::ReauthTaxpayer | Meaning::Body);
    let asked: Vec<Meaning> =
        Meaning::ALL.into_iter().filter(|meaning| is_other(meaning) && known.contains(meaning)).collect();
    if asked.is_empty() {
        return Err(Why::NotApplicable("`codes` and `http` know no word of the provider"));
    }
    for meaning in asked {
        world.provider.push_fault(ProviderFault::Says(meaning));
        let error = refused(world, &session, &generate(1)).await?;
        same(&format!("class of {meaning:?}"), error.class(), Some(meaning.class()))?;
        holds(!world.shows_a_secret(&error, &[]), || "the error shows a credential".to_owned())?;
    }
    same("registrations in the portal's books", world.sandbox.invoices().len(), 0)
}

async fn a_page_and_a_lost_answer_leave_a_write_open_and_nothing_is_sent_twice(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    for (number, fault) in [(1, ProviderFault::Html), (2, ProviderFault::LostAnswer)] {
        world.provider.push_fault(fault);
        let error = refused(world, &session, &generate(number)).await?;
        same(&format!("what comes after {fault:?}"), error.retry(), Retry::AskFirst)?;
    }
    let attempts: Vec<_> = world.sandbox.invoices().iter().map(|line| line.attempts).collect();
    same("sendings in the portal's books", attempts.len(), 1)?;
    holds(attempts.first().is_some_and(|attempts| *attempts == 1), || format!("sent {attempts:?} times"))
}

async fn the_status_of_a_gateway_around_a_refusal_counts_as_the_profile_says(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    register(world, &session, 1).await?;
    world.provider.push_fault(ProviderFault::BadGateway);
    let error = refused(world, &session, &generate(1)).await?;
    let body_counts = profile(world).http.iter().any(|rule| rule.status == 502 && rule.is == Meaning::Body);
    if body_counts {
        same("class of the refusal", error.class(), Some(ErrorClass::Duplicate))
    } else {
        same("what comes next", error.retry(), Retry::AskFirst)
    }
}

async fn what_is_left_of_the_account_is_told(world: &mut World) -> Result<(), Why> {
    let Some(how) = profile(world).limits.balance.clone() else {
        return Err(Why::NotApplicable("`limits.balance` does not say how it is asked"));
    };
    let told = world.transport.balance(world.access().client()).await.map_err(Why::of)?;
    same("what is left", told, Some(("4711".to_owned(), how.unit)))
}

/// A login and a document with something wrong, up to the first error.
async fn first_error(world: &World) -> Result<TransportError, Why> {
    match world.login(Product::EInvoice).await {
        Err(error) => Ok(error),
        Ok(session) => refused(world, &session, &generate(1)).await,
    }
}

async fn a_wrong_client_secret_is_refused_and_shown_nowhere(world: &mut World) -> Result<(), Why> {
    const WRONG: &str = "another-secret-11";
    if !world.can(OperationKind::GenerateIrn) {
        return Err(Why::NotApplicable(NO_REGISTRATION));
    }
    world.becomes(Some(WRONG), None);
    let error = first_error(world).await?;
    // Of a document that an HTTP status alone refused nobody can know.
    let is_unclear = error.retry() == Retry::AskFirst && !error.is_unproven();
    holds(!is_unclear, || format!("it is said to be unclear: {error}"))?;
    if profile(world).provider.login.is_some() {
        // No API user has been asked about yet.
        same("class of the refusal", error.class(), Some(ErrorClass::ClientConfig))?;
        same("whom it concerns", error.reach(), Reach::Client)?;
    }
    holds(!world.shows_a_secret(&error, &[WRONG]), || "the error shows a credential".to_owned())?;
    same("registrations in the portal's books", world.sandbox.invoices().len(), 0)
}

async fn a_kept_session_gives_the_token_of_the_account_to_its_own_client_pair_only(
    world: &mut World,
) -> Result<(), Why> {
    let session = registrar(world).await?;
    if profile(world).provider.login.is_none() {
        return Err(Why::NotApplicable("there is no login to the provider"));
    }
    world.transport = world.another_transport()?;
    world.becomes(Some("another-secret-11"), None);
    match world.login_after(Product::EInvoice, Some(session.saved())).await {
        Ok(_) => Err(Why::broken("a wrong client secret logs in, with the token that the right one was given")),
        Err(error) => same("class of the refusal", error.class(), Some(ErrorClass::ClientConfig)),
    }
}

async fn a_read_of_what_cannot_exist_proves_the_credentials(world: &mut World) -> Result<(), Why> {
    let session = registrar(world).await?;
    let now = world.now();
    let Some(read) = proof::read(world.transport.capability(), Product::EInvoice, now) else {
        return Err(Why::NotApplicable("the profile carries neither `get_irn` nor `get_irn_by_document`"));
    };
    proof::of_read(world.transport.call(&session, &read).await)
        .map_err(|error| Why::broken(format!("right credentials are not proven: {error}")))?;
    let reach = world.transport.capability().login_reach(Product::EInvoice);
    let is_at_provider = world.transport.capability().users_at_provider.contains(&Product::EInvoice);
    if reach != LoginReach::Taxpayer && !is_at_provider {
        world.becomes(None, Some("another-password-11"));
        let session = logged_in(world, Product::EInvoice).await?;
        let answer = proof::of_read(world.transport.call(&session, &read).await);
        holds(answer.is_err_and(|error| error.reach() == Reach::Gstin), || "a wrong password is proven".to_owned())?;
    }
    if reach == LoginReach::Nobody {
        world.becomes(Some("another-secret-11"), None);
        let session = logged_in(world, Product::EInvoice).await?;
        let answer = proof::of_read(world.transport.call(&session, &read).await);
        holds(answer.is_err(), || "a wrong client secret is proven".to_owned())?;
    }
    Ok(())
}

async fn a_wrong_password_is_refused_and_shown_nowhere(world: &mut World) -> Result<(), Why> {
    const WRONG: &str = "another-password-11";
    if !world.can(OperationKind::GenerateIrn) {
        return Err(Why::NotApplicable(NO_REGISTRATION));
    }
    if profile(world).irp.as_ref().is_some_and(|part| part.taxpayer == TaxpayerMode::AtProvider) {
        return Err(Why::NotApplicable("the provider holds the API user"));
    }
    world.becomes(None, Some(WRONG));
    let error = first_error(world).await?;
    same("class of the refusal", error.class(), Some(ErrorClass::Auth))?;
    holds(!world.shows_a_secret(&error, &[WRONG]), || "the error shows a credential".to_owned())?;
    same("registrations in the portal's books", world.sandbox.invoices().len(), 0)
}
