//! The HTTP client: one request out, one bounded response in, and an honest word about what is known
//! when none comes.

use std::error::Error as _;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use einvoice_protocol::exchange::{Exchange, ExchangeError, HeaderValue, HttpRequest, HttpResponse, Method};
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy, Url};

use crate::settings::{HttpError, HttpSettings, ProxyChoice};

/// How long an unused connection is kept, in seconds. Shorter than the idle limit of common servers
/// (60 s and more), so that a request seldom meets a connection that is just being closed: that would
/// be an unclear outcome for nothing.
const POOL_IDLE_SECONDS: u64 = 20;

/// An [`Exchange`] over HTTPS.
#[derive(Debug)]
pub struct HttpExchange {
    client: Client,
    /// Address without a slash at its end; request paths are appended.
    base: String,
    endpoint: String,
    connect_timeout_ms: u64,
    total_timeout_ms: u64,
    body_bytes_max: usize,
}

impl HttpExchange {
    /// Prepares a client for one host; makes no connection.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn new(settings: &HttpSettings, base: &Url) -> Result<Self, HttpError> {
        let client = client(settings)?;
        Ok(Self {
            client,
            base: base.as_str().trim_end_matches('/').to_owned(),
            endpoint: endpoint_of(base),
            connect_timeout_ms: settings.connect_timeout_ms,
            total_timeout_ms: settings.total_timeout_ms,
            body_bytes_max: settings.body_bytes_max,
        })
    }

    fn prepare(&self, request: HttpRequest) -> Result<reqwest::Request, ExchangeError> {
        // Anything else would become a part of the host's name, and credentials go there.
        if !request.path_and_query.starts_with('/') {
            return Err(not_sent("the path of the operation does not begin with a slash"));
        }
        let address = format!("{}{}", self.base, request.path_and_query);
        let url = Url::parse(&address).map_err(|_| not_sent("the path of the operation makes no address"))?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut prepared = reqwest::Request::new(method, url);
        *prepared.headers_mut() = headers(&request)?;
        if request.method != Method::Get {
            *prepared.body_mut() = Some(request.body.into());
        }
        Ok(prepared)
    }

    /// The response's body, read no further than the limit.
    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, ExchangeError> {
        let too_large = ExchangeError::TooLarge { http_status: response.status().as_u16(), limit: self.body_bytes_max };
        let announced = response.content_length().map(usize::try_from);
        if announced.is_some_and(|length| length.map_or(true, |length| length > self.body_bytes_max)) {
            return Err(too_large);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(error))? {
            if body.len() + chunk.len() > self.body_bytes_max {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Only an error of connecting proves that nothing was sent. A timeout that strikes while
    /// connecting, but belongs to the whole call, counts as no answer: careful, and rare, since the
    /// connect timeout is the shorter one.
    fn failed(&self, error: reqwest::Error) -> ExchangeError {
        if error.is_builder() || error.is_connect() {
            let error = error.without_url();
            let reason = if error.is_timeout() {
                format!("no connection within {} ms", self.connect_timeout_ms)
            } else {
                format!("no connection could be made: {}", causes(&error))
            };
            let reason = format!("{reason}; check base_url, proxy, and what a firewall lets through");
            return ExchangeError::NotSent { reason, source: Some(Box::new(error)) };
        }
        self.no_answer(error)
    }

    fn no_answer(&self, error: reqwest::Error) -> ExchangeError {
        let error = error.without_url();
        let reason = if error.is_timeout() {
            format!("none within {} ms", self.total_timeout_ms)
        } else {
            format!("the connection broke: {}", causes(&error))
        };
        ExchangeError::NoAnswer { reason, source: Some(Box::new(error)) }
    }
}

#[async_trait]
impl Exchange for HttpExchange {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let request = self.prepare(request)?;
        let response = self.client.execute(request).await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let body = self.body(response).await?;
        Ok(HttpResponse { status, body })
    }

    fn endpoint(&self) -> String {
        self.endpoint.clone()
    }
}

/// The client of a route, by its settings; makes no connection.
pub(crate) fn client(settings: &HttpSettings) -> Result<Client, HttpError> {
    settings.check()?;
    let mut builder = Client::builder()
        .user_agent(concat!("einvoice/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout())
        .timeout(settings.total_timeout())
        .pool_idle_timeout(std::time::Duration::from_secs(POOL_IDLE_SECONDS))
        // A redirect would carry credentials elsewhere, and a repeated write could register twice.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .local_address(settings.local_address);
    builder = match &settings.proxy {
        ProxyChoice::Off => builder.no_proxy(),
        ProxyChoice::System => builder,
        ProxyChoice::Named(url) => {
            let refused = |error: reqwest::Error| HttpError::client("proxy", error.without_url());
            builder.proxy(Proxy::all(url.clone()).map_err(refused)?)
        }
    };
    if !settings.root_certificates.is_empty() {
        let key = "root_certificate_file";
        let certificates = Certificate::from_pem_bundle(&settings.root_certificates)
            .map_err(|error| HttpError::client(key, error.without_url()))?;
        if certificates.is_empty() {
            return Err(HttpError::setting(key, "the file holds no certificate in PEM form"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| HttpError::client("this route", error.without_url()))
}

fn headers(request: &HttpRequest) -> Result<HeaderMap, ExchangeError> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
    for given in &request.headers {
        let refused = || {
            not_sent(&format!(
                "the value for the header {} holds characters that no header can carry (a line break?)",
                given.name
            ))
        };
        let name = HeaderName::from_bytes(given.name.as_bytes()).map_err(|_| refused())?;
        let mut value = header::HeaderValue::from_str(given.value.expose()).map_err(|_| refused())?;
        value.set_sensitive(matches!(given.value, HeaderValue::Secret(_)));
        headers.insert(name, value);
    }
    Ok(headers)
}

fn not_sent(reason: &str) -> ExchangeError {
    ExchangeError::NotSent { reason: reason.to_owned(), source: None }
}

/// Scheme, host and port.
fn endpoint_of(base: &Url) -> String {
    let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", base.scheme(), base.host_str().unwrap_or_default())
}

/// The causes of an error, the outermost left out: that one only says that a request failed.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Wrappers repeat the text of what they wrap, and one only names the stage.
        let is_stage = text.starts_with("client error (");
        if !is_stage && texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
