//! The members of a document that have a value, for people: what a mapping made, and what a case expects.

use super::Invoice;
use super::field::{Field, Leaf};
use super::member::Member;
use super::node::Editor;
use super::path::Path;
use super::target::{MemberPath, MemberPathError};

/// A member that has a value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FilledMember {
    /// Place in the document as findings write it: `ItemList[0].HsnCd`.
    pub path: String,
    /// The value, as a person would read it.
    pub value: String,
}

impl Invoice {
    /// All members that have a value, in the order of the form. What INV-01 does not have is not among them.
    ///
    /// ```
    /// use einvoice_core::document::Invoice;
    ///
    /// let mut invoice = Invoice::new();
    /// invoice.seller_dtls.lgl_nm = "Invented Traders".into();
    /// let filled: Vec<_> = invoice.filled().into_iter().map(|member| (member.path, member.value)).collect();
    /// assert_eq!(filled[1], ("SellerDtls.LglNm".into(), "Invented Traders".into()));
    /// ```
    #[must_use]
    pub fn filled(&self) -> Vec<FilledMember> {
        // The walk that knows the type of each value is the one that may change them, so it goes over a copy.
        let mut list = List { path: Path::default(), filled: Vec::new() };
        self.clone().walk_mut(&mut list);
        list.filled
    }
}

impl MemberPath {
    /// Reads a path as findings write it, with the number of the item it is about: `ItemList[0].HsnCd` is the HSN of
    /// item 0. Without a number the first item is meant.
    ///
    /// # Errors
    /// When INV-01 has no such member with a value.
    pub fn parse_placed(text: &str) -> Result<(Self, usize), MemberPathError> {
        let numbered = text.trim().split_once('[').filter(|(list, _)| list.eq_ignore_ascii_case("ItemList"));
        let Some((list, (number, rest))) = numbered.and_then(|(list, rest)| Some((list, rest.split_once(']')?))) else {
            return Self::parse(text).map(|path| (path, 0));
        };
        let wrong = || MemberPathError::Entry { index: number.to_owned() };
        let item = number.parse().map_err(|_| wrong())?;
        Self::parse(&format!("{list}{rest}")).map(|path| (path, item))
    }
}

struct List {
    path: Path,
    filled: Vec<FilledMember>,
}

impl Editor for List {
    fn leaf<T: Leaf>(&mut self, member: &'static Member, field: &mut Field<T>) {
        if let Some(value) = field.shown() {
            self.filled.push(FilledMember { path: self.path.of(member.name), value });
        }
    }

    fn enter(&mut self, member: &'static Member, index: Option<usize>) {
        self.path.push(member, index);
    }

    fn leave(&mut self) {
        self.path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_a_value_are_listed_in_the_order_of_the_form_whatever_their_value_is() {
        let text = r#"{"Version":"1.1","ItemList":[{"Qty":2,"HsnCd":"8481"},{"UnitPrice":"dear"}],
            "DocDtls":{"No":"A/1","Dt":"05/11/2026"},"RefDtls":{"PrecDocDtls":[{"InvNo":"B/2"}]},"Extra":1}"#;
        let invoice = Invoice::from_json(text).unwrap().invoice;
        let filled = invoice.filled();
        let shown: Vec<(&str, &str)> =
            filled.iter().map(|member| (member.path.as_str(), member.value.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("Version", "1.1"),
                ("DocDtls.No", "A/1"),
                ("DocDtls.Dt", "05/11/2026"),
                ("ItemList[0].HsnCd", "8481"),
                ("ItemList[0].Qty", "2"),
                ("ItemList[1].UnitPrice", "\"dear\""),
                ("RefDtls.PrecDocDtls[0].InvNo", "B/2"),
            ]
        );
    }

    #[test]
    fn a_path_with_the_number_of_its_item_is_taken_apart() {
        let placed = |text: &str| MemberPath::parse_placed(text).map(|(path, item)| (path.of(item), item));
        assert_eq!(placed("itemlist[3].hsncd").unwrap(), ("ItemList[3].HsnCd".to_owned(), 3));
        assert_eq!(placed("ItemList.HsnCd").unwrap(), ("ItemList[0].HsnCd".to_owned(), 0));
        assert_eq!(placed("ItemList[1].AttribDtls[2].Nm").unwrap(), ("ItemList[1].AttribDtls[2].Nm".to_owned(), 1));
        assert_eq!(placed("RefDtls.PrecDocDtls[1].InvNo").unwrap().1, 0);
        for wrong in ["ItemList[x].HsnCd", "ItemList[0].Hsn", "ItemList[0]", "ItemList[0"] {
            assert!(placed(wrong).is_err(), "{wrong}");
        }
    }
}
