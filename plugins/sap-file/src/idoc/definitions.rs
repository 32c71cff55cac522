//! Which field stands where in a segment's data: the layouts of INVOIC that are built in, and those of a customer.
//!
//! In a flat file only position says what a value is. The layouts here are those of the SAP dictionary; later versions of
//! a segment only append fields, so they fit every version. A segment without a layout is kept and has no fields: a guess
//! would register a wrong amount.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// A field: its name, and the characters it takes in the segment's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldLayout {
    pub(crate) name: Box<str>,
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

/// Most names that are remembered; a file of invoices has some forty.
const KINDS_MAX: usize = 1_000;

/// The fields of a segment in their order.
pub(crate) type Layout = Vec<FieldLayout>;

/// The layouts of all segments that are known, by the name of the segment type (`E1EDK01`).
#[derive(Debug, Clone)]
pub(crate) struct Definitions {
    by_name: HashMap<String, Layout>,
}

impl Default for Definitions {
    fn default() -> Self {
        let mut by_name = HashMap::new();
        for (names, fields) in BUILT_IN {
            for name in *names {
                by_name.insert((*name).to_owned(), layout(fields));
            }
        }
        Self { by_name }
    }
}

impl Definitions {
    /// Puts a segment's layout in the place of what was known of it.
    pub(crate) fn set(&mut self, segment: &str, layout: Layout) {
        self.by_name.insert(segment.to_owned(), layout);
    }

    /// The layout of a segment type.
    pub(crate) fn of(&self, segment: &str) -> Option<&Layout> {
        self.by_name.get(segment)
    }

    /// The segment type of a name in a file, which may be that of a version: `E2EDK01005` is `E1EDK01`, `E2EDKA1003` is
    /// `E1EDKA1`, `E2EDK02` is `E1EDK02`. A name with a layout of its own stays.
    pub(crate) fn segment_type<'a>(&self, name: &'a str) -> std::borrow::Cow<'a, str> {
        if self.by_name.contains_key(name) {
            return name.into();
        }
        let unversioned = |name: &'a str| {
            let (base, version) = name.split_at_checked(name.len().checked_sub(3)?)?;
            (!base.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())).then_some(base)
        };
        let Some(rest) = name.strip_prefix("E2") else {
            // Segments of customers carry versions too: `Z2TAX000` is `Z1TAX`.
            if let Some(rest) = name.strip_prefix("Z2") {
                let rest = unversioned(rest).unwrap_or(rest);
                return format!("Z1{rest}").into();
            }
            return unversioned(name).filter(|base| self.by_name.contains_key(*base)).unwrap_or(name).into();
        };
        let whole = format!("E1{rest}");
        if self.by_name.contains_key(&whole) {
            return whole.into();
        }
        match unversioned(rest) {
            Some(base) => format!("E1{base}").into(),
            None => whole.into(),
        }
    }
}

/// The segments of a file by their names in it, each looked up once.
#[derive(Debug)]
pub(crate) struct Kinds<'d> {
    definitions: &'d Definitions,
    known: HashMap<String, SegmentKind<'d>, RandomState>,
}

/// What is known of a segment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentKind<'d> {
    /// The segment type.
    pub(crate) name: Rc<str>,
    /// Its layout, where one is known.
    pub(crate) layout: Option<&'d Layout>,
}

impl<'d> Kinds<'d> {
    pub(crate) fn new(definitions: &'d Definitions) -> Self {
        Self { definitions, known: HashMap::default() }
    }

    /// A segment by its name in the file.
    pub(crate) fn of(&mut self, name: &str) -> SegmentKind<'d> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        if self.known.len() >= KINDS_MAX {
            self.known.clear();
        }
        let kind = self.definitions.segment_type(name);
        let layout = self.definitions.of(name).or_else(|| self.definitions.of(&kind));
        let kind = SegmentKind { name: Rc::from(&*kind), layout };
        self.known.insert(name.to_owned(), kind.clone());
        kind
    }
}

/// A layout of fields that follow one another, written as `NAME:length`.
fn layout(text: &str) -> Layout {
    let mut offset = 0;
    text.split_whitespace()
        .filter_map(|field| {
            let (name, length) = field.split_once(':')?;
            let length = length.parse().ok()?;
            let field = FieldLayout { name: name.into(), offset, length };
            offset += length;
            Some(field)
        })
        .collect()
}

/// The fields of the control record, `EDI_DC40`.
pub(crate) static CONTROL: LazyLock<Layout> = LazyLock::new(|| {
    layout(
        "TABNAM:10 MANDT:3 DOCNUM:16 DOCREL:4 STATUS:2 DIRECT:1 OUTMOD:1 EXPRSS:1 TEST:1 IDOCTYP:30 CIMTYP:30 \
         MESTYP:30 MESCOD:3 MESFCT:3 STD:1 STDVRS:6 STDMES:6 SNDPOR:10 SNDPRT:2 SNDPFC:2 SNDPRN:10 SNDSAD:21 \
         SNDLAD:70 RCVPOR:10 RCVPRT:2 RCVPFC:2 RCVPRN:10 RCVSAD:21 RCVLAD:70 CREDAT:8 CRETIM:6 REFINT:14 REFGRP:14 \
         REFMES:14 ARCKEY:70 SERIAL:20",
    )
});

/// Segments of INVOIC01 and INVOIC02 with their fields and lengths, by the dictionary of SAP. Those of `E1EDP02`,
/// `E1EDK04` and `E1EDP04` were not seen in a file: a customer's definition file should confirm them.
const BUILT_IN: &[(&[&str], &str)] = &[
    (
        &["E1EDK01"],
        "ACTION:3 KZABS:1 CURCY:3 HWAER:3 WKURS:12 ZTERM:17 KUNDEUINR:20 EIGENUINR:20 BSART:4 BELNR:35 \
         NTGEW:18 BRGEW:18 GEWEI:3 FKART_RL:4 ABLAD:25 BSTZD:4 VSART:2 VSART_BEZ:20 RECIPNT_NO:10 KZAZU:1 \
         AUTLF:1 AUGRU:3 AUGRU_BEZ:40 ABRVW:3 ABRVW_BEZ:20 FKTYP:1 LIFSK:2 LIFSK_BEZ:20 EMPST:25 ABTNR:4 \
         DELCO:3 WKURS_M:12 LANDTX:3 STCEG_L:3",
    ),
    (
        &["E1EDKA1", "E1EDPA1"],
        "PARVW:3 PARTN:17 LIFNR:17 NAME1:35 NAME2:35 NAME3:35 NAME4:35 STRAS:35 STRS2:35 PFACH:35 ORT01:35 \
         COUNC:9 PSTLZ:9 PSTL2:9 LAND1:3 ABLAD:35 PERNR:30 PARNR:30 TELF1:25 TELF2:25 TELBX:25 TELFX:25 \
         TELTX:25 TELX1:25 SPRAS:1 ANRED:15 ORT02:35 HAUSN:6 STOCK:6 REGIO:3 PARGE:1 ISOAL:2 ISONU:2 FCODE:20 \
         IHREZ:30 BNAME:35 PAORG:30 ORGTX:35 PAGRU:30 KNREF:30 ILNNR:70 PFORT:35 SPRAS_ISO:2 TITLE:15",
    ),
    (&["E1EDK02"], "QUALF:3 BELNR:35 POSNR:6 DATUM:8 UZEIT:6"),
    (&["E1EDK03", "E1EDP03"], "IDDAT:3 DATUM:8 UZEIT:6"),
    (&["E1EDK14"], "QUALF:3 ORGID:35"),
    (&["E1EDK17"], "QUALF:3 LKOND:3 LKTEXT:70"),
    (&["E1EDK18"], "QUALF:3 TAGE:8 PRZNT:8 ZTERM_TXT:70"),
    (
        &["E1EDK05"],
        "ALCKZ:3 KSCHL:4 KOTXT:80 BETRG:18 KPERC:8 KRATE:15 UPRBS:9 MEAUN:3 KOBTR:18 MWSKZ:7 MSATZ:17 KOEIN:3",
    ),
    (
        &["E1EDP01"],
        "POSEX:6 ACTION:3 PSTYP:1 KZABS:1 MENGE:15 MENEE:3 BMNG2:15 PMENE:3 ABFTZ:7 VPREI:15 PEINH:9 NETWR:18 \
         ANETW:18 SKFBP:18 NTGEW:18 GEWEI:3 EINKZ:1 CURCY:3 PREIS:18 MATKL:9 UEPOS:6 GRKOR:3 EVERS:7 BPUMN:6 \
         BPUMZ:6 ABGRU:2 ABGRT:40 ANTLF:1 FIXMG:1 KZAZU:1 BRGEW:18 PSTYV:4 EMPST:25 ABTNR:4 ABRVW:3 WERKS:4 \
         LPRIO:2 LPRIO_BEZ:20 ROUTE:6 ROUTE_BEZ:40 LGORT:4 VSTEL:4 DELCO:3 MATNR:35",
    ),
    (
        &["E1EDP05"],
        "ALCKZ:3 KSCHL:4 KOTXT:80 BETRG:18 KPERC:8 KRATE:15 UPRBS:9 MEAUN:3 KOBTR:18 MENGE:15 PREIS:15 \
         MWSKZ:7 MSATZ:17 KOEIN:3 CURTP:2 KOBAS:18",
    ),
    (
        &["E1EDP19"],
        "QUALF:3 IDTNR:35 KTEXT:70 MFRPN:42 MFRNR:10 IDTNR_EXTERNAL:40 IDTNR_VERSION:10 IDTNR_GUID:32 \
         IDTNR_LONG:40",
    ),
    (&["E1EDP26"], "QUALF:3 BETRG:18"),
    (&["E1EDS01"], "SUMID:3 SUMME:18 SUNIT:3 WAERQ:3"),
    (&["E1EDKT1"], "TDID:4 TSSPRAS:3 TSSPRAS_ISO:2 TDOBJECT:10 TDOBNAME:70"),
    (&["E1EDPT1"], "TDID:4 TSSPRAS:3 TSSPRAS_ISO:2"),
    (&["E1EDKT2", "E1EDPT2"], "TDLINE:70 TDFORMAT:2"),
    (&["E1EDP02"], "QUALF:3 BELNR:35 ZEILE:6 DATUM:8 UZEIT:6 BSARK:35 IHREZ:30"),
    (&["E1EDK04", "E1EDP04"], "MWSKZ:7 MSATZ:17 MWSBT:18 TXJCD:15 KTEXT:50"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_the_lengths_of_the_dictionary() {
        let known = Definitions::default();
        let length = |name: &str| known.of(name).and_then(|fields| fields.last()).map(|last| last.offset + last.length);
        for (segment, wanted) in [
            ("E1EDK01", 363),
            ("E1EDKA1", 995),
            ("E1EDPA1", 995),
            ("E1EDK02", 58),
            ("E1EDK05", 185),
            ("E1EDP01", 429),
            ("E1EDP05", 235),
            ("E1EDP19", 282),
            ("E1EDP26", 21),
            ("E1EDS01", 27),
            ("E1EDP04", 107),
        ] {
            assert_eq!(length(segment), Some(wanted), "{segment}");
        }
        assert_eq!(CONTROL.len(), 36);
        assert_eq!(CONTROL.last().map(|last| last.offset + last.length), Some(524));
        let region = known.of("E1EDKA1").unwrap().iter().find(|field| &*field.name == "REGIO").unwrap();
        assert_eq!((region.offset, region.length), (655, 3));
    }

    #[test]
    fn names_of_versions_lead_to_the_segment_type() {
        let known = Definitions::default();
        for (name, wanted) in [
            ("E2EDK01005", "E1EDK01"),
            ("E2EDKA1003", "E1EDKA1"),
            ("E2EDK02", "E1EDK02"),
            ("E2EDP01010", "E1EDP01"),
            ("E1EDK01", "E1EDK01"),
            ("E1EDK01005", "E1EDK01"),
            ("E2EDP28000", "E1EDP28"),
            ("Z2TAX001", "Z1TAX"),
            ("Z1TAX", "Z1TAX"),
            ("E1EDP28", "E1EDP28"),
            ("E2", "E1"),
            ("é1", "é1"),
        ] {
            assert_eq!(known.segment_type(name), wanted, "{name}");
        }
        let mut own = known.clone();
        own.set("E2EDP01010", Vec::new());
        assert_eq!(own.segment_type("E2EDP01010"), "E2EDP01010");
    }
}
