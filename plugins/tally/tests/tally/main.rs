//! The Tally adapter as its users meet it: files in, documents and results out.

mod bad_input;
mod common;
mod quickstart;
mod samples;
mod write_back;
