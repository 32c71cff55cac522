//! What the e-way bill system tells of bills, trip sheets and masters.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::bills::Bill;
use crate::ewb_wire::{Answered, Codes, refuse_if, text};
use crate::ist;
use crate::node::{Node, quoted};
use crate::portal::Portal;
use crate::registry::{is_gstin, pin_of};
use crate::wire::PortalRequest;

impl Portal {
    /// Answers a GET by the last part of its path.
    pub(crate) fn ewb_read(&self, who: &str, path: &str, request: &PortalRequest, now: Timestamp) -> Answered {
        let asked = |name: &str| request.query(name).unwrap_or_default();
        match path.trim_end_matches('/').rsplit('/').next().unwrap_or_default() {
            "GetEwayBill" => {
                let number = asked("ewbNo").parse::<u64>().map_err(|_| Codes::of("395"))?;
                let bill = self.books.bills.get(number).ok_or_else(|| Codes::of("301"))?;
                refuse_if(!bill.concerns(who), "357")?;
                Ok(self.bill_json(bill))
            }
            "GetEwayBillGeneratedByConsigner" => self.by_consigner(who, &asked("docType"), &asked("docNo")),
            "GetTripSheet" => self.trip_sheet(who, &asked("tripSheetNo")),
            "GetGSTINDetails" => self.gstin_details(&asked("GSTIN")),
            "GetTransporterDetails" => self.transporter_details(&asked("trn_no")),
            "GetHsnDetailsByHsnCode" => {
                let code = asked("hsncode");
                let right = matches!(code.len(), 2 | 4 | 6 | 8) && code.bytes().all(|byte| byte.is_ascii_digit());
                refuse_if(!right, "337")?;
                Ok(format!(r#"{{"hsnCode":{},"hsnDesc":"GOODS OF THE SANDBOX"}}"#, quoted(&code)))
            }
            "GetErrorList" => Ok(error_list()),
            list => self.list(who, list, request, now),
        }
    }

    fn by_consigner(&self, who: &str, doc_type: &str, doc_no: &str) -> Answered {
        // Numbers begin anew each financial year: the latest bill is the one that is asked for.
        let found = self.books.bills.all().filter(|bill| {
            let same = bill.doc_type == doc_type && bill.doc_no.eq_ignore_ascii_case(doc_no);
            bill.generator == who && bill.cancelled_at.is_none() && same
        });
        let bill = found.last().ok_or_else(|| Codes::of("418"))?;
        Ok(format!(
            r#"{{"ewayBillNo":{},"ewayBillDate":{},"validUpto":{},"alert":null}}"#,
            bill.number,
            self.ewb_moment(bill.made_at),
            self.ewb_valid(bill)
        ))
    }

    fn list(&self, who: &str, list: &str, request: &PortalRequest, now: Timestamp) -> Answered {
        let asked = |name: &str| request.query(name).unwrap_or_default();
        let day = ist::document_date(&asked("date")).ok_or_else(|| Codes::of("601"))?;
        refuse_if(self.settings.ewb_lists_refuse_today && day == ist::civil(now).date(), "366")?;
        let on = |at: Timestamp| civil_day(at) == day;
        let mine = |bill: &Bill| bill.transporter.as_deref() == Some(who);
        let state = asked("stateCode");
        let of_state = |bill: &Bill| bill.generator.get(..2) == Some(format!("{state:0>2}").as_str());
        let keep: Box<dyn Fn(&Bill) -> bool> = match list {
            "GetEwayBillsByDate" => {
                Box::new(|bill| bill.generator == who && bill.cancelled_at.is_none() && on(bill.made_at))
            }
            "GetEwayBillsForTransporter" => {
                Box::new(|bill| mine(bill) && bill.generator.get(..2) == who.get(..2) && on(bill.made_at))
            }
            "GetEwayBillsForTransporterByGstin" => {
                let generator = asked("Gen_gstin");
                refuse_if(!is_gstin(&generator), "393")?;
                Box::new(move |bill| mine(bill) && bill.generator == generator && on(bill.made_at))
            }
            "GetEwayBillsForTransporterByState" => {
                refuse_if(state.is_empty(), "351")?;
                Box::new(|bill| mine(bill) && of_state(bill) && on(bill.made_at))
            }
            "GetEwayBillReportByTransporterassignedDate" => {
                refuse_if(state.is_empty(), "351")?;
                Box::new(|bill| mine(bill) && of_state(bill) && on(bill.transporter_since))
            }
            "GetEwayBillsofOtherParty" => {
                Box::new(|bill| bill.other_party() == who && bill.generator != who && on(bill.made_at))
            }
            "GetEwayBillsRejectedByOthers" => {
                Box::new(|bill| bill.generator == who && bill.rejected_at.is_some_and(on))
            }
            _ => return Err(Codes::of("239")),
        };
        let rows: Vec<_> = self.books.bills.all().filter(|bill| keep(bill)).map(|bill| self.row(bill)).collect();
        refuse_if(rows.is_empty(), "418")?;
        Ok(format!("[{}]", rows.join(",")))
    }

    fn row(&self, bill: &Bill) -> String {
        format!(
            r#"{{"ewbNo":{},"ewbDate":{},"status":"{}","genGstin":{},"docNo":{},"docDate":{},"delPinCode":{},"delStateCode":{},"delPlace":{},"validUpto":{},"extendedTimes":{},"rejectStatus":"{}"}}"#,
            bill.number,
            self.ewb_moment(bill.made_at),
            bill.status(),
            quoted(&bill.generator),
            quoted(&bill.doc_no),
            quoted(&bill.doc_date),
            digits(&bill.to_pin),
            digits(&bill.to_state),
            quoted(&bill.to_place),
            self.ewb_valid(bill),
            bill.extended,
            if bill.rejected_at.is_some() { "Y" } else { "N" },
        )
    }

    fn trip_sheet(&self, who: &str, number: &str) -> Answered {
        let sheet = number.parse().ok().and_then(|number| self.books.bills.sheet(number));
        let sheet = sheet.filter(|sheet| sheet.by == who).ok_or_else(|| Codes::of("387"))?;
        let bills = sheet.bills.iter().filter_map(|number| self.books.bills.get(*number));
        let rows: Vec<_> = bills.map(|bill| self.row(bill)).collect();
        Ok(format!(
            r#"{{"tripSheetNo":{},"fromPlace":{},"fromState":{},"vehicleNo":{},"userGstin":{},"enteredDate":{},"status":"{}","tripSheetEwbBills":[{}]}}"#,
            sheet.number,
            quoted(&sheet.from_place),
            digits(&sheet.from_state),
            quoted(&sheet.vehicle),
            quoted(&sheet.by),
            self.ewb_moment(sheet.at),
            if sheet.replaced_by.is_some() { "CNL" } else { "ACT" },
            rows.join(",")
        ))
    }

    fn gstin_details(&self, gstin: &str) -> Answered {
        let entry = self.taxpayer(gstin).ok_or_else(|| Codes::of("326"))?;
        let state = gstin.get(..2).unwrap_or_default();
        Ok(serde_json::json!({
            "gstin": gstin, "tradeName": entry.legal_name, "legalName": entry.legal_name,
            "address1": "Sandbox House", "address2": "Example Town", "stateCode": state,
            "pinCode": pin_of(state.parse().unwrap_or_default()).to_string(), "txpType": entry.taxpayer_type,
            "status": entry.status, "blkStatus": entry.block_status,
        })
        .to_string())
    }

    fn transporter_details(&self, transporter: &str) -> Answered {
        let entry = self.taxpayer(transporter).ok_or_else(|| Codes::of("328"))?;
        let state = transporter.get(..2).unwrap_or_default();
        Ok(serde_json::json!({
            "transin": transporter, "tradeName": entry.legal_name, "legalName": entry.legal_name,
            "address1": "Sandbox House", "address2": "Example Town", "stateCode": state,
            "pinCode": pin_of(state.parse().unwrap_or_default()).to_string(),
        })
        .to_string())
    }

    /// The whole bill: the request it was made from, and what has become of it.
    fn bill_json(&self, bill: &Bill) -> String {
        const CHANGED: [&str; 6] =
            ["transMode", "vehicleNo", "transDocNo", "transDocDate", "transporterId", "transDistance"];
        let document = Node::parse(bill.document.as_bytes()).unwrap_or(Node::Null);
        let Node::Object(members) = document else { return "{}".to_owned() };
        let left_out = |name: &str| {
            // A ship-to or dispatch GSTIN is not given back.
            CHANGED.contains(&name) || ["shipToGSTIN", "shipToTradeName", "subSupplyType", "itemList"].contains(&name)
        };
        let mut parts = vec![
            format!(r#""ewbNo":{}"#, bill.number),
            format!(r#""ewayBillDate":{}"#, self.ewb_moment(bill.made_at)),
            r#""genMode":"API""#.to_owned(),
            format!(r#""userGstin":{}"#, quoted(&bill.generator)),
        ];
        let sub_type = members.iter().find(|(name, _)| name == "subSupplyType").map(|(_, value)| plain(value));
        parts.push(format!(r#""subSupplyType":{}"#, quoted(&format!("{:<3}", sub_type.unwrap_or_default()))));
        let kept = members.iter().filter(|(name, _)| !left_out(name) && name != "userGstin");
        parts.extend(kept.map(|(name, value)| format!("{}:{value}", quoted(name))));
        let days = bill.valid_till.map_or(0, |till| {
            let start = bill.part_b.first().map_or(bill.made_at, |entry| entry.at);
            till.date().duration_since(civil_day(start)).as_hours() / 24
        });
        parts.extend([
            format!(r#""transporterId":{}"#, quoted(bill.transporter.as_deref().unwrap_or_default())),
            format!(r#""status":"{}""#, bill.status()),
            format!(r#""actualDist":{}"#, bill.distance),
            format!(r#""noValidDays":{days}"#),
            format!(r#""validUpto":{}"#, self.ewb_valid(bill)),
            format!(r#""extendedTimes":{}"#, bill.extended),
            format!(r#""rejectStatus":"{}""#, if bill.rejected_at.is_some() { "Y" } else { "N" }),
            format!(r#""itemList":[{}]"#, items(&members)),
            format!(r#""VehiclListDetails":[{}]"#, self.entries(bill)),
        ]);
        format!("{{{}}}", parts.join(","))
    }

    /// Transport details, newest first.
    fn entries(&self, bill: &Bill) -> String {
        let entries = bill.part_b.iter().rev().map(|entry| {
            format!(
                r#"{{"updMode":"API","vehicleNo":{},"fromPlace":{},"fromState":{},"tripshtNo":{},"userGSTINTransin":{},"enteredDate":{},"transMode":{},"transDocNo":{},"transDocDate":{},"groupNo":"{}"}}"#,
                quoted(&entry.vehicle),
                quoted(&entry.from_place),
                digits(&entry.from_state),
                entry.trip_sheet.unwrap_or_default(),
                quoted(&entry.by),
                self.ewb_moment(entry.at),
                quoted(&format!("{:<2}", entry.mode)),
                quoted(&entry.doc_no),
                quoted(&entry.doc_date),
                entry.group.unwrap_or_default(),
            )
        });
        entries.collect::<Vec<_>>().join(",")
    }
}

fn civil_day(at: Timestamp) -> Date {
    ist::civil(at).date()
}

/// Digits as a JSON number; 0 for anything else.
fn digits(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

fn plain(value: &Node) -> String {
    match value {
        Node::Text(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// Items as a read gives them: numbered, the HSN code as a number.
fn items(members: &[(String, Node)]) -> String {
    let list = members.iter().find(|(name, _)| name == "itemList").map(|(_, list)| list);
    let Some(Node::List(items)) = list else { return String::new() };
    let rows = items.iter().enumerate().map(|(position, item)| {
        let hsn = digits(&text(item, "hsnCode"));
        let mut parts = vec![format!(r#""itemNo":{},"productId":0,"hsnCode":{hsn}"#, position.saturating_add(1))];
        if let Node::Object(members) = item {
            let kept = members.iter().filter(|(name, _)| !["itemNo", "hsnCode"].contains(&name.as_str()));
            parts.extend(kept.map(|(name, value)| format!("{}:{value}", quoted(name))));
        }
        format!("{{{}}}", parts.join(","))
    });
    rows.collect::<Vec<_>>().join(",")
}

fn error_list() -> String {
    const LISTED: [(&str, &str); 8] = [
        ("108", "Invalid login credentials"),
        ("238", "Invalid auth token"),
        ("301", "Invalid eway bill number"),
        ("312", "This eway bill is either not generated by you or cancelled"),
        ("338", "The current transporter has entered Part B"),
        ("346", "Rejection is possible within 72 hours only"),
        ("382", "Extension is possible 8 hours before and after the end of validity only"),
        ("604", "A bill exists for this document number"),
    ];
    let rows = LISTED.iter().map(|(code, text)| format!(r#"{{"errorCode":"{code}","errorDesc":{}}}"#, quoted(text)));
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}
