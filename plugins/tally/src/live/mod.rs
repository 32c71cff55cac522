//! A running Tally: its HTTP door, asked one thing at a time.
//!
//! `link` carries one request and one answer and keeps the rules that Tally needs (one request at a
//! time, a probe after a time-out); `request` writes what is asked, `answer` reads what comes back;
//! `books` puts the questions of this crate; `reading` is the source's run over them.

mod answer;
mod books;
mod error;
mod link;
mod reading;
mod request;
mod settings;

pub(crate) use answer::{ImportAnswer, hint, refusal};
pub(crate) use books::{Books, Head, OpenCompany, StoredVoucher, whole_number};
pub(crate) use error::LinkError;
pub(crate) use link::{Link, beginning};
pub(crate) use reading::{MastersCache, Progress, Run};
pub(crate) use request::import;
pub(crate) use settings::{LinkSettings, ReadSettings, only_with};
