//! What a result is returned with, so that SAP finds the document again.

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{Field, Invoice};

/// Type, number and date of a document, and its fiscal year in India.
pub(crate) fn of_document(invoice: &Invoice) -> impl Iterator<Item = (String, String)> {
    let doc = &invoice.doc_dtls;
    let values = [
        ("DOC_TYP", shown(&doc.typ)),
        ("ODN", shown(&doc.no)),
        ("ODN_DATE", shown(&doc.dt)),
        ("GJAHR", doc.dt.get().map(fiscal_year)),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

/// The calendar year in which the fiscal year of a day begins, which is in April.
fn fiscal_year(date: DocumentDate) -> String {
    date.financial_year().start_year().to_string()
}

fn shown<T: std::fmt::Display>(field: &Field<T>) -> Option<String> {
    field.as_ref().map(ToString::to_string).or_else(|| field.malformed().map(|text| text.trim_matches('"').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_returned_with_its_number_date_and_fiscal_year() {
        let of = |day: &str| {
            let text = format!(r#"{{"DocDtls":{{"Typ":"INV","No":"A/1","Dt":"{day}"}}}}"#);
            of_document(&Invoice::from_json(&text).unwrap().invoice).map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(of("31/03/2026"), ["INV", "A/1", "31/03/2026", "2025"]);
        assert_eq!(of("01/04/2026"), ["INV", "A/1", "01/04/2026", "2026"]);
        assert_eq!(of("someday"), ["INV", "A/1", "someday"]);
    }
}
