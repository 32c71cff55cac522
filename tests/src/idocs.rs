//! `IDoc`s of INVOIC02 made for tests, flat and in XML, with invented parties: the same invoice in every form.
//!
//! Offsets are written down here once more, beside those of the adapter, so that the two check each other.

use std::fmt::Write as _;

use einvoice_core::date::DocumentDate;
use einvoice_core::identifier::Gstin;

use crate::documents::gstin;

/// One segment: its type, the place of its parent among the segments (from 1; 0 for the head), and its fields.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests change segments as they like")]
pub struct Segment {
    /// Segment type, such as `E1EDK01`.
    pub name: String,
    /// Place of the parent, from 1.
    pub parent: usize,
    /// Fields and their values.
    pub fields: Vec<(&'static str, String)>,
}

impl Segment {
    /// A segment of the head.
    #[must_use]
    pub fn new(name: &str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        Self { name: name.to_owned(), parent: 0, fields }
    }

    /// The same below another segment.
    #[must_use]
    pub fn below(self, parent: usize) -> Self {
        Self { parent, ..self }
    }
}

/// How the records of a flat file follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no other framings")]
pub enum Framing {
    /// Without separators.
    Contiguous,
    /// Each on a line, with all its blanks.
    Lines,
    /// Each on a line ended by CRLF, with all its blanks.
    CrLf,
    /// Each on a line, without trailing blanks.
    Cut,
}

/// What an `IDoc` is like.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests change it as they like")]
pub struct IdocRecipe {
    /// Number of the `IDoc`.
    pub docnum: u64,
    /// Running number; the number of the invoice is `S/<number>`.
    pub number: u32,
    /// How many items.
    pub items: u32,
    /// Who supplies.
    pub supplier: Gstin,
    /// Who buys.
    pub buyer: Gstin,
    /// Date of the document.
    pub date: DocumentDate,
}

impl IdocRecipe {
    /// A two-item invoice from Karnataka to Maharashtra; a buyer of Karnataka may be put in its place.
    ///
    /// # Panics
    /// Never: the date exists.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test fixture that cannot be made is a broken test")]
    pub fn numbered(number: u32) -> Self {
        Self {
            docnum: 180_000 + u64::from(number),
            number,
            items: 2,
            supplier: gstin(29, 1),
            buyer: gstin(27, 2),
            date: DocumentDate::from_ymd(2026, 11, 5).expect("the fifth of November exists"),
        }
    }

    /// The control record.
    #[must_use]
    pub fn control(&self) -> Segment {
        let number = format!("{:016}", self.docnum);
        Segment::new(
            "EDI_DC40",
            &[
                ("TABNAM", "EDI_DC40"),
                ("MANDT", "100"),
                ("DOCNUM", &number),
                ("DOCREL", "756"),
                ("STATUS", "30"),
                ("DIRECT", "1"),
                ("OUTMOD", "2"),
                ("IDOCTYP", "INVOIC02"),
                ("MESTYP", "INVOIC"),
                ("SNDPOR", "SAPPRD"),
                ("SNDPRT", "LS"),
                ("SNDPRN", "PRDCLNT100"),
                ("RCVPOR", "EINV"),
                ("RCVPRT", "LS"),
                ("RCVPRN", "EINVOICE"),
                ("CREDAT", "20261105"),
                ("CRETIM", "113055"),
            ],
        )
    }

    /// The segments in their order. Items cost 100.00 a piece, of which there are as many as the item's number.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        let day: String = self.date.to_string().split('/').rev().collect();
        let number = format!("S/{}", self.number);
        let inside = self.supplier.state() == self.buyer.state();
        let (city, pin) = if inside { ("Mysuru", "570 001") } else { ("Pune", "411 001") };
        let mut all = vec![
            Segment::new(
                "E1EDK01",
                &[
                    ("CURCY", "INR"),
                    ("HWAER", "INR"),
                    ("WKURS", "1.00000"),
                    ("KUNDEUINR", self.buyer.as_str()),
                    ("EIGENUINR", self.supplier.as_str()),
                    ("BSART", "INVO"),
                    ("BELNR", &format!("{:010}", 90_000_000 + self.number)),
                ],
            ),
            partner(
                "RS",
                "",
                "Invented Valves Private Limited",
                "Plot 12, Peenya Industrial Area",
                "Bengaluru",
                "560058",
            ),
            partner("RE", "0000100200", "Invented Traders Private Limited", "7 Station Road", city, pin),
            Segment::new("E1EDK02", &[("QUALF", "009"), ("BELNR", &number), ("DATUM", &day)]),
            Segment::new("E1EDK02", &[("QUALF", "001"), ("BELNR", "PO-77"), ("DATUM", "00000000")]),
            Segment::new("E1EDK03", &[("IDDAT", "026"), ("DATUM", &day)]),
            Segment::new("E1EDK14", &[("QUALF", "015"), ("ORGID", "F2")]),
            Segment::new("E1EDK14", &[("QUALF", "003"), ("ORGID", "1000")]),
        ];
        let mut net = 0;
        for item in 1..=self.items {
            let rupees = u64::from(item) * 100;
            net += rupees;
            all.push(Segment::new(
                "E1EDP01",
                &[
                    ("POSEX", &format!("{:06}", item * 10)),
                    ("MENGE", &format!("{item}.000")),
                    ("MENEE", "PCE"),
                    ("WERKS", "1010"),
                    ("MATNR", "000000000010002119"),
                ],
            ));
            let own = all.len();
            let amount = format!("{rupees}.00");
            let mut below = |segment: Segment| all.push(segment.below(own));
            below(Segment::new(
                "E1EDP19",
                &[("QUALF", "002"), ("IDTNR", "000000000010002119"), ("KTEXT", "Brass valve")],
            ));
            below(Segment::new("E1EDP26", &[("QUALF", "001"), ("BETRG", "100.00")]));
            below(Segment::new("E1EDP26", &[("QUALF", "002"), ("BETRG", &amount)]));
            below(Segment::new("E1EDP26", &[("QUALF", "003"), ("BETRG", &amount)]));
            let rows = if inside { vec![("JOCG", 9), ("JOSG", 9)] } else { vec![("JOIG", 18)] };
            for (kind, rate) in rows {
                let tax = format!("{}.00", u64::from(item) * rate);
                below(Segment::new("E1EDP05", &[("KSCHL", kind), ("BETRG", &tax), ("KPERC", &format!("{rate}.000"))]));
            }
            below(Segment::new("E1EDP28", &[("STAWN", "84818030")]));
        }
        let tax = net / 100 * 18;
        for (sum, value) in [("010", net), ("005", tax), ("011", net + tax)] {
            all.push(Segment::new("E1EDS01", &[("SUMID", sum), ("SUMME", &format!("{value}.00")), ("WAERQ", "INR")]));
        }
        all
    }

    /// The `IDoc` in a flat file.
    #[must_use]
    pub fn flat(&self, framing: Framing) -> String {
        flat(self.docnum, &self.control(), &self.segments(), framing)
    }

    /// The `IDoc` in XML, without a root.
    #[must_use]
    pub fn xml(&self) -> String {
        xml(&self.control(), &self.segments())
    }
}

fn partner(role: &str, key: &str, name: &str, street: &str, city: &str, pin: &str) -> Segment {
    Segment::new(
        "E1EDKA1",
        &[
            ("PARVW", role),
            ("PARTN", key),
            ("NAME1", name),
            ("STRAS", street),
            ("ORT01", city),
            ("PSTLZ", pin),
            ("LAND1", "IN"),
        ],
    )
}

/// Where the fields that are used here stand in their segments.
const PLACES: &[(&str, &[(&str, usize)])] = &[
    (
        "EDI_DC40",
        &[
            ("TABNAM", 0),
            ("MANDT", 10),
            ("DOCNUM", 13),
            ("DOCREL", 29),
            ("STATUS", 33),
            ("DIRECT", 35),
            ("OUTMOD", 36),
            ("TEST", 38),
            ("IDOCTYP", 39),
            ("CIMTYP", 69),
            ("MESTYP", 99),
            ("SNDPOR", 148),
            ("SNDPRT", 158),
            ("SNDPRN", 162),
            ("RCVPOR", 263),
            ("RCVPRT", 273),
            ("RCVPRN", 277),
            ("CREDAT", 378),
            ("CRETIM", 386),
        ],
    ),
    (
        "E1EDK01",
        &[
            ("CURCY", 4),
            ("HWAER", 7),
            ("WKURS", 10),
            ("KUNDEUINR", 39),
            ("EIGENUINR", 59),
            ("BSART", 79),
            ("BELNR", 83),
        ],
    ),
    (
        "E1EDKA1",
        &[
            ("PARVW", 0),
            ("PARTN", 3),
            ("NAME1", 37),
            ("STRAS", 177),
            ("ORT01", 282),
            ("PSTLZ", 326),
            ("LAND1", 344),
            ("REGIO", 655),
        ],
    ),
    ("E1EDK02", &[("QUALF", 0), ("BELNR", 3), ("DATUM", 44)]),
    ("E1EDK03", &[("IDDAT", 0), ("DATUM", 3)]),
    ("E1EDK14", &[("QUALF", 0), ("ORGID", 3)]),
    ("E1EDK05", &[("ALCKZ", 0), ("KSCHL", 3), ("BETRG", 87)]),
    ("E1EDP01", &[("POSEX", 0), ("MENGE", 11), ("MENEE", 26), ("UEPOS", 184), ("WERKS", 311), ("MATNR", 394)]),
    ("E1EDP19", &[("QUALF", 0), ("IDTNR", 3), ("KTEXT", 38)]),
    ("E1EDP26", &[("QUALF", 0), ("BETRG", 3)]),
    ("E1EDP05", &[("ALCKZ", 0), ("KSCHL", 3), ("BETRG", 87), ("KPERC", 105), ("UPRBS", 128)]),
    ("E1EDP04", &[("MWSKZ", 0), ("MSATZ", 7), ("MWSBT", 24), ("KTEXT", 57)]),
    ("E1EDP28", &[("STAWN", 0)]),
    ("E1EDS01", &[("SUMID", 0), ("SUMME", 3), ("WAERQ", 24)]),
];

/// The layout of a segment that adapters do not know by themselves, as a definition file says it.
pub const DEFINITIONS: &str = "segnam,field_name,offset,length\nE1EDP28,STAWN,0,17\n";

/// Fields at their places, filled with blanks between.
fn placed(segment: &Segment) -> String {
    let places = PLACES.iter().find(|(name, _)| *name == segment.name).map_or(&[][..], |(_, places)| places);
    let mut text: Vec<char> = Vec::new();
    for (field, value) in &segment.fields {
        let Some((_, at)) = places.iter().find(|(name, _)| name == field) else { continue };
        let end = at + value.chars().count();
        text.resize(text.len().max(end), ' ');
        text.splice(*at..end, value.chars());
    }
    text.into_iter().collect()
}

/// Segments as a flat file.
#[must_use]
pub fn flat(docnum: u64, control: &Segment, segments: &[Segment], framing: Framing) -> String {
    let mut records = vec![(524, placed(control))];
    for (index, segment) in segments.iter().enumerate() {
        let level = if segment.parent == 0 { 1 } else { 2 };
        let head = format!("{:<30}100{docnum:016}{:06}{:06}{level:02}", segment.name, index + 1, segment.parent);
        records.push((1_063, format!("{head}{}", placed(segment))));
    }
    let mut text = String::new();
    for (width, record) in records {
        let end = match framing {
            Framing::Contiguous => "",
            Framing::Lines | Framing::Cut => "\n",
            Framing::CrLf => "\r\n",
        };
        if framing == Framing::Cut {
            text.push_str(record.trim_end());
        } else {
            // Writing into a text cannot fail.
            _ = write!(text, "{record:<width$}");
        }
        text.push_str(end);
    }
    text
}

/// Segments in XML, without a root.
#[must_use]
pub fn xml(control: &Segment, segments: &[Segment]) -> String {
    let mut text = String::from("<IDOC BEGIN=\"1\">");
    open(&mut text, control);
    close(&mut text, control);
    write_below(&mut text, segments, 0);
    text.push_str("</IDOC>\n");
    text
}

fn write_below(text: &mut String, segments: &[Segment], parent: usize) {
    for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.parent == parent) {
        open(text, segment);
        write_below_of(text, segments, index + 1);
        close(text, segment);
    }
}

fn write_below_of(text: &mut String, segments: &[Segment], parent: usize) {
    if segments.iter().any(|segment| segment.parent == parent) {
        write_below(text, segments, parent);
    }
}

fn open(text: &mut String, segment: &Segment) {
    _ = write!(text, "<{} SEGMENT=\"1\">", segment.name);
    for (field, value) in segment.fields.iter().filter(|(_, value)| !value.is_empty()) {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        _ = write!(text, "<{field}>{value}</{field}>");
    }
}

fn close(text: &mut String, segment: &Segment) {
    _ = writeln!(text, "</{}>", segment.name);
}
