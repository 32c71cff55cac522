//! Codes to draw from, read from the master lists as they stand in the repository and not through the product.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use einvoice_core::identifier::HsnCode;

/// The codes a valid document may carry.
#[derive(Debug)]
pub struct Lists {
    /// Goods that both published lists have, but for those taxed on their retail sale price.
    pub goods: Vec<HsnCode>,
    /// Goods taxed on their retail sale price.
    pub retail: Vec<HsnCode>,
    /// Bricks, which kept 12 per cent.
    pub bricks: Vec<HsnCode>,
    /// Services that both published lists have.
    pub services: Vec<HsnCode>,
    /// Goods that only one of the lists has.
    pub doubtful: Vec<HsnCode>,
    /// Unit quantity codes.
    pub units: Vec<&'static str>,
    /// Countries.
    pub countries: Vec<&'static str>,
    /// Currencies.
    pub currencies: Vec<&'static str>,
    /// Ports.
    pub ports: Vec<&'static str>,
    /// PIN codes by state.
    pub pins: BTreeMap<u8, Vec<u32>>,
    /// States that parties can sit in: GSTINs begin with them, they may be a place of supply, they have PIN codes.
    pub states: Vec<u8>,
    /// States that may be a place of supply.
    pub places: Vec<u8>,
}

/// The lists.
pub static LISTS: LazyLock<Lists> = LazyLock::new(Lists::read);

/// The cells of a list, without its heading.
fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    text.lines().skip(1).filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?, cells.collect()))
    })
}

fn codes(text: &'static str) -> Vec<&'static str> {
    rows(text).map(|(code, _)| code).collect()
}

/// Pan masala and tobacco, bidis excepted (advisory on goods taxed on their retail sale price).
fn is_retail(code: &str) -> bool {
    let bidis = ["24031921", "24031929"];
    ["2401", "2402", "2403"].iter().any(|heading| code.starts_with(heading)) && !bidis.contains(&code)
        || ["21069020", "24041100", "24041900"].contains(&code)
}

impl Lists {
    fn read() -> Self {
        let mut lists = Self {
            goods: Vec::new(),
            retail: Vec::new(),
            bricks: Vec::new(),
            services: Vec::new(),
            doubtful: Vec::new(),
            units: codes(include_str!("../../../core/data/masters/units.tsv")),
            countries: codes(include_str!("../../../core/data/masters/countries.tsv")),
            currencies: codes(include_str!("../../../core/data/masters/currencies.tsv")),
            ports: codes(include_str!("../../../core/data/masters/ports.tsv")),
            pins: BTreeMap::new(),
            states: Vec::new(),
            places: Vec::new(),
        };
        for (text, cells) in rows(include_str!("../../../core/data/masters/hsn.tsv")) {
            let Ok(code) = HsnCode::parse(text) else { continue };
            let brick = ["6815", "6901", "6904", "6905"].iter().any(|heading| text.starts_with(heading));
            match (text.starts_with("99"), cells.first() == Some(&"both")) {
                (true, true) => lists.services.push(code),
                (false, true) if is_retail(text) => lists.retail.push(code),
                (false, true) if brick => lists.bricks.push(code),
                (false, true) => lists.goods.push(code),
                (false, false) => lists.doubtful.push(code),
                (true, false) => {}
            }
        }
        for (pin, cells) in rows(include_str!("../../../core/data/masters/pins.tsv")) {
            let states = cells.first().copied().unwrap_or_default();
            for state in states.split(|separator: char| !separator.is_ascii_digit()) {
                if let (Ok(pin), Ok(state)) = (pin.parse(), state.parse()) {
                    lists.pins.entry(state).or_default().push(pin);
                }
            }
        }
        for (state, cells) in rows(include_str!("../../../core/data/masters/states.tsv")) {
            let (Ok(state), [_, place, prefix, ..]) = (state.parse(), cells.as_slice()) else { continue };
            if *place == "yes" {
                lists.places.push(state);
                if *prefix == "yes" && lists.pins.contains_key(&state) {
                    lists.states.push(state);
                }
            }
        }
        lists
    }
}
