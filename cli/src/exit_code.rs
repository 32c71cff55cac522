//! Exit codes of the program: a stable contract for scripts.
//!
//! When several hold, the most urgent one is given: 70, 2, 4, 3, 1.

/// All is well.
pub const ALL_WELL: u8 = 0;
/// The work is done, and some documents need a person: invalid, refused, in conflict, forged.
pub const NEEDS_PERSON: u8 = 1;
/// The command line, the configuration, the credentials or a file is not as it should be.
pub const USAGE: u8 = 2;
/// The portal or the provider cannot be reached; the work is kept for the next run.
pub const UNREACHABLE: u8 = 3;
/// Documents remain whose outcome is not known; the next run asks the portal about them.
pub const UNKNOWN_OUTCOMES: u8 = 4;
/// A fault of this program.
pub const OWN_FAULT: u8 = 70;

/// From the most urgent to the least.
const PRECEDENCE: [u8; 5] = [OWN_FAULT, USAGE, UNKNOWN_OUTCOMES, UNREACHABLE, NEEDS_PERSON];

/// The code to give when several hold. A code that is not in the contract counts as a fault of ours.
#[must_use]
pub fn most_urgent(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: u8| match code {
        ALL_WELL => PRECEDENCE.len(),
        _ => PRECEDENCE.iter().position(|known| *known == code).unwrap_or_default(),
    };
    let most = codes.into_iter().map(rank).min().unwrap_or(PRECEDENCE.len());
    PRECEDENCE.get(most).copied().unwrap_or(ALL_WELL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_code_wins_in_any_order() {
        assert_eq!(most_urgent([]), ALL_WELL);
        assert_eq!(most_urgent([ALL_WELL, NEEDS_PERSON]), NEEDS_PERSON);
        assert_eq!(most_urgent([NEEDS_PERSON, UNREACHABLE]), UNREACHABLE);
        assert_eq!(most_urgent([UNREACHABLE, UNKNOWN_OUTCOMES]), UNKNOWN_OUTCOMES);
        assert_eq!(most_urgent([UNKNOWN_OUTCOMES, USAGE]), USAGE);
        assert_eq!(most_urgent([OWN_FAULT, USAGE, NEEDS_PERSON]), OWN_FAULT);
        assert_eq!(most_urgent([NEEDS_PERSON, ALL_WELL, OWN_FAULT]), OWN_FAULT);
    }

    #[test]
    fn a_code_outside_the_contract_is_a_fault_of_ours() {
        assert_eq!(most_urgent([9]), OWN_FAULT);
    }
}
