//! A portal, a provider in front of it by a profile, and a transport to it by the same profile: all in this process.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::{ManualClock, SharedClock};
use einvoice_core::credential::{Access, ApiUser, ClientPair};
use einvoice_core::date::DocumentDate;
use einvoice_core::entropy::SeededEntropy;
use einvoice_core::environment::{Environment, Product};
use einvoice_core::ewb::request::{Carriage, EwbByIrn};
use einvoice_core::ewb::{CancelReason, EwbNumber, TransMode, VehicleType};
use einvoice_core::identifier::DocumentNumber;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentType;
use einvoice_core::operation::{Operation, OperationKind, Registration, Reply};
use einvoice_core::secret::Secret;
use einvoice_core::session::{SavedSession, Session};
use einvoice_core::transport::{LoginRequest, Transport, TransportError};
use einvoice_protocol::login::AuthPublicKey;
use einvoice_sandbox::{InProcess, PortalSettings, Sandbox, UserAccount};
use einvoice_testkit::documents::Recipe;
use jiff::Timestamp;

use super::round::Why;
use crate::emulator::{Provider, ProviderAccount};
use crate::profile::{Profile, TaxpayerMode};
use crate::{GspParts, GspTransport};

/// The account at the provider. Worthless, and looked for in every error.
const CLIENT_ID: &str = "worthless-client-7";
const CLIENT_SECRET: &str = "worthless-secret-7";

/// All that a round needs.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) provider: Arc<Provider>,
    pub(super) transport: GspTransport<InProcess>,
    clock: SharedClock,
    access: [Access; 2],
}

impl World {
    pub(super) async fn of(profile: &Profile) -> Result<Self, Why> {
        // A day on which the documents of the recipes are fresh: 5 November 2026, noon in India.
        let noon = Timestamp::from_second(1_793_860_200).map_err(|error| Why::broken(error.to_string()))?;
        let clock: SharedClock = Arc::new(ManualClock::new(noon));
        let entropy = Arc::new(SeededEntropy::new(1));
        let sandbox = Sandbox::in_memory(PortalSettings::default(), clock.clone(), entropy).map_err(Why::of)?;
        let supplier = Recipe::numbered(1).supplier;
        sandbox.provision(supplier.as_str()).await.map_err(Why::of)?;
        let account = ProviderAccount { client_id: CLIENT_ID.to_owned(), client_secret: CLIENT_SECRET.to_owned() };
        let provider = Arc::new(Provider::new(profile.clone(), account, settings(profile)));
        sandbox.put_in_front("/gsp", provider.clone());
        let transport = transport(profile, &sandbox, clock.clone())?;
        let access = [
            access(profile, Product::EInvoice, sandbox.users())?,
            access(profile, Product::EWayBill, sandbox.ewb_users())?,
        ];
        Ok(Self { sandbox, provider, transport, clock, access })
    }

    /// A transport as another worker has it, who knows no token yet.
    pub(super) fn another_transport(&self) -> Result<GspTransport<InProcess>, Why> {
        transport(self.transport.profile(), &self.sandbox, Arc::clone(&self.clock))
    }

    pub(super) fn can(&self, kind: OperationKind) -> bool {
        self.transport.capability().operations.contains(&kind)
    }

    /// Who calls.
    pub(super) const fn access(&self) -> &Access {
        let [irp, _] = &self.access;
        irp
    }

    /// From here on somebody else calls the e-invoice system.
    pub(super) fn becomes(&mut self, client_secret: Option<&str>, password: Option<&str>) {
        let [irp, _] = &mut self.access;
        let (client, user) = (irp.client().clone(), irp.user().clone());
        let client = ClientPair { client_secret: client_secret.map_or(client.client_secret, Secret::from), ..client };
        let user = ApiUser { password: password.map_or(user.password, Secret::from), ..user };
        *irp = Access::new(irp.gstin(), client, user);
    }

    pub(super) async fn login(&self, product: Product) -> Result<Session, TransportError> {
        self.login_after(product, None).await
    }

    /// A login of somebody who has this session of an earlier run.
    pub(super) async fn login_after(
        &self,
        product: Product,
        previous: Option<&SavedSession>,
    ) -> Result<Session, TransportError> {
        let [irp, ewb] = &self.access;
        let access = if product == Product::EInvoice { irp } else { ewb };
        self.transport.login(LoginRequest { access, product, force_refresh: false, previous }).await
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn registered(
        &self,
        session: &Session,
        operation: &Operation,
    ) -> Result<Result<Registration, TransportError>, Why> {
        match self.transport.call(session, operation).await {
            Ok(Reply::Registration(registration)) => Ok(Ok(*registration)),
            Ok(other) => Err(Why::broken(format!("{} instead of a registration", other.words()))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// An e-way bill of a registration, both made at the portal itself.
    pub(super) async fn bill(&self, number: u32) -> Result<EwbNumber, Why> {
        let portal = self.sandbox.transport(Arc::new(SeededEntropy::new(3))).map_err(Why::of)?;
        let supplier = Recipe::numbered(1).supplier;
        let (client, user) = self.sandbox.provision(supplier.as_str()).await.map_err(Why::of)?;
        let pair =
            ClientPair { client_id: Secret::new(client.client_id), client_secret: Secret::new(client.client_secret) };
        let access = Access::new(supplier, pair, user_of(&user));
        let request =
            LoginRequest { access: &access, product: Product::EInvoice, force_refresh: false, previous: None };
        let session = portal.login(request).await.map_err(Why::of)?;
        portal.call(&session, &generate(number)).await.map_err(Why::of)?;
        match portal.call(&session, &bill_of(number)).await.map_err(Why::of)? {
            Reply::EwayBill(made) => Ok(made.number),
            other => Err(Why::broken(format!("{} instead of an e-way bill", other.words()))),
        }
    }

    /// Whether an error shows a credential.
    pub(super) fn shows_a_secret(&self, error: &TransportError, further: &[&str]) -> bool {
        let shown = format!("{error} {error:?}");
        let user = self.access().user();
        let own = [user.password.expose().as_str(), user.user_name.expose().as_str(), CLIENT_SECRET];
        own.iter().chain(further).any(|secret| !secret.is_empty() && shown.contains(secret))
    }
}

/// Values that the profile's settings have here.
fn settings(profile: &Profile) -> BTreeMap<String, String> {
    profile.settings.keys().map(|name| (name.clone(), format!("own-{name}"))).collect()
}

fn transport(profile: &Profile, sandbox: &Sandbox, clock: SharedClock) -> Result<GspTransport<InProcess>, Why> {
    let to = |part: &'static str| InProcess::below(sandbox.clone(), Cow::Owned(format!("/gsp{part}")));
    let key = |pem: &str| AuthPublicKey::from_pem(pem).map_err(Why::of);
    GspTransport::new(GspParts {
        environment: Environment::Sandbox,
        settings: settings(profile),
        site: "NIC1".to_owned(),
        common: to("/common"),
        irp: Some((to("/irp"), to("/irp"))),
        ewb: Some((to("/ewb"), to("/ewb"))),
        irp_key: Some(key(&sandbox.auth_public_key_pem())?),
        ewb_key: Some(key(&sandbox.ewb_auth_public_key_pem())?),
        call_time_max: Duration::from_mins(1),
        entropy: Arc::new(SeededEntropy::new(2)),
        clock,
        profile: profile.clone(),
    })
    .map_err(Why::of)
}

fn access(profile: &Profile, product: Product, users: Vec<UserAccount>) -> Result<Access, Why> {
    let supplier = Recipe::numbered(1).supplier;
    let found = users.into_iter().find(|user| user.gstin == supplier.as_str());
    let user = found.ok_or_else(|| Why::broken("the emulator has no API user for the supplier"))?;
    let client = ClientPair { client_id: Secret::from(CLIENT_ID), client_secret: Secret::from(CLIENT_SECRET) };
    let is_at_provider = profile.product(product).is_some_and(|part| part.taxpayer == TaxpayerMode::AtProvider);
    Ok(Access::new(supplier, client, if is_at_provider { ApiUser::at_provider() } else { user_of(&user) }))
}

fn user_of(user: &UserAccount) -> ApiUser {
    ApiUser { user_name: Secret::from(&*user.username), password: Secret::from(&*user.password) }
}

pub(super) fn generate(number: u32) -> Operation {
    Operation::GenerateIrn { payload: Recipe::numbered(number).invoice().to_json().into_bytes().into() }
}

/// A document of a year ahead.
pub(super) fn generate_too_early(number: u32) -> Result<Operation, Why> {
    let mut invoice = Recipe::numbered(number).invoice();
    let date = einvoice_core::document::MemberPath::parse("DocDtls.Dt").map_err(Why::of)?;
    invoice.set_text(&date, 0, "05/11/2027");
    Ok(Operation::GenerateIrn { payload: invoice.to_json().into_bytes().into() })
}

pub(super) fn irn(number: u32) -> Result<Irn, Why> {
    let key = Recipe::numbered(number).invoice().document_key();
    let key = key.ok_or_else(|| Why::broken("the document of the recipe has no key"))?;
    Ok(Irn::compute(&key, IrnRule::UpperCase))
}

pub(super) fn by_document(number: u32) -> Result<Operation, Why> {
    let date = DocumentDate::from_ymd(2026, 11, 5).ok_or_else(|| Why::broken("no date"))?;
    let number = DocumentNumber::parse(&format!("T/{number}")).map_err(Why::of)?;
    Ok(Operation::GetIrnByDocument { doc_type: DocumentType::Invoice, number, date, site: None })
}

fn bill_of(number: u32) -> Operation {
    let carriage = Carriage {
        mode: Some(TransMode::Road),
        vehicle: Some("KA01AB1234".into()),
        vehicle_type: Some(VehicleType::Regular),
        ..Carriage::default()
    };
    let key = Recipe::numbered(number).invoice().document_key();
    let irn = key.map_or_else(|| Irn::from_bytes([0; 32]), |key| Irn::compute(&key, IrnRule::UpperCase));
    let request = EwbByIrn {
        irn,
        distance_km: 100,
        transporter: None,
        transporter_name: None,
        carriage,
        ship_to: None,
        dispatch_from: None,
    };
    Operation::GenerateEwbByIrn { request: Box::new(request), site: None }
}

pub(super) fn cancel(number: u32) -> Result<Operation, Why> {
    let irn = irn(number)?;
    Ok(Operation::CancelIrn { irn, reason: CancelReason::Duplicate, remark: "made twice".to_owned(), site: None })
}
