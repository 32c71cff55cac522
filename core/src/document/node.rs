//! What the reader, the writer, the check, the repairs and the comparison do with one member, for every kind of
//! member.

use super::difference::Comparison;
use super::field::{Facet, Field, Leaf};
use super::member::{Kind, Member};
use super::reader::Reader;
use super::scanner::{JsonError, Scanner, Token};
use super::target::{self, MemberPathError, Resolver, Target};
use super::writer;

/// An object of the document with a member table.
pub(crate) trait Section: Default + 'static {
    /// One value per member.
    type Slot: Copy + 'static;
    /// The table, in the order of the form.
    const MEMBERS: &'static [(Self::Slot, Member)];

    fn read_slot(
        &mut self,
        slot: Self::Slot,
        member: &'static Member,
        reader: &mut Reader<'_>,
    ) -> Result<(), JsonError>;
    fn visit_members<V: Visitor>(&self, visitor: &mut V);
    fn edit_members<E: Editor>(&mut self, editor: &mut E);
    fn write_members(&self, out: &mut Vec<u8>);
    fn compare_members(&self, theirs: &Self, comparison: &mut Comparison);
    /// Goes on with a path at a member.
    fn resolve(
        slot: Self::Slot,
        member: &'static Member,
        resolver: &mut Resolver<'_>,
    ) -> Result<&'static Member, MemberPathError>;
    fn set_slot(&mut self, slot: Self::Slot, target: Target<'_>, text: &str);
    fn shown_slot(&self, slot: Self::Slot, target: Target<'_>) -> Option<String>;
    fn unknown_mut(&mut self) -> &mut Vec<UnknownMember>;
    /// True when no member is given.
    fn has_nothing(&self) -> bool;
}

/// A member the form does not have, kept as it stood. It is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a name and its JSON are all a member has")]
pub struct UnknownMember {
    /// Name as the source spells it.
    pub name: Box<str>,
    /// The value, as JSON text.
    pub json: Box<str>,
}

/// A leaf as a visitor sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'a> {
    Absent,
    Value(Facet<'a>),
    Malformed(&'a str),
}

/// Something that walks all members of a document in table order.
pub(crate) trait Visitor {
    fn leaf(&mut self, member: &'static Member, seen: Seen<'_>);
    /// An object begins; it is left again by [`leave`](Self::leave). `blank` when no member is given.
    /// False when its members are of no interest.
    fn enter(&mut self, member: &'static Member, index: Option<usize>, blank: bool) -> bool;
    fn leave(&mut self);
    /// A list of so many entries, which are entered one by one afterwards.
    fn list(&mut self, member: &'static Member, count: usize);
}

/// Something that walks all members of a document in table order and changes leaves that are there.
pub(crate) trait Editor {
    fn leaf<T: Leaf>(&mut self, member: &'static Member, field: &mut Field<T>);
    /// An object begins; it is left again by [`leave`](Self::leave).
    fn enter(&mut self, member: &'static Member, index: Option<usize>);
    fn leave(&mut self);
}

/// One member of a section, whatever its kind.
pub(crate) trait Node {
    fn read(&mut self, reader: &mut Reader<'_>, member: &'static Member) -> Result<(), JsonError>;
    fn write(&self, member: &'static Member, out: &mut Vec<u8>);
    fn visit<V: Visitor>(&self, member: &'static Member, visitor: &mut V);
    fn edit<E: Editor>(&mut self, member: &'static Member, editor: &mut E);
    fn compare(&self, theirs: &Self, member: &'static Member, comparison: &mut Comparison);
    fn is_blank(&self) -> bool;
    /// Goes on with a path below this member.
    fn resolve(member: &'static Member, resolver: &mut Resolver<'_>) -> Result<&'static Member, MemberPathError>;
    /// Sets the value at the end of a path from its text.
    fn set(&mut self, target: Target<'_>, text: &str);
    /// The value at the end of a path, for a person.
    fn shown_at(&self, target: Target<'_>) -> Option<String>;
}

impl<T: Leaf> Node for Field<T> {
    #[inline]
    fn read(&mut self, reader: &mut Reader<'_>, member: &'static Member) -> Result<(), JsonError> {
        match plain_value(&mut reader.scanner) {
            Some(value) => {
                *self = Self::Value(value);
                Ok(())
            }
            None => self.read_with_care(reader, member),
        }
    }

    #[expect(clippy::inline_always, reason = "in a section the key is a constant, and copied without a call")]
    #[inline(always)]
    fn write(&self, member: &'static Member, out: &mut Vec<u8>) {
        match self {
            Self::Absent => {}
            Self::Value(value) => {
                writer::name(member, out);
                value.write(out);
            }
            Self::Malformed(text) => {
                writer::name(member, out);
                writer::raw(text, out);
            }
        }
    }

    fn visit<V: Visitor>(&self, member: &'static Member, visitor: &mut V) {
        let seen = match self {
            Self::Absent => Seen::Absent,
            Self::Value(value) => Seen::Value(value.facet()),
            Self::Malformed(text) => Seen::Malformed(text),
        };
        visitor.leaf(member, seen);
    }

    fn edit<E: Editor>(&mut self, member: &'static Member, editor: &mut E) {
        editor.leaf(member, self);
    }

    fn compare(&self, theirs: &Self, member: &'static Member, comparison: &mut Comparison) {
        let same = match (self, theirs) {
            (Self::Absent, Self::Absent) => true,
            (Self::Value(ours), Self::Value(theirs)) => {
                ours.same(theirs) || (member.in_capitals && ours.show().eq_ignore_ascii_case(&theirs.show()))
            }
            (Self::Malformed(ours), Self::Malformed(theirs)) => ours == theirs,
            (Self::Value(ours), Self::Absent) => comparison.may_drop(member) || ours.facet().is_neutral(),
            (Self::Absent, Self::Value(theirs)) => theirs.facet().is_neutral(),
            (Self::Malformed(_), Self::Absent) => comparison.may_drop(member),
            _ => false,
        };
        if !same {
            comparison.leaf(member, self.shown(), theirs.shown());
        }
    }

    fn is_blank(&self) -> bool {
        self.is_absent()
    }

    fn resolve(member: &'static Member, resolver: &mut Resolver<'_>) -> Result<&'static Member, MemberPathError> {
        resolver.at_value(member)
    }

    fn set(&mut self, _: Target<'_>, text: &str) {
        *self = Self::from_text(text);
    }

    fn shown_at(&self, _: Target<'_>) -> Option<String> {
        self.shown()
    }
}

/// A value in the form nearly every value has, read in one pass: a string without escapes that is of its type, or a
/// plain number. Nothing when it must be looked at with care; the scanner then stands where it stood.
#[inline]
fn plain_value<T: Leaf>(scanner: &mut Scanner<'_>) -> Option<T> {
    match (scanner.next_byte()?, T::PLACES) {
        (b'"', None) => scanner.take_plain_text(|text| if text.is_empty() { None } else { T::parse(text).ok() }),
        (b'0'..=b'9', Some(places)) => scanner.take_plain_number(places).and_then(T::of_units),
        _ => None,
    }
}

/// How a value that is not of its exact form may still be read.
enum Repair<'a> {
    None,
    Spelling(&'a str),
    Kind(&'a str),
}

impl<T: Leaf> Field<T> {
    /// Reads what is absent, not plain, or not of its exact form.
    #[cold]
    fn read_with_care(&mut self, reader: &mut Reader<'_>, member: &'static Member) -> Result<(), JsonError> {
        let token = reader.scanner.token()?;
        let (exact, repair) = match &token {
            Token::Null => return Ok(()),
            Token::Text(text, _) if text.is_empty() && member.empty_is_absent => {
                reader.repaired(member, token.raw(), "an empty string was read as absent");
                return Ok(());
            }
            Token::Text(text, _) if T::EITHER => (T::parse(text).ok(), Repair::Spelling(text)),
            Token::Number(digits) if T::EITHER => (T::parse(digits).ok(), Repair::Spelling(digits)),
            Token::Text(text, _) if T::KIND == Kind::Text => (T::parse(text).ok(), Repair::Spelling(text)),
            Token::Number(digits) if T::KIND == Kind::Number => (T::parse(digits).ok(), Repair::None),
            Token::Text(text, _) => (None, Repair::Kind(text.trim())),
            // A code that a program turned into a number keeps its digits; one with an exponent lost them.
            Token::Number(digits) if !digits.contains(['e', 'E', '-']) => (None, Repair::Kind(digits)),
            _ => (None, Repair::None),
        };
        if let Some(value) = exact {
            *self = Self::Value(value);
            return Ok(());
        }
        let (repaired, note) = match repair {
            Repair::Spelling(text) => (T::repair(text), "another spelling was read by its meaning"),
            Repair::Kind(text) if T::KIND == Kind::Number => {
                (T::parse(text).ok(), "a string was read as the number in it")
            }
            Repair::Kind(text) => (T::parse(text).ok(), "a number was read as a string of its digits"),
            Repair::None => (None, ""),
        };
        *self = match repaired {
            Some(value) if reader.lenient => {
                reader.repaired(member, token.raw(), note);
                Self::Value(value)
            }
            _ => Self::Malformed(token.raw().into()),
        };
        Ok(())
    }

    /// The value or the malformed text, for a person.
    pub(crate) fn shown(&self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value.show()),
            Self::Malformed(text) => Some(text.to_string()),
        }
    }
}

/// Writes a section as an object.
pub(crate) fn write_section<S: Section>(section: &S, member: &'static Member, out: &mut Vec<u8>) {
    writer::name(member, out);
    out.push(b'{');
    section.write_members(out);
    out.push(b'}');
}

pub(crate) fn visit_section<S: Section, V: Visitor>(
    section: &S,
    member: &'static Member,
    index: Option<usize>,
    visitor: &mut V,
) {
    if visitor.enter(member, index, section.has_nothing()) {
        section.visit_members(visitor);
    }
    visitor.leave();
}

pub(crate) fn edit_section<S: Section, E: Editor>(
    section: &mut S,
    member: &'static Member,
    index: Option<usize>,
    editor: &mut E,
) {
    editor.enter(member, index);
    section.edit_members(editor);
    editor.leave();
}

impl<S: Section> Node for Option<S> {
    fn read(&mut self, reader: &mut Reader<'_>, member: &'static Member) -> Result<(), JsonError> {
        let mut section = S::default();
        if reader.object_member(member, &mut section)? {
            *self = Some(section);
        }
        Ok(())
    }

    fn write(&self, member: &'static Member, out: &mut Vec<u8>) {
        if let Some(section) = self {
            write_section(section, member, out);
        }
    }

    fn visit<V: Visitor>(&self, member: &'static Member, visitor: &mut V) {
        if let Some(section) = self {
            visit_section(section, member, None, visitor);
        }
    }

    fn edit<E: Editor>(&mut self, member: &'static Member, editor: &mut E) {
        if let Some(section) = self {
            edit_section(section, member, None, editor);
        }
    }

    fn compare(&self, theirs: &Self, member: &'static Member, comparison: &mut Comparison) {
        let nothing = S::default();
        let (ours, theirs) = (self.as_ref().unwrap_or(&nothing), theirs.as_ref().unwrap_or(&nothing));
        comparison.within(member, None, theirs.has_nothing(), |comparison| {
            ours.compare_members(theirs, comparison);
        });
    }

    fn is_blank(&self) -> bool {
        self.is_none()
    }

    fn resolve(_: &'static Member, resolver: &mut Resolver<'_>) -> Result<&'static Member, MemberPathError> {
        resolver.within::<S>()
    }

    fn set(&mut self, target: Target<'_>, text: &str) {
        target::set_in(self.get_or_insert_default(), target.rest, target.item, text);
    }

    fn shown_at(&self, target: Target<'_>) -> Option<String> {
        self.as_ref().and_then(|section| target::shown_in(section, target.rest, target.item))
    }
}

impl<S: Section> Node for Vec<S> {
    fn read(&mut self, reader: &mut Reader<'_>, member: &'static Member) -> Result<(), JsonError> {
        reader.list_member(member, self)
    }

    fn write(&self, member: &'static Member, out: &mut Vec<u8>) {
        if self.is_empty() {
            return;
        }
        writer::name(member, out);
        out.push(b'[');
        for (index, section) in self.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.push(b'{');
            section.write_members(out);
            out.push(b'}');
        }
        out.push(b']');
    }

    fn visit<V: Visitor>(&self, member: &'static Member, visitor: &mut V) {
        visitor.list(member, self.len());
        for (index, section) in self.iter().enumerate() {
            visit_section(section, member, Some(index), visitor);
        }
    }

    fn edit<E: Editor>(&mut self, member: &'static Member, editor: &mut E) {
        for (index, section) in self.iter_mut().enumerate() {
            edit_section(section, member, Some(index), editor);
        }
    }

    fn compare(&self, theirs: &Self, member: &'static Member, comparison: &mut Comparison) {
        if theirs.is_empty() && comparison.may_drop(member) {
            return;
        }
        if self.len() != theirs.len() {
            let count = |entries: usize| Some(format!("{entries} entries"));
            comparison.leaf(member, count(self.len()), count(theirs.len()));
        }
        for (index, (ours, theirs)) in self.iter().zip(theirs).enumerate() {
            comparison.within(member, Some(index), false, |comparison| {
                ours.compare_members(theirs, comparison);
            });
        }
    }

    fn is_blank(&self) -> bool {
        self.is_empty()
    }

    fn resolve(_: &'static Member, resolver: &mut Resolver<'_>) -> Result<&'static Member, MemberPathError> {
        resolver.within::<S>()
    }

    fn set(&mut self, target: Target<'_>, text: &str) {
        let index = target.entry.index(target.item);
        if self.len() <= index {
            self.resize_with(index + 1, S::default);
        }
        if let Some(section) = self.get_mut(index) {
            target::set_in(section, target.rest, target.item, text);
        }
    }

    fn shown_at(&self, target: Target<'_>) -> Option<String> {
        let section = self.get(target.entry.index(target.item))?;
        target::shown_in(section, target.rest, target.item)
    }
}
