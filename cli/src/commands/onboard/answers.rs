//! What was answered so far: kept beside the configuration as soon as it is given, without any secret.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use einvoice_core::credential::{ListedAddresses, UserScope};
use einvoice_core::environment::{Environment, Product};
use einvoice_core::identifier::{Gstin, Pan};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// The form of the file. A file of a later form is refused and never overwritten.
const FORM: u32 = 1;

/// Largest file that is read, in bytes: far above what a person can answer.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Everything that was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    form: u32,
    /// Who registers.
    pub(super) pan: Option<Pan>,
    #[serde(default)]
    pub(super) gstins: Vec<Gstin>,
    /// By which way.
    pub(super) way: Option<Way>,
    pub(super) environment: Option<Environment>,
    /// Name of the route in the configuration.
    pub(super) route: Option<String>,
    /// Of the direct way.
    pub(super) portal: Option<Portal>,
    /// Whether the e-way bill system is used by itself, beside the bills that an IRN brings.
    pub(super) with_ewb: Option<bool>,
    /// Where it is, of the direct way.
    pub(super) ewb: Option<Portal>,
    /// The portals' keys for signatures, as patterns from the configuration's folder.
    pub(super) signing_keys: Option<Vec<String>>,
    /// Of the way through a provider.
    pub(super) provider: Option<Provider>,
    /// Addresses that are, or are to be, listed.
    pub(super) addresses: Option<ListedAddresses>,
    /// How the application for production stands.
    pub(super) application: Option<Application>,
    /// Plugin that keeps the credentials, and the one that reads invoices.
    pub(super) store: Option<String>,
    pub(super) source: Option<String>,
    /// What has happened since.
    #[serde(default)]
    pub(super) done: Done,
}

/// How the portal is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// Straight to the portal, with a client pair of one's own.
    Direct,
    /// Through a GST Suvidha Provider, which passes the portal's interface on.
    Gsp,
    /// Through a software provider's own interface.
    Provider,
}

/// One of the government systems, reached directly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Portal {
    pub(super) base_url: String,
    /// From the configuration's folder.
    pub(super) login_key_file: Option<PathBuf>,
}

impl Portal {
    /// Puts a system at an address; the key of the one before is kept until it is looked at.
    pub(super) fn at(portal: &mut Option<Self>, base_url: String) {
        let login_key_file = portal.take().and_then(|portal| portal.login_key_file);
        *portal = Some(Self { base_url, login_key_file });
    }

    /// Gives a system its key for logins.
    pub(super) fn with_key(portal: &mut Option<Self>, file: PathBuf) {
        if let Some(portal) = portal {
            portal.login_key_file = Some(file);
        }
    }
}

/// The way through a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// Name of a shipped profile, or path of one's own.
    pub(super) profile: String,
    /// Name of the account whose client pair is kept.
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// Whether other addresses than the profile's are used, and which.
    pub(super) other_hosts: Option<bool>,
    #[serde(default)]
    pub(super) hosts: BTreeMap<String, String>,
    /// Which environment the client pair is of, where the provider has one address for both.
    pub(super) client_pair_is_of: Option<Environment>,
    /// Keys for logins where the portal's protocol passes through, by product.
    #[serde(default)]
    pub(super) login_key_files: BTreeMap<Product, PathBuf>,
}

/// How the application for production stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", deny_unknown_fields)]
pub(super) enum Application {
    /// Not made yet.
    Open,
    /// Made, and under scrutiny.
    Applied,
    /// Sent back.
    Returned {
        /// Why, in the portal's words.
        reason: String,
    },
    /// Accepted.
    Accepted,
}

/// What was done with the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Done {
    /// The configuration has the route.
    pub(super) configured: bool,
    /// Name of the route that was written, and the patterns of signing keys: what a later answer may take back.
    pub(super) written_route: Option<String>,
    pub(super) written_keys: Vec<String>,
    /// Products whose client pair is in the store; one for all of them is under the e-invoice system.
    pub(super) clients: BTreeSet<Product>,
    /// Addresses that the store has beside the client pair.
    pub(super) noted_addresses: Option<ListedAddresses>,
    /// API users that are in the store.
    pub(super) users: BTreeSet<UserScope>,
    /// Until when the session of a login lasts that worked.
    pub(super) logins: Vec<(UserScope, Timestamp)>,
}

impl Answers {
    /// Those of the file, or none when there is no file.
    ///
    /// # Errors
    /// [`CliError`] when it cannot be read, or was written by a newer program.
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
        let wrong = |reason: String| {
            CliError::Usage(format!(
                "{}: {reason}; `einvoice onboard --restart` forgets the answers in it",
                file.display()
            ))
        };
        match std::fs::metadata(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { form: FORM, ..Self::default() });
            }
            Err(error) => return Err(failed(error)),
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                return Err(wrong("it is far too large to hold answers".to_owned()));
            }
            Ok(_) => {}
        }
        let bytes = std::fs::read(file).map_err(failed)?;
        let answers: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it cannot be understood: {error}")))?;
        if answers.form != FORM {
            return Err(wrong(format!("it has form {}, and this program knows form {FORM}", answers.form)));
        }
        Ok(answers)
    }

    /// Keeps them: the file is the old one or the new one, whatever happens.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be written.
    pub(super) fn keep(&self, file: &Path) -> Result<(), CliError> {
        let failed = |error| CliError::File { path: file.to_path_buf(), action: "write", error };
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| CliError::Fault(format!("the answers have no JSON form: {error}")))?;
        let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut written = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        written.write_all(&json).and_then(|()| written.as_file().sync_all()).map_err(failed)?;
        written.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// The name of the route, once it is known.
    pub(super) fn route_name(&self) -> einvoice_core::environment::RouteName {
        einvoice_core::environment::RouteName::new(self.route.clone().unwrap_or_default())
    }

    /// The government systems that are used by themselves.
    pub(super) fn products(&self) -> Vec<Product> {
        let ewb = (self.with_ewb == Some(true)).then_some(Product::EWayBill);
        std::iter::once(Product::EInvoice).chain(ewb).collect()
    }

    /// The API users of a product, one for each GSTIN.
    pub(super) fn users(&self, product: Product) -> Vec<UserScope> {
        let Some(environment) = self.environment else { return Vec::new() };
        let scope = |gstin: &Gstin| UserScope { gstin: *gstin, product, environment, route: self.route_name() };
        self.gstins.iter().map(scope).collect()
    }

    /// Remembers a login that worked.
    pub(super) fn logged_in(&mut self, user: &UserScope, until: Timestamp) {
        self.done.logins.retain(|(known, _)| known != user);
        self.done.logins.push((user.clone(), until));
    }

    /// Whether a login has worked.
    pub(super) fn has_logged_in(&self, user: &UserScope) -> bool {
        self.done.logins.iter().any(|(known, _)| known == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_as_they_were_given() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("einvoice.onboarding.json");
        let mut answers = Answers::read(&file).unwrap();
        assert_eq!(answers.with_ewb, None);
        answers.pan = Some("AAPFU0939F".parse().unwrap());
        answers.way = Some(Way::Direct);
        answers.environment = Some(Environment::Production);
        answers.with_ewb = Some(false);
        answers.application = Some(Application::Returned { reason: "an API is missing".to_owned() });
        answers.gstins = vec!["27AAPFU0939F1ZV".parse().unwrap()];
        answers.route = Some("nic".to_owned());
        let user = answers.users(Product::EInvoice).remove(0);
        answers.done.users.insert(user.clone());
        answers.logged_in(&user, Timestamp::UNIX_EPOCH);
        answers.keep(&file).unwrap();
        assert_eq!(Answers::read(&file).unwrap(), answers);
        assert!(answers.has_logged_in(&user));
    }

    #[test]
    fn a_file_of_another_form_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("einvoice.onboarding.json");
        std::fs::write(&file, r#"{"form":2,"pan":null,"way":null,"environment":null}"#).unwrap();
        let error = Answers::read(&file).unwrap_err().to_string();
        assert!(error.contains("form 2") && error.contains("--restart"), "{error}");
        std::fs::write(&file, "{").unwrap();
        assert!(Answers::read(&file).unwrap_err().to_string().contains("cannot be understood"));
    }
}
