//! What new crates hold: files that work as they stand, to be replaced part by part.

/// The program of those who work outside of einvoice's own checkout.
pub(super) const PROGRAM: &str = include_str!("../../../scaffold/program/main.rs");

const README: &str = include_str!("../../../scaffold/common/README.md");

/// What the lints of a checkout ask of helpers of tests.
const LINTS: &str = "#![expect(clippy::expect_used, reason = \"a test fails by panicking\")]\n";

/// What they ask of a build that awaits nothing yet.
const AWAITED: &str = "#[expect(clippy::unused_async, reason = \"the registry awaits every build\")]\n";

/// The role that a new crate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Source,
    WriteBack,
    CredentialStore,
    Ledger,
    Transport,
}

/// The names that a new crate goes by.
#[derive(Debug)]
pub(super) struct Names {
    /// As configurations have it: `focus-erp`.
    pub(super) name: String,
    /// `einvoice-focus-erp`.
    pub(super) package: String,
    /// `einvoice_focus_erp`.
    pub(super) krate: String,
    /// `FocusErp`.
    pub(super) types: String,
}

impl Names {
    pub(super) fn new(name: &str) -> Self {
        let package = format!("einvoice-{name}");
        let capital = |part: &str| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        };
        Self {
            krate: package.replace('-', "_"),
            types: name.split('-').map(capital).collect(),
            name: name.to_owned(),
            package,
        }
    }

    /// A template with these names in their places.
    pub(super) fn fill(&self, template: &str) -> String {
        let marks =
            [("@name@", &self.name), ("@package@", &self.package), ("@crate@", &self.krate), ("@type@", &self.types)];
        marks.iter().fold(template.to_owned(), |text, (mark, name)| text.replace(mark, name))
    }
}

macro_rules! template {
    ($role:literal, $($path:literal from $file:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../scaffold/", $role, "/", $file)))),+]
    };
}

impl Kind {
    /// The folder of a checkout in which such crates stand.
    pub(super) const fn group(self) -> &'static str {
        match self {
            Self::Transport => "transports",
            _ => "plugins",
        }
    }

    const fn templates(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Source => template!(
                "source",
                "examples/source.toml" from "source.toml",
                "src/config.rs" from "config.rs",
                "src/lib.rs" from "lib.rs",
                "src/rules.toml" from "rules.toml",
                "src/source.rs" from "source.rs",
                "tests/conformance.rs" from "conformance.rs",
            ),
            Self::WriteBack => template!(
                "write-back",
                "examples/write_back.toml" from "write_back.toml",
                "src/config.rs" from "config.rs",
                "src/lib.rs" from "lib.rs",
                "src/write_back.rs" from "write_back.rs",
                "tests/conformance.rs" from "conformance.rs",
            ),
            Self::CredentialStore => template!(
                "credential-store",
                "examples/credentials.toml" from "credentials.toml",
                "src/lib.rs" from "lib.rs",
                "src/store.rs" from "store.rs",
                "tests/conformance.rs" from "conformance.rs",
            ),
            Self::Ledger => template!(
                "ledger",
                "examples/ledger.toml" from "ledger.toml",
                "src/lib.rs" from "lib.rs",
                "src/books.rs" from "books.rs",
                "src/jobs.rs" from "jobs.rs",
                "src/ledger.rs" from "ledger.rs",
                "src/results.rs" from "results.rs",
                "src/work.rs" from "work.rs",
                "tests/conformance.rs" from "conformance.rs",
            ),
            Self::Transport => template!(
                "transport",
                "examples/route.toml" from "route.toml",
                "src/config.rs" from "config.rs",
                "src/lib.rs" from "lib.rs",
                "src/transport.rs" from "transport.rs",
                "tests/conformance.rs" from "conformance.rs",
            ),
        }
    }

    /// The files of a crate of this role, by their paths; inside of a checkout they meet its lints.
    pub(super) fn files(self, names: &Names, inside: bool) -> Vec<(String, String)> {
        let templates = self.templates();
        let example = templates.iter().find(|(path, _)| path.starts_with("examples/")).map_or("", |(_, text)| *text);
        let readme = README.replace("@example@", example);
        let (lints, awaited) = if inside { (LINTS, AWAITED) } else { ("", "") };
        let files = templates.iter().map(|(path, text)| {
            ((*path).to_owned(), names.fill(&text.replace("@lints@", lints).replace("@awaited@", awaited)))
        });
        files.chain([("README.md".to_owned(), names.fill(&readme))]).collect()
    }

    /// Crates of einvoice that its code needs beside the core, with their folders.
    pub(super) const fn einvoice(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Transport => {
                &[("einvoice-direct", "transports/direct"), ("einvoice-protocol", "transports/protocol")]
            }
            Self::Source | Self::WriteBack | Self::CredentialStore | Self::Ledger => &[],
        }
    }

    /// What its code needs of others.
    pub(super) const fn dependencies(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["async-trait", "schemars", "serde", "toml"],
            Self::WriteBack => &["async-trait", "schemars", "serde", "serde_json", "tokio"],
            Self::CredentialStore | Self::Transport => &["async-trait", "schemars", "serde"],
            Self::Ledger => &["async-trait", "aws-lc-rs", "bytes", "jiff", "schemars", "serde", "serde_json"],
        }
    }

    /// What its tests need beside the testkit.
    pub(super) const fn test_dependencies(self) -> &'static [&'static str] {
        match self {
            Self::Source | Self::WriteBack => &["serde_json", "tempfile", "tokio"],
            Self::CredentialStore | Self::Ledger | Self::Transport => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 5] = [Kind::Source, Kind::WriteBack, Kind::CredentialStore, Kind::Ledger, Kind::Transport];

    #[test]
    fn every_mark_is_filled_in_and_every_file_ends_with_a_line_end() {
        for kind in KINDS {
            for (path, text) in kind.files(&Names::new("focus-erp"), true) {
                for mark in ["@name@", "@package@", "@crate@", "@type@", "@example@", "@lints@", "@awaited@"] {
                    assert!(!text.contains(mark), "{kind:?} {path}: {mark}");
                }
                assert!(text.ends_with('\n'), "{kind:?} {path}");
            }
        }
    }

    #[test]
    fn names_follow_from_the_name_of_the_system() {
        let names = Names::new("focus-erp");
        assert_eq!(
            (names.package.as_str(), names.krate.as_str(), names.types.as_str()),
            ("einvoice-focus-erp", "einvoice_focus_erp", "FocusErp")
        );
    }
}
