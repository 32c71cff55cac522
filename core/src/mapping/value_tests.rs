//! Values as they are written, and what becomes of them.

use proptest::prelude::*;

use super::super::number::decimal_of;
use super::*;
use crate::document::MemberPath;

fn of(path: &str, text: &str) -> String {
    let path = MemberPath::parse(path).unwrap();
    read(text, path.member(), Formats::default()).text.into_owned()
}

fn note(path: &str, text: &str) -> Option<Note> {
    let path = MemberPath::parse(path).unwrap();
    read(text, path.member(), Formats::default()).note
}

#[test]
fn amounts_are_read_as_people_and_programs_write_them() {
    for (text, expected) in [
        ("1,23,456.00", "123456"),
        ("1,234,567.5", "1234567.5"),
        (" 12.50 ", "12.5"),
        ("12.50-", "-12.5"),
        ("-12.50", "-12.5"),
        ("(123.00)", "-123"),
        ("₹ 1,000", "1000"),
        ("Rs. 99.90", "99.9"),
        ("123.00 Cr", "123"),
        ("12.300000000000001", "12.3"),
        ("0.1 ", "0.1"),
        (".5", "0.5"),
        ("1.5E-05", "0"),
        ("7.105427357601002E-15", "0"),
        ("-7.105427357601002E-15", "0"),
        ("1E-14", "0"),
        ("0E-8", "0"),
        ("12345E-2", "123.45"),
        ("1,234.5E-1", "123.45"),
        ("9.9999999999999999999999999999999E-99", "0"),
        ("007", "7"),
    ] {
        assert_eq!(of("ItemList.TotAmt", text), expected, "{text}");
    }
    assert_eq!(of("ItemList.GstRt", "18 %"), "18");
    assert_eq!(of("ItemList.CesRt", "12%"), "12");
    for part in ["10%", "10 %"] {
        assert_eq!(of("ItemList.Discount", part), part);
        assert_eq!(of("ValDtls.Discount", part), part);
    }
    assert_eq!(of("BuyerDtls.Pin", "560 058"), "560058");
    for unclear in
        ["1,5", "12,34.00", "1.234,50", "--5", "(5-)", "five", "1.2.3", "1E+14", "1E14", "E-5", ".E-5", "1E-5E-5"]
    {
        assert_eq!(of("ItemList.TotAmt", unclear), unclear);
    }
    let comma = Formats::new(DecimalMark::Comma, DateOrder::DayFirst);
    let amount = MemberPath::parse("ItemList.TotAmt").unwrap();
    assert_eq!(read("1.234,50-", amount.member(), comma).text, "-1234.5");
}

#[test]
fn decimals_beyond_the_member_are_rounded_half_up_and_said_unless_they_are_noise() {
    assert_eq!(
        (of("ItemList.TotAmt", "10.005").as_str(), note("ItemList.TotAmt", "10.005")),
        ("10.01", Some(Note::Rounded))
    );
    assert_eq!(of("ItemList.TotAmt", "-10.005"), "-10.01");
    assert_eq!(
        (of("ItemList.Qty", "2.9999999999999996").as_str(), note("ItemList.Qty", "2.9999999999999996")),
        ("3", None)
    );
    assert_eq!(note("ItemList.Qty", "2.000"), None);
}

#[test]
fn dates_are_read_in_the_order_of_the_source_and_as_serials() {
    for text in [
        "05/11/2026",
        "5-11-26",
        "05.11.2026",
        "2026-11-05",
        "2026-11-05T00:00:00",
        "2026-11-05 00:00:00",
        "20261105",
        "5-Nov-2026",
        "05 November 2026",
        "Nov 5, 2026",
        "46331",
        "46331.0",
    ] {
        assert_eq!(of("DocDtls.Dt", text), "05/11/2026", "{text}");
    }
    assert_eq!(date("11/05/2026", DateOrder::MonthFirst), DocumentDate::from_ymd(2026, 11, 5));
    // The calendar of spreadsheets has a 29 February 1900, number 60, that never was.
    assert_eq!(serial(59), DocumentDate::from_ymd(1900, 2, 28));
    assert_eq!(serial(61), DocumentDate::from_ymd(1900, 3, 1));
    for unclear in ["31/02/2026", "13/13/2026", "tomorrow", "2026", "1/2", "123456"] {
        assert_eq!(of("DocDtls.Dt", unclear), unclear);
    }
}

#[test]
fn names_become_the_portals_codes() {
    for (path, text, expected) in [
        ("BuyerDtls.Stcd", "27-MAHARASHTRA", "27"),
        ("BuyerDtls.Pos", "Tamil Nadu", "33"),
        ("BuyerDtls.Pos", "7", "07"),
        ("DocDtls.Typ", "INV-Tax Invoice", "INV"),
        ("DocDtls.Typ", "Credit Note", "CRN"),
        ("TranDtls.RegRev", "Yes", "Y"),
        ("ItemList.IsServc", "goods", "N"),
        ("ItemList.Unit", "NOS-NUMBERS", "NOS"),
        ("ItemList.Unit", "Kilogram", "KGS"),
        ("ItemList.Unit", "Trunk", "Trunk"),
        ("EwbDtls.TransMode", "Road", "1"),
        ("EwbDtls.TransMode", "1.0", "1"),
        ("EwbDtls.VehNo", "ka 01 ab-1234", "KA01AB1234"),
        ("ExpDtls.CntCode", "Germany", "DE"),
        ("SellerDtls.Ph", "+91 98450-12345", "919845012345"),
        ("BuyerDtls.Gstin", "29aaaci1234e1z2", "29AAACI1234E1Z2"),
        ("ItemList.PrdDesc", "Valve\r\n  brass", "Valve brass"),
        ("ItemList.HsnCd", "8481.80.20", "84818020"),
        ("ItemList.SlNo", "1.0", "1"),
        ("DocDtls.No", "'INV/1", "INV/1"),
        ("DocDtls.No", "\u{0}'INV/1\u{7}", "INV/1"),
        ("ItemList.TotAmt", "=\"12\u{7}\"", "12"),
        ("DocDtls.No", "=\"0012\"", "0012"),
    ] {
        assert_eq!(of(path, text), expected, "{path}: {text}");
    }
}

/// Every word that is read as a code, beside what the portal means by that code. Both ways: a word that is read and does
/// not stand here is one that nobody compared.
#[test]
fn every_word_means_what_the_portal_means_by_its_code() {
    type Words = &'static [(&'static str, &'static [&'static str])];
    let expected: &[(&str, Words)] = &[
        ("DocDtls.Typ", &[("INV", &["Invoice", "Tax Invoice"]), ("CRN", &["Credit Note"]), ("DBN", &["Debit Note"])]),
        (
            "TranDtls.SupTyp",
            &[
                ("B2B", &["Regular", "Business", "Business GST", "Business to business"]),
                ("SEZWP", &["SEZ with payment", "SEZ, with payment of tax"]),
                ("SEZWOP", &["SEZ without payment", "SEZ without payment of tax"]),
                ("EXPWP", &["Export with payment", "Export, with payment of tax"]),
                ("EXPWOP", &["Export without payment", "Export without payment of tax"]),
                ("DEXP", &["Deemed Export", "Deemed exports"]),
            ],
        ),
        (
            "EwbDtls.TransMode",
            &[
                ("1", &["Road"]),
                ("2", &["Rail", "Train"]),
                ("3", &["Air"]),
                (
                    "4",
                    &["Ship", "Sea", "Inland waterway", "Road cum ship", "Ship or road-cum-ship", "Ship/Road cum Ship"],
                ),
            ],
        ),
        (
            "EwbDtls.VehType",
            &[
                ("R", &["Regular", "Normal"]),
                ("O", &["Over Dimensional Cargo", "Over-dimensional cargo", "Over dimensional", "ODC"]),
            ],
        ),
        (
            "ItemList.IsServc",
            &[("Y", &["Yes", "true", "1", "Service", "Services"]), ("N", &["No", "false", "0", "Goods"])],
        ),
        ("TranDtls.RegRev", &[("Y", &["Yes", "true", "1"]), ("N", &["No", "false", "0"])]),
    ];
    for (path, codes) in expected {
        let member = MemberPath::parse(path).unwrap();
        let mut left: Vec<&str> = names_of(member.member().name).iter().map(|(name, _)| *name).collect();
        for (code, words) in *codes {
            for word in *words {
                assert_eq!(of(path, word), *code, "{path}: {word}");
                assert_eq!(of(path, &word.to_uppercase()), *code, "{path}: {word}");
                left.retain(|name| *name != spelling::fold(word));
            }
        }
        assert_eq!(left, [""; 0], "{path}");
    }
    for (members, _) in NAMES {
        assert!(expected.iter().any(|(path, _)| members.iter().any(|member| path.ends_with(member))), "{members:?}");
    }
}

#[test]
fn a_code_before_its_name_is_read_and_words_that_contradict_it_are_left_as_they_stand() {
    for (path, text, expected) in [
        ("EwbDtls.VehType", "R-Regular", "R"),
        ("EwbDtls.VehType", "O - Over Dimensional Cargo", "O"),
        ("EwbDtls.VehType", "O-Over dimensional", "O"),
        ("EwbDtls.TransMode", "4-Ship", "4"),
        ("EwbDtls.TransMode", "1 - by road", "1"),
        ("ItemList.IsServc", "Y-Service", "Y"),
        ("DocDtls.Typ", "CRN-Credit Note", "CRN"),
    ] {
        assert_eq!(of(path, text), expected, "{path}: {text}");
    }
    // A sale on credit, a memo of a sale, one document for two purposes: what these are, their words do not say.
    for (path, text) in [
        ("EwbDtls.VehType", "O-Regular"),
        ("EwbDtls.VehType", "Tanker"),
        ("EwbDtls.TransMode", "1-Rail"),
        ("EwbDtls.TransMode", "Road-or-rail"),
        ("TranDtls.SupTyp", "Regular-SEZ"),
        ("DocDtls.Typ", "Credit"),
        ("DocDtls.Typ", "Debit"),
        ("DocDtls.Typ", "Invoice-cum-bill of supply"),
        ("TranDtls.RegRev", "Services"),
        ("TranDtls.RegRev", "Goods"),
    ] {
        assert_eq!(of(path, text), text, "{path}");
    }
}

#[test]
fn a_lost_zero_comes_back_and_lost_digits_are_said() {
    assert_eq!((of("ItemList.HsnCd", "902").as_str(), note("ItemList.HsnCd", "902")), ("0902", Some(Note::ZeroAdded)));
    assert_eq!(note("ItemList.HsnCd", "8.4E+7"), Some(Note::DigitsLost));
    assert_eq!(note("DocDtls.No", "1.12E+14"), Some(Note::DigitsLost));
}

/// `2106.90` typed as a number loses its last zero, `0902.10` its first one too, and the heading 8471 may gain two.
#[test]
fn an_hsn_that_may_have_been_a_number_with_decimals_stays_as_it_stands() {
    for text in ["2106.9", "902.1", "902.10", "8471.00", "8471.0000", "84.7", "8504..40", "8481.80.20.1"] {
        assert_eq!((of("ItemList.HsnCd", text).as_str(), note("ItemList.HsnCd", text)), (text, None));
    }
    for (text, digits) in
        [("2106.90", "210690"), ("84.71", "8471"), ("8481 80\u{a0}20", "84818020"), ("8471.0", "8471")]
    {
        assert_eq!(of("ItemList.HsnCd", text), digits, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic_and_numbers_stay_numbers(text in "\\PC{0,24}") {
        for path in ["ItemList.TotAmt", "DocDtls.Dt", "DocDtls.No", "ItemList.HsnCd", "BuyerDtls.Stcd", "ItemList.Unit"] {
            let _read = of(path, &text);
        }
        if let Some(number) = number(&text, DecimalMark::Point) {
            prop_assert!(decimal_of(&number).is_some() || number.len() > 25, "{number}");
        }
    }
}
