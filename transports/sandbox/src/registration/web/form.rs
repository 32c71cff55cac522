//! Forms: what came in, and fields with label, hint and problem.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::registration::problem::{Kind, Problems};

/// Fields of a form that was sent, each once; a later value replaces an earlier one.
#[derive(Clone, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. Bytes that are no text become replacement characters.
    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(super) fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// A field's value; empty for one that was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A form on a page: what was given before, and what was wrong with it.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) given: &'a Fields,
    pub(super) problems: Option<&'a Problems>,
}

/// One field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    /// `type` of the input.
    pub(super) kind: &'static str,
    /// `autocomplete` of the input.
    pub(super) autocomplete: &'static str,
}

impl Field {
    pub(super) const fn text(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { name, label, hint, kind: "text", autocomplete: "off" }
    }

    pub(super) const fn password(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { name, label, hint, kind: "password", autocomplete: "new-password" }
    }
}

impl Form<'_> {
    fn is_wrong(&self, name: &str) -> bool {
        self.problems.is_some_and(|problems| problems.list().iter().any(|problem| problem.field == Some(name)))
    }

    /// The problems of a field, to stand beneath it.
    fn beneath(&self, name: &str) -> Markup {
        let problems = self.problems.map(Problems::list).unwrap_or_default();
        let own: Vec<_> = problems.iter().filter(|problem| problem.field == Some(name)).collect();
        html! {
            @if !own.is_empty() {
                div .problem id=(format!("{name}-problem")) {
                    @for problem in own {
                        p { (problem.message) @if let Some(code) = problem.code { " (" (code) ")" } }
                    }
                }
            }
        }
    }

    fn described_by(&self, name: &str) -> String {
        if self.is_wrong(name) { format!("{name}-problem {name}-hint") } else { format!("{name}-hint") }
    }

    /// An input. What was given stands in it again, but for passwords.
    pub(super) fn input(&self, field: &Field) -> Markup {
        let Field { name, label, hint, kind, autocomplete } = *field;
        let value = if kind == "password" { "" } else { self.given.get(name) };
        html! {
            div .field {
                label for=(name) { (label) }
                p .hint id=(format!("{name}-hint")) { (hint) }
                input type=(kind) id=(name) name=(name) value=(value) autocomplete=(autocomplete) spellcheck="false"
                    required[kind != "hidden"] aria-describedby=(self.described_by(name))
                    aria-invalid=[self.is_wrong(name).then_some("true")];
                (self.beneath(name))
            }
        }
    }

    /// Lines of text.
    pub(super) fn lines(&self, name: &'static str, label: &str, hint: &str) -> Markup {
        html! {
            div .field {
                label for=(name) { (label) }
                p .hint id=(format!("{name}-hint")) { (hint) }
                textarea id=(name) name=(name) rows="5" spellcheck="false" required
                    aria-describedby=(self.described_by(name)) { (self.given.get(name)) }
                (self.beneath(name))
            }
        }
    }

    /// A file to be uploaded.
    pub(super) fn file(&self, name: &'static str, label: &str, hint: &str) -> Markup {
        html! {
            div .field {
                label for=(name) { (label) }
                p .hint id=(format!("{name}-hint")) { (hint) }
                input type="file" id=(name) name=(name) accept=".xlsx,.html,.htm" required
                    aria-describedby=(self.described_by(name));
                (self.beneath(name))
            }
        }
    }

    /// A choice from a list.
    pub(super) fn choice(&self, name: &'static str, label: &str, hint: &str, options: &[(String, String)]) -> Markup {
        html! {
            div .field {
                label for=(name) { (label) }
                p .hint id=(format!("{name}-hint")) { (hint) }
                select id=(name) name=(name) aria-describedby=(self.described_by(name)) {
                    @for (value, text) in options {
                        option value=(value) selected[self.given.get(name) == value] { (text) }
                    }
                }
                (self.beneath(name))
            }
        }
    }

    /// What is wrong, above the form: all of it, each with a way to its field.
    pub(super) fn summary(&self) -> Markup {
        let Some(problems) = self.problems.filter(|problems| !problems.list().is_empty()) else { return html! {} };
        html! {
            div .alert role="alert" tabindex="-1" {
                h2 { @if problems.kind() == Kind::NoSession { "Log in first" } @else { "This was not done" } }
                ul {
                    @for problem in problems.list() {
                        li {
                            @match problem.field {
                                Some(field) => a href=(format!("#{field}")) { (problem.message) },
                                None => (problem.message),
                            }
                            @if let Some(code) = problem.code { " (" (code) ")" }
                        }
                    }
                }
            }
        }
    }
}
