//! What the stand-in answers: exports of both envelope generations, and imports.

use std::fmt::Write as _;

use super::books::{Company, Imported, Wrong, number};
use super::node::{Node, escape};
use super::{Asked, Generation};

/// What a request is, once read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) asked: Asked,
    /// The request would freeze Tally.
    pub(super) freezes: bool,
    root: Node,
    generation: Generation,
}

impl Reading {
    /// Reads a request; `None` when it is nothing that Tally understands.
    pub(super) fn of(text: &str) -> Option<Self> {
        Self::of_envelope(Node::parse(text)?, text)
    }

    /// Reads the envelope of a request, whose text was `text`.
    pub(super) fn of_envelope(root: Node, text: &str) -> Option<Self> {
        let versioned = root.at(&["HEADER", "VERSION"]).is_some();
        let request = root.at(&["HEADER", "TALLYREQUEST"])?.to_ascii_lowercase();
        let generation = if versioned { Generation::Versioned } else { Generation::Older };
        let kind = root.at(&["HEADER", "TYPE"]).unwrap_or_default();
        let id = match generation {
            Generation::Versioned => root.at(&["HEADER", "ID"]).unwrap_or_default(),
            Generation::Older => {
                let part = if request.starts_with("import") { "IMPORTDATA" } else { "EXPORTDATA" };
                root.at(&["BODY", part, "REQUESTDESC", "REPORTNAME"])?
            }
        };
        let of_type = collection(&root).and_then(|found| found.at(&["TYPE"])).unwrap_or_default().to_owned();
        let asked = if request.starts_with("import") {
            Asked::Import
        } else {
            match (kind, id, of_type.as_str()) {
                ("Object", ..) => Asked::Object,
                ("Collection", _, "Company") if fetch(&root).iter().any(|name| name == "ALTVCHID") => Asked::Marks,
                ("Collection", _, "Company") => Asked::Companies,
                ("Collection", _, "Voucher") => Asked::Vouchers,
                ("Collection", ..) | (_, "List of Accounts", _) => Asked::Masters,
                (_, "Day Book" | "DayBook", _) => Asked::DayBook,
                _ => return None,
            }
        };
        let no_fetch_list = asked == Asked::Object && root.at(&["BODY", "DESC", "FETCHLIST", "FETCH"]).is_none();
        let formulas = text.contains("$$InDateRange") || of_type == "Voucher" && text.contains("$MasterID");
        let everything = fetch(&root).iter().any(|name| name == "*");
        Some(Self { asked, freezes: no_fetch_list || formulas || everything, root, generation })
    }

    /// The company that the request names.
    pub(super) fn company(&self) -> Option<&str> {
        self.variable("SVCURRENTCOMPANY")
    }

    /// The day whose day book is asked for.
    pub(super) fn day(&self) -> Option<&str> {
        self.variable("SVFROMDATE").filter(|_| self.asked == Asked::DayBook)
    }

    /// Whether the answer is one of masters or vouchers in a list of messages.
    pub(super) fn generation(&self, told: Option<Generation>) -> Generation {
        told.unwrap_or(self.generation)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let mut found = Vec::new();
        self.root.all(name, &mut found);
        found.first().map(|node| node.text.trim())
    }

    /// The answer to an export of a company's books.
    pub(super) fn export(&self, companies: &[Company], company: &Company, told: Option<Generation>) -> String {
        match self.asked {
            Asked::Companies | Asked::Marks => {
                let open = companies.iter().map(|open| self.company_object(open, self.asked == Asked::Companies));
                in_collection(&open.collect::<String>())
            }
            Asked::Vouchers => in_collection(&self.heads(company)),
            Asked::Object => self.object(company),
            Asked::Masters if collection(&self.root).is_some() => in_collection(&self.registrations(company)),
            Asked::Masters => messages(&self.accounts(company), self.generation(told), &company.name),
            Asked::DayBook | Asked::Import => {
                let day = self.day().unwrap_or_default();
                let vouchers = company.vouchers.values().filter(|voucher| voucher.get("DATE") == day);
                messages(&vouchers.map(message).collect::<String>(), self.generation(told), &company.name)
            }
        }
    }

    fn company_object(&self, company: &Company, by_list: bool) -> String {
        let stored = company.masters.iter().find(|master| master.name == "COMPANY");
        let mut out = format!("<COMPANY NAME=\"{}\" RESERVEDNAME=\"\">", escape(&company.name));
        for field in fetch(&self.root) {
            let (kind, value) = match field.as_str() {
                "NAME" => ("String", company.name.clone()),
                "GUID" => ("String", company.guid.clone()),
                "STARTINGFROM" | "BOOKSFROM" => ("Date", "20260401".to_owned()),
                "ALTMSTID" if !by_list => ("Number", format!(" {}", company.masters_altered)),
                "ALTVCHID" if !by_list => ("Number", format!(" {}", company.vouchers_altered)),
                "ADDRESS" => {
                    let list = stored.and_then(|stored| stored.child("ADDRESS.LIST"));
                    out.push_str(&list.map(Node::xml).unwrap_or_default());
                    continue;
                }
                other => ("String", stored.map(|stored| stored.get(other)).unwrap_or_default().to_owned()),
            };
            _ = write!(out, "<{field} TYPE=\"{kind}\">{}</{field}>", escape(&value));
        }
        out + "</COMPANY>"
    }

    /// The fetched fields of the vouchers that the filters let through.
    fn heads(&self, company: &Company) -> String {
        let mut formulas = Vec::new();
        self.root.all("SYSTEM", &mut formulas);
        let (from, to) = (self.variable("SVFROMDATE").unwrap_or("0"), self.variable("SVTODATE").unwrap_or("99999999"));
        let passes = |voucher: &Node| {
            formulas.iter().all(|formula| {
                let text = formula.text.replace(' ', "");
                if let Some(after) = text.strip_prefix("$AlterId>") {
                    return number(voucher.get("ALTERID")) > number(after);
                }
                let within = text == "($Date>=##SVFROMDATE)AND($Date<=##SVTODATE)";
                within && (from..=to).contains(&voucher.get("DATE"))
            })
        };
        let mut out = String::new();
        for voucher in company.vouchers.values().filter(|voucher| passes(voucher)) {
            _ = write!(out, "<VOUCHER REMOTEID=\"{}\">", escape(voucher.get("GUID")));
            for field in fetch(&self.root) {
                let value = voucher.get(&field);
                let kind = if field.ends_with("ID") && field != "GUID" { "Number" } else { "String" };
                let blank = if kind == "Number" { " " } else { "" };
                _ = write!(out, "<{field} TYPE=\"{kind}\">{blank}{}</{field}>", escape(value));
            }
            out.push_str("</VOUCHER>");
        }
        out
    }

    fn object(&self, company: &Company) -> String {
        let id = self.root.at(&["HEADER", "ID"]).unwrap_or_default();
        match company.vouchers.get(&number(id.trim_start_matches("ID:"))) {
            Some(voucher) => versioned(&message(voucher)),
            None => format!("<ERRORMSG>Could not find Voucher:{}!</ERRORMSG>\r\n", escape(id)),
        }
    }

    fn registrations(&self, company: &Company) -> String {
        let of_type = collection(&self.root).and_then(|found| found.at(&["TYPE"])).unwrap_or_default().to_uppercase();
        company.masters.iter().filter(|master| master.name == of_type).map(Node::xml).collect()
    }

    fn accounts(&self, company: &Company) -> String {
        let wanted = match self.variable("ACCOUNTTYPE").unwrap_or_default() {
            "Groups" => "GROUP",
            "Ledgers" => "LEDGER",
            "Stock Groups" => "STOCKGROUP",
            "Stock Items" => "STOCKITEM",
            "Units" => "UNIT",
            "Voucher Types" => "VOUCHERTYPE",
            "Currencies" => "CURRENCY",
            _ => "",
        };
        company.masters.iter().filter(|master| master.name == wanted).map(message).collect()
    }

    /// Carries out an import and gives the answer.
    pub(super) fn import(&self, company: &mut Company, wrong: &Wrong) -> String {
        let mut vouchers = Vec::new();
        self.root.all("VOUCHER", &mut vouchers);
        let mut sum = Imported::default();
        let mut lines = String::new();
        for voucher in vouchers {
            let one = company.import(voucher, wrong);
            sum.created += one.created;
            sum.altered += one.altered;
            sum.errors += one.errors;
            sum.last = one.last;
            if let Some(line) = one.line_error {
                _ = write!(lines, "<LINEERROR>{}</LINEERROR>", escape(&line));
            }
        }
        let counters = format!(
            "{lines}<CREATED>{}</CREATED><ALTERED>{}</ALTERED><DELETED>0</DELETED><LASTVCHID>{}</LASTVCHID><LASTMID>0</LASTMID>\
             <COMBINED>0</COMBINED><IGNORED>0</IGNORED><ERRORS>{}</ERRORS><CANCELLED>0</CANCELLED><EXCEPTIONS>0</EXCEPTIONS>",
            sum.created, sum.altered, sum.last, sum.errors
        );
        match self.generation {
            Generation::Older => format!("<RESPONSE>{counters}</RESPONSE>"),
            Generation::Versioned => versioned(&format!("<IMPORTRESULT>{counters}</IMPORTRESULT>")),
        }
    }
}

/// The collection that a request defines.
fn collection(root: &Node) -> Option<&Node> {
    root.child("BODY")?.child("DESC")?.child("TDL")?.child("TDLMESSAGE")?.child("COLLECTION")
}

/// The fields that a request fetches.
fn fetch(root: &Node) -> Vec<String> {
    let text = collection(root).and_then(|found| found.at(&["FETCH"])).unwrap_or_default();
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// One object in a message of its own.
pub(super) fn message(node: &Node) -> String {
    format!("<TALLYMESSAGE xmlns:UDF=\"TallyUDF\">{}</TALLYMESSAGE>\r\n", node.xml())
}

fn in_collection(objects: &str) -> String {
    versioned(&format!("<COLLECTION ISMSTDEPTYPE=\"Yes\" MSTDEPTYPE=\"4\">{objects}</COLLECTION>"))
}

/// Messages around which an answer is written: what stands before them and after them.
pub(super) fn frame(generation: Generation, company: &str) -> (String, &'static str) {
    match generation {
        Generation::Versioned => (
            "<ENVELOPE>\r\n<HEADER><VERSION>1</VERSION><STATUS>1</STATUS></HEADER><BODY><DESC><CMPINFO><COMPANY>0</COMPANY>\
             <LEDGER>0</LEDGER><VOUCHER>0</VOUCHER></CMPINFO></DESC><DATA>\r\n"
                .to_owned(),
            "</DATA></BODY></ENVELOPE>\r\n",
        ),
        Generation::Older => (
            format!(
                "<ENVELOPE>\r\n<HEADER><TALLYREQUEST>Import Data</TALLYREQUEST></HEADER><BODY><IMPORTDATA><REQUESTDESC>\
                 <REPORTNAME>All Masters</REPORTNAME><STATICVARIABLES><SVCURRENTCOMPANY>{}</SVCURRENTCOMPANY></STATICVARIABLES>\
                 </REQUESTDESC><REQUESTDATA>\r\n",
                escape(company)
            ),
            "</REQUESTDATA></IMPORTDATA></BODY></ENVELOPE>\r\n",
        ),
    }
}

fn messages(inside: &str, generation: Generation, company: &str) -> String {
    let (before, after) = frame(generation, company);
    format!("{before}{inside}{after}")
}

fn versioned(data: &str) -> String {
    messages(data, Generation::Versioned, "")
}

/// A refusal in Tally's way: status 0 and a line.
pub(super) fn refusal(text: &str) -> String {
    format!(
        "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>0</STATUS></HEADER><BODY><DATA><LINEERROR>{}</LINEERROR></DATA></BODY></ENVELOPE>",
        escape(text)
    )
}
