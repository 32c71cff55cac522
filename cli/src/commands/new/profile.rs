//! `new gsp-profile`: asks what providers differ in, and writes a profile that can work.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::form;
use crate::arguments::NewGspProfile;
use crate::error::{CliError, with_causes};
use crate::exit_code;
use crate::output::{Output, Span, Style, counted};
use crate::plugins::providers::profile::begin::{Answers, QUESTIONS, Question};
use crate::plugins::providers::profile::shipped;

/// Largest file of answers.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Longest line taken as an answer.
const LINE_BYTES_MAX: u64 = 1_024;

/// Writes a profile.
pub(super) fn run(arguments: &NewGspProfile, output: &mut Output) -> Result<u8, CliError> {
    if shipped().iter().any(|shipped| shipped.id == arguments.name) {
        return Err(CliError::Usage(format!(
            "a profile {} comes with the program; give yours a name of its own, such as {}-own, and let it begin with \
             the other one: --answer extends={}",
            arguments.name, arguments.name, arguments.name
        )));
    }
    let mut answers = Answers::new(&arguments.name);
    if let Some(file) = &arguments.answers {
        from_file(file, &mut answers)?;
    }
    for given in &arguments.given {
        let (key, answer) = given
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("--answer {given}: write it as KEY=VALUE, as in crypto=plain")))?;
        answers.answer(key.trim(), answer).map_err(|error| CliError::Usage(format!("--answer {error}")))?;
    }
    if arguments.questions {
        return show_questions(&answers, output);
    }
    let asks = !arguments.defaults && arguments.answers.is_none() && arguments.given.is_empty();
    if asks && io::stdin().is_terminal() && !output.is_json() {
        ask_all(&mut answers, output)?;
    }
    let text = answers.profile().map_err(|error| CliError::Usage(with_causes(error.to_string(), &error)))?;
    let file = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", arguments.name)));
    form::write(&file, text.as_bytes(), arguments.yes)?;
    if output.is_json() {
        output.object(&json!({ "file": file.display().to_string(), "profile": arguments.name }))?;
        return Ok(exit_code::ALL_WELL);
    }
    output.line(format!(
        "wrote {} ({})",
        file.display(),
        counted(u64::try_from(text.lines().count()).unwrap_or(u64::MAX), "line")
    ))?;
    output.line("")?;
    output.line("Compare every path, header and place with what the provider tells you, then:")?;
    let shown = file.display();
    output.line(format!("  einvoice gsp check {shown}"))?;
    output.line(format!("  einvoice sandbox serve --data DIR --gsp {shown}    # plays the provider"))?;
    output.line(format!("A route names it by its path: profile = \"{shown}\""))?;
    Ok(exit_code::ALL_WELL)
}

fn from_file(file: &Path, answers: &mut Answers) -> Result<(), CliError> {
    let failed = |error| CliError::File { path: file.to_owned(), action: "read", error };
    if std::fs::metadata(file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(CliError::Usage(format!("{} is far too large for answers", file.display())));
    }
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let wrong = |reason: String| CliError::Usage(format!("{}: {reason}", file.display()));
    let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    for (key, value) in table {
        let answer = match value {
            toml::Value::String(text) => text,
            // `yes` and `no` are questions here, and a truth value means the same.
            toml::Value::Boolean(is) => if is { "yes" } else { "no" }.to_owned(),
            other => return Err(wrong(format!("`{key}` is a {}; write a text", other.type_str()))),
        };
        answers.answer(&key, &answer).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

fn show_questions(answers: &Answers, output: &mut Output) -> Result<u8, CliError> {
    for question in QUESTIONS {
        let default = answers.get(question.key);
        if output.is_json() {
            output.object(&json!({
                "key": question.key, "question": question.text, "choices": question.choices, "default": default,
                "applies": answers.asks(question),
            }))?;
            continue;
        }
        output.spans(0, 2, &[Span::styled(Style::Strong, question.key), Span::plain(&format!(" = \"{default}\""))])?;
        output.long_text(2, question.text)?;
        if !question.choices.is_empty() {
            output.long_text(2, &format!("one of: {}", question.choices.join(", ")))?;
        }
    }
    Ok(exit_code::ALL_WELL)
}

/// Asks on the terminal, every question that still has a meaning.
fn ask_all(answers: &mut Answers, output: &mut Output) -> Result<(), CliError> {
    output.remark("Press Enter to take what stands in brackets; a - stands for nothing.");
    for question in QUESTIONS {
        if !answers.asks(question) {
            continue;
        }
        while let Some(answer) = asked(question, answers)? {
            match answers.answer(question.key, &answer) {
                Ok(()) => break,
                Err(error) => output.remark(error.to_string()),
            }
        }
    }
    Ok(())
}

/// One answer; nothing where the default is taken.
fn asked(question: &Question, answers: &Answers) -> Result<Option<String>, CliError> {
    let failed = |error| CliError::System { action: format!("ask for {}", question.key), error };
    let choices =
        if question.choices.is_empty() { String::new() } else { format!(" ({})", question.choices.join(", ")) };
    let mut to = io::stderr();
    write!(to, "{}{choices} [{}]: ", question.text, answers.get(question.key)).map_err(failed)?;
    to.flush().map_err(failed)?;
    let mut line = String::new();
    let mut from = io::Read::take(io::stdin().lock(), LINE_BYTES_MAX);
    if from.read_line(&mut line).map_err(failed)? == 0 {
        return Err(CliError::Usage("the questions ended before they were answered; nothing was written".to_owned()));
    }
    Ok(match line.trim() {
        "" => None,
        "-" => Some(String::new()),
        answer => Some(answer.to_owned()),
    })
}
