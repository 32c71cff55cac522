//! Files of a searched folder that are not read: a person who dropped one in must be able to learn why.

use std::path::Path;

/// What lies in a folder and is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeftAlone {
    without_ending: Names,
    responses: Names,
}

/// Some names: how many, and the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    count: usize,
    first: String,
}

impl LeftAlone {
    /// A file whose name has no ending that is read.
    pub(crate) fn without_ending(&mut self, file: &Path) {
        self.without_ending.add(file);
    }

    /// A file that is named as a response is.
    pub(crate) fn response(&mut self, file: &Path) {
        self.responses.add(file);
    }

    /// What to say of files that nobody reads, whatever their name means.
    pub(crate) fn unread(&self, extensions: &[&str]) -> Option<String> {
        self.without_ending.said().map(|files| {
            format!(
                "{files} left alone, as no ending of those that are read ({}) is there: rename what is to be read, or name \
                 a pattern such as `inbox/*` in the key `path` of this source",
                extensions.join(", ")
            )
        })
    }

    /// What to say of files that are most often our own responses.
    pub(crate) fn answers(&self, suffix: &str) -> Option<String> {
        self.responses.said().map(|files| {
            format!(
                "{files} left alone, as names that end in `{suffix}` are those of responses: where one is to be read, rename \
                 it or choose another `response_suffix`"
            )
        })
    }
}

impl Names {
    fn add(&mut self, file: &Path) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if self.count == 0 || *name < *self.first {
            self.first = name.into_owned();
        }
        self.count += 1;
    }

    fn said(&self) -> Option<String> {
        match self.count {
            0 => None,
            1 => Some(format!("the file {} is", self.first)),
            many => Some(format!("{many} files, the first of them {}, are", self.first)),
        }
    }
}
