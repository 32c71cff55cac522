//! Files of SAP from the inbox to the emulator and back, by the example as it stands.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{einvoice, folder};

/// The example with its inbox in a folder of its own.
fn example(directory: &Path) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sap-drop");
    fs::create_dir(directory.join("inbox")).unwrap();
    for name in ["einvoice.toml", "segments.csv", "inbox/day.idoc", "inbox/rows.csv", "inbox/INV401_P.json"] {
        fs::copy(example.join(name), directory.join(name)).unwrap();
    }
}

#[test]
fn idocs_rows_and_json_are_registered_and_answered_in_files_of_sap() {
    let directory = folder();
    example(directory.path());
    let run = ["run", "--once", "--json", "--set", "source.sap.settle_ms=0"];
    let answer = einvoice(directory.path(), &run);
    // One IDoc of the file is damaged, and stops no other.
    assert_eq!((answer.code, answer.err.as_str()), (1, ""), "{}", answer.out);
    let summary = answer.objects().last().unwrap()["summary"].clone();
    assert_eq!((&summary["registered"], &summary["invalid"]), (&Value::from(4), &Value::from(1)), "{}", answer.out);

    let results = directory.path().join("out/results");
    let read = |name: &str| fs::read_to_string(results.join(name)).unwrap();
    let day: Value = serde_json::from_str(&read("day_R.json")).unwrap();
    let status = |index: usize| day[index]["document_status"].as_str().unwrap_or_default().to_owned();
    assert_eq!([status(0), status(1), status(2)], ["IRN_GENERATED", "IRN_GENERATED", "INVALID"]);
    assert_eq!(day[2]["errors"][0]["error_code"], "2140");
    assert!(day[2]["errors"][0]["place"].as_str().unwrap().starts_with("inbox/day.idoc, line 55"), "{day}");
    let irn = day[0]["govt_response"]["Irn"].as_str().unwrap();
    let rows = read("day_INVREFNUM_R.csv");
    let cells: Vec<&str> = rows.lines().nth(1).unwrap().split(';').take(6).collect();
    assert_eq!(cells, ["1000", "0090000201", "2026", "F2", "KL/26-27/0201", irn]);
    let statuses = read("day_STATUS_R.xml");
    assert_eq!((statuses.matches("<STATUS>16</STATUS>").count(), statuses.matches("<DOCNUM>").count()), (2, 2));
    let json: Value = serde_json::from_str(&read("INV401_R.json")).unwrap();
    assert_eq!(
        (&json[0]["document_status"], &json[0]["custom_fields"]["DOCNO"]),
        (&"IRN_GENERATED".into(), &"0090000401".into())
    );

    // Again, and with the file once more beside itself: nothing is registered twice, and both files are answered.
    fs::copy(directory.path().join("inbox/INV401_P.json"), directory.path().join("inbox/INV401z_P.json")).unwrap();
    let again = einvoice(directory.path(), &run);
    assert_eq!(again.objects().last().unwrap()["summary"]["registered"], 0, "{}", again.out);
    let repeated: Value = serde_json::from_str(&read("INV401z_R.json")).unwrap();
    assert_eq!(repeated[0]["govt_response"]["Irn"], json[0]["govt_response"]["Irn"]);

    // With other content under its number it is refused, and says so where it came; also once the first file is gone.
    let changed =
        fs::read_to_string(directory.path().join("inbox/INV401_P.json")).unwrap().replace("Mumbai", "Navi Mumbai");
    fs::write(directory.path().join("inbox/INV402_P.json"), changed).unwrap();
    let before = read("INV401_R.json");
    for wanted in ["the first one read keeps the number", "it is registered, from inbox/INV401_P.json"] {
        let answer = einvoice(directory.path(), &run);
        assert_eq!((answer.code, &answer.objects().last().unwrap()["summary"]["registered"]), (1, &Value::from(0)));
        let refused: Value = serde_json::from_str(&read("INV402_R.json")).unwrap();
        assert_eq!((refused.as_array().map(Vec::len), &refused[0]["document_status"]), (Some(1), &"INVALID".into()));
        let error = &refused[0]["errors"][0];
        assert_eq!(error["error_code"], "ledger.key_in_use", "{refused}");
        let message = error["error_message"].as_str().unwrap();
        assert!(message.contains(wanted), "{message}");
        assert_eq!(read("INV401_R.json"), before, "its answer is what it was");
        for name in ["INV401_P.json", "INV401z_P.json"] {
            drop(fs::remove_file(directory.path().join("inbox").join(name)));
        }
    }
}

#[test]
fn a_file_of_sap_is_checked_offline_by_the_name_of_the_plugin() {
    let directory = folder();
    example(directory.path());
    let answer = einvoice(directory.path(), &["validate", "inbox/rows.csv", "--plugin", "sap-file", "--json"]);
    assert_eq!(answer.objects()[0]["document"], "29AAFCK4821M1Z5/2026-27/INV/KL/26-27/0301", "{}", answer.out);
    assert_eq!((answer.code, answer.objects()[0]["verdict"].as_str()), (0, Some("valid")), "{}", answer.out);
}
