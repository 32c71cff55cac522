//! From the bytes of an export to XML text that a parser accepts: decoding, then cleaning.
//!
//! Tally writes UTF-16 or an 8-bit page, with or without a byte order mark and without an XML
//! declaration worth relying on, and its text is not well-formed XML 1.0. [`CleanReader`] streams
//! any such file as clean UTF-8 with bounded memory and still knows, for every place in the clean
//! text, the line and byte of the file it came from. The [`splitter`](crate::xml) reads from it.

mod clean;
mod decode;
mod position;

pub(crate) use clean::{CleanReader, TextTooLong};
pub(crate) use decode::{Decoded, Encoding};
pub(crate) use position::Place;
