//! A way to both systems whose answers beyond registrations are written by a test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, UserScope,
};
use einvoice_core::environment::Product;
use einvoice_core::operation::{Operation, OperationKind, Reply};
use einvoice_core::portal_code::PortalError;
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError};

use super::World;

/// What is answered to one call.
#[derive(Debug)]
pub enum Answer {
    /// This.
    Reply(Reply),
    /// A refusal with this code.
    Refused(&'static str),
    /// The request left and nothing came back.
    Lost,
    /// Nothing left.
    NotSent,
}

/// Answers registrations as the emulator does, and everything else by the script, in order.
#[derive(Debug)]
pub struct Written {
    inner: Arc<dyn Transport>,
    capability: TransportCapability,
    script: Mutex<VecDeque<(OperationKind, Answer)>>,
    calls: Mutex<Vec<Operation>>,
}

impl Written {
    /// In the place of the first route of a world, for both systems.
    pub fn takes_over(world: &mut World) -> Arc<Self> {
        let part = world.routes.first_mut().unwrap();
        let inner = Arc::clone(&part.transport);
        let mut capability = inner.capability().clone();
        capability.operations = OperationKind::ALL.iter().copied().collect();
        let scripted = Arc::new(Self { inner, capability, script: Mutex::default(), calls: Mutex::default() });
        let transport: Arc<dyn Transport> = Arc::<Self>::clone(&scripted);
        part.transport = transport;
        world.credentials = Arc::new(BothProducts(Arc::clone(&world.credentials)));
        scripted
    }

    /// Adds an answer to the end of the script.
    pub fn expect(&self, kind: OperationKind, answer: Answer) -> &Self {
        self.script.lock().unwrap().push_back((kind, answer));
        self
    }

    /// The calls beyond registrations so far, by kind.
    pub fn kinds(&self) -> Vec<OperationKind> {
        self.calls.lock().unwrap().iter().map(Operation::kind).collect()
    }

    /// The calls beyond registrations so far.
    pub fn calls(&self) -> Vec<Operation> {
        self.calls.lock().unwrap().clone()
    }

    /// Whether everything in the script was asked for.
    pub fn is_played(&self) -> bool {
        self.script.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Transport for Written {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> Result<Session, TransportError> {
        if request.product == Product::EInvoice {
            return self.inner.login(request).await;
        }
        let saved = SavedSession {
            token: Secret::from("ewb-token"),
            sek: Secret::new(vec![1; 32]),
            app_key: Secret::new(vec![2; 32]),
            expires_at: "2027-12-31T00:00:00Z".parse().unwrap(),
            provider: None,
        };
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn call(&self, session: &Session, operation: &Operation) -> Result<Reply, TransportError> {
        let kind = operation.kind();
        if matches!(kind, OperationKind::GenerateIrn | OperationKind::GetIrnByDocument) {
            return self.inner.call(session, operation).await;
        }
        self.calls.lock().unwrap().push(operation.clone());
        let Some((expected, answer)) = self.script.lock().unwrap().pop_front() else {
            panic!("nothing is written for {operation:?}")
        };
        assert_eq!(kind, expected, "{operation:?}");
        match answer {
            Answer::Reply(reply) => Ok(reply),
            Answer::Refused(code) => Err(TransportError::Refused {
                operation: Some(kind),
                errors: vec![PortalError::new(code, "as scripted")],
                info: Vec::new(),
            }),
            Answer::Lost => Err(TransportError::NoAnswer {
                endpoint: "scripted".into(),
                reason: "timed out".into(),
                changes_books: kind.changes_books(),
                source: None,
            }),
            Answer::NotSent => Err(TransportError::NotSent {
                endpoint: "scripted".into(),
                reason: "no connection".into(),
                source: None,
            }),
        }
    }

    async fn probe(&self) -> Result<Probe, TransportError> {
        self.inner.probe().await
    }
}

/// A store whose users of the e-invoice system serve the e-way bill system as well.
#[derive(Debug)]
struct BothProducts(Arc<dyn CredentialStore>);

fn e_invoice(scope: &UserScope) -> UserScope {
    UserScope { product: Product::EInvoice, ..scope.clone() }
}

#[async_trait]
impl CredentialStore for BothProducts {
    fn capability(&self) -> CredentialCapability {
        self.0.capability()
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        self.0.client(scope).await
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        self.0.api_user(&e_invoice(scope)).await
    }

    async fn put(&self, entry: CredentialEntry) -> Result<(), CredentialError> {
        self.0.put(entry).await
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        self.0.list().await
    }

    async fn remove(&self, scope: &CredentialScope) -> Result<(), CredentialError> {
        self.0.remove(scope).await
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        if scope.product == Product::EInvoice { self.0.session(scope).await } else { Ok(None) }
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        if scope.product == Product::EInvoice { self.0.save_session(scope, session).await } else { Ok(()) }
    }
}
