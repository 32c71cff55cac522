#![doc = include_str!("../README.md")]

mod atomic;
mod decode;
mod drop;
mod files;
pub mod json;
mod left;
mod name;
mod picture;
mod quotes;
mod settled;
mod trigger;
mod work;

pub use atomic::{beside, finish, put};
pub use decode::{Encoding, Utf8Reader, read_whole};
pub use drop::{Entries, FileDrop, Format, on_thread};
pub use files::{FolderSettings, Found, Lister};
pub use name::{is_response, response_stem};
pub use picture::{Picture, QrFormat};
pub use quotes::Quotes;
pub use settled::number_of;
