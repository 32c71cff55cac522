//! A writer that fails once and then takes everything.

use std::io::{self, Seek, SeekFrom, Write};

/// Remembers the first error. The library that packs workbooks writes on when it is dropped and tells standard error what
/// went wrong then; whoever wrote has been told before.
#[derive(Debug)]
pub(super) struct Quiet<W> {
    inner: W,
    failed: Option<io::Error>,
}

impl<W: Write> Quiet<W> {
    pub(super) const fn new(inner: W) -> Self {
        Self { inner, failed: None }
    }

    /// What was written to.
    ///
    /// # Errors
    /// When something could not be written.
    pub(super) fn into_inner(self) -> io::Result<W> {
        self.failed.map_or(Ok(self.inner), Err)
    }

    /// The error to hand out, which is kept. An interrupted call is made again and is no error.
    fn first(&mut self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let told = io::Error::new(error.kind(), error.to_string());
        self.failed = Some(error);
        told
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Ok(bytes.len());
        }
        self.inner.write(bytes).map_err(|error| self.first(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed.is_some() {
            return Ok(());
        }
        self.inner.flush().map_err(|error| self.first(error))
    }
}

impl<W: Write + Seek> Seek for Quiet<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.failed.is_some() {
            return Ok(0);
        }
        self.inner.seek(to).map_err(|error| self.first(error))
    }
}
