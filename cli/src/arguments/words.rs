//! The words of the command line: each is read once, and a wrong one is told with those there are.

use std::fmt::Display;

use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::{
    CancelReason, EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType, TripSheetNumber, VehicleType,
};
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::Irn;
use einvoice_core::job::JobState;
use einvoice_core::key::DocumentType;
use einvoice_core::number::Quantity;
use einvoice_core::state::DocumentState;

use super::{Filter, ListName};

/// Reads the reason of a cancellation. A number is refused, and the message says why.
pub(crate) fn reason(text: &str) -> Result<CancelReason, String> {
    let words = || listed(CancelReason::ALL.iter().map(|reason| reason.word()));
    CancelReason::parse(text).ok_or_else(|| {
        if text.trim().bytes().all(|byte| byte.is_ascii_digit()) && !text.trim().is_empty() {
            return format!(
                "a number does not say which reason is meant: 2 is a data entry mistake for the e-invoice system and \
                 an order cancelled for the e-way bill system, and 3 the other way round; write {}",
                words()
            );
        }
        format!("`{}` is no reason; write {}", text.trim(), words())
    })
}

/// How goods move; that they lie in transit is said by `--transit`.
pub(super) fn mode(text: &str) -> Result<TransMode, String> {
    let moving = [TransMode::Road, TransMode::Rail, TransMode::Air, TransMode::Ship];
    let parse = |text: &str| TransMode::parse(text).filter(|mode| moving.contains(mode));
    coded(text, "mode of transport", parse, &moving)
}

pub(super) fn vehicle_type(text: &str) -> Result<VehicleType, String> {
    coded(text, "kind of vehicle", VehicleType::parse, VehicleType::ALL)
}

pub(super) fn part_b_reason(text: &str) -> Result<PartBReason, String> {
    coded(text, "reason for a new Part B", PartBReason::parse, PartBReason::ALL)
}

pub(super) fn extension_reason(text: &str) -> Result<ExtensionReason, String> {
    coded(text, "reason for an extension", ExtensionReason::parse, ExtensionReason::ALL)
}

pub(super) fn transit(text: &str) -> Result<TransitType, String> {
    coded(text, "place in transit", TransitType::parse, TransitType::ALL)
}

pub(super) fn gstin(text: &str) -> Result<Gstin, String> {
    Gstin::parse(&text.trim().to_uppercase()).map_err(|error| error.to_string())
}

/// A GSTIN or TRANSIN, in capitals.
pub(super) fn transporter(text: &str) -> Result<String, String> {
    let text = text.trim().to_uppercase();
    if Gstin::parse(&text).is_ok() {
        return Ok(text);
    }
    Err("write the GSTIN or TRANSIN of 15 characters".to_owned())
}

/// A vehicle number as the portal takes it: capitals without blanks and hyphens.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a value parser")]
pub(super) fn vehicle(text: &str) -> Result<String, String> {
    Ok(text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect::<String>().to_uppercase())
}

pub(super) fn ewb_number(text: &str) -> Result<EwbNumber, String> {
    EwbNumber::parse(text).map_err(|error| error.to_string())
}

pub(super) fn trip_sheet(text: &str) -> Result<TripSheetNumber, String> {
    TripSheetNumber::parse(text).map_err(|error| error.to_string())
}

pub(super) fn irn(text: &str) -> Result<Irn, String> {
    Irn::parse(text.trim()).map_err(|error| error.to_string())
}

pub(super) fn document_type(text: &str) -> Result<DocumentType, String> {
    DocumentType::parse(text.trim()).ok_or_else(|| "write INV, CRN or DBN".to_owned())
}

pub(super) fn document_number(text: &str) -> Result<DocumentNumber, String> {
    DocumentNumber::parse(text).map_err(|error| error.to_string())
}

pub(super) fn date(text: &str) -> Result<DocumentDate, String> {
    super::day(text).map(DocumentDate::from)
}

pub(super) fn quantity(text: &str) -> Result<Quantity, String> {
    text.trim().parse::<Quantity>().map_err(|error| error.to_string())
}

/// A state by its GST code; 97 is other territory, 99 another country (e-way bill system).
pub(super) fn state(text: &str) -> Result<u8, String> {
    let code = text.trim().parse::<u8>().ok().filter(|code| matches!(code, 1..=38 | 97 | 99));
    code.ok_or_else(|| {
        "write the state's code, as in 29; `einvoice masters search NAME` finds it, 99 is another country".to_owned()
    })
}

/// A line of an address: one that is empty is none for the portal.
pub(super) fn address_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("a line of the address is empty".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn pin(text: &str) -> Result<u32, String> {
    let pin = text.trim().parse::<u32>().ok().filter(|pin| (100_000..=999_999).contains(pin));
    pin.ok_or_else(|| "a PIN code has six digits".to_owned())
}

/// A state by its name, as `--json` writes it or as tables do.
pub(crate) fn state_of_document(text: &str) -> Option<DocumentState> {
    DocumentState::from_name(&text.trim().replace([' ', '-'], "_"))
}

pub(super) fn job_state(text: &str) -> Result<JobState, String> {
    JobState::from_name(text.trim()).ok_or_else(|| {
        format!(
            "there is no state `{text}` of a job; the states are {}",
            listed(JobState::ALL.iter().map(|s| s.as_str()))
        )
    })
}

/// One condition on documents: `state=registered`, `source=head-office`, `text=A/1`.
pub(super) fn filter(text: &str) -> Result<Filter, String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim();
    match name.trim() {
        _ if value.is_empty() => Err("write state=STATE, source=NAME or text=PART".to_owned()),
        "state" => state_of_document(value)
            .map(Filter::State)
            .ok_or_else(|| format!("there is no state `{value}`; `einvoice status --help` tells more")),
        "source" => Ok(Filter::Source(value.to_owned())),
        "text" => Ok(Filter::Text(value.to_owned())),
        other => Err(format!("documents are not chosen by `{other}`; write state=, source= or text=")),
    }
}

/// A list of the portal: its name, and after `=` the maker's GSTIN or the state's code.
pub(super) fn list(text: &str) -> Result<ListName, String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let name = name.trim().replace('_', "-");
    let needed = || format!("write {name}=VALUE");
    match (name.as_str(), value) {
        ("own", None) => Ok(ListName::Own),
        ("for-transporter", None) => Ok(ListName::ForTransporter),
        ("of-other-party", None) => Ok(ListName::OfOtherParty),
        ("rejected-by-others", None) => Ok(ListName::RejectedByOthers),
        ("for-transporter-of", value) => Ok(ListName::ForTransporterOf(gstin(value.ok_or_else(needed)?)?)),
        ("for-transporter-in", value) => Ok(ListName::ForTransporterIn(state(value.ok_or_else(needed)?)?)),
        ("assigned-in", value) => Ok(ListName::AssignedIn(state(value.ok_or_else(needed)?)?)),
        _ => Err("the lists are own, for-transporter, for-transporter-of=GSTIN, for-transporter-in=STATE, \
                  assigned-in=STATE, of-other-party, rejected-by-others"
            .to_owned()),
    }
}

fn coded<T: Copy + Display>(text: &str, what: &str, parse: impl Fn(&str) -> Option<T>, all: &[T]) -> Result<T, String> {
    parse(&text.trim().replace('-', "_"))
        .ok_or_else(|| format!("`{}` is no {what}; write {}", text.trim(), listed(all.iter().map(ToString::to_string))))
}

/// Words with hyphens, as the command line writes them: `a, b or c`.
fn listed(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.as_ref().replace('_', "-")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_no_reason_and_the_message_says_that_the_two_systems_differ() {
        let told = reason("2").unwrap_err();
        assert!(told.contains("2 is a data entry mistake for the e-invoice system"), "{told}");
        assert!(told.contains("duplicate, data-entry-mistake, order-cancelled or others"), "{told}");
        assert_eq!(reason("order-cancelled"), Ok(CancelReason::OrderCancelled));
        assert_eq!(reason("Data Entry Mistake"), Ok(CancelReason::DataEntryMistake));
        assert!(reason("").unwrap_err().contains("no reason"));
    }

    #[test]
    fn words_are_read_with_hyphens_and_a_wrong_one_is_told_with_all_there_are() {
        assert_eq!(vehicle_type("over-dimensional"), Ok(VehicleType::OverDimensional));
        assert_eq!(mode("by car").unwrap_err(), "`by car` is no mode of transport; write road, rail, air or ship");
        assert!(mode("in-transit").is_err(), "--transit says so, with the kind of place and its address");
        assert_eq!(vehicle("ka 01-ab 1234").unwrap(), "KA01AB1234");
        assert_eq!(state("29"), Ok(29));
        assert!(state("0").is_err() && state("39").is_err() && state("Karnataka").is_err());
        assert!(pin("56001").is_err());
    }

    #[test]
    fn documents_are_chosen_by_state_source_and_text() {
        assert_eq!(filter("state=registered"), Ok(Filter::State(DocumentState::Registered)));
        assert_eq!(filter("text=A/1"), Ok(Filter::Text("A/1".into())));
        for wrong in ["", "state", "state=", "state=lost", "day=1"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_names_whom_it_is_about() {
        assert_eq!(list("own"), Ok(ListName::Own));
        assert_eq!(list("for_transporter_in=29"), Ok(ListName::ForTransporterIn(29)));
        assert!(list("for-transporter-in").unwrap_err().contains("for-transporter-in=VALUE"));
        assert!(list("all").unwrap_err().contains("of-other-party"));
    }
}
