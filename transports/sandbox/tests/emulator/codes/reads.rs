//! Reads, lists and masters of the e-way bill system.

use einvoice_sandbox::PortalSettings;

use super::Tally;
use super::acts::made;
use crate::bills::bill;
use crate::raw::{SELLER, SISTER, portal};

pub(super) async fn provoke(tally: &mut Tally) {
    let sandbox = portal(PortalSettings::default());
    let number = made(&sandbox, &bill("E/1")).await;
    let day = "date=05/11/2026";
    let pages = [
        ("GetEwayBill", SELLER, "ewayapi/GetEwayBill?ewbNo=A".to_owned(), "395"),
        ("GetEwayBill", SELLER, "ewayapi/GetEwayBill?ewbNo=1".to_owned(), "301"),
        ("GetEwayBill", SISTER, format!("ewayapi/GetEwayBill?ewbNo={number}"), "357"),
        (
            "GetEwayBillGeneratedByConsigner",
            SELLER,
            "ewayapi/GetEwayBillGeneratedByConsigner?docType=INV&docNo=E/2".to_owned(),
            "418",
        ),
        ("GetTripSheet", SELLER, "ewayapi/GetTripSheet?tripSheetNo=1".to_owned(), "387"),
        ("lists", SELLER, format!("ewayapi/GetEwayBillsOfNobody?{day}"), "239"),
        ("lists", SELLER, format!("ewayapi/GetEwayBillsForTransporterByState?{day}"), "351"),
        ("lists", SELLER, format!("ewayapi/GetEwayBillsForTransporterByGstin?Gen_gstin=29&{day}"), "393"),
        ("lists", SELLER, format!("ewayapi/GetEwayBillsofOtherParty?{day}"), "418"),
        ("lists", SELLER, "ewayapi/GetEwayBillsByDate?date=2026-11-05".to_owned(), "601"),
        ("masters", SELLER, "Master/GetGSTINDetails?GSTIN=29".to_owned(), "326"),
        ("masters", SELLER, "Master/GetTransporterDetails?trn_no=29".to_owned(), "328"),
        ("masters", SELLER, "Master/GetHsnDetailsByHsnCode?hsncode=1".to_owned(), "337"),
    ];
    for (row, who, page, code) in pages {
        tally.page(row, &sandbox, who, &page, code).await;
    }
    sandbox.set_settings(PortalSettings { ewb_lists_refuse_today: true, ..PortalSettings::default() }).unwrap();
    tally.page("lists", &sandbox, SELLER, &format!("ewayapi/GetEwayBillsByDate?{day}"), "366").await;
}
