//! What a run tells its progress bar.

use einvoice_core::pipeline::Observer;
use einvoice_core::state::DocumentState;

use crate::output::printable;
use crate::progress::Progress;

/// Follows a run with a bar: documents settled out of documents to send.
#[derive(Debug)]
pub(super) struct Followed(Progress);

impl Followed {
    pub(super) fn new(shown: bool) -> Self {
        Self(Progress::new(shown, Some(0), "settled"))
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish();
    }
}

impl Observer for Followed {
    fn read(&self, _records: usize) {
        self.0.tick();
    }

    fn queued(&self, documents: usize) {
        self.0.expect(u64::try_from(documents).unwrap_or_default());
    }

    fn settled(&self, _label: &str, _state: DocumentState) {
        self.0.advance(1);
    }

    fn delivered(&self, target: &str, _receipts: usize) {
        self.0.message(format!("writing to {}", printable(target)));
    }
}
