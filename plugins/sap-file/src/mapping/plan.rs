//! Which fields a mapping reads: found out once, so that an `IDoc` is walked through once, whatever the rules are.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::field::{self, Derived, FieldName, Name, Qualifier, Role};

/// What a value is, by its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// A number that is not money: quantities, per cents.
    Number,
    /// Money, in the currency of the document.
    Amount,
    /// Money of one unit: it has more than two decimals.
    Price,
}

/// The numbers of an `IDoc` by the name of their field.
const NUMBERS: [(&str, Form); 21] = [
    ("MENGE", Form::Number),
    ("BMNG2", Form::Number),
    ("NTGEW", Form::Number),
    ("BRGEW", Form::Number),
    ("MSATZ", Form::Number),
    ("KPERC", Form::Number),
    ("UPRBS", Form::Number),
    ("PEINH", Form::Number),
    ("KOBAS", Form::Number),
    ("WKURS", Form::Number),
    ("BETRG", Form::Amount),
    ("SUMME", Form::Amount),
    ("NETWR", Form::Amount),
    ("ANETW", Form::Amount),
    ("SKFBP", Form::Amount),
    ("MWSBT", Form::Amount),
    ("KOBTR", Form::Amount),
    ("VPREI", Form::Price),
    ("PREIS", Form::Price),
    ("KRATE", Form::Price),
    ("UNITPRICE", Form::Price),
];

/// What a field of a segment holds.
pub(crate) fn form(segment: &str, field: &str) -> Form {
    // Segments of customers are read as the mapping says; only those of SAP are known.
    if !segment.starts_with("E1") {
        return Form::Text;
    }
    NUMBERS.iter().find(|(name, _)| *name == field).map_or(Form::Text, |(_, form)| *form)
}

/// Totals of `E1EDS01` that are no money: numbers of items, quantities, weights.
pub(crate) fn is_counted(sum: Option<&str>) -> bool {
    matches!(sum, Some("001" | "004" | "021" | "022" | "023"))
}

/// A field that is wanted, and where its value goes.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) qualifier: Option<Qualifier>,
    pub(crate) field: String,
    pub(crate) form: Form,
    pub(crate) slot: usize,
}

/// All fields that a mapping reads.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    slots: HashMap<String, usize, RandomState>,
    /// Names as rules have them, by slot.
    names: Vec<String>,
    /// Slots by the numbers that a mapping has for its fields.
    numbered: Vec<usize>,
    by_segment: HashMap<String, Vec<Want>, RandomState>,
    pub(crate) partners: Vec<(Role, String, usize)>,
    /// What is derived for the head.
    pub(crate) of_head: Vec<(Derived, usize)>,
    /// What is derived for each item.
    pub(crate) of_items: Vec<(Derived, usize)>,
}

impl Plan {
    /// A plan of these names; those that mean nothing are told.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut plan = Self::default();
        for name in names {
            if plan.slots.contains_key(name) {
                continue;
            }
            let slot = plan.slots.len();
            plan.slots.insert(name.to_owned(), slot);
            plan.names.push(name.to_owned());
            match field::parse(name)? {
                Name::Field(FieldName { segment, qualifier, field }) => {
                    let form = form(&segment, &field);
                    plan.by_segment.entry(segment).or_default().push(Want { qualifier, field, form, slot });
                }
                Name::Partner(role, field) => plan.partners.push((role, field, slot)),
                Name::Derived(derived) if derived.is_of_item() => plan.of_items.push((derived, slot)),
                Name::Derived(derived) => plan.of_head.push((derived, slot)),
            }
        }
        Ok(plan)
    }

    /// How many values there are.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Learns which number a mapping has for each name.
    pub(crate) fn number<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.numbered = names.map(|name| self.slot(name).unwrap_or(usize::MAX)).collect();
    }

    /// Where the value is that a mapping asks for by this number.
    pub(crate) fn numbered(&self, number: usize) -> Option<usize> {
        self.numbered.get(number).copied()
    }

    /// Whether a value is derived, or of a partner: its name does not say which segment it stands in.
    pub(crate) fn is_derived(&self, slot: usize) -> bool {
        self.names.get(slot).is_some_and(|name| name.starts_with('@'))
    }

    /// Where a name's value is.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.slots.get(name).copied()
    }

    /// The fields wanted of a segment type.
    pub(crate) fn wanted(&self, segment: &str) -> &[Want] {
        self.by_segment.get(segment).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_place_however_often_it_is_read() {
        let names = ["E1EDK01.CURCY", "@supply", "E1EDP26[003].BETRG", "E1EDK01.CURCY", "@buyer.NAME1", "@item.hsn"];
        let plan = Plan::new(names.into_iter()).unwrap();
        assert_eq!((plan.width(), plan.slot("E1EDP26[003].BETRG"), plan.slot("other")), (5, Some(2), None));
        assert_eq!(plan.wanted("E1EDP26")[0].form, Form::Amount);
        assert_eq!((plan.wanted("E1EDK02").len(), plan.partners.len()), (0, 1));
        assert_eq!(
            (plan.of_head.as_slice(), plan.of_items.as_slice()),
            (&[(Derived::Supply, 1)][..], &[(Derived::Hsn, 4)][..])
        );
        assert_eq!(form("Z1TAX", "BETRG"), Form::Text);
        assert!(Plan::new(["nonsense"].into_iter()).is_err());
    }
}
