//! Documents of every kind the portal takes, drawn from bytes: every supply type and document type, one item or many,
//! any of the optional sections, real codes, amounts at the borders of the tolerance. Valid by construction.
//!
//! What is valid is written here from the published rules, not asked from the rulebook, so that the two can be held
//! against each other.

mod draw;
mod item;
pub mod lists;

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{
    AddlDocDtls, ContrDtls, DispDtls, DocPerdDtls, EwbDtls, ExpDtls, Field, Invoice, Item, PartyGstin, PayDtls,
    PrecDocDtls, RefDtls, ShipDtls, SupplyType, Text, YesNo,
};
use einvoice_core::identifier::{DocumentNumber, Gstin, StateCode};
use einvoice_core::key::DocumentType;
use einvoice_core::number::{Amount, Whole};
use jiff::civil::{Date, date};

pub use draw::{Draw, noise};
use item::{Context, item, near, optional, paise};
use lists::LISTS;

/// The day of reporting of drawn documents. They are at most 29 days old then.
pub const DAY: Date = date(2026, 11, 22);

/// Where a supply of type B2B or DEXP goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "another state, the same, or the same with IGST")]
pub enum Place {
    /// To another state: IGST.
    Between,
    /// Within the supplier's state: CGST and SGST.
    Within,
    /// Within it, and IGST is charged all the same.
    WithinWithIgst,
}

/// What decides which rules a document meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests choose each")]
pub struct Shape {
    /// Supply type.
    pub supply: SupplyType,
    /// Document type.
    pub doc_type: DocumentType,
    /// Where to; exports and supplies to an SEZ are always between states.
    pub place: Place,
    /// Whether the recipient pays the tax, where that is allowed.
    pub reverse_charge: bool,
}

/// Every supply type.
pub const SUPPLIES: [SupplyType; 6] = [
    SupplyType::B2b,
    SupplyType::SezWithPayment,
    SupplyType::SezWithoutPayment,
    SupplyType::ExportWithPayment,
    SupplyType::ExportWithoutPayment,
    SupplyType::DeemedExport,
];

impl Shape {
    /// Every shape there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut shapes = Vec::new();
        for supply in SUPPLIES {
            for doc_type in [DocumentType::Invoice, DocumentType::CreditNote, DocumentType::DebitNote] {
                for place in [Place::Between, Place::Within, Place::WithinWithIgst] {
                    for reverse_charge in [false, true] {
                        let zone = supply.is_export() || supply.is_sez();
                        let charged = supply == SupplyType::B2b || supply.is_sez();
                        if (place == Place::Between || !zone) && (charged || !reverse_charge) {
                            shapes.push(Self { supply, doc_type, place, reverse_charge });
                        }
                    }
                }
            }
        }
        shapes
    }

    /// A document of this shape.
    #[must_use]
    pub fn invoice(self, draw: &mut Draw<'_>) -> Invoice {
        let mut invoice = Invoice::new();
        self.transaction(draw, &mut invoice);
        self.parties(draw, &mut invoice);
        let context = self.context(draw);
        let count = if draw.once_in(4) { 1 + draw.below(40) } else { 1 + draw.below(4) };
        invoice.item_list = (1..=count).map(|serial| item(draw, serial, context)).collect();
        totals(draw, &mut invoice);
        sections(draw, &mut invoice);
        self.export(draw, &mut invoice);
        if context.goods_first {
            self.carriage(draw, &mut invoice);
        }
        invoice
    }

    fn context(self, draw: &mut Draw<'_>) -> Context {
        let note = self.doc_type != DocumentType::Invoice;
        Context {
            igst: self.place != Place::Within,
            untaxed: self.supply.is_without_payment(),
            note,
            tax_optional: self.reverse_charge || self.supply == SupplyType::ExportWithPayment,
            goods_first: !note && draw.once_in(3),
        }
    }

    fn transaction(self, draw: &mut Draw<'_>, invoice: &mut Invoice) {
        let transaction = &mut invoice.tran_dtls;
        transaction.tax_sch = "GST".into();
        transaction.sup_typ = self.supply.into();
        transaction.reg_rev = flag(draw, self.reverse_charge);
        transaction.igst_on_intra = flag(draw, self.place == Place::WithinWithIgst);
        invoice.doc_dtls.typ = self.doc_type.into();
        invoice.doc_dtls.no = number(draw);
        invoice.doc_dtls.dt = day_between(draw, (2026, 10, 24), (2026, 11, 22));
    }

    fn parties(self, draw: &mut Draw<'_>, invoice: &mut Invoice) {
        let home = draw.pick(&LISTS.states);
        let seller = &mut invoice.seller_dtls;
        seller.gstin = gstin(draw, home, Holder::Regular, 0).into();
        (seller.lgl_nm, seller.addr1, seller.loc) = (text(draw, 3, 100), text(draw, 1, 100), text(draw, 3, 50));
        (seller.stcd, seller.pin) = (state(home), pin_of(draw, home));
        if draw.flag() {
            (seller.trd_nm, seller.addr2) = (text(draw, 3, 100), text(draw, 3, 100));
            (seller.ph, seller.em) = (phone(draw), mail(draw));
        }
        let buyer = &mut invoice.buyer_dtls;
        (buyer.lgl_nm, buyer.addr1, buyer.loc) = (text(draw, 3, 100), text(draw, 1, 100), text(draw, 3, 100));
        if draw.flag() {
            (buyer.trd_nm, buyer.addr2) = (text(draw, 3, 100), text(draw, 3, 100));
            (buyer.ph, buyer.em) = (phone(draw), mail(draw));
        }
        if self.supply.is_export() {
            buyer.gstin = PartyGstin::Unregistered.into();
            (buyer.stcd, buyer.pos) = (state(96), state(96));
            buyer.pin = if draw.flag() { Whole::from_units(999_999).into() } else { Field::Absent };
            return;
        }
        let away = draw.pick(&LISTS.states);
        let holder = match self.supply {
            SupplyType::B2b => draw.pick(&[Holder::Regular, Holder::Regular, Holder::Government, Holder::Mission]),
            _ => Holder::Regular,
        };
        buyer.gstin = gstin(draw, away, holder, 1).into();
        (buyer.stcd, buyer.pin) = (state(away), pin_of(draw, away));
        let elsewhere: Vec<u8> = LISTS.places.iter().copied().filter(|place| *place != home).collect();
        let zone = self.supply.is_sez();
        buyer.pos = match self.place {
            Place::Between if zone && draw.flag() => state(home),
            Place::Between if away != home && draw.flag() => state(away),
            Place::Between => state(draw.pick(&elsewhere)),
            Place::Within | Place::WithinWithIgst => state(home),
        };
    }

    fn export(self, draw: &mut Draw<'_>, invoice: &mut Invoice) {
        if !self.supply.is_export() && !draw.once_in(6) {
            return;
        }
        let mut export = ExpDtls { cnt_code: draw.pick(&LISTS.countries).into(), ..ExpDtls::default() };
        if draw.flag() {
            export.ship_b_no = text(draw, 1, 20);
            export.ship_b_dt = day_between(draw, (2010, 1, 1), (2029, 12, 31));
            export.port = draw.pick(&LISTS.ports).into();
            export.ref_clm = YesNo::from(draw.flag()).into();
            export.for_cur = draw.pick(&LISTS.currencies).into();
            export.exp_duty = paise(draw.number(0, 99_999_999_999_999));
            invoice.val_dtls.tot_inv_val_fc = paise(draw.number(0, 9_999_999_999_999_998));
        }
        invoice.exp_dtls = Some(export);
    }

    /// The e-way bill, and where the goods go from and to.
    fn carriage(self, draw: &mut Draw<'_>, invoice: &mut Invoice) {
        if self.supply.is_export() && invoice.ship_dtls.is_none() {
            invoice.ship_dtls = Some(ship_to(draw));
        }
        if let Some(ship) = &mut invoice.ship_dtls
            && ship.gstin.is_absent()
        {
            ship.gstin = PartyGstin::Unregistered.into();
        }
        let mut ewb = EwbDtls::default();
        match draw.below(4) {
            0 => {
                ewb.trans_mode = "1".into();
                ewb.veh_no =
                    draw.pick(&["KA12KA1234", "KA12K1234", "KA123456", "KAR1234", "ka12ka1234", "TRAB1234"]).into();
                ewb.veh_type = draw.pick(&["R", "O"]).into();
            }
            1 => {
                ewb.trans_mode = draw.pick(&["2", "3"]).into();
                ewb.trans_doc_no = "RR/2026-7".into();
            }
            2 => {
                ewb.trans_mode = "4".into();
                if draw.flag() {
                    (ewb.veh_no, ewb.veh_type) = ("MH04AB1234".into(), "O".into());
                } else {
                    ewb.trans_doc_no = "BL-1".into();
                }
            }
            _ => {
                let home = draw.pick(&LISTS.states);
                ewb.trans_id = gstin(draw, home, Holder::Regular, 3).into();
                ewb.trans_name = text(draw, 3, 100);
            }
        }
        let dated = invoice.doc_dtls.dt.get().map(|date| DAY.since(date.date()).map_or(0, |span| span.get_days()));
        if !ewb.trans_doc_no.is_absent() {
            let late = draw.number(0, i64::from(dated.unwrap_or_default()));
            let day = DAY.saturating_sub(jiff::Span::new().days(late));
            ewb.trans_doc_dt = DocumentDate::from(day).into();
        }
        let from = invoice.disp_dtls.as_ref().map_or(&invoice.seller_dtls.pin, |dispatch| &dispatch.pin);
        let to = invoice.ship_dtls.as_ref().map_or(&invoice.buyer_dtls.pin, |ship| &ship.pin);
        let most = if from == to { 100 } else { 4_000 };
        let least = i64::from(from == to);
        ewb.distance = Whole::from_units(draw.number(least, most)).into();
        invoice.ewb_dtls = Some(ewb);
    }
}

/// A document of any shape.
#[must_use]
pub fn any_invoice(draw: &mut Draw<'_>) -> Invoice {
    let shapes = Shape::all();
    draw.pick(&shapes).invoice(draw)
}

/// The sections that any document may have or leave out.
fn sections(draw: &mut Draw<'_>, invoice: &mut Invoice) {
    if draw.once_in(4) {
        let state_code = draw.pick(&LISTS.states);
        invoice.disp_dtls = Some(DispDtls {
            nm: text(draw, 3, 100),
            addr1: text(draw, 1, 100),
            addr2: text(draw, 3, 100),
            loc: text(draw, 3, 100),
            pin: pin_of(draw, state_code),
            stcd: state(state_code),
            ..DispDtls::default()
        });
    }
    if draw.once_in(4) {
        invoice.ship_dtls = Some(ship_to(draw));
    }
    if draw.once_in(4) {
        invoice.pay_dtls = Some(PayDtls {
            nm: text(draw, 1, 100),
            acc_det: text(draw, 1, 18),
            mode: text(draw, 1, 18),
            fin_ins_br: text(draw, 1, 11),
            pay_term: text(draw, 1, 100),
            pay_instr: text(draw, 1, 100),
            cr_trn: text(draw, 1, 100),
            dir_dr: text(draw, 1, 100),
            cr_day: Whole::from_units(draw.number(0, 9_999)).into(),
            paid_amt: paise(draw.number(0, 9_999_999_999_999_998)),
            paymt_due: paise(draw.number(0, 9_999_999_999_999_998)),
            ..PayDtls::default()
        });
    }
    if draw.once_in(4) {
        invoice.ref_dtls = Some(references(draw));
    }
    for _ in 0..draw.below(8).saturating_sub(5) {
        invoice.addl_doc_dtls.push(AddlDocDtls {
            url: text(draw, 3, 100),
            docs: text(draw, 3, 1_000),
            info: text(draw, 3, 1_000),
            ..AddlDocDtls::default()
        });
    }
}

fn references(draw: &mut Draw<'_>) -> RefDtls {
    let mut references = RefDtls { inv_rm: text(draw, 3, 100), ..RefDtls::default() };
    if draw.flag() {
        references.doc_perd_dtls = Some(DocPerdDtls {
            inv_st_dt: day_between(draw, (2010, 1, 1), (2020, 6, 1)),
            inv_end_dt: day_between(draw, (2020, 6, 1), (2029, 12, 31)),
            ..DocPerdDtls::default()
        });
    }
    for _ in 0..draw.below(3) {
        references.prec_doc_dtls.push(PrecDocDtls {
            inv_no: draw.pick(&["AB", "INV/2025-26/0001", "9-", "a/1"]).into(),
            inv_dt: day_between(draw, (2010, 1, 1), (2026, 11, 22)),
            oth_ref_no: text(draw, 1, 20),
            ..PrecDocDtls::default()
        });
    }
    for _ in 0..draw.below(3) {
        references.contr_dtls.push(ContrDtls {
            rec_adv_refr: text(draw, 1, 20),
            rec_adv_dt: day_between(draw, (2010, 1, 1), (2029, 12, 31)),
            tend_refr: text(draw, 1, 20),
            contr_refr: text(draw, 1, 20),
            ext_refr: text(draw, 1, 20),
            proj_refr: text(draw, 1, 20),
            po_refr: text(draw, 1, 16),
            po_ref_dt: day_between(draw, (2010, 1, 1), (2029, 12, 31)),
            ..ContrDtls::default()
        });
    }
    references
}

fn ship_to(draw: &mut Draw<'_>) -> ShipDtls {
    let place = draw.pick(&LISTS.states);
    ShipDtls {
        gstin: match draw.below(3) {
            0 => Field::Absent,
            1 => PartyGstin::Unregistered.into(),
            _ => gstin(draw, place, Holder::Regular, 2).into(),
        },
        lgl_nm: text(draw, 3, 100),
        trd_nm: text(draw, 3, 100),
        addr1: text(draw, 1, 100),
        addr2: text(draw, 3, 100),
        loc: text(draw, 3, 100),
        pin: pin_of(draw, place),
        stcd: state(place),
        ..ShipDtls::default()
    }
}

fn totals(draw: &mut Draw<'_>, invoice: &mut Invoice) {
    let items = &invoice.item_list;
    let sum = |part: fn(&Item) -> [Option<Amount>; 2]| -> i64 {
        items.iter().flat_map(part).flatten().map(Amount::paise).sum()
    };
    let taxable = sum(|item| [item.ass_amt.get(), None]);
    let all = sum(|item| [item.tot_item_val.get(), None]);
    let sums = [
        sum(|item| [item.cgst_amt.get(), None]),
        sum(|item| [item.sgst_amt.get(), None]),
        sum(|item| [item.igst_amt.get(), None]),
        sum(|item| [item.ces_amt.get(), item.ces_non_advl_amt.get()]),
        sum(|item| [item.state_ces_amt.get(), item.state_ces_non_advl_amt.get()]),
    ];
    let values = &mut invoice.val_dtls;
    values.ass_val = paise(near(draw, taxable));
    let fields =
        [&mut values.cgst_val, &mut values.sgst_val, &mut values.igst_val, &mut values.ces_val, &mut values.st_ces_val];
    for (field, sum) in fields.into_iter().zip(sums) {
        let passed = near(draw, sum);
        *field = optional(draw, passed);
    }
    let discount = if all > 0 && draw.once_in(4) { draw.number(0, all - 1) } else { 0 };
    let charges = if draw.once_in(4) { draw.number(0, 1_000_000) } else { 0 };
    let mut rounding = if draw.once_in(2) { draw.number(-9_999, 9_999) } else { 0 };
    if all - discount + charges + rounding < 0 {
        rounding = 0;
    }
    values.discount = optional(draw, discount);
    values.oth_chrg = optional(draw, charges);
    values.rnd_off_amt = optional(draw, rounding);
    values.tot_inv_val = paise(near(draw, all - discount + charges + rounding));
}

/// Who holds a registration; the form of its number differs.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Regular,
    Government,
    Mission,
}

/// A GSTIN with its check character. Parties of different `role` never share one.
#[expect(clippy::expect_used, reason = "a fixture that cannot be made is a broken test")]
fn gstin(draw: &mut Draw<'_>, state: u8, holder: Holder, role: u8) -> Gstin {
    let letter = char::from(b'A' + role);
    let number = draw.number(0, 9_999);
    let first = match holder {
        Holder::Regular => format!("{state:02}AB{letter}CK{number:04}L1Z"),
        Holder::Government => format!("{state:02}ABC{letter}{number:05}M1Z"),
        Holder::Mission => format!("{state:02}26AB{letter}{number:05}UN"),
    };
    let bytes: [u8; 14] = first.as_bytes().try_into().expect("fourteen characters");
    let check = Gstin::check_character(&bytes).expect("letters and digits");
    Gstin::parse(&format!("{first}{check}")).expect("the form of a GSTIN")
}

/// Yes, or one of the ways to say no.
fn flag(draw: &mut Draw<'_>, yes: bool) -> Field<YesNo> {
    match (yes, draw.flag()) {
        (true, _) => YesNo::Yes.into(),
        (false, true) => YesNo::No.into(),
        (false, false) => Field::Absent,
    }
}

#[expect(clippy::expect_used, reason = "a fixture that cannot be made is a broken test")]
fn number(draw: &mut Draw<'_>) -> Field<DocumentNumber> {
    let run = draw.number(1, 99_999);
    let number = match draw.below(4) {
        0 => format!("T/{run}"),
        1 => format!("{}", 1 + run % 9),
        2 => format!("inv-26-27/{run:06}"),
        _ => format!("A{run:015}"),
    };
    DocumentNumber::parse(&number).expect("a document number").into()
}

#[expect(clippy::expect_used, reason = "a fixture that cannot be made is a broken test")]
fn state(code: u8) -> Field<StateCode> {
    StateCode::from_number(code).expect("a state code").into()
}

fn pin_of(draw: &mut Draw<'_>, state: u8) -> Field<Whole> {
    let pins = LISTS.pins.get(&state).map(Vec::as_slice).unwrap_or_default();
    Whole::from_units(i64::from(draw.pick(pins))).into()
}

fn phone(draw: &mut Draw<'_>) -> Field<Text> {
    draw.pick(&["080123", "919876543210"]).into()
}

fn mail(draw: &mut Draw<'_>) -> Field<Text> {
    draw.pick(&["a@b.in", "first+last_1@mail-2.example.in"]).into()
}

/// A day between two, both included.
fn day_between(draw: &mut Draw<'_>, first: (i16, i8, i8), last: (i16, i8, i8)) -> Field<DocumentDate> {
    let (first, last) = (date(first.0, first.1, first.2), date(last.0, last.1, last.2));
    let days = first.until(last).map_or(0, |span| span.get_days());
    let day = last.saturating_sub(jiff::Span::new().days(draw.number(0, i64::from(days))));
    DocumentDate::from(day).into()
}

/// A text of allowed length: often the shortest or the longest, of any script, without blanks at its ends.
fn text(draw: &mut Draw<'_>, least: usize, most: usize) -> Field<Text> {
    const WORDS: [&str; 6] = ["Malgudi", "Kabuli wala", "नमस्ते", "é/ü&<>'", "a\tb", "😀"];
    let length = match draw.below(8) {
        0..=4 => least + draw.below(12).min(most - least),
        5 => least,
        6 => most,
        _ => least + draw.below(most - least + 1),
    };
    let word = draw.pick(&WORDS);
    let text: String = word.chars().cycle().take(length).collect();
    if text.ends_with(' ') { text.replace(' ', "x").into() } else { text.into() }
}
