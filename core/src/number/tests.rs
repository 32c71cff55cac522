//! Numbers read, written and computed with.

use proptest::prelude::*;

use super::read::parse_with_care;
use super::*;

#[test]
fn zeros_beyond_the_last_place_are_no_decimals() {
    assert_eq!(Amount::parse("100.50000"), Ok(Amount::from_paise(10_050)));
    assert_eq!(Amount::parse("1200.0"), Ok(Amount::from_paise(120_000)));
    assert_eq!(Amount::parse("0.00000000000000000000000000000000"), Ok(Amount::ZERO));
    assert_eq!(Whole::parse("560001.0"), Ok(Whole::from_units(560_001)));
}

#[test]
fn a_third_decimal_is_refused_in_an_amount_and_kept_in_a_price() {
    assert_eq!(Amount::parse("1.005"), Err(NumberError::TooManyDecimals { allowed: 2 }));
    assert_eq!(UnitPrice::parse("1.005"), Ok(UnitPrice::from_thousandths(1_005)));
    assert_eq!(UnitPrice::parse("1.0005"), Err(NumberError::TooManyDecimals { allowed: 3 }));
}

#[test]
fn exponents_are_read_exactly() {
    assert_eq!(Amount::parse("1.5E2"), Ok(Amount::from_paise(15_000)));
    assert_eq!(Amount::parse("15000e-2"), Ok(Amount::from_paise(15_000)));
    assert_eq!(Amount::parse("1e-3"), Err(NumberError::TooManyDecimals { allowed: 2 }));
    assert_eq!(Amount::parse("1e999999999999999999999"), Err(NumberError::OutOfRange));
    assert_eq!(Amount::parse("0e999999999999999999999"), Ok(Amount::ZERO));
}

#[test]
fn what_json_would_not_call_a_number_is_refused() {
    for text in ["", "-", "+1", "01", "1.", ".5", "1,000", " 1", "1 ", "1e", "1e+", "NaN", "--1", "1.5.2", "0x10"] {
        assert_eq!(Amount::parse(text), Err(NumberError::NotANumber), "{text:?}");
    }
}

#[test]
fn numbers_beyond_sixty_four_bits_are_out_of_range() {
    assert_eq!(Amount::parse("92233720368547758.07"), Ok(Amount::from_paise(i64::MAX)));
    assert_eq!(Amount::parse("92233720368547758.08"), Err(NumberError::OutOfRange));
    assert_eq!(Amount::parse("-92233720368547758.08"), Ok(Amount::from_paise(i64::MIN)));
    assert_eq!(Amount::parse("123456789012345678901234567890"), Err(NumberError::OutOfRange));
    assert_eq!(Amount::parse("1.2345678901234567890123456789"), Err(NumberError::TooManyDecimals { allowed: 2 }));
}

#[test]
fn taxes_round_half_up_to_the_paisa() {
    let rate = Rate::from_thousandths(12_000);
    assert_eq!(rate.of(Amount::from_paise(997_884)), Some(Amount::from_paise(119_746)));
    assert_eq!(Rate::from_thousandths(5_000).of(Amount::from_paise(10)), Some(Amount::from_paise(1)));
    assert_eq!(Rate::from_thousandths(5_000).half_of(Amount::from_paise(20)), Some(Amount::from_paise(1)));
    let gross = Quantity::from_thousandths(100_345).times(UnitPrice::from_thousandths(99_545));
    assert_eq!(gross, Some(Amount::from_paise(998_884)));
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(units in any::<i64>()) {
        let amount = Amount::from_paise(units);
        prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        let mut written = Vec::new();
        amount.write(&mut written);
        prop_assert_eq!(String::from_utf8(written).unwrap(), amount.to_string());
        let quantity = Quantity::from_thousandths(units);
        prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
        prop_assert!(Amount::parse(&text).is_ok() || Amount::parse(&text).is_err());
    }

    #[test]
    fn the_syntax_is_that_of_json(text in "-?[0-9]{0,4}(\\.[0-9]{0,4})?([eE][+-]?[0-9]{0,2})?") {
        let json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(!matches!(Amount::parse(&text), Err(NumberError::NotANumber)), json);
    }

    #[test]
    fn the_quick_reading_of_a_number_is_that_of_the_careful_one(
        text in "[0-9]{0,19}(\\.[0-9]{0,4})?[eE.0,} -]{0,2}", places in 0_u32..4
    ) {
        if let Some((units, length)) = plain_number(text.as_bytes(), places) {
            prop_assert_eq!(parse_with_care(&text[..length], places), Ok(units));
            let longer = matches!(text.as_bytes().get(length), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
            prop_assert!(!longer, "{} was cut to {}", text, &text[..length]);
        }
    }

    #[test]
    fn products_are_rounded_alike_in_sixty_four_bits_and_in_more(
        left in prop_oneof![any::<i64>(), -9_999_999_i64..9_999_999],
        right in prop_oneof![any::<i64>(), -9_999_999_i64..9_999_999]
    ) {
        for divisor in [10_000, 100_000, 200_000] {
            let wide = multiply_widely(left, right, divisor);
            prop_assert_eq!(multiply_half_up(left, right, divisor), wide);
        }
    }

    #[test]
    fn a_shifted_exponent_means_the_same_number(units in 0_i64..1_000_000_000, shift in 0_usize..20) {
        let text = format!("{units}{}e-{}", "0".repeat(shift), shift + 2);
        prop_assert_eq!(Amount::parse(&text), Ok(Amount::from_paise(units)));
    }
}
