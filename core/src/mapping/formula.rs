//! Arithmetic over the fields of a record: `Qty * Rate - Discount`, `round([Net Amount] / 1.18, 2)`.
//!
//! Exact to 28 digits, never a binary fraction. Fields are named as they are, or between brackets where a name has blanks
//! or marks. There are no conditions and no loops: what needs them needs an adapter.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// Longest formula, in characters.
const CHARACTERS_MAX: usize = 1_000;
/// Deepest nesting of brackets and functions.
const DEPTH_MAX: u32 = 32;

/// A formula that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Formula {
    Number(Decimal),
    Field(Box<str>),
    Negated(Box<Self>),
    Calculated(Operator, Box<(Self, Self)>),
    Applied(Function, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divided,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// `round(x)`, `round(x, places)`, half up.
    Round,
    /// `abs(x)`.
    Abs,
    /// `min(a, b, ...)`.
    Min,
    /// `max(a, b, ...)`.
    Max,
    /// `or(a, b, ...)`: the first that has a value.
    Or,
}

const FUNCTIONS: [(&str, Function); 5] = [
    ("round", Function::Round),
    ("abs", Function::Abs),
    ("min", Function::Min),
    ("max", Function::Max),
    ("or", Function::Or),
];

/// Why a formula could not be read, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the formula is wrong at character {at}: {reason}")]
pub(crate) struct FormulaError {
    /// Character it is wrong at, the first being 1.
    at: usize,
    /// What is wrong.
    reason: String,
}

/// Why a formula has no value for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// A field of it is blank: the member stays blank.
    Blank,
    /// A field is no number.
    NotANumber { field: String, found: String },
    /// A division by nought, or a result too large.
    Undefined(&'static str),
}

impl Formula {
    /// Reads a formula.
    pub(crate) fn parse(text: &str) -> Result<Self, FormulaError> {
        let mut parser = Parser { characters: text.chars().collect(), at: 0, depth: 0 };
        if parser.characters.len() > CHARACTERS_MAX {
            return Err(FormulaError {
                at: CHARACTERS_MAX,
                reason: format!("longer than {CHARACTERS_MAX} characters"),
            });
        }
        let formula = parser.sum()?;
        match parser.peek() {
            None => Ok(formula),
            Some(found) => Err(parser.error(format!("{found} cannot stand here"))),
        }
    }

    /// The names of its fields.
    pub(crate) fn fields<'f>(&'f self, found: &mut Vec<&'f str>) {
        match self {
            Self::Number(_) => {}
            Self::Field(name) => found.push(name),
            Self::Negated(inner) => inner.fields(found),
            Self::Calculated(_, sides) => {
                sides.0.fields(found);
                sides.1.fields(found);
            }
            Self::Applied(_, arguments) => arguments.iter().for_each(|argument| argument.fields(found)),
        }
    }

    /// The value, with the fields of a record.
    pub(crate) fn value(&self, field: &impl Fn(&str) -> Result<Decimal, NoValue>) -> Result<Decimal, NoValue> {
        const TOO_LARGE: NoValue = NoValue::Undefined("the result is too large");
        match self {
            Self::Number(number) => Ok(*number),
            Self::Field(name) => field(name),
            Self::Negated(inner) => inner.value(field).map(|value| -value),
            Self::Calculated(operator, sides) => {
                let (left, right) = (sides.0.value(field)?, sides.1.value(field)?);
                match operator {
                    Operator::Plus => left.checked_add(right),
                    Operator::Minus => left.checked_sub(right),
                    Operator::Times => left.checked_mul(right),
                    Operator::Divided if right.is_zero() => return Err(NoValue::Undefined("it divides by nought")),
                    Operator::Divided => left.checked_div(right),
                }
                .ok_or(TOO_LARGE)
            }
            Self::Applied(function, arguments) => applied(*function, arguments, field),
        }
    }
}

fn applied(
    function: Function,
    arguments: &[Formula],
    field: &impl Fn(&str) -> Result<Decimal, NoValue>,
) -> Result<Decimal, NoValue> {
    let mut values = arguments.iter().map(|argument| argument.value(field));
    let first = values.next().unwrap_or(Err(NoValue::Blank));
    match function {
        Function::Abs => first.map(|value| value.abs()),
        Function::Min => values.try_fold(first?, |least, value| value.map(|value| least.min(value))),
        Function::Max => values.try_fold(first?, |most, value| value.map(|value| most.max(value))),
        Function::Or => std::iter::once(first)
            .chain(values)
            .find(|value| *value != Err(NoValue::Blank))
            .unwrap_or(Err(NoValue::Blank)),
        Function::Round => {
            let value = first?;
            let places = values.next().unwrap_or(Ok(Decimal::ZERO))?;
            let places = u32::try_from(places).unwrap_or(u32::MAX).min(Decimal::MAX_SCALE);
            Ok(value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero))
        }
    }
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn error(&self, reason: impl Into<String>) -> FormulaError {
        FormulaError { at: self.at + 1, reason: reason.into() }
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.at).is_some_and(|found| found.is_whitespace()) {
            self.at += 1;
        }
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), FormulaError> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(format!("{wanted} is missing"))) }
    }

    fn sum(&mut self) -> Result<Formula, FormulaError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Plus,
                Some('-') => Operator::Minus,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Formula::Calculated(operator, Box::new((left, self.product()?)));
        }
    }

    fn product(&mut self) -> Result<Formula, FormulaError> {
        let mut left = self.factor()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Times,
                Some('/') => Operator::Divided,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Formula::Calculated(operator, Box::new((left, self.factor()?)));
        }
    }

    fn factor(&mut self) -> Result<Formula, FormulaError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("nested more than {DEPTH_MAX} deep")));
        }
        let factor = self.factor_inside();
        self.depth -= 1;
        factor
    }

    fn factor_inside(&mut self) -> Result<Formula, FormulaError> {
        match self.peek() {
            Some('-') => {
                self.at += 1;
                Ok(Formula::Negated(Box::new(self.factor()?)))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some('[') => self.bracketed(),
            Some(found) if found.is_ascii_digit() || found == '.' => self.number(),
            Some(found) if found.is_alphabetic() || found == '_' => self.named(),
            Some(found) => Err(self.error(format!("a field, a number or a bracket is expected, not {found}"))),
            None => Err(self.error("it ends where a field or a number is expected")),
        }
    }

    fn word(&mut self, part: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.characters.get(self.at).is_some_and(|found| part(*found)) {
            self.at += 1;
        }
        self.characters.get(start..self.at).unwrap_or_default().iter().collect()
    }

    fn number(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let digits = self.word(|found| found.is_ascii_digit() || found == '.');
        Decimal::from_str_exact(&digits)
            .map(Formula::Number)
            .map_err(|_| FormulaError { at: start + 1, reason: format!("{digits} is not a number") })
    }

    fn bracketed(&mut self) -> Result<Formula, FormulaError> {
        self.at += 1;
        // A path may hold brackets of its own: `[taxes[cat=IGST].percent]`.
        let start = self.at;
        let mut depth = 0_u32;
        while let Some(found) = self.characters.get(self.at) {
            match found {
                ']' if depth == 0 => break,
                ']' => depth -= 1,
                '[' => depth += 1,
                _ => {}
            }
            self.at += 1;
        }
        let name: String = self.characters.get(start..self.at).unwrap_or_default().iter().collect();
        if name.trim().is_empty() {
            return Err(self.error("the brackets hold no field"));
        }
        self.expect(']')?;
        Ok(Formula::Field(name.trim().into()))
    }

    fn named(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let name = self.word(|found| found.is_alphanumeric() || matches!(found, '_' | '.' | ':' | '@' | '/' | '$'));
        // A slash belongs to a name only where the name goes on, as in `E1EDP01/MENGE`; `Qty/2` divides.
        let (name, used) = match name.split_once('/') {
            Some((before, after)) if !after.starts_with(|found: char| found.is_alphabetic()) => {
                (before.to_owned(), before.chars().count())
            }
            _ => (name.clone(), name.chars().count()),
        };
        self.at = start + used;
        if !self.take('(') {
            return Ok(Formula::Field(name.into()));
        }
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
            let reason = format!("there is no function {name}; there are {}", known.join(", "));
            return Err(FormulaError { at: start + 1, reason });
        };
        let mut arguments = vec![self.sum()?];
        while self.take(',') {
            arguments.push(self.sum()?);
        }
        self.expect(')')?;
        let most = match function {
            Function::Abs => 1,
            Function::Round => 2,
            Function::Min | Function::Max | Function::Or => usize::MAX,
        };
        if arguments.len() > most {
            return Err(FormulaError { at: start + 1, reason: format!("{name} takes at most {most} arguments") });
        }
        Ok(Formula::Applied(*function, arguments))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divided => "/",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<String, NoValue> {
        let field = |name: &str| match name {
            "Qty" => Ok(Decimal::from(3)),
            "Net Amount" => Ok(Decimal::new(11_800, 2)),
            "E1EDP01/MENGE" | "taxes[cat=IGST].percent" => Ok(Decimal::from(7)),
            "Word" => Err(NoValue::NotANumber { field: name.into(), found: "x".into() }),
            _ => Err(NoValue::Blank),
        };
        Formula::parse(text).unwrap().value(&field).map(|value| value.normalize().to_string())
    }

    #[test]
    fn formulas_follow_the_rules_of_arithmetic() {
        for (text, expected) in [
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("10 - 4 - 3", "3"),
            ("12 / 3 / 2", "2"),
            ("-Qty + 1", "-2"),
            ("Qty/2", "1.5"),
            ("E1EDP01/MENGE * 2", "14"),
            ("round([Net Amount] / 1.18, 2)", "100"),
            ("round(2.5)", "3"),
            ("round(-2.5)", "-3"),
            ("max(1, Qty, 2) - min(4, 2)", "1"),
            ("abs(2 - 5)", "3"),
            ("or(Missing, Qty)", "3"),
            ("0.1 + 0.2", "0.3"),
            ("[taxes[cat=IGST].percent] * 2", "14"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn blanks_words_and_division_by_nought_have_no_value() {
        assert_eq!(value("Missing * 2"), Err(NoValue::Blank));
        assert_eq!(value("or(Missing, Lacking)"), Err(NoValue::Blank));
        assert!(matches!(value("Word + 1"), Err(NoValue::NotANumber { .. })));
        assert!(matches!(value("1 / (Qty - 3)"), Err(NoValue::Undefined(_))));
        assert!(matches!(value("79000000000000000000000000000 * 10"), Err(NoValue::Undefined(_))));
    }

    #[test]
    fn faults_are_told_with_their_place() {
        let fault = |text: &str| Formula::parse(text).unwrap_err().to_string();
        assert_eq!(fault("1 +"), "the formula is wrong at character 4: it ends where a field or a number is expected");
        assert_eq!(fault("(1"), "the formula is wrong at character 3: ) is missing");
        assert!(fault("sum(1)").contains("there is no function sum; there are round, abs, min, max, or"));
        assert!(fault("1 2").contains("character 3: 2 cannot stand here"));
        assert!(fault("1.2.3").contains("1.2.3 is not a number"));
        assert!(fault("[ ]").contains("hold no field"));
        assert!(fault("abs(1, 2)").contains("at most 1"));
        assert!(fault(&"(".repeat(40)).contains("nested more than 32 deep"));
    }

    #[test]
    fn fields_are_named_in_order() {
        let formula = Formula::parse("Qty * [Unit Price] - or(Discount, 0)").unwrap();
        let mut fields = Vec::new();
        formula.fields(&mut fields);
        assert_eq!(fields, ["Qty", "Unit Price", "Discount"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[-+*/()\\[\\]a-z0-9., ]{0,60}") {
            if let Ok(formula) = Formula::parse(&text) {
                let _value = formula.value(&|_| Ok(Decimal::from(2)));
            }
        }
    }
}
