//! Why credentials could not be had or kept.

use super::{CredentialScope, LoginFailure};
use crate::BoxError;
use crate::date::PortalTime;

/// Why credentials could not be had or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is no entry of this scope.
    #[error("no {scope} in {store}")]
    Missing {
        /// What was looked for.
        scope: Box<CredentialScope>,
        /// Where it was looked for, for a person, with the name under which it would be found.
        store: String,
    },
    /// It was refused before, by this process or another one, and is the same still. Nothing was sent.
    #[error(
        "the {scope} was refused on {} IST{}, and nothing is known to have changed since: it is not sent again by itself, as that \
         endangers the account. Put or rotate it (`einvoice credentials add`, `rotate`), or, where it was put right at the \
         portal, at the provider or in the environment, prove it with `einvoice credentials test`",
        PortalTime::at(.failure.at),
        .failure.with_code()
    )]
    StillRefused {
        /// What was refused.
        scope: Box<CredentialScope>,
        /// When, and with which code.
        failure: LoginFailure,
    },
    /// The store cannot be changed.
    #[error("{store} is read-only: {hint}")]
    ReadOnly {
        /// Which store.
        store: String,
        /// What to do instead.
        hint: String,
    },
    /// The store cannot be opened: wrong passphrase, missing file, permissions.
    #[error("{store} cannot be opened: {reason}")]
    Locked {
        /// Which store.
        store: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The store holds something that is no valid entry.
    #[error("{store} is damaged: {reason}")]
    Damaged {
        /// Which store.
        store: String,
        /// What is wrong, without any secret.
        reason: String,
    },
    /// The store is elsewhere and does not answer, or is out of service: a matter of time, not of the entry.
    #[error("{store} cannot be reached: {reason}")]
    Unreachable {
        /// Which store.
        store: String,
        /// What is wrong, and who can do something about it.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{store} failed: {reason}")]
    Io {
        /// Which store.
        store: String,
        /// What was tried.
        reason: String,
        /// The underlying error.
        #[source]
        source: Option<BoxError>,
    },
}

impl CredentialError {
    /// What a store says that keeps nothing beside one secret.
    pub(super) fn keeps_one_secret() -> Self {
        Self::ReadOnly {
            store: "this credential store".to_owned(),
            hint:
                "it keeps one secret for each entry and nothing beside it; change the secret where the store takes it \
                   from, or use a store that rotates, such as credentials-file"
                    .to_owned(),
        }
    }

    /// What a store says when the secret that logged in is not the one that waits.
    #[must_use]
    pub fn rotated_meanwhile(store: String, scope: &CredentialScope) -> Self {
        let reason = format!(
            "another rotation of the {scope} was begun or ended meanwhile; nothing was changed, see `einvoice \
             credentials list`"
        );
        Self::Io { store, reason, source: None }
    }
}
