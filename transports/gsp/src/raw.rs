//! Calls as they are, through a provider: as far as it passes on what it is given.
//!
//! Where the portal's own protocol passes through, everything does but what the provider knows its caller by. Where the
//! provider seals, documents and questions do. A provider's own interface has shapes of its own, and none.

use std::collections::{BTreeMap, BTreeSet};

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_core::raw::{RawAnswer, RawBody, RawCall, RawHeader, RawPart, RawTarget};
use einvoice_core::secret::Secret;
use einvoice_core::session::Session;
use einvoice_core::transport::{Transport, TransportError, raw_calls_denied};
use einvoice_protocol::endpoints::percent_decoded;
use einvoice_protocol::exchange::Exchange;
use einvoice_protocol::question::{Beside, raw_question};

use crate::parts::Side;
use crate::plain::Wish;
use crate::profile::{Body, Crypto, Kind, Known, OperationProfile, ProductProfile, Profile, Template};
use crate::transport::GspTransport;
use crate::values::Asked;

/// What calls through a profile may ask, of the operations that it carries.
pub(crate) fn parts(profile: &Profile, operations: &BTreeSet<OperationKind>) -> BTreeSet<RawPart> {
    let mut parts = BTreeSet::new();
    if profile.kind == Kind::ProviderApi {
        return parts;
    }
    for (product, part) in [(Product::EInvoice, &profile.irp), (Product::EWayBill, &profile.ewb)] {
        let Some(part) = part else { continue };
        let of_product = operations.iter().copied().filter(|kind| kind.product() == product).collect();
        if part.crypto == Crypto::Nic {
            let taken = RawPart::all(&of_product).into_iter();
            parts.extend(taken.filter(|own| match own {
                RawPart::Header(_, header) => passes(profile, part, *header),
                _ => true,
            }));
            continue;
        }
        if part.crypto == Crypto::PlainWithSek && product == Product::EInvoice {
            parts.insert(RawPart::Login);
        }
        let in_portals_form = part.operations.iter().filter(|(kind, how)| is_in_portals_form(**kind, how));
        parts.extend(in_portals_form.map(|(kind, _)| RawPart::Content(*kind)));
    }
    parts
}

/// Whether an operation is asked by the portal's own content alone, so that a wrong one can be asked as well as a right
/// one: no hook rewrites it, and nothing of a document has to be found in it first.
fn is_in_portals_form(kind: OperationKind, how: &OperationProfile) -> bool {
    let templates = || {
        let tables = [&how.query, &how.headers, &how.add].into_iter().flat_map(|table| table.values());
        tables.chain([how.http.path()])
    };
    let needs_object =
        kind.changes_books() && templates().any(|one| one.uses(Known::Irn) || one.uses(Known::EwbNumber));
    let is_own = how.hook.is_some() || how.body == Some(Body::Members);
    !is_own && !needs_object && !templates().any(Template::is_reshaped)
}

/// Whether a header reaches the portal as it was sent: by client pair and GSTIN the provider knows its caller, and what
/// its profile writes it reads itself.
fn passes(profile: &Profile, part: &ProductProfile, header: RawHeader) -> bool {
    let known = match header {
        RawHeader::UserName => Known::UserName,
        RawHeader::Token => Known::TaxpayerToken,
        RawHeader::Site => Known::Site,
        _ => return false,
    };
    let common = &profile.provider;
    let mut written =
        [&common.headers, &part.headers, &common.query, &part.query].into_iter().flat_map(|table| table.values());
    !written.any(|template| template.uses(known))
}

/// The values that a question has for templates.
fn values(target: &RawTarget, kind: OperationKind) -> BTreeMap<Known, String> {
    let mut values = BTreeMap::new();
    if let Some(object) = target.object() {
        let known = match kind {
            OperationKind::GstinDetails | OperationKind::SyncGstin => Known::AskedGstin,
            _ => Known::Irn,
        };
        values.insert(known, percent_decoded(object).unwrap_or_default());
    }
    for (name, value) in target.parameters() {
        let known = match name {
            "doctype" => Known::DocumentType,
            "docnum" => Known::DocumentNumber,
            "docdate" => Known::DocumentDate,
            "date" => Known::Date,
            "ewbNo" => Known::EwbNumber,
            _ => continue,
        };
        values.insert(known, percent_decoded(value).unwrap_or_default());
    }
    values
}

impl<E: Exchange> GspTransport<E> {
    /// Carries a call that the capability admits.
    pub(crate) async fn carry_raw(&self, session: &Session, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let product = call.target.product();
        match (self.side(product), self.provider.profile.product(product), &call.target) {
            (Side::Nic(portal), _, _) | (Side::Plain { login: Some(portal), .. }, _, RawTarget::Login) => {
                portal.call_raw(session, call).await
            }
            (Side::Plain { exchange, .. }, Some(part), RawTarget::Operation { kind, .. }) => {
                self.plain_raw(exchange, part, session, call, *kind).await
            }
            _ => Err(raw_calls_denied()),
        }
    }

    async fn plain_raw(
        &self,
        exchange: &E,
        part: &ProductProfile,
        session: &Session,
        call: &RawCall,
        kind: OperationKind,
    ) -> Result<RawAnswer, TransportError> {
        let how = part.operations.get(&kind).ok_or(TransportError::Unsupported { operation: kind })?;
        let document = match &call.body {
            RawBody::None => None,
            RawBody::Sealed(plain) => Some(plain.as_ref()),
            _ => return Err(raw_calls_denied()),
        };
        let values = values(&call.target, kind);
        let bill = values.get(&Known::EwbNumber).cloned();
        let question = raw_question(kind, document, bill).ok_or(TransportError::Unsupported { operation: kind })?;
        let wish = Wish { kind, question, site: None, asked: Asked::Raw(&values) };
        let understand =
            |content: &str, beside: Beside| Ok(RawAnswer::new(Secret::new(content.to_owned()), beside.info));
        self.carry_plain(exchange, part, how, session, &wish, &understand).await
    }
}
