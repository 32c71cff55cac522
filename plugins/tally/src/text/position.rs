//! Where a place of the clean text stands in the original file.

use std::collections::VecDeque;

/// A place in an original file, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line, counted from 1.
    pub(crate) line: u64,
    /// Byte, counted from 0.
    pub(crate) byte: u64,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    clean: u64,
    raw: u64,
}

/// Translates offsets of the clean text. Anchors stand wherever the relation changes; asking about
/// a place forgets the anchors and line feeds before it, so questions must go forward and memory stays
/// bounded.
#[derive(Debug)]
pub(crate) struct Positions {
    anchors: VecDeque<Anchor>,
    /// Clean offsets of the line feeds that were not passed yet.
    line_feeds: VecDeque<u64>,
    /// Line of the place that was asked about last.
    line: u64,
    raw_per_ascii: u64,
}

impl Positions {
    /// Starts after a byte order mark of `raw` bytes.
    pub(crate) fn new(raw: u64, raw_per_ascii: u64) -> Self {
        let anchors = VecDeque::from([Anchor { clean: 0, raw }]);
        Self { anchors, line_feeds: VecDeque::new(), line: 1, raw_per_ascii }
    }

    /// Says that from clean offset `clean` on, the original stands at `raw`.
    pub(crate) fn anchor(&mut self, clean: u64, raw: u64) {
        self.anchors.push_back(Anchor { clean, raw });
    }

    /// Says that a line feed stands at a clean offset.
    pub(crate) fn line_feed(&mut self, clean: u64) {
        self.line_feeds.push_back(clean);
    }

    /// The original place of a clean offset.
    pub(crate) fn place(&mut self, clean: u64) -> Place {
        while self.anchors.get(1).is_some_and(|next| next.clean <= clean) {
            self.anchors.pop_front();
        }
        while self.line_feeds.front().is_some_and(|line_feed| *line_feed < clean) {
            self.line_feeds.pop_front();
            self.line += 1;
        }
        let byte = self
            .anchors
            .front()
            .map_or(0, |anchor| anchor.raw + clean.saturating_sub(anchor.clean) * self.raw_per_ascii);
        Place { line: self.line, byte }
    }
}
