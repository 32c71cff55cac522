//! The macro that turns a member table into a section: one row per member, and everything follows from it.

/// Declares sections. A row reads `Name => field: Type = form;` below a doc comment with the meaning; the order of
/// rows is the order in which members are written.
///
/// A member whose name does not begin with a capital has it after `as`: `DocNo as "docNo" => ...`.
macro_rules! sections {
    ($(
        $(#[doc = $about:literal])*
        struct $section:ident in $slots:ident {
            $(
                $(#[doc = $meaning:literal])+
                $name:ident $(as $spelt:literal)? => $field:ident: $kind:ty = $row:expr;
            )+
        }
    )+) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        #[expect(clippy::exhaustive_structs, reason = "mappers fill the members of the form by name")]
        pub struct $section {
            $(
                $(#[doc = $meaning])+
                pub $field: $kind,
            )+
            /// Members the form does not have here, as they stood. They are not sent.
            pub unknown: Vec<$crate::document::UnknownMember>,
        }

        #[derive(Debug, Clone, Copy)]
        pub(crate) enum $slots {
            $($name,)+
        }

        impl $section {
            /// The member table, in the order of the form.
            pub fn members() -> impl Iterator<Item = &'static $crate::document::Member> {
                <Self as $crate::document::node::Section>::MEMBERS.iter().map(|(_, member)| member)
            }
        }

        impl $crate::document::node::Section for $section {
            type Slot = $slots;
            const MEMBERS: &'static [(Self::Slot, $crate::document::Member)] = &[$((
                $slots::$name,
                $crate::document::Member::new(
                    $row,
                    $crate::document::table::member_name!($name $($spelt)?),
                    concat!(",\"", $crate::document::table::member_name!($name $($spelt)?), "\":"),
                    concat!($($meaning),+),
                ),
            ),)+];

            fn read_slot(
                &mut self,
                slot: Self::Slot,
                member: &'static $crate::document::Member,
                reader: &mut $crate::document::reader::Reader<'_>,
            ) -> Result<(), $crate::document::JsonError> {
                match slot {
                    $($slots::$name => $crate::document::node::Node::read(&mut self.$field, reader, member),)+
                }
            }

            #[inline]
            fn visit_members<V: $crate::document::node::Visitor>(&self, visitor: &mut V) {
                let mut rows = Self::MEMBERS.iter();
                $(
                    if let Some((_, member)) = rows.next() {
                        $crate::document::node::Node::visit(&self.$field, member, visitor);
                    }
                )+
            }

            fn edit_members<E: $crate::document::node::Editor>(&mut self, editor: &mut E) {
                let mut rows = Self::MEMBERS.iter();
                $(
                    if let Some((_, member)) = rows.next() {
                        $crate::document::node::Node::edit(&mut self.$field, member, editor);
                    }
                )+
            }

            fn write_members(&self, out: &mut Vec<u8>) {
                let mut rows = Self::MEMBERS.iter();
                $(
                    if let Some((_, member)) = rows.next() {
                        $crate::document::node::Node::write(&self.$field, member, out);
                    }
                )+
            }

            fn compare_members(&self, theirs: &Self, comparison: &mut $crate::document::difference::Comparison) {
                let mut rows = Self::MEMBERS.iter();
                $(
                    if let Some((_, member)) = rows.next() {
                        $crate::document::node::Node::compare(&self.$field, &theirs.$field, member, comparison);
                    }
                )+
            }

            fn resolve(
                slot: Self::Slot,
                member: &'static $crate::document::Member,
                resolver: &mut $crate::document::target::Resolver<'_>,
            ) -> Result<&'static $crate::document::Member, $crate::document::MemberPathError> {
                match slot {
                    $($slots::$name => <$kind as $crate::document::node::Node>::resolve(member, resolver),)+
                }
            }

            fn set_slot(&mut self, slot: Self::Slot, target: $crate::document::target::Target<'_>, text: &str) {
                match slot {
                    $($slots::$name => $crate::document::node::Node::set(&mut self.$field, target, text),)+
                }
            }

            fn shown_slot(&self, slot: Self::Slot, target: $crate::document::target::Target<'_>) -> Option<String> {
                match slot {
                    $($slots::$name => $crate::document::node::Node::shown_at(&self.$field, target),)+
                }
            }

            fn unknown_mut(&mut self) -> &mut Vec<$crate::document::UnknownMember> {
                &mut self.unknown
            }

            fn has_nothing(&self) -> bool {
                $($crate::document::node::Node::is_blank(&self.$field) &&)+ true
            }
        }
    )+};
}

/// The name of a member as it is written.
macro_rules! member_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $spelt:literal) => {
        $spelt
    };
}

/// Lets sections that every document has stand without `Option`: absent is the same as empty.
macro_rules! plain_sections {
    ($($section:ident)+) => {$(
        impl $crate::document::node::Node for $section {
            fn read(
                &mut self,
                reader: &mut $crate::document::reader::Reader<'_>,
                member: &'static $crate::document::Member,
            ) -> Result<(), $crate::document::JsonError> {
                reader.object_member(member, self).map(|_| ())
            }

            fn write(&self, member: &'static $crate::document::Member, out: &mut Vec<u8>) {
                if !$crate::document::node::Section::has_nothing(self) {
                    $crate::document::node::write_section(self, member, out);
                }
            }

            fn visit<V: $crate::document::node::Visitor>(
                &self,
                member: &'static $crate::document::Member,
                visitor: &mut V,
            ) {
                $crate::document::node::visit_section(self, member, None, visitor);
            }

            fn edit<E: $crate::document::node::Editor>(
                &mut self,
                member: &'static $crate::document::Member,
                editor: &mut E,
            ) {
                $crate::document::node::edit_section(self, member, None, editor);
            }

            fn compare(
                &self,
                theirs: &Self,
                member: &'static $crate::document::Member,
                comparison: &mut $crate::document::difference::Comparison,
            ) {
                comparison.within(member, None, false, |comparison| {
                    $crate::document::node::Section::compare_members(self, theirs, comparison);
                });
            }

            fn is_blank(&self) -> bool {
                $crate::document::node::Section::has_nothing(self)
            }

            fn resolve(
                _: &'static $crate::document::Member,
                resolver: &mut $crate::document::target::Resolver<'_>,
            ) -> Result<&'static $crate::document::Member, $crate::document::MemberPathError> {
                resolver.within::<Self>()
            }

            fn set(&mut self, target: $crate::document::target::Target<'_>, text: &str) {
                $crate::document::target::set_in(self, target.rest, target.item, text);
            }

            fn shown_at(&self, target: $crate::document::target::Target<'_>) -> Option<String> {
                $crate::document::target::shown_in(self, target.rest, target.item)
            }
        }
    )+};
}

pub(crate) use {member_name, plain_sections, sections};
