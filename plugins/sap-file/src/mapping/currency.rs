//! Rupees for a unit of the document's currency.
//!
//! A rate of SAP means something only together with its ratio: it is kept for 1, 100 or 1,000 units, and the ratio (table
//! `TCURF`, transaction OBBS) is not in the `IDoc`. SAP's note 783877 says so of its tables; that rupees are quoted for 100
//! yen or Kenyan shillings is seen in the customs' notifications of exchange rates. Which ratio a system has for which
//! currency is field knowledge and no rule, so nothing is assumed where it is likely to be another than one.

use std::collections::BTreeMap;

use einvoice_core::finding::Finding;
use rust_decimal::Decimal;

/// The currency of every registration.
pub(crate) const RUPEE: &str = "INR";

/// Largest number of units that a rate is kept for.
pub(crate) const UNITS_MAX: u32 = 1_000_000;

/// Currencies of which a unit is worth less than a rupee or so: their rates to the rupee are the ones that are kept for
/// more than one unit, as SAP keeps five decimals.
const SMALL: [&str; 50] = [
    "AMD", "AOA", "ARS", "BDT", "BIF", "CDF", "CLP", "COP", "CRC", "DJF", "DZD", "GNF", "GYD", "HUF", "IDR", "IQD",
    "IRR", "ISK", "JMD", "JPY", "KES", "KHR", "KMF", "KRW", "KZT", "LAK", "LBP", "LKR", "LRD", "MGA", "MMK", "MNT",
    "MWK", "NGN", "NPR", "PKR", "PYG", "RSD", "RUB", "RWF", "SDG", "SLL", "SYP", "TZS", "UGX", "UZS", "VND", "XAF",
    "XOF", "YER",
];

/// Checks what a configuration says of units.
///
/// # Errors
/// The reason, where a name is no currency or a number no ratio.
pub(crate) fn check(units: &BTreeMap<String, u32>) -> Result<(), String> {
    for (currency, count) in units {
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code || currency == RUPEE {
            return Err(format!(
                "{currency:?} is no foreign currency: expected a code as SAP has it in CURCY, such as JPY"
            ));
        }
        let is_ratio =
            (1..=UNITS_MAX).contains(count) && count.checked_ilog10().map(|zeros| 10_u32.pow(zeros)) == Some(*count);
        if !is_ratio {
            return Err(format!(
                "{currency} = {count}: expected 1, 10, 100, 1000 ... {UNITS_MAX}, the ratio that SAP has for it"
            ));
        }
    }
    Ok(())
}

/// Rupees for one unit, of a rate that `WKURS` states.
///
/// # Errors
/// An error for a currency whose ratio somebody has to look up.
pub(crate) fn for_one(currency: &str, stated: Decimal, units: &BTreeMap<String, u32>) -> Result<Decimal, Box<Finding>> {
    match units.get(currency) {
        Some(count) => Ok(stated.checked_div(Decimal::from(*count)).unwrap_or(stated)),
        None if SMALL.contains(&currency) => {
            let message = format!(
                "the rate of {currency} may be for 1, 100 or 1,000 units: SAP keeps that apart from the rate, and the IDoc does not say it"
            );
            let finding = Finding::error("sap.currency_units", "ValDtls", message)
                .with_found(format!("CURCY {currency}, WKURS {stated}"))
                .with_expected(format!("`conditions.currency_units` with {currency} = 1, 100 or 1000"))
                .with_fix(format!(
                    "Ask who keeps exchange rates in SAP for the ratio of {currency} to INR (transaction OBBS, table TCURF), and set \
                     `conditions.currency_units = {{ {currency} = ... }}` in the source. Nothing was sent."
                ));
            Err(Box::new(finding))
        }
        None => Ok(stated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_a_power_of_ten_of_a_foreign_currency() {
        let checked = |currency: &str, count: u32| check(&BTreeMap::from([(currency.to_owned(), count)]));
        for count in [1, 10, 100, 1_000, UNITS_MAX] {
            assert_eq!(checked("JPY", count), Ok(()), "{count}");
        }
        for (currency, count, part) in [
            ("JPY", 0, "JPY = 0"),
            ("JPY", 150, "JPY = 150"),
            ("JPY", 10_000_000, "1000000"),
            ("Yen", 100, "\"Yen\""),
            ("jpy", 100, "\"jpy\""),
            ("INR", 100, "\"INR\""),
        ] {
            let reason = checked(currency, count).unwrap_err();
            assert!(reason.contains(part) && reason.contains("expected"), "{reason}");
        }
    }
}
