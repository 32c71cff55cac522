//! The profiles that come with the program.

/// A profile that comes with the program.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Shipped {
    /// Its name.
    pub id: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! profiles {
    ($($id:literal,)*) => {
        &[$(Shipped { id: $id, text: include_str!(concat!("../../profiles/", $id, ".toml")) },)*]
    };
}

/// All of them, in the order of the alphabet.
#[must_use]
pub const fn shipped() -> &'static [Shipped] {
    profiles! {
        "adaequare",
        "alankit",
        "cleartax",
        "cleartax-government",
        "cleartax-gsp",
        "cygnet",
        "fynd",
        "gstzen",
        "iris",
        "mastergst",
        "masters-india",
        "sandbox-co-in",
        "taxpro",
        "taxpro-pass-through",
        "vayana",
        "whitebooks",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::read_profile;

    #[test]
    fn every_profile_can_work_bears_its_files_name_and_says_how_sure_its_facts_are() {
        for Shipped { id, .. } in shipped() {
            let profile = read_profile(id, Path::new("")).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(profile.id, *id);
            assert!(!profile.summary.trim().is_empty(), "{id}");
            let facts = &profile.facts;
            assert!(!facts.documented.is_empty() || !facts.client_code.is_empty(), "{id}");
            assert!(!facts.unconfirmed.is_empty(), "{id}: none of them was ever tried");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_shipped_in_the_order_of_the_alphabet() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        assert_eq!(files, shipped().iter().map(|shipped| shipped.id.to_owned()).collect::<Vec<_>>());
    }
}
