//! Repairs that an installation asks for: harmless ones, made before the rules judge, and each reported.
//!
//! None is made unless it is named, and none changes an amount, a quantity, a rate, a date, a party, a code or a
//! number: what a [`Repair`] may do follows from the table of members ([`Wording`], `in_capitals`, the pattern), and
//! a value it cannot set right stays as it stood, for the rules to judge.

mod text;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{content, meaning, text_fault};
use super::{CheckOptions, MAX_FINDINGS, Rule, note, table};
use crate::document::node::Editor;
use crate::document::path::Path;
use crate::document::{Facet, Field, Form, Invoice, Leaf, Member, Pattern, Wording};
use crate::finding::{Finding, Severity};
use crate::identifier::StateCode;
use crate::spelling;

/// A repair that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repair {
    /// Addresses, places, trade names, descriptions, remarks, terms and the transporter's name are cut to the length
    /// the schema takes.
    TextCut,
    /// In names and plain words a double quote becomes an apostrophe (two after a digit, where it stands for inches),
    /// a backslash a slash, line ends and other control characters a blank; blanks around a text are removed.
    Characters,
    /// GSTIN, URP, Y and N, unit, country, currency, port and the like in small letters become capitals.
    LetterCase,
    /// Dots, blanks and hyphens are taken out of an HSN code: `8471.30.10` becomes `84713010`.
    HsnDots,
    /// A state code with too many zeros before it becomes one of two digits: `029` becomes `29`.
    StateZeros,
}

impl Repair {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TextCut, Self::Characters, Self::LetterCase, Self::HsnDots, Self::StateZeros];

    const fn bit(self) -> u8 {
        match self {
            Self::TextCut => 1,
            Self::Characters => 1 << 1,
            Self::LetterCase => 1 << 2,
            Self::HsnDots => 1 << 3,
            Self::StateZeros => 1 << 4,
        }
    }

    /// The rule that reports it.
    const fn rule(self) -> &'static Rule {
        match self {
            Self::TextCut => &table::REPAIR_TEXT_CUT,
            Self::Characters => &table::REPAIR_CHARACTERS,
            Self::LetterCase => &table::REPAIR_LETTER_CASE,
            Self::HsnDots => &table::REPAIR_HSN_DOTS,
            Self::StateZeros => &table::REPAIR_STATE_ZEROS,
        }
    }
}

/// The repairs asked for. By default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repairs(u8);

impl Repairs {
    /// True when the repair was asked for.
    #[must_use]
    pub const fn contains(self, repair: Repair) -> bool {
        self.0 & repair.bit() != 0
    }

    /// True when none was.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<I: IntoIterator<Item = Repair>>(repairs: I) -> Self {
        Self(repairs.into_iter().fold(0, |bits, repair| bits | repair.bit()))
    }
}

/// Repairs a document and reports each change, in the order of the form.
pub(super) fn repair(invoice: &mut Invoice, options: &CheckOptions, findings: &mut Vec<Finding>) {
    if !options.repairs.is_empty() {
        invoice.walk_mut(&mut Repairer { path: Path::default(), options, findings });
    }
}

struct Repairer<'a> {
    path: Path,
    options: &'a CheckOptions,
    findings: &'a mut Vec<Finding>,
}

/// One change of one text.
struct Step {
    repair: Repair,
    before: String,
    after: String,
}

impl Editor for Repairer<'_> {
    fn leaf<T: Leaf>(&mut self, member: &'static Member, field: &mut Field<T>) {
        let mut steps = match field {
            Field::Absent => return,
            Field::Value(value) => match value.facet() {
                Facet::Text(text) => steps(member, text, self.options.repairs),
                _ => return,
            },
            Field::Malformed(raw) => match content(raw) {
                Some(text) if is_code(member) => steps(member, &text, self.options.repairs),
                _ => return,
            },
        };
        // A change that could not be told any more is not made.
        if self.findings.len() + steps.len() > MAX_FINDINGS {
            return;
        }
        let Some(last) = steps.last_mut() else { return };
        if let Ok(value) = T::parse(&last.after) {
            // As it is sent: a state `9` is written `09`.
            last.after = value.show();
            *field = Field::Value(value);
            for step in steps {
                self.report(member, step);
            }
        }
    }

    fn enter(&mut self, member: &'static Member, index: Option<usize>) {
        self.path.push(member, index);
    }

    fn leave(&mut self) {
        self.path.pop();
    }
}

impl Repairer<'_> {
    fn report(&mut self, member: &'static Member, step: Step) {
        let Step { repair, before, after } = step;
        let name = member.name;
        let (message, remedy) = match repair {
            Repair::TextCut => {
                let kept = after.chars().count();
                (format!("{name} has {} characters; the first {kept} are sent", before.chars().count()), "Shorten")
            }
            Repair::Characters if before.trim() == after => {
                (format!("{name} begins or ends with a blank; it is sent without"), "Correct")
            }
            Repair::Characters => {
                (format!("{name} has characters that the portal does not take; others are sent for them"), "Correct")
            }
            Repair::LetterCase => (format!("{name} is written in small letters; capitals are sent"), "Correct"),
            Repair::HsnDots => (format!("{name} is written in groups; its digits alone are sent"), "Correct"),
            Repair::StateZeros => {
                (format!("{name} has more zeros before it than a state code; two digits are sent"), "Correct")
            }
        };
        // Both texts whole, so that nobody must guess what is not sent. All of them together are no longer than the
        // document, a few times over.
        let finding = repair.rule().finding(self.path.of(name), message);
        let mut finding = finding.with_whole_found(before).with_expected(after);
        self.options.settings.regrade(&mut finding);
        // An integrator may want a person to see it first.
        let now = if finding.severity == Severity::Error { "" } else { "Nothing to do for this document. " };
        finding = finding.with_fix(format!("{now}{remedy} {name} ({}) in the source.", meaning(member)));
        note(self.findings, finding);
    }
}

/// True for members whose text, when it is not of its form, may be the right code in another spelling.
const fn is_code(member: &Member) -> bool {
    matches!(
        member.form,
        Form::Text {
            pattern: Pattern::Gstin | Pattern::GstinOrUrp | Pattern::OneOf(_) | Pattern::Hsn | Pattern::State,
            ..
        }
    )
}

/// The changes a text needs, one after the other; none when it is right or cannot be set right.
fn steps(member: &Member, text: &str, wanted: Repairs) -> Vec<Step> {
    let Form::Text { min, max, pattern } = member.form else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    let mut now = Cow::Borrowed(text);
    let mut change = |repair: Repair, made: &dyn Fn(&str) -> Option<String>| {
        if !wanted.contains(repair) {
            return;
        }
        if let Some(after) = made(&now).filter(|after| *after != *now) {
            steps.push(Step { repair, before: now.to_string(), after: after.clone() });
            now = Cow::Owned(after);
        }
    };
    // A text that would become too short is better shown as it stood.
    let long_enough = |text: &str| text.chars().count() >= min;
    change(Repair::Characters, &|text| {
        let spelled = if member.wording == Wording::Exact { Cow::Borrowed(text) } else { text::respelled(text) };
        let spelled = spelled.trim();
        long_enough(spelled).then(|| spelled.to_owned())
    });
    change(Repair::LetterCase, &|text| {
        let capitals = text.to_ascii_uppercase();
        (member.in_capitals && text_fault(&capitals, member.form).is_none()).then_some(capitals)
    });
    let shortened = |text: &str| text::cut(text, max).filter(|kept| long_enough(kept)).map(str::to_owned);
    match pattern {
        Pattern::Hsn => change(Repair::HsnDots, &spelling::hsn_of_groups),
        Pattern::State => change(Repair::StateZeros, &without_zeros),
        _ if member.wording == Wording::Prose => change(Repair::TextCut, &shortened),
        _ => {}
    }
    steps
}

/// A state code of two digits out of one with more zeros before it.
fn without_zeros(text: &str) -> Option<String> {
    let digits = text.trim_start_matches('0');
    (text.len() > 2).then(|| StateCode::parse(digits).ok()).flatten().map(|code| code.to_string())
}
