//! A plain look at an address, for finding out what is wrong with the way there: no credentials, no portal's protocol.

use einvoice_protocol::exchange::ExchangeError;
use jiff::Timestamp;
use reqwest::{Url, header};

use crate::exchange::{causes, client};
use crate::settings::{HttpError, HttpSettings};

/// Bytes of an answer that are looked at.
pub const LOOK_TEXT_BYTES_MAX: usize = 1024;

/// What a server answers to a plain request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Look {
    /// The HTTP status, whatever it is: a portal may well refuse such a request.
    pub status: u16,
    /// The server's clock, to the second, as its `Date` header tells it.
    pub date: Option<Timestamp>,
    /// The beginning of the answer, as text.
    pub text: String,
}

/// Asks an address with a plain GET, by the ways and limits of a route. No redirect is followed.
///
/// # Errors
/// [`HttpError`] for settings that make no client. The inner error says what is known when no answer came:
/// [`ExchangeError::NotSent`] where no connection was made, TLS included.
pub async fn look(settings: &HttpSettings, address: &Url) -> Result<Result<Look, ExchangeError>, HttpError> {
    let client = client(settings)?;
    let mut response = match client.get(address.clone()).send().await {
        Ok(response) => response,
        Err(error) => return Ok(Err(failed(error))),
    };
    let status = response.status().as_u16();
    let date = response
        .headers()
        .get(header::DATE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
        .map(|zoned| zoned.timestamp());
    let mut bytes = Vec::new();
    while bytes.len() < LOOK_TEXT_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Ok(Err(failed(error))),
        }
    }
    bytes.truncate(LOOK_TEXT_BYTES_MAX);
    Ok(Ok(Look { status, date, text: String::from_utf8_lossy(&bytes).into_owned() }))
}

fn failed(error: reqwest::Error) -> ExchangeError {
    let error = error.without_url();
    let reason = causes(&error);
    if error.is_connect() || error.is_builder() {
        ExchangeError::NotSent { reason, source: Some(Box::new(error)) }
    } else {
        ExchangeError::NoAnswer { reason, source: Some(Box::new(error)) }
    }
}
