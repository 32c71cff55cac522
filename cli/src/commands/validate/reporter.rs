//! What was judged, in the form that was asked for, and what was counted of it.

use std::path::Path;

use einvoice_core::rulebook::CheckOptions;

use super::html::Page;
use super::text::{summary, text};
use super::{judge, rows};
use crate::arguments::ReportFormat;
use crate::error::CliError;
use crate::output::{Output, printable};
use crate::progress::Progress;

/// What was counted, in a chunk or in all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) valid: u64,
    /// Of the valid ones, those with something to say about.
    pub(super) remarked: u64,
    pub(super) invalid: u64,
    pub(super) skipped: u64,
    pub(super) unreadable: u64,
    /// Values whose origin was shown.
    pub(super) origins: u64,
}

impl Counts {
    pub(super) fn records(self) -> u64 {
        self.valid + self.invalid + self.skipped
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.valid += other.valid;
        self.remarked += other.remarked;
        self.invalid += other.invalid;
        self.skipped += other.skipped;
        self.unreadable += other.unreadable;
        self.origins += other.origins;
    }
}

/// Where results go, and in which form.
pub(super) struct Reporter<'a> {
    pub(super) output: &'a mut Output,
    pub(super) format: Format,
    pub(super) counts: Counts,
    pub(super) progress: Progress,
}

/// The form, with what it gathers until the end.
pub(super) enum Format {
    Text,
    Json,
    Csv,
    Html(Box<Page>),
}

impl<'a> Reporter<'a> {
    pub(super) fn begin(
        output: &'a mut Output,
        format: ReportFormat,
        options: &CheckOptions,
        progress: Progress,
    ) -> Result<Self, CliError> {
        let format = match format {
            ReportFormat::Text => Format::Text,
            ReportFormat::Json => Format::Json,
            ReportFormat::Csv => {
                output.bytes(&rows::header())?;
                Format::Csv
            }
            ReportFormat::Html => Format::Html(Box::new(Page::new(options.as_of))),
        };
        Ok(Self { output, format, counts: Counts::default(), progress })
    }

    pub(super) fn print(&mut self, done: Result<judge::Done, tokio::task::JoinError>) -> Result<(), CliError> {
        let done = done.map_err(|error| CliError::Fault(format!("checking ended early ({error})")))?;
        let Self { output, format, counts, progress } = self;
        *counts += done.counts;
        match format {
            Format::Html(page) => done.judged.iter().for_each(|judged| page.add(judged)),
            _ => progress.aside(|| {
                output.bytes(&done.lines)?;
                done.judged.iter().try_for_each(|judged| text(judged, output))?;
                output.show_now()
            })?,
        }
        progress.advance(done.counts.records());
        Ok(())
    }

    /// One file that cannot be read does not keep the others from being checked.
    pub(super) fn unreadable(&mut self, file: &Path, error: &CliError) -> Result<(), CliError> {
        let Self { output, format, counts, progress } = self;
        counts.unreadable += 1;
        progress.aside(|| {
            output.flush()?;
            output.remark(format!("error: {}", error.message()));
            let shown = file.display().to_string();
            match format {
                Format::Text => Ok(()),
                Format::Json => output.object(&error.report()),
                Format::Csv => output.bytes(&rows::unreadable(&shown, &error.message())),
                Format::Html(page) => {
                    page.unreadable(&shown, &error.message());
                    Ok(())
                }
            }
        })
    }

    /// Writes what comes last, and says what was counted: in a text, and beside everything else.
    pub(super) fn end(self, file: Option<&Path>) -> Result<Counts, CliError> {
        let Self { output, format, counts, progress } = self;
        progress.finish();
        let counted = summary(&counts);
        let is_text = matches!(format, Format::Text);
        match format {
            Format::Text => output.line(&counted)?,
            Format::Html(page) => output.bytes(page.finish(&counts).as_bytes())?,
            Format::Json | Format::Csv => {}
        }
        output.flush()?;
        match file {
            Some(file) => output.remark(format!("{counted}; see {}", printable(&file.display().to_string()))),
            None if is_text => {}
            None => output.remark(counted),
        }
        Ok(counts)
    }
}
