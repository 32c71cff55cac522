//! What a run tells its progress bar.

use std::sync::OnceLock;

use einvoice_core::pipeline::Observer;
use einvoice_core::state::DocumentState;

use crate::output::printable;
use crate::progress::Progress;

/// Follows a run: a count of what is read, and from the first document to send on a bar.
#[derive(Debug)]
pub(in super::super) struct Followed {
    reading: Progress,
    sending: OnceLock<Progress>,
    shown: bool,
}

impl Followed {
    pub(in super::super) fn new(shown: bool) -> Self {
        Self { reading: Progress::new(shown, None, "records read"), sending: OnceLock::new(), shown }
    }

    /// For work that reads no source: a bar only.
    pub(in super::super) fn without_reading(shown: bool) -> Self {
        Self { reading: Progress::new(false, None, ""), sending: OnceLock::new(), shown }
    }

    /// Takes the bar away.
    pub(in super::super) fn finish(&self) {
        self.reading.finish();
        if let Some(sending) = self.sending.get() {
            sending.finish();
        }
    }

    fn sending(&self) -> &Progress {
        self.sending.get_or_init(|| {
            self.reading.finish();
            Progress::new(self.shown, Some(0), "settled")
        })
    }
}

impl Observer for Followed {
    fn read(&self, records: usize) {
        match self.sending.get() {
            Some(sending) => sending.tick(),
            None => self.reading.advance(u64::try_from(records).unwrap_or_default()),
        }
    }

    fn queued(&self, documents: usize) {
        self.sending().expect(u64::try_from(documents).unwrap_or_default());
    }

    fn settled(&self, _label: &str, state: DocumentState) {
        // What breaks a rule was never to be sent, so it is not counted.
        if state != DocumentState::Invalid {
            self.sending().advance(1);
        }
    }

    fn delivered(&self, target: &str, _receipts: usize) {
        self.sending.get().unwrap_or(&self.reading).message(format!("writing to {}", printable(target)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_rule_is_not_counted_among_what_is_sent() {
        let followed = Followed::new(false);
        followed.read(3);
        followed.queued(2);
        followed.settled("a", DocumentState::Invalid);
        followed.settled("b", DocumentState::Registered);
        assert_eq!((followed.reading.count().0, followed.sending().count()), (3, (1, Some(2))));
        followed.settled("c", DocumentState::Registered);
        followed.settled("left by an earlier run", DocumentState::Registered);
        assert_eq!(followed.sending().count(), (3, Some(3)));
    }
}
