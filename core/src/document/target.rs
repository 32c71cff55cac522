//! One member of INV-01 by its path, so that a mapping can be written down as text: `BuyerDtls.Gstin`,
//! `ItemList.Qty`, `RefDtls.PrecDocDtls[0].InvNo`.

use super::Invoice;
use super::member::{Kind, Member};
use super::node::Section;

/// Most entries of a list other than `ItemList` that can be named one by one.
const NAMED_ENTRIES_MAX: usize = 100;
/// Most items that are made room for: twice what the portal takes, so that the rulebook can say that they are too many.
const ITEMS_MAX: usize = 2_000;

/// Names one member of INV-01 that has a value.
///
/// A path into `ItemList` names the member of every item; [`Invoice::set_text`] is then told which item is meant. Entries
/// of other lists are numbered from 0, and a list without a number means its first entry.
///
/// ```
/// use einvoice_core::document::{Invoice, MemberPath};
///
/// let hsn = MemberPath::parse("itemlist.hsncd")?;
/// assert_eq!((hsn.as_str(), hsn.is_of_item()), ("ItemList.HsnCd", true));
/// let mut invoice = Invoice::new();
/// invoice.set_text(&hsn, 0, "8481");
/// assert_eq!(invoice.shown(&hsn, 0).as_deref(), Some("8481"));
/// assert_eq!(hsn.of(0), "ItemList[0].HsnCd");
/// # Ok::<(), einvoice_core::document::MemberPathError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemberPath {
    text: Box<str>,
    steps: Box<[Step]>,
    member: &'static Member,
}

/// One section or value on the way, by the row of its table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    row: usize,
    pub(crate) entry: Entry,
}

/// Which entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// No list, or its first entry.
    First,
    /// A numbered entry.
    At(usize),
    /// The entry of the item that is being mapped.
    OfItem,
}

impl Entry {
    pub(crate) const fn index(self, item: usize) -> usize {
        match self {
            Self::First => 0,
            Self::At(index) => index,
            Self::OfItem => item,
        }
    }
}

/// Why a text names no member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberPathError {
    /// INV-01 has no member of this name at this place.
    #[error("INV-01 has no member {name}{}{}", place(.section), suggestion(.near.as_deref()))]
    Unknown {
        /// The part that is not known.
        name: String,
        /// The section it was looked for in; empty for the document itself.
        section: String,
        /// A name that is nearly the same.
        near: Option<String>,
    },
    /// The path ends at a section, which has no value of its own.
    #[error("{path} is a section; name one of its members, such as {path}.{example}")]
    Section {
        /// The path.
        path: String,
        /// A member of it.
        example: &'static str,
    },
    /// The path goes on after a value.
    #[error("{path} is a value and has no members")]
    Value {
        /// The path of the value.
        path: String,
    },
    /// An entry number that is none, or is not possible here.
    #[error(
        "[{index}] is not an entry number that can stand here: 0 to 99, and none after ItemList, whose items come from the lines of the record"
    )]
    Entry {
        /// What stands between the brackets.
        index: String,
    },
}

fn place(section: &str) -> String {
    if section.is_empty() { String::new() } else { format!(" in {section}") }
}

fn suggestion(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

impl MemberPath {
    /// Reads a path; names are taken in any case.
    ///
    /// # Errors
    /// When INV-01 has no such member with a value.
    pub fn parse(text: &str) -> Result<Self, MemberPathError> {
        let mut resolver = Resolver { rest: text.split('.'), path: String::new(), steps: Vec::new() };
        let member = resolver.within::<Invoice>()?;
        Ok(Self { text: resolver.path.into(), steps: resolver.steps.into(), member })
    }

    /// The path in canonical spelling, items without a number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The row of the member table.
    #[must_use]
    pub const fn member(&self) -> &'static Member {
        self.member
    }

    /// True for members of items, which there is one of per item.
    #[must_use]
    pub fn is_of_item(&self) -> bool {
        self.steps.first().is_some_and(|step| step.entry == Entry::OfItem)
    }

    /// The path as findings write it, with the number of the item where it is the member of an item.
    #[must_use]
    pub fn of(&self, item: usize) -> String {
        match self.text.strip_prefix("ItemList.") {
            Some(rest) => format!("ItemList[{item}].{rest}"),
            None => self.text.to_string(),
        }
    }
}

/// Walks the parts of a path down the member tables.
pub(crate) struct Resolver<'a> {
    rest: std::str::Split<'a, char>,
    path: String,
    steps: Vec<Step>,
}

impl Resolver<'_> {
    /// Resolves the next part among the members of a section.
    pub(crate) fn within<S: Section>(&mut self) -> Result<&'static Member, MemberPathError> {
        let Some(part) = self.rest.next() else {
            let example = S::MEMBERS.first().map_or("", |(_, member)| member.name);
            return Err(MemberPathError::Section { path: self.path.clone(), example });
        };
        let part = part.trim();
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']'))),
            None => (part, None),
        };
        let found = S::MEMBERS.iter().enumerate().find(|(_, (_, member))| member.name.eq_ignore_ascii_case(name));
        let Some((row, (slot, member))) = found else {
            let names = S::MEMBERS.iter().map(|(_, member)| member.name);
            let near = crate::registry::nearest(name, names).map(str::to_owned);
            return Err(MemberPathError::Unknown { name: name.to_owned(), section: self.path.clone(), near });
        };
        let entry = self.entry(member, index)?;
        self.steps.push(Step { row, entry });
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(member.name);
        if let Entry::At(index) = entry {
            self.path.push('[');
            self.path.push_str(&index.to_string());
            self.path.push(']');
        }
        S::resolve(*slot, member, self)
    }

    /// The end of a path, at a value.
    pub(crate) fn at_value(&mut self, member: &'static Member) -> Result<&'static Member, MemberPathError> {
        match self.rest.next() {
            None => Ok(member),
            Some(_) => Err(MemberPathError::Value { path: self.path.clone() }),
        }
    }

    fn entry(&self, member: &Member, index: Option<&str>) -> Result<Entry, MemberPathError> {
        let is_list = member.form.kind() == Kind::List;
        let of_item = self.steps.is_empty() && member.name == "ItemList";
        match index {
            None | Some("") if of_item => Ok(Entry::OfItem),
            None if is_list => Ok(Entry::At(0)),
            None => Ok(Entry::First),
            Some(index) if is_list && !of_item => index
                .parse()
                .ok()
                .filter(|index| *index < NAMED_ENTRIES_MAX)
                .map(Entry::At)
                .ok_or_else(|| MemberPathError::Entry { index: index.to_owned() }),
            Some(index) => Err(MemberPathError::Entry { index: index.to_owned() }),
        }
    }
}

/// Sets the value at the end of the steps, in a section.
pub(crate) fn set_in<S: Section>(section: &mut S, steps: &[Step], item: usize, text: &str) {
    if let Some((step, rest)) = steps.split_first()
        && let Some((slot, _)) = S::MEMBERS.get(step.row)
    {
        section.set_slot(*slot, Target { entry: step.entry, rest, item }, text);
    }
}

/// The value at the end of the steps, in a section.
pub(crate) fn shown_in<S: Section>(section: &S, steps: &[Step], item: usize) -> Option<String> {
    let (step, rest) = steps.split_first()?;
    let (slot, _) = S::MEMBERS.get(step.row)?;
    section.shown_slot(*slot, Target { entry: step.entry, rest, item })
}

/// What is left of a path at one member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) entry: Entry,
    pub(crate) rest: &'a [Step],
    pub(crate) item: usize,
}

impl Invoice {
    /// Sets one member to what a text says: the value, the text kept as malformed, or absent for a blank one. Sections
    /// and items that are not there yet are made. `item` counts from 0 and matters to members of items only; items
    /// beyond the 2,000th are not made, which is twice what the portal takes.
    pub fn set_text(&mut self, path: &MemberPath, item: usize, text: &str) {
        let changes_nothing = || text.trim().is_empty() && self.shown(path, item).is_none();
        if item < ITEMS_MAX && !changes_nothing() {
            set_in(self, &path.steps, item, text);
        }
    }

    /// What stands at a member, as a person would read it; nothing where it is absent.
    #[must_use]
    pub fn shown(&self, path: &MemberPath, item: usize) -> Option<String> {
        shown_in(self, &path.steps, item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Field, Item};

    fn path(text: &str) -> MemberPath {
        MemberPath::parse(text).unwrap()
    }

    #[test]
    fn every_member_of_the_form_has_a_path() {
        for (section, members) in [
            ("TranDtls", crate::document::TranDtls::members().collect::<Vec<_>>()),
            ("ItemList", Item::members().collect()),
            ("ValDtls", crate::document::ValDtls::members().collect()),
            ("EwbDtls", crate::document::EwbDtls::members().collect()),
        ] {
            for member in members {
                if matches!(member.form.kind(), Kind::Text | Kind::Number) {
                    let found = path(&format!("{section}.{}", member.name));
                    assert_eq!((found.member().name, found.member().form), (member.name, member.form));
                }
            }
        }
    }

    #[test]
    fn values_are_set_and_read_in_sections_lists_and_items() {
        let mut invoice = Invoice::new();
        for (name, item, text, shown) in [
            ("DocDtls.No", 0, "A/1", "A/1"),
            ("ShipDtls.Pin", 0, "560001", "560001"),
            ("RefDtls.PrecDocDtls[1].InvNo", 0, "B/2", "B/2"),
            ("RefDtls.PrecDocDtls.InvDt", 0, "05/11/2026", "05/11/2026"),
            ("ItemList.Qty", 2, "1.5", "1.5"),
            ("ItemList.BchDtls.Nm", 1, "LOT 7", "LOT 7"),
            ("ItemList.AttribDtls.Nm", 1, "Colour", "Colour"),
        ] {
            let path = path(name);
            invoice.set_text(&path, item, text);
            assert_eq!(invoice.shown(&path, item).as_deref(), Some(shown), "{name}");
        }
        assert_eq!(invoice.item_list.len(), 3);
        assert_eq!(invoice.ref_dtls.as_ref().unwrap().prec_doc_dtls.len(), 2);
        invoice.set_text(&path("DocDtls.Dt"), 0, "yesterday");
        assert_eq!(invoice.doc_dtls.dt, Field::Malformed("yesterday".into()));
        invoice.set_text(&path("ItemList.Qty"), ITEMS_MAX, "1");
        assert_eq!(invoice.item_list.len(), 3);
        assert_eq!(invoice.shown(&path("ItemList.Qty"), 9), None);
    }

    #[test]
    fn what_is_no_member_is_said_with_a_suggestion() {
        let message = |text| MemberPath::parse(text).unwrap_err().to_string();
        assert_eq!(message("BuyerDtls.Gstinn"), "INV-01 has no member Gstinn in BuyerDtls; did you mean Gstin?");
        assert_eq!(message("Buyer"), "INV-01 has no member Buyer");
        assert_eq!(message("BuyerDtls"), "BuyerDtls is a section; name one of its members, such as BuyerDtls.Gstin");
        assert_eq!(message("DocDtls.No.X"), "DocDtls.No is a value and has no members");
        assert!(message("ItemList[0].Qty").starts_with("[0] is not an entry number"));
        assert!(message("RefDtls.PrecDocDtls[100].InvNo").starts_with("[100] is not an entry number"));
        assert_eq!(path("itemlist.BCHDTLS.nm").of(4), "ItemList[4].BchDtls.Nm");
    }
}
