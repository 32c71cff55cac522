//! Why something is not done: what, with which code, what to do, whose move it is.

use einvoice_core::environment::Product;
use einvoice_core::finding::Finding;
use einvoice_core::ledger::LedgerError;
use einvoice_core::plan::PlanRefused;
use einvoice_core::portal_code::{ErrorClass, PortalError, explain};
use einvoice_core::transport::{Owner, TransportError};
use serde::Serialize;

use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;

/// A refusal for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct Refusal {
    /// What stands against it, as a sentence.
    pub(in super::super) message: String,
    /// The portal's code, where there is one.
    pub(in super::super) code: Option<String>,
    /// What to do.
    pub(in super::super) fix: String,
    /// Whose move it is.
    pub(in super::super) owner: Owner,
}

impl Refusal {
    /// One of ours, without a code of the portal.
    pub(in super::super) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, fix: fix.into(), owner: Owner::Us }
    }

    /// Of something planned: the portal would have refused it.
    pub(in super::super) fn planned(refused: &PlanRefused, product: Product) -> Self {
        let code = refused.code.clone();
        let owner = code.as_deref().and_then(|code| explain(product, code)).map(|known| known.owner);
        Self {
            message: refused.message.clone(),
            code,
            fix: refused.fix.clone(),
            owner: owner.unwrap_or(Owner::Taxpayer),
        }
    }

    /// What findings amount to, if one of them is an error.
    pub(in super::super) fn findings(findings: &[Finding]) -> Option<Self> {
        let mut errors = findings.iter().filter(|finding| finding.is_error());
        let first = errors.next()?;
        let more = errors.count();
        let path = if first.path.is_empty() { String::new() } else { format!(" at {}", first.path) };
        let others = if more == 0 { String::new() } else { format!(", and {more} more") };
        Some(Self {
            message: format!("{}{path}{others}", first.message),
            code: first.code.as_ref().map(ToString::to_string),
            fix: first.fix.clone().unwrap_or_else(|| "Correct it and ask again.".to_owned()),
            owner: Owner::Taxpayer,
        })
    }

    /// Of a job that the ledger does not take; other failures of the ledger are not refusals.
    pub(in super::super) fn ledger(error: LedgerError) -> Result<Self, CliError> {
        let fix = match &error {
            LedgerError::JobUnderWay { job, .. } => {
                format!(
                    "Wait for it; `einvoice jobs {}` shows it, `einvoice jobs withdraw {}` takes it back.",
                    job.0, job.0
                )
            }
            LedgerError::IllegalMove { .. } => {
                "It changed in the meantime; `einvoice status` shows where it stands.".to_owned()
            }
            LedgerError::NoJob { .. } => "`einvoice jobs` lists those there are.".to_owned(),
            _ => return Err(error.into()),
        };
        let message = match &error {
            // Tasks and states are named as they are stored.
            LedgerError::JobUnderWay { .. } => error.to_string().replace('_', " "),
            _ => error.to_string(),
        };
        Ok(Self::new(message, fix))
    }

    /// Of a question that a portal answered with a no, or that could not be asked.
    pub(in super::super) fn asked(error: &TransportError, product: Product) -> Self {
        let first = error.portal_errors().first();
        let known = first.and_then(|first| explain(product, &first.code));
        let fix = known.map_or_else(|| advice(error), |known| known.remedy.to_owned());
        Self {
            // What a cause adds to these is the network library's wording of the same.
            message: error.to_string(),
            code: first.map(|first| first.code.clone()),
            fix,
            owner: known.map_or_else(|| error.owner(), |known| known.owner),
        }
    }

    /// Of a job that a portal refused.
    pub(in super::super) fn errors(message: &str, errors: &[PortalError], product: Product) -> Self {
        let first = errors.first();
        let known = first.and_then(|first| explain(product, &first.code));
        Self {
            message: message.to_owned(),
            code: first.map(|first| first.code.clone()),
            fix: known.map_or_else(
                || "`einvoice explain CODE` says what a code means.".to_owned(),
                |known| known.remedy.to_owned(),
            ),
            owner: known.map_or(Owner::Taxpayer, |known| known.owner),
        }
    }

    /// Tells people: the sentence, then code, remedy and whose move it is.
    pub(in super::super) fn show(&self, indent: usize, output: &mut Output) -> Result<(), CliError> {
        // A portal's own sentence begins with its code.
        let code = self.code.as_ref().filter(|code| !self.message.contains(code.as_str()));
        let code = code.map(|code| format!(" (code {code})")).unwrap_or_default();
        output.paragraph(indent, &format!("{}{code}", self.message))?;
        output.paragraph(indent, &format!("to do: {}", self.fix))?;
        output.paragraph(indent, &format!("whose move: {}", whose(self.owner)))
    }
}

/// The exit code that a failed question asks for: a no is for a person, everything else as ever.
pub(in super::super) fn code_of(error: &TransportError) -> u8 {
    match error {
        TransportError::HeldBack { .. } => exit_code::UNREACHABLE,
        error if error.is_unreachable() => exit_code::UNREACHABLE,
        TransportError::Refused { operation: Some(_), .. } => match error.class() {
            Some(
                ErrorClass::Auth | ErrorClass::ClientConfig | ErrorClass::PayloadOrCrypto | ErrorClass::TokenExpired,
            ) => exit_code::USAGE,
            _ => exit_code::NEEDS_PERSON,
        },
        _ => exit_code::USAGE,
    }
}

/// Whose move it is, in words.
pub(in super::super) const fn whose(owner: Owner) -> &'static str {
    match owner {
        Owner::Us => "yours, as whoever runs einvoice",
        Owner::Taxpayer => "the taxpayer's",
        Owner::Provider => "the provider's (GSP)",
        Owner::Portal => "the portal's",
    }
}

fn advice(error: &TransportError) -> String {
    einvoice_core::advice::on(error).map_or_else(
        || match error {
            TransportError::HeldBack { .. } => "Try again after that time.".to_owned(),
            TransportError::Unsupported { .. } => {
                "Configure a route that carries it, or name one with --route.".to_owned()
            }
            error if error.is_unreachable() => "Try again later; nothing was changed.".to_owned(),
            _ => "Mend what the message names, and ask again.".to_owned(),
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use einvoice_core::job::JobId;
    use einvoice_core::operation::OperationKind;

    use super::*;

    fn refused(operation: Option<OperationKind>, code: &str) -> TransportError {
        TransportError::Refused { operation, errors: vec![PortalError::new(code, "text")], info: Vec::new() }
    }

    #[test]
    fn a_no_to_a_question_is_for_a_person_and_a_refused_login_is_configuration() {
        assert_eq!(code_of(&refused(Some(OperationKind::GetIrn), "2154")), exit_code::NEEDS_PERSON);
        assert_eq!(code_of(&refused(None, "1019")), exit_code::USAGE);
        assert_eq!(code_of(&refused(Some(OperationKind::GetIrn), "5001")), exit_code::UNREACHABLE);
        assert_eq!(code_of(&TransportError::HeldBack { reason: "r".into() }), exit_code::UNREACHABLE);
        let unsupported = TransportError::Unsupported { operation: OperationKind::GetEwb };
        assert_eq!(code_of(&unsupported), exit_code::USAGE);
    }

    #[test]
    fn a_no_says_what_to_do_and_whose_move_it_is() {
        let refusal = Refusal::asked(&refused(Some(OperationKind::GetIrn), "2154"), Product::EInvoice);
        assert_eq!(refusal.code.as_deref(), Some("2154"));
        assert!(!refusal.fix.is_empty());
    }

    #[test]
    fn an_open_job_is_a_refusal_and_a_broken_ledger_is_none() {
        let under_way = LedgerError::JobUnderWay { job: JobId(7), what: "cancel IRN, sent".into() };
        assert!(Refusal::ledger(under_way).unwrap().fix.contains("einvoice jobs withdraw 7"));
        let broken = LedgerError::Damaged { ledger: "l".into(), reason: "r".into() };
        assert!(Refusal::ledger(broken).is_err());
    }
}
