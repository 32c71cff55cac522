//! What the control record must say before anything else is believed.

use einvoice_core::finding::Finding;

use crate::config::ControlConfig;
use crate::idoc::Idoc;

/// What to do about an `IDoc` that came to the wrong place.
const ROUTE: &str = "Correct the distribution model or partner profile in SAP, or let another source read this.";
/// Digits of the number of an `IDoc`.
const NUMBER: usize = 16;

/// All that is wrong with a control record.
pub(crate) fn check(idoc: &Idoc<'_>, wanted: &ControlConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut must = |field: &str, holds: bool, message: &str, expected: &dyn Fn() -> String, fix: &str| {
        if !holds {
            let found = idoc.control(field);
            findings.push(
                Finding::error("idoc.control_record", "", format!("EDI_DC40.{field}: {message}"))
                    .with_found(if found.is_empty() { "nothing" } else { found })
                    .with_expected(expected())
                    .with_fix(fix),
            );
        }
    };
    let number = idoc.control("DOCNUM");
    let is_number = number.len() <= NUMBER && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    must(
        "DOCNUM",
        is_number,
        "there is no IDoc number",
        &|| "up to 16 digits".to_owned(),
        "Send the IDoc again, unchanged.",
    );
    let mut one_of = |field: &str, list: &[String], message: &str, may_be_any: bool| {
        let holds = may_be_any && list.is_empty() || list.iter().any(|word| word == idoc.control(field));
        must(field, holds, message, &|| list.join(" or "), ROUTE);
    };
    one_of("MESTYP", &wanted.message_types, "this is no invoice", false);
    one_of("IDOCTYP", &wanted.idoc_types, "the IDoc type is not read here", false);
    one_of("MANDT", &wanted.clients, "it comes from a client that is not expected here", true);
    one_of("SNDPRN", &wanted.senders, "it comes from a sender that is not expected here", true);
    let is_outbound = wanted.accept_inbound || idoc.control("DIRECT") == "1";
    must(
        "DIRECT",
        is_outbound,
        "it is not on its way out of SAP",
        &|| "1".to_owned(),
        "Let this source read outbound IDocs only, or set `control.accept_inbound = true`.",
    );
    let is_real = wanted.accept_test || matches!(idoc.control("TEST"), "" | "0");
    must(
        "TEST",
        is_real,
        "it is marked as a test, and what is registered counts",
        &|| "blank".to_owned(),
        "Clear the test flag in the partner profile, or set `control.accept_test = true` for a source of a test system.",
    );
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(control: &str, wanted: &ControlConfig) -> Vec<String> {
        let text = format!("0 EDI_DC40 0\t{}", control.replace(' ', "\t"));
        check(&Idoc::parse(&text).unwrap(), wanted).iter().map(|finding| finding.message.clone()).collect()
    }

    #[test]
    fn each_field_that_matters_is_checked_and_all_findings_come_at_once() {
        let good = "MANDT=100 DOCNUM=0000000000182520 DIRECT=1 IDOCTYP=INVOIC02 MESTYP=INVOIC SNDPRN=PRD";
        let defaults = ControlConfig::default();
        assert!(said(good, &defaults).is_empty());
        for (from, to, wanted) in [
            ("DOCNUM=0000000000182520", "DOCNUM=X1", "DOCNUM"),
            ("DOCNUM=0000000000182520 ", "", "DOCNUM"),
            ("=INVOIC ", "=ORDERS ", "MESTYP"),
            ("INVOIC02", "ORDERS05", "IDOCTYP"),
            ("DIRECT=1", "DIRECT=2", "DIRECT"),
            ("DIRECT=1", "DIRECT=1 TEST=X", "TEST"),
        ] {
            let found = said(&good.replace(from, to), &defaults);
            assert!(matches!(found.as_slice(), [one] if one.contains(wanted)), "{found:?}");
        }
        let narrow =
            ControlConfig { clients: vec!["200".into()], senders: vec!["PRD".into()], ..ControlConfig::default() };
        assert!(matches!(said(good, &narrow).as_slice(), [one] if one.contains("MANDT")));
        let wide = ControlConfig { accept_test: true, accept_inbound: true, ..ControlConfig::default() };
        assert!(said(&good.replace("DIRECT=1", "DIRECT=2 TEST=X"), &wide).is_empty());
        assert_eq!(said("TABNAM=EDI_DC40", &defaults).len(), 4);
    }
}
