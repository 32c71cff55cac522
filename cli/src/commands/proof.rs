//! Puts the credentials of a taxpayer to the proof as every call goes: with the budget and the sessions that are kept.

use einvoice_core::access::Gateway;
use einvoice_core::credential::UserScope;
use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_core::proof;
use einvoice_core::transport::{LoginReach, TransportError};
use jiff::Timestamp;

/// A session, by a login where none is kept, and a read of what cannot exist: a session says nothing of a client pair that
/// came later, and through some providers nobody looks at the credentials before the first call.
pub(super) async fn prove(gateway: &Gateway, user: &UserScope, now: Timestamp) -> Result<(), TransportError> {
    gateway.ready(user.gstin, user.product).await?;
    read(gateway, user, now).await
}

/// The read alone.
pub(super) async fn read(gateway: &Gateway, user: &UserScope, now: Timestamp) -> Result<(), TransportError> {
    let capability = gateway.transport().capability();
    match proof::read(capability, user.product, now) {
        Some(read) => proof::of_read(gateway.call(user.gstin, &read).await),
        None if capability.login_reach(user.product) == LoginReach::Taxpayer => Ok(()),
        None => Err(no_read(user.product)),
    }
}

/// Where the route carries no read that could prove anything.
pub(super) const fn no_read(product: Product) -> TransportError {
    let operation = match product {
        Product::EInvoice => OperationKind::GetIrn,
        _ => OperationKind::GetEwb,
    };
    TransportError::Unsupported { operation }
}
