//! The boundary: every expected failure becomes a message for a person and an exit code, here.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use einvoice_core::advice;
use einvoice_core::credential::CredentialError;
use einvoice_core::ledger::LedgerError;
use einvoice_core::pipeline::PipelineError;
use einvoice_core::registry::{BuildError, RegistryError};
use einvoice_core::source::SourceError;
use einvoice_core::transport::TransportError;
use serde::Serialize;

use crate::exit_code;
use crate::settings::LoadError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The configuration is missing or wrong.
    #[error(transparent)]
    Configuration(#[from] LoadError),
    /// A part named in the configuration could not be made.
    #[error("{file}: {error}")]
    Build {
        /// The configuration file, or what stands in for it.
        file: String,
        /// What is wrong with the part.
        error: BuildError,
    },
    /// Another process works with the ledger.
    #[error(
        "{ledger} is in use by another process{holder}, such as a run that is going on: nothing was changed; \
         try again when it has ended"
    )]
    LedgerInUse {
        /// Which ledger.
        ledger: String,
        /// Who holds it (" (process 123)"), or empty.
        holder: String,
    },
    /// The set of plugins is wrong, or a plugin was asked for that is not there.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file named on the command line cannot be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The credential store failed.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A source cannot be read at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A call to the portal failed.
    #[error("{}", advice::with_advice(.0))]
    Transport(#[from] TransportError),
    /// Standard output cannot be written.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
    /// The operating system refused something the program needs: a thread, a port, a signal handler.
    #[error("cannot {action}: {error}")]
    System {
        /// What was tried.
        action: String,
        /// What the system says.
        error: io::Error,
    },
    /// A fault of this program.
    #[error("{0}; this is a fault of einvoice, please report it")]
    Fault(String),
}

impl CliError {
    /// The exit code of this failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Credential(CredentialError::Unreachable { .. }) => exit_code::UNREACHABLE,
            Self::Usage(_)
            | Self::Configuration(_)
            | Self::Build { .. }
            | Self::LedgerInUse { .. }
            | Self::File { .. }
            | Self::Credential(_)
            | Self::Source(_)
            | Self::Output(_)
            | Self::System { .. }
            | Self::Registry(RegistryError::NoSuchPlugin { .. } | RegistryError::NoTemplate { .. }) => exit_code::USAGE,
            // Two crates under one name, or a variant made after this match: our own doing.
            Self::Registry(_) | Self::Fault(_) => exit_code::OWN_FAULT,
            Self::Ledger(error) => match error {
                LedgerError::InUse { .. }
                | LedgerError::Absent { .. }
                | LedgerError::OtherEnvironment { .. }
                | LedgerError::Storage { .. }
                | LedgerError::Damaged { .. } => exit_code::USAGE,
                _ => exit_code::OWN_FAULT,
            },
            Self::Transport(error) => match error {
                TransportError::HeldBack { .. } => exit_code::UNREACHABLE,
                error if error.is_unreachable() => exit_code::UNREACHABLE,
                _ => exit_code::USAGE,
            },
        }
    }

    /// The message with its causes, each said once.
    #[must_use]
    pub fn message(&self) -> String {
        let outer: &dyn Error = match self {
            Self::Build { error, .. } => error,
            // Its own sentence says all; the causes are the network library's wording of the same.
            Self::Transport(_) => return self.to_string(),
            other => other,
        };
        with_causes(self.to_string(), outer)
    }

    /// The failure as `--json` shows it: `{"error":{"message","exit_code"}}`.
    #[must_use]
    pub fn report(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Report {
            error: Inner,
        }
        #[derive(Serialize)]
        struct Inner {
            message: String,
            exit_code: u8,
        }
        Report { error: Inner { message: self.message(), exit_code: self.exit_code() } }
    }
}

impl From<PipelineError> for CliError {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Ledger(error) => Self::Ledger(error),
            PipelineError::Settings(error) => Self::Usage(error.to_string()),
            other => Self::Fault(other.to_string()),
        }
    }
}

/// Why a ledger could not be opened, where its plugin says so.
pub(crate) fn ledger_error(error: &BuildError) -> Option<&LedgerError> {
    error.source.as_ref()?.downcast_ref()
}

/// The message followed by the causes of an error, each said once.
pub(crate) fn with_causes(mut message: String, outer: &dyn Error) -> String {
    let mut cause = outer.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Transparent errors and careful messages repeat their cause; a reader needs it once.
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use einvoice_core::ledger::AttemptId;
    use einvoice_core::registry::Role;

    use super::*;

    #[test]
    fn a_wrong_configuration_is_two_and_a_fault_of_ours_is_seventy() {
        let build = CliError::Build { file: "einvoice.toml".into(), error: BuildError::new("ledger", "no such key") };
        assert_eq!(build.exit_code(), exit_code::USAGE);
        let duplicate =
            CliError::Registry(RegistryError::Duplicate { role: Role::Source, name: "a", first: "b", second: "c" });
        assert_eq!(duplicate.exit_code(), exit_code::OWN_FAULT);
        let illegal = CliError::Ledger(LedgerError::NoIntent { attempt: AttemptId(1) });
        assert_eq!(illegal.exit_code(), exit_code::OWN_FAULT);
    }

    #[test]
    fn a_portal_that_does_not_answer_is_three() {
        let source = Some("error sending request: client error (Connect)".into());
        let error = TransportError::NotSent { endpoint: "portal".into(), reason: "refused".into(), source };
        let error = CliError::Transport(error);
        assert_eq!(error.exit_code(), exit_code::UNREACHABLE);
        assert_eq!(error.message(), "nothing was sent to portal: refused");
    }

    #[test]
    fn a_cause_is_said_once() {
        let inner = BuildError::new("ledger", "cannot open: disk is full").because("disk is full");
        let error = CliError::Build { file: "einvoice.toml".into(), error: inner };
        assert_eq!(error.message(), "einvoice.toml: ledger: cannot open: disk is full");
        let inner = BuildError::new("ledger", "cannot open").because("disk is full");
        let error = CliError::Build { file: "einvoice.toml".into(), error: inner };
        assert_eq!(error.message(), "einvoice.toml: ledger: cannot open: disk is full");
    }
}
