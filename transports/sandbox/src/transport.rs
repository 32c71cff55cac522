//! The emulator as a transport inside the process: the real protocol, without a network.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::environment::Environment;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::transport::{Transport, TransportMode};
use einvoice_protocol::client::{IrpSettings, IrpTransport};
use einvoice_protocol::ewb::settings::EwbSettings;
use einvoice_protocol::exchange::{Exchange, ExchangeError, HttpRequest, HttpResponse};
use einvoice_protocol::login::AuthPublicKey;

use crate::config::SandboxTransportConfig;
use crate::error::SandboxError;
use crate::sandbox::Sandbox;
use crate::wire::{Delivery, PortalRequest};

/// Longest wait for an answer, as `direct` has it: a scripted delay beyond it is no late answer but
/// none, as it would be over a network.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_mins(1);

/// An [`Exchange`] whose other end is a portal in this process.
#[derive(Debug, Clone)]
pub struct InProcess {
    sandbox: Sandbox,
    /// What stands before the path of every request.
    prefix: Cow<'static, str>,
}

impl InProcess {
    /// Calls this portal.
    #[must_use]
    pub const fn new(sandbox: Sandbox) -> Self {
        Self::below(sandbox, Cow::Borrowed(""))
    }

    /// Calls the e-way bill system of this portal, its paths beginning with `/v1.03`.
    #[must_use]
    pub const fn e_way_bill(sandbox: Sandbox) -> Self {
        Self::below(sandbox, Cow::Borrowed(crate::ewb_route::PREFIX))
    }

    /// Calls what answers below a prefix: a [`Front`](crate::Front) that was put there.
    #[must_use]
    pub const fn below(sandbox: Sandbox, prefix: Cow<'static, str>) -> Self {
        Self { sandbox, prefix }
    }

    /// Waits out a scripted delay on the emulator's clock, as long as a client would.
    async fn wait(&self, delay: Duration) -> Result<(), ExchangeError> {
        self.sandbox.wait(delay.min(ANSWER_WAIT_MAX)).await;
        if delay <= ANSWER_WAIT_MAX {
            return Ok(());
        }
        Err(lost(format!("none within {} ms (scripted fault)", ANSWER_WAIT_MAX.as_millis())))
    }
}

fn lost(reason: String) -> ExchangeError {
    ExchangeError::NoAnswer { reason, source: None }
}

#[async_trait]
impl Exchange for InProcess {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let headers = request.headers.iter().map(|header| (header.name.to_string(), header.value.expose().to_owned()));
        let request = PortalRequest {
            method: request.method.as_str().to_owned(),
            target: format!("{}{}", self.prefix, request.path_and_query),
            headers: headers.collect(),
            body: request.body.to_vec(),
        };
        let reply = self.sandbox.answer(&request).await.map_err(|error| lost(error.to_string()))?;
        let mut body = reply.body;
        match reply.delivery {
            Delivery::Normal => {}
            Delivery::Delayed(delay) => self.wait(delay).await?,
            Delivery::Refused => {
                let reason = "no connection could be made (scripted fault)".to_owned();
                return Err(ExchangeError::NotSent { reason, source: None });
            }
            Delivery::Dropped => {
                return Err(lost("the connection closed without an answer (scripted fault)".to_owned()));
            }
            Delivery::Truncated => body.truncate(body.len() / 2),
        }
        Ok(HttpResponse { status: reply.status, body: body.into() })
    }

    fn endpoint(&self) -> String {
        "the sandbox in this process".to_owned()
    }
}

impl Sandbox {
    /// A transport to both systems of this portal that speaks the whole protocol inside the process.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when the protocol does not take the portal's key.
    pub fn transport(
        &self,
        entropy: einvoice_core::entropy::SharedEntropy,
    ) -> Result<IrpTransport<InProcess>, SandboxError> {
        let key = |pem: &str| {
            AuthPublicKey::from_pem(pem).map_err(|error| SandboxError::Internal {
                reason: format!("its key for logins is not accepted: {error}"),
            })
        };
        let portal = self.settings();
        let settings = IrpSettings::new(TransportMode::InProcess, Environment::Sandbox, portal.site);
        let auth_key = key(&self.auth_public_key_pem())?;
        let bills_key = key(&self.ewb_auth_public_key_pem())?;
        Ok(IrpTransport::new(InProcess::new(self.clone()), settings, auth_key, entropy).with_ewb(
            InProcess::e_way_bill(self.clone()),
            EwbSettings::default(),
            bills_key,
            self.clock(),
        ))
    }
}

/// Ready at once: opening the emulator reads a few small files.
#[expect(clippy::needless_pass_by_value, reason = "the registry hands both over")]
pub(crate) fn build(
    context: BuildContext,
    config: SandboxTransportConfig,
) -> Ready<Result<Arc<dyn Transport>, BuildError>> {
    ready(build_now(&context, &config))
}

fn build_now(context: &BuildContext, config: &SandboxTransportConfig) -> Result<Arc<dyn Transport>, BuildError> {
    if context.environment == Some(Environment::Production) {
        let reason = "the sandbox is no production portal; set environment = \"sandbox\" on this route";
        return Err(BuildError::new(&context.name, reason));
    }
    let directory = config.data.as_ref().map(|data| context.path(data));
    let failed = |error: SandboxError| BuildError::new(&context.name, error.to_string()).because(error);
    let sandbox = Sandbox::shared(
        directory.as_deref(),
        Some(config.portal.clone()),
        context.clock.clone(),
        context.entropy.clone(),
    );
    let transport = sandbox.and_then(|sandbox| sandbox.transport(context.entropy.clone())).map_err(failed)?;
    Ok(Arc::new(transport))
}

einvoice_core::register_transport! {
    name: "sandbox",
    summary: "A portal emulator inside this program: nothing done there counts",
    config: SandboxTransportConfig,
    example: include_str!("../examples/route.toml"),
    build: build,
}
