//! Calls as they are, beside the protection of an account: a rehearsal refuses on purpose.

use super::Gateway;
use crate::environment::Environment;
use crate::identifier::Gstin;
use crate::raw::{RawAnswer, RawCall};
use crate::transport::{TransportError, raw_calls_in_production};

impl Gateway {
    /// Carries a call as it is, under the session of a GSTIN, logging in for that first if needed.
    ///
    /// A refusal closes nothing and is not followed by another login: the caller brought it about on purpose. While
    /// there is a session, a login of the same user brings its token again and ends nothing.
    ///
    /// # Errors
    /// [`TransportError::HeldBack`] in production, where nothing may be tried out; any [`TransportError`] of the
    /// login or the call.
    pub async fn call_raw(&self, gstin: Gstin, call: &RawCall) -> Result<RawAnswer, TransportError> {
        let route = format!("route {}", self.route.as_str());
        if self.environment == Environment::Production {
            return Err(raw_calls_in_production(&route));
        }
        self.transport.capability().admit_rehearsal(&route)?;
        let product = call.target.product();
        self.check_doors(gstin, product)?;
        let session = self.session(gstin, product).await?;
        self.transport.call_raw(&session, call).await
    }
}
