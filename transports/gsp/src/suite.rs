//! The promises of a transport, asked of a profile: over HTTP, from a portal that does as it is told and has the
//! provider's words.
#![expect(clippy::panic, reason = "a suite whose own parts cannot be made is broken")]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::date::DocumentDate;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::ewb::{CancelReason, EwbNumber};
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::Irn;
use einvoice_core::key::DocumentType;
use einvoice_core::operation::{Operation, OperationKind};
use einvoice_core::session::Session;
use einvoice_core::transport::{LoginRequest, Transport};
use einvoice_http::{HttpExchange, HttpSettings, usable_address};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_sandbox::PortalRequest;
use einvoice_testkit::documents::Recipe;
use einvoice_testkit::transport_suite::portal::{Answer, Counts, ScriptedPortal, Wording};
use einvoice_testkit::transport_suite::{
    AUTH_PUBLIC_KEY, Ability, About, BODY_BYTES_MAX, QUESTIONS, TAXPAYER, TOTAL_TIMEOUT_MS, TransportHarness,
    worthless_session,
};
use serde::Deserialize;

use crate::emulator::{Place, Provider};
use crate::profile::{
    Crypto, Known, Meaning, Named, ProductProfile, Profile, ProfileError, TaxpayerMode, read_profile,
};
use crate::{GspParts, GspTransport};

/// The token that the account has at the scripted provider.
const PROVIDER_TOKEN: &str = "provider-token-Hb6Qz3";

/// A transport by a profile, and a portal behind the provider that does as it is told.
#[derive(Debug)]
pub struct ThroughProvider {
    profile: Arc<Profile>,
    /// The e-invoice system, or the other one where the profile registers nothing.
    product: Product,
    portal: ScriptedPortal,
    transport: Arc<dyn Transport>,
    /// Requests before the first promise: the login to the provider.
    earlier: usize,
}

/// Why a profile cannot be put to the suite.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// It cannot work.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// It changes nothing at the portals, and the suite needs a write and a read.
    #[error("profile {id} carries neither `generate_irn` nor `cancel_ewb`, and the suite needs one of them")]
    NoWrite {
        /// The profile.
        id: String,
    },
    /// No transport can be made of it.
    #[error("{0}")]
    Parts(String),
}

/// A refusal as the suite writes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortalsRefusal {
    status: u8,
    error_details: Option<Vec<PortalsError>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortalsError {
    error_code: String,
    error_message: String,
}

impl ThroughProvider {
    /// Starts a portal behind the provider of this profile, by its name or file.
    ///
    /// # Errors
    /// When the profile cannot work, or carries no write that the suite knows.
    pub async fn named(name: &str) -> Result<Self, SuiteError> {
        Self::of(read_profile(name, Path::new(""))?).await
    }

    /// Starts a portal behind the provider of this profile.
    ///
    /// # Errors
    /// When the profile carries no write that the suite knows.
    pub async fn of(profile: Profile) -> Result<Self, SuiteError> {
        let profile = Arc::new(profile);
        let portal = ScriptedPortal::in_other_words(Answer::refusal("2172", "x"), wording(Arc::clone(&profile))).await;
        let transport = Arc::new(transport(&profile, &portal.base_url()).map_err(SuiteError::Parts)?);
        let carried = &transport.capability().operations;
        let product = if carried.contains(&OperationKind::GenerateIrn) {
            Product::EInvoice
        } else if carried.contains(&OperationKind::CancelEwb) {
            Product::EWayBill
        } else {
            return Err(SuiteError::NoWrite { id: profile.id.clone() });
        };
        let mut harness = Self { profile, product, portal, transport, earlier: 0 };
        if harness.profile.provider.login.is_some() {
            harness.log_in_to_provider().await;
        }
        Ok(harness)
    }

    /// The token of the account comes first, so that every promise finds one.
    async fn log_in_to_provider(&mut self) {
        let session = worthless_session();
        let (access, product) = (session.access(), self.product);
        self.portal.set(Answer::Once { status: 200, body: String::new() });
        let request = LoginRequest { access, product, force_refresh: false, previous: None };
        // Only the login to the provider is wanted; what the taxpayer's login says does not matter here.
        let _result = self.transport.login(request).await;
        self.earlier = self.portal.requests().len();
    }

    fn part(&self) -> Option<&ProductProfile> {
        self.profile.product(self.product)
    }

    /// Whether the requests of an operation name the taxpayer.
    fn names(&self, kind: OperationKind) -> bool {
        let Some(part) = self.part() else { return false };
        if part.crypto == Crypto::Nic {
            return true;
        }
        let common = &self.profile.provider;
        let mut tables: Vec<&Named> = vec![&common.headers, &common.query, &part.headers, &part.query];
        let Some(how) = part.operations.get(&kind) else { return false };
        tables.extend([&how.headers, &how.query, &how.members, &how.add]);
        if kind.changes_books() {
            tables.push(&part.add);
        }
        let mut templates = tables.into_iter().flat_map(Named::values).chain([how.http.path()]);
        templates.any(|template| template.uses(Known::Gstin))
    }

    fn carries(&self, kind: OperationKind) -> bool {
        self.transport.capability().operations.contains(&kind)
    }
}

fn transport(profile: &Profile, base_url: &str) -> Result<GspTransport<HttpExchange>, String> {
    let settings = HttpSettings {
        connect_timeout_ms: TOTAL_TIMEOUT_MS,
        total_timeout_ms: TOTAL_TIMEOUT_MS,
        body_bytes_max: BODY_BYTES_MAX,
        ..HttpSettings::default()
    };
    let hosts = Provider::hosts(base_url);
    let to = |address: &str| {
        let url = usable_address("hosts", address, Environment::Sandbox).map_err(|error| error.to_string())?;
        HttpExchange::new(&settings, &url).map_err(|error| error.to_string())
    };
    let both = |product| Ok::<_, String>((to(hosts.of(product))?, to(hosts.of(product))?));
    let key = || AuthPublicKey::from_pem(AUTH_PUBLIC_KEY).map_err(|error| error.to_string());
    let parts = GspParts {
        environment: Environment::Sandbox,
        settings: profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect(),
        site: "NIC1".to_owned(),
        common: to(&hosts.common)?,
        irp: profile.irp.as_ref().map(|_| both(Product::EInvoice)).transpose()?,
        ewb: profile.ewb.as_ref().map(|_| both(Product::EWayBill)).transpose()?,
        irp_key: Some(key()?),
        ewb_key: Some(key()?),
        call_time_max: settings.total_timeout(),
        entropy: SystemEntropy::shared(),
        clock: SystemClock::shared(),
        profile: profile.clone(),
    };
    GspTransport::new(parts).map_err(|error| error.to_string())
}

/// The portal's answers in the provider's words.
fn wording(profile: Arc<Profile>) -> Wording {
    Arc::new(move |request, answer| {
        let request = taken_apart(request);
        let place = Place::of(&profile, &request);
        let is_before = matches!(answer, Answer::Once { .. });
        let is_provider_login = place == Place::ProviderLogin;
        if is_provider_login || (is_before && matches!(place, Place::TaxpayerLogin(_))) {
            let now = SystemClock::shared().now();
            return place.login(&profile, PROVIDER_TOKEN, now).map(|body| Answer::Once { status: 200, body });
        }
        let (status, errors) = match answer {
            Answer::Echo => (200, vec![("2154".to_owned(), words(&request))]),
            Answer::Reply { status, body } => (*status, refused(body)?),
            _ => return None,
        };
        place.refusal(&profile, &errors).map(|body| Answer::Reply { status, body })
    })
}

/// What a request asks for, without marks that a provider takes texts apart by.
fn words(request: &PortalRequest) -> String {
    let text = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
    let headers = request.headers.iter().filter(|(name, _)| name.to_ascii_lowercase().starts_with("doc"));
    let text = headers.fold(text, |text, (_, value)| format!("{text} {value}"));
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { ' ' }).collect()
}

fn refused(body: &str) -> Option<Vec<(String, String)>> {
    let refusal: PortalsRefusal = serde_json::from_str(body).ok()?;
    let errors = refusal.error_details.filter(|errors| refusal.status == 0 && !errors.is_empty())?;
    Some(errors.into_iter().map(|error| (error.error_code, error.error_message)).collect())
}

fn taken_apart(request: &str) -> PortalRequest {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let mut line = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let headers = lines.filter_map(|line| line.split_once(':'));
    PortalRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

#[async_trait]
impl TransportHarness for ThroughProvider {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    fn session(&self) -> Session {
        worthless_session()
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            Ability::TaxpayerLogin => self.part().is_some_and(|part| {
                matches!(part.taxpayer, TaxpayerMode::Login | TaxpayerMode::WarmUp | TaxpayerMode::Nic)
            }),
            Ability::Reads => !self.questions().is_empty(),
            // A refusal of the e-way bill system has no room for words.
            Ability::Questions => self.product == Product::EInvoice && !self.questions().is_empty(),
            Ability::NamedTaxpayer => self.names(self.a_write().kind()) && self.names(self.a_read().kind()),
            _ => true,
        }
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
        self.portal.requests().split_off(self.earlier)
    }

    fn product(&self) -> Product {
        self.product
    }

    fn refusal(&self, about: About) -> (&'static str, &'static str) {
        match (self.product, about) {
            (Product::EWayBill, About::Document) => ("312", ""),
            (Product::EWayBill, About::Token) => ("105", ""),
            (Product::EWayBill, About::Login) => ("108", ""),
            (_, About::Document) => ("2172", "For Intra-state transaction, IGST is not applicable"),
            (_, About::Token) => ("1005", "Invalid Token"),
            (_, About::Login) => ("3002", "Invalid login credentials"),
        }
    }

    fn a_write(&self) -> Operation {
        if self.product == Product::EWayBill {
            let number = bill(1);
            return Operation::CancelEwb { number, reason: CancelReason::Duplicate, remark: "made twice".to_owned() };
        }
        // A hook that remodels documents wants a whole one.
        Operation::GenerateIrn { payload: Recipe::numbered(1).invoice().to_json().into_bytes().into() }
    }

    fn a_read(&self) -> Operation {
        let asked = self.questions().into_iter().next();
        asked.map_or_else(|| self.a_write(), |(_, operation)| operation)
    }

    fn questions(&self) -> Vec<(String, Operation)> {
        let kinds = match self.product {
            Product::EInvoice => {
                [OperationKind::GetIrn, OperationKind::GstinDetails, OperationKind::GetIrnByDocument].as_slice()
            }
            _ => [OperationKind::GetEwb].as_slice(),
        };
        let Some(kind) = kinds.iter().find(|kind| self.carries(**kind)) else { return Vec::new() };
        (0..QUESTIONS).filter_map(|number| question(*kind, number)).collect()
    }

    fn unclear_answers(&self) -> Vec<String> {
        let mut bodies = vec![String::new(), "{}".to_owned(), "null".to_owned(), "[]".to_owned()];
        let place = Place::Operation(self.product, self.a_write().kind());
        bodies.extend(["{}", "null", r#"{"Irn":"x"}"#].iter().filter_map(|content| place.yes(&self.profile, content)));
        if self.part().is_some_and(|part| part.crypto == Crypto::Nic) {
            bodies.push(r#"{"Status":1,"Data":null,"ErrorDetails":null}"#.to_owned());
            bodies.push(r#"{"Status":0,"Data":null,"ErrorDetails":null}"#.to_owned());
        }
        bodies
    }

    fn understands(&self, status: u16) -> bool {
        self.profile.http.iter().any(|rule| rule.status == status && rule.is != Meaning::Body)
    }

    fn names_taxpayer(&self, request: &str) -> usize {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let naming = |line: &&str| line.contains(TAXPAYER);
        let mut names: Vec<String> = head
            .lines()
            .skip(1)
            .filter(naming)
            .filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase()))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        if names.len() != all {
            return all;
        }
        usize::from(all > 0 || head.contains(TAXPAYER) || body.contains(TAXPAYER))
    }

    async fn wait_for(&self, at_least: Counts) {
        self.portal.wait_for(|counts| counts.reached(at_least)).await;
    }
}

/// An e-way bill that nobody made.
fn bill(number: u32) -> EwbNumber {
    let text = format!("39100914{:04}", number % 10_000);
    EwbNumber::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn question(kind: OperationKind, number: u32) -> Option<(String, Operation)> {
    Some(match kind {
        OperationKind::GstinDetails => {
            let text = format!("29AAAAB{number:04}A1Z5");
            let gstin = Gstin::parse(&text).ok()?;
            (text, Operation::GstinDetails { gstin })
        }
        OperationKind::GetEwb => (bill(number).to_string(), Operation::GetEwb { number: bill(number) }),
        OperationKind::GetIrn => {
            let text = format!("{number:02x}{}", "6dacecda0ef6f8".repeat(5)).get(..64)?.to_owned();
            let irn = Irn::parse(&text).ok()?;
            (text, Operation::GetIrn { irn, site: None })
        }
        _ => {
            let text = format!("Q{number:04}");
            let operation = Operation::GetIrnByDocument {
                doc_type: DocumentType::Invoice,
                number: DocumentNumber::parse(&text).ok()?,
                date: DocumentDate::from_ymd(2026, 11, 5)?,
                site: None,
            };
            (text, operation)
        }
    })
}
