//! The command line of what nobody knows: asking now, and taking a person's word where asking tells no more.

use clap::{ArgGroup, Args};
use einvoice_core::date::PortalTime;
use einvoice_core::ewb::{EwbNumber, TripSheetNumber};

use super::words;

/// Arguments of `resolve`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("decision").args(["adopt", "ask_again", "not_there", "registered", "done", "not_done", "drop"]),
    after_help = "A person's word counts where the portal tells no more: past the days for which it hands out what it \
                  registered. Without a decision `resolve` asks, and says what to look up and where. Times are those \
                  of India, as the portal shows them: `2026-11-05 14:26`."
)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line, at most one of the decisions on")]
pub struct Resolve {
    /// Document keys, numbers or IRNs [default: everything that is unknown or in conflict]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// A job instead of documents; `einvoice jobs` lists them
    #[arg(long, value_name = "ID", conflicts_with = "keys")]
    pub job: Option<i64>,
    /// Decide: the portal's registration is that of this document, differences and all
    #[arg(long, requires = "keys", requires = "reason")]
    pub adopt: bool,
    /// Decide: ask the portal again
    #[arg(long, requires = "keys")]
    pub ask_again: bool,
    /// Decide: the portal has nothing of this document, as you saw there; it may be sent again
    #[arg(long, requires = "keys", requires = "reason")]
    pub not_there: bool,
    /// Decide: the portal has registered this document, as you read there
    #[arg(long, requires = "keys", requires = "reason", requires = "ack_no", requires = "ack_date")]
    pub registered: bool,
    /// Decide: the portal did the step of the job, as you saw there
    #[arg(long, requires = "job", requires = "reason")]
    pub done: bool,
    /// Decide: the portal did not do the step of the job, as you saw there; it may be sent again
    #[arg(long, requires = "job", requires = "reason")]
    pub not_done: bool,
    /// Decide: nobody will find out; the job ends, and nothing is sent again
    #[arg(long = "drop", requires = "job", requires = "reason")]
    pub drop: bool,
    /// What was seen at the portal.
    #[command(flatten)]
    pub seen: SeenArguments,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Decide without asking
    #[arg(long)]
    pub yes: bool,
}

/// What a person saw at a portal.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::exhaustive_structs, reason = "what can be seen at a portal of these things")]
pub struct SeenArguments {
    /// With --registered: the acknowledgement number
    #[arg(long, value_name = "NUMBER", requires = "registered")]
    pub ack_no: Option<String>,
    /// With --registered: the acknowledgement date
    #[arg(long, value_name = "TIME", value_parser = time, requires = "registered")]
    pub ack_date: Option<PortalTime>,
    /// With --registered: the registration was cancelled since; --at says when
    #[arg(long, requires = "registered")]
    pub cancelled: bool,
    /// When it was done: the step of a job, the making of --ewb, the cancellation of --cancelled
    #[arg(long, value_name = "TIME", value_parser = time, requires = "decision")]
    pub at: Option<PortalTime>,
    /// Number of the e-way bill that was made
    #[arg(long, value_name = "NUMBER", value_parser = words::ewb_number, requires = "decision")]
    pub ewb: Option<EwbNumber>,
    /// End of the e-way bill's validity; left out while Part B is missing
    #[arg(long, value_name = "TIME", value_parser = time, requires = "decision")]
    pub valid_till: Option<PortalTime>,
    /// With --done: number of the trip sheet that was made
    #[arg(long, value_name = "NUMBER", value_parser = words::trip_sheet, requires = "done")]
    pub trip_sheet: Option<TripSheetNumber>,
    /// With --done: number of the group of vehicles that was made
    #[arg(long, value_name = "NUMBER", requires = "done")]
    pub group: Option<String>,
}

/// A moment as either portal shows it, with or without seconds.
fn time(text: &str) -> Result<PortalTime, String> {
    let text = text.trim();
    PortalTime::parse_any(text)
        .or_else(|| PortalTime::parse_any(&format!("{text}:00")))
        .ok_or_else(|| "write a time as YYYY-MM-DD HH:MM or DD/MM/YYYY HH:MM, as the portal shows it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_the_portals_show_it() {
        let wanted = PortalTime::parse("2026-11-05 14:26:00").unwrap();
        for text in ["2026-11-05 14:26:00", "2026-11-05 14:26", "05/11/2026 02:26:00 PM", " 05/11/2026 14:26 "] {
            assert_eq!(time(text), Ok(wanted), "{text}");
        }
        for wrong in ["", "2026-11-05", "14:26", "31/02/2026 10:00"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
