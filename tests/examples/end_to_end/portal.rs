//! Portals to measure against: the emulator in a process of its own, or one that only says yes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use einvoice_core::clock::{SharedClock, SystemClock};
use einvoice_core::credential::{
    ApiUser, ClientHolder, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError,
    CredentialScope, CredentialStore, CredentialSummary, UserScope,
};
use einvoice_core::date::PortalTime;
use einvoice_core::document::Invoice;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::operation::{Operation, OperationKind, Registration, RegistrationStatus, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Probe, Transport, TransportCapability, TransportError, TransportMode};
use einvoice_core::verify::TokenVerifier;
use einvoice_direct::{DirectConfig, connect};
use einvoice_protocol::encoding::BASE64_URL;
use einvoice_protocol::key_set::KeySet;
use einvoice_sandbox::{CONNECTION_FILE, Connection, ServeOptions};
use einvoice_testkit::documents::gstin;

use crate::Result;

/// First argument that makes this program the emulator.
pub(crate) const SERVE: &str = "serve";

/// Longest wait for the emulator to come up.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// Runs the emulator until the process is ended: a data directory and a number of GSTINs are given.
pub(crate) async fn serve(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let data = arguments.next().ok_or("the data directory is missing")?;
    let gstins: u32 = arguments.next().ok_or("the number of GSTINs is missing")?.parse()?;
    let mut options = ServeOptions::new(([127, 0, 0, 1], 0).into(), data);
    options.gstins = (0..gstins).map(|seed| gstin(29, seed).to_string()).collect();
    // As in production: 360 minutes.
    options.settings.token_minutes = 360;
    einvoice_sandbox::serve(options, SystemClock::shared(), SystemEntropy::shared()).await?.wait().await;
    Ok(())
}

/// A portal that runs as long as this lives.
pub(crate) struct Portal {
    accounts: Arc<Accounts>,
    kind: Kind,
}

enum Kind {
    Http { connection: Box<Connection>, _process: Process },
    Silent,
}

/// A child process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Portal {
    pub(crate) async fn start(http: bool, suppliers: Vec<Gstin>, folder: &Path) -> Result<Self> {
        if !http {
            return Ok(Self { accounts: Arc::new(Accounts::invented(&suppliers)), kind: Kind::Silent });
        }
        let data = folder.join("emulator");
        let process =
            Command::new(std::env::current_exe()?).arg(SERVE).arg(&data).arg(suppliers.len().to_string()).spawn()?;
        let process = Process(process);
        let connection = connection(data.join(CONNECTION_FILE)).await?;
        let accounts = Arc::new(Accounts::of(&connection)?);
        Ok(Self { accounts, kind: Kind::Http { connection: Box::new(connection), _process: process } })
    }

    pub(crate) fn credentials(&self) -> Arc<dyn CredentialStore> {
        self.accounts.clone()
    }

    pub(crate) async fn transport(&self) -> Result<Arc<dyn Transport>> {
        Ok(match &self.kind {
            Kind::Silent => Arc::new(YesTransport::new(SystemClock::shared())),
            Kind::Http { connection, .. } => {
                let config = DirectConfig::new(&connection.base_url, &connection.auth_public_key);
                Arc::new(connect(config, Environment::Sandbox, Path::new("."), SystemEntropy::shared()).await?)
            }
        })
    }

    pub(crate) fn verifier(&self) -> Result<Arc<dyn TokenVerifier>> {
        let mut keys = KeySet::new();
        if let Kind::Http { connection, .. } = &self.kind {
            keys.add_pem(&connection.signing_public_key, Some(&connection.signing_kid))?;
        }
        Ok(Arc::new(keys))
    }
}

/// Waits for the file by which the emulator says that it is ready.
async fn connection(path: PathBuf) -> Result<Connection> {
    let deadline = tokio::time::Instant::now() + START_PATIENCE;
    loop {
        if let Ok(text) = tokio::fs::read(&path).await {
            return Ok(serde_json::from_slice(&text)?);
        }
        if tokio::time::Instant::now() > deadline {
            return Err("the emulator did not come up".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The accounts of the emulator, by GSTIN and by PAN.
#[derive(Debug, Default)]
struct Accounts {
    users: HashMap<Gstin, ApiUser>,
    clients: HashMap<String, ClientPair>,
}

impl Accounts {
    fn of(connection: &Connection) -> Result<Self> {
        let mut accounts = Self::default();
        for user in &connection.users {
            accounts.add(
                Gstin::parse(&user.gstin)?,
                [&user.username, &user.password, &user.client_id, &user.client_secret].map(String::as_str),
            );
        }
        Ok(accounts)
    }

    fn invented(suppliers: &[Gstin]) -> Self {
        let mut accounts = Self::default();
        for supplier in suppliers {
            accounts.add(*supplier, ["user", "password", "client", "secret"]);
        }
        accounts
    }

    fn add(&mut self, gstin: Gstin, [user_name, password, client_id, client_secret]: [&str; 4]) {
        let user = ApiUser { user_name: Secret::from(user_name), password: Secret::from(password) };
        let client = ClientPair { client_id: Secret::from(client_id), client_secret: Secret::from(client_secret) };
        self.users.insert(gstin, user);
        self.clients.extend(gstin.pan().map(|pan| (pan.to_string(), client)));
    }
}

/// For what this store is not asked in a run.
fn read_only() -> CredentialError {
    CredentialError::ReadOnly { store: "the emulator's accounts".into(), hint: "they are made at its start".into() }
}

#[async_trait]
impl CredentialStore for Accounts {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(false, false, false)
    }

    async fn client(&self, scope: &ClientScope) -> std::result::Result<ClientPair, CredentialError> {
        let found = match &scope.holder {
            ClientHolder::Pan(pan) => self.clients.get(&pan.to_string()).cloned(),
            _ => None,
        };
        found.ok_or_else(|| missing(CredentialScope::Client(scope.clone())))
    }

    async fn api_user(&self, scope: &UserScope) -> std::result::Result<ApiUser, CredentialError> {
        self.users.get(&scope.gstin).cloned().ok_or_else(|| missing(CredentialScope::User(scope.clone())))
    }

    async fn put(&self, _entry: CredentialEntry) -> std::result::Result<(), CredentialError> {
        Err(read_only())
    }

    async fn list(&self) -> std::result::Result<Vec<CredentialSummary>, CredentialError> {
        Ok(Vec::new())
    }

    async fn remove(&self, _scope: &CredentialScope) -> std::result::Result<(), CredentialError> {
        Err(read_only())
    }

    async fn session(&self, _scope: &UserScope) -> std::result::Result<Option<SavedSession>, CredentialError> {
        Ok(None)
    }

    async fn save_session(
        &self,
        _scope: &UserScope,
        _session: &SavedSession,
    ) -> std::result::Result<(), CredentialError> {
        Ok(())
    }
}

fn missing(scope: CredentialScope) -> CredentialError {
    CredentialError::Missing { scope: Box::new(scope), store: "the emulator's accounts".into() }
}

/// Registers whatever comes, without a network, and signs with a key that nobody has: the signatures
/// cannot be verified, while everything else is as large as in earnest.
#[derive(Debug)]
struct YesTransport {
    capability: TransportCapability,
    clock: SharedClock,
    acknowledgements: AtomicU64,
}

impl YesTransport {
    fn new(clock: SharedClock) -> Self {
        let operations = [OperationKind::GenerateIrn];
        let capability = TransportCapability::new(TransportMode::InProcess, Environment::Sandbox, "YES", operations);
        Self { capability, clock, acknowledgements: AtomicU64::new(112_610_000_000_000) }
    }

    fn bad_answer(&self, reason: &str) -> TransportError {
        TransportError::BadAnswer {
            endpoint: self.capability.site.clone(),
            http_status: None,
            reason: reason.to_owned(),
            changes_books: false,
        }
    }
}

#[async_trait]
impl Transport for YesTransport {
    fn capability(&self) -> &TransportCapability {
        &self.capability
    }

    async fn login(&self, request: LoginRequest<'_>) -> std::result::Result<Session, TransportError> {
        let saved = SavedSession {
            token: Secret::from("token"),
            sek: Secret::new(vec![7; 32]),
            app_key: Secret::new(vec![7; 32]),
            expires_at: self.clock.now() + Duration::from_hours(6),
            provider: None,
        };
        Ok(Session::new(request.access.clone(), saved))
    }

    async fn call(&self, _session: &Session, operation: &Operation) -> std::result::Result<Reply, TransportError> {
        let Operation::GenerateIrn { payload } = operation else {
            return Err(TransportError::Unsupported { operation: operation.kind() });
        };
        let text = std::str::from_utf8(payload).map_err(|_| self.bad_answer("no text"))?;
        let read = Invoice::from_json(text).map_err(|_| self.bad_answer("no document"))?;
        let key = read.invoice.document_key().ok_or_else(|| self.bad_answer("no key"))?;
        let ack_date = PortalTime::parse("2026-11-20 12:00:30").map_err(|_| self.bad_answer("no time"))?;
        let ack_no = self.acknowledgements.fetch_add(1, Ordering::Relaxed).to_string();
        let irn = Irn::compute(&key, IrnRule::UpperCase);
        let rest = text.strip_prefix('{').unwrap_or_default();
        let copy = format!(r#"{{"AckNo":{ack_no},"AckDt":"{ack_date}","Irn":"{irn}",{rest}"#);
        let code = qr_claims(&read.invoice, &irn).to_string();
        Ok(Reply::Registration(Box::new(Registration {
            ack_no,
            ack_date,
            irn,
            status: RegistrationStatus::Active,
            signed_invoice: Some(unsigned_token(&copy)),
            signed_qr: Some(unsigned_token(&code)),
            ewb: None,
            remarks: None,
            info: Vec::new(),
            site: None,
        })))
    }

    async fn probe(&self) -> std::result::Result<Probe, TransportError> {
        Ok(Probe { endpoint: self.capability.site.clone(), text: "yes".into() })
    }
}

fn qr_claims(invoice: &Invoice, irn: &Irn) -> serde_json::Value {
    let (seller, buyer, doc) = (&invoice.seller_dtls, &invoice.buyer_dtls, &invoice.doc_dtls);
    serde_json::json!({
        "SellerGstin": seller.gstin.get().map(|gstin| gstin.to_string()),
        "BuyerGstin": buyer.gstin.get().map(|gstin| gstin.to_string()),
        "DocNo": doc.no.as_ref().map(ToString::to_string),
        "DocTyp": doc.typ.get().map(|typ| typ.to_string()),
        "DocDt": doc.dt.get().map(|date| date.to_string()),
        "TotInvVal": invoice.val_dtls.tot_inv_val.get().map(|total| total.to_string()),
        "ItemCnt": invoice.item_list.len(),
        "Irn": irn.to_string(),
    })
}

/// A token of the size and form of a signed one; its signature is all zeros, by a key nobody has.
fn unsigned_token(data: &str) -> String {
    let payload = serde_json::json!({"data": data, "iss": "nobody"}).to_string();
    let header = BASE64_URL.encode(r#"{"alg":"RS256","kid":"0000000000000000000000000000000000000000","typ":"JWT"}"#);
    format!("{header}.{}.{}", BASE64_URL.encode(payload), BASE64_URL.encode([0; 256]))
}
