//! A file as sheets of rows, whatever form it has: told by its content, never by its name.
//!
//! Workbooks in the form of Excel 2007 and later and text files are read row by row, with the memory of one row (and the
//! table of texts that such a workbook shares). Old workbooks, binary ones and those of `OpenDocument` are held whole, as
//! their form asks.

mod html;
mod open_document;
mod text;
mod workbook;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use einvoice_file_drop::Encoding;

use crate::cell::Row;

/// Most rows of a sheet; a workbook has no more.
pub(crate) const ROWS_MAX: u32 = 1_048_576;
/// Most columns of a sheet.
pub(crate) const COLUMNS_MAX: u32 = 16_384;

/// How text files are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextSettings {
    /// How bytes become text.
    pub(crate) encoding: Encoding,
    /// What stands between values; told by the content where it is not given.
    pub(crate) delimiter: Option<u8>,
}

/// Why a file cannot be read, or not to its end.
#[derive(Debug)]
pub(crate) enum BookError {
    /// The disk, the permissions, a lock.
    Io(io::Error),
    /// The content: what is wrong and what to do.
    Content {
        /// What is wrong.
        message: String,
        /// What to do.
        fix: &'static str,
        /// The row up to which it could be read.
        after_row: Option<u32>,
    },
}

impl BookError {
    fn content(message: impl Into<String>, fix: &'static str) -> Self {
        Self::Content { message: message.into(), fix, after_row: None }
    }
}

/// Whether an error tells of what stands in a file, and not of the disk it lies on: unpacking finds both.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
}

impl From<io::Error> for BookError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a reader hands to its taker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    /// A row with a value somewhere.
    Row(Row),
    /// A row that cannot be read; those after it can.
    Fault {
        /// Its number.
        number: u32,
        /// What could be read of it, where that tells which document it belongs to.
        readable: Option<Row>,
        /// What is wrong.
        message: String,
        /// What to do.
        fix: &'static str,
    },
}

/// Whether a column is among those asked for, which are in order.
fn is_wanted(only: Option<&[u32]>, column: u32) -> bool {
    only.is_none_or(|only| only.binary_search(&column).is_ok())
}

/// Takes rows in their order; breaks when it has enough.
pub(crate) type Take<'t> = &'t mut dyn FnMut(Line) -> ControlFlow<()>;

/// Cells that are shown as one: rows and columns from 0, the last ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) first: (u32, u32),
    pub(crate) last: (u32, u32),
}

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Excel 2007 and later, binary workbook, `OpenDocument`: a ZIP archive.
    Archive,
    /// Excel 97 to 2003: a compound file.
    Compound,
    /// A table of HTML or of Excel's XML, most often named `.xls`.
    Markup,
    /// Comma-separated values and their relatives.
    Text,
}

impl Form {
    /// Tells the form by the first bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [b'P', b'K', 3 | 5 | 7, ..] => Self::Archive,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Self::Compound,
            _ => {
                let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
                // UTF-16 has a zero beside each of these.
                let text: Vec<u8> = text
                    .iter()
                    .copied()
                    .filter(|byte| !matches!(byte, 0 | 0xff | 0xfe))
                    .skip_while(u8::is_ascii_whitespace)
                    .take(9)
                    .collect();
                let lower = text.to_ascii_lowercase();
                let tags: [&[u8]; 6] = [b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<!--"];
                if tags.iter().any(|tag| {
                    lower.starts_with(tag) || (lower.len() < tag.len() && tag.starts_with(&lower) && lower.len() > 1)
                }) {
                    Self::Markup
                } else {
                    Self::Text
                }
            }
        }
    }
}

/// An open file.
pub(crate) enum Book {
    /// A workbook of one of the forms that a library reads.
    Workbook(Box<workbook::Workbook>),
    /// A page or an XML workbook, held whole.
    Markup(Vec<(String, html::Table)>),
    /// A text file, read anew for each pass.
    Text(text::TextFile),
}

impl std::fmt::Debug for Book {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let form = match self {
            Self::Workbook(_) => "workbook",
            Self::Markup(_) => "markup",
            Self::Text(_) => "text",
        };
        formatter.debug_tuple("Book").field(&form).finish()
    }
}

impl Book {
    /// Opens a file by what is in it.
    pub(crate) fn open(path: &Path, settings: TextSettings) -> Result<Self, BookError> {
        let mut head = Vec::with_capacity(64);
        File::open(path)?.take(64).read_to_end(&mut head)?;
        let file = || File::open(path).map(BufReader::new);
        match Form::of(&head) {
            _ if head.is_empty() => Err(BookError::content(
                "the file is empty",
                "Write the file again; nothing was lost, as nothing was in it.",
            )),
            Form::Archive => {
                workbook::limit_archive(file()?)?;
                guarded(|| workbook::Workbook::archive(&file)).map(|book| Self::Workbook(Box::new(book)))
            }
            Form::Compound => {
                guarded(|| workbook::Workbook::compound(&file)).map(|book| Self::Workbook(Box::new(book)))
            }
            Form::Markup => html::read(file()?, settings.encoding).map(Self::Markup),
            Form::Text => text::TextFile::open(path, settings).map(Self::Text),
        }
    }

    /// The names of its sheets in their order, hidden ones left out; a text file has one without a name.
    pub(crate) fn sheets(&self) -> Vec<String> {
        match self {
            Self::Workbook(book) => book.sheets(),
            Self::Markup(tables) => tables.iter().map(|(name, _)| name.clone()).collect(),
            Self::Text(_) => vec![String::new()],
        }
    }

    /// Whether it is a workbook of the form of Excel 2007 and later, which is a package of parts.
    pub(crate) fn is_package(&self) -> bool {
        matches!(self, Self::Workbook(book) if matches!(**book, workbook::Workbook::Xlsx(_)))
    }

    /// Whether rows are called lines, as in a text file.
    pub(crate) fn has_lines(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Whether the workbook counts its days from 1904.
    pub(crate) fn is_1904(&self) -> bool {
        matches!(self, Self::Workbook(book) if book.is_1904())
    }

    /// Whether it is known of a number that its cell shows it by the hundred. A text file has no such cells.
    pub(crate) fn knows_percent(&self) -> bool {
        match self {
            Self::Workbook(book) => book.knows_percent(),
            Self::Markup(_) => false,
            Self::Text(_) => true,
        }
    }

    /// Hands the rows of a sheet out one after the other. It may be called again for another pass.
    pub(crate) fn rows(&mut self, sheet: &str, take: Take<'_>) -> Result<(), BookError> {
        self.columns(sheet, None, take)
    }

    /// As [`rows`](Self::rows), with the cells of these columns alone, where it saves work: they are in order.
    pub(crate) fn columns(&mut self, sheet: &str, only: Option<&[u32]>, take: Take<'_>) -> Result<(), BookError> {
        let mut last = None;
        let mut counted = |line: Line| {
            last = Some(match &line {
                Line::Row(row) => row.number,
                Line::Fault { number, .. } => *number,
            });
            take(line)
        };
        let result = match self {
            Self::Workbook(book) => guarded(|| book.rows(sheet, only, &mut counted)),
            Self::Markup(tables) => {
                let table = tables.iter().find(|(name, _)| name == sheet);
                table.map_or(Ok(()), |(_, table)| {
                    table.rows(&mut counted);
                    Ok(())
                })
            }
            Self::Text(file) => file.rows(only, &mut counted),
        };
        result.map_err(|error| match error {
            BookError::Content { message, fix, after_row: None } => {
                BookError::Content { message, fix, after_row: last }
            }
            other => other,
        })
    }

    /// The cells of a sheet that are shown as one.
    pub(crate) fn merged(&mut self, sheet: &str) -> Result<Vec<Merged>, BookError> {
        match self {
            Self::Workbook(book) => guarded(|| book.merged(sheet)),
            Self::Markup(tables) => {
                let table = tables.iter().find(|(name, _)| name == sheet);
                Ok(table.map(|(_, table)| table.merged().to_vec()).unwrap_or_default())
            }
            Self::Text(_) => Ok(Vec::new()),
        }
    }
}

/// Runs a reader whose fault at one file must not end the reading of the others: damaged workbooks are outside what the
/// readers' authors have seen.
fn guarded<T>(read: impl FnOnce() -> Result<T, BookError>) -> Result<T, BookError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(BookError::content(
            "the file is damaged in a way its reader does not expect",
            "Open it in a spreadsheet program and save it again as .xlsx.",
        ))
    })
}
