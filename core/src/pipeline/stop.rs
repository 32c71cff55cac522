//! Asking a run to end without losing work.

use std::sync::Arc;

use tokio::sync::watch;

/// A request to stop, shared by everybody who may make or heed it.
#[derive(Debug, Clone)]
pub struct StopSignal {
    sender: Arc<watch::Sender<bool>>,
}

impl Default for StopSignal {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(false)) }
    }
}

impl StopSignal {
    /// A signal that nobody has given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to finish what is in flight and to keep the rest.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns once somebody asks.
    pub async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`, so waiting cannot fail while this future is alive.
        let _asked = receiver.wait_for(|stopped| *stopped).await;
    }
}
