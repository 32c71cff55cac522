//! What goes wrong between this program and a running Tally, with what to do.

use super::answer::hint;

/// Why Tally gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// Nothing was sent.
    #[error(
        "no connection to {origin}: {reason}; start Tally there with a company open, let it act as server (F1, Settings, Connectivity) and check the port"
    )]
    NotConnected {
        /// Scheme, host and port.
        origin: String,
        /// What the system says.
        reason: String,
    },
    /// Sent, and nothing more was heard.
    #[error(
        "{origin} did not answer {what} within {waited_ms} ms; a dialog may be open on Tally's screen, or it is busy; nothing else is sent before it answers a small question again"
    )]
    NoAnswer {
        /// Scheme, host and port.
        origin: String,
        /// What was asked.
        what: String,
        /// How long the wait was.
        waited_ms: u128,
    },
    /// The connection broke while the answer came.
    #[error("{origin} broke off its answer to {what}: {reason}; it will be asked again")]
    Broken {
        /// Scheme, host and port.
        origin: String,
        /// What was asked.
        what: String,
        /// What the system says.
        reason: String,
    },
    /// More came than any such answer may hold.
    #[error("{origin} answered {what} with more than {limit} bytes, which no such answer holds")]
    TooLarge {
        /// Scheme, host and port.
        origin: String,
        /// What was asked.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// Something answers that is not Tally.
    #[error("what answers at {origin} is not Tally; it said: {found}; check `url`")]
    NotTally {
        /// Scheme, host and port.
        origin: String,
        /// The beginning of what it said.
        found: String,
    },
    /// Tally refused.
    #[error("Tally answered {what} with: {text}{}", hint(text).map(|hint| format!("; {hint}")).unwrap_or_default())]
    Refused {
        /// What was asked.
        what: String,
        /// Tally's own words.
        text: String,
    },
    /// The company is not open.
    #[error(
        "the company \"{company}\" is not open in Tally ({}); open it there, or correct `company`",
        if open.is_empty() { "none is".to_owned() } else { format!("open: {}", open.join(", ")) }
    )]
    NotOpen {
        /// The company that was asked for.
        company: String,
        /// Those that are open.
        open: Vec<String>,
    },
    /// Nobody waits for the answer any more.
    #[error("reading was ended")]
    Stopped,
}

impl LinkError {
    /// Whether it concerns the one thing that was asked for, and other questions may fare better.
    pub(crate) const fn is_of_one(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Broken { .. } | Self::TooLarge { .. })
    }

    /// Whether the request may have reached Tally and done its work.
    pub(crate) const fn is_unclear(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::Broken { .. } | Self::TooLarge { .. })
    }
}
