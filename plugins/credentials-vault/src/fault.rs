//! What Vault's errors mean, and whose move each is.

use einvoice_core::credential::CredentialError;
use vaultrs::error::ClientError;

/// What went wrong between us and Vault.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Our settings make no client.
    Settings(String),
    /// There is no token or secret id to come with.
    NoKey(String),
    /// Vault said no: the status, its words, and what was tried.
    Refused { status: u16, said: String, tried: &'static str },
    /// There is no such thing.
    Absent,
    /// Vault did not answer, or not as Vault does.
    Unreachable { reason: String, tried: &'static str },
}

impl Fault {
    /// Reads an error of the library. Its causes are not walked: some hold the body of an answer.
    pub(crate) fn of(error: ClientError, tried: &'static str) -> Self {
        let unreachable = |reason: &str| Self::Unreachable { reason: reason.to_owned(), tried };
        match error {
            ClientError::APIError { code: 404, errors } if errors.is_empty() => Self::Absent,
            ClientError::APIError { code, errors } => Self::Refused { status: code, said: errors.join("; "), tried },
            ClientError::RestClientError { source } => match source {
                // A deleted version comes with this status and without errors.
                rustify::errors::ClientError::ServerResponseError { code: 404, .. } => Self::Absent,
                rustify::errors::ClientError::ServerResponseError { code, .. } => {
                    Self::Refused { status: code, said: String::new(), tried }
                }
                rustify::errors::ClientError::RequestError { source, .. } => unreachable(&root(source.as_ref())),
                rustify::errors::ClientError::ResponseError { .. } => unreachable("the answer was cut off"),
                _ => unreachable("the answer is none of Vault's"),
            },
            ClientError::ResponseEmptyError | ClientError::ResponseDataEmptyError => {
                unreachable("the answer is empty where Vault's would not be")
            }
            other => Self::Settings(other.to_string()),
        }
    }

    /// Whether the token was refused, so that another may help.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }

    /// Whether somebody else has changed the secret meanwhile.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 400, said, .. } if said.contains("check-and-set"))
    }

    /// What a person is told.
    pub(crate) fn told(self, store: String, mount: &str, path: &str) -> CredentialError {
        let words = |said: &str| if said.is_empty() { String::new() } else { format!(" ({})", said.trim()) };
        match self {
            Self::Settings(reason) | Self::NoKey(reason) => CredentialError::Locked { store, reason },
            Self::Absent => CredentialError::Locked {
                store,
                reason: format!(
                    "there is nothing at {mount}/{path}, and there should be: see the keys `mount` and `path`"
                ),
            },
            Self::Unreachable { reason, tried } => {
                CredentialError::Unreachable { store, reason: format!("{tried}: {reason}") }
            }
            Self::Refused { status: 403, said, tried } => CredentialError::Locked {
                store,
                reason: format!(
                    "{tried} was not allowed{}: the token is over, or its policy lacks rights; it needs read, list, \
                     create, update and delete on {mount}/data/{path}/* and {mount}/metadata/{path}/*",
                    words(&said)
                ),
            },
            Self::Refused { status: 404, said, .. } if said.contains("no handler for route") => {
                CredentialError::Locked {
                    store,
                    reason: format!(
                        "nothing is mounted at {mount}/: correct the key `mount`, or have the engine mounted with `vault \
                     secrets enable -path={mount} kv-v2`"
                    ),
                }
            }
            Self::Refused { status: 400, said, tried } if said.contains("invalid role or secret ID") => {
                CredentialError::Locked {
                    store,
                    reason: format!("{tried}: Vault knows no such role id and secret id; give those of the role"),
                }
            }
            Self::Refused { status: 503, said, .. } => CredentialError::Unreachable {
                store,
                reason: if said.contains("sealed") {
                    "it is sealed: whoever runs it has to unseal it, and the next run goes on".to_owned()
                } else {
                    format!("it is out of service{}; the next run tries again", words(&said))
                },
            },
            Self::Refused { status, said, tried } if status == 429 || status >= 500 => CredentialError::Unreachable {
                store,
                reason: format!("{tried}: HTTP status {status}{}; the next run tries again", words(&said)),
            },
            Self::Refused { status, said, tried } => CredentialError::Io {
                store,
                reason: format!("{tried}: HTTP status {status}{}", words(&said)),
                source: None,
            },
        }
    }
}

/// The innermost cause, which says why a connection was not made.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
