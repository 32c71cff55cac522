#![doc = include_str!("../README.md")]

mod admin;
mod arithmetic;
mod bills;
mod books;
mod cipher_box;
mod config;
mod connection;
mod credentials;
mod error;
mod ewb;
mod ewb_acts;
mod ewb_by_irn;
mod ewb_convoys;
mod ewb_generate;
mod ewb_login;
mod ewb_reads;
mod ewb_route;
mod ewb_wire;
mod exact;
mod faults;
mod generate;
mod hex;
mod http;
mod ist;
mod journal;
mod keys;
mod login;
mod node;
mod portal;
mod reads;
mod registry;
mod rules;
mod sandbox;
mod schema;
mod settings;
mod signed_copy;
mod texts;
mod transport;
mod wire;

pub use bills::BillLine;
pub use books::BookLine;
pub use config::{SandboxCredentialsConfig, SandboxTransportConfig};
pub use connection::{CONNECTION_FILE, Connection, ConnectionUser, EwbConnection};
pub use credentials::SandboxCredentials;
pub use error::SandboxError;
pub use faults::{Fault, PortalOperation, ScriptedFault};
pub use http::{RunningServer, ServeOptions, serve, serve_on};
pub use portal::Portal;
pub use registry::{ClientAccount, UserAccount};
pub use sandbox::{DEFAULT_GSTINS, Sandbox};
pub use settings::{
    DistanceReport, ErrorDetailsForm, EwbDateForm, PortalSettings, SekWrapping, TaxpayerEntry, UnknownIrn,
};
pub use transport::{ANSWER_WAIT_MAX, InProcess};
pub use wire::{Delivery, PortalReply, PortalRequest};
