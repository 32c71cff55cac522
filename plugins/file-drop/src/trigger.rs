//! Trigger files: each says once that the file beside it is complete.

use std::fs;
use std::io;
use std::path::PathBuf;

use einvoice_core::source::SourceError;

/// Removes triggers that have served.
///
/// # Errors
/// The first that cannot be removed, by its name.
pub(crate) fn remove(triggers: Vec<PathBuf>) -> Result<(), SourceError> {
    for trigger in triggers {
        match fs::remove_file(&trigger) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let reason = format!(
                    "this trigger has served and cannot be removed: {error}; remove it by hand, or let this program delete \
                     files there: the next file of this name would be taken for complete. A file that is in the working \
                     folder is read once its trigger is gone"
                );
                return Err(SourceError::new(trigger.display().to_string(), reason).because(error));
            }
            _ => {}
        }
    }
    Ok(())
}
