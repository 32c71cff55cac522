//! The e-way bill system: the second product of the same transport, with a host, a key, an envelope and a
//! spelling of its own (NIC, e-way bill API 1.03).
//!
//! - [`settings`]: what distinguishes one way in from another;
//! - [`login`]: `ACCESSTOKEN`; [`envelope`]: `status`, `data`, `error`, `alert`; [`seal`]: opening, with the
//!   check of the keyed digest that answers to GET carry;
//! - `requests`: what each operation asks; [`replies`]: the answers as core's types;
//! - `client`: one call from beginning to end.

pub(crate) mod client;
pub mod envelope;
pub mod login;
pub mod replies;
pub(crate) mod requests;
pub mod seal;
pub mod settings;
