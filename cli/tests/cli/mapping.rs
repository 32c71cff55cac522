//! Mapping as configuration: every kind of rule, for every plugin that reads invoices and every form of its records.
//!
//! One list of rules is written for all of them; a plugin only says what its fields are called, and gives a record. That
//! the rules work is then seen as a user would see it: `einvoice test` holds.

use std::fmt::Write as _;
use std::path::Path;

use crate::{einvoice, folder};

/// What is asked of a field: as rules name it, and as formulas do.
struct Field {
    rule: &'static str,
    formula: &'static str,
}

const fn field(rule: &'static str) -> Field {
    Field { rule, formula: rule }
}

/// A form of records, with the fields of one of them.
struct Form {
    /// What it is, for messages.
    name: &'static str,
    /// What stands under `[[source]]` beside the mapping.
    settings: &'static str,
    /// Under which the mapping stands.
    mapping: &'static str,
    /// A note of the head, `Sent by road`.
    note: Field,
    /// How it is paid, `chq`.
    mode: Field,
    /// A field that is blank or not there.
    absent: Field,
    /// The item of the first line, `GV-25`.
    item: Field,
    /// Its unit, `Ea`.
    unit: Field,
    /// A ledger, account or material group, `Freight inward`.
    ledger: Field,
    /// Its quantity, 4.
    quantity: Field,
    /// The record of a case.
    record: String,
}

/// A record of a table.
const TABLE: &str = r#"
head = { "Note" = "Sent by road", "Paid By" = "chq" }
lines = [{ "Item" = "GV-25", "Uom" = "Ea", "Ledger" = "Freight inward", "How Many" = 4 }]
"#;

fn of_a_table(name: &'static str, settings: &'static str, mapping: &'static str) -> Form {
    Form {
        name,
        settings,
        mapping,
        note: field("Note"),
        mode: field("Paid By"),
        absent: field("Phone"),
        item: field("Item"),
        unit: field("Uom"),
        ledger: field("Ledger"),
        quantity: field("How Many"),
        record: TABLE.to_owned(),
    }
}

/// A voucher of Tally, with the little that the rules read.
const VOUCHER: &str = "<VOUCHER VCHTYPE=\"Sales\"><DATE>20261105</DATE><VOUCHERTYPENAME>Sales</VOUCHERTYPENAME>\
    <VOUCHERNUMBER>T/1</VOUCHERNUMBER><PARTYGSTIN>27AAQCS7719L1ZH</PARTYGSTIN><NARRATION>Sent by road</NARRATION><PAIDBY>chq</PAIDBY>\
    <PERSISTEDVIEW>Invoice Voucher View</PERSISTEDVIEW><ISINVOICE>Yes</ISINVOICE>\
    <ALLINVENTORYENTRIES.LIST><STOCKITEMNAME>GV-25</STOCKITEMNAME><UOM>Ea</UOM><COUNT>4</COUNT><AMOUNT>1000.00</AMOUNT>\
    <BILLEDQTY> 4 Ea</BILLEDQTY><ACCOUNTINGALLOCATIONS.LIST><LEDGERNAME>Freight inward</LEDGERNAME>\
    <AMOUNT>1000.00</AMOUNT></ACCOUNTINGALLOCATIONS.LIST></ALLINVENTORYENTRIES.LIST></VOUCHER>";

fn of_tally(name: &'static str, settings: &'static str) -> Form {
    Form {
        name,
        settings,
        mapping: "source.mapping",
        note: field("V/NARRATION"),
        mode: field("V/PAIDBY"),
        absent: field("V/PHONE"),
        item: field("I/STOCKITEMNAME"),
        unit: field("I/UOM"),
        ledger: field("I/ACCOUNTINGALLOCATIONS.LIST/LEDGERNAME"),
        quantity: Field { rule: "I/COUNT", formula: "[I/COUNT]" },
        record: format!("record = '''{VOUCHER}'''\n"),
    }
}

fn of_json(name: &'static str, settings: &'static str, lines: &str) -> Form {
    Form {
        name,
        settings,
        mapping: "source.mapping",
        note: field("more.note"),
        mode: field("more.paid"),
        absent: field("more.phone"),
        item: field("sku"),
        unit: field("uom"),
        ledger: field("ledger"),
        quantity: field("count"),
        record: format!(
            "record = '''{{\"more\": {{\"note\": \"Sent by road\", \"paid\": \"chq\"}}, \"{lines}\": [{{\"sku\": \"GV-25\", \
             \"uom\": \"Ea\", \"ledger\": \"Freight inward\", \"count\": 4}}]}}'''\n"
        ),
    }
}

/// An `IDoc` in XML, in a file as SAP writes it.
const IDOC: &str = r#"<INVOIC02><IDOC BEGIN="1">
<EDI_DC40 SEGMENT="1"><MANDT>100</MANDT><DOCNUM>0000000000182520</DOCNUM><DIRECT>1</DIRECT><IDOCTYP>INVOIC02</IDOCTYP><MESTYP>INVOIC</MESTYP></EDI_DC40>
<E1EDK01 SEGMENT="1"><CURCY>INR</CURCY><BSART>INVO</BSART><BELNR>0090000201</BELNR><ZTERM>chq</ZTERM></E1EDK01>
<E1EDK02 SEGMENT="1"><QUALF>009</QUALF><BELNR>KL/1</BELNR><DATUM>20261120</DATUM></E1EDK02>
<E1EDKT1 SEGMENT="1"><TDID>Z001</TDID><E1EDKT2 SEGMENT="1"><TDLINE>Sent by road</TDLINE></E1EDKT2></E1EDKT1>
<E1EDP01 SEGMENT="1"><POSEX>000010</POSEX><MENGE>4.000</MENGE><MENEE>Ea</MENEE><MATKL>Freight inward</MATKL>
<E1EDP19 SEGMENT="1"><QUALF>002</QUALF><IDTNR>GV-25</IDTNR></E1EDP19></E1EDP01>
<E1EDS01 SEGMENT="1"><SUMID>010</SUMID><SUMME>1000.00</SUMME></E1EDS01>
</IDOC></INVOIC02>
"#;

fn forms() -> Vec<Form> {
    vec![
        of_a_table("spreadsheet", "plugin = \"spreadsheet\"\npath = \"inbox\"", "source.mapping"),
        of_a_table("database", "plugin = \"database\"\nurl = \"sqlite:none.db\"", "source.mapping"),
        of_a_table("sap-file, rows", "plugin = \"sap-file\"\npath = \"inbox\"", "source.csv.mapping"),
        of_json(
            "json-file, mapped",
            "plugin = \"json-file\"\npath = \"*.json\"\nformat = \"mapped\"\nlines = \"rows\"",
            "rows",
        ),
        of_json("json-file, INV-01", "plugin = \"json-file\"\npath = \"*.json\"", "ItemList"),
        of_tally("tally, files", "plugin = \"tally\"\npath = \"*.xml\""),
        of_tally(
            "tally, live",
            "plugin = \"tally\"\nurl = \"http://127.0.0.1:9\"\ncompany = \"Deccan\"\nfrom = \"2026-04-01\"",
        ),
        Form {
            name: "sap-file, IDocs",
            settings: "plugin = \"sap-file\"\npath = \"inbox\"",
            mapping: "source.mapping",
            note: field("E1EDKT2.TDLINE"),
            mode: field("E1EDK01.ZTERM"),
            absent: field("E1EDKA1[RE].TELF1"),
            item: field("E1EDP19[002].IDTNR"),
            unit: field("E1EDP01.MENEE"),
            ledger: field("E1EDP01.MATKL"),
            quantity: field("E1EDP01.MENGE"),
            record: "file = \"order.xml\"\n".to_owned(),
        },
    ]
}

/// The rules, each with the member that it sets and what is to stand there.
fn rules(form: &Form) -> Vec<(&'static str, String, &'static str, &'static str)> {
    let Form { note, mode, absent, item, unit, ledger, quantity, .. } = form;
    let quantity =
        if quantity.formula.contains(' ') { format!("[{}]", quantity.formula) } else { quantity.formula.to_owned() };
    vec![
        ("a field by another name", format!("\"{}\"", note.rule), "RefDtls.InvRm", "Sent by road"),
        ("a constant", "{ value = \"Deccan Valves\" }".to_owned(), "PayDtls.Nm", "Deccan Valves"),
        (
            "a default",
            format!("{{ from = \"{}\", default = \"9900000000\" }}", absent.rule),
            "BuyerDtls.Ph",
            "9900000000",
        ),
        ("a lookup table", format!("{{ from = \"{}\", table = \"modes\" }}", mode.rule), "PayDtls.Mode", "Cheque"),
        (
            "an alias of a unit",
            format!("{{ from = \"{}\", table = \"units\", keep = true }}", unit.rule),
            "ItemList.Unit",
            "NOS",
        ),
        (
            "the HSN of an item",
            format!("[\"{}\", {{ from = \"{}\", table = \"hsn\" }}]", absent.rule, item.rule),
            "ItemList.HsnCd",
            "84818030",
        ),
        ("what a ledger is", format!("{{ from = \"{}\", table = \"ledgers\" }}", ledger.rule), "ItemList.IsServc", "Y"),
        ("arithmetic", format!("{{ formula = \"{quantity} * 2.5 + 0.25\" }}"), "ItemList.OthChrg", "10.25"),
    ]
}

const TABLES: &str = r#"
modes = { "CHQ" = "Cheque" }
units = { "ea" = "NOS" }
hsn = { "gv 25" = "84818030" }
ledgers = { "Freight Inward" = "Y", "Sales" = "N" }
"#;

/// The configuration of a form, and a case for each rule.
fn written(form: &Form, at: &Path) {
    let rules = rules(form);
    let mut configuration = format!("[[source]]\nname = \"books\"\n{}\n\n[{}.set]\n", form.settings, form.mapping);
    let mut cases = "source = \"books\"\nas_of = \"2026-11-22\"\n".to_owned();
    for (kind, rule, member, value) in &rules {
        writeln!(configuration, "\"{member}\" = {rule}").unwrap();
        let placed = member.replace("ItemList.", "ItemList[0].");
        let record = &form.record;
        write!(cases, "\n[[case]]\nname = \"{kind}\"\n{record}expect.members = {{ \"{placed}\" = \"{value}\" }}\n")
            .unwrap();
    }
    write!(configuration, "\n[{}.tables]{TABLES}", form.mapping).unwrap();
    std::fs::write(at.join("einvoice.toml"), configuration).unwrap();
    std::fs::create_dir(at.join("cases")).unwrap();
    std::fs::write(at.join("cases/rules.toml"), cases).unwrap();
    std::fs::write(at.join("cases/order.xml"), IDOC).unwrap();
}

#[test]
fn every_kind_of_rule_works_for_every_form_of_records() {
    let mut wrong = String::new();
    for form in forms() {
        let directory = folder();
        written(&form, directory.path());
        let tested = einvoice(directory.path(), &["test"]);
        if tested.code != 0 {
            writeln!(wrong, "{}: exit code {}\n{}{}", form.name, tested.code, tested.out, tested.err).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
