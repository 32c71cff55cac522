//! From the command line to a person's decision on documents, and in what words it is asked and refused.

use einvoice_core::ewb::EwbNumber;
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::{Decision, ReadByHand};
use einvoice_core::operation::EwayBill;

use crate::arguments::Resolve;
use crate::error::CliError;

/// What was decided, if anything.
pub(super) fn decision(arguments: &Resolve) -> Result<Option<Decision>, CliError> {
    let reason = || arguments.reason.clone().unwrap_or_default();
    let of_a_job = arguments.done || arguments.not_done || arguments.drop;
    let of_a_document = arguments.adopt || arguments.not_there || arguments.registered || arguments.ask_again;
    // What is required stays so where it excludes something that was given, which a command line parser waives.
    if of_a_job && arguments.job.is_none() {
        return Err(CliError::Usage(
            "--done, --not-done and --drop are said of a job: name it with --job ID".to_owned(),
        ));
    }
    if of_a_document && arguments.keys.is_empty() {
        let text = "--adopt, --ask-again, --not-there and --registered are said of documents: name them by their keys";
        return Err(CliError::Usage(text.to_owned()));
    }
    Ok(if arguments.adopt {
        Some(Decision::Adopt { reason: reason() })
    } else if arguments.not_there {
        Some(Decision::NotThere { reason: reason() })
    } else if arguments.registered {
        Some(Decision::Registered { read: Box::new(read(arguments)?), reason: reason() })
    } else if arguments.ask_again {
        let reason = arguments.reason.clone().unwrap_or_else(|| "asked for on the command line".to_owned());
        Some(Decision::AskAgain { reason })
    } else {
        None
    })
}

/// The registration that a person read.
fn read(arguments: &Resolve) -> Result<ReadByHand, CliError> {
    if arguments.keys.len() > 1 {
        return Err(CliError::Usage(
            "an acknowledgement belongs to one document: name one with --registered".to_owned(),
        ));
    }
    let seen = &arguments.seen;
    let (Some(ack_no), Some(ack_date)) = (&seen.ack_no, seen.ack_date) else {
        return Err(CliError::Usage("--registered needs --ack-no and --ack-date".to_owned()));
    };
    let mut read = ReadByHand::new(ack_no, ack_date).map_err(|error| CliError::Usage(format!("--ack-no: {error}")))?;
    if seen.cancelled {
        read = read.cancelled(Cancellation { at: seen.at, reason: None, remark: None });
    }
    if let Some(number) = seen.ewb {
        let date = seen.at.filter(|_| !seen.cancelled);
        read = read.with_ewb(EwayBill { number: EwbNumber::to_string(&number), date, valid_till: seen.valid_till });
    }
    Ok(read)
}

/// What is asked before it is stored.
pub(super) fn question(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Adopt { .. } => {
            Some("Take the portal's registration for that of this document, differences and all?".to_owned())
        }
        Decision::NotThere { .. } => {
            Some("Have these documents sent again? If the portal has them, they are doubled there.".to_owned())
        }
        Decision::Registered { read, .. } => Some(format!(
            "Keep it as {}, acknowledgement {} of {}? Nothing proves these but your word.",
            if read.cancellation.is_some() { "registered and cancelled" } else { "registered" },
            read.ack_no,
            read.ack_date
        )),
        _ => None,
    }
}

/// For what a decision is there.
pub(super) const fn room(decision: &Decision) -> &'static str {
    match decision {
        Decision::Adopt { .. } => "only a conflict whose registration is on record can be adopted",
        Decision::NotThere { .. } => {
            "this can be said only of an unknown document that asking proves nothing about any more, and not of one \
             that is registered for certain"
        }
        Decision::Registered { .. } => {
            "an acknowledgement can be entered only for an unknown document that asking proves nothing about any more, \
             and not with a date that is still to come"
        }
        _ => "only a conflict or an unknown document is asked about again",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parsed(arguments: &[&str]) -> Result<Option<Decision>, String> {
        let all = ["einvoice", "resolve"].iter().chain(arguments);
        match Arguments::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Resolve(resolve) => decision(&resolve).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_decision_names_its_document_and_its_reason() {
        assert_eq!(parsed(&[]).unwrap(), None);
        let adopt = parsed(&["A/1", "--adopt", "--reason", "same goods"]).unwrap();
        assert_eq!(adopt, Some(Decision::Adopt { reason: "same goods".into() }));
        assert!(matches!(parsed(&["A/1", "--ask-again"]), Ok(Some(Decision::AskAgain { .. }))));
        for wrong in [
            &["--adopt", "--reason", "r"][..],
            &["A/1", "--adopt"],
            &["A/1", "--not-there"],
            &["A/1", "--adopt", "--not-there", "--reason", "r"],
            &["A/1", "--done", "--reason", "r"],
            &["--job", "7", "--not-there", "--reason", "r"],
            &["--job", "7", "--done"],
            &["--job", "7", "A/1"],
            &["A/1", "--valid-till", "2026-11-05 10:00"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_acknowledgement_is_entered_for_one_document_with_number_and_date() {
        let given = ["--registered", "--ack-no", "112610000000001", "--ack-date", "2026-11-05 14:26", "--reason", "r"];
        let told = |keys: &[&str], more: &[&str]| parsed(&[keys, &given[..], more].concat());
        let Ok(Some(Decision::Registered { read, .. })) = told(&["A/1"], &["--ewb", "391009149369"]) else {
            panic!("{:?}", told(&["A/1"], &[]))
        };
        assert_eq!(
            (read.ack_no.as_str(), read.ack_date.to_string().as_str()),
            ("112610000000001", "2026-11-05 14:26:00")
        );
        assert_eq!(read.ewb.map(|ewb| ewb.number), Some("391009149369".to_owned()));
        let Ok(Some(Decision::Registered { read, .. })) = told(&["A/1"], &["--cancelled"]) else { panic!("refused") };
        assert!(read.cancellation.is_some());
        assert!(told(&["A/1", "A/2"], &[]).unwrap_err().contains("one document"));
        assert!(parsed(&["A/1", "--registered", "--reason", "r"]).is_err());
        let letters = ["A/1", "--registered", "--ack-no", "X1", "--ack-date", "2026-11-05 14:26", "--reason", "r"];
        assert!(parsed(&letters).unwrap_err().contains("`X1` is no acknowledgement number"));
    }
}
