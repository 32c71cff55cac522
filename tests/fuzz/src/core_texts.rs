//! Texts that the core reads by their meaning: values of cells and columns, rules, formulas, e-way bill requests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use einvoice_core::date::{DocumentDate, FinancialYear, PortalTime};
use einvoice_core::document::{
    BuyerDtls, ContrDtls, DispDtls, DocDtls, EwbDtls, ExpDtls, Item, Member, MemberPath, PayDtls, PrecDocDtls,
    SellerDtls, ShipDtls, TranDtls, ValDtls,
};
use einvoice_core::ewb::document::EwbRequest;
use einvoice_core::identifier::{Gstin, HsnCode, StateCode};
use einvoice_core::mapping::{Mapping, MappingConfig, Names, Rule, TableRecord, Tree, TreeRecord};
use einvoice_core::number::{Amount, Quantity, Rate, UnitPrice, Whole};
use einvoice_core::source::MappedDocument;
use einvoice_core::spelling::{countries, states, units};

use super::says;

/// Longest text that is put into a cell: what is longer makes runs slow and finds nothing more.
const CELL_BYTES_MAX: usize = 4096;

/// Every member that a rule can set, with a mapping that sets it from the field `v`.
static MEMBERS: LazyLock<Vec<(MemberPath, Mapping)>> = LazyLock::new(|| {
    fn of(section: &str, members: impl Iterator<Item = &'static Member>) -> Vec<MemberPath> {
        members.filter_map(|member| MemberPath::parse(&format!("{section}.{}", member.name)).ok()).collect()
    }
    let paths = [
        of("TranDtls", TranDtls::members()),
        of("DocDtls", DocDtls::members()),
        of("SellerDtls", SellerDtls::members()),
        of("BuyerDtls", BuyerDtls::members()),
        of("DispDtls", DispDtls::members()),
        of("ShipDtls", ShipDtls::members()),
        of("ItemList", Item::members()),
        of("ValDtls", ValDtls::members()),
        of("PayDtls", PayDtls::members()),
        of("ExpDtls", ExpDtls::members()),
        of("EwbDtls", EwbDtls::members()),
        of("RefDtls.PrecDocDtls", PrecDocDtls::members()),
        of("RefDtls.ContrDtls", ContrDtls::members()),
    ];
    paths.into_iter().flatten().map(|path| (path.clone(), mapping(path.as_str(), "v".into()))).collect()
});

/// A mapping of one rule, with nothing computed.
fn mapping(path: &str, rule: Rule) -> Mapping {
    let mut config = MappingConfig::default();
    config.set = BTreeMap::from([(path.to_owned(), rule)]);
    config.complete = Some(false);
    Mapping::new(&MappingConfig::default(), &config, Names::Folded).expect("the rule is a good one")
}

fn record(text: &str) -> TableRecord {
    let mut record = TableRecord::default();
    record.lines = vec![BTreeMap::from([("v".to_owned(), text.to_owned())])];
    record.head = BTreeMap::from([("v".to_owned(), text.to_owned())]);
    record
}

fn mapped(mapping: &Mapping, text: &str) -> MappedDocument {
    let mapped = mapping.map(&record(text)).expect("no rule passes it over");
    mapped.findings.iter().for_each(says);
    mapped
}

/// The first byte chooses a member, the rest is what a cell says: read as something, and that is read as itself again.
/// Then the text as each of the types that texts are read as.
pub fn values(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if text.len() > CELL_BYTES_MAX {
        return;
    }
    let (path, mapping) = &MEMBERS[usize::from(*choice) % MEMBERS.len()];
    let shown = mapped(mapping, text).invoice.shown(path, 0);
    // What stands behind the apostrophe of a spreadsheet may be another one, which is then text.
    if let Some(shown) = shown.filter(|shown| !shown.starts_with(['\'', '='])) {
        let again = mapped(mapping, &shown).invoice.shown(path, 0);
        assert_eq!(again.as_deref(), Some(shown.as_str()), "{} of {text:?}", path.as_str());
    }
    numbers(text);
    if let Ok(date) = DocumentDate::parse(text) {
        assert_eq!((DocumentDate::parse(&date.to_string()), date.to_string().as_str()), (Ok(date), text));
    }
    if let Some(time) = PortalTime::parse_any(text) {
        assert_eq!(PortalTime::parse(&time.to_string()), Ok(time), "{text:?}");
    }
    if let Ok(year) = FinancialYear::parse(text) {
        assert_eq!(year.to_string(), text);
    }
    if let Some(state) = states::code(text) {
        let name = states::name(state).map(states::code);
        assert!(name.is_none_or(|again| again == Some(state)), "{text:?}");
    }
    let unit = units::from_name(text).or_else(|| units::from_reporting(text));
    assert_eq!(unit.and_then(units::from_name), unit, "{text:?}");
    assert!(countries::code(text).is_none_or(|code| code.len() == 2));
    if let Ok(gstin) = Gstin::parse(text) {
        assert_eq!(Gstin::parse(gstin.as_str()), Ok(gstin));
    }
    let _hsn = HsnCode::parse(text);
    let _state = StateCode::parse(text);
}

/// What is read as a number is written and read again as the same.
fn numbers(text: &str) {
    macro_rules! same_again {
        ($($number:ty),*) => {$(
            if let Ok(number) = <$number>::parse(text) {
                assert_eq!(<$number>::parse(&number.to_string()), Ok(number), "{text:?}");
                let mut written = Vec::new();
                number.write(&mut written);
                assert_eq!(<$number>::parse(&String::from_utf8_lossy(&written)), Ok(number), "{text:?}");
            }
        )*};
    }
    same_again!(Amount, Quantity, Rate, UnitPrice, Whole);
}

/// A text as a formula: refused with its place, or computed or not without harm.
pub fn formula(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let rule = Rule::Table(Box::new(serde_json::from_value(serde_json::json!({ "formula": text })).expect("a rule")));
    let mut config = MappingConfig::default();
    config.set = BTreeMap::from([("ItemList.TotAmt".to_owned(), rule)]);
    config.complete = Some(false);
    match Mapping::new(&MappingConfig::default(), &config, Names::Exact) {
        Ok(mapping) => {
            let mut record = TableRecord::default();
            let line = [("a", "3"), ("b", "1,23,456.789"), ("c", "words"), ("big", "79228162514264337593543950335")];
            record.lines = vec![line.map(|(name, value)| (name.to_owned(), value.to_owned())).into()];
            let mapped = mapping.map(&record).expect("no rule passes it over");
            mapped.findings.iter().for_each(|finding| assert!(!finding.message.is_empty()));
        }
        Err(error) => assert!(error.to_string().starts_with("set.\"ItemList.TotAmt\": "), "{error}"),
    }
}

/// A text as the rules of an integrator: refused with the place, or applied to a tree and to a table.
pub fn mapping_rules(bytes: &[u8]) {
    static TREE: LazyLock<TreeRecord<'static>> = LazyLock::new(|| {
        let document = r#"{"no": "A/1", "on": "05/11/2026", "total": "1,180.00", "to": {"gst": "27AABCT4432C1ZQ"},
            "lines": [{"qty": "2", "rate": 500, "hsn": "8481", "taxes": [{"cat": "IGST", "percent": "18%"}]}]}"#;
        TreeRecord::new(Tree::from_json(document).expect("JSON"), "lines")
    });
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = toml::from_str::<MappingConfig>(text) else { return };
    for (names, record) in [(Names::Exact, None), (Names::Folded, Some(record("12")))] {
        match Mapping::new(&MappingConfig::default(), &config, names) {
            Ok(mapping) => {
                assert!(mapping.fields().count() <= text.len());
                let found = match &record {
                    Some(record) => mapping.map(record),
                    None => mapping.map(&*TREE),
                };
                if let Ok(mapped) = found {
                    mapped.findings.iter().for_each(|finding| assert!(!finding.message.is_empty()));
                }
            }
            Err(error) => assert!(!error.reason.is_empty()),
        }
    }
}

/// The text between reading and mapping of tables, columns and sheets: kept and read again as the same.
pub fn database_record(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(record) = TableRecord::parse(text) {
        let again = TableRecord::parse(&record.to_content()).expect("what was kept is read");
        assert_eq!(again, record);
    }
}

/// A request for an e-way bill: read or refused, written, and read again as the same.
pub fn ewb_request(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = EwbRequest::from_json(text) else { return };
    read.findings.iter().for_each(says);
    let written = read.request.to_json();
    let again = EwbRequest::from_json(&written).expect("what was written is read");
    assert_eq!(again.request.to_json(), written);
    assert_eq!(read.request.differences(&again.request), []);
}
