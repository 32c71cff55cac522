//! Typing at a terminal without being shown, and giving the terminal back when the program is stopped meanwhile.

use std::io;

/// Asks for a line that is not shown.
///
/// # Errors
/// When there is no terminal, or it cannot be read; [`io::ErrorKind::UnexpectedEof`] where nothing more will come.
pub(crate) fn hidden(prompt: &str) -> io::Result<String> {
    give_back_when_stopped()?;
    match rpassword::prompt_password(prompt) {
        // Ctrl-C: the one who listens for it is about to end the program.
        Err(error) if cfg!(unix) && error.kind() == io::ErrorKind::Interrupted => loop {
            std::thread::park();
        },
        other => other,
    }
}

/// From here on Ctrl-C and the signals that stop a program end it only after the terminal is as it is now: a signal alone
/// would leave it silent, and deaf to Ctrl-C. Nothing happens where there is no terminal, or the second time.
///
/// # Errors
/// When signals cannot be listened for.
#[cfg(unix)]
pub(crate) fn give_back_when_stopped() -> io::Result<()> {
    use crate::stop;
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use std::sync::atomic::{AtomicBool, Ordering};

    static GUARDED: AtomicBool = AtomicBool::new(false);
    let Ok(found) = tcgetattr(io::stdin()) else { return Ok(()) };
    if GUARDED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::listen()?
    };
    let watch = move || {
        let mut code = runtime.block_on(signals.next());
        // A run finishes what is under way first; it decides when it ends.
        while stop::is_awaited() {
            code = runtime.block_on(signals.next());
        }
        let _restored = tcsetattr(io::stdin(), OptionalActions::Now, &found);
        let _ended = io::Write::write_all(&mut io::stderr(), b"\n");
        std::process::exit(code);
    };
    std::thread::Builder::new().name("terminal".to_owned()).spawn(watch).map(drop)
}

/// Elsewhere the system gives it back.
#[cfg(not(unix))]
pub(crate) fn give_back_when_stopped() -> io::Result<()> {
    Ok(())
}

/// The signals that stop a program, with what shells show of each.
#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The exit code of the next one.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
            _ = self.hang_up.recv() => 129,
        }
    }
}
