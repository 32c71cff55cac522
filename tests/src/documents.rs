//! Documents made for tests: valid by construction, with invented parties, as many as are wanted.

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{Field, Invoice, Item, SupplyType, YesNo};
use einvoice_core::identifier::{DocumentNumber, Gstin, HsnCode, StateCode};
use einvoice_core::key::DocumentType;
use einvoice_core::number::{Amount, Quantity, Rate, UnitPrice, Whole};

/// A GSTIN of a state, with a valid check character. `seed` picks one of 10,000 invented PANs.
///
/// # Panics
/// For a state that is not two digits.
#[must_use]
#[expect(clippy::expect_used, reason = "a test fixture that cannot be made is a broken test")]
pub fn gstin(state: u8, seed: u32) -> Gstin {
    let letter = |shift: u32| char::from(b'A' + u8::try_from((seed / 10_000 + shift) % 26).unwrap_or_default());
    let first = format!("{state:02}{}{}{}C{}{:04}K1Z", letter(4), letter(8), letter(12), letter(16), seed % 10_000);
    let bytes: [u8; 14] = first.as_bytes().try_into().expect("fourteen characters");
    let check = Gstin::check_character(&bytes).expect("letters and digits have a check character");
    Gstin::parse(&format!("{first}{check}")).expect("it has the form of a GSTIN")
}

/// What a test invoice is like.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Who supplies: of Karnataka (29), Tamil Nadu (33) or Delhi (07).
    pub supplier: Gstin,
    /// Type of the document.
    pub doc_type: DocumentType,
    /// Running number; the document number is `T/<number>`.
    pub number: u32,
    /// How many items.
    pub items: u32,
    /// Date of the document.
    pub date: DocumentDate,
    /// Whether the recipient sits in Maharashtra, or else in Karnataka with the supplier.
    pub inter_state: bool,
}

impl Recipe {
    /// A six-item inter-state invoice of a Karnataka supplier.
    ///
    /// # Panics
    /// Never: the date exists.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test fixture that cannot be made is a broken test")]
    pub fn numbered(number: u32) -> Self {
        Self {
            supplier: gstin(29, 1),
            doc_type: DocumentType::Invoice,
            number,
            items: 6,
            date: DocumentDate::from_ymd(2026, 11, 5).expect("the fifth of November exists"),
            inter_state: true,
        }
    }

    /// The same by another supplier.
    #[must_use]
    pub fn by(self, supplier: Gstin) -> Self {
        Self { supplier, ..self }
    }

    /// The document.
    ///
    /// # Panics
    /// Never: every part is valid by construction.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test fixture that cannot be made is a broken test")]
    pub fn invoice(&self) -> Invoice {
        let mut invoice = Invoice::new();
        invoice.tran_dtls.tax_sch = "GST".into();
        invoice.tran_dtls.sup_typ = SupplyType::B2b.into();
        invoice.tran_dtls.reg_rev = YesNo::No.into();
        invoice.doc_dtls.typ = self.doc_type.into();
        invoice.doc_dtls.no = DocumentNumber::parse(&format!("T/{}", self.number)).expect("a valid number").into();
        invoice.doc_dtls.dt = self.date.into();

        let seller = &mut invoice.seller_dtls;
        seller.gstin = self.supplier.into();
        seller.lgl_nm = "Malgudi Textiles Private Limited".into();
        seller.addr1 = "14 Market Road".into();
        let home = self.supplier.state();
        let (place, pin_code) = match home.map(StateCode::number) {
            Some(33) => ("Chennai", "600001"),
            Some(7) => ("Delhi", "110001"),
            _ => ("Bengaluru", "560001"),
        };
        seller.loc = place.into();
        seller.pin = pin(pin_code);
        seller.stcd = Field::from_option(home);

        let (state, pin_code, place) =
            if self.inter_state { ("27", "400001", "Mumbai") } else { ("29", "570001", "Mysuru") };
        let state = StateCode::parse(state).expect("a state code");
        let buyer = &mut invoice.buyer_dtls;
        buyer.gstin = gstin(state.number(), 77).into();
        buyer.lgl_nm = "Kabuliwala Traders LLP".into();
        buyer.addr1 = "7 Station Street".into();
        buyer.loc = place.into();
        buyer.pin = pin(pin_code);
        buyer.stcd = state.into();
        buyer.pos = state.into();

        invoice.item_list = (1..=self.items).map(|serial| self.item(serial)).collect();
        total(&mut invoice);
        invoice
    }

    /// The document as canonical JSON.
    #[must_use]
    pub fn json(&self) -> String {
        self.invoice().to_json()
    }

    #[expect(clippy::expect_used, reason = "a test fixture that cannot be made is a broken test")]
    fn item(&self, serial: u32) -> Item {
        let quantity = Quantity::from_thousandths(i64::from(serial) * 1_000 + 500);
        let price = UnitPrice::from_thousandths(i64::from(self.number % 977) * 1_000 + 99_950);
        let rate = Rate::from_thousandths(if serial.is_multiple_of(2) { 18_000 } else { 5_000 });
        let value = quantity.times(price).expect("small numbers");
        let mut item = Item {
            sl_no: serial.to_string().into(),
            prd_desc: format!("Cotton cloth, grade {serial}").into(),
            is_servc: YesNo::No.into(),
            hsn_cd: HsnCode::parse("520811").expect("an HSN").into(),
            qty: quantity.into(),
            unit: "MTR".into(),
            unit_price: price.into(),
            tot_amt: value.into(),
            ass_amt: value.into(),
            gst_rt: rate.into(),
            ..Item::default()
        };
        let mut sum = value;
        if self.inter_state {
            let tax = rate.of(value).expect("small numbers");
            item.igst_amt = tax.into();
            sum = sum.checked_add(tax).expect("small numbers");
        } else {
            let half = rate.half_of(value).expect("small numbers");
            item.cgst_amt = half.into();
            item.sgst_amt = half.into();
            sum = sum.checked_add(half).and_then(|sum| sum.checked_add(half)).expect("small numbers");
        }
        item.tot_item_val = sum.into();
        item
    }
}

fn pin(text: &str) -> Field<Whole> {
    Field::from_text(text)
}

/// Sets the totals to the sums of the items.
fn total(invoice: &mut Invoice) {
    let sum = |part: fn(&Item) -> &Field<Amount>| {
        let paise = invoice.item_list.iter().filter_map(|item| part(item).get()).map(Amount::paise).sum();
        Field::Value(Amount::from_paise(paise))
    };
    let (ass_val, igst, cgst, sgst, all) = (
        sum(|item| &item.ass_amt),
        sum(|item| &item.igst_amt),
        sum(|item| &item.cgst_amt),
        sum(|item| &item.sgst_amt),
        sum(|item| &item.tot_item_val),
    );
    let totals = &mut invoice.val_dtls;
    totals.ass_val = ass_val;
    totals.igst_val = igst;
    totals.cgst_val = cgst;
    totals.sgst_val = sgst;
    totals.tot_inv_val = all;
}
