//! The bytes of a file as rows see them: which separator they have, where lines end, how long a row may be.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use einvoice_file_drop::Quotes;

/// Longest row.
pub(super) const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Separators that are looked for.
const SEPARATORS: [u8; 4] = [b',', b';', b'|', b'\t'];

/// The separator that the first line has most of, outside quotes.
pub(super) fn separator_of(mut input: impl Read) -> io::Result<u8> {
    let mut start = Vec::new();
    input.by_ref().take(64 * 1024).read_to_end(&mut start)?;
    let mut quoted = false;
    let mut counts = [0_u32; SEPARATORS.len()];
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                let at = SEPARATORS.iter().position(|separator| *separator == byte);
                if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let at = counts.iter().position(|count| *count == most && most > 0);
    Ok(at.and_then(|at| SEPARATORS.get(at)).copied().unwrap_or(b','))
}

/// Lets a row have so many bytes: a quote that is never closed would take in the whole file. Ends lines by LF alone, as
/// lines are counted wrongly otherwise.
#[derive(Debug)]
pub(super) struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
    /// A CR was the last byte, and what follows is not known yet.
    held: bool,
    /// The quotation marks of what was read.
    pub(super) quotes: Quotes,
}

impl<R> Limited<R> {
    /// `left` says how many bytes may come before it is set anew.
    pub(super) const fn new(inner: R, left: Rc<Cell<usize>>, separator: u8) -> Self {
        Self { inner, left, held: false, quotes: Quotes::new(separator) }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row is longer than 1 MB"));
        }
        loop {
            let mut bytes = Vec::with_capacity(target.len());
            bytes.extend(self.held.then_some(b'\r'));
            let wanted = u64::try_from(target.len() - bytes.len()).unwrap_or(u64::MAX);
            let is_end = self.inner.by_ref().take(wanted).read_to_end(&mut bytes)? == 0;
            self.held = !is_end && bytes.last() == Some(&b'\r');
            if self.held {
                bytes.pop();
            }
            let mut written = 0;
            for (at, byte) in bytes.iter().enumerate() {
                let is_line_end = *byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
                if let (false, Some(slot)) = (is_line_end, target.get_mut(written)) {
                    *slot = *byte;
                    written += 1;
                }
            }
            self.left.set(self.left.get().saturating_sub(written));
            self.quotes.look(target.get(..written).unwrap_or_default());
            if written > 0 || is_end {
                return Ok(written);
            }
        }
    }
}
