//! From one voucher to one INV-01 document.
//!
//! A plain function of the voucher's text, the masters and the settings. It reports everything it
//! finds at once, and for every value where it came from.

mod address;
mod class;
mod compute;
mod customer;
mod extras;
mod items;
mod ledgers;
mod overlay;
mod parties;
mod report;
mod seller;
mod totals;
mod voucher;

use std::collections::{BTreeMap, HashMap};

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{Field, Invoice, SupplyType, YesNo};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::{Gstin, StateCode};
use einvoice_core::key::DocumentType;
use einvoice_core::mapping::{Mapping, MappingError};
use einvoice_core::source::{Mapped, MappedDocument, Skip};
use jiff::civil::Date;

use self::class::Class;
use self::compute::LedgerTax;
use self::customer::Customer;
use self::overlay::VoucherRecord;
use self::report::Report;
use self::voucher::{Lines, Voucher};
use crate::config::{LedgerRole, TallySourceConfig, VoucherClass};
use crate::latest::Older;
use crate::lexical;
use crate::masters::Masters;
use crate::xml::Element;
use einvoice_core::spelling;
use einvoice_core::spelling::countries;
use einvoice_core::spelling::units;

/// Most ledger and item lines of a voucher; the portal takes 1,000 items.
const LINES_MAX: usize = 5000;
/// Longest stored lists of e-way bills, so that attributes stay small.
const EWAY_BILL_BYTES_MAX: usize = 16 * 1024;

/// The origin of a unit code that is another spelling of the unit's name.
const UNIT_ALIAS: &str = "a common name of the unit";
/// The origin of the unit code for anything else.
const UNIT_UNKNOWN: &str = "OTH, as the unit is in no list";

/// The settings, ready for looking things up by folded name.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: TallySourceConfig,
    rules: Option<Mapping>,
    voucher_types: HashMap<String, VoucherClass>,
    ledgers: HashMap<String, LedgerRole>,
    hsn: HashMap<String, String>,
    units: HashMap<String, String>,
}

impl Settings {
    /// Prepares a configuration.
    ///
    /// # Errors
    /// When a rule of its mapping cannot be used.
    pub(crate) fn new(config: TallySourceConfig) -> Result<Self, MappingError> {
        fn folded<T: Clone>(map: &BTreeMap<String, T>) -> HashMap<String, T> {
            map.iter().map(|(name, value)| (spelling::fold(name), value.clone())).collect()
        }
        Ok(Self {
            rules: overlay::rules(&config.mapping)?,
            voucher_types: folded(&config.voucher_types),
            ledgers: folded(&config.ledgers),
            hsn: folded(&config.hsn),
            units: folded(&config.units),
            config,
        })
    }

    fn voucher_class(&self, name: &str) -> Option<VoucherClass> {
        if self.voucher_types.is_empty() { None } else { self.voucher_types.get(&spelling::fold(name)).copied() }
    }

    fn ledger_role(&self, name: &str) -> Option<LedgerRole> {
        if self.ledgers.is_empty() { None } else { self.ledgers.get(&spelling::fold(name)).copied() }
    }

    fn hsn(&self, name: &str) -> Option<&str> {
        if self.hsn.is_empty() { None } else { self.hsn.get(&spelling::fold(name)).map(String::as_str) }
    }
}

/// What stands beside a voucher: the same for all of a file, or of a run.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// The masters that vouchers name.
    pub(crate) masters: Masters,
    /// The day in India on which they are read; unknown for a record that somebody wrote down.
    pub(crate) read_on: Option<Date>,
}

/// Everything the parts of the mapping look at.
#[derive(Debug)]
pub(crate) struct Context<'v> {
    pub(crate) voucher: &'v Voucher<'v>,
    pub(crate) masters: &'v Masters,
    pub(crate) settings: &'v Settings,
    pub(crate) doc_type: DocumentType,
    pub(crate) day: Option<DocumentDate>,
    pub(crate) seller_gstin: Option<(String, &'static str)>,
    pub(crate) buyer_gstin: Option<(String, &'static str)>,
    pub(crate) party: parties::Party<'v>,
    pub(crate) export: bool,
}

impl Context<'_> {
    /// The quantity code of a unit name, and where it came from.
    fn unit(&self, name: &str) -> (String, &'static str) {
        if let Some(code) = self.settings.units.get(&spelling::fold(name)) {
            return (code.to_uppercase(), "configuration `units`");
        }
        if let Some(code) = self.masters.reporting_unit(name).and_then(units::from_reporting) {
            return (code.to_owned(), "M:UNIT/GSTREPUOM");
        }
        match units::from_name(name) {
            Some(code) if code.eq_ignore_ascii_case(name.trim()) => (code.to_owned(), "the unit's name"),
            Some(code) => (code.to_owned(), UNIT_ALIAS),
            None => ("OTH".to_owned(), UNIT_UNKNOWN),
        }
    }

    /// Whether the nature of the transaction or the customer's registration says a word. The nature says more: a sale to an
    /// SEZ unit has been seen with the plain registration type `Regular`.
    fn is_said_to_be(&self, folded: &str) -> bool {
        let own = self.voucher.element.get("GSTREGISTRATIONTYPE");
        let kind = own.or_else(|| self.party.registration.and_then(|found| found.kind.as_deref()));
        self.voucher.natures().any(|nature| nature.contains(folded))
            || kind.is_some_and(|kind| spelling::fold(kind).contains(folded))
    }

    /// Whose books a person has to open, as words behind `in Tally`.
    fn in_books(&self) -> String {
        self.masters.company_name().map(|name| format!(" (company \"{name}\")")).unwrap_or_default()
    }

    fn seller_state(&self) -> Option<StateCode> {
        self.seller_gstin.as_ref().and_then(|(gstin, _)| Gstin::parse(gstin).ok()).and_then(|gstin| gstin.state())
    }
}

/// Maps the clean text of one voucher.
pub(crate) fn map(text: &str, place: &str, beside: &Beside, settings: &Settings) -> Mapped {
    let masters = &beside.masters;
    let element = match Element::parse(text) {
        Ok(element) if element.name() == "VOUCHER" => element,
        Ok(_) => {
            return unmappable("record", place, Finding::error("tally.not_a_voucher", "", "the record is no voucher"));
        }
        Err(reason) => {
            return unmappable(
                "voucher",
                place,
                Finding::error("tally.malformed_xml", "", format!("the voucher is no well-formed XML: {reason}")),
            );
        }
    };
    let voucher = Voucher::new(&element);
    if voucher.is_foreign_shape() {
        let finding = Finding::error("tally.unsupported_shape", "", "the voucher was written by a custom report, in a shape that is not Tally's own: other dates, nested amounts")
            .with_fix("Export the day book from Tally itself (Export, XML), with dependent masters.");
        return unmappable(&voucher.label, place, finding);
    }
    if element.children().len() > LINES_MAX {
        let finding = Finding::error(
            "tally.too_many_lines",
            "ItemList",
            format!("the voucher has more than {LINES_MAX} parts; the portal takes 1,000 items"),
        )
        .with_fix("Split the bill.");
        return unmappable(&voucher.label, place, finding);
    }
    let doc_type = match class::classify(&voucher, beside, settings) {
        Class::Document(doc_type) => doc_type,
        Class::Skip(skip) => return Mapped::Skipped(skip),
        Class::Unclear(finding) => return unmappable(&voucher.label, place, *finding),
    };
    let context = context(&voucher, masters, settings, doc_type);
    match customer::of(&context) {
        Customer::Consumer => Mapped::Skipped(Skip {
            label: voucher.label.clone(),
            reason: "b2c".to_owned(),
            message: "the customer has no GSTIN: a sale to a consumer is not registered".to_owned(),
        }),
        Customer::Unknown => Mapped::Skipped(customer::unknown(&context)),
        Customer::Identified => document(&context, place, None),
        Customer::WithoutGstin(finding) => document(&context, place, Some(*finding)),
    }
}

/// A voucher of which another export holds a later state.
pub(crate) fn passed_over(text: &str, older: &Older) -> Mapped {
    let label = Element::parse(text).map_or_else(|_| "voucher".to_owned(), |element| Voucher::new(&element).label);
    let message = format!("another export holds a later state of the voucher (change {})", older.later);
    Mapped::Skipped(Skip { label, reason: "older_state".to_owned(), message })
}

fn unmappable(label: &str, place: &str, finding: Finding) -> Mapped {
    Mapped::Unmappable { label: label.to_owned(), findings: vec![finding.with_place(format!("{place}, {label}"))] }
}

fn context<'v>(
    voucher: &'v Voucher<'v>,
    masters: &'v Masters,
    settings: &'v Settings,
    doc_type: DocumentType,
) -> Context<'v> {
    let element = voucher.element;
    let day = element.get("DATE").or_else(|| element.attribute("DATE")).and_then(lexical::date);
    let party = parties::Party::find(voucher.party_name, day, masters);
    let own = element.get("PARTYGSTIN").map(|gstin| (gstin.to_uppercase(), "V/PARTYGSTIN"));
    let by_master = || {
        party
            .registration
            .and_then(|found| found.gstin.as_ref())
            .map(|gstin| (gstin.to_uppercase(), "M:LEDGER/LEDGSTREGDETAILS.LIST/GSTIN"))
    };
    let buyer_gstin = own.or_else(by_master).filter(|(gstin, _)| gstin != "URP");
    let abroad = !countries::is_india(element.get("COUNTRYOFRESIDENCE"));
    let nature = voucher.natures().any(|nature| nature.starts_with("export") || nature.contains("exports"));
    let deemed = voucher.natures().any(|nature| nature.contains("deemed"));
    let export = abroad && buyer_gstin.is_none() || (nature && !deemed && buyer_gstin.is_none());
    let seller_gstin = seller::seller_gstin(element, masters, settings);
    Context { voucher, masters, settings, doc_type, day, seller_gstin, buyer_gstin, party, export }
}

/// The document of a voucher, with what is known to be wrong with its customer.
fn document(context: &Context<'_>, place: &str, customer: Option<Finding>) -> Mapped {
    let element = context.voucher.element;
    let mut report = Report::new(format!("{place}, {}", context.voucher.label));
    let lines = context.voucher.lines(context.doc_type, &mut report);
    let built = totals::build(context, &lines, &mut report);
    if built.all_exempt {
        return Mapped::Skipped(Skip {
            label: context.voucher.label.clone(),
            reason: "exempt_only".to_owned(),
            message: "every line is exempt, nil rated or outside GST: a bill of supply is not registered".to_owned(),
        });
    }
    // Only now, as a bill of supply is not registered whoever the customer is.
    if let Some(finding) = customer {
        report.add(finding);
    }
    let mut invoice = Invoice::new();
    head(&mut invoice, context, &mut report);
    invoice.seller_dtls = seller::seller(context, &mut report);
    invoice.buyer_dtls = parties::buyer(context, &mut report);
    transaction(&mut invoice, context, &built.tax, &mut report);
    invoice.disp_dtls = parties::dispatch(context, &invoice.seller_dtls, &mut report);
    invoice.item_list = built.items;
    invoice.val_dtls = built.val_dtls;
    let has_goods = invoice.item_list.iter().any(|item| item.is_servc.get() == Some(YesNo::No));
    invoice.ewb_dtls = extras::eway_bill(context, has_goods, &mut report);
    let ships = !context.export || invoice.ewb_dtls.is_some();
    invoice.ship_dtls = if ships { parties::consignee(context, &invoice.buyer_dtls, &mut report) } else { None };
    invoice.pay_dtls = extras::payment(context, &mut report);
    invoice.ref_dtls = extras::references(context, &mut report);
    let currency = currency(context, &lines, &mut invoice);
    invoice.exp_dtls = extras::export(context, currency.as_deref(), &mut report);
    let attributes = attributes(element, context);
    let (findings, provenance) = report.into_parts();
    let mut mapped = MappedDocument { invoice, findings, provenance, attributes };
    if let Some(rules) = &context.settings.rules {
        let record = VoucherRecord { voucher: element, lines: &built.lines };
        if let Err(skip) = overlay::apply(rules, &record, &mut mapped) {
            return Mapped::Skipped(Skip { label: context.voucher.label.clone(), ..skip });
        }
    }
    Mapped::Document(Box::new(mapped))
}

fn head(invoice: &mut Invoice, context: &Context<'_>, report: &mut Report) {
    let element = context.voucher.element;
    invoice.doc_dtls.typ = context.doc_type.into();
    report.from("DocDtls.Typ", "V/VOUCHERTYPENAME");
    if let Some(number) = element.get("VOUCHERNUMBER") {
        invoice.doc_dtls.no = Field::from_text(number);
        report.from("DocDtls.No", "V/VOUCHERNUMBER");
    }
    let type_name = context.voucher.type_name;
    if context.masters.renumbers(type_name) {
        report.add(
            Finding::warning(
                "tally.auto_renumber",
                "DocDtls.No",
                format!("Tally may give this voucher another number later: the numbering of \"{type_name}\" is Auto Renumber"),
            )
            .with_fix("Set the numbering of the voucher type to Auto Retain: the number that is registered must stay."),
        );
    }
    match (context.day, element.get("DATE")) {
        (Some(day), _) => {
            invoice.doc_dtls.dt = day.into();
            report.from("DocDtls.Dt", "V/DATE");
        }
        (None, Some(text)) => invoice.doc_dtls.dt = Field::Malformed(text.into()),
        (None, None) => {}
    }
}

fn transaction(invoice: &mut Invoice, context: &Context<'_>, tax: &LedgerTax, report: &mut Report) {
    let element = context.voucher.element;
    let (kind, origin) = supply_type(context, tax.igst > 0);
    let transaction = &mut invoice.tran_dtls;
    transaction.tax_sch = "GST".into();
    transaction.sup_typ = kind.into();
    report.from("TranDtls.SupTyp", origin);
    transaction.reg_rev = extras::reverse_charge(context).into();
    report.from("TranDtls.RegRev", "V/ISREVERSECHARGEAPPLICABLE");
    if element.is_yes("ISECOMMERCESUPPLY")
        && let Some(gstin) = element.get("ECOMMERCEGSTIN")
    {
        transaction.ecm_gstin = Field::from_text(gstin);
        report.from("TranDtls.EcmGstin", "V/ECOMMERCEGSTIN");
    }
    let same_state = context.seller_state().is_some() && context.seller_state() == invoice.buyer_dtls.pos.get();
    let always_inter = kind.is_export() || kind.is_sez();
    transaction.igst_on_intra = YesNo::from(tax.igst > 0 && same_state && !always_inter).into();
    report.from("TranDtls.IgstOnIntra", "the tax ledgers against the states");
}

/// What kind of supply it is.
fn supply_type(context: &Context<'_>, has_igst: bool) -> (SupplyType, &'static str) {
    if context.export {
        let kind = if has_igst { SupplyType::ExportWithPayment } else { SupplyType::ExportWithoutPayment };
        return (kind, "V/COUNTRYOFRESIDENCE and the IGST ledger");
    }
    if context.is_said_to_be("sez") {
        let supply = if has_igst { SupplyType::SezWithPayment } else { SupplyType::SezWithoutPayment };
        return (supply, "GSTOVRDNNATURE or V/GSTREGISTRATIONTYPE, and the IGST ledger");
    }
    if context.is_said_to_be("deemedexport") {
        return (SupplyType::DeemedExport, "GSTOVRDNNATURE or V/GSTREGISTRATIONTYPE");
    }
    (SupplyType::B2b, "V/GSTREGISTRATIONTYPE")
}

fn currency(context: &Context<'_>, lines: &Lines<'_>, invoice: &mut Invoice) -> Option<String> {
    let (symbol, amount) = lines.foreign?;
    let code = extras::currency_code(symbol, context)?;
    if context.export {
        invoice.val_dtls.tot_inv_val_fc = amount.into();
    }
    Some(code)
}

/// What write-back needs to find the voucher again.
fn attributes(element: &Element<'_>, context: &Context<'_>) -> BTreeMap<String, String> {
    let texts = [
        ("master_id", element.get("MASTERID")),
        ("guid", element.get("GUID")),
        ("alter_id", element.get("ALTERID")),
        ("voucher_type", Some(context.voucher.type_name)),
        ("number", element.get("VOUCHERNUMBER")),
        ("cmp_gst_state", element.get("CMPGSTSTATE")),
        ("company", context.masters.company_name()),
    ];
    let mut attributes: BTreeMap<String, String> =
        texts.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value.to_owned()))).collect();
    if let Some(day) = context.day {
        attributes.insert("voucher_date".to_owned(), day.to_string());
    }
    // A sub-list sent in part replaces the whole list, so all of them are kept as read.
    let lists = element.all("EWAYBILLDETAILS.LIST").filter(|list| !list.children().is_empty());
    let lists: String = lists.map(Element::to_xml).collect();
    if (1..=EWAY_BILL_BYTES_MAX).contains(&lists.len()) {
        attributes.insert("eway_bill_details".to_owned(), lists);
    }
    attributes
}

/// At most `characters` characters of a text, cut at a character.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    let text = text.trim();
    // A text has no more characters than bytes, and most have few.
    let end = if text.len() > characters { text.char_indices().nth(characters) } else { None };
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text).trim_end().to_owned()
}
