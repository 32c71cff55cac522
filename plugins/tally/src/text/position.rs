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
    line: u64,
}

/// Translates offsets of the clean text. Anchors stand wherever the relation changes; asking about
/// a place forgets the anchors before it, so questions must go forward and memory stays bounded.
#[derive(Debug)]
pub(crate) struct Positions {
    anchors: VecDeque<Anchor>,
    raw_per_ascii: u64,
}

impl Positions {
    /// Starts after a byte order mark of `raw` bytes.
    pub(crate) fn new(raw: u64, raw_per_ascii: u64) -> Self {
        Self { anchors: VecDeque::from([Anchor { clean: 0, raw, line: 1 }]), raw_per_ascii }
    }

    /// Says that from clean offset `clean` on, the original stands at `raw` in line `line`.
    pub(crate) fn anchor(&mut self, clean: u64, raw: u64, line: u64) {
        self.anchors.push_back(Anchor { clean, raw, line });
    }

    /// The original place of a clean offset.
    pub(crate) fn place(&mut self, clean: u64) -> Place {
        while self.anchors.get(1).is_some_and(|next| next.clean <= clean) {
            self.anchors.pop_front();
        }
        self.anchors.front().map_or(Place { line: 1, byte: 0 }, |anchor| Place {
            line: anchor.line,
            byte: anchor.raw + clean.saturating_sub(anchor.clean) * self.raw_per_ascii,
        })
    }
}
