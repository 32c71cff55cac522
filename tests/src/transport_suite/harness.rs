//! How the suite gets hold of a transport and of a portal that does what it is told.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::identifier::Gstin;
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

    /// Waits until no count is below that of `at_least`.
    async fn wait_for(&self, at_least: Counts);
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
}

impl fmt::Display for Ability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connections => "no connection is made on this way",
            Self::Transcript => "this portal keeps no requests as they came",
            Self::EndlessAnswers => "an answer arrives here whole or not at all",
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

#[async_trait]
impl TransportHarness for Dialling {
    fn transport(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    fn session(&self) -> Session {
        let access = Access::new(
            Gstin::parse("29AAAAA0000A1Z5").expect("a GSTIN"),
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

    fn can(&self, ability: Ability) -> bool {
        matches!(ability, Ability::Connections | Ability::Transcript | Ability::EndlessAnswers)
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
