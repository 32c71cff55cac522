//! Generate IRN: judge a document and enter it into the books.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::books::{Identity, Registered};
use crate::journal::Event;
use crate::login::Login;
use crate::node::{Node, quoted};
use crate::portal::{Answer, Portal};
use crate::settings::DistanceReport;
use crate::wire::{CodeText, PortalRequest, Refusal};
use crate::{arithmetic, ewb, ist, rules, schema, signed_copy};

/// Largest document.
const DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most items.
const ITEMS_MAX: usize = 1000;

impl Portal {
    pub(crate) fn generate(
        &mut self,
        login: &Login,
        request: &PortalRequest,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let opened = self.open_payload(login, request)?;
        if opened.len() > DOCUMENT_BYTES_MAX {
            return Err(Refusal::of("5002"));
        }
        let received = crate::cipher_box::read_json(&opened);
        let received =
            received.map_err(|reason| Refusal::with("5002", format!("The request is not valid JSON: {reason}")))?;
        if item_count(&received) > ITEMS_MAX {
            return Err(Refusal::of("2173"));
        }
        let document = schema::check(&received).map_err(|texts| Refusal::with("5002", texts.join("; ")))?;
        let text = |path: &[&str]| document.text(path).unwrap_or_default();
        let seller = text(&["SellerDtls", "Gstin"]);
        if seller != login.gstin && text(&["TranDtls", "EcmGstin"]) != login.gstin {
            return Err(Refusal::of("2143"));
        }
        let date = ist::document_date(text(&["DocDtls", "Dt"])).ok_or_else(|| Refusal::of("2144"))?;
        let today = ist::civil(now).date();
        let identity = Identity::new(seller, date, text(&["DocDtls", "Typ"]), text(&["DocDtls", "No"]), today);
        self.books.count_attempt(&identity.key);
        self.refuse_duplicate(&identity)?;
        let errors = self.judge(&document, date, today);
        if !errors.is_empty() {
            return Err(Refusal { errors, info: Vec::new() });
        }
        Ok(self.register(&document, &identity, &login.gstin, now))
    }

    fn refuse_duplicate(&self, identity: &Identity) -> Result<(), Refusal> {
        let Some(earlier) = self.books.by_identity(identity) else { return self.refuse_if_elsewhere(identity) };
        if earlier.cancelled_at.is_some() {
            return Err(Refusal::of("2278"));
        }
        let mut refusal = Refusal::of("2150");
        refusal.info.push(format!(
            r#"{{"InfCd":"DUPIRN","Desc":{{"AckNo":{},"AckDt":{},"Irn":{}}}}}"#,
            earlier.ack_no,
            quoted(&self.ack_date(earlier.at)),
            quoted(&earlier.irn),
        ));
        Err(refusal)
    }

    /// Refuses what another portal has registered, with that portal's name.
    fn refuse_if_elsewhere(&self, identity: &Identity) -> Result<(), Refusal> {
        let Some(elsewhere) = self.books.elsewhere(identity) else { return Ok(()) };
        let mut refusal = Refusal::of("2295");
        refusal.info.push(format!(
            r#"{{"InfCd":"DUPIRNGLP","RegIrp":{},"Desc":{{"AckNo":0,"AckDt":"-","Irn":{}}}}}"#,
            quoted(&elsewhere.irp),
            quoted(&elsewhere.irn),
        ));
        Err(refusal)
    }

    /// Everything that is wrong with a document beyond its schema.
    fn judge(&self, document: &Node, date: Date, today: Date) -> Vec<CodeText> {
        let mut errors = Vec::new();
        let mut add =
            |code: &str| errors.push(CodeText { code: code.into(), message: crate::texts::text(code).into() });
        if date > today {
            add("2163");
        }
        if self.settings.earliest_date().is_some_and(|earliest| date < earliest) {
            add("2284");
        }
        let age = today.duration_since(date).as_hours() / 24;
        if self.settings.report_within_days.is_some_and(|days| age > i64::from(days)) {
            add("2305");
        }
        // A supplier must be active, a recipient active or suspended (NIC, June 2021).
        let party = |section: &str| document.text(&[section, "Gstin"]).unwrap_or_default();
        let (seller, buyer) = (party("SellerDtls"), party("BuyerDtls"));
        for (gstin, admitted) in [(seller, &["ACT"][..]), (buyer, &["ACT", "SUS"])] {
            match self.taxpayer(gstin) {
                _ if gstin == "URP" => {}
                None => add("3028"),
                Some(entry) if !admitted.contains(&entry.status.as_str()) => add("3029"),
                Some(_) => {}
            }
        }
        if self.settings.hold_is_over(today) {
            for code in ship_to_refusals(document, buyer) {
                match code {
                    "5002" => errors
                        .push(CodeText { code: code.into(), message: "The ShipDtls.Gstin field is required".into() }),
                    _ => errors.push(CodeText { code: code.into(), message: crate::texts::text(code).into() }),
                }
            }
        }
        errors.extend(arithmetic::check(document));
        for error in rules::check(document, today, &self.settings) {
            if !errors.iter().any(|known| known.code == error.code) {
                errors.push(error);
            }
        }
        errors
    }

    fn register(&mut self, document: &Node, identity: &Identity, sender: &str, now: Timestamp) -> Answer {
        let ack_no = self.next_ack_no(now);
        let maker = self.ewb_maker(sender, &identity.irn, document, now);
        let made = document.get("EwbDtls").map(|request| ewb::make(document, request, &maker)).unwrap_or_default();
        let (mut info, mut remarks): (Vec<String>, _) = (made.info.into_iter().collect(), None);
        if let Some(distance) = made.computed_distance {
            match self.settings.distance_report {
                DistanceReport::Info => info.push(ewb::distance_info(distance)),
                DistanceReport::Remarks => remarks = Some(ewb::distance_text(distance)),
            }
        }
        let text = |path: &[&str]| document.text(path).unwrap_or_default().to_owned();
        let registered = Registered {
            irn: identity.irn.clone(),
            key: identity.key.clone(),
            gstin: text(&["SellerDtls", "Gstin"]),
            sender: sender.to_owned(),
            doc_type: text(&["DocDtls", "Typ"]).to_ascii_uppercase(),
            doc_date: text(&["DocDtls", "Dt"]),
            ack_no,
            at: now,
            invoice_data: signed_copy::invoice_data(document, &identity.irn, ack_no, now),
            qr_data: signed_copy::qr_data(document, &identity.irn, now),
            ewb: made.bill.map(Box::new),
            site: self.settings.site.clone(),
            rejected_at: None,
            remarks,
            cancelled_at: None,
        };
        self.record(Event::Registered(Box::new(registered)));
        let data = self.books.by_irn(&identity.irn).map(|registered| self.registration_json(registered));
        Answer { data: data.unwrap_or_default(), info }
    }

    /// The reply object of a registration, made or read back.
    pub(crate) fn registration_json(&self, registered: &Registered) -> String {
        let token =
            |data: &str| self.keys.sign(data, &self.settings.issuer).map_or("null".to_owned(), |token| quoted(&token));
        let optional = |text: Option<&str>| text.map_or("null".to_owned(), quoted);
        let ewb = self.books.bills.of_irn(&registered.irn);
        let twisted = |data: &str| {
            let twisted = self.twist.as_ref().and_then(|fault| signed_copy::twisted(data, fault));
            token(&twisted.unwrap_or_else(|| data.to_owned()))
        };
        format!(
            r#"{{"AckNo":{},"AckDt":{},"Irn":{},"SignedInvoice":{},"SignedQRCode":{},"Status":"{}","EwbNo":{},"EwbDt":{},"EwbValidTill":{},"Remarks":{}}}"#,
            registered.ack_no,
            quoted(&self.ack_date(registered.at)),
            quoted(&registered.irn),
            twisted(&registered.invoice_data),
            twisted(&registered.qr_data),
            if registered.cancelled_at.is_some() { "CNL" } else { "ACT" },
            ewb.map_or("null".to_owned(), |ewb| ewb.number.to_string()),
            optional(ewb.map(|ewb| ist::minute_stamp(ewb.made_at)).as_deref()),
            optional(ewb.and_then(|ewb| ewb.valid_till).map(crate::bills::stamp).as_deref()),
            optional(registered.remarks.as_deref()),
        )
    }
}

fn item_count(received: &Node) -> usize {
    let Node::Object(members) = received else { return 0 };
    let items = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("ItemList"));
    match items {
        Some((_, Node::List(items))) => items.len(),
        _ => 0,
    }
}

/// The ship-to rule announced for August 2026 and on hold since 29 July 2026.
fn ship_to_refusals(document: &Node, buyer: &str) -> Vec<&'static str> {
    let (Some(ship), Some(_)) = (document.get("ShipDtls"), document.get("EwbDtls")) else { return Vec::new() };
    let Some(gstin) = ship.text(&["Gstin"]) else { return vec!["5002"] };
    if gstin == "URP" {
        return Vec::new();
    }
    let mut codes = Vec::new();
    if gstin == buyer {
        codes.push("2323");
    }
    let state = ship.text(&["Stcd"]).map(|state| format!("{state:0>2}"));
    if state.as_deref() != gstin.get(..2) {
        codes.push("2325");
    }
    codes
}
