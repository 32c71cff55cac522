//! Tally's own JSON, which release 7 writes beside XML (`jsonex`).
//!
//! The same objects under the same names in lower case, so each becomes the XML it stands for, and
//! everything behind knows one form only. `splitter` finds the objects in a stream, `object` rewrites
//! one. Written from the vendor's description and from published programs; nobody has tried it
//! against a release 7.

mod object;
mod splitter;

pub(crate) use splitter::split;
