//! The document itself: its date and age, its period, the documents before it, and who reports it.

use jiff::civil::{Date, date};

use crate::date::DocumentDate;
use crate::document::YesNo;

use super::{Sheet, table};

pub(super) fn check(sheet: &mut Sheet<'_>) {
    document_date(sheet);
    period(sheet);
    preceding_numbers(sheet);
    reported_by(sheet);
    igst_on_intra(sheet);
}

fn document_date(sheet: &mut Sheet<'_>) {
    let Some(date) = sheet.invoice.doc_dtls.dt.get() else { return };
    let reported = sheet.options.as_of;
    if date.date() > reported {
        let today = DocumentDate::from(reported);
        sheet.push(
            table::FUTURE
                .finding("DocDtls.Dt", format!("the document date {date} lies after the day of reporting {today}"))
                .with_found(date)
                .with_expected(format!("{today} or earlier"))
                .with_fix("Correct the date, or report the document on its day. The day is that of India."),
        );
    }
    let floor = sheet.options.settings.earliest_document_date;
    if date.date() < floor {
        let floor = DocumentDate::from(floor);
        sheet.push(
            table::FLOOR
                .finding(
                    "DocDtls.Dt",
                    format!("the document date {date} lies before {floor}, the earliest the portal takes"),
                )
                .with_found(date)
                .with_expected(format!("{floor} or later"))
                .with_fix("Correct the date. If the portal takes other dates now, set rules.earliest_document_date."),
        );
    }
    let days = date.date().until(reported).map_or(0, |span| span.get_days());
    if days > LAST_SURE_DAYS {
        age(sheet, date, days);
    }
}

/// Difference in days between document and report that every source allows: the advisory's example is a document of
/// 1 April, to be reported by 30 April.
pub(super) const LAST_SURE_DAYS: i32 = 29;

/// Turnover in crore rupees from which documents must be reported within 30 days, by the day of reporting (GSTN
/// advisories: 100 from 1 November 2023, 10 from 1 April 2025).
pub(super) fn reporting_threshold(reported: Date) -> u32 {
    if reported >= date(2025, 4, 1) { 10 } else { 100 }
}

fn age(sheet: &mut Sheet<'_>, date: DocumentDate, days: i32) {
    let threshold = reporting_threshold(sheet.options.as_of);
    let supplier = sheet.invoice.seller_dtls.gstin.get();
    let turnover = supplier.and_then(|supplier| sheet.options.settings.turnover_of(supplier));
    let (rule, known, fix) = match turnover {
        Some(crore) if crore < threshold => return,
        Some(crore) if days > LAST_SURE_DAYS + 1 => (
            &table::AGE,
            format!("the supplier's turnover is {crore} crore"),
            "The portal takes this document no more. Issue a new one with a present date and cancel this one in the \
             books, as your tax adviser says.",
        ),
        Some(crore) => (
            &table::AGE_LIMIT,
            format!("the supplier's turnover is {crore} crore"),
            "Report it at once; the sources do not agree on whether day 30 is still in time.",
        ),
        None => (
            &table::AGE_TURNOVER,
            "the supplier's turnover is not known".to_owned(),
            "Set rules.turnover_crore. From that turnover on the portal refuses the document.",
        ),
    };
    sheet.push(
        rule.finding(
            "DocDtls.Dt",
            format!(
                "the document of {date} is {days} days old, and {known}; from {threshold} crore on a document must \
                 be reported within 30 days"
            ),
        )
        .with_found(date)
        .with_expected(format!("a document at most {LAST_SURE_DAYS} days old"))
        .with_fix(fix),
    );
}

fn period(sheet: &mut Sheet<'_>) {
    let period = sheet.invoice.ref_dtls.as_ref().and_then(|references| references.doc_perd_dtls.as_ref());
    let days = period.and_then(|period| period.inv_st_dt.get().zip(period.inv_end_dt.get()));
    if let Some((start, end)) = days.filter(|(start, end)| start.date() > end.date()) {
        sheet.push(
            table::PERIOD
                .finding("RefDtls.DocPerdDtls.InvStDt", format!("the period begins on {start} and ends on {end}"))
                .with_found(start)
                .with_expected(format!("{end} or earlier"))
                .with_fix("Exchange the two dates, or correct them."),
        );
    }
}

/// The schema's pattern needs two characters where its length says one; the portal's mind is not known.
fn preceding_numbers(sheet: &mut Sheet<'_>) {
    let references = sheet.invoice.ref_dtls.iter().flat_map(|references| &references.prec_doc_dtls);
    for (index, reference) in references.enumerate() {
        if let Some(number) = reference.inv_no.as_ref().filter(|number| number.len() == 1) {
            sheet.push(
                table::PRECEDING
                    .finding(
                        format!("RefDtls.PrecDocDtls[{index}].InvNo"),
                        format!("the preceding document's number {number} has one character"),
                    )
                    .with_found(number)
                    .with_expected("2 to 16 characters")
                    .with_fix("Check the number; the portal may refuse one of a single character."),
            );
        }
    }
}

/// A supplier reports without `EcmGstin`; an operator that reports for it names itself there.
fn reported_by(sheet: &mut Sheet<'_>) {
    const PATH: &str = "TranDtls.EcmGstin";
    let given = sheet.invoice.tran_dtls.ecm_gstin.get();
    let supplier = sheet.invoice.seller_dtls.gstin.get();
    let operator = sheet.options.settings.reported_by.map(super::GstinText::gstin);
    match (operator.filter(|operator| Some(*operator) != supplier), given) {
        (None, None) => {}
        (None, Some(given)) => sheet.push(
            table::ECM_GIVEN
                .finding(PATH, format!("the supplier reports the document, and EcmGstin names the operator {given}"))
                .with_found(given)
                .with_expected("nothing")
                .with_fix("Leave EcmGstin out. If the operator itself reports, set rules.reported_by to its GSTIN."),
        ),
        (Some(operator), None) => sheet.push(
            table::ECM_MISSING
                .finding(PATH, format!("the e-commerce operator {operator} reports, and EcmGstin is missing"))
                .with_expected(operator)
                .with_fix("Give the operator's GSTIN as EcmGstin."),
        ),
        (Some(operator), Some(given)) => {
            if operator != given {
                sheet.push(
                    table::ECM_SENDER
                        .finding(PATH, format!("{operator} reports, and EcmGstin names {given}"))
                        .with_found(given)
                        .with_expected(operator)
                        .with_fix("Give the GSTIN of the operator that reports."),
                );
            }
            // The 14th character is C in registrations for tax collection at source.
            if given.as_str().as_bytes().get(13) != Some(&b'C') {
                sheet.push(
                    table::ECM_TCS
                        .finding(PATH, format!("{given} is no registration for tax collection at source"))
                        .with_found(given)
                        .with_expected("a GSTIN with C as 14th character")
                        .with_fix("Give the operator's TCS registration, not its regular one."),
                );
            }
        }
    }
}

fn igst_on_intra(sheet: &mut Sheet<'_>) {
    let transaction = &sheet.invoice.tran_dtls;
    let (igst, reverse) = (transaction.igst_on_intra.get(), transaction.reg_rev.get());
    if igst == Some(YesNo::Yes) && reverse != Some(YesNo::Yes) {
        sheet.push(
            table::IGST_ON_INTRA_REVERSE
                .finding("TranDtls.IgstOnIntra", "IgstOnIntra is Y, and reverse charge is not")
                .with_found("Y")
                .with_expected("reverse charge Y, or IgstOnIntra N")
                .with_fix("Check both; some portals ask for reverse charge with IGST on an intra-state supply."),
        );
    }
}
