//! Which vouchers are left alone: those of other books, and those that are not what was registered.

use einvoice_core::receipt::Receipt;
use einvoice_core::spelling;

use super::alteration::attribute;
use super::shown::Shown;
use crate::live::OpenCompany;

/// Length of the part of a GUID that names the company.
pub(super) const COMPANY_GUID: usize = 36;

/// Why a receipt is of another company; `None` where it is of this one.
pub(super) fn belongs_elsewhere(receipt: &Receipt, company: &OpenCompany, configured: &str) -> Option<String> {
    let own = attribute(receipt, "company").filter(|name| !spelling::same(name, configured));
    if let Some(name) = own {
        return Some(format!(
            "the voucher belongs to the company \"{name}\", and this target writes into \"{configured}\"; nothing was sent"
        ));
    }
    let guid = attribute(receipt, "guid")?;
    let books = guid.get(..COMPANY_GUID).zip(company.guid.as_deref());
    let (of_voucher, of_company) = books.filter(|_| guid.len() > COMPANY_GUID)?;
    (!of_voucher.eq_ignore_ascii_case(of_company)).then(|| {
        format!(
            "the voucher stands in other books of the same name (its GUID begins with {of_voucher}, the company's with {of_company}): \
             the year was split, or another copy is open; nothing was sent"
        )
    })
}

/// Whether a voucher's GUID is that of a record; a record that is named otherwise may be any.
pub(super) fn guid_fits(record: &str, guid: &str) -> bool {
    let is_guid = record.rsplit_once('-').is_some_and(|(company, _)| company.len() == COMPANY_GUID);
    !is_guid || record.eq_ignore_ascii_case(guid)
}

/// Why the voucher of a Master ID is not the one that was registered, or is not to be touched.
/// `names_irn` says whether the voucher names an IRN where a fallback puts it.
pub(super) fn is_another(
    receipt: &Receipt,
    shown: &Shown<'_>,
    id: u64,
    names_irn: impl Fn(&str) -> bool,
) -> Option<String> {
    let guid = attribute(receipt, "guid").unwrap_or(&receipt.reference.record_id);
    if !guid_fits(guid, shown.get("GUID")) {
        return Some(format!(
            "Master ID {id} is another voucher in these books (GUID {} instead of {guid}); nothing was sent",
            shown.get("GUID")
        ));
    }
    let irn = receipt.registration.as_ref().map(|found| found.irn.to_string()).unwrap_or_default();
    let stored = shown.get("IRN");
    if !stored.is_empty() && !stored.eq_ignore_ascii_case(&irn) {
        return Some(format!(
            "the voucher shows another IRN ({stored}); it was registered elsewhere, from Tally's own screen perhaps: \
             compare both and decide; nothing was sent"
        ));
    }
    if let Some(number) = attribute(receipt, "number").filter(|number| *number != shown.get("VOUCHERNUMBER")) {
        return Some(format!(
            "the voucher was registered as \"{number}\" and is called \"{}\" in Tally; give it its number back; nothing was sent",
            shown.get("VOUCHERNUMBER")
        ));
    }
    // Our own writing changes the number of change too, and shows itself by the IRN.
    let ours = !stored.is_empty() || names_irn(&irn);
    let read = attribute(receipt, "alter_id").map(str::trim).filter(|_| !ours);
    read.filter(|read| *read != shown.get("ALTERID").trim()).map(|read| {
        format!(
            "the voucher was changed in Tally after it was read (change {} instead of {read}), so nothing was written into it. A \
             source that reads this Tally reads it again in its next run; where the source reads exported files, export the \
             day of the voucher again",
            shown.get("ALTERID").trim()
        )
    })
}
