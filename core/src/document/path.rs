//! The place of a member, kept as a stack of borrowed names and rendered only when a finding needs it.

use std::fmt::Write as _;

use super::member::Member;

/// Deeper than any place INV-01 has (`RefDtls.ContrDtls[0].PORefr`).
#[derive(Debug, Default)]
pub(crate) struct Path(Vec<(&'static str, Option<usize>)>);

impl Path {
    pub(crate) fn push(&mut self, member: &'static Member, index: Option<usize>) {
        self.0.push((member.name, index));
    }

    /// True where no section is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// The path of the open section.
    pub(crate) fn here(&self) -> String {
        let mut path = String::new();
        for (name, index) in &self.0 {
            join(&mut path, name, *index);
        }
        path
    }

    /// The path of a member of the open section.
    pub(crate) fn of(&self, name: &str) -> String {
        let mut path = self.here();
        join(&mut path, name, None);
        path
    }

    /// The path of an entry of a list of the open section.
    pub(crate) fn entry(&self, name: &str, index: usize) -> String {
        let mut path = self.here();
        join(&mut path, name, Some(index));
        path
    }
}

fn join(path: &mut String, name: &str, index: Option<usize>) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
    if let Some(index) = index {
        let written = write!(path, "[{index}]");
        debug_assert!(written.is_ok(), "writing to memory cannot fail");
    }
}
