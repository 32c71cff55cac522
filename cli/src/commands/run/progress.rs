//! The progress bar of a run, on standard error of a terminal only.

use einvoice_core::pipeline::Observer;
use einvoice_core::state::DocumentState;
use indicatif::{ProgressBar, ProgressStyle};

/// Follows a run with a bar: documents settled out of documents to send.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(shown: bool) -> Self {
        if !shown {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(0);
        // The template is fixed, so it cannot be wrong; without it the bar has its usual look.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} settled, {per_sec}, {elapsed} {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn read(&self, _records: usize) {
        self.bar.tick();
    }

    fn queued(&self, documents: usize) {
        self.bar.inc_length(u64::try_from(documents).unwrap_or_default());
    }

    fn settled(&self, _label: &str, _state: DocumentState) {
        self.bar.inc(1);
    }

    fn delivered(&self, target: &str, _receipts: usize) {
        self.bar.set_message(format!("writing to {target}"));
    }
}
