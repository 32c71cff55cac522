//! From an answer to an outcome: pure decisions, and the only place that makes them.
//!
//! The rule is one: `Registered` and `Refused` need proof, a document that was certainly not looked
//! at goes back to `Ready`, and everything else is `Unknown`.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::credential::CredentialError;
use crate::ledger::AttemptOutcome;
use crate::operation::OperationKind;
use crate::portal_code::{ErrorClass, PortalError};
use crate::transport::{TransportError, TransportMode};
use crate::usage::{RATE_LIMIT_PAUSE, gate_after};

/// The number of a cancelled registration can never be used again.
pub(super) const BURNT_CODE: &str = "2278";

/// A clear "there is no such document".
const NOT_THERE_CODE: &str = "2154";

/// "Not here": another site, a closed window, or nothing at all. Proves nothing by itself.
pub(super) const NOT_HERE_CODE: &str = "2148";

/// The signed copy is no longer handed out.
pub(super) const WINDOW_OVER_CODE: &str = "2283";

/// Registered through another portal.
pub(super) const ELSEWHERE_CODE: &str = "2295";

/// The registration was cancelled. In answer to a document it tells of an earlier registration, not of this one.
const CANCELLED_CODE: &str = "9999";

/// How long a GSTIN is left alone after a refusal that concerns its login.
pub(super) const AUTH_PAUSE: Duration = Duration::from_mins(15);

/// How long a GSTIN waits after an HTTP status alone spoke against its token in a call that writes: as long as the
/// question about that call, which may log in anew.
pub(super) const TOKEN_PAUSE: Duration = Duration::from_secs(30);

/// What a failed call asks for beside its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Nothing more.
    None,
    /// The way does not work at present.
    Unreachable,
    /// Leave this GSTIN alone for so long; it is not a fault of the document.
    PauseSupplier(Duration),
    /// Somebody has to mend configuration or credentials; leave this GSTIN alone meanwhile.
    Configuration,
}

/// Decides what a failed registration call means.
pub(super) fn conclude(error: &TransportError, now: Timestamp, settle_wait: Duration) -> (AttemptOutcome, Consequence) {
    let not_sent = || AttemptOutcome::NotSent { reason: error.to_string() };
    let (errors, info) = match error {
        TransportError::HeldBack { .. } => return (not_sent(), Consequence::PauseSupplier(RATE_LIMIT_PAUSE)),
        // Nothing left, or a login inside a call ended badly: the call itself was turned away at the door before.
        TransportError::NotSent { .. }
        | TransportError::Credential(CredentialError::Unreachable { .. })
        | TransportError::NoAnswer { changes_books: false, .. }
        | TransportError::BadAnswer { changes_books: false, .. } => {
            return (not_sent(), Consequence::Unreachable);
        }
        TransportError::Unsupported { .. } | TransportError::Credential(_) => {
            return (not_sent(), Consequence::Configuration);
        }
        TransportError::NoAnswer { .. } | TransportError::BadAnswer { .. } => {
            return (unknown(&error.to_string(), now, settle_wait, &[]), Consequence::Unreachable);
        }
        TransportError::Refused { operation, errors, info } => {
            if *operation != Some(OperationKind::GenerateIrn) {
                return (not_sent(), consequence_of(error));
            }
            (errors, info)
        }
    };
    if error.is_unproven() {
        return (left_open(error, later(now, settle_wait).unwrap_or(now)), consequence_of(error));
    }
    let class = match error.class().unwrap_or(ErrorClass::Unknown) {
        // It says that there is, or was, a registration: what became of it tells a question, at once.
        ErrorClass::Business if says(errors, CANCELLED_CODE) => {
            return (left_open(error, now), Consequence::None);
        }
        class => class,
    };
    let outcome = match class {
        class if turns_away(class) => not_sent(),
        ErrorClass::Validation
        | ErrorClass::Business
        | ErrorClass::Permission
        | ErrorClass::StateConflict
        | ErrorClass::TimeWindow
        | ErrorClass::TaxpayerBlocked
        | ErrorClass::NotFound
        | ErrorClass::WrongSystem
        | ErrorClass::Gold
        | ErrorClass::OfficerOnly => {
            AttemptOutcome::Refused { errors: errors.clone(), info: info.clone(), burnt: is_burnt(errors) }
        }
        // A named earlier registration stands: there is nothing to wait for before asking. Without
        // one it may be a like request still under way.
        ErrorClass::Duplicate if info.iter().any(|info| info.duplicate.is_some()) => left_open(error, now),
        _ => left_open(error, later(now, settle_wait).unwrap_or(now)),
    };
    (outcome, consequence_of(error))
}

/// Whether a refusal of this class is about the way and not about what was sent: nobody looked at that.
pub(super) const fn turns_away(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::TokenExpired
            | ErrorClass::Auth
            | ErrorClass::ClientConfig
            | ErrorClass::PayloadOrCrypto
            | ErrorClass::RateLimit
    )
}

/// A refusal that does not clear the outcome, with all it says.
fn left_open(error: &TransportError, ask_at: Timestamp) -> AttemptOutcome {
    let info = match error {
        TransportError::Refused { info, .. } => info.clone(),
        _ => Vec::new(),
    };
    AttemptOutcome::Unknown { reason: error.to_string(), ask_at, errors: said_of_the_call(error), info }
}

/// What a refusal that leaves the outcome open says of what was sent. Should the portal not have it, that is why; what is
/// said of the way is no reason to take it for refused.
pub(super) fn said_of_the_call(error: &TransportError) -> Vec<PortalError> {
    let is_of_the_way = error.class().is_none_or(turns_away);
    if is_of_the_way { Vec::new() } else { error.portal_errors().to_vec() }
}

/// An outcome that nobody knows, to be asked about after the settling wait.
pub(super) fn unknown(reason: &str, now: Timestamp, settle_wait: Duration, errors: &[PortalError]) -> AttemptOutcome {
    AttemptOutcome::Unknown {
        reason: reason.to_string(),
        ask_at: later(now, settle_wait).unwrap_or(now),
        errors: errors.to_vec(),
        info: Vec::new(),
    }
}

/// What a failed login or call asks for beside the outcome of a document.
pub(super) fn consequence_of(error: &TransportError) -> Consequence {
    match error {
        TransportError::HeldBack { .. } => Consequence::PauseSupplier(RATE_LIMIT_PAUSE),
        TransportError::Credential(CredentialError::Unreachable { .. }) => Consequence::Unreachable,
        TransportError::Credential(_) | TransportError::Unsupported { .. } => Consequence::Configuration,
        _ => match error.class() {
            Some(class @ ErrorClass::RateLimit) => {
                let codes = error.portal_errors().iter().map(|error| error.code.as_str());
                Consequence::PauseSupplier(gate_after(codes, class).unwrap_or(RATE_LIMIT_PAUSE))
            }
            // The question about it logs in anew where that is needed; until then nothing else is spent on the token.
            Some(ErrorClass::TokenExpired) if error.is_unproven() => Consequence::PauseSupplier(TOKEN_PAUSE),
            Some(
                ErrorClass::TokenExpired | ErrorClass::Auth | ErrorClass::ClientConfig | ErrorClass::PayloadOrCrypto,
            ) => Consequence::Configuration,
            None | Some(ErrorClass::Transient | ErrorClass::UpstreamTransient) => Consequence::Unreachable,
            Some(_) => Consequence::None,
        },
    }
}

/// Whether the portal itself says this code: a provider's own codes may be spelt like one of the portal's.
pub(super) fn says(errors: &[PortalError], code: &str) -> bool {
    errors.iter().any(|error| error.of_provider.is_none() && error.code == code)
}

/// Whether an answer proves that there is no such thing: by a code of the portal that says so for what was asked, or by a
/// word of the provider whose profile says that it means just this (`not_found`). An HTTP status proves nothing, as a wrong
/// address brings it too; nor does what a provider with an interface of its own says of itself, as it may have looked in its
/// own books or at another site.
pub(super) fn proves_absence(error: &TransportError, mode: TransportMode, is_portals: impl Fn(&str) -> bool) -> bool {
    let proves = |error: &PortalError| match error.of_provider {
        None => is_portals(&error.code),
        Some(class) => class == ErrorClass::NotFound && !error.by_status && mode != TransportMode::ProviderApi,
    };
    error.class() == Some(ErrorClass::NotFound) && error.portal_errors().iter().any(proves)
}

/// The same of a registration.
pub(super) fn proves_unregistered(error: &TransportError, mode: TransportMode) -> bool {
    proves_absence(error, mode, |code| code == NOT_THERE_CODE)
}

/// Whether the number can never be used again.
pub(super) fn is_burnt(errors: &[PortalError]) -> bool {
    says(errors, BURNT_CODE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::irn::Irn;
    use crate::operation::{DuplicateInfo, InfoDetail};

    const WAIT: Duration = Duration::from_secs(30);

    fn now() -> Timestamp {
        "2026-11-05T06:30:00Z".parse().unwrap()
    }

    fn refused(code: &str) -> TransportError {
        TransportError::Refused {
            operation: Some(OperationKind::GenerateIrn),
            errors: vec![PortalError::new(code, "text")],
            info: Vec::new(),
        }
    }

    fn outcome(error: &TransportError) -> AttemptOutcome {
        conclude(error, now(), WAIT).0
    }

    #[test]
    fn a_timeout_after_sending_is_unknown_and_asked_about_after_the_wait() {
        let error = TransportError::NoAnswer {
            endpoint: "p".into(),
            reason: "timed out".into(),
            changes_books: true,
            source: None,
        };
        let AttemptOutcome::Unknown { ask_at, .. } = outcome(&error) else { panic!("not unknown") };
        assert_eq!(Some(ask_at), later(now(), WAIT));
    }

    #[test]
    fn an_answer_that_is_none_of_the_portals_leaves_a_registration_open() {
        let page = |changes_books| TransportError::BadAnswer {
            endpoint: "p".into(),
            http_status: Some(502),
            reason: "an HTML page".into(),
            changes_books,
        };
        let AttemptOutcome::Unknown { ask_at, .. } = outcome(&page(true)) else { panic!("not unknown") };
        assert_eq!(Some(ask_at), later(now(), WAIT));
        assert!(matches!(outcome(&page(false)), AttemptOutcome::NotSent { .. }), "a login's answer");
    }

    #[test]
    fn a_duplicate_is_asked_about_at_once_only_when_the_earlier_registration_is_named() {
        let AttemptOutcome::Unknown { ask_at, .. } = outcome(&refused("2150")) else { panic!("not unknown") };
        assert_eq!(Some(ask_at), later(now(), WAIT), "a like request may still be under way");
        let named = InfoDetail {
            code: "DUPIRN".into(),
            description: String::new(),
            duplicate: Some(DuplicateInfo {
                irn: Irn::from_bytes([7; 32]),
                ack_no: None,
                ack_date: None,
                registered_by: None,
            }),
            errors: Vec::new(),
        };
        let mut error = refused("2150");
        if let TransportError::Refused { info, .. } = &mut error {
            info.push(named);
        }
        let AttemptOutcome::Unknown { ask_at, .. } = outcome(&error) else { panic!("not unknown") };
        assert_eq!(ask_at, now());
    }

    #[test]
    fn a_validation_code_is_a_refusal_and_a_burnt_number_is_marked() {
        assert!(matches!(outcome(&refused("2172")), AttemptOutcome::Refused { burnt: false, .. }));
        assert!(matches!(outcome(&refused("2278")), AttemptOutcome::Refused { burnt: true, .. }));
    }

    #[test]
    fn a_code_in_no_list_is_unknown_never_refused() {
        assert!(matches!(outcome(&refused("8888")), AttemptOutcome::Unknown { .. }));
    }

    #[test]
    fn a_block_for_too_many_calls_is_waited_out_longer_than_a_limit() {
        let pause = |code| conclude(&refused(code), now(), WAIT);
        for (code, minutes) in [("118", 5), ("658", 15)] {
            let (outcome, consequence) = pause(code);
            assert!(matches!(outcome, AttemptOutcome::NotSent { .. }), "{code}");
            assert_eq!(consequence, Consequence::PauseSupplier(Duration::from_mins(minutes)), "{code}");
        }
    }

    /// A refusal that no body speaks of.
    fn by_status(class: ErrorClass) -> TransportError {
        TransportError::Refused {
            operation: Some(OperationKind::GenerateIrn),
            errors: vec![PortalError::by_status(429, "a page", class)],
            info: Vec::new(),
        }
    }

    #[test]
    fn a_refusal_by_the_http_status_alone_leaves_a_registration_open_whatever_its_class() {
        for class in ErrorClass::ALL {
            let AttemptOutcome::Unknown { ask_at, errors, .. } = outcome(&by_status(class)) else {
                panic!("{class} is taken for proven")
            };
            assert_eq!(Some(ask_at), later(now(), WAIT), "{class}");
            // What is said of the way says nothing of the document, should the portal not have it.
            let is_of_the_way = turns_away(class);
            assert_eq!(errors.is_empty(), is_of_the_way, "{class}");
        }
        let told = PortalError::of_provider("Q1", "credits", ErrorClass::RateLimit);
        let mut said = by_status(ErrorClass::RateLimit);
        if let TransportError::Refused { errors, .. } = &mut said {
            *errors = vec![told];
        }
        assert!(matches!(outcome(&said), AttemptOutcome::NotSent { .. }), "the provider's own word proves it");
    }

    #[test]
    fn a_refusal_by_the_http_status_alone_still_stops_whom_it_concerns() {
        let consequence = |class| conclude(&by_status(class), now(), WAIT).1;
        assert_eq!(consequence(ErrorClass::RateLimit), Consequence::PauseSupplier(RATE_LIMIT_PAUSE));
        assert_eq!(consequence(ErrorClass::ClientConfig), Consequence::Configuration);
        // The question that follows makes the new login that this asks for.
        assert_eq!(consequence(ErrorClass::TokenExpired), Consequence::PauseSupplier(TOKEN_PAUSE));
    }

    #[test]
    fn only_a_clear_word_proves_that_nothing_is_registered() {
        let read = |error: PortalError| TransportError::Refused {
            operation: Some(OperationKind::GetIrnByDocument),
            errors: vec![error],
            info: Vec::new(),
        };
        let (gsp, own) = (TransportMode::Gsp, TransportMode::ProviderApi);
        let not_found = ErrorClass::NotFound;
        for (error, mode, proves) in [
            (PortalError::new("2154", ""), gsp, true),
            (PortalError::new("2154", ""), own, true),
            (PortalError::new("2148", ""), gsp, false),
            (PortalError::of_provider("E404", "no such document", not_found), gsp, true),
            (PortalError::of_provider("E404", "no such document", not_found), own, false),
            // The provider's own number, which it shares with the portal by chance.
            (PortalError::of_provider("2154", "no credits", ErrorClass::ClientConfig), gsp, false),
            (PortalError::of_provider("2154", "", ErrorClass::Unknown), gsp, false),
            (PortalError::by_status(404, "a page", not_found), gsp, false),
        ] {
            let told = format!("{error} {mode:?}");
            assert_eq!(proves_unregistered(&read(error), mode), proves, "{told}");
        }
    }

    #[test]
    fn a_refused_token_leaves_the_document_ready_and_asks_for_a_person() {
        let (outcome, consequence) = conclude(&refused("1005"), now(), WAIT);
        assert!(matches!(outcome, AttemptOutcome::NotSent { .. }));
        assert_eq!(consequence, Consequence::Configuration);
    }
}
