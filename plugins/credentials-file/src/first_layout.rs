//! The first layout of the content, which files made before entries had ages are in. It is read and never written.

use einvoice_core::credential::record::EntryRecord;
use einvoice_core::credential::{ApiUser, ClientPair, ClientScope, CredentialEntry, CredentialScope, UserScope};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::content::Content;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstContent {
    #[serde(rename = "version")]
    _version: u32,
    clients: Vec<StoredClient>,
    users: Vec<StoredUser>,
    sessions: Vec<StoredSession>,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredClient {
    #[zeroize(skip)]
    scope: ClientScope,
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredUser {
    #[zeroize(skip)]
    scope: UserScope,
    user_name: String,
    password: String,
}

#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct StoredSession {
    #[zeroize(skip)]
    scope: UserScope,
    token: String,
    sek: Vec<u8>,
    app_key: Vec<u8>,
    #[zeroize(skip)]
    expires_at: Timestamp,
}

/// Reads a content of version 1.
pub(crate) fn read(json: &[u8]) -> Result<FirstContent, serde_json::Error> {
    serde_json::from_slice(json)
}

impl FirstContent {
    /// The same in the present layout. When an entry was made is not known.
    pub(crate) fn taken_over(self) -> Content {
        let mut content = Content::default();
        for stored in &self.clients {
            let pair = ClientPair {
                client_id: Secret::from(stored.client_id.as_str()),
                client_secret: Secret::from(stored.client_secret.as_str()),
            };
            content.add(EntryRecord::new(&CredentialEntry::Client(stored.scope.clone(), pair), None));
        }
        for stored in &self.users {
            let user = ApiUser {
                user_name: Secret::from(stored.user_name.as_str()),
                password: Secret::from(stored.password.as_str()),
            };
            content.add(EntryRecord::new(&CredentialEntry::User(stored.scope.clone(), user), None));
        }
        for stored in &self.sessions {
            let session = SavedSession {
                token: Secret::from(stored.token.as_str()),
                sek: Secret::new(stored.sek.clone()),
                app_key: Secret::new(stored.app_key.clone()),
                expires_at: stored.expires_at,
                provider: None,
            };
            // A session of nobody was never written.
            let scope = CredentialScope::User(stored.scope.clone());
            if content.entry(&scope).is_some() {
                let _kept = content.save_session(&scope, &session);
            }
        }
        content
    }
}
