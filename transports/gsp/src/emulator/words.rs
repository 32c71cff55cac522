//! What a request to a provider is, and an answer in its words, where no portal stands behind: for scripts that answer as
//! they are told.

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;
use einvoice_sandbox::PortalRequest;
use jiff::{SignedDuration, Timestamp};

use super::asked::login_yes;
use super::places::{action_fits, fits, is_login};
use super::said::{By, nic_no, no, yes};
use super::taken::{Came, decoded};
use super::{COMMON, EWB, IRP};
use crate::profile::{Crypto, Layer, Login, Profile, TaxpayerMode};

/// What a request to a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a profile knows no other requests")]
pub enum Place {
    /// The login to the provider.
    ProviderLogin,
    /// A taxpayer's login in the provider's own form.
    TaxpayerLogin(Product),
    /// An operation in the provider's own form.
    Operation(Product, OperationKind),
    /// Something in the portal's protocol, which passes through.
    Passed(Product),
    /// A heartbeat, or nothing that is known.
    Other,
}

impl Place {
    /// What a request is, whose path begins at the provider's address.
    #[must_use]
    pub fn of(profile: &Profile, request: &PortalRequest) -> Self {
        if let Some(target) = request.target.strip_prefix(COMMON) {
            let came = Came::of(request, target);
            let is_own = profile.provider.login.as_ref().is_some_and(|login| is_at(login, &came));
            return if is_own { Self::ProviderLogin } else { Self::Other };
        }
        let parts = [(IRP, Product::EInvoice), (EWB, Product::EWayBill)];
        let found = parts.into_iter().find_map(|(prefix, product)| {
            Some((product, profile.product(product)?, request.target.strip_prefix(prefix)?))
        });
        let Some((product, part, target)) = found else { return Self::Other };
        let came = Came::of(request, target);
        if part.crypto == Crypto::Nic || (part.taxpayer == TaxpayerMode::Nic && is_login(product, part, &came)) {
            return Self::Passed(product);
        }
        let operation = part.operations.iter().find(|(kind, how)| fits(how, &came) && action_fits(**kind, how, &came));
        match operation {
            Some((kind, _)) => Self::Operation(product, *kind),
            None if part.login.as_ref().is_some_and(|login| is_at(login, &came)) => Self::TaxpayerLogin(product),
            None => Self::Other,
        }
    }

    /// A refusal of the portal's in the provider's words, or in the portal's own where those pass through.
    #[must_use]
    pub fn refusal(self, profile: &Profile, errors: &[(String, String)]) -> Option<String> {
        if let Self::Passed(product) = self {
            return Some(nic_no(product, &errors.to_vec(), None));
        }
        let (layers, product) = self.layers(profile)?;
        Some(no(layers, product, By::Portal, &errors.to_vec(), None))
    }

    /// A yes with this content in the provider's words; nothing where the portal's own envelope is what comes.
    #[must_use]
    pub fn yes(self, profile: &Profile, content: &str) -> Option<String> {
        let (layers, product) = self.layers(profile)?;
        Some(yes(layers, product, content, None))
    }

    /// A login's yes with a token that lives for an hour; nothing for what is no login.
    #[must_use]
    pub fn login(self, profile: &Profile, token: &str, now: Timestamp) -> Option<String> {
        let (login, product) = match self {
            Self::ProviderLogin => (profile.provider.login.as_ref()?, Product::EInvoice),
            Self::TaxpayerLogin(product) => (profile.product(product)?.login.as_ref()?, product),
            _ => return None,
        };
        let end = now.checked_add(SignedDuration::from_hours(1)).unwrap_or(now);
        Some(login_yes(login, token, end, now, product))
    }

    pub(crate) fn layers(self, profile: &Profile) -> Option<(&[Layer], Product)> {
        Some(match self {
            Self::ProviderLogin => (profile.provider.login.as_ref()?.reply.as_slice(), Product::EInvoice),
            Self::TaxpayerLogin(product) => (profile.product(product)?.login.as_ref()?.reply.as_slice(), product),
            Self::Operation(product, kind) => {
                let part = profile.product(product)?;
                (part.operations.get(&kind)?.reply.as_ref().unwrap_or(&part.reply).as_slice(), product)
            }
            Self::Passed(_) | Self::Other => return None,
        })
    }
}

fn is_at(login: &Login, came: &Came<'_>) -> bool {
    login.http.method().as_str() == came.method && login.http.path().take(came.path, decoded).is_some()
}
