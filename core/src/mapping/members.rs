//! The members of an object or of an element, by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::tree::Tree;

/// Most members that are looked for one by one: more than any element of an invoice has.
const FEW_MAX: usize = 32;

/// The members of an object or of an element, by name.
///
/// Names and texts are borrowed from the document where they stand in it as they are. Of an invoice no element has many
/// members, and a handful is found faster by comparing each than by any order; an object of thousands is kept in order.
#[derive(Debug, Clone, Default)]
pub struct Members<'t>(Kept<'t>);

#[derive(Debug, Clone)]
enum Kept<'t> {
    Few(Vec<(Cow<'t, str>, Tree<'t>)>),
    Many(BTreeMap<Cow<'t, str>, Tree<'t>>),
}

impl Default for Kept<'_> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<'t> Members<'t> {
    /// No members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Kept::Few(Vec::new()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Few(members) => members.len(),
            Kept::Many(members) => members.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tree<'t>> {
        match &self.0 {
            Kept::Few(members) => members.iter().find(|(known, _)| known == name).map(|(_, member)| member),
            Kept::Many(members) => members.get(name),
        }
    }

    /// The member of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Tree<'t>> {
        match &mut self.0 {
            Kept::Few(members) => members.iter_mut().find(|(known, _)| known == name).map(|(_, member)| member),
            Kept::Many(members) => members.get_mut(name),
        }
    }

    /// Adds a member, in the place of the one that had its name, which is given back.
    pub fn insert(&mut self, name: impl Into<Cow<'t, str>>, member: Tree<'t>) -> Option<Tree<'t>> {
        let name = name.into();
        if let Some(known) = self.get_mut(&name) {
            return Some(std::mem::replace(known, member));
        }
        match &mut self.0 {
            Kept::Many(members) => return members.insert(name, member),
            Kept::Few(members) if members.len() < FEW_MAX => members.push((name, member)),
            Kept::Few(members) => {
                let all = std::mem::take(members).into_iter().chain([(name, member)]);
                self.0 = Kept::Many(all.collect());
            }
        }
        None
    }

    /// Takes the member of a name out.
    pub fn remove(&mut self, name: &str) -> Option<Tree<'t>> {
        match &mut self.0 {
            Kept::Few(members) => {
                let at = members.iter().position(|(known, _)| known == name)?;
                Some(members.remove(at).1)
            }
            Kept::Many(members) => members.remove(name),
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &Tree<'t>)> {
        let (few, many) = match &self.0 {
            Kept::Few(members) => (Some(members), None),
            Kept::Many(members) => (None, Some(members)),
        };
        let few = few.into_iter().flatten().map(|(name, member)| (&**name, member));
        few.chain(many.into_iter().flatten().map(|(name, member)| (&**name, member)))
    }
}

/// In whatever order they stand.
impl PartialEq for Members<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, member)| other.get(name) == Some(member))
    }
}

impl Eq for Members<'_> {}

impl<'t, N: Into<Cow<'t, str>>> FromIterator<(N, Tree<'t>)> for Members<'t> {
    fn from_iter<I: IntoIterator<Item = (N, Tree<'t>)>>(members: I) -> Self {
        let mut made = Self::new();
        for (name, member) in members {
            made.insert(name, member);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(numbers: impl IntoIterator<Item = usize>) -> Members<'static> {
        numbers.into_iter().map(|number| (format!("m{number}"), Tree::Text(number.to_string().into()))).collect()
    }

    #[test]
    fn few_and_many_members_are_found_replaced_and_taken_out_alike() {
        for count in [0, 1, FEW_MAX, FEW_MAX + 1, 5 * FEW_MAX] {
            let mut members = numbered(0..count);
            assert_eq!((members.len(), members.is_empty()), (count, count == 0));
            for number in 0..count {
                let found = members.get(&format!("m{number}")).and_then(Tree::text).map(str::to_owned);
                assert_eq!(found, Some(number.to_string()));
            }
            assert_eq!(members.get("m"), None);
            assert_eq!(members, numbered((0..count).rev()));
            if count > 0 {
                assert_ne!(members, numbered(1..=count));
                let before = members.insert("m0", Tree::Text("new".into()));
                assert_eq!(before.as_ref().and_then(Tree::text), Some("0"));
                assert_eq!(members.get_mut("m0").and_then(|member| member.text()), Some("new"));
                assert_eq!(
                    (members.remove("m0").is_some(), members.remove("m0"), members.len()),
                    (true, None, count - 1)
                );
            }
        }
    }
}
