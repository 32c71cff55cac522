//! What a refusal closes for a while: one user's login, a client pair's door, the whole route's.
//!
//! A wrong client pair is wrong for every GSTIN that shares it, and a wrong portal key for everybody
//! on the route. So the first login through a door goes alone, and what it brings decides whether the
//! others try at all: a mistake in the configuration costs the account one error, not one for each
//! GSTIN.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use super::REFUSAL_PAUSE;
use crate::clock::later;
use crate::transport::TransportError;

/// A pause after a refusal, with its reason.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) until: Timestamp,
    pub(super) reason: String,
}

impl Stop {
    /// Whether it still lasts.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        is_ahead(self.until, now, REFUSAL_PAUSE)
    }
}

/// Whether `until` is still to come; a moment further ahead than `pause` was set before the clock
/// was put back, and is over.
pub(super) fn is_ahead(until: Timestamp, now: Timestamp, pause: Duration) -> bool {
    now < until && later(now, pause).is_none_or(|latest| until <= latest)
}

/// The way in for everybody who shares something that can be refused.
#[derive(Debug, Default)]
pub(super) struct Door {
    state: Mutex<State>,
    first: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// A login through this door came back without closing it.
    tried: bool,
    stop: Option<Stop>,
}

impl Door {
    /// Until when nobody goes through, and why.
    pub(super) fn stop(&self, now: Timestamp) -> Option<Stop> {
        self.with(|state| state.stop.clone()).filter(|stop| stop.lasts(now))
    }

    /// # Errors
    /// [`TransportError::HeldBack`] while the door is closed.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), TransportError> {
        self.stop(now).map_or(Ok(()), |stop| Err(TransportError::HeldBack { reason: stop.reason }))
    }

    /// Waits while the first login is under way. Whoever holds what comes back is the first; dropping
    /// it lets the next one be.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.was_tried() {
            return None;
        }
        let turn = self.first.lock().await;
        (!self.was_tried()).then_some(turn)
    }

    /// A login came back and did not close the door: the others need not wait in a row.
    pub(super) fn tried(&self) {
        self.with(|state| state.tried = true);
    }

    /// Nobody goes through for a while, and then one goes first again.
    pub(super) fn close(&self, stop: Stop) {
        self.with(|state| *state = State { tried: false, stop: Some(stop) });
    }

    fn was_tried(&self) -> bool {
        self.with(|state| state.tried)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
