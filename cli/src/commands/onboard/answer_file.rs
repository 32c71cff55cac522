//! Answers from a file, for installations that nobody sits before. Secrets do not stand in it: it says where they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use einvoice_core::secret::Secret;
use serde::Deserialize;

use crate::error::CliError;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The answers of a file, by the keys of the questions.
#[derive(Debug)]
pub(super) struct AnswerFile {
    path: PathBuf,
    texts: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretPlace>,
}

/// The file. Every key is an answer to one question.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    pan: Option<String>,
    gstins: Vec<String>,
    way: Option<String>,
    environment: Option<String>,
    route: Option<String>,
    replace_route: Option<bool>,
    base_url: Option<String>,
    login_key_file: Option<String>,
    with_ewb: Option<bool>,
    ewb: Option<Ewb>,
    signing_keys: Option<Vec<String>>,
    addresses: Option<Vec<String>>,
    application: Option<String>,
    returned_because: Option<String>,
    profile: Option<String>,
    account: Option<String>,
    client_pair_is_of: Option<String>,
    settings: BTreeMap<String, String>,
    hosts: BTreeMap<String, String>,
    ewb_login_key_file: Option<String>,
    store: Option<String>,
    source: Option<String>,
    client: Option<Client>,
    ewb_client: Option<Client>,
    user: Vec<User>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ewb {
    base_url: String,
    login_key_file: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    id: Option<String>,
    secret: SecretPlace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    gstin: String,
    #[serde(default = "e_invoice")]
    product: String,
    name: String,
    password: SecretPlace,
}

fn e_invoice() -> String {
    "e_invoice".to_owned()
}

/// Where a secret stands.
#[derive(Debug, Clone)]
enum SecretPlace {
    /// In a variable of the environment.
    Env(String),
    /// In the first line of a file.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretPlace {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, since the usual errors repeat what they found, which may be the secret itself.
        let wrong =
            || serde::de::Error::custom("write a secret as { env = \"NAME\" } or { file = \"PATH\" }, never as text");
        let toml::Value::Table(table) = toml::Value::deserialize(deserializer)? else { return Err(wrong()) };
        let mut places = table.into_iter();
        match (places.next(), places.next()) {
            (Some((key, toml::Value::String(name))), None) if key == "env" => Ok(Self::Env(name)),
            (Some((key, toml::Value::String(path))), None) if key == "file" => Ok(Self::File(path.into())),
            _ => Err(wrong()),
        }
    }
}

impl AnswerFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`CliError`] when it cannot be read, or has a key that answers nothing.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let failed = |error| CliError::File { path: path.to_path_buf(), action: "read", error };
        if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(CliError::Usage(format!("{} is far too large to hold answers", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, path).map_err(|reason| CliError::Usage(format!("{}: {}", path.display(), reason.trim_end())))
    }

    fn parse(text: &str, path: &Path) -> Result<Self, String> {
        // The whole error shows the line, in which somebody may have written a secret.
        let written: Written = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        let mut texts = BTreeMap::new();
        let mut secrets = BTreeMap::new();
        let lists = [
            ("gstins", (!written.gstins.is_empty()).then_some(written.gstins)),
            ("signing_keys", written.signing_keys),
            ("addresses", written.addresses),
        ];
        for (key, list) in lists {
            // An empty list is an answer, too.
            texts.extend(
                list.map(|list| (key.to_owned(), if list.is_empty() { "none".into() } else { list.join(" ") })),
            );
        }
        let plain = [
            ("pan", written.pan),
            ("way", written.way),
            ("environment", written.environment),
            ("route", written.route),
            ("replace_route", written.replace_route.map(|yes| yes.to_string())),
            ("with_ewb", written.with_ewb.or(written.ewb.as_ref().map(|_| true)).map(|yes| yes.to_string())),
            ("base_url", written.base_url),
            ("login_key_file", written.login_key_file),
            ("application", written.application),
            ("returned_because", written.returned_because),
            ("profile", written.profile),
            ("account", written.account),
            ("client_pair_is_of", written.client_pair_is_of),
            ("ewb_login_key_file", written.ewb_login_key_file),
            ("store", written.store),
            ("source", written.source),
        ];
        texts.extend(plain.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))));
        if let Some(ewb) = written.ewb {
            texts.insert("ewb.base_url".to_owned(), ewb.base_url);
            texts.insert("ewb.login_key_file".to_owned(), ewb.login_key_file);
        }
        texts.extend(written.settings.into_iter().map(|(name, value)| (format!("settings.{name}"), value)));
        if !written.hosts.is_empty() {
            texts.insert("other_hosts".to_owned(), "yes".to_owned());
        }
        texts.extend(written.hosts.into_iter().map(|(name, value)| (format!("hosts.{name}"), value)));
        for (key, client) in [("client", written.client), ("ewb_client", written.ewb_client)] {
            if let Some(client) = client {
                texts.extend(client.id.map(|id| (format!("{key}.id"), id)));
                secrets.insert(format!("{key}.secret"), client.secret);
            }
        }
        for user in written.user {
            let key = format!("user.{}.{}", user.gstin.trim().to_uppercase(), user.product.trim());
            texts.insert(format!("{key}.name"), user.name);
            secrets.insert(format!("{key}.password"), user.password);
        }
        Ok(Self { path: path.to_path_buf(), texts, secrets })
    }

    /// The answer to a question.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.texts.get(key).cloned()
    }

    /// Whether it says where a secret stands.
    pub(super) fn gives_secret(&self, key: &str) -> bool {
        self.secrets.contains_key(key)
    }

    /// The secret that a question asks for, fetched from where it stands.
    ///
    /// # Errors
    /// [`CliError`] when it is not there.
    pub(super) fn secret(&self, key: &str) -> Result<Option<Secret<String>>, CliError> {
        let Some(place) = self.secrets.get(key) else { return Ok(None) };
        let (text, shown) = match place {
            SecretPlace::Env(name) => {
                let found = std::env::var(name).map_err(|_| {
                    CliError::Usage(format!("{}: {key}: the variable {name} is not set, or no text", self.shown()))
                })?;
                (found, format!("the variable {name}"))
            }
            SecretPlace::File(file) => {
                let path = self.path.parent().unwrap_or(Path::new("")).join(file);
                let text = std::fs::read_to_string(&path).map_err(|error| CliError::File {
                    path: path.clone(),
                    action: "read",
                    error,
                })?;
                let first = text.lines().next().unwrap_or_default().to_owned();
                let _wiped = Secret::new(text);
                (first, format!("the first line of {}", path.display()))
            }
        };
        let secret = Secret::new(text);
        if secret.expose().trim().is_empty() {
            return Err(CliError::Usage(format!("{}: {key}: {shown} is empty", self.shown())));
        }
        Ok(Some(secret))
    }

    /// The file as it is shown in messages.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_by_the_keys_of_the_questions_and_secrets_where_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret.txt"), "hunter2\nmore").unwrap();
        let text = r#"
            pan = "AAPFU0939F"
            gstins = ["27AAPFU0939F1ZV", "29AAPFU0939F1ZR"]
            addresses = []
            [client]
            id = "CLIENT"
            secret = { file = "secret.txt" }
            [[user]]
            gstin = "27aapfu0939f1zv"
            name = "api_user"
            password = { env = "EINVOICE_NOT_SET_IN_ANY_TEST" }
        "#;
        let file = AnswerFile::parse(text, &folder.path().join("answers.toml")).unwrap();
        assert_eq!(file.text("gstins").as_deref(), Some("27AAPFU0939F1ZV 29AAPFU0939F1ZR"));
        assert_eq!(file.text("addresses").as_deref(), Some("none"));
        assert_eq!(file.text("user.27AAPFU0939F1ZV.e_invoice.name").as_deref(), Some("api_user"));
        assert_eq!(file.text("way"), None);
        assert_eq!(file.secret("client.secret").unwrap(), Some(Secret::from("hunter2")));
        let error = file.secret("user.27AAPFU0939F1ZV.e_invoice.password").unwrap_err().to_string();
        assert!(error.contains("EINVOICE_NOT_SET_IN_ANY_TEST is not set"), "{error}");
    }

    #[test]
    fn the_example_of_the_guide_is_a_file_of_answers() {
        let chapter = include_str!("../../../../core/src/guide/onboarding.md");
        let example = chapter.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let file = AnswerFile::parse(example, Path::new("answers.toml")).unwrap();
        assert_eq!(file.text("application").as_deref(), Some("accepted"));
        assert!(file.gives_secret("user.27AAPFU0939F1ZV.e_invoice.password"));
    }

    #[test]
    fn a_secret_in_clear_and_an_unknown_key_are_refused_without_repeating_the_secret() {
        let path = Path::new("answers.toml");
        let error = AnswerFile::parse("[client]\nid = \"a\"\nsecret = \"hunter2\"\n", path).unwrap_err();
        assert!(error.contains("{ env = \"NAME\" }") && error.contains("line 3"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(AnswerFile::parse("pann = \"x\"\n", path).unwrap_err().contains("pann"));
    }
}
