//! Messages to the registered mobile and mail address of a PAN: they go nowhere but here, where one can read them.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::records::{Change, Channel, Hidden, Message, MessageKind};
use crate::portal::Portal;
use crate::registry::ClientAccount;

/// The mobile number registered for a PAN: an invented one, with zeros where no real number has any.
pub(crate) fn mobile_of(pan: &str) -> String {
    let hash = digest(&SHA256, pan.as_bytes());
    let number = hash.as_ref().iter().take(3).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("+91 00000 {:05}", number % 100_000)
}

/// The mail address registered for a PAN: an invented one.
pub(crate) fn mail_of(pan: &str) -> String {
    format!("accounts@{}.example", pan.to_ascii_lowercase())
}

/// Mobile number and mail address as the pages show them to somebody who has not logged in yet.
pub(crate) fn masked(pan: &str) -> Vec<String> {
    let mobile = mobile_of(pan);
    let end = mobile.get(mobile.len().saturating_sub(4)..).unwrap_or_default();
    vec![format!("+91 ******{end}"), "a***@***.example".to_owned()]
}

/// A message that is about to be sent.
#[derive(Debug)]
pub(crate) struct Draft {
    kind: MessageKind,
    text: String,
    otp: Option<String>,
    client: Option<ClientAccount>,
}

impl Draft {
    pub(crate) fn new(kind: MessageKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), otp: None, client: None }
    }

    pub(crate) fn with_otp(self, otp: &str) -> Self {
        Self { otp: Some(otp.to_owned()), ..self }
    }

    pub(crate) fn with_client(self, client: &ClientAccount) -> Self {
        Self { client: Some(client.clone()), ..self }
    }
}

impl Portal {
    /// Sends a message.
    pub(crate) fn send(&mut self, pan: &str, channel: Channel, draft: Draft, now: Timestamp) {
        let (client_id, client_secret) = match draft.client {
            Some(client) => (Some(client.client_id), Some(Hidden(client.client_secret))),
            None => (None, None),
        };
        let message = Message {
            id: self.registration.messages_sent.saturating_add(1),
            at: now,
            pan: pan.to_owned(),
            channel,
            to: match channel {
                Channel::Sms => mobile_of(pan),
                Channel::Mail => mail_of(pan),
            },
            kind: draft.kind,
            text: Hidden(draft.text),
            otp: draft.otp.map(Hidden),
            client_id,
            client_secret,
        };
        self.change_registration(Change::Message(Box::new(message)));
    }
}
