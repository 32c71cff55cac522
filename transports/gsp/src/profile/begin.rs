//! Writes a profile to begin with, from answers to the questions that providers differ in.

mod questions;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::registry::nearest;

use super::{ProfileError, read_profile_text};

pub use questions::{QUESTIONS, Question};

/// Answers by the key of their question. What is not answered has the question's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    name: String,
    given: BTreeMap<&'static str, String>,
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// There is no such question.
    #[error("there is no question `{key}`{}; there are: {known}", .near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The key.
        key: String,
        /// A key that is nearly the same.
        near: Option<&'static str>,
        /// What there is.
        known: String,
    },
    /// The answer is not among those that are possible.
    #[error("`{key}`: `{answer}` is not possible; write one of: {choices}")]
    Choice {
        /// The key.
        key: &'static str,
        /// The answer.
        answer: String,
        /// What is possible.
        choices: String,
    },
    /// The answer cannot stand in a profile.
    #[error("`{key}`: `{answer}` {reason}")]
    Form {
        /// The key.
        key: &'static str,
        /// The answer.
        answer: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Answers {
    /// No answers yet, for a profile of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), given: BTreeMap::new() }
    }

    /// Name of the profile.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers a question.
    ///
    /// # Errors
    /// When there is no such question, or this is no answer to it.
    pub fn answer(&mut self, key: &str, answer: &str) -> Result<(), AnswerError> {
        let known = || QUESTIONS.iter().map(|question| question.key);
        let question = QUESTIONS.iter().find(|question| question.key == key).ok_or_else(|| AnswerError::Unknown {
            key: key.to_owned(),
            near: nearest(key, known()),
            known: known().collect::<Vec<_>>().join(", "),
        })?;
        let answer = answer.trim();
        if !question.choices.is_empty() && !question.choices.contains(&answer) {
            let choices = question.choices.join(", ");
            return Err(AnswerError::Choice { key: question.key, answer: answer.to_owned(), choices });
        }
        // Control characters have no place in addresses, names and paths.
        if answer.chars().any(char::is_control) || answer.chars().count() > 300 {
            let reason = "is too long, or holds a control character";
            return Err(AnswerError::Form { key: question.key, answer: answer.to_owned(), reason });
        }
        self.given.insert(question.key, answer.to_owned());
        Ok(())
    }

    /// The answer to a question, given or by default.
    #[must_use]
    pub fn get(&self, key: &str) -> String {
        if let Some(given) = self.given.get(key) {
            return given.clone();
        }
        let question = QUESTIONS.iter().find(|question| question.key == key);
        question.map(|question| (question.default)(self)).unwrap_or_default()
    }

    /// Whether a question has a meaning after the answers so far.
    #[must_use]
    pub fn asks(&self, question: &Question) -> bool {
        (question.when)(self)
    }

    fn is(&self, key: &str, answer: &str) -> bool {
        self.get(key) == answer
    }

    /// Whether a system is carried: `irp` or `ewb`.
    fn carries(&self, product: &str) -> bool {
        let answer = self.get("systems");
        answer == "both" || answer == product
    }

    /// The profile as TOML, with a comment at each key.
    ///
    /// # Errors
    /// When the answers make no profile that can work; each problem is told with its key.
    pub fn profile(&self) -> Result<String, ProfileError> {
        let text = write::profile(self);
        read_profile_text(&format!("{}.toml", self.name), &text, Path::new(""))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of every question, one after the other, the others by default.
    #[test]
    fn whatever_is_chosen_a_profile_comes_of_it_that_can_work() {
        let mut all = 0;
        for question in QUESTIONS {
            for choice in question.choices {
                for systems in ["both", "irp", "ewb"] {
                    let mut answers = Answers::new("our-gsp");
                    answers.answer("systems", systems).unwrap();
                    answers.answer(question.key, choice).unwrap();
                    let text = answers.profile().unwrap_or_else(|error| {
                        panic!("{} = {choice}, {systems}: {error}\n{}", question.key, write::profile(&answers))
                    });
                    assert!(text.lines().filter(|line| line.trim_start().starts_with('#')).count() > 3, "{text}");
                    all += 1;
                }
            }
        }
        assert!(all > 60, "{all}");
    }

    #[test]
    fn taxpayers_and_providers_in_every_pair_of_ways_make_profiles() {
        for provider in ["headers", "query", "token", "none"] {
            for taxpayer in ["at_provider", "every_call", "login", "warm_up", "nic"] {
                for errors in ["list", "text", "nic"] {
                    let mut answers = Answers::new("our-gsp");
                    for (key, answer) in [("provider_auth", provider), ("taxpayer", taxpayer), ("errors", errors)] {
                        answers.answer(key, answer).unwrap();
                    }
                    if taxpayer == "nic" {
                        answers.answer("crypto", "nic").unwrap();
                    }
                    answers.profile().unwrap_or_else(|error| {
                        panic!("{provider} {taxpayer} {errors}: {error}\n{}", write::profile(&answers))
                    });
                }
            }
        }
    }

    #[test]
    fn a_profile_may_begin_with_another_one_and_say_only_what_differs() {
        let mut answers = Answers::new("our-gsp");
        answers.answer("extends", "adaequare").unwrap();
        answers.answer("sandbox", "https://sandbox.our-gsp.example").unwrap();
        let text = answers.profile().unwrap();
        assert!(text.contains("extends = \"adaequare\"") && !text.contains("[irp]"), "{text}");
    }

    #[test]
    fn what_is_no_answer_is_refused_with_what_would_be_one() {
        let mut answers = Answers::new("x");
        let error = |result: Result<(), AnswerError>| result.unwrap_err().to_string();
        assert!(error(answers.answer("cripto", "plain")).contains("did you mean `crypto`?"));
        assert!(error(answers.answer("crypto", "plane")).contains("plain, nic"));
        assert!(error(answers.answer("title", "a\nb")).contains("control character"));
        answers.answer("production", "http://api.our-gsp.example").unwrap();
        let problem = answers.profile().unwrap_err().to_string();
        assert!(problem.contains("environments.production.common"), "{problem}");
    }
}
