//! Which names have a record: keyrings of some systems cannot be searched, so a record of its own lists them.
//!
//! A name is in the list before its record is made and until its record is gone, so that after a crash the list has a name
//! too many at most. Each write looks whether its name is there; a list that was removed by hand fills up again.

use crate::fault::Fault;
use crate::keyring::Keyring;
use crate::pieces;

/// The list of a part: no scope has this name.
fn index(part: &str) -> String {
    format!("{part}/index")
}

/// All names of a part.
pub(crate) fn names(keyring: &Keyring, part: &str) -> Result<Vec<String>, Fault> {
    let index = index(part);
    let damaged = || {
        Fault::Damaged(format!(
            "the list of names, {index}, was changed by hand: remove that entry in the program that shows the keyring; it \
             fills up again as entries change"
        ))
    };
    match pieces::read(keyring, &index) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(record)) => {
            let text = std::str::from_utf8(&record.bytes).map_err(|_| damaged())?;
            Ok(text.lines().map(str::to_owned).collect())
        }
        Err(Fault::Damaged(_)) => Err(damaged()),
        Err(fault) => Err(fault),
    }
}

/// Takes a name into the list.
pub(crate) fn learn(keyring: &Keyring, part: &str, name: &str, generation: u64) -> Result<(), Fault> {
    let mut names = names(keyring, part)?;
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    names.push(name.to_owned());
    pieces::write(keyring, &index(part), names.join("\n").as_bytes(), generation)
}

/// Takes a name out of the list; the list goes with its last name.
pub(crate) fn forget(keyring: &Keyring, part: &str, name: &str, generation: u64) -> Result<(), Fault> {
    let mut names = names(keyring, part)?;
    let known = names.len();
    names.retain(|other| other != name);
    if names.len() == known {
        return Ok(());
    }
    if names.is_empty() {
        return pieces::delete(keyring, &index(part)).map(drop);
    }
    pieces::write(keyring, &index(part), names.join("\n").as_bytes(), generation)
}
