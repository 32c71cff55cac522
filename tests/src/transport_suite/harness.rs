//! How the suite gets hold of a transport and of a portal that does what it is told.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::environment::Product;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::operation::Operation;
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::Transport;

use super::portal::{Answer, Counts, ScriptedPortal};

/// A transport under test, the portal it leads to, and what that portal can be made to do.
#[async_trait]
pub trait TransportHarness: fmt::Debug + Send + Sync {
    /// The transport under test; the same one each time.
    fn transport(&self) -> Arc<dyn Transport>;

    /// A session that this portal takes.
    fn session(&self) -> Session;

    /// Whether what a promise is about exists here. A promise about something else is not applicable.
    fn can(&self, ability: Ability) -> bool;

    /// From the next request on, the portal does this. Of the answers that belong to an [`Ability`],
    /// only those are asked for that the harness has.
    async fn set(&self, answer: Answer);

    /// What has happened at the portal so far. Connections and closings stay 0 without
    /// [`Ability::Connections`].
    fn counts(&self) -> Counts;

    /// The requests received, head and body as they came; none without [`Ability::Transcript`].
    fn requests(&self) -> Vec<String>;

    /// The government system that the suite is about on this way.
    fn product(&self) -> Product {
        Product::EInvoice
    }

    /// Code and text of a refusal. Without a text the system sends codes alone.
    fn refusal(&self, about: About) -> (&'static str, &'static str) {
        match about {
            About::Document => ("2172", "For Intra-state transaction, IGST is not applicable"),
            About::Token => ("1005", "Invalid Token"),
            About::Login => ("3002", "Invalid login credentials"),
        }
    }

    /// A write that the transport carries.
    fn a_write(&self) -> Operation {
        Operation::GenerateIrn { payload: r#"{"Version":"1.1"}"#.into() }
    }

    /// A read that it carries.
    fn a_read(&self) -> Operation {
        Operation::GetIrn { irn: Irn::parse(IRN).expect("an IRN"), site: None }
    }

    /// Questions that can run at the same time, each with a text that the request holds and [`Answer::Echo`] repeats.
    fn questions(&self) -> Vec<(String, Operation)> {
        let gstins = (0..QUESTIONS).map(|number| format!("29AAAAA{number:04}A1Z5"));
        gstins
            .map(|text| {
                let gstin = Gstin::parse(&text).expect("a GSTIN");
                (text, Operation::GstinDetails { gstin })
            })
            .collect()
    }

    /// Bodies of answers that say neither yes nor no.
    fn unclear_answers(&self) -> Vec<String> {
        let bodies = [
            "",
            "{}",
            "null",
            r#"{"Status":1,"Data":null,"ErrorDetails":null}"#,
            r#"{"Status":1,"Data":"c2VhbGVkIHdpdGggYW5vdGhlciBrZXk=","ErrorDetails":null}"#,
            r#"{"Status":0,"Data":null,"ErrorDetails":null}"#,
            r#"{"Status":"perhaps","ErrorDetails":[{"ErrorCode":"2172","ErrorMessage":"x"}]}"#,
        ];
        bodies.map(str::to_owned).to_vec()
    }

    /// Whether an HTTP status that is no success says something by itself on this way.
    fn understands(&self, _status: u16) -> bool {
        false
    }

    /// How often a request names the taxpayer, in a way that must not come twice.
    fn names_taxpayer(&self, request: &str) -> usize {
        request.lines().filter(|line| line.to_ascii_lowercase().starts_with("gstin:")).count()
    }

    /// Waits until no count is below that of `at_least`.
    async fn wait_for(&self, at_least: Counts);
}

/// What a refusal of the suite is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the suite refuses nothing else")]
pub enum About {
    /// A document that breaks a rule.
    Document,
    /// A token that is no longer accepted.
    Token,
    /// A user that may not log in.
    Login,
}

/// What not every transport and its portal have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ability {
    /// The portal is dialled: there are connections to count and to close.
    Connections,
    /// The portal keeps requests as they came.
    Transcript,
    /// Answers arrive piece by piece, so that one without an end can be sent
    /// ([`Answer::Announce`], [`Answer::Endless`]).
    EndlessAnswers,
    /// The taxpayer logs in on this way.
    TaxpayerLogin,
    /// A request names the taxpayer.
    NamedTaxpayer,
    /// What one request asks for can be told from what another one asks for.
    Questions,
}

impl fmt::Display for Ability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connections => "no connection is made on this way",
            Self::Transcript => "this portal keeps no requests as they came",
            Self::EndlessAnswers => "an answer arrives here whole or not at all",
            Self::TaxpayerLogin => "no taxpayer logs in: the provider holds the API user, or every call carries it",
            Self::NamedTaxpayer => "no request names the taxpayer: the provider knows him by his token",
            Self::Questions => "no read is carried that names what it asks for",
        })
    }
}

/// Where a transport that dials is to go, and under which limits.
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

/// The harness of a transport that dials: its portal is a [`ScriptedPortal`] on the loopback
/// interface, and it has every [`Ability`].
#[derive(Debug)]
pub struct Dialling {
    portal: ScriptedPortal,
    transport: Arc<dyn Transport>,
}

/// An IRN that nothing was registered under.
const IRN: &str = "706daeccda0ef6f818da78f3a2a05a1288731057373002289b46c3229289a2e7";
/// How many questions run at the same time.
pub const QUESTIONS: u32 = 16;

/// Worthless key for logins; nobody has the private half.
pub const AUTH_PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx8XQFS1COOk5MDmX8bf2
JYzz0/lBqYQcVjylEmwBMvRyTFAw1cLRjk+Re5Ym8K98B3UkhcM378/Odtz29KNc
FcjG38W/8pxpr+yCg6pC7tfMigT7Lf/5DC1Jibn03pU8SqLmsDIEVdWh2yvjAmWk
fUvJUaOl+BdTwjrNnEEn+ABA2Tq3aTca2K7+NlVkjE+P/dduPAcYwWh5bB9kO8N5
wh/cj61J2DDwPneOoRDGGQWPEcijeExNp2bLQlDS1jxilb8IO5M31EuWm9vOrqYa
bSr4UdyleaxrDPAjoNkFovCEdqrLVNvvXD/e7/0raEGpoE+r5kOoIiMUMIPHe+qJ
ewIDAQAB
-----END PUBLIC KEY-----
";

/// The invented taxpayer.
pub const TAXPAYER: &str = "29AAAAA0000A1Z5";
const CLIENT_ID: &str = "client-id-Q7wXk2";
const CLIENT_SECRET: &str = "client-secret-Zp4Tn8";
const USER_NAME: &str = "user-name-Lm3Vb6";
const PASSWORD: &str = "password-Rt9Hc5";
const TOKEN: &str = "auth-token-Ky1Ds0";
const SEK: &[u8; 32] = b"session-encryption-key-Wq8Jf2-32";

/// Long enough for a loaded machine to send a request, short enough to wait for.
pub const TOTAL_TIMEOUT_MS: u64 = 500;
/// Largest answer that is read here, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

impl Dialling {
    /// Starts a portal and has the transport built that goes there.
    pub async fn with<F: Future<Output = Arc<dyn Transport>>>(build: impl Fn(Place) -> F) -> Self {
        let portal = ScriptedPortal::start(Answer::refusal("2172", "x")).await;
        let transport = build(Place {
            base_url: portal.base_url(),
            auth_public_key: AUTH_PUBLIC_KEY.to_owned(),
            total_timeout_ms: TOTAL_TIMEOUT_MS,
            body_bytes_max: BODY_BYTES_MAX,
        });
        Self { transport: transport.await, portal }
    }
}

/// A session of the invented taxpayer, which opens nothing.
#[must_use]
pub fn worthless_session() -> Session {
    let access = Access::new(
        Gstin::parse(TAXPAYER).expect("a GSTIN"),
        ClientPair { client_id: Secret::from(CLIENT_ID), client_secret: Secret::from(CLIENT_SECRET) },
        ApiUser { user_name: Secret::from(USER_NAME), password: Secret::from(PASSWORD) },
    );
    let saved = SavedSession {
        token: Secret::from(TOKEN),
        sek: Secret::new(SEK.to_vec()),
        app_key: Secret::new(SEK.to_vec()),
        expires_at: "2099-01-01T00:00:00Z".parse().expect("a moment"),
        provider: None,
    };
    Session::new(access, saved)
}

#[async_trait]
impl TransportHarness for Dialling {
    fn transport(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    fn session(&self) -> Session {
        worthless_session()
    }

    /// It dials, and speaks the portal's own protocol.
    fn can(&self, _ability: Ability) -> bool {
        true
    }

    async fn set(&self, answer: Answer) {
        if matches!(answer, Answer::Refuse) {
            self.portal.close().await;
        } else {
            self.portal.set(answer);
        }
    }

    fn counts(&self) -> Counts {
        self.portal.counts()
    }

    fn requests(&self) -> Vec<String> {
        self.portal.requests()
    }

    async fn wait_for(&self, at_least: Counts) {
        self.portal.wait_for(|counts| counts.reached(at_least)).await;
    }
}
