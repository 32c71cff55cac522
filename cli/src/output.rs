//! What people and programs read: text or JSON lines on standard output, remarks on standard error.
//!
//! With `--json`, standard output holds one JSON object a line and nothing else. Text from documents
//! and portals is untrusted, so control characters never reach a terminal.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::error::CliError;

/// Where a command writes.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about two streams, not states")]
pub struct Output {
    json: bool,
    colours: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    out: Box<dyn Write + Send>,
    remarks: Box<dyn Write + Send>,
    closed: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

/// How a word looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Good,
    Bad,
    Attention,
    Strong,
    Faint,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Attention => "33",
            Self::Strong => "1",
            Self::Faint => "2",
        }
    }
}

impl Output {
    /// Standard output and standard error. Colours only on a terminal, and not when `NO_COLOR` is
    /// set (<https://no-color.org>).
    #[must_use]
    pub fn standard(json: bool) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            json,
            colours: stdout_is_terminal && wanted,
            stdout_is_terminal,
            stderr_is_terminal: io::stderr().is_terminal(),
            out: Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            remarks: Box::new(io::stderr()),
            closed: false,
        }
    }

    /// Whether programs read this.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person watches standard error, so that progress may be shown there.
    #[must_use]
    pub const fn shows_progress(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Hands lines to a person's terminal at once, so that nothing is drawn into half a line; a file
    /// or a program gets them when many have come together.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub(crate) fn show_now(&mut self) -> Result<(), CliError> {
        if self.stdout_is_terminal { self.flush() } else { Ok(()) }
    }

    /// Whether the reader went away (`einvoice ... | head`): printing on is useless.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one JSON object on a line of its own.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub fn object(&mut self, object: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(object)
            .map_err(|error| CliError::Fault(format!("a result has no JSON form: {error}")))?;
        line.push(b'\n');
        self.bytes(&line)
    }

    /// Writes a line of text.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        self.bytes(text.as_ref().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes a table.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub fn table(&mut self, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_content_arrangement(if self.stdout_is_terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        for row in rows {
            table.add_row(row.iter().map(|cell| printable(cell).into_owned()).collect::<Vec<_>>());
        }
        // Columns are told apart by two spaces after each, and nothing stands before the first.
        table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 2)));
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Tells people something beside the result, on standard error. Failing to is no failure of the
    /// command.
    pub fn remark(&mut self, text: impl AsRef<str>) {
        // Standard error may be closed; the result on standard output counts.
        let _written = writeln!(self.remarks, "{}", text.as_ref());
    }

    /// Text for people: on standard output, or beside the JSON on standard error.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub fn say(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        if self.json {
            self.remark(text);
            return Ok(());
        }
        self.line(text)
    }

    /// The text in a style, where colours are shown.
    pub(crate) fn styled<'a>(&self, style: Style, text: &'a str) -> Cow<'a, str> {
        if self.colours { Cow::Owned(format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())) } else { Cow::Borrowed(text) }
    }

    /// Hands everything written so far to the reader.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub fn flush(&mut self) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        let result = self.out.flush();
        self.judge(result)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        let result = self.out.write_all(bytes);
        self.judge(result)
    }

    fn judge(&mut self, result: io::Result<()>) -> Result<(), CliError> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // Work must not stop because nobody reads about it.
                self.closed = true;
                Ok(())
            }
            other => other.map_err(CliError::Output),
        }
    }
}

/// The text without control characters, so that a document cannot steer a terminal.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_steering) {
        Cow::Owned(text.chars().map(|character| if is_steering(character) { '\u{fffd}' } else { character }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and the marks that reverse the direction of text.
fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `1 document`, `2 documents`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("{count} {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_document_cannot_steer_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        assert!(matches!(printable("Ōm & Söhne"), Cow::Borrowed(_)));
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(0, "document"), "0 documents");
    }
}
