//! Changed vouchers of a running Tally that do not come as they should, and those that wait for a master.

use einvoice_testkit::tally_stand_in::{Asked, Mishap};
use serde_json::json;

use crate::common::read;
use crate::live::{source, tally};

/// An answer without vouchers.
const NOTHING: &str =
    "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>1</STATUS></HEADER><BODY><DATA></DATA></BODY></ENVELOPE>";
const REFUSED: &str = "Access to the voucher is denied";

#[tokio::test]
async fn a_voucher_that_is_refused_by_itself_comes_with_its_day_and_the_run_goes_on() {
    let tally = tally();
    let source = source(&tally, json!({}));
    let first = read(&*source, None).await;
    tally.edit(4201, "NARRATION", "sent by road");
    tally.edit(4202, "NARRATION", "sent by rail");
    tally.forget_log();
    tally.once(Asked::Object, Mishap::Refuses(REFUSED.to_owned()));
    let second = read(&*source, first.cursor.as_ref()).await;
    assert_eq!(second.problems, []);
    for words in ["sent by road", "sent by rail"] {
        assert!(second.records.iter().any(|record| record.content.contains(words)), "{words}");
    }
    assert!(tally.take_log().contains(&Asked::DayBook));
    let third = read(&*source, second.cursor.as_ref()).await;
    assert!(third.records.is_empty(), "the mark went on");
}

#[tokio::test]
async fn a_voucher_that_its_day_does_not_show_either_is_reported_and_the_mark_goes_on() {
    let tally = tally();
    let source = source(&tally, json!({}));
    let first = read(&*source, None).await;
    tally.edit(4201, "NARRATION", "sent by road");
    tally.once(Asked::Object, Mishap::Refuses(REFUSED.to_owned()));
    tally.once(Asked::DayBook, Mishap::Says(NOTHING.to_owned()));
    let second = read(&*source, first.cursor.as_ref()).await;
    let [problem] = second.problems.as_slice() else { panic!("{:?}", second.problems) };
    let finding = problem.findings.first().unwrap();
    assert_eq!((&*finding.rule, problem.reference.position.as_str()), ("tally.voucher_not_given", "Master ID 4201"));
    assert!(finding.message.contains(REFUSED), "{finding}");
    let third = read(&*source, second.cursor.as_ref()).await;
    assert_eq!((third.records.len(), third.problems.len()), (0, 0));
    // Once it is accepted again it comes by itself.
    tally.edit(4201, "NARRATION", "sent by rail");
    assert_eq!(read(&*source, third.cursor.as_ref()).await.records.len(), 1);
}

#[tokio::test]
async fn a_changed_voucher_without_a_date_is_read_by_its_master_id_or_reported() {
    let list = |more: &str| {
        format!(
            "<ENVELOPE><HEADER><VERSION>1</VERSION><STATUS>1</STATUS></HEADER><BODY><DATA><COLLECTION><VOUCHER>{more}\
             <ALTERID> 99999</ALTERID><VOUCHERTYPENAME>Tax Invoice</VOUCHERTYPENAME><VOUCHERNUMBER>X/1</VOUCHERNUMBER>\
             </VOUCHER></COLLECTION></DATA></BODY></ENVELOPE>"
        )
    };
    for (more, records, problems) in [("<MASTERID> 4201</MASTERID>", 1, 0), ("", 0, 1)] {
        let tally = tally();
        let source = source(&tally, json!({}));
        let first = read(&*source, None).await;
        tally.edit(4201, "NARRATION", "sent by road");
        tally.once(Asked::Vouchers, Mishap::Says(list(more)));
        let second = read(&*source, first.cursor.as_ref()).await;
        assert_eq!((second.records.len(), second.problems.len()), (records, problems), "{:?}", second.problems);
        if let Some(problem) = second.problems.first() {
            assert_eq!(problem.label, "Tax Invoice X/1");
            assert!(problem.findings.iter().all(|finding| finding.rule == "tally.voucher_not_given"));
        }
    }
}

#[tokio::test]
async fn a_mended_master_brings_the_days_of_vouchers_that_could_not_be_sent_however_old() {
    for (reread_days, days) in [(1, 1), (0, 0)] {
        let tally = tally();
        // An item of the second of November loses its HSN, and no other voucher waits for anything.
        for id in tally.master_ids() {
            let day = tally.field(id, "DATE").unwrap();
            if id != 4201 && day != "20261121" && day != "20261122" {
                tally.delete(id);
            }
        }
        tally.replace(4201, "GSTHSNNAME>", "GSTHSNLESS>");
        tally.replace_in_masters("HSNCODE>", "HSNCODELESS>");
        let source = source(&tally, json!({ "reread_days": reread_days }));
        let first = read(&*source, None).await;
        assert!(first.records.iter().any(|record| record.reference.position == "Master ID 4201"));
        tally.forget_log();
        tally.replace_in_masters("HSNCODELESS>", "HSNCODE>");
        let second = read(&*source, first.cursor.as_ref()).await;
        let old = second.records.iter().filter(|record| record.reference.position == "Master ID 4201").count();
        assert_eq!(old, days, "{reread_days}");
        // Everything is as it should be: the next change of a master brings the last days alone.
        tally.replace_in_masters("Phase II", "Phase III");
        let third = read(&*source, second.cursor.as_ref()).await;
        assert!(!third.records.iter().any(|record| record.reference.position == "Master ID 4201"), "{reread_days}");
    }
}
