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
