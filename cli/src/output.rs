//! What people and programs read: text or JSON lines on standard output, remarks on standard error.
//!
//! With `--json`, standard output holds one JSON object a line and nothing else. Text from documents
//! and portals is untrusted, so control characters never reach a terminal.

mod plain;
mod table;
mod wrap;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::Table;
use serde::Serialize;

use crate::error::CliError;
pub(crate) use plain::in_words;
pub use plain::{counted, printable};
pub(crate) use table::Column;
pub(crate) use wrap::{Span, columns, cut_in_middle, wrapped_lines};

/// Spaces between two columns.
const GAP: usize = 2;

/// Where long texts are wrapped when no terminal says how wide it is.
const READABLE_WIDTH: usize = 100;

/// A terminal below this width has no room for deep indents.
const NARROW_WIDTH: usize = 60;

/// Where a command writes.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about two streams, not states")]
pub struct Output {
    json: bool,
    colours: bool,
    /// Characters in a line of the terminal that standard output is, if it is one.
    width: Option<usize>,
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
            width: Table::new().width().map(usize::from).filter(|width| stdout_is_terminal && *width > 0),
            stdout_is_terminal,
            stderr_is_terminal: io::stderr().is_terminal(),
            out: Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            remarks: Box::new(io::stderr()),
            closed: false,
        }
    }

    /// Results into something else than standard output, such as a file; remarks stay on standard error.
    pub(crate) fn into_writer(out: Box<dyn Write + Send>, json: bool) -> Self {
        Self { json, colours: false, width: None, stdout_is_terminal: false, out, ..Self::standard(json) }
    }

    /// From here on programs read this, as with `--json`.
    pub(crate) const fn turn_to_json(&mut self) {
        self.json = true;
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

    /// Writes a paragraph, every line of it indented: wrapped at words on a terminal, else in one line.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) -> Result<(), CliError> {
        self.spans(indent, indent, &[Span::plain(text)])
    }

    /// Writes a paragraph whose first words are in a style.
    pub(crate) fn headed(&mut self, style: Style, head: &str, text: &str) -> Result<(), CliError> {
        self.spans(0, 0, &[Span::styled(style, head), Span::plain(" "), Span::plain(text)])
    }

    /// Writes a paragraph of parts, some of them in a style, its lines after the first indented by `hang`.
    pub(crate) fn spans(&mut self, indent: usize, hang: usize, spans: &[Span<'_>]) -> Result<(), CliError> {
        self.wrapped(indent, hang, spans, self.width.unwrap_or(usize::MAX))
    }

    /// Writes a long text as a paragraph that is wrapped everywhere.
    pub(crate) fn long_text(&mut self, indent: usize, text: &str) -> Result<(), CliError> {
        let width = self.width.unwrap_or(READABLE_WIDTH).min(READABLE_WIDTH);
        self.wrapped(indent, indent, &[Span::plain(text)], width)
    }

    /// Writes what belongs together, each with its name: in one line if that can be read at a glance, else
    /// each on lines of its own with the values under one another. Of a very long value, start and end.
    pub(crate) fn compared(&mut self, indent: usize, values: &[(&str, &str)]) -> Result<(), CliError> {
        let values: Vec<(&str, Cow<'_, str>)> =
            values.iter().map(|(name, value)| (*name, cut_in_middle(value))).collect();
        let parts: Vec<String> = values.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let line = parts.join(", ");
        let width = self.width.unwrap_or(READABLE_WIDTH).min(READABLE_WIDTH);
        if indent + columns(&line) <= width {
            return self.paragraph(indent, &line);
        }
        let widest = values.iter().map(|(name, _)| columns(name)).max().unwrap_or_default();
        let hang = indent + widest + GAP;
        values.iter().try_for_each(|(name, value)| {
            self.spans(indent, hang, &[Span::plain(&format!("{name:<widest$}{:GAP$}", "")), Span::plain(value)])
        })
    }

    /// How far to indent: less where there is little room.
    pub(crate) fn indent(&self, wide: usize, narrow: usize) -> usize {
        if self.width.is_some_and(|width| width < NARROW_WIDTH) { narrow } else { wide }
    }

    fn wrapped(&mut self, indent: usize, hang: usize, spans: &[Span<'_>], width: usize) -> Result<(), CliError> {
        let shown: Vec<Cow<'_, str>> = spans.iter().map(|span| printable(span.text)).collect();
        let spans: Vec<Span<'_>> =
            spans.iter().zip(&shown).map(|(span, text)| Span { style: span.style, text }).collect();
        for line in wrap::lines(&spans, indent, hang, width) {
            let mut text = " ".repeat(line.indent);
            for (style, piece) in &line.pieces {
                match style {
                    Some(style) => text.push_str(&self.styled(*style, piece)),
                    None => text.push_str(piece),
                }
            }
            self.line(text.trim_end_matches(' '))?;
        }
        Ok(())
    }

    /// Tells people something beside the result, on standard error. Failing to is no failure of the
    /// command.
    pub fn remark(&mut self, text: impl AsRef<str>) {
        // What was said before on standard output is read before; a failure to write it shows at the next line.
        let _flushed = self.out.flush();
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is written to a terminal of this width, or to a file.
    pub(in super::super) fn written(width: Option<usize>, write: impl FnOnce(&mut Output)) -> String {
        #[derive(Clone, Default)]
        struct Sink(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
        impl Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let mut output = Output { width, out: Box::new(sink.clone()), ..Output::standard(false) };
        write(&mut output);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_paragraph_is_wrapped_at_words_on_a_terminal_only() {
        let text = "compare the password of the API user";
        let paragraph = |width| written(width, |output| output.paragraph(4, text).unwrap());
        assert_eq!(paragraph(None), format!("    {text}\n"));
        assert_eq!(paragraph(Some(24)), "    compare the password\n    of the API user\n");
        assert_eq!(paragraph(Some(9)), paragraph(Some(20)), "no terminal gets a column of single words");
    }

    #[test]
    fn values_stand_in_one_line_where_they_fit_and_under_one_another_elsewhere() {
        let compared = |width, found: &str| {
            written(width, |output| output.compared(4, &[("found", found), ("expected", "two of them")]).unwrap())
        };
        assert_eq!(compared(Some(40), "one"), "    found one, expected two of them\n");
        assert_eq!(
            compared(Some(40), "one and a half of them or so"),
            "    found     one and a half of them or\n              so\n    expected  two of them\n"
        );
        let long = format!("{}-{}", "a".repeat(200), "z".repeat(200));
        let shown = compared(None, &long);
        assert_eq!(shown.lines().count(), 2, "no line is wrapped where no terminal says how wide it is: {shown}");
        assert!(shown.contains(" … ") && shown.contains("z (401 characters)\n"), "{shown}");
        assert!(compared(Some(30), &long).lines().all(|line| columns(line) <= 30));
    }
}
