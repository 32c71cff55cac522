//! The token of the account at a provider: calls renew it between two logins of the taxpayer.

use super::{Gateway, Slot};
use crate::environment::Product;
use crate::events;
use crate::identifier::Gstin;
use crate::session::Session;

impl Gateway {
    /// The session with the token of the account that another worker kept last, where the transport has none at hand and
    /// would log in for one.
    pub(super) async fn with_kept_provider_token(&self, gstin: Gstin, product: Product, session: Session) -> Session {
        let Some(known) = &session.saved().provider else { return session };
        if self.transport.provider_token(session.access()).await.is_some() {
            return session;
        }
        // A store that does not answer costs a login at most.
        let kept = self.credentials.session(&self.user_scope(gstin, product)).await.ok().flatten();
        let Some(newer) = kept.and_then(|kept| kept.provider).filter(|kept| kept.expires_at > known.expires_at) else {
            return session;
        };
        let session = session.with_provider(newer);
        self.slot(gstin, product).lock().await.renew_provider_token(&session);
        session
    }

    /// Keeps a token of the account that a call has renewed, so that other workers and the next run go on with it.
    pub(super) async fn keep_provider_token(&self, gstin: Gstin, product: Product, used: &Session) {
        let Some(token) = self.transport.provider_token(used.access()).await else { return };
        if used.saved().provider.as_ref() == Some(&token) {
            return;
        }
        let renewed = used.with_provider(token);
        let slot = self.slot(gstin, product);
        let mut slot = slot.lock().await;
        if !slot.renew_provider_token(&renewed) {
            return;
        }
        let scope = self.user_scope(gstin, product);
        let kept = match self.credentials.session(&scope).await {
            // Another worker has logged in since, or has kept this very token.
            Ok(Some(kept)) if kept.token != *renewed.token() || kept.provider == renewed.saved().provider => Ok(()),
            Ok(_) => self.credentials.save_session(&scope, renewed.saved()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            events::session_not_saved(gstin, &error.to_string());
        }
    }
}

impl Slot {
    /// Takes over a session that differs from the one in use by its token of the account; `false` when that is known
    /// already, or another login has taken the place of this one.
    fn renew_provider_token(&mut self, renewed: &Session) -> bool {
        let is_renewal = self.session.as_ref().is_some_and(|session| {
            session.token() == renewed.token() && session.saved().provider != renewed.saved().provider
        });
        if is_renewal {
            self.previous = Some(renewed.saved().clone());
            self.session = Some(renewed.clone());
        }
        is_renewal
    }
}
