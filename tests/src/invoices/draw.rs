//! Decisions drawn from bytes, so that a shorter or smaller string of bytes makes a simpler document.

/// Draws decisions from bytes; when they run out every decision is the first choice.
#[derive(Debug, Clone)]
pub struct Draw<'a>(std::slice::Iter<'a, u8>);

impl<'a> Draw<'a> {
    /// Draws from these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    /// A number below a bound; nought for a bound of nought.
    pub fn below(&mut self, bound: usize) -> usize {
        let mut number = usize::from(self.byte());
        if bound > 256 {
            number = number * 256 + usize::from(self.byte());
        }
        number.checked_rem(bound).unwrap_or_default()
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// Yes, once in so many.
    pub fn once_in(&mut self, times: u8) -> bool {
        self.byte().checked_rem(times).unwrap_or_default() == times.saturating_sub(1)
    }

    /// A number between two, both included.
    pub fn number(&mut self, least: i64, most: i64) -> i64 {
        let bytes = std::array::from_fn(|_| self.byte());
        let span = most.saturating_sub(least).saturating_add(1).max(1);
        least + i64::from_be_bytes(bytes).rem_euclid(span)
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    #[expect(clippy::expect_used, reason = "a fixture without choices is a broken test")]
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.get(self.below(choices.len())).expect("a choice")
    }
}

/// Bytes that look like chance, the same for the same seed (splitmix64).
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_be_bytes()
    });
    words.flatten().take(length).collect()
}
