//! One entry in the form in which stores keep it, with the moves it can make.
//!
//! An entry has two parts, so that a store can give workers the right to write the one and only to read the other:
//! [`EntryRecord`] holds what a person enters, [`StateRecord`] what logins leave behind. Both are written as JSON
//! with a version; unknown members are refused and not skipped, since a writer that does not know them would lose
//! them. Everything secret is wiped when it is dropped.

mod entry;
mod form;
mod name;
mod state;

pub use entry::EntryRecord;
pub use name::scope_name;
pub use state::StateRecord;
