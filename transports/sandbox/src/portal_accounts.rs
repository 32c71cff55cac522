//! Accounts of the portal: made when they are first asked for, or given by a test.

use crate::error::SandboxError;
use crate::journal::Event;
use crate::portal::Portal;
use crate::registry::{ClientAccount, UserAccount, is_gstin, pan_of};

impl Portal {
    /// The accounts of a GSTIN, made when it has none.
    pub(crate) fn provision(&mut self, gstin: &str) -> Result<(ClientAccount, UserAccount), SandboxError> {
        let pan = pan_of(gstin).filter(|_| is_gstin(gstin)).ok_or_else(|| SandboxError::Setting {
            setting: "gstins",
            found: gstin.to_owned(),
            expected: "a GSTIN of 15 characters",
        })?;
        if !self.accounts.clients.contains_key(pan) {
            let (client_id, client_secret) = (format!("SBX{pan}{}", self.random_text(8)?), self.random_text(20)?);
            self.record(Event::Client(ClientAccount { pan: pan.to_owned(), client_id, client_secret }));
        }
        if !self.accounts.users.contains_key(gstin) {
            // User name and password must fit the 66 bytes that a login has room for.
            let (username, password) = (format!("API_{gstin}"), format!("Sbx@{}", self.random_text(12)?));
            self.record(Event::User(UserAccount { gstin: gstin.to_owned(), username, password }));
            // A user given by hand is one of the registration portal alone, as two systems have two users.
            let (username, password) = (format!("EWB_{gstin}"), format!("Ewb@{}", self.random_text(12)?));
            self.record(Event::EwbUser(UserAccount { gstin: gstin.to_owned(), username, password }));
        }
        let missing = || SandboxError::Internal { reason: "an account just made is not there".into() };
        let client = self.accounts.clients.get(pan).cloned().ok_or_else(missing)?;
        let user = self.accounts.users.get(gstin).cloned().ok_or_else(missing)?;
        Ok((client, user))
    }

    /// Gives a GSTIN an API user of the caller's making, in place of the one it had. A live login stays.
    pub(crate) fn give_user(&mut self, user: UserAccount) -> Result<(), SandboxError> {
        let wrong =
            |setting, found: &str, expected| SandboxError::Setting { setting, found: found.to_owned(), expected };
        if !is_gstin(&user.gstin) {
            return Err(wrong("gstin", &user.gstin, "a GSTIN of 15 characters"));
        }
        if user.username.is_empty() || user.password.is_empty() {
            return Err(wrong("username and password", "empty", "both filled in"));
        }
        let mut others = self.accounts.users.values().filter(|other| other.gstin != user.gstin);
        let taken = others.any(|other| other.username == user.username);
        if taken || self.registration.users.contains_key(&user.username) {
            return Err(wrong("username", "taken", "a name that no other GSTIN's user has"));
        }
        self.record(Event::User(user));
        Ok(())
    }

    /// Gives a PAN a client pair of the caller's making, in place of the one it had.
    pub(crate) fn give_client(&mut self, client: ClientAccount) -> Result<(), SandboxError> {
        if client.client_id.is_empty() || client.client_secret.is_empty() {
            let (setting, expected) = ("client_id and client_secret", "both filled in");
            return Err(SandboxError::Setting { setting, found: "empty".to_owned(), expected });
        }
        self.record(Event::Client(client));
        Ok(())
    }

    pub(crate) fn random_text(&self, bytes: usize) -> Result<String, SandboxError> {
        let mut random = vec![0; bytes];
        self.entropy.fill(&mut random).map_err(|_| SandboxError::Key { action: "draw random bytes" })?;
        Ok(crate::hex::lower(&random).chars().take(bytes).collect())
    }
}
