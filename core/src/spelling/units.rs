//! Unit names to unit quantity codes (UQC).

use super::fold;

/// Codes of the portal's unit master, in their order.
const CODES: [&str; 45] = [
    "BAG", "BAL", "BDL", "BKL", "BOU", "BOX", "BTL", "BUN", "CAN", "CBM", "CCM", "CMS", "CTN", "DOZ", "DRM", "GGK",
    "GMS", "GRS", "GYD", "KGS", "KLR", "KME", "LTR", "MLT", "MTR", "MTS", "NOS", "OTH", "PAC", "PCS", "PRS", "QTL",
    "ROL", "SET", "SQF", "SQM", "SQY", "TBS", "TGM", "THD", "TON", "TUB", "UGS", "UNT", "YDS",
];

/// What users call units, folded.
const ALIASES: [(&str, &str); 74] = [
    ("no", "NOS"),
    ("number", "NOS"),
    ("numbers", "NOS"),
    ("each", "NOS"),
    ("ea", "NOS"),
    ("piece", "PCS"),
    ("pieces", "PCS"),
    ("pc", "PCS"),
    ("kg", "KGS"),
    ("kilo", "KGS"),
    ("kilos", "KGS"),
    ("kilogram", "KGS"),
    ("kilograms", "KGS"),
    ("kilogramme", "KGS"),
    ("gm", "GMS"),
    ("g", "GMS"),
    ("gram", "GMS"),
    ("grams", "GMS"),
    ("gms", "GMS"),
    ("l", "LTR"),
    ("ltrs", "LTR"),
    ("lt", "LTR"),
    ("lit", "LTR"),
    ("liter", "LTR"),
    ("litre", "LTR"),
    ("litres", "LTR"),
    ("liters", "LTR"),
    ("ml", "MLT"),
    ("m", "MTR"),
    ("mtrs", "MTR"),
    ("mt", "MTS"),
    ("meter", "MTR"),
    ("metre", "MTR"),
    ("meters", "MTR"),
    ("metres", "MTR"),
    ("cm", "CMS"),
    ("km", "KME"),
    ("boxes", "BOX"),
    ("bags", "BAG"),
    ("pair", "PRS"),
    ("pairs", "PRS"),
    ("pr", "PRS"),
    ("doz", "DOZ"),
    ("dozen", "DOZ"),
    ("dozens", "DOZ"),
    ("dz", "DOZ"),
    ("pkt", "PAC"),
    ("pkts", "PAC"),
    ("packet", "PAC"),
    ("packets", "PAC"),
    ("pack", "PAC"),
    ("packs", "PAC"),
    ("bottle", "BTL"),
    ("bottles", "BTL"),
    ("btls", "BTL"),
    ("roll", "ROL"),
    ("rolls", "ROL"),
    ("sets", "SET"),
    ("carton", "CTN"),
    ("cartons", "CTN"),
    ("ton", "TON"),
    ("tonne", "TON"),
    ("tonnes", "TON"),
    ("tons", "TON"),
    ("quintal", "QTL"),
    ("qtl", "QTL"),
    ("sqft", "SQF"),
    ("sft", "SQF"),
    ("sqm", "SQM"),
    ("sqmtr", "SQM"),
    ("unit", "UNT"),
    ("units", "UNT"),
    ("bundle", "BDL"),
    ("drum", "DRM"),
];

/// The code in a reporting unit of a unit master: `KGS-KILOGRAMS` to `KGS`.
#[must_use]
pub fn from_reporting(reporting: &str) -> Option<&'static str> {
    known(reporting.split('-').next().unwrap_or(reporting).trim())
}

/// The code for a unit name, by the name itself or by what people call units.
#[must_use]
pub fn from_name(name: &str) -> Option<&'static str> {
    if let Some(code) = known(name.trim()) {
        return Some(code);
    }
    let folded = fold(name);
    known(&folded).or_else(|| ALIASES.iter().find(|(alias, _)| *alias == folded).map(|(_, code)| *code))
}

fn known(code: &str) -> Option<&'static str> {
    let capitals: [u8; 3] = code.as_bytes().try_into().ok()?;
    let capitals = capitals.map(|byte| byte.to_ascii_uppercase());
    let at = CODES.binary_search_by(|known| known.as_bytes().cmp(&capitals)).ok()?;
    CODES.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_reporting_code_by_code_and_by_common_name() {
        assert_eq!(from_reporting("PRS-PAIRS"), Some("PRS"));
        assert_eq!(from_reporting("OTH-OTHERS"), Some("OTH"));
        assert_eq!(from_name("Nos"), Some("NOS"));
        assert_eq!(from_name("Nos."), Some("NOS"));
        assert_eq!(from_name("Number"), Some("NOS"));
        assert_eq!(from_name("Sq.Ft."), Some("SQF"));
        assert_eq!(from_name("Trunk"), None);
    }

    #[test]
    fn every_code_is_found_in_any_case() {
        for code in CODES {
            assert_eq!((known(code), known(&code.to_lowercase())), (Some(code), Some(code)));
        }
        assert_eq!((known("NO"), known("NOSE"), known("ÅS")), (None, None, None));
    }

    #[test]
    fn every_alias_leads_to_a_code_of_the_master() {
        for (alias, code) in ALIASES {
            assert!(known(code).is_some(), "{alias}");
            assert_eq!(fold(alias), alias);
        }
    }
}
