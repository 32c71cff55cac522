//! Names of fields of an `IDoc`, as rules of the mapping have them.
//!
//! `E1EDK01.CURCY` is a field of the first such segment that has it, `E1EDK02[009].BELNR` that of the segment with a
//! qualifier, `E1EDP05[KSCHL=JOIG].BETRG` names the field to qualify by. Formulas write `E1EDK02:009.BELNR`, as brackets
//! mean something else there. What begins with `@` is derived from several fields (see [`Derived`]).

use std::borrow::Cow;

/// Fields that qualify a segment where a name does not say by which.
const QUALIFIERS: [&str; 7] = ["QUALF", "PARVW", "IDDAT", "SUMID", "TDID", "KSCHL", "QUALIFIER"];

/// A field of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldName {
    pub(crate) segment: String,
    pub(crate) qualifier: Option<Qualifier>,
    pub(crate) field: String,
}

/// What a segment must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Qualifier {
    by: Option<String>,
    value: String,
}

impl Qualifier {
    /// Whether a segment with these fields is meant. Of a field that stands there twice the first counts.
    pub(crate) fn admits(&self, fields: &[(&str, Cow<'_, str>)]) -> bool {
        let qualifies = |name: &str| match &self.by {
            Some(by) => name == by,
            None => QUALIFIERS.contains(&name),
        };
        let says =
            |name: &str| fields.iter().find(|(known, _)| *known == name).is_some_and(|(_, of)| *of == self.value);
        fields.iter().any(|(name, value)| *value == self.value && qualifies(name) && says(name))
    }
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// A field of a segment.
    Field(FieldName),
    /// A field of a partner's segment, whichever of its roles is there.
    Partner(Role, String),
    /// Derived from several fields.
    Derived(Derived),
}

/// A partner of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `RS`, else `BK`.
    Seller,
    /// `RE`, else `AG`.
    Buyer,
    /// `WE`, of the head or the same of all items, where it is not the buyer.
    Ship,
}

/// What is derived from several fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    /// The GSTIN of a partner, as far as a field holds one.
    Gstin(Role),
    /// The state of the GSTIN; 96 abroad.
    State(Role),
    /// The PIN code, without blanks; nothing abroad.
    Pin(Role),
    /// Street and house number.
    Street(Role),
    /// A detail of the plant's address, by its place in [`PLANT_DETAILS`].
    Plant(usize),
    /// Type of supply.
    Supply,
    /// Rounding in the head.
    Rounding,
    /// Charges in the head.
    Charges,
    /// The total in the document's own currency, where that is not INR.
    ForeignTotal,
    /// The currency of an export.
    Currency,
    /// The country an export goes to.
    Country,
    /// The document that a credit or debit note refers to.
    PrecedingNumber,
    /// Its date.
    PrecedingDate,
    /// Number of the item.
    Position,
    /// HSN.
    Hsn,
    /// The material's key.
    Material,
    /// Price of one unit.
    UnitPrice,
}

impl Derived {
    /// Whether it is one of items, and not of the head.
    pub(crate) const fn is_of_item(self) -> bool {
        matches!(self, Self::Position | Self::Hsn | Self::Material | Self::UnitPrice)
    }
}

/// Details of a plant.
pub(crate) const PLANT_DETAILS: [&str; 6] = ["name", "address1", "address2", "location", "pin", "state"];

/// Names that are derived, beside those of partners and plants.
const DERIVED: [(&str, Derived); 12] = [
    ("@supply", Derived::Supply),
    ("@rounding", Derived::Rounding),
    ("@charges", Derived::Charges),
    ("@total.foreign", Derived::ForeignTotal),
    ("@export.currency", Derived::Currency),
    ("@export.country", Derived::Country),
    ("@preceding.number", Derived::PrecedingNumber),
    ("@preceding.date", Derived::PrecedingDate),
    ("@item.position", Derived::Position),
    ("@item.hsn", Derived::Hsn),
    ("@item.material", Derived::Material),
    ("@item.unit_price", Derived::UnitPrice),
];

/// What a name means.
pub(crate) fn parse(name: &str) -> Result<Name, String> {
    if name.starts_with('@') {
        return derived(name).ok_or_else(|| {
            let near = DERIVED.iter().map(|(known, _)| *known);
            let near = einvoice_core::registry::nearest(name, near);
            format!(
                "{name} is not derived from an IDoc{}",
                near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
            )
        });
    }
    field(name).map(Name::Field).ok_or_else(|| {
        format!(
            "{name} is no field of an IDoc; write SEGMENT.FIELD or SEGMENT[QUALIFIER].FIELD, as in E1EDK02[009].BELNR"
        )
    })
}

fn derived(name: &str) -> Option<Name> {
    if let Some((_, derived)) = DERIVED.iter().find(|(known, _)| *known == name) {
        return Some(Name::Derived(*derived));
    }
    let (owner, detail) = name.split_once('.')?;
    let role = match owner {
        "@seller" => Role::Seller,
        "@buyer" => Role::Buyer,
        "@ship" => Role::Ship,
        "@plant" => {
            let at = PLANT_DETAILS.iter().position(|known| *known == detail)?;
            return Some(Name::Derived(Derived::Plant(at)));
        }
        _ => return None,
    };
    Some(match detail {
        "gstin" => Name::Derived(Derived::Gstin(role)),
        "state" => Name::Derived(Derived::State(role)),
        "pin" => Name::Derived(Derived::Pin(role)),
        "street" => Name::Derived(Derived::Street(role)),
        field if is_word(field) => Name::Partner(role, field.to_owned()),
        _ => return None,
    })
}

fn field(name: &str) -> Option<FieldName> {
    let (segment, rest) = name.split_at_checked(name.find(['[', ':', '.'])?)?;
    let (qualifier, field) = match rest.split_at_checked(1)? {
        ("[", rest) => {
            let (qualifier, field) = rest.split_once("].")?;
            (Some(qualifier), field)
        }
        (":", rest) => {
            let (qualifier, field) = rest.split_once('.')?;
            (Some(qualifier), field)
        }
        (_, field) => (None, field),
    };
    let qualifier = match qualifier {
        None => None,
        Some(text) => Some(match text.split_once('=') {
            Some((by, value)) if is_word(by) => Qualifier { by: Some(by.to_owned()), value: value.to_owned() },
            Some(_) => return None,
            None => Qualifier { by: None, value: text.to_owned() },
        }),
    };
    let is_segment = segment.strip_prefix('/').unwrap_or(segment).split('/').all(is_word);
    let is_qualified = qualifier.as_ref().is_none_or(|qualifier| !qualifier.value.is_empty());
    (is_segment && is_qualified && is_word(field)).then(|| FieldName {
        segment: segment.to_owned(),
        qualifier,
        field: field.to_owned(),
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segment, what qualifies it, and field.
    type Shown = (String, Option<(Option<String>, String)>, String);

    fn shown(name: &str) -> Option<Shown> {
        let Name::Field(FieldName { segment, qualifier, field }) = parse(name).ok()? else { return None };
        Some((segment, qualifier.map(|found| (found.by, found.value)), field))
    }

    #[test]
    fn fields_are_named_by_segment_qualifier_and_field() {
        let of = |segment: &str, by: Option<&str>, value: Option<&str>, field: &str| {
            let qualifier = value.map(|value| (by.map(str::to_owned), value.to_owned()));
            Some((segment.to_owned(), qualifier, field.to_owned()))
        };
        assert_eq!(shown("E1EDK01.CURCY"), of("E1EDK01", None, None, "CURCY"));
        assert_eq!(shown("E1EDK02[009].BELNR"), of("E1EDK02", None, Some("009"), "BELNR"));
        assert_eq!(shown("E1EDK02:009.BELNR"), of("E1EDK02", None, Some("009"), "BELNR"));
        assert_eq!(shown("E1EDP05[KSCHL=JOIG].BETRG"), of("E1EDP05", Some("KSCHL"), Some("JOIG"), "BETRG"));
        assert_eq!(shown("/CUST/Z1TAX.HSN_CODE"), of("/CUST/Z1TAX", None, None, "HSN_CODE"));
        for wrong in [
            "",
            "E1EDK01",
            "E1EDK01.",
            ".CURCY",
            "E1EDK02[].BELNR",
            "E1EDK02[009]BELNR",
            "e1edk01.curcy",
            "E1EDK02[a=b].X",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn derived_names_are_known_and_wrong_ones_are_told_with_a_near_one() {
        assert_eq!(parse("@buyer.NAME1"), Ok(Name::Partner(Role::Buyer, "NAME1".to_owned())));
        assert_eq!(parse("@ship.state"), Ok(Name::Derived(Derived::State(Role::Ship))));
        assert_eq!(parse("@plant.pin"), Ok(Name::Derived(Derived::Plant(4))));
        assert!(parse("@item.hsm").unwrap_err().contains("did you mean @item.hsn?"));
        assert!(parse("@buyer.name").is_err() && parse("@plant.x").is_err());
    }
}
