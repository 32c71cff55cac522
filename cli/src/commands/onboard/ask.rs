//! Asking a person at a terminal, or a file of answers.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use einvoice_core::secret::Secret;

use super::answer_file::AnswerFile;
use crate::error::CliError;
use crate::output::{Output, Span, Style};
use crate::terminal;

/// Longest line taken as an answer, in bytes.
const LINE_BYTES_MAX: u64 = 4_096;

/// What a person types in place of an answer to go to the question before.
const BACK: &str = "back";

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer<T> {
    /// The answer.
    Given(T),
    /// It is left open: the line was ended (Ctrl-D), or the file of answers has none.
    Open,
    /// The question before is to be asked again.
    Back,
}

/// Where answers come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A person.
    Terminal,
    /// A file.
    File(AnswerFile),
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    /// Under which key a file of answers has it.
    pub(super) key: &'q str,
    /// What stands before the cursor.
    pub(super) prompt: &'q str,
    /// What a person should know to answer; shown before the question.
    pub(super) about: &'q str,
    /// What an empty line means.
    pub(super) default: Option<&'q str>,
}

impl<'q> Question<'q> {
    /// A question without a default.
    pub(super) const fn new(key: &'q str, prompt: &'q str, about: &'q str) -> Self {
        Self { key, prompt, about, default: None }
    }

    /// With what an empty line means.
    pub(super) const fn or(self, default: &'q str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// With the answer that was given before, where there is one: an empty line keeps it.
    pub(super) fn known(self, answer: Option<&'q str>) -> Self {
        Self { default: answer.or(self.default), ..self }
    }
}

/// Asks.
#[derive(Debug)]
pub(super) struct Asker<'o> {
    origin: Origin,
    pub(super) output: &'o mut Output,
}

impl<'o> Asker<'o> {
    /// Asks a person, who has to be there, or a file.
    ///
    /// # Errors
    /// [`CliError::Usage`] when there is neither.
    pub(super) fn new(file: Option<AnswerFile>, output: &'o mut Output) -> Result<Self, CliError> {
        let origin = match file {
            Some(file) => Origin::File(file),
            None if io::stdin().is_terminal() => {
                let failed = |error| CliError::System { action: "listen for interrupts".to_owned(), error };
                terminal::give_back_when_stopped().map_err(failed)?;
                Origin::Terminal
            }
            None => {
                return Err(CliError::Usage(
                    "nobody can be asked here: run `einvoice onboard` at a terminal, or pass --answers FILE".to_owned(),
                ));
            }
        };
        Ok(Self { origin, output })
    }

    /// Whether a person answers.
    pub(super) const fn is_person(&self) -> bool {
        matches!(self.origin, Origin::Terminal)
    }

    /// Whether a file of answers gives the secret that is asked for under a key.
    pub(super) fn gives_secret(&self, key: &str) -> bool {
        matches!(&self.origin, Origin::File(file) if file.gives_secret(key))
    }

    /// A heading over the next questions.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(super) fn heading(&mut self, text: &str) -> Result<(), CliError> {
        if !self.is_person() {
            return Ok(());
        }
        let text = self.output.styled(Style::Strong, text).into_owned();
        self.output.say("")?;
        self.output.say(text)
    }

    /// Tells a person something; a file of answers needs no explanation.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(super) fn tell(&mut self, text: &str) -> Result<(), CliError> {
        if !self.is_person() || text.is_empty() {
            return Ok(());
        }
        for paragraph in text.split('\n') {
            if self.output.is_json() {
                self.output.remark(paragraph);
            } else {
                self.output.paragraph(2, paragraph)?;
            }
        }
        self.output.flush()
    }

    /// A line of a list, with what it is.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub(super) fn item(&mut self, word: &str, widest: usize, about: &str) -> Result<(), CliError> {
        if !self.is_person() {
            return Ok(());
        }
        let line = format!("{word:widest$}  {about}");
        if self.output.is_json() {
            self.output.remark(line);
            return Ok(());
        }
        self.output.spans(4, 4 + widest + 2, &[Span::plain(&line)])
    }

    /// Asks until the answer can be read.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an answer of a file that cannot be read.
    pub(super) fn ask<T>(
        &mut self,
        question: Question<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Answer<T>, CliError> {
        self.tell(question.about)?;
        if let Origin::File(file) = &self.origin {
            let Some(text) = file.text(question.key).or_else(|| question.default.map(str::to_owned)) else {
                return Ok(Answer::Open);
            };
            let wrong = |reason: String| CliError::Usage(format!("{}: {}: {reason}", file.shown(), question.key));
            return read(text.trim()).map(Answer::Given).map_err(wrong);
        }
        loop {
            let default = question.default.map(|default| format!(" [{default}]")).unwrap_or_default();
            let Some(line) = self.line(&format!("{}{default}: ", question.prompt))? else { return Ok(Answer::Open) };
            if line.eq_ignore_ascii_case(BACK) {
                return Ok(Answer::Back);
            }
            let text = if line.is_empty() { question.default.unwrap_or_default() } else { &line };
            if text.is_empty() {
                continue;
            }
            match read(text) {
                Ok(answer) => return Ok(Answer::Given(answer)),
                Err(reason) => self.tell(&reason)?,
            }
        }
    }

    /// Asks for one of several words. A person may type its number.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub(super) fn choose<T: Copy>(
        &mut self,
        question: Question<'_>,
        choices: &[(&str, &str, T)],
    ) -> Result<Answer<T>, CliError> {
        self.tell(question.about)?;
        if self.is_person() {
            let widest = choices.iter().map(|(word, _, _)| word.len()).max().unwrap_or_default();
            for (number, (word, about, _)) in choices.iter().enumerate() {
                self.item(&format!("{} {word}", number + 1), widest + 2, about)?;
            }
        }
        let words: Vec<&str> = choices.iter().map(|(word, _, _)| *word).collect();
        let read = |text: &str| {
            let by_number = text.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
            let by_word = || choices.iter().find(|(word, _, _)| word.eq_ignore_ascii_case(text));
            by_number
                .or_else(by_word)
                .map(|(_, _, choice)| *choice)
                .ok_or_else(|| format!("`{text}` is none of: {}", words.join(", ")))
        };
        self.ask(Question { about: "", ..question }, read)
    }

    /// Asks yes or no.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub(super) fn yes(&mut self, question: Question<'_>) -> Result<Answer<bool>, CliError> {
        self.ask(question, |text| match text.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(true),
            "n" | "no" | "false" => Ok(false),
            _ => Err("answer yes or no".to_owned()),
        })
    }

    /// Asks for a secret, without showing it: typed, or where the file says it stands. An empty line leaves it open.
    ///
    /// # Errors
    /// [`CliError::Usage`] when the place that a file names holds none.
    pub(super) fn secret(&mut self, question: Question<'_>) -> Result<Answer<Secret<String>>, CliError> {
        self.tell(question.about)?;
        if let Origin::File(file) = &self.origin {
            return Ok(file.secret(question.key)?.map_or(Answer::Open, Answer::Given));
        }
        self.output.flush()?;
        let typed = terminal::hidden(&format!("{}: ", question.prompt));
        let mut typed = match typed {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Answer::Open),
            other => {
                other.map_err(|error| CliError::System { action: format!("ask for the {}", question.prompt), error })?
            }
        };
        // In place, so that no second copy of a secret is left behind in memory.
        typed.truncate(typed.trim_end_matches(['\r', '\n']).len());
        let typed = Secret::new(typed);
        Ok(match typed.expose().trim() {
            "" => Answer::Open,
            word if word.eq_ignore_ascii_case(BACK) => Answer::Back,
            _ => Answer::Given(typed),
        })
    }

    /// A line of the person's, without what ends it; nothing when there will be no more.
    fn line(&mut self, prompt: &str) -> Result<Option<String>, CliError> {
        self.output.flush()?;
        // The prompt goes to standard error: standard output is for results.
        let _prompted = write!(io::stderr(), "{prompt}").and_then(|()| io::stderr().flush());
        let mut line = String::new();
        let mut input = io::Read::take(io::stdin().lock(), LINE_BYTES_MAX);
        let read = input
            .read_line(&mut line)
            .map_err(|error| CliError::System { action: "read an answer from the terminal".to_owned(), error })?;
        if read == 0 {
            self.output.remark("");
            return Ok(None);
        }
        Ok(Some(line.trim().to_owned()))
    }
}
