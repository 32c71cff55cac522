//! What Tally is asked: as XML in the versioned envelope, which every release takes, and what is large
//! in JSON too, which release 7 answers shorter, since it leaves empty fields out.
//!
//! Small questions are asked in XML only. So is a single voucher: without a list of fields it froze
//! releases, and how JSON names that list is told in two ways. So are alterations: the Master ID
//! selects a voucher in XML, and JSON is described with other selectors, which are known to fail.
//!
//! Kept out on purpose, since each was reported to freeze or crash a release: an object export
//! without a list of fields, `$$InDateRange`, a fetch of `*`, and a collection of vouchers filtered by
//! `$MasterID`. Formulas are escaped: a bare less-than sign makes the request unreadable.

use std::fmt::Write as _;

use jiff::civil::Date;
use quick_xml::escape::escape;
use serde_json::{Value, json};

/// One request: its text, and what to call it towards people.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The XML.
    pub(crate) xml: String,
    /// The same in JSON, where it is known how that is asked.
    pub(crate) json: Option<JsonRequest>,
    /// A few words.
    pub(crate) what: String,
}

/// A request in JSON: what the envelope's header says is said by headers of HTTP.
#[derive(Debug, Clone)]
pub(crate) struct JsonRequest {
    /// The header `id`: the name of a report.
    pub(crate) id: &'static str,
    /// The body.
    pub(crate) body: String,
}

/// An export of a report, with what it is told.
struct Report<'r> {
    id: &'static str,
    company: &'r str,
    /// Name in JSON, attributes and value; in XML the name is in upper case.
    variables: Vec<(&'static str, &'static str, String)>,
}

impl Report<'_> {
    fn request(&self, what: String) -> Request {
        Request { xml: self.xml(), json: Some(JsonRequest { id: self.id, body: self.json() }), what }
    }

    fn xml(&self) -> String {
        let mut more = String::new();
        for (name, attributes, value) in &self.variables {
            let tag = name.to_ascii_uppercase();
            _ = write!(more, "<{tag}{attributes}>{}</{tag}>", escape(value.as_str()));
        }
        envelope("Data", self.id, Some(self.company), &more, "")
    }

    fn json(&self) -> String {
        let fixed = [("svCurrentCompany", self.company), ("svExportFormat", "jsonex")];
        let own = self.variables.iter().map(|(name, _, value)| (*name, value.as_str()));
        let variables: Vec<Value> =
            fixed.into_iter().chain(own).map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!({ "static_variables": variables }).to_string()
    }
}

/// Masters that `List of Accounts` brings by kind.
pub(crate) const ACCOUNT_TYPES: [&str; 7] =
    ["Groups", "Ledgers", "Stock Groups", "Stock Items", "Units", "Voucher Types", "Currencies"];

/// The companies that are open: small enough to serve as a probe.
pub(crate) fn companies() -> Request {
    let tdl = collection("EinvoiceCompanies", "Company", "NAME, GUID, STARTINGFROM, BOOKSFROM", &[]);
    export("Collection", "EinvoiceCompanies", None, "", &tdl, "the list of open companies")
}

/// The number of the last change of masters and of vouchers.
pub(crate) fn marks(company: &str) -> Request {
    let tdl = collection("EinvoiceMarks", "Company", "NAME, GUID, ALTMSTID, ALTVCHID", &[]);
    export("Collection", "EinvoiceMarks", Some(company), "", &tdl, "whether anything changed")
}

/// What the company says of itself.
pub(crate) fn company_details(company: &str) -> Request {
    let fields = "NAME, GUID, BASICCOMPANYFORMALNAME, ADDRESS, STATENAME, PINCODE, PHONENUMBER, EMAIL";
    let tdl = collection("EinvoiceCompany", "Company", fields, &[]);
    export("Collection", "EinvoiceCompany", Some(company), "", &tdl, "the details of the company")
}

/// The GST registrations of the company; releases before 3 have none.
pub(crate) fn tax_units(company: &str) -> Request {
    let fields = "NAME, GSTREGNUMBER, GSTEINVBILLFROMPLACE, ADDRESS, STATENAME, PINCODE";
    let tdl = collection("EinvoiceTaxUnits", "TaxUnit", fields, &[]);
    export("Collection", "EinvoiceTaxUnits", Some(company), "", &tdl, "the GST registrations")
}

/// The masters of one kind.
pub(crate) fn masters(company: &str, kind: &str) -> Request {
    let variables = vec![("accountType", "", kind.to_owned())];
    Report { id: "List of Accounts", company, variables }.request(format!("the list of {kind}"))
}

/// The vouchers changed after a number, by their heads alone.
pub(crate) fn changed_since(company: &str, alter_id: u64, from: Date, to: Date) -> Request {
    let fields = "GUID, MASTERID, ALTERID, DATE, VOUCHERTYPENAME, VOUCHERNUMBER, ISCANCELLED, ISOPTIONAL, ISDELETED";
    let since = format!("$AlterId > {alter_id}");
    // The dates of a report are not always honoured by a collection, so they are a filter as well.
    let days = "($Date >= ##SVFROMDATE) AND ($Date <= ##SVTODATE)";
    let filters = [("EinvoiceSince", since.as_str()), ("EinvoiceDays", days)];
    let tdl = collection("EinvoiceChanged", "Voucher", fields, &filters);
    let what = format!("the vouchers changed after number {alter_id}");
    export("Collection", "EinvoiceChanged", Some(company), &period(from, to), &tdl, &what)
}

/// The whole vouchers of one day.
pub(crate) fn day_book(company: &str, day: Date) -> Request {
    let date = tally_day(day);
    let variables = vec![
        ("svFromDate", " TYPE=\"Date\"", date.clone()),
        ("svToDate", " TYPE=\"Date\"", date),
        ("explodeFlag", "", "Yes".to_owned()),
    ];
    Report { id: "Day Book", company, variables }.request(format!("the day book of {day}"))
}

/// One whole voucher. The fields named here do not limit what comes, but without any Tally froze.
pub(crate) fn voucher(company: &str, master_id: u64) -> Request {
    let xml = format!(
        "<ENVELOPE><HEADER><VERSION>1</VERSION><TALLYREQUEST>Export</TALLYREQUEST><TYPE>Object</TYPE><SUBTYPE>Voucher</SUBTYPE>\
         <ID TYPE=\"Name\">ID:{master_id}</ID></HEADER><BODY><DESC>{}<FETCHLIST><FETCH>GUID</FETCH><FETCH>MASTERID</FETCH>\
         <FETCH>ALTERID</FETCH></FETCHLIST></DESC></BODY></ENVELOPE>",
        variables(Some(company), "")
    );
    Request { xml, json: None, what: format!("the voucher of Master ID {master_id}") }
}

/// Alterations of vouchers, as messages.
pub(crate) fn import(company: &str, messages: &str, what: &str) -> Request {
    let xml = format!(
        "<ENVELOPE><HEADER><VERSION>1</VERSION><TALLYREQUEST>Import</TALLYREQUEST><TYPE>Data</TYPE><ID>Vouchers</ID></HEADER>\
         <BODY><DESC><STATICVARIABLES><SVCURRENTCOMPANY>{}</SVCURRENTCOMPANY></STATICVARIABLES></DESC><DATA>{messages}</DATA></BODY></ENVELOPE>",
        escape(company)
    );
    Request { xml, json: None, what: what.to_owned() }
}

fn export(kind: &str, id: &str, company: Option<&str>, more: &str, tdl: &str, what: &str) -> Request {
    Request { xml: envelope(kind, id, company, more, tdl), json: None, what: what.to_owned() }
}

fn envelope(kind: &str, id: &str, company: Option<&str>, more: &str, tdl: &str) -> String {
    format!(
        "<ENVELOPE><HEADER><VERSION>1</VERSION><TALLYREQUEST>Export</TALLYREQUEST><TYPE>{kind}</TYPE><ID>{id}</ID></HEADER>\
         <BODY><DESC>{}{tdl}</DESC></BODY></ENVELOPE>",
        variables(company, more)
    )
}

fn variables(company: Option<&str>, more: &str) -> String {
    let company =
        company.map(|name| format!("<SVCURRENTCOMPANY>{}</SVCURRENTCOMPANY>", escape(name))).unwrap_or_default();
    format!("<STATICVARIABLES>{company}<SVEXPORTFORMAT>$$SysName:XML</SVEXPORTFORMAT>{more}</STATICVARIABLES>")
}

fn period(from: Date, to: Date) -> String {
    let (from, to) = (tally_day(from), tally_day(to));
    format!("<SVFROMDATE TYPE=\"Date\">{from}</SVFROMDATE><SVTODATE TYPE=\"Date\">{to}</SVTODATE>")
}

fn tally_day(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

fn collection(name: &str, kind: &str, fetch: &str, filters: &[(&str, &str)]) -> String {
    let names: Vec<&str> = filters.iter().map(|(name, _)| *name).collect();
    let mut out = format!(
        "<TDL><TDLMESSAGE><COLLECTION NAME=\"{name}\" ISMODIFY=\"No\"><TYPE>{kind}</TYPE><FETCH>{fetch}</FETCH>"
    );
    if !names.is_empty() {
        _ = write!(out, "<FILTER>{}</FILTER>", names.join(", "));
    }
    out.push_str("</COLLECTION>");
    for (name, formula) in filters {
        _ = write!(out, "<SYSTEM TYPE=\"Formulae\" NAME=\"{name}\">{}</SYSTEM>", escape(*formula));
    }
    out.push_str("</TDLMESSAGE></TDL>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Element;

    #[test]
    fn every_request_is_well_formed_and_names_the_company_escaped() {
        let day = jiff::civil::date(2026, 11, 5);
        let company = "Deccan & <Sons>";
        let requests = [
            marks(company),
            company_details(company),
            tax_units(company),
            masters(company, "Stock Items"),
            changed_since(company, 9000, day, day),
            day_book(company, day),
            voucher(company, 4002),
            import(company, "", "nothing"),
        ];
        for request in requests {
            let element = Element::parse(&request.xml).unwrap();
            let name = |path: &[&str]| {
                let found = path.iter().try_fold(&element, |element, name| element.child(name));
                found.map(|found| found.raw_text().to_owned())
            };
            let found = name(&["BODY", "DESC", "STATICVARIABLES", "SVCURRENTCOMPANY"]);
            assert_eq!(found.as_deref(), Some(company), "{}", request.what);
        }
        assert!(changed_since(company, 9000, day, day).xml.contains("$AlterId &gt; 9000"));
    }

    #[test]
    fn what_is_large_is_asked_in_json_with_the_same_variables() {
        let day = jiff::civil::date(2026, 11, 5);
        let request = day_book("Deccan \"&\" Sons", day);
        let asked = request.json.unwrap();
        assert_eq!(asked.id, "Day Book");
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let pair = |name: &str, value: &str| json!({ "name": name, "value": value });
        let wanted = json!([
            pair("svCurrentCompany", "Deccan \"&\" Sons"),
            pair("svExportFormat", "jsonex"),
            pair("svFromDate", "20261105"),
            pair("svToDate", "20261105"),
            pair("explodeFlag", "Yes"),
        ]);
        assert_eq!(body, json!({ "static_variables": wanted }));
        assert!(request.xml.contains("<SVFROMDATE TYPE=\"Date\">20261105</SVFROMDATE>"));
        assert!(masters("Deccan", "Units").json.unwrap().body.contains("accountType"));
        assert!(voucher("Deccan", 1).json.is_none() && import("Deccan", "", "x").json.is_none());
    }
}
