//! The only door to randomness: session keys, jitter and identifiers come from an [`Entropy`].

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Gives random bytes.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with random data.
    ///
    /// # Errors
    /// [`EntropyError`] when the operating system gives none; nothing secret may be made then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// A source of randomness shared between the parts of one program.
pub type SharedEntropy = Arc<dyn Entropy>;

/// The operating system's source of random bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct EntropyError;

/// The operating system's cryptographic random numbers.
#[derive(Debug, Clone, Default)]
pub struct SystemEntropy {
    random: SystemRandom,
}

impl SystemEntropy {
    /// The system's randomness behind a shared pointer.
    #[must_use]
    pub fn shared() -> SharedEntropy {
        Arc::new(Self::default())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.random.fill(bytes).map_err(|_| EntropyError)
    }
}

/// Predictable bytes from a seed, for tests and simulations. Provides no security.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<[u8; 32]>,
}

impl SeededEntropy {
    /// A stream of bytes that depends on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = [0; 32];
        if let Some(head) = state.first_chunk_mut::<8>() {
            *head = seed.to_le_bytes();
        }
        Self { state: Mutex::new(state) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut state = self.state.lock().map_err(|_| EntropyError)?;
        for chunk in bytes.chunks_mut(32) {
            let next = digest::digest(&digest::SHA256, state.as_slice());
            for (target, value) in state.iter_mut().zip(next.as_ref()) {
                *target = *value;
            }
            // Hashing the state once more keeps the output apart from the state that follows.
            let output = digest::digest(&digest::SHA256, &[state.as_slice(), b"output"].concat());
            for (target, value) in chunk.iter_mut().zip(output.as_ref()) {
                *target = *value;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let (mut first, mut second) = ([0; 40], [0; 40]);
        SeededEntropy::new(7).fill(&mut first).unwrap();
        SeededEntropy::new(7).fill(&mut second).unwrap();
        assert_eq!(first, second);
        SeededEntropy::new(8).fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
