//! The wire protocol of the Invoice Registration Portals, shared by every way of reaching them.
//!
//! - [`client::IrpTransport`] is core's [`Transport`](einvoice_core::transport::Transport) over any
//!   [`exchange::Exchange`]; the exchange is all that a way in has to bring.
//! - [`login`] seals credentials and reads token and SEK; [`seal`] seals and opens everything else.
//! - [`envelope`], [`info`] and [`reply`] read what comes back, tolerantly in form and strictly in
//!   meaning: what is neither a clear yes nor a clear no is an error that says so.
//! - [`jwt`] checks the portal's signature over invoice and QR text, with the keys of a
//!   [`key_set::KeySet`]; [`claims`] types what was signed.
//!
//! The crate does no input or output and reads no clock: it can be tested and fuzzed byte by byte.

pub mod claims;
pub mod client;
mod der;
pub mod encoding;
pub mod endpoints;
pub mod envelope;
pub mod exchange;
pub mod info;
pub mod jwt;
pub mod key_set;
pub mod login;
pub mod members;
mod padding;
pub mod public_key;
pub mod reply;
pub mod seal;
#[cfg(test)]
mod testing;
