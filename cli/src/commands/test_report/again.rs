//! Cases that are asked again, since they came out otherwise.

use super::case::Case;
use super::state::State;
use crate::error::CliError;

/// What `--again` takes for every case that came out otherwise.
const DIFFERENT: &str = "different";

/// Takes back what came of cases that came out otherwise, so that they are sent once more.
///
/// # Errors
/// [`CliError::Usage`] for a name of no such case.
pub(super) fn ask_again(named: &[String], order: &[&Case], state: &mut State) -> Result<(), CliError> {
    let mut chosen: Vec<&Case> = Vec::new();
    for word in named {
        let is_different = |case: &Case| state.done.get(&case.id).is_some_and(|evidence| !evidence.as_expected);
        if word == DIFFERENT {
            chosen.extend(order.iter().filter(|case| is_different(case)));
            continue;
        }
        match order.iter().find(|case| case.id.eq_ignore_ascii_case(word)) {
            Some(case) if is_different(case) => chosen.push(case),
            Some(case) if state.done.contains_key(&case.id) => {
                return Err(CliError::Usage(format!(
                    "--again {word}: that case came out as expected, and its evidence is kept"
                )));
            }
            Some(_) => {
                return Err(CliError::Usage(format!(
                    "--again {word}: that case was not sent yet; it is without --again"
                )));
            }
            None => {
                return Err(CliError::Usage(format!(
                    "--again {word}: there is no such case among those that are asked for; --list shows them, and \
                     `{DIFFERENT}` stands for all that came out otherwise"
                )));
            }
        }
    }
    for case in chosen {
        // What was done to a document against expectation is still done to it.
        if state.done.get(&case.id).is_some_and(|evidence| evidence.accepted) {
            case.before().try_for_each(|before| state.again(before))?;
        }
        state.again(&case.id)?;
    }
    Ok(())
}
