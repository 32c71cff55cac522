#![doc = include_str!("../README.md")]

pub mod claims;
pub mod client;
mod der;
pub mod encoding;
pub mod endpoints;
pub mod envelope;
pub mod ewb;
pub mod exchange;
pub mod info;
pub mod jwt;
pub mod key_set;
mod line;
pub mod login;
pub mod mask;
pub mod members;
pub mod object;
mod padding;
pub mod public_key;
pub mod question;
pub mod reply;
mod requests;
pub mod seal;
pub mod settings;
#[cfg(test)]
mod testing;
mod validity;
