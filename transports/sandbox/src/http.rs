//! The emulator over HTTP: the portal's paths, and test controls under `/sandbox/`.
//!
//! `axum` routes; the accept loop is `hyper`'s, since a scripted fault must be able to close a
//! connection without an answer, which no handler of a router can do.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use einvoice_core::clock::SharedClock;
use einvoice_core::entropy::SharedEntropy;
use futures_util::stream;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::admin;
use crate::behind::Front;
use crate::error::SandboxError;
use crate::registration::web;
use crate::sandbox::Sandbox;
use crate::settings::PortalSettings;
use crate::wire::{Delivery, PortalReply, PortalRequest};

/// Largest request body: a 2 MB document after encryption and base64, with room for the envelope.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Connections at once; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 1024;

/// What `einvoice sandbox serve` asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory for keys, books and `connection.json`.
    pub data: PathBuf,
    /// GSTINs that get an API user beside the [`DEFAULT_GSTINS`](crate::DEFAULT_GSTINS).
    pub gstins: Vec<String>,
    /// Behaviour of the portal.
    pub settings: PortalSettings,
    /// Whether to begin from nothing: no accounts but those of `gstins`, and those made on the portal's pages.
    pub empty: bool,
    /// Who stands before the portal, each below a path of its own.
    pub fronts: Vec<(String, Arc<dyn Front>)>,
}

impl ServeOptions {
    /// Listens on an address and keeps everything in a directory; else the defaults.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            data: data.into(),
            gstins: Vec::new(),
            settings: PortalSettings::default(),
            empty: false,
            fronts: Vec::new(),
        }
    }
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    sandbox: Sandbox,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl RunningServer {
    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for clients on this machine.
    #[must_use]
    pub fn base_url(&self) -> String {
        base_url(self.address)
    }

    /// The portal behind it.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Stops it; requests under way lose their answer, nothing that was answered is lost.
    pub async fn stop(mut self) {
        self.stop = None;
        // Waits for the loop to end; it does not panic.
        let _ended = (&mut self.task).await;
    }

    /// Runs until the listener fails.
    pub async fn wait(mut self) {
        let _ended = (&mut self.task).await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the data directory, listens, writes `connection.json`, and serves.
///
/// # Errors
/// When the directory or the address cannot be had.
pub async fn serve(
    options: ServeOptions,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> Result<RunningServer, SandboxError> {
    let open = if options.empty { Sandbox::open_empty } else { Sandbox::open };
    let sandbox = open(&options.data, options.settings, clock, entropy)?;
    for gstin in &options.gstins {
        sandbox.provision(gstin).await?;
    }
    for (prefix, front) in options.fronts {
        sandbox.put_in_front(prefix, front);
    }
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(|source| SandboxError::Listen { address: options.listen.to_string(), source })?;
    let server = serve_on(listener, sandbox)?;
    server.sandbox.connection(&server.base_url()).write(&options.data)?;
    Ok(server)
}

/// Serves a portal on a listener.
///
/// # Errors
/// When the listener has no address.
pub fn serve_on(listener: TcpListener, sandbox: Sandbox) -> Result<RunningServer, SandboxError> {
    let address = listener.local_addr();
    let address = address.map_err(|source| SandboxError::Listen { address: "the given listener".into(), source })?;
    let router = Router::new()
        .nest("/sandbox", admin::router())
        .merge(web::router())
        .fallback(portal_page)
        .with_state(sandbox.clone());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(accept(listener, router, stopped));
    Ok(RunningServer { address, sandbox, stop: Some(stop), task })
}

fn base_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            _ = &mut stopped => return,
            _ended = connections.join_next(), if connections.len() >= CONNECTIONS_MAX => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, peer)) => { connections.spawn(converse(stream, peer.ip(), router.clone())); }
                Err(error) => tracing::debug!(%error, "sandbox could not accept a connection"),
            }
        }
    }
}

/// One connection, until either side closes it.
async fn converse(stream: TcpStream, peer: IpAddr, router: Router) {
    let pages = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let pages = pages.clone();
        request.extensions_mut().insert(Peer(peer));
        async move {
            let response = match pages.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            // An error of the service closes the connection without an answer.
            if response.extensions().get::<NoAnswer>().is_some() { Err(NoAnswer) } else { Ok(response) }
        }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "sandbox connection ended early");
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Marks a response that must not be sent.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer is lost, as scripted")]
struct NoAnswer;

/// Every path that is not a test control.
async fn portal_page(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let Some(request) = whole(request).await else {
        return plain(413, format!("the request is larger than {BODY_BYTES_MAX} bytes"));
    };
    match sandbox.exchange_from(&request, peer).await {
        Ok(reply) => response(reply),
        Err(error) => {
            tracing::error!(%error, "sandbox cannot answer");
            plain(500, error.to_string())
        }
    }
}

/// A request with its whole body; nothing for one beyond the limit.
pub(crate) async fn whole(request: Request) -> Option<PortalRequest> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()?;
    let headers = parts.headers.iter();
    Some(PortalRequest {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
    })
}

pub(crate) fn response(reply: PortalReply) -> Response {
    let length = reply.body.len();
    let mut builder = Response::builder().status(reply.status).header("content-type", reply.content_type);
    let body = match reply.delivery {
        Delivery::Normal | Delivery::Delayed(_) => Body::from(reply.body),
        // A connection that has brought a request can no longer be refused, only closed.
        Delivery::Dropped | Delivery::Refused => {
            builder = builder.extension(NoAnswer);
            Body::empty()
        }
        Delivery::Truncated => {
            builder = builder.header("content-length", length);
            let half = Bytes::copy_from_slice(reply.body.get(..length / 2).unwrap_or_default());
            Body::from_stream(stream::iter([Ok(half), Err(NoAnswer)]))
        }
    };
    // Fails only for a status outside 100 to 999, which a scripted fault may ask for.
    builder.body(body).unwrap_or_else(|error| plain(500, error.to_string()))
}

/// A response that needs no builder.
pub(crate) fn plain(status: u16, text: impl Into<String>) -> Response {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() =
        axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
