//! The store: looks variables up at every call, so a changed variable is seen at once.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::credential::{
    ApiUser, ClientPair, ClientScope, CredentialCapability, CredentialEntry, CredentialError, CredentialScope,
    CredentialStore, CredentialSummary, UserScope, name_hint,
};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;

use crate::config::EnvConfig;
use crate::name::{self, Kind, Pair};

/// Where variables come from: the process, or a map in an embedding program.
pub trait Variables: fmt::Debug + Send + Sync {
    /// The value of a variable.
    fn get(&self, name: &str) -> Option<OsString>;
    /// The names of all variables that are text.
    fn names(&self) -> Vec<String>;
}

/// The variables of this process.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemVariables;

impl Variables for SystemVariables {
    fn get(&self, name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn names(&self) -> Vec<String> {
        env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

/// Credentials from environment variables.
pub struct EnvStore {
    prefix: String,
    variables: Arc<dyn Variables>,
    sessions: Mutex<BTreeMap<UserScope, SavedSession>>,
}

impl fmt::Debug for EnvStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnvStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl EnvStore {
    /// A store over the given variables.
    #[must_use]
    pub fn new(config: EnvConfig, variables: Arc<dyn Variables>) -> Self {
        Self { prefix: config.prefix, variables, sessions: Mutex::default() }
    }

    /// The value of a variable; an empty or blank one counts as not set.
    fn value(&self, name: &str) -> Result<Option<Secret<String>>, CredentialError> {
        let Some(value) = self.variables.get(name) else { return Ok(None) };
        match value.into_string() {
            Ok(value) if value.trim().is_empty() => Ok(None),
            Ok(value) => Ok(Some(Secret::new(value))),
            Err(_) => Err(CredentialError::Damaged {
                store: format!("environment variable {name}"),
                reason: "its value is not valid text; set it again in UTF-8".to_owned(),
            }),
        }
    }

    /// The first pair of which one half is set. Both halves come from one level, so that a general
    /// password is never joined with a specific user name.
    fn find(
        &self,
        names: &[Pair],
        scope: impl Fn() -> CredentialScope,
    ) -> Result<(Secret<String>, Secret<String>), CredentialError> {
        let missing = |place: String| CredentialError::Missing { scope: Box::new(scope()), store: place };
        for pair in names {
            match (self.value(&pair.name)?, self.value(&pair.secret)?) {
                (Some(name), Some(secret)) => return Ok((name, secret)),
                (Some(_), None) => {
                    return Err(missing(format!(
                        "the environment: {} is set but {} is missing or empty; set it too",
                        pair.name, pair.secret
                    )));
                }
                (None, Some(_)) => {
                    return Err(missing(format!(
                        "the environment: {} is set but {} is missing or empty; set it too",
                        pair.secret, pair.name
                    )));
                }
                (None, None) => {}
            }
        }
        let tried: Vec<String> = names.iter().map(|pair| format!("{} and {}", pair.name, pair.secret)).collect();
        Err(missing(format!("the environment: set {}", tried.join(", or more generally "))))
    }

    fn read_only(&self) -> CredentialError {
        let prefix = &self.prefix;
        CredentialError::ReadOnly {
            store: "the environment".to_owned(),
            hint: format!(
                "set or unset the {prefix}_CLIENT_ID__..., {prefix}_CLIENT_SECRET__..., {prefix}_USER__... and \
                 {prefix}_PASSWORD__... variables where this program is started, or use `credentials-file`"
            ),
        }
    }

    fn sessions<R>(&self, with: impl FnOnce(&mut BTreeMap<UserScope, SavedSession>) -> R) -> R {
        // Nothing between lock and unlock can leave the map half changed.
        with(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The entries one variable speaks of, if its other half is set too.
    fn summaries(&self, variable: &str) -> Result<Vec<CredentialSummary>, CredentialError> {
        let Some((kind, pair)) = Kind::of_name(&self.prefix, variable) else { return Ok(Vec::new()) };
        let (Some(name), Some(_)) = (self.value(&pair.name)?, self.value(&pair.secret)?) else {
            return Ok(Vec::new());
        };
        let scopes: Vec<CredentialScope> = match kind {
            Kind::Client => {
                name::client_scope(&self.prefix, variable).map(CredentialScope::Client).into_iter().collect()
            }
            Kind::User => name::user_scopes(&self.prefix, variable)
                .unwrap_or_default()
                .into_iter()
                .map(CredentialScope::User)
                .collect(),
        };
        let hint = name_hint(name.expose());
        Ok(scopes
            .into_iter()
            .map(|scope| CredentialSummary {
                session_expires_at: self.session_end(&scope),
                scope,
                name_hint: hint.clone(),
            })
            .collect())
    }

    fn session_end(&self, scope: &CredentialScope) -> Option<jiff::Timestamp> {
        let CredentialScope::User(scope) = scope else { return None };
        self.sessions(|sessions| sessions.get(scope).map(|session| session.expires_at))
    }
}

#[async_trait]
impl CredentialStore for EnvStore {
    fn capability(&self) -> CredentialCapability {
        CredentialCapability::new(false, false, false)
    }

    async fn client(&self, scope: &ClientScope) -> Result<ClientPair, CredentialError> {
        let names = name::client_names(&self.prefix, scope);
        let (client_id, client_secret) = self.find(&names, || CredentialScope::Client(scope.clone()))?;
        Ok(ClientPair { client_id, client_secret })
    }

    async fn api_user(&self, scope: &UserScope) -> Result<ApiUser, CredentialError> {
        let names = name::user_names(&self.prefix, scope);
        let (user_name, password) = self.find(&names, || CredentialScope::User(scope.clone()))?;
        Ok(ApiUser { user_name, password })
    }

    async fn put(&self, _: CredentialEntry) -> Result<(), CredentialError> {
        Err(self.read_only())
    }

    async fn list(&self) -> Result<Vec<CredentialSummary>, CredentialError> {
        let mut list = Vec::new();
        for variable in self.variables.names() {
            list.extend(self.summaries(&variable)?);
        }
        list.sort_by(|left, right| left.scope.cmp(&right.scope));
        Ok(list)
    }

    async fn remove(&self, _: &CredentialScope) -> Result<(), CredentialError> {
        Err(self.read_only())
    }

    async fn session(&self, scope: &UserScope) -> Result<Option<SavedSession>, CredentialError> {
        Ok(self.sessions(|sessions| sessions.get(scope).cloned()))
    }

    async fn save_session(&self, scope: &UserScope, session: &SavedSession) -> Result<(), CredentialError> {
        self.sessions(|sessions| sessions.insert(scope.clone(), session.clone()));
        Ok(())
    }
}

/// Makes the store of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(context: BuildContext, config: EnvConfig) -> Result<Arc<dyn CredentialStore>, BuildError> {
    let well_formed = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    if config.prefix.is_empty() || !config.prefix.chars().all(well_formed) {
        return Err(BuildError::new(
            format!("{}, key `prefix`", context.name),
            format!("found `{}`: write capital letters, digits and `_`, for instance `EINVOICE`", config.prefix),
        ));
    }
    Ok(Arc::new(EnvStore::new(config, Arc::new(SystemVariables))))
}
