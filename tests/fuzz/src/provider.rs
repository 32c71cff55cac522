//! What comes from a provider between us and the portals: profiles that somebody wrote, replies in a provider's words,
//! recordings of them.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use einvoice_core::clock::{ManualClock, SharedClock};
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::date::DocumentDate;
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::ewb::CancelReason;
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::Irn;
use einvoice_core::key::DocumentType;
use einvoice_core::operation::Operation;
use einvoice_core::secret::Secret;
use einvoice_core::session::{ProviderToken, SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Transport, TransportError};
use einvoice_gsp::check::{replay, understood};
use einvoice_gsp::profile::{Profile, ProfileError, read_profile, read_profile_text, shipped};
use einvoice_gsp::tape::{Recorded, Tape, read_recording, read_recording_text, recording_text};
use einvoice_gsp::{GspParts, GspTransport};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_testkit::transport_suite::AUTH_PUBLIC_KEY;
use tokio::runtime::Runtime;

use super::portal;

/// Everything that may show nowhere: client pair, API user, and the tokens at hand.
const SECRETS: [&str; 6] = [
    "worthless-client-7",
    "worthless-secret-7",
    "worthless-user-7",
    "worthless-password-7",
    "worthless-ticket-7",
    "worthless-token-7",
];
/// Begins a line of a profile that is a line of the reply it is tried with: a comment of TOML.
const REPLY: &str = "#reply ";
/// HTTP statuses by their figure.
const STATUSES: [u16; 10] = [200, 400, 401, 403, 404, 418, 429, 500, 502, 503];

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));
static SHIPPED: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    shipped().iter().map(|shipped| read_profile(shipped.id, Path::new("")).expect("a shipped profile")).collect()
});
static KEY: LazyLock<AuthPublicKey> = LazyLock::new(|| AuthPublicKey::from_pem(AUTH_PUBLIC_KEY).expect("a key"));

/// A provider that has one answer to everything.
#[derive(Debug, Clone)]
struct Says {
    status: u16,
    body: Bytes,
}

#[async_trait]
impl Exchange for Says {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        assert!(request.path_and_query.starts_with('/'), "{}", request.path_and_query);
        Ok(HttpResponse { status: self.status, body: self.body.clone() })
    }

    fn endpoint(&self) -> String {
        "https://provider.example".to_owned()
    }
}

/// Noon of 5 November 2026 in India.
fn clock() -> SharedClock {
    Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().expect("a moment")))
}

fn transport<E: Exchange + Clone>(profile: Profile, says: &E) -> Option<GspTransport<E>> {
    let settings = profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect();
    let pair = || Some((says.clone(), says.clone()));
    let parts = GspParts {
        environment: Environment::Sandbox,
        settings,
        site: "NIC1".to_owned(),
        common: says.clone(),
        irp: pair(),
        ewb: pair(),
        irp_key: Some(KEY.clone()),
        ewb_key: Some(KEY.clone()),
        call_time_max: Duration::from_mins(1),
        entropy: Arc::new(SeededEntropy::new(1)),
        clock: clock(),
        profile,
    };
    GspTransport::new(parts).ok()
}

fn access() -> Access {
    let [id, secret, user, password, ..] = SECRETS.map(Secret::from);
    let gstin = Gstin::parse("29AAKCV7711B1Z9").expect("a GSTIN");
    Access::new(gstin, ClientPair { client_id: id, client_secret: secret }, ApiUser { user_name: user, password })
}

/// A session with every token at hand.
fn saved(access: &Access) -> SavedSession {
    let expires_at = "2026-11-05T12:00:00Z".parse().expect("a moment");
    let [.., ticket, token] = SECRETS.map(Secret::from);
    SavedSession {
        token,
        sek: Secret::new(vec![7; 32]),
        app_key: Secret::new(vec![7; 32]),
        expires_at,
        provider: Some(ProviderToken::new(ticket, expires_at, access.client())),
    }
}

/// Questions to both systems.
fn operations() -> Vec<Operation> {
    let irn = Irn::parse(&"5f".repeat(32)).expect("an IRN");
    let date = DocumentDate::parse("05/11/2026").expect("a day");
    let number = DocumentNumber::parse("A/1").expect("a number");
    let gstin = Gstin::parse("29AAKCV7711B1Z9").expect("a GSTIN");
    let of_irp = [
        Operation::GenerateIrn { payload: Bytes::from_static(b"{\"Version\":\"1.1\"}") },
        Operation::CancelIrn { irn, reason: CancelReason::Duplicate, remark: "twice".to_owned(), site: None },
        Operation::GetIrn { irn, site: None },
        Operation::GetIrnByDocument { doc_type: DocumentType::Invoice, number, date, site: None },
        Operation::RejectedIrns { date, site: None },
        Operation::GetEwbByIrn { irn, site: None },
        Operation::GstinDetails { gstin },
        Operation::SyncGstin { gstin },
    ];
    of_irp.into_iter().chain(portal::operations()).collect()
}

/// An error says something, and nothing of these secrets.
fn told(error: &TransportError, secrets: &[&str]) {
    let mut said = error.to_string();
    assert!(!said.trim().is_empty(), "{error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        said.push_str(&inner.to_string());
        source = inner.source();
    }
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} stands in {said}");
    }
}

/// One question by its number; past the last one the questions begin anew.
async fn ask<E: Exchange + Clone>(transport: &GspTransport<E>, question: usize, has_tokens: bool) {
    let access = access();
    let mut saved = saved(&access);
    if !has_tokens {
        saved.provider = None;
    }
    let carried: Vec<Operation> =
        operations().into_iter().filter(|one| transport.capability().operations.contains(&one.kind())).collect();
    let question = question % (carried.len() + 4);
    let answer = match question {
        login @ 0..=1 => {
            let product = if login == 0 { Product::EInvoice } else { Product::EWayBill };
            let request =
                LoginRequest { access: &access, product, force_refresh: false, previous: has_tokens.then_some(&saved) };
            transport.login(request).await.map(drop)
        }
        2 => transport.balance(access.client()).await.map(drop),
        3 => transport.probe().await.map(drop),
        other => transport.call(&Session::new(access, saved), &carried[other - 4]).await.map(drop),
    };
    // Of what it was never given a transport cannot know that it is secret: a question about the account knows no taxpayer.
    let [client, secret, user, password, ticket, token] = SECRETS;
    let mut known = vec![client, secret];
    if !(2..=3).contains(&question) {
        // Where the portal's protocol passes through, a provider knows of a call what its headers say.
        if !transport.capability().seals {
            known.extend([user, password]);
            known.extend((has_tokens || question >= 4).then_some(token));
        }
        let has_login = transport.profile().provider.login.is_some();
        known.extend((has_tokens && has_login).then_some(ticket));
    }
    if let Err(error) = answer {
        told(&error, &known);
    }
}

/// A text as a profile: refused with what is wrong, or written and read again as the same, and put to work on the reply
/// that stands in its comments.
pub fn gsp_profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let profile = match read_profile_text("tried", text, Path::new("nowhere")) {
        Ok(profile) => profile,
        Err(error) => {
            assert!(error.to_string().contains("tried") || text.contains("extends"), "{error}");
            if let ProfileError::Problems { problems, .. } = &error {
                assert!(
                    problems.iter().all(|problem| !problem.key.is_empty() && !problem.reason.is_empty()),
                    "{error}"
                );
            }
            return;
        }
    };
    let written = toml::to_string(&profile).expect("a profile is written");
    let again = read_profile_text("written", &written, Path::new("nowhere"));
    assert!(again.as_ref().is_ok_and(|again| *again == profile), "{again:?} was written as {written}");
    let reply: String = text.lines().filter_map(|line| line.strip_prefix(REPLY)).collect::<Vec<_>>().join("\n");
    for status in [200, 400] {
        let says = Says { status, body: Bytes::from(reply.clone()) };
        let Some(transport) = transport(profile.clone(), &says) else { return };
        RUNTIME.block_on(async {
            for question in 0..operations().len() + 4 {
                ask(&transport, question, true).await;
            }
            ask(&transport, 0, false).await;
        });
    }
}

/// A reply: the first byte names a shipped profile, the second one what was asked (as a capital letter with no token of
/// the provider at hand), the third one the HTTP status. Understood or not, no error and no recording of it shows what is
/// secret, and the recording is understood the same twice.
pub fn gsp_reply(bytes: &[u8]) {
    let [profile, question, status, body @ ..] = bytes else { return };
    let from = |byte: u8, first: u8| usize::from(byte.wrapping_sub(first));
    let profile = &SHIPPED[from(*profile, b'a') % SHIPPED.len()];
    let status = STATUSES[from(*status, b'0') % STATUSES.len()];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recording.jsonl");
    let tape = Tape::begin(&path, profile, Environment::Sandbox, clock()).expect("a recording");
    for secret in SECRETS {
        tape.hide(secret);
    }
    let says =
        Arc::new(Recorded::new(Says { status, body: Bytes::copy_from_slice(body) }, "irp", Some(Arc::new(tape))));
    let transport = transport(profile.clone(), &says).expect("a shipped profile makes a transport");
    let has_tokens = !question.is_ascii_uppercase();
    let question = from(question.to_ascii_lowercase(), b'a');
    RUNTIME.block_on(ask(&transport, question, has_tokens));
    let kept = std::fs::read_to_string(&path).expect("the recording");
    for secret in SECRETS {
        assert!(!kept.contains(secret), "{secret} stands in {kept}");
    }
    let (_, lines) = read_recording(&path).expect("what was recorded is read");
    for line in &lines {
        let once = understood(profile, line);
        assert!(!once.contains(char::is_control), "{once:?} is more than a line");
        assert_eq!(understood(profile, line), once);
    }
}

/// A text as a recording: refused with its line, or written and read again as the same, and every exchange understood by a
/// profile in one line.
pub fn gsp_recording(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("somebodys.jsonl");
    let (head, lines) = match read_recording_text(path, text) {
        Ok(read) => read,
        Err(error) => {
            assert!(error.to_string().starts_with("somebodys.jsonl, line "), "{error}");
            return;
        }
    };
    let written = recording_text(&head, &lines).expect("a recording is written");
    let again = read_recording_text(path, &written).expect("what was written is read");
    assert_eq!(again, (head.clone(), lines.clone()), "{written}");
    let profile = SHIPPED.iter().find(|profile| profile.id == head.profile).unwrap_or(&SHIPPED[0]);
    assert_eq!(replay(profile, &lines).len(), lines.len());
    for line in &lines {
        let once = understood(profile, line);
        assert!(!once.contains(char::is_control), "{once:?} is more than a line");
        assert_eq!(understood(profile, line), once);
    }
}
