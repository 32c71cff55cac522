#![doc = include_str!("../README.md")]

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
mod mask;
pub mod members;
mod padding;
pub mod public_key;
pub mod reply;
pub mod seal;
#[cfg(test)]
mod testing;
