//! The registration side of the portal: what happens before the first call.
//!
//! Sign-up with a one-time password, the request for IP listing with its test report and scrutiny, the client pair of a
//! PAN, API users, and what all that leads to in the APIs. One state machine, kept in the portal's journal, with two
//! faces: pages for people, and JSON for programs.

mod accounts;
mod addresses;
mod enforce;
mod indian;
mod listing;
mod names;
mod outbox;
mod problem;
mod records;
mod report;
mod settings;
mod state;
mod users;
mod views;
pub(crate) mod web;

pub(crate) use enforce::ApiUser;
pub(crate) use records::Change;
pub use settings::{EwbSharing, FrozenUser, RegistrationSettings, Scrutiny, UnlistedAddress, WrongWay};
pub(crate) use state::{Holder, Registration};
