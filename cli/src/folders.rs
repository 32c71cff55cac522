//! The folders that sources read from, told from their setting `path`: a folder, a file or a pattern.
//!
//! `init` makes them and `config check` misses them, so that a first run does not fail for a folder.

use std::path::{Path, PathBuf};

use einvoice_core::config::SourceTable;

/// A source whose folder does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Name of the source.
    pub(crate) source: String,
    /// The folder, from the folder of the configuration.
    pub(crate) folder: PathBuf,
}

/// The sources whose folders do not exist. A source without a `path` reads from elsewhere.
pub(crate) fn missing(sources: &[SourceTable], directory: &Path) -> Vec<Missing> {
    let missing = |source: &SourceTable| {
        let path = source.part.settings.get("path")?.as_str()?;
        let folder = folder_of(path);
        let there = directory.join(path).exists() || directory.join(&folder).is_dir();
        (!there).then(|| Missing { source: source.part.name.clone(), folder })
    };
    sources.iter().filter_map(missing).collect()
}

/// The folder a path names: of a pattern what stands before its first mark, of a name with an ending
/// what it lies in.
fn folder_of(path: &str) -> PathBuf {
    if path.contains(['*', '?', '[']) {
        let is_plain = |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        return Path::new(path).components().take_while(is_plain).collect();
    }
    let path = Path::new(path);
    match (path.extension(), path.parent()) {
        (Some(_), Some(parent)) => parent.to_path_buf(),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::config::Settings;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_folder_is_told_from_a_folder_a_file_and_a_pattern() {
        assert_eq!(folder_of("inbox"), Path::new("inbox"));
        assert_eq!(folder_of("in/new/*.xml"), Path::new("in/new"));
        assert_eq!(folder_of("in/**/a?.json"), Path::new("in"));
        assert_eq!(folder_of("books/day.xml"), Path::new("books"));
        assert_eq!(folder_of("*.xml"), Path::new(""));
        assert_eq!(folder_of("day.xml"), Path::new(""));
    }

    #[test]
    fn only_folders_that_are_not_there_are_missed() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("there.d")).unwrap();
        let settings = Settings::from_value(json!({"source": [
            {"name": "pattern", "plugin": "tally", "path": "there.d/*.xml"},
            {"name": "folder", "plugin": "json-file", "path": "there.d"},
            {"name": "gone", "plugin": "json-file", "path": "gone/*.json"},
            {"name": "elsewhere", "plugin": "other"},
        ]}))
        .unwrap();
        let gone = Missing { source: "gone".to_owned(), folder: "gone".into() };
        assert_eq!(missing(&settings.sources, directory.path()), [gone]);
    }
}
