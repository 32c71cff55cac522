//! Judges the portal's signed texts: compact JWT, RS256, over the original bytes.
//!
//! | verdict | when |
//! | --- | --- |
//! | genuine | a trusted key verifies the signature over exactly these bytes, and the payload has the portal's form |
//! | forged | the token is damaged; or its `kid` or `x5t` names a trusted key that does not verify it; or a trusted key demonstrably signed other bytes; or `alg` is not RS256 |
//! | unverifiable | well-formed, and nothing speaks for it having been made by a trusted key |
//!
//! With the right key in the set under its id, every change of one byte is *forged*: in the payload
//! or signature since `kid` names the key; in `kid` itself since `x5t` still names it; anywhere in
//! the encoding since only canonical base64url is read. A key without its id (a bare PEM) is tried
//! on every token. It finds changes of header and payload as well (see `padding.rs`); only a
//! changed signature then looks the same as a foreign one, and is *unverifiable*.
//!
//! `jku`, `x5u`, `jwk` and `x5c` are ignored: a token does not choose the key that judges it.

use base64::Engine as _;
use einvoice_core::verify::{SignedContent, TokenVerdict};
use serde_json::value::RawValue;

use crate::encoding::BASE64_URL;
use crate::key_set::KeySet;
use crate::members::Members;
use crate::public_key::upper_hex;

/// Largest token read, in bytes. A document of 2 MB, escaped and encoded twice, stays below.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest header read, in characters; the portal's have 150.
const HEADER_CHARS_MAX: usize = 4096;

/// Judges a token with the keys of a set.
#[must_use]
pub fn verify(keys: &KeySet, token: &str) -> TokenVerdict {
    match Token::read(token) {
        Ok(token) => token.judge(keys),
        Err(reason) => TokenVerdict::Forged { reason: reason.to_owned() },
    }
}

/// The content of a token without judging its signature: for showing, never for believing.
///
/// # Errors
/// The reason, where it is not the token of a portal.
pub fn content_unverified(token: &str) -> Result<SignedContent, &'static str> {
    Token::read(token)?.content()
}

struct Token<'a> {
    kid: String,
    /// The certificate thumbprint `x5t` as hex; empty when there is none.
    thumbprint: String,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("the text is larger than any signed document");
        }
        let parts = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, payload) = signed.split_once('.')?;
            (!payload.contains('.')).then_some((signed, header, payload, signature))
        };
        let (signed, header, payload, signature) = parts().ok_or("it is not three parts joined by points")?;
        let (kid, thumbprint) = read_header(header)?;
        let signature = BASE64_URL.decode(signature).map_err(|_| "its signature is damaged")?;
        Ok(Self { kid, thumbprint, signed, payload, signature })
    }

    fn judge(self, keys: &KeySet) -> TokenVerdict {
        let forged = |reason: &str| TokenVerdict::Forged { reason: reason.to_owned() };
        let signed = self.signed.as_bytes();
        let named = || keys.named(&self.kid).chain(keys.named(&self.thumbprint));
        let verified = named().chain(keys.keys()).find(|key| key.verifies(signed, &self.signature));
        let is_named = named().next().is_some();
        match (self.content(), verified) {
            (Ok(content), Some(_)) => TokenVerdict::Genuine(content),
            (Err(_), Some(_)) => forged("it is signed, but holds nothing that the portal signs"),
            (_, None) if is_named => {
                forged(&format!("the signature does not fit its content by the key {}", self.shown_kid()))
            }
            (_, None) if keys.keys().iter().any(|key| key.made_for_other_bytes(&self.signature)) => {
                forged("a trusted key made this signature for a different text")
            }
            (Ok(content), None) => TokenVerdict::Unverifiable(content),
            (Err(reason), None) => forged(reason),
        }
    }

    fn shown_kid(&self) -> String {
        self.kid.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
    }

    fn content(&self) -> Result<SignedContent, &'static str> {
        const DAMAGED: &str = "its payload is damaged";
        let payload = BASE64_URL.decode(self.payload).map_err(|_| DAMAGED)?;
        let payload = std::str::from_utf8(&payload).map_err(|_| DAMAGED)?;
        let members = Members::read(payload, &["data", "iss"]).map_err(|_| DAMAGED)?;
        let data = members.get("data").and_then(string).ok_or("its payload has no data")?;
        if !data.starts_with('{') {
            return Err("its data is no document");
        }
        let kid = if self.kid.is_empty() { &self.thumbprint } else { &self.kid };
        let issuer = members.get("iss").and_then(string).unwrap_or_default();
        Ok(SignedContent { kid: kid.to_ascii_uppercase(), issuer, data })
    }
}

/// `kid` and `x5t` (as hex) of a header that says RS256.
fn read_header(encoded: &str) -> Result<(String, String), &'static str> {
    const DAMAGED: &str = "its header is damaged";
    if encoded.len() > HEADER_CHARS_MAX {
        return Err("its header is larger than any the portal writes");
    }
    let header = BASE64_URL.decode(encoded).map_err(|_| DAMAGED)?;
    let header = std::str::from_utf8(&header).map_err(|_| DAMAGED)?;
    let members = Members::read(header, &["alg", "kid", "x5t", "crit"]).map_err(|_| DAMAGED)?;
    let text = |name: &str| members.get(name).and_then(string);
    // The signature scheme is fixed: a token that chose its own could choose none.
    if text("alg").as_deref() != Some("RS256") {
        return Err("its header does not name RS256");
    }
    if members.get("crit").is_some() {
        return Err("its header demands an extension that the portal does not use");
    }
    let thumbprint = match text("x5t") {
        Some(x5t) => upper_hex(&BASE64_URL.decode(x5t).map_err(|_| "its x5t is damaged")?),
        None => String::new(),
    };
    Ok((text("kid").unwrap_or_default(), thumbprint))
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
