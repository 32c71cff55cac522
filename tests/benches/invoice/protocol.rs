//! One exchange with the portal, as the client pays for it: no network, real keys and signatures.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use bytes::Bytes;
use divan::{Bencher, black_box};
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::document::Invoice;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::key::DocumentKey;
use einvoice_core::operation::{Operation, Registration, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Transport, TransportMode};
use einvoice_core::verify::{Judgement, TokenVerdict, TokenVerifier, judge};
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use einvoice_protocol::key_set::KeySet;
use einvoice_protocol::login::AuthPublicKey;
use einvoice_protocol::seal::Sek;
use einvoice_sandbox::{InProcess, PortalSettings, Sandbox};
use einvoice_testkit::documents::Recipe;
use tokio::runtime::Runtime;

/// A document with six items, registered at the emulator, and everything that came with it.
struct Registered {
    runtime: Runtime,
    session: Session,
    payload: Bytes,
    sent: Invoice,
    key: DocumentKey,
    registration: Registration,
    keys: KeySet,
    recorded: IrpTransport<Recorded>,
}

static REGISTERED: LazyLock<Registered> = LazyLock::new(Registered::new);

/// An exchange that gives one recorded answer.
#[derive(Debug)]
struct Recorded(Bytes);

#[async_trait]
impl Exchange for Recorded {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        black_box(request);
        Ok(HttpResponse { status: 200, body: self.0.clone() })
    }

    fn endpoint(&self) -> String {
        "a recording".to_owned()
    }
}

/// Carries requests to the emulator and keeps the last answer.
#[derive(Debug)]
struct Recorder {
    portal: InProcess,
    last: Arc<std::sync::Mutex<Bytes>>,
}

#[async_trait]
impl Exchange for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let response = self.portal.send(request).await?;
        *self.last.lock().unwrap() = response.body.clone();
        Ok(response)
    }

    fn endpoint(&self) -> String {
        self.portal.endpoint()
    }
}

impl Registered {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (clock, entropy) = (SystemClock::shared(), SystemEntropy::shared());
        let sandbox = Sandbox::in_memory(PortalSettings::default(), clock, Arc::clone(&entropy)).unwrap();
        let auth_key = AuthPublicKey::from_pem(&sandbox.auth_public_key_pem()).unwrap();
        let settings = || IrpSettings::new(TransportMode::InProcess, Environment::Sandbox, "NIC1");
        let last = Arc::default();
        let recorder = Recorder { portal: InProcess::new(sandbox.clone()), last: Arc::clone(&last) };
        let transport = IrpTransport::new(recorder, settings(), auth_key, Arc::clone(&entropy));

        let sent = Recipe::numbered(1).invoice();
        let payload = Bytes::from(sent.to_json());
        let operation = Operation::GenerateIrn { payload: payload.clone() };
        let (session, reply) = runtime.block_on(async {
            let access = access(&sandbox).await;
            let request =
                LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
            let session = transport.login(request).await.unwrap();
            let reply = transport.call(&session, &operation).await.unwrap();
            (session, reply)
        });
        let Reply::Registration(registration) = reply else { panic!("not a registration") };
        let mut keys = KeySet::new();
        keys.add_pem(&sandbox.signing_public_key_pem(), Some(&sandbox.signing_kid())).unwrap();
        let auth_key = AuthPublicKey::from_pem(&sandbox.auth_public_key_pem()).unwrap();
        let answer = last.lock().unwrap().clone();
        Self {
            runtime,
            session,
            payload,
            key: sent.document_key().unwrap(),
            sent,
            registration: *registration,
            keys,
            recorded: IrpTransport::new(Recorded(answer), settings(), auth_key, entropy),
        }
    }

    fn exchange(&self) -> Registration {
        let operation = Operation::GenerateIrn { payload: self.payload.clone() };
        match self.runtime.block_on(self.recorded.call(&self.session, &operation)).unwrap() {
            Reply::Registration(registration) => *registration,
            other => panic!("not a registration: {other:?}"),
        }
    }

    fn judge(&self, registration: &Registration) -> Judgement {
        judge(&self.key, &self.sent, registration, &self.keys)
    }
}

async fn access(sandbox: &Sandbox) -> Access {
    let supplier = Recipe::numbered(1).supplier;
    let (client, user) = sandbox.provision(supplier.as_str()).await.unwrap();
    let secret = |text: &str| Secret::from(text);
    Access::new(
        supplier,
        ClientPair { client_id: secret(&client.client_id), client_secret: secret(&client.client_secret) },
        ApiUser { user_name: secret(&user.username), password: secret(&user.password) },
    )
}

#[divan::bench]
fn seal_a_request(bencher: Bencher<'_, '_>) {
    let registered = &*REGISTERED;
    let sek = Sek::from_bytes(registered.session.sek().expose()).unwrap();
    bencher.bench(|| sek.seal(black_box(&registered.payload)));
}

/// Sealing the request, opening the answer and reading the registration in it.
#[divan::bench]
fn exchange_without_network(bencher: Bencher<'_, '_>) {
    let registered = &*REGISTERED;
    bencher.bench(|| registered.exchange());
}

#[divan::bench]
fn verify_a_signed_invoice(bencher: Bencher<'_, '_>) {
    let registered = &*REGISTERED;
    let token = registered.registration.signed_invoice.as_deref().unwrap();
    bencher.bench(|| {
        let verdict = registered.keys.verify(black_box(token));
        assert!(matches!(verdict, TokenVerdict::Genuine(_)));
        verdict
    });
}

/// Both signatures, and the content against what was sent.
#[divan::bench]
fn judge_a_registration(bencher: Bencher<'_, '_>) {
    let registered = &*REGISTERED;
    bencher.bench(|| {
        let judgement = registered.judge(black_box(&registered.registration));
        assert!(matches!(judgement, Judgement::Ours(_)));
        judgement
    });
}

#[divan::bench]
fn exchange_and_judge(bencher: Bencher<'_, '_>) {
    let registered = &*REGISTERED;
    bencher.bench(|| registered.judge(&registered.exchange()));
}
