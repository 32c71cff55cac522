//! What stops a target until a person has put it right, kept in a file that outlives the program.

use std::path::{Path, PathBuf};

use super::super::files;

/// The file of one target.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    path: PathBuf,
}

impl Incident {
    /// The file of the target of a name, in a folder.
    pub(super) fn of(name: &str, directory: &Path) -> Self {
        let safe: String = name.chars().map(|found| if found.is_alphanumeric() { found } else { '-' }).collect();
        Self { path: directory.join(format!("tally-incident-{safe}.txt")) }
    }

    /// What stopped the target; `None` where nothing did.
    ///
    /// # Errors
    /// Why that could not be told.
    pub(super) async fn find(&self) -> Result<Option<String>, String> {
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || files::get(&path)).await {
            Ok(Ok(found)) => Ok(found.map(|text| String::from_utf8_lossy(&text).trim_end().to_owned())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes down why the target stops, and gives the whole sentence.
    pub(super) async fn write_down(&self, reason: &str) -> String {
        let text = format!(
            "{reason}. Nothing more is written into Tally by this target before this file is deleted: {}\r\n",
            self.path.display()
        );
        let (path, content) = (self.path.clone(), text.clone());
        let kept = tokio::task::spawn_blocking(move || files::put(&path, content.as_bytes())).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::error!(file = %self.path.display(), "the incident could not be written down");
        }
        tracing::error!(reason, "writing into Tally was stopped");
        text.trim_end().to_owned()
    }
}
