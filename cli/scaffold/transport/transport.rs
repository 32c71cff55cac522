//! The way to the portal through @name@.
//!
//! As it stands it takes @name@ for a provider that passes the portal's own protocol on, as most GSPs do: login, sealing,
//! envelopes and errors are those of the portal, and [`Gateway`] carries the requests. What @name@ wants otherwise goes
//! into [`as_wanted`] (headers, paths) and [`connect`] (what it carries, limits).
//!
//! A provider with an API of its own needs a `Transport` of its own in the place of [`IrpTransport`]; the suite stays the
//! same. A transport neither retries nor keeps tokens, and believes no reply: the core does that around every transport.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::environment::Environment;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::transport::{Transport, TransportMode};
use einvoice_direct::{DirectError, HttpExchange};
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};

use crate::config::@type@Config;

/// The way to the portal through @name@.
pub type @type@Transport = IrpTransport<Gateway>;

/// Carries requests to @name@ over HTTPS: each exactly once, no redirect followed, no answer read beyond its limit.
#[derive(Debug)]
pub struct Gateway {
    https: HttpExchange,
}

/// A request as @name@ wants it: what it wants beside the portal's own headers, or in their place, is said here, as in
/// `request.headers.push(Header::plain("x-product", "einvoice"))`. Credentials go as `Header::secret`, and no log has them.
fn as_wanted(request: HttpRequest) -> HttpRequest {
    request
}

#[async_trait]
impl Exchange for Gateway {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        self.https.send(as_wanted(request)).await
    }

    fn endpoint(&self) -> String {
        self.https.endpoint()
    }
}

/// Makes the transport of a route. Reads the files it names; makes no connection.
///
/// # Errors
/// When a setting or a file cannot be used.
pub async fn connect(
    config: @type@Config,
    environment: Environment,
    directory: &Path,
    entropy: SharedEntropy,
) -> Result<@type@Transport, DirectError> {
    // The name of the site is stored with every intent: an unclear outcome is asked about where it was sent to.
    let mut settings = IrpSettings::new(TransportMode::Gsp, environment, "@name@");
    settings.call_time_max = Duration::from_millis(config.total_timeout_ms);
    let client = config.client();
    let key = einvoice_direct::login_key(&client, directory).await?;
    let https = einvoice_direct::exchange(&client, environment, directory).await?;
    Ok(IrpTransport::new(Gateway { https }, settings, key, entropy))
}

pub(crate) async fn build(context: BuildContext, config: @type@Config) -> Result<Arc<dyn Transport>, BuildError> {
    let Some(environment) = context.environment else {
        return Err(BuildError::new(context.name, "the route has no environment; write `environment = \"sandbox\"`"));
    };
    match connect(config, environment, &context.directory, context.entropy.clone()).await {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(BuildError::new(context.name, error.to_string()).because(error)),
    }
}
