//! Runs a promise on a runtime of its own and keeps everything that is logged meanwhile.

use std::cell::RefCell;
use std::future::Future;
use std::io;

use tracing::level_filters::LevelFilter;

use crate::promise::{Shown, tell};

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs a promise to its end, on this thread, with every log line of every crate kept, and prints it
/// as a sentence with what became of it.
///
/// # Panics
/// When the promise is broken.
pub fn run(name: &str, promise: impl Future<Output = Shown>) {
    tell(name, watched(promise));
}

/// Runs a promise to its end, on this thread, with every log line of every crate kept. The thread must not be one of a
/// runtime.
///
/// # Panics
/// When the promise is broken.
pub fn watched(promise: impl Future<Output = Shown>) -> Shown {
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false).with_writer(|| Witness).finish();
    LOG.with_borrow_mut(Vec::clear);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    tracing::subscriber::with_default(subscriber, || runtime.block_on(promise))
}

/// Everything logged on this thread since [`run`] began.
pub(super) fn log() -> String {
    LOG.with_borrow(|log| String::from_utf8_lossy(log).into_owned())
}

struct Witness;

impl io::Write for Witness {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
