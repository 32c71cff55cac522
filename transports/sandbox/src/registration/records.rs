//! What the registration side keeps: accounts, one-time passwords, page sessions, messages, requests for listing, users.

use std::fmt;
use std::net::Ipv4Addr;

use einvoice_core::environment::{Environment, Product};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::registry::ClientAccount;

/// A text that no `Debug` shows. Worthless outside the emulator; masked all the same.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("...")
    }
}

/// The account of a PAN on the portal's pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) pan: String,
    pub(crate) username: String,
    pub(crate) password: Hidden,
    pub(crate) created_at: Timestamp,
}

/// What a one-time password opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    SignUp,
    LogIn,
}

/// A one-time password that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Otp {
    /// Names the request that it answers; no secret.
    pub(crate) request: String,
    pub(crate) pan: String,
    pub(crate) purpose: Purpose,
    pub(crate) digits: Hidden,
    pub(crate) until: Timestamp,
    pub(crate) tries_left: u8,
}

/// Somebody who is logged in to the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageSession {
    pub(crate) token: Hidden,
    pub(crate) pan: String,
    pub(crate) until: Timestamp,
}

/// Where a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    Sms,
    Mail,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageKind {
    Otp,
    SandboxClient,
    Client,
    ClientAgain,
    ListingReceived,
    ListingAccepted,
    ListingReturned,
    UserCreated,
}

/// A message to the registered mobile or mail address of a PAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) pan: String,
    pub(crate) channel: Channel,
    pub(crate) to: String,
    pub(crate) kind: MessageKind,
    pub(crate) text: Hidden,
    /// What a person would copy out of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otp: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<Hidden>,
}

/// Where a request for listing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListingState {
    UnderScrutiny,
    Accepted,
    Returned,
}

/// A request for IP listing with its test report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) id: String,
    pub(crate) pan: String,
    pub(crate) state: ListingState,
    /// Why it was returned.
    pub(crate) reason: Option<String>,
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) report_name: String,
    /// The file as it was given, in base64; empty once others have come, as only the newest files are kept.
    pub(crate) report: String,
    pub(crate) report_bytes: u64,
    /// What the file itself says it covers, where it is one of ours.
    pub(crate) report_says: Option<String>,
    pub(crate) applied_at: Timestamp,
    pub(crate) decided_at: Option<Timestamp>,
}

/// What an official decided about a request for IP listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// Of which request.
    pub(crate) id: String,
    pub(crate) state: ListingState,
    /// Why it was returned.
    pub(crate) reason: Option<String>,
    pub(crate) at: Timestamp,
}

impl fmt::Debug for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Listing");
        shown.field("id", &self.id).field("state", &self.state).field("addresses", &self.addresses);
        shown.finish_non_exhaustive()
    }
}

/// How an API user reaches the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// With the client pair of its own PAN.
    Direct,
    /// Through this provider, with the provider's pair.
    Gsp(String),
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => formatter.write_str("direct"),
            Self::Gsp(name) => write!(formatter, "through GSP {name}"),
        }
    }
}

/// An API user that a taxpayer made on the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MadeUser {
    pub(crate) username: String,
    pub(crate) password: Hidden,
    pub(crate) gstin: String,
    pub(crate) product: Product,
    pub(crate) environment: Environment,
    pub(crate) way: Way,
    pub(crate) frozen: bool,
    pub(crate) created_at: Timestamp,
}

/// A change of what the registration side keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum Change {
    Account(Account),
    /// A one-time password as it is from now on; another one of the same PAN and purpose ends.
    Otp(Otp),
    OtpUsed {
        request: String,
    },
    PageSession {
        session: PageSession,
        at: Timestamp,
    },
    PageSessionEnded {
        token: Hidden,
    },
    Message(Box<Message>),
    /// A request for listing, with its report.
    Listing(Box<Listing>),
    /// A request for listing was decided.
    Decided(Decision),
    /// These addresses are listed for the client pair of a PAN, and no others.
    Listed {
        pan: String,
        addresses: Vec<Ipv4Addr>,
    },
    /// The client pair of a PAN was issued; the pair itself is an event of its own.
    Issued {
        pan: String,
        at: Timestamp,
    },
    SandboxClient(ClientAccount),
    /// The client pair of a provider; `pan` holds its name.
    GspClient(ClientAccount),
    /// A user as it is from now on.
    User(Box<MadeUser>),
    /// Every token of a user ends.
    LoginsEnded {
        gstin: String,
        username: String,
    },
}
