//! What every transport that dials a portal promises: the definition of done for a
//! [`Transport`].
//!
//! A plugin writes one line in its `tests/conformance.rs`, with a closure that builds the transport
//! for a place, and gets one named test for each promise:
//!
//! ```ignore
//! einvoice_testkit::transport_conformance!(|place| async move { build(place).await });
//! ```
//!
//! The portal of the suite is a [`portal::ScriptedPortal`]: it answers with refusals, pages, silence
//! and half answers. Registering for real is tried against the emulator, in the plugin's own tests.
#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a suite reports a broken promise by panicking"
)]

pub mod portal;
mod witness;

use std::error::Error as _;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;

use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::{Operation, OperationKind};
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Retry, Transport, TransportError};
use futures_util::future::join_all;

use portal::{Answer, ScriptedPortal};
pub use witness::run;

/// Where a transport under test is to go, and under which limits.
#[derive(Debug, Clone)]
pub struct Place {
    /// Address of the portal.
    pub base_url: String,
    /// A public key for logins, PEM.
    pub auth_public_key: String,
    /// Longest wait for an answer, in milliseconds.
    pub total_timeout_ms: u64,
    /// Largest answer to read, in bytes.
    pub body_bytes_max: usize,
}

/// Gives one named test for each promise of a transport that dials a portal.
///
/// The expression is a `Fn(Place) -> impl Future<Output = Arc<dyn Transport>>`, and is evaluated once
/// for each test.
#[macro_export]
macro_rules! transport_conformance {
    ($build:expr) => {
        $crate::transport_conformance! { @tests $build;
            a_capability_is_answered_without_a_network_call
            a_refusal_is_never_a_success
            a_refused_login_is_a_refusal
            a_write_without_an_answer_asks_first
            a_connection_closed_after_the_request_asks_first
            a_refused_connection_sent_nothing
            a_page_instead_of_an_answer_asks_first_after_a_write
            an_answer_that_breaks_off_asks_first
            an_answer_that_says_neither_yes_nor_no_asks_first
            an_answer_beyond_the_limit_is_not_read
            a_redirect_is_not_followed
            a_request_is_sent_exactly_once
            an_unsupported_operation_makes_no_network_call
            no_error_and_no_log_holds_a_credential
            a_dropped_call_leaves_a_transport_that_works
            calls_at_the_same_time_do_not_mix
            a_heartbeat_carries_no_credential_and_tells_up_from_down
        }
    };
    (@tests $build:expr; $($name:ident)+) => {$(
        #[test]
        fn $name() {
            $crate::transport_suite::run($crate::transport_suite::$name($build));
        }
    )+};
}

/// Worthless key for logins; nobody has the private half.
const AUTH_PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx8XQFS1COOk5MDmX8bf2
JYzz0/lBqYQcVjylEmwBMvRyTFAw1cLRjk+Re5Ym8K98B3UkhcM378/Odtz29KNc
FcjG38W/8pxpr+yCg6pC7tfMigT7Lf/5DC1Jibn03pU8SqLmsDIEVdWh2yvjAmWk
fUvJUaOl+BdTwjrNnEEn+ABA2Tq3aTca2K7+NlVkjE+P/dduPAcYwWh5bB9kO8N5
wh/cj61J2DDwPneOoRDGGQWPEcijeExNp2bLQlDS1jxilb8IO5M31EuWm9vOrqYa
bSr4UdyleaxrDPAjoNkFovCEdqrLVNvvXD/e7/0raEGpoE+r5kOoIiMUMIPHe+qJ
ewIDAQAB
-----END PUBLIC KEY-----
";

const CLIENT_ID: &str = "client-id-Q7wXk2";
const CLIENT_SECRET: &str = "client-secret-Zp4Tn8";
const USER_NAME: &str = "user-name-Lm3Vb6";
const PASSWORD: &str = "password-Rt9Hc5";
const TOKEN: &str = "auth-token-Ky1Ds0";
const SEK: &[u8; 32] = b"session-encryption-key-Wq8Jf2-32";

/// Long enough for a loaded machine to send a request, short enough to wait for.
const TOTAL_TIMEOUT_MS: u64 = 500;
const BODY_BYTES_MAX: usize = 64 * 1024;
const IRN: &str = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";

/// A portal and a transport that goes there.
struct Bench {
    portal: ScriptedPortal,
    transport: Arc<dyn Transport>,
}

impl Bench {
    async fn new<F: Future<Output = Arc<dyn Transport>>>(build: impl Fn(Place) -> F, answer: Answer) -> Self {
        let portal = ScriptedPortal::start(answer).await;
        let transport = build(place(portal.base_url())).await;
        Self { portal, transport }
    }

    async fn write(&self) -> Result<(), TransportError> {
        self.transport.call(&session(), &generate()).await.map(|_| ())
    }

    async fn read(&self) -> Result<(), TransportError> {
        self.transport.call(&session(), &get_irn(IRN)).await.map(|_| ())
    }

    async fn login(&self) -> Result<(), TransportError> {
        let session = session();
        let previous = Some(session.saved());
        let request =
            LoginRequest { access: session.access(), product: Product::EInvoice, force_refresh: false, previous };
        self.transport.login(request).await.map(|_| ())
    }

    /// A write, and the same answer to a read: the first asks, the second may simply be repeated.
    async fn expect_unclear(&self) {
        let write = self.write().await.expect_err("an unclear answer is no success");
        assert_eq!(write.retry(), Retry::AskFirst, "{write}");
        let read = self.read().await.expect_err("an unclear answer is no success");
        assert_eq!(read.retry(), Retry::Safe, "{read}");
    }
}

fn place(base_url: String) -> Place {
    Place {
        base_url,
        auth_public_key: AUTH_PUBLIC_KEY.to_owned(),
        total_timeout_ms: TOTAL_TIMEOUT_MS,
        body_bytes_max: BODY_BYTES_MAX,
    }
}

fn access() -> Access {
    Access::new(
        Gstin::parse("29AAAAA0000A1Z5").expect("a GSTIN"),
        ClientPair { client_id: Secret::from(CLIENT_ID), client_secret: Secret::from(CLIENT_SECRET) },
        ApiUser { user_name: Secret::from(USER_NAME), password: Secret::from(PASSWORD) },
    )
}

fn session() -> Session {
    let saved = SavedSession {
        token: Secret::from(TOKEN),
        sek: Secret::new(SEK.to_vec()),
        app_key: Secret::new(SEK.to_vec()),
        expires_at: "2099-01-01T00:00:00Z".parse().expect("a moment"),
    };
    Session::new(access(), saved)
}

fn generate() -> Operation {
    Operation::GenerateIrn { payload: r#"{"Version":"1.1"}"#.into() }
}

fn get_irn(irn: &str) -> Operation {
    Operation::GetIrn { irn: Irn::parse(irn).expect("an IRN"), site: None }
}

/// One of each operation.
fn operations() -> Vec<Operation> {
    use einvoice_core::date::DocumentDate;
    use einvoice_core::identifier::DocumentNumber;
    use einvoice_core::key::DocumentType;
    vec![
        generate(),
        get_irn(IRN),
        Operation::GetIrnByDocument {
            doc_type: DocumentType::Invoice,
            number: DocumentNumber::parse("AB/1").expect("a number"),
            date: DocumentDate::parse("05/11/2026").expect("a date"),
            site: None,
        },
        Operation::GstinDetails { gstin: access().gstin() },
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
pub async fn a_capability_is_answered_without_a_network_call<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    let capability = bench.transport.capability();
    assert!(!capability.operations.is_empty());
    assert!(capability.payload_bytes_max > 0 && capability.concurrency_per_gstin > 0);
    assert!(!capability.site.is_empty());
    assert_eq!(bench.portal.counts().connections, 0);
}

/// A refusal is an error with the portal's code and text.
pub async fn a_refusal_is_never_a_success<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::refusal("2172", "For Intra-state transaction, IGST is not applicable")).await;
    let error = bench.write().await.expect_err("a refusal is no success");
    let TransportError::Refused { operation, errors, .. } = &error else { panic!("{error}") };
    assert_eq!(*operation, Some(OperationKind::GenerateIrn));
    let errors: Vec<_> = errors.iter().map(|error| (error.code.as_str(), error.message.as_str())).collect();
    assert_eq!(errors, [("2172", "For Intra-state transaction, IGST is not applicable")]);
    assert_eq!(error.retry(), Retry::Never);
}

/// A login that the portal refuses is a refusal without an operation.
pub async fn a_refused_login_is_a_refusal<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::refusal("3002", "Invalid login credentials")).await;
    let error = bench.login().await.expect_err("a refusal is no session");
    assert!(matches!(error, TransportError::Refused { operation: None, .. }), "{error}");
}

/// A portal that stays silent after a write leaves the outcome open.
pub async fn a_write_without_an_answer_asks_first<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    let error = bench.write().await.expect_err("silence is no success");
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
    assert_eq!(error.retry(), Retry::AskFirst);
    let error = bench.login().await.expect_err("silence is no session");
    assert_eq!(error.retry(), Retry::Safe, "{error}");
}

/// A connection that closes once the request is out leaves the outcome open.
pub async fn a_connection_closed_after_the_request_asks_first<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Close).await;
    let error = bench.write().await.expect_err("a closed connection is no success");
    assert!(matches!(error, TransportError::NoAnswer { .. }), "{error}");
    bench.expect_unclear().await;
}

/// Without a connection nothing was sent, and that is said.
pub async fn a_refused_connection_sent_nothing<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let transport = build(place(portal::closed_port().await)).await;
    let error = transport.call(&session(), &generate()).await.expect_err("nobody listens");
    assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Safe);
    let error = transport.probe().await.expect_err("nobody listens");
    assert!(matches!(error, TransportError::NotSent { .. }), "{error}");
}

/// A page of something in between says nothing about the document.
pub async fn a_page_instead_of_an_answer_asks_first_after_a_write<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let page = "<html><head><title>Under maintenance</title></head><body>Come back later</body></html>";
    let bench = Bench::new(build, Answer::Silence).await;
    for status in [200, 403, 502] {
        bench.portal.set(Answer::Reply { status, body: page.to_owned() });
        let error = bench.write().await.expect_err("a page is no success");
        let TransportError::BadAnswer { http_status, .. } = &error else { panic!("{error}") };
        assert_eq!(*http_status, Some(status));
        assert!(error.to_string().contains("Under maintenance"), "{error}");
        bench.expect_unclear().await;
    }
}

/// Half an answer is none.
pub async fn an_answer_that_breaks_off_asks_first<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    Bench::new(build, Answer::Cut).await.expect_unclear().await;
}

/// An answer that contradicts itself, or cannot be opened, proves nothing.
pub async fn an_answer_that_says_neither_yes_nor_no_asks_first<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    for body in [
        "",
        "{}",
        "null",
        r#"{"Status":1,"Data":null,"ErrorDetails":null}"#,
        r#"{"Status":1,"Data":"c2VhbGVkIHdpdGggYW5vdGhlciBrZXk=","ErrorDetails":null}"#,
        r#"{"Status":0,"Data":null,"ErrorDetails":null}"#,
        r#"{"Status":"perhaps","ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"x"}]}"#,
    ] {
        bench.portal.set(Answer::Reply { status: 200, body: body.to_owned() });
        bench.expect_unclear().await;
    }
}

/// An answer is read no further than the limit, announced or not.
pub async fn an_answer_beyond_the_limit_is_not_read<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    for answer in [Answer::Announce, Answer::Endless] {
        bench.portal.set(answer.clone());
        let error = bench.write().await.expect_err("no answer without end is a success");
        assert!(matches!(error, TransportError::BadAnswer { .. }), "{answer:?}: {error}");
        assert_eq!(error.retry(), Retry::AskFirst);
    }
}

/// A redirect would take credentials elsewhere.
pub async fn a_redirect_is_not_followed<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Redirect).await;
    let error = bench.write().await.expect_err("a redirect is no success");
    assert_eq!(error.retry(), Retry::AskFirst, "{error}");
    assert_eq!(bench.portal.counts().requests, 1);
}

/// Nothing repeats a request behind the caller's back, not even on a connection that had been kept.
pub async fn a_request_is_sent_exactly_once<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::refusal("2172", "x")).await;
    bench.write().await.expect_err("a refusal is no success");
    bench.portal.set(Answer::Close);
    let error = bench.write().await.expect_err("a closed connection is no success");
    assert_eq!(error.retry(), Retry::AskFirst, "{error}");
    assert_eq!(bench.portal.counts().requests, 2);
    let gstin_headers =
        |request: &String| request.lines().filter(|line| line.to_ascii_lowercase().starts_with("gstin:")).count();
    assert!(bench.portal.requests().iter().all(|request| gstin_headers(request) == 1));
}

/// What the capability denies is refused at once.
pub async fn an_unsupported_operation_makes_no_network_call<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::refusal("2154", "x")).await;
    for operation in operations() {
        let before = bench.portal.counts();
        let error = bench.transport.call(&session(), &operation).await.expect_err("a refusal is no success");
        let supported = bench.transport.capability().operations.contains(&operation.kind());
        let is_unsupported = matches!(error, TransportError::Unsupported { .. });
        assert_eq!(is_unsupported, !supported, "{error}");
        assert_eq!(bench.portal.counts() == before, !supported, "{error}");
    }
}

/// Whatever goes wrong, neither the error nor a log line repeats a credential.
pub async fn no_error_and_no_log_holds_a_credential<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    let token = format!(r#"{{"Status":1,"Data":{{"AuthToken":"{TOKEN}","Sek":"{TOKEN}","TokenExpiry":"x"}}"#);
    let echo = format!("<p>{CLIENT_SECRET}, {PASSWORD} and {TOKEN} are wrong</p>");
    let mut texts = vec![format!("{:?} {:?}", bench.transport, session())];
    for answer in [
        Answer::refusal("1005", "Invalid Token"),
        Answer::Reply { status: 200, body: format!("{token}}}") },
        Answer::Reply { status: 200, body: token },
        Answer::Reply { status: 500, body: echo },
        Answer::Redirect,
        Answer::Close,
        Answer::Cut,
        Answer::Announce,
        Answer::Silence,
    ] {
        bench.portal.set(answer);
        texts.extend(bench.write().await.err().as_ref().map(shown));
        texts.extend(bench.login().await.err().as_ref().map(shown));
    }
    assert!(texts.len() > 10, "hardly any of these answers was an error");
    let secrets = [CLIENT_ID, CLIENT_SECRET, USER_NAME, PASSWORD, TOKEN, "session-encryption-key"];
    for text in texts.iter().chain(std::iter::once(&witness::log())) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in: {text}");
        }
    }
}

/// A call that is dropped closes its connection, and the next call works.
pub async fn a_dropped_call_leaves_a_transport_that_works<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::Silence).await;
    let transport = bench.transport.clone();
    let call = tokio::spawn(async move { transport.call(&session(), &generate()).await.map(|_| ()) });
    bench.portal.wait_for(|counts| counts.requests == 1).await;
    call.abort();
    bench.portal.wait_for(|counts| counts.closed == 1).await;
    bench.portal.set(Answer::refusal("2172", "x"));
    let error = bench.write().await.expect_err("a refusal is no success");
    assert!(matches!(error, TransportError::Refused { .. }), "{error}");
    assert_eq!(bench.portal.counts().requests, 2);
}

/// Each of many calls gets the answer to its own request.
pub async fn calls_at_the_same_time_do_not_mix<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let bench = Bench::new(build, Answer::EchoPath).await;
    let irns: Vec<String> = (0..16).map(|number| format!("{number:064x}")).collect();
    let session = session();
    let calls = irns.iter().map(|irn| async { bench.transport.call(&session, &get_irn(irn)).await });
    for (irn, answer) in irns.iter().zip(join_all(calls).await) {
        let error = answer.expect_err("a refusal is no success");
        assert!(error.to_string().contains(irn), "{irn}: {error}");
    }
}

/// A heartbeat needs nobody's credentials, and only status 200 means up.
pub async fn a_heartbeat_carries_no_credential_and_tells_up_from_down<F>(build: impl Fn(Place) -> F)
where
    F: Future<Output = Arc<dyn Transport>>,
{
    let alive = "e-Invoice Vital:-22-08-2026 14:58:30";
    let bench = Bench::new(build, Answer::Reply { status: 200, body: alive.to_owned() }).await;
    let probe = bench.transport.probe().await.expect("status 200 is up");
    assert!(probe.text.contains("Vital") && probe.endpoint.contains("127.0.0.1"), "{probe:?}");
    assert!(!bench.portal.requests().concat().contains(CLIENT_SECRET));
    for answer in [Answer::Reply { status: 503, body: String::new() }, Answer::Close] {
        bench.portal.set(answer);
        let error = bench.transport.probe().await.expect_err("that is not up");
        assert!(error.is_unreachable(), "{error}");
    }
}
