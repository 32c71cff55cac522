//! The token of an account at a provider, renewed by a call in the middle of a session: it is kept at once, and other
//! workers go on with it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::clock::{Clock, ManualClock};
use einvoice_core::credential::{Access, ClientPair, CredentialStore, UserScope};
use einvoice_core::environment::{Environment, RouteName};
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::{ProviderToken, SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode};
use jiff::SignedDuration;

use super::{EINVOICE, Portal, ask, gateway, taxpayer};

/// Tokens of the account as the provider has them: the last it gave out is the one it takes.
#[derive(Debug, Default)]
struct Provider {
    logins: u32,
    ended: u32,
}

/// One worker's way through the provider.
#[derive(Debug)]
struct Through {
    capability: TransportCapability,
    clock: ManualClock,
    provider: Arc<Mutex<Provider>>,
    held: Mutex<Option<ProviderToken>>,
}

impl Through {
    fn adopt(&self, brought: Option<&ProviderToken>) {
        let mut held = self.held.lock().unwrap();
        if let Some(brought) = brought
            && held.as_ref().is_none_or(|held| held.expires_at < brought.expires_at)
        {
            *held = Some(brought.clone());
        }
    }

    fn at_hand(&self) -> Option<ProviderToken> {
        self.held.lock().unwrap().clone().filter(|held| held.expires_at > self.clock.now())
    }

    fn log_in(&self, client: &ClientPair) -> ProviderToken {
        let mut provider = self.provider.lock().unwrap();
        provider.logins += 1;
        let expires_at = self.clock.now().checked_add(SignedDuration::from_hours(1)).unwrap();
        let token = ProviderToken::new(Secret::new(provider.logins.to_string()), expires_at, client);
        *self.held.lock().unwrap() = Some(token.clone());
        token
    }
}

#[async_trait]
impl Transport for Through {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        let provider = Some(self.at_hand().unwrap_or_else(|| self.log_in(request.access.client())));
        let saved = SavedSession {
            token: Secret::from("taxpayer's"),
            sek: Secret::new(vec![1; 32]),
            app_key: Secret::new(vec![2; 32]),
            expires_at: self.clock.now().checked_add(SignedDuration::from_hours(6)).unwrap(),
            provider,
        };
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn call(&self, session: &Session, _: &Operation) -> Result<Reply, TransportError> {
        self.adopt(session.saved().provider.as_ref());
        let token = self.at_hand().unwrap_or_else(|| self.log_in(session.access().client()));
        let ended = self.provider.lock().unwrap().ended;
        if token.token.expose().parse::<u32>().unwrap() <= ended {
            self.log_in(session.access().client());
        }
        Ok(Reply::EwbList(Vec::new()))
    }

    async fn provider_token(&self, _: &Access) -> Option<ProviderToken> {
        self.at_hand()
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        Ok(Probe { endpoint: "through".into(), text: String::new() })
    }
}

/// Workers over one store, each with a transport of its own.
struct Workers {
    portal: Portal,
    provider: Arc<Mutex<Provider>>,
}

impl Workers {
    fn new() -> Self {
        Self { portal: Portal::new(), provider: Arc::default() }
    }

    fn one(&self) -> einvoice_core::access::Gateway {
        let kinds = [OperationKind::GstinDetails];
        let transport = Through {
            capability: TransportCapability::new(TransportMode::Gsp, Environment::Sandbox, "NIC1", kinds),
            clock: self.portal.clock.clone(),
            provider: Arc::clone(&self.provider),
            held: Mutex::default(),
        };
        gateway(Arc::new(transport), self.portal.store.clone(), &self.portal.clock)
    }

    fn logins(&self) -> u32 {
        self.provider.lock().unwrap().logins
    }

    /// The provider takes none of the tokens any more that it gave out.
    fn end_tokens(&self) {
        let mut provider = self.provider.lock().unwrap();
        provider.ended = provider.logins;
    }

    fn scope() -> UserScope {
        let route = RouteName::new("emulator");
        UserScope { gstin: taxpayer(), product: EINVOICE, environment: Environment::Sandbox, route }
    }

    async fn kept(&self) -> SavedSession {
        self.portal.store.session(&Self::scope()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_token_of_the_account_that_a_call_renewed_is_kept_at_once_for_the_next_worker() {
    let workers = Workers::new();
    let first = workers.one();
    ask(&first).await.unwrap();
    let before = workers.kept().await;
    workers.end_tokens();
    ask(&first).await.unwrap();
    assert_eq!(workers.logins(), 2);
    let after = workers.kept().await;
    assert_eq!(after.provider.as_ref().unwrap().token, Secret::from("2"));
    assert!(SavedSession { provider: before.provider.clone(), ..after } == before, "the taxpayer's part is another");
    ask(&workers.one()).await.unwrap();
    ask(&first).await.unwrap();
    assert_eq!(workers.logins(), 2, "the token that was kept serves");
}

#[tokio::test]
async fn a_worker_whose_token_of_the_account_is_over_takes_the_one_that_another_kept() {
    let workers = Workers::new();
    let (first, second) = (workers.one(), workers.one());
    ask(&first).await.unwrap();
    ask(&second).await.unwrap();
    for hour in 1..=3 {
        workers.portal.advance_minutes(60);
        ask(&first).await.unwrap();
        ask(&second).await.unwrap();
        assert_eq!(workers.logins(), 1 + hour, "one login to the provider an hour serves both");
    }
}

#[tokio::test]
async fn a_login_that_another_worker_made_meanwhile_stays_in_the_store() {
    let workers = Workers::new();
    let first = workers.one();
    ask(&first).await.unwrap();
    let newer = SavedSession { token: Secret::from("newer"), ..workers.kept().await };
    workers.portal.store.save_session(&Workers::scope(), &newer).await.unwrap();
    workers.end_tokens();
    ask(&first).await.unwrap();
    assert!(workers.kept().await == newer, "an older login took the place of a newer one");
}

#[tokio::test]
async fn a_store_that_fails_keeps_no_call_from_its_reply() {
    let workers = Workers::new();
    let first = workers.one();
    ask(&first).await.unwrap();
    workers.end_tokens();
    workers.portal.store.fail_sessions(true);
    ask(&first).await.unwrap();
    ask(&first).await.unwrap();
    assert_eq!(workers.logins(), 2);
}
