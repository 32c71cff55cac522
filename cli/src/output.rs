//! What people and programs read: text or JSON lines on standard output, remarks on standard error.
//!
//! With `--json`, standard output holds one JSON object a line and nothing else. Text from documents
//! and portals is untrusted, so control characters never reach a terminal.

mod wrap;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::error::CliError;
pub(crate) use wrap::{Span, columns, cut_in_middle, wrapped_lines};

/// Spaces between two columns of a table.
const GAP: usize = 2;

/// Where long texts are wrapped when no terminal says how wide it is.
const READABLE_WIDTH: usize = 100;

/// A terminal below this width has no room for deep indents.
const NARROW_WIDTH: usize = 60;

/// A column of a table, and what becomes of it on a terminal that is too narrow for all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    narrow: Narrow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrow {
    /// A key or a word that must not be broken.
    Keep,
    /// A text that may be wrapped.
    Wrap,
    /// Left out; the lowest rank goes first.
    LeaveOut(u8),
}

impl Column {
    /// Never broken.
    pub(crate) const fn keep(heading: &'static str) -> Self {
        Self { heading, narrow: Narrow::Keep }
    }

    /// Wrapped at words.
    pub(crate) const fn wrap(heading: &'static str) -> Self {
        Self { heading, narrow: Narrow::Wrap }
    }

    /// Left out where there is no room; the lowest rank goes first.
    pub(crate) const fn leave_out(heading: &'static str, rank: u8) -> Self {
        Self { heading, narrow: Narrow::LeaveOut(rank) }
    }
}

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

    /// Writes a table. A terminal that is too narrow gets the columns that matter most, each key in
    /// one piece; a file or a program gets all of them.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub(crate) fn table(
        &mut self,
        columns: &[Column],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<(), CliError> {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect()).collect();
        let left_out = self.width.map(|width| too_wide(columns, &rows, width)).unwrap_or_default();
        let shown = |index: &usize| !left_out.contains(index);
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        if let Some(width) = self.width.and_then(|width| u16::try_from(width).ok()) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        let kept = || columns.iter().enumerate().filter(|(index, _)| shown(index)).map(|(_, column)| column);
        table.set_header(kept().map(|column| column.heading.to_uppercase()));
        for row in rows {
            table.add_row(row.into_iter().enumerate().filter(|(index, _)| shown(index)).map(|(_, cell)| cell));
        }
        for (column, described) in table.column_iter_mut().zip(kept()) {
            column.set_padding((0, u16::try_from(GAP).unwrap_or_default()));
            if described.narrow != Narrow::Wrap {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Writes a table without the columns that may be left out and have nothing in any row: a table that is read
    /// once, and compared with no other.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub(crate) fn lean_table(&mut self, columns: &[Column], mut rows: Vec<Vec<String>>) -> Result<(), CliError> {
        let says = |index: usize| rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let kept: Vec<bool> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| !matches!(column.narrow, Narrow::LeaveOut(_)) || says(index))
            .collect();
        let columns: Vec<Column> =
            columns.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(column, _)| *column).collect();
        for row in &mut rows {
            let mut kept = kept.iter();
            row.retain(|_| kept.next().copied().unwrap_or(true));
        }
        self.table(&columns, rows)
    }

    /// Whether the terminal is too narrow for this column of a table.
    pub(crate) fn leaves_out(&self, columns: &[Column], rows: &[Vec<String>], index: usize) -> bool {
        self.width.is_some_and(|width| too_wide(columns, rows, width).contains(&index))
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

/// Which columns a terminal of this width has no room for.
fn too_wide(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let content = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        cells.map(|cell| wrap::columns(cell)).max().unwrap_or_default()
    };
    let needed = |(index, column): (usize, &Column)| match column.narrow {
        // Two words side by side are the least that a text can be read in.
        Narrow::Wrap => content(index).max(column.heading.len()).min(READABLE_WIDTH / 4) + GAP,
        _ => content(index).max(column.heading.len()) + GAP,
    };
    let mut total: usize = columns.iter().enumerate().map(needed).sum();
    let mut sparable: Vec<(bool, u8, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| match column.narrow {
            // What is empty says nothing, so it goes before everything else.
            Narrow::LeaveOut(rank) => Some((content(index) > 0, rank, index)),
            _ => None,
        })
        .collect();
    sparable.sort_unstable();
    let mut left_out = Vec::new();
    for (_, _, index) in sparable {
        // The gap after the last column needs no room.
        if total.saturating_sub(GAP) <= width {
            break;
        }
        total = total.saturating_sub(columns.get(index).map_or(0, |column| needed((index, column))));
        left_out.push(index);
    }
    left_out
}

/// The text with pictures in place of control characters, so that a document cannot steer a terminal.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_steering) {
        Cow::Owned(
            text.chars().map(|character| if is_steering(character) { picture(character) } else { character }).collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// What stands for a steering character: the picture that Unicode has of it, so that a line end can be told
/// from a tab.
fn picture(character: char) -> char {
    match character {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        _ => None,
    }
    .unwrap_or('\u{fffd}')
}

/// Control characters, and the marks that reverse the direction of text.
fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word of `--json` for people: `rejected_by_party` is `rejected by party`.
#[must_use]
pub(crate) fn in_words(word: impl std::fmt::Display) -> String {
    word.to_string().replace('_', " ")
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
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d\u{7f}\u{9b}"), "a␛[2Jb␊c\u{fffd}d␡\u{fffd}");
        assert!(matches!(printable("Ōm & Söhne"), Cow::Borrowed(_)));
    }

    /// What is written to a terminal of this width, or to a file.
    fn written(width: Option<usize>, write: impl FnOnce(&mut Output)) -> String {
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
    fn a_narrow_terminal_gets_the_columns_that_matter_most_in_one_piece() {
        let columns = [
            Column::keep("document"),
            Column::keep("state"),
            Column::leave_out("empty", 9),
            Column::leave_out("source", 1),
            Column::leave_out("ack no", 2),
        ];
        let cells = ["29AABCE1234F1Z1/2026-27/INV/A/1", "registered", "", "billing", "112600000000001"];
        let row = || vec![cells.map(str::to_owned).to_vec()];
        let headings = |width| {
            let text = written(width, |output| output.table(&columns, row()).unwrap());
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.lines().all(|line| line.len() <= width.unwrap_or(usize::MAX)), "{text}");
            text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(headings(None), "DOCUMENT STATE EMPTY SOURCE ACK NO");
        assert_eq!(headings(Some(100)), "DOCUMENT STATE EMPTY SOURCE ACK NO");
        assert_eq!(headings(Some(70)), "DOCUMENT STATE SOURCE ACK NO");
        assert_eq!(headings(Some(60)), "DOCUMENT STATE ACK NO");
        assert_eq!(headings(Some(45)), "DOCUMENT STATE");
    }

    #[test]
    fn a_lean_table_has_no_column_that_says_nothing() {
        let columns = [Column::keep("about"), Column::leave_out("until", 1), Column::leave_out("left", 2)];
        let rows = |left: &str| vec![vec!["a".to_owned(), String::new(), left.to_owned()]; 2];
        assert_eq!(written(None, |output| output.lean_table(&columns, rows("")).unwrap()), "ABOUT\na\na\n");
        let text = written(None, |output| output.lean_table(&columns, rows("2 h")).unwrap());
        assert_eq!(text, "ABOUT  LEFT\na      2 h\na      2 h\n");
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

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(0, "document"), "0 documents");
    }
}
