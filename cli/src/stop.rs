//! Being asked to stop: Ctrl-C, and on Unix the signal that service managers send.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::CliError;

/// Whether somebody listens.
static AWAITED: AtomicBool = AtomicBool::new(false);

/// Whether a command has taken on itself to end in good order.
#[cfg(unix)]
pub(crate) fn is_awaited() -> bool {
    AWAITED.load(Ordering::SeqCst)
}

/// Interrupts by the user or the system, one after the other.
#[derive(Debug)]
pub(crate) struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    close: tokio::signal::windows::CtrlBreak,
}

impl Interrupts {
    /// Starts listening; from here on an interrupt no longer ends the process by itself.
    pub(crate) fn listen() -> Result<Self, CliError> {
        AWAITED.store(true, Ordering::SeqCst);
        Self::signals().map_err(|error| CliError::System { action: "listen for interrupts".to_owned(), error })
    }

    #[cfg(unix)]
    fn signals() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    fn signals() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_break()? })
    }

    /// Returns at the next interrupt.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        let other = self.terminate.recv();
        #[cfg(windows)]
        let other = self.close.recv();
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = other => {}
        }
    }
}
