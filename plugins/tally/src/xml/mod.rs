//! XML without namespaces: the tree of one voucher or master, and the splitter that finds them in a
//! stream.
//!
//! User fields carry the prefix `UDF`, whose binding is missing on some files, so names are taken
//! as they stand. Document types and entities are refused, never expanded.

mod element;
mod seek;
mod splitter;

pub(crate) use element::Element;
pub(crate) use splitter::{FAILED, Fault, Found, Inside, Limits, MASTERS, Summary, Wanted, split};

/// Deepest nesting of elements that is read; real exports stay below 12.
pub(crate) const DEPTH_MAX: usize = 64;
