//! What every transport promises: the definition of done for a
//! [`Transport`](einvoice_core::transport::Transport).
//!
//! A plugin writes one line in its `tests/conformance.rs`, with an expression that gives a
//! [`TransportHarness`], and gets one named test for each promise. A transport that dials a portal takes
//! [`Dialling`] and a closure that builds it for a place:
//!
//! ```ignore
//! einvoice_testkit::transport_conformance!(Dialling::with(build).await);
//! ```
//!
//! The portal of the suite does as it is told: it answers with refusals, pages, silence and half
//! answers. What a harness has not (a network, say) it denies as an [`Ability`]; promises about that are
//! printed as not applicable, with the reason. Registering for real is tried against the emulator, in
//! the plugin's own tests.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "a suite reports a broken promise by panicking, and one that is not applicable by an error"
)]

mod harness;
pub mod portal;
mod witness;

use std::error::Error as _;
use std::fmt::Write as _;
use std::pin::Pin;

use einvoice_core::identifier::Gstin;
use einvoice_core::operation::{Operation, Reply};
use einvoice_core::portal_code::ErrorClass;
use einvoice_core::transport::{LoginRequest, Owner, Retry, TransportError};
use futures_util::future::join_all;

pub use harness::{
    AUTH_PUBLIC_KEY, Ability, About, BODY_BYTES_MAX, Dialling, Place, QUESTIONS, TAXPAYER, TOTAL_TIMEOUT_MS,
    TransportHarness, worthless_session,
};
use portal::{Answer, Counts};
pub use witness::{run, watched};

use crate::promise::{NotApplicable, Shown};

/// Gives one named test for each promise of a transport.
///
/// The expression gives a fresh [`TransportHarness`]; it may await, and is evaluated once for each test.
#[macro_export]
macro_rules! transport_conformance {
    ($harness:expr) => { $crate::transport_conformance! { $harness, fill_in: [] } };
    ($harness:expr, fill_in: $to_fill_in:tt) => {
        $crate::mark_promises! { transport_promise, transport_suite, $to_fill_in }
        $crate::transport_conformance! { @all @tests $harness; }
    };
    (@all @$then:ident $($harness:expr)?;) => {
        $crate::transport_conformance! { @$then $($harness)?;
            a_capability_is_answered_without_a_call
            a_refusal_is_never_a_success
            a_refused_login_is_a_refusal
            a_token_that_is_refused_may_be_replaced_and_the_call_repeated
            a_write_without_an_answer_asks_first
            a_lost_answer_asks_first
            a_refused_connection_sent_nothing
            a_page_instead_of_an_answer_asks_first_after_a_write
            an_answer_that_breaks_off_asks_first
            an_answer_that_says_neither_yes_nor_no_asks_first
            an_answer_beyond_the_limit_is_not_read
            a_redirect_is_not_followed
            a_request_is_sent_exactly_once
            a_request_names_the_taxpayer_exactly_once
            an_unsupported_operation_makes_no_call
            no_error_and_no_log_holds_a_credential
            a_dropped_call_leaves_a_transport_that_works
            a_dropped_call_closes_its_connection
            calls_at_the_same_time_do_not_mix
            a_heartbeat_tells_up_from_down
            a_heartbeat_carries_no_credential
        }
    };
    (@list; $($name:ident)+) => {
        /// Every promise of the suite, in its order.
        pub const PROMISES: &[Promise] =
            &[$(Promise { name: stringify!($name), show: |harness| Box::pin($name(harness)) }),+];
    };
    (@tests $harness:expr; $($name:ident)+) => {$(transport_promise! { $name
        #[test]
        fn $name() {
            $crate::transport_suite::run(stringify!($name), async {
                let harness = $harness;
                $crate::transport_suite::$name(&harness).await
            });
        }
    })+};
}

/// A promise under way.
pub type Showing<'h> = Pin<Box<dyn Future<Output = Shown> + 'h>>;

/// A promise of the suite, for programs that run it and are no tests.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the macro that lists the promises makes them")]
pub struct Promise {
    /// Its name: a sentence with underscores.
    pub name: &'static str,
    /// Shows it; a broken one panics, with what was found.
    pub show: for<'h> fn(&'h dyn TransportHarness) -> Showing<'h>,
}

impl std::fmt::Debug for Promise {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Promise").field(&self.name).finish()
    }
}

transport_conformance! { @all @list; }

/// What the promises do with a harness.
impl dyn TransportHarness + '_ {
    fn refuses(&self, about: About) -> Answer {
        let (code, message) = self.refusal(about);
        Answer::refusal(code, message)
    }

    fn needs(&self, ability: Ability) -> Shown {
        if self.can(ability) { Ok(()) } else { Err(NotApplicable::because(ability)) }
    }

    async fn write(&self) -> Result<(), TransportError> {
        self.transport().call(&self.session(), &self.a_write()).await.map(|_| ())
    }

    async fn read(&self) -> Result<(), TransportError> {
        self.transport().call(&self.session(), &self.a_read()).await.map(|_| ())
    }

    async fn login(&self) -> Result<(), TransportError> {
        let session = self.session();
        let previous = Some(session.saved());
        let request =
            LoginRequest { access: session.access(), product: self.product(), force_refresh: false, previous };
        self.transport().login(request).await.map(|_| ())
    }

    /// A write, and the same answer to a read: the first asks, the second may simply be repeated.
    async fn expect_unclear(&self) {
        let write = self.write().await.expect_err("an unclear answer is no success");
        assert_eq!(write.retry(), Retry::AskFirst, "{write}");
        let read = self.read().await.expect_err("an unclear answer is no success");
        assert_eq!(read.retry(), Retry::Safe, "{read}");
    }
}

/// Some operations, among them the two that a harness uses.
fn operations(harness: &dyn TransportHarness) -> Vec<Operation> {
    use einvoice_core::date::DocumentDate;
    use einvoice_core::identifier::DocumentNumber;
    use einvoice_core::key::DocumentType;
    vec![
        harness.a_write(),
        harness.a_read(),
        Operation::SyncGstin { gstin: Gstin::parse("29AAAAA0000A1Z5").expect("a GSTIN") },
        Operation::GetIrnByDocument {
            doc_type: DocumentType::Invoice,
            number: DocumentNumber::parse("AB/1").expect("a number"),
            date: DocumentDate::parse("05/11/2026").expect("a date"),
            site: None,
        },
        Operation::GstinDetails { gstin: Gstin::parse("29AAAAA0000A1Z5").expect("a GSTIN") },
    ]
}

/// Everything an error would show to anybody.
fn shown(error: &TransportError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, " {error} {error:?}").expect("a String takes everything");
        cause = error.source();
    }
    text
}

/// The capability is known before anything is sent, and says something.
pub async fn a_capability_is_answered_without_a_call(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Silence).await;
    let before = harness.counts();
    let transport = harness.transport();
    let capability = transport.capability();
    assert!(!capability.operations.is_empty());
    assert!(capability.payload_bytes_max > 0 && capability.concurrency_per_gstin > 0);
    assert!(!capability.site.is_empty());
    assert_eq!(harness.counts(), before);
    Ok(())
}

/// A refusal is an error with the portal's code and text.
pub async fn a_refusal_is_never_a_success(harness: &dyn TransportHarness) -> Shown {
    harness.set(harness.refuses(About::Document)).await;
    let error = harness.write().await.expect_err("a refusal is no success");
    let TransportError::Refused { operation, errors, .. } = &error else { panic!("{error}") };
    assert_eq!(*operation, Some(harness.a_write().kind()));
    let (code, message) = harness.refusal(About::Document);
    let found: Vec<_> = errors.iter().map(|error| (error.code.as_str(), error.message.as_str())).collect();
    let is_told = |(told, text): &(&str, &str)| *told == code && (message.is_empty() || *text == message);
    assert!(found.len() == 1 && found.iter().all(is_told), "{found:?} instead of {code} {message:?}");
    assert_eq!(error.retry(), Retry::Never);
    Ok(())
}

/// A login that the portal refuses is a refusal without an operation.
pub async fn a_refused_login_is_a_refusal(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::TaxpayerLogin)?;
    harness.set(harness.refuses(About::Login)).await;
    let error = harness.login().await.expect_err("a refusal is no session");
    assert!(matches!(error, TransportError::Refused { operation: None, .. }), "{error}");
    Ok(())
}

/// An expired token: drop it, log in once, repeat once. Nothing was done, and nobody else has to move.
pub async fn a_token_that_is_refused_may_be_replaced_and_the_call_repeated(harness: &dyn TransportHarness) -> Shown {
    harness.set(harness.refuses(About::Token)).await;
    for error in [harness.write().await, harness.read().await] {
        let error = error.expect_err("a refusal is no success");
        assert_eq!(error.class(), Some(ErrorClass::TokenExpired), "{error}");
        assert_eq!((error.retry(), error.owner()), (Retry::Safe, Owner::Us), "{error}");
    }
    Ok(())
}

/// A portal that stays silent after a write leaves the outcome open.
pub async fn a_write_without_an_answer_asks_first(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Silence).await;
    let error = harness.write().await.expect_err("silence is no success");
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
    assert_eq!(error.retry(), Retry::AskFirst);
    if harness.can(Ability::TaxpayerLogin) {
        let error = harness.login().await.expect_err("silence is no session");
        assert_eq!(error.retry(), Retry::Safe, "{error}");
    }
    Ok(())
}

/// An answer that is lost once the request is out leaves the outcome open.
pub async fn a_lost_answer_asks_first(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Close).await;
    let error = harness.write().await.expect_err("a closed connection is no success");
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
    harness.expect_unclear().await;
    Ok(())
}

/// Without a connection nothing was sent, and that is said.
pub async fn a_refused_connection_sent_nothing(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Refuse).await;
    let before = harness.counts();
    let write = harness.write().await.expect_err("nobody listens");
    assert_eq!(write.retry(), Retry::Safe, "{write}");
    let probe = harness.transport().probe().await.expect_err("nobody listens");
    for error in [write, probe] {
        assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
        assert!(error.is_unreachable(), "{error}");
    }
    assert_eq!(harness.counts(), before);
    Ok(())
}

/// A page of something in between says nothing about the document.
pub async fn a_page_instead_of_an_answer_asks_first_after_a_write(harness: &dyn TransportHarness) -> Shown {
    let page = "<html><head><title>Under maintenance</title></head><body>Come back later</body></html>";
    harness.set(Answer::Silence).await;
    for status in [200, 403, 502] {
        if harness.understands(status) {
            continue;
        }
        harness.set(Answer::Reply { status, body: page.to_owned() }).await;
        let error = harness.write().await.expect_err("a page is no success");
        let TransportError::BadAnswer { http_status, .. } = &error else { panic!("{error}") };
        assert_eq!(*http_status, Some(status));
        assert!(error.to_string().contains("Under maintenance"), "{error}");
        harness.expect_unclear().await;
    }
    Ok(())
}

/// Half an answer is none.
pub async fn an_answer_that_breaks_off_asks_first(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Cut).await;
    harness.expect_unclear().await;
    Ok(())
}

/// An answer that contradicts itself, or cannot be opened, proves nothing.
pub async fn an_answer_that_says_neither_yes_nor_no_asks_first(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Silence).await;
    for body in harness.unclear_answers() {
        harness.set(Answer::Reply { status: 200, body }).await;
        harness.expect_unclear().await;
    }
    Ok(())
}

/// An answer is read no further than the limit, announced or not.
pub async fn an_answer_beyond_the_limit_is_not_read(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::EndlessAnswers)?;
    for answer in [Answer::Announce, Answer::Endless] {
        harness.set(answer.clone()).await;
        let error = harness.write().await.expect_err("no answer without end is a success");
        assert!(matches!(error, TransportError::BadAnswer { .. }), "{answer:?}: {error}");
        assert_eq!(error.retry(), Retry::AskFirst);
    }
    Ok(())
}

/// A redirect would take credentials elsewhere.
pub async fn a_redirect_is_not_followed(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::Redirect).await;
    let before = harness.counts().requests;
    let error = harness.write().await.expect_err("a redirect is no success");
    assert_eq!(error.retry(), Retry::AskFirst, "{error}");
    assert_eq!(harness.counts().requests, before + 1);
    Ok(())
}

/// Nothing repeats a request behind the caller's back, not even on a connection that had been kept.
pub async fn a_request_is_sent_exactly_once(harness: &dyn TransportHarness) -> Shown {
    let before = harness.counts().requests;
    harness.set(harness.refuses(About::Document)).await;
    harness.write().await.expect_err("a refusal is no success");
    harness.set(Answer::Close).await;
    let error = harness.write().await.expect_err("a lost answer is no success");
    assert_eq!(error.retry(), Retry::AskFirst, "{error}");
    assert_eq!(harness.counts().requests, before + 2);
    Ok(())
}

/// A portal that reads two headers for the taxpayer joins them to one that is nobody's.
pub async fn a_request_names_the_taxpayer_exactly_once(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::Transcript)?;
    harness.needs(Ability::NamedTaxpayer)?;
    harness.set(harness.refuses(About::Document)).await;
    harness.write().await.expect_err("a refusal is no success");
    harness.read().await.expect_err("a refusal is no success");
    if harness.can(Ability::TaxpayerLogin) {
        harness.login().await.expect_err("a refusal is no session");
    }
    let requests = harness.requests();
    assert!(requests.len() >= 2, "a write and a read make a request each");
    for request in requests {
        assert_eq!(harness.names_taxpayer(&request), 1, "{}", request.lines().next().unwrap_or_default());
    }
    Ok(())
}

/// What the capability denies is refused at once.
pub async fn an_unsupported_operation_makes_no_call(harness: &dyn TransportHarness) -> Shown {
    harness.set(Answer::refusal("2154", "x")).await;
    let transport = harness.transport();
    for operation in operations(harness) {
        let before = harness.counts();
        let error = transport.call(&harness.session(), &operation).await.expect_err("a refusal is no success");
        let supported = transport.capability().operations.contains(&operation.kind());
        let is_unsupported = matches!(error, TransportError::Unsupported { .. });
        assert_eq!(is_unsupported, !supported, "{error}");
        assert_eq!(harness.counts() == before, !supported, "{error}");
    }
    Ok(())
}

/// Whatever goes wrong, neither the error nor a log line repeats a credential.
pub async fn no_error_and_no_log_holds_a_credential(harness: &dyn TransportHarness) -> Shown {
    let session = harness.session();
    let (client, user) = (session.access().client(), session.access().user());
    let texts = [&client.client_id, &client.client_secret, &user.user_name, &user.password, session.token()];
    let mut secrets: Vec<_> = texts.iter().map(|secret| secret.expose().clone()).collect();
    let (token, sent) = (session.token().expose(), secrets.join(" and "));
    secrets.push(format!("{:?}", session.sek().expose()));
    secrets.extend(String::from_utf8(session.sek().expose().clone()));
    let granted = format!(r#"{{"Status":1,"Data":{{"AuthToken":"{token}","Sek":"{token}","TokenExpiry":"x"}}"#);
    let mut answers = vec![
        Answer::refusal("1005", "Invalid Token"),
        Answer::Reply { status: 200, body: format!("{granted}}}") },
        Answer::Reply { status: 200, body: granted },
        Answer::Reply { status: 500, body: format!("<p>{sent} are wrong</p>") },
        Answer::refusal("1010", &format!("Invalid: {sent}")),
        Answer::Redirect,
        Answer::Close,
        Answer::Cut,
        Answer::Silence,
    ];
    answers.extend(harness.can(Ability::EndlessAnswers).then_some(Answer::Announce));
    let mut shown_texts = vec![format!("{:?} {session:?} {harness:?}", harness.transport())];
    for answer in answers {
        harness.set(answer).await;
        shown_texts.extend(harness.write().await.err().as_ref().map(shown));
        shown_texts.extend(harness.login().await.err().as_ref().map(shown));
    }
    assert!(shown_texts.len() > 10, "hardly any of these answers was an error");
    for text in shown_texts.iter().chain(std::iter::once(&witness::log())) {
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} stands in: {text}");
        }
    }
    Ok(())
}

/// A call that is dropped leaves nothing behind in the transport: the next call works.
pub async fn a_dropped_call_leaves_a_transport_that_works(harness: &dyn TransportHarness) -> Shown {
    drop_a_call(harness).await;
    harness.set(harness.refuses(About::Document)).await;
    let before = harness.counts().requests;
    let error = harness.write().await.expect_err("a refusal is no success");
    assert!(matches!(error, TransportError::Refused { .. }), "{error}");
    assert_eq!(harness.counts().requests, before + 1);
    Ok(())
}

/// A call that is dropped does not keep its connection: its answer would be taken for the next one's.
pub async fn a_dropped_call_closes_its_connection(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::Connections)?;
    let closed = harness.counts().closed;
    drop_a_call(harness).await;
    harness.wait_for(Counts { closed: closed + 1, ..Counts::default() }).await;
    Ok(())
}

/// Drops a call once the portal has its request and while it says nothing.
async fn drop_a_call(harness: &dyn TransportHarness) {
    harness.set(Answer::Silence).await;
    let before = harness.counts().requests;
    let (transport, session) = (harness.transport(), harness.session());
    let write = harness.a_write();
    let call = tokio::spawn(async move { transport.call(&session, &write).await.map(|_| ()) });
    harness.wait_for(Counts { requests: before + 1, ..Counts::default() }).await;
    call.abort();
    assert!(call.await.expect_err("a dropped call has no result").is_cancelled());
}

/// Each of many calls gets the answer to its own request.
pub async fn calls_at_the_same_time_do_not_mix(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::Questions)?;
    harness.set(Answer::Echo).await;
    let questions = harness.questions();
    let (transport, session) = (harness.transport(), harness.session());
    let calls = questions.iter().map(|(_, operation)| transport.call(&session, operation));
    for ((asked, _), answer) in questions.iter().zip(join_all(calls).await) {
        let answer = match answer {
            Ok(Reply::Taxpayer(found)) => found.gstin,
            Ok(other) => panic!("{other:?} is no taxpayer"),
            Err(error) => error.to_string(),
        };
        assert!(answer.contains(asked), "{asked}: {answer}");
    }
    Ok(())
}

/// Only an answer with status 200 means up.
pub async fn a_heartbeat_tells_up_from_down(harness: &dyn TransportHarness) -> Shown {
    harness.set(alive()).await;
    let probe = harness.transport().probe().await.expect("status 200 is up");
    assert!(probe.text.contains("Vital") && !probe.endpoint.is_empty(), "{probe:?}");
    for answer in [Answer::Reply { status: 503, body: String::new() }, Answer::Close] {
        harness.set(answer).await;
        let error = harness.transport().probe().await.expect_err("that is not up");
        assert!(error.is_unreachable(), "{error}");
    }
    Ok(())
}

/// A heartbeat needs nobody's credentials.
pub async fn a_heartbeat_carries_no_credential(harness: &dyn TransportHarness) -> Shown {
    harness.needs(Ability::Transcript)?;
    harness.set(alive()).await;
    harness.transport().probe().await.expect("status 200 is up");
    let (session, sent) = (harness.session(), harness.requests().concat());
    assert!(sent.contains("GET "), "{sent}");
    let (client, user) = (session.access().client(), session.access().user());
    for secret in [&client.client_id, &client.client_secret, &user.user_name, &user.password, session.token()] {
        assert!(!sent.contains(secret.expose()), "{sent}");
    }
    Ok(())
}

fn alive() -> Answer {
    Answer::Reply { status: 200, body: "e-Invoice Vital:-22-08-2026 14:58:30".to_owned() }
}
