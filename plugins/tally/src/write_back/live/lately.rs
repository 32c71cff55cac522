//! What this process delivered lately.

use std::collections::HashMap;

use einvoice_core::receipt::Edition;

/// Records of one generation; two are kept, so that a program that runs for years needs no more memory than after a day.
/// What is forgotten is settled by reading the voucher.
const RECORDS_MAX: usize = 5_000;

/// What was delivered for one record.
#[derive(Debug, Clone)]
pub(super) struct Delivered {
    pub(super) edition: Edition,
    pub(super) master_id: Option<u64>,
}

/// The last deliveries, by source and record.
#[derive(Debug, Default)]
pub(super) struct Lately {
    young: HashMap<(String, String), Delivered>,
    old: HashMap<(String, String), Delivered>,
}

impl Lately {
    /// Remembers the delivery of a record of a source.
    pub(super) fn remember(&mut self, source: &str, record: &str, delivered: Delivered) {
        if self.young.len() >= RECORDS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert((source.to_owned(), record.to_owned()), delivered);
    }

    /// The last delivery of a record of a source.
    pub(super) fn of(&self, source: &str, record: &str) -> Option<&Delivered> {
        let key = (source.to_owned(), record.to_owned());
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// The last delivery of a record of any source.
    pub(super) fn of_record(&self, record: &str) -> Option<&Delivered> {
        let all = self.young.iter().chain(&self.old);
        all.into_iter().find(|((_, known), _)| known == record).map(|(_, delivered)| delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_deliveries_are_known_and_memory_has_a_limit() {
        let mut lately = Lately::default();
        let most = 2 * RECORDS_MAX;
        for number in 0..10 * most {
            let edition = Edition { ledger: None, revision: 2, ack_no: None };
            let delivered = Delivered { edition, master_id: Some(u64::try_from(number).unwrap()) };
            lately.remember("books", &number.to_string(), delivered);
            assert!(lately.young.len() + lately.old.len() <= most);
        }
        let last = (10 * most - 1).to_string();
        assert_eq!(lately.of("books", &last).unwrap().edition.revision, 2);
        assert!(lately.of("other", &last).is_none());
        assert_eq!(lately.of_record(&last).unwrap().master_id, last.parse().ok());
        assert!(lately.of_record("0").is_none());
    }
}
