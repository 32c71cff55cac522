//! What a portal code means, in words for a person.
//!
//! The sentences stand in `core/data/portal-codes.csv` beside the classes and are our own; the
//! portal's text of a reply is kept elsewhere, verbatim. Nothing here decides anything: what is done
//! about a code follows from its class alone. Reading is by a walk through the table, as it happens
//! only when somebody asks.

use serde::Serialize;

use super::{ErrorClass, TABLE};
use crate::environment::Product;
use crate::transport::Owner;

/// How sure the meaning of a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Certainty {
    /// A list of the portal, or a reply of the portal itself, has it.
    Published,
    /// One source reports it, and nobody has confirmed it.
    OneSource,
    /// Lists of different age give the number different meanings.
    Disputed,
}

/// What a code means, where it comes from and what to do. Each text is one sentence of at most 200
/// characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The system the number belongs to.
    pub product: Product,
    /// The number, verbatim.
    pub code: &'static str,
    /// What it asks of us.
    pub class: ErrorClass,
    /// Whose move it is. Finer than what [`crate::transport::TransportError::owner`] can tell from
    /// the class.
    pub owner: Owner,
    /// How sure the meaning is.
    pub certainty: Certainty,
    /// What the portal says with it.
    pub meaning: &'static str,
    /// Where it usually comes from.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Explanation {
    /// What this program does when a registration or a question about a document is answered with the
    /// code; one sentence.
    #[must_use]
    pub fn handling(&self) -> &'static str {
        match self.code {
            "2148" => {
                "Asks the site that was sent to by name, then the other NIC site; without a clear answer the outcome \
                 stays unknown."
            }
            "2154" => {
                "Takes it as not registered only from the site that was sent to, after the settling wait and inside \
                 the retrieval window; then the document may be sent again."
            }
            "3028" | "3029" => {
                "Has the portal fetch the GSTIN anew, once a run, and sends the document once more if it is active \
                 then; else records the refusal."
            }
            "9999" => "After a registration it asks what the portal has: cancelled, the document is marked so.",
            "2278" => "Marks the number as burnt and never sends the document again under it.",
            "2283" => {
                "Records the registration with its signed copy missing when a duplicate answer named the IRN; \
                 otherwise the outcome stays unknown."
            }
            "2295" => {
                "Looks the document up, and records the other portal's registration with its signed copy missing \
                 when the reply states it in full."
            }
            _ if self.product == Product::EWayBill && self.class.is_a_plain_no() => {
                "Lets an IRN stand and shows the code; nothing is asked for again unchanged."
            }
            _ => self.class.handling(),
        }
    }
}

impl ErrorClass {
    /// The answer is clear, and is no fault of login, envelope, pace or portal.
    const fn is_a_plain_no(self) -> bool {
        matches!(
            self,
            Self::Duplicate
                | Self::NotFound
                | Self::Validation
                | Self::Business
                | Self::Permission
                | Self::StateConflict
                | Self::TimeWindow
                | Self::TaxpayerBlocked
                | Self::WrongSystem
                | Self::Ewb
                | Self::Gold
                | Self::OfficerOnly
        )
    }

    /// What this program does when a registration or a question about a document is answered with a
    /// code of this class; one sentence.
    #[must_use]
    pub const fn handling(self) -> &'static str {
        match self {
            Self::TokenExpired => {
                "Drops the token, logs in once and repeats the call once; refused again, it leaves the GSTIN alone \
                 for a while and asks for a person."
            }
            Self::Auth => {
                "Keeps the document ready, leaves alone for a while whoever shares what was refused, and asks for a \
                 person, as repeated logins endanger the account."
            }
            Self::ClientConfig => {
                "Keeps the document ready, leaves alone for a while every GSTIN that shares what was refused, and \
                 asks for the configuration to be mended."
            }
            Self::PayloadOrCrypto => {
                "Keeps the document ready, as it is not at fault, leaves the route alone for a while and asks for a \
                 person."
            }
            Self::RateLimit => {
                "Keeps the document ready, pauses the GSTIN for 5 minutes, or 15 when it is blocked, then goes on."
            }
            Self::Transient | Self::UpstreamTransient => {
                "Takes the outcome of a write as unknown and asks the portal before anything is sent again."
            }
            Self::Duplicate => {
                "Looks up what the portal has and compares: the same document is adopted, another one becomes a \
                 conflict for a person."
            }
            Self::NotFound => "Takes it as the answer to a question; as the answer to a write it is a refusal.",
            Self::Validation => {
                "Records the refusal and sends the document again only after it has been changed at its source."
            }
            Self::Business | Self::Permission | Self::StateConflict | Self::TimeWindow | Self::TaxpayerBlocked => {
                "Records the refusal and waits for a person; nothing is sent again unchanged."
            }
            Self::WrongSystem => "Records the refusal; the act belongs to the site that issued the record.",
            Self::Ewb => "Lets an IRN stand: only its e-way bill is missing.",
            Self::Gold | Self::OfficerOnly => "Records the refusal and shows the portal's text.",
            Self::Unknown => {
                "Keeps code and text; after a write it asks the portal first, and takes the code as a refusal only \
                 when nothing is registered."
            }
        }
    }
}

/// What a code of a system means; `None` for a code that no list has. Letters count in any case.
///
/// The e-invoice system passes on numbers of the e-way bill system behind it. Asked about such a
/// number, it answers with the meaning there, and [`Explanation::product`] says so.
#[must_use]
pub fn explain(product: Product, code: &str) -> Option<Explanation> {
    let of = |product: Product| {
        explanations().find(|entry| entry.product == product && entry.code.eq_ignore_ascii_case(code))
    };
    of(product).or_else(|| if product == Product::EInvoice { of(Product::EWayBill) } else { None })
}

/// All explanations, in the order of the table: the e-invoice system first.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    TABLE.lines().skip(1).filter_map(entry)
}

/// One line of the table. The first five fields are plain words; the sentences stand in quotes and
/// hold none.
fn entry(line: &'static str) -> Option<Explanation> {
    let mut fields = line.splitn(6, ',');
    let product = match fields.next()? {
        "irp" => Product::EInvoice,
        "ewb" => Product::EWayBill,
        _ => return None,
    };
    let code = fields.next()?;
    let class = ErrorClass::from_name(fields.next()?)?;
    let owner = match fields.next()? {
        "us" => Owner::Us,
        "taxpayer" => Owner::Taxpayer,
        "provider" => Owner::Provider,
        "portal" => Owner::Portal,
        _ => return None,
    };
    let (certainty, sentences) = match fields.next()? {
        "published" => (Certainty::Published, fields.next()?),
        "one_source" => (Certainty::OneSource, fields.next()?),
        "disputed" => (Certainty::Disputed, fields.next()?),
        _ => return None,
    };
    let mut sentences = sentences.strip_prefix('"')?.strip_suffix('"')?.splitn(3, "\",\"");
    let (meaning, cause, remedy) = (sentences.next()?, sentences.next()?, sentences.next()?);
    Some(Explanation { product, code, class, owner, certainty, meaning, cause, remedy })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Longest sentence, so that each fits into three lines of a terminal.
    const SENTENCE_MAX: usize = 200;

    #[test]
    fn every_line_of_the_table_can_be_read_and_no_code_stands_twice() {
        assert_eq!(explanations().count(), TABLE.lines().count() - 1);
        let codes: BTreeSet<&str> = explanations().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), explanations().count());
    }

    #[test]
    fn every_text_is_one_short_sentence() {
        for entry in explanations() {
            for text in [entry.meaning, entry.cause, entry.remedy, entry.handling()] {
                let length = text.chars().count();
                assert!(length > 3 && length <= SENTENCE_MAX, "{} has {length}: {text}", entry.code);
                assert!(text.ends_with('.'), "{}: {text}", entry.code);
                assert!(!text.contains('"') && text.trim() == text, "{}: {text}", entry.code);
                assert!(!text.contains(". "), "{} has two sentences: {text}", entry.code);
            }
        }
    }

    #[test]
    fn the_three_sentences_of_a_code_say_three_things() {
        for entry in explanations() {
            assert_ne!(entry.meaning, entry.cause, "{}", entry.code);
            assert_ne!(entry.meaning, entry.remedy, "{}", entry.code);
            assert_ne!(entry.cause, entry.remedy, "{}", entry.code);
        }
    }

    #[test]
    fn a_code_is_found_in_its_system_and_in_any_case() {
        let found = explain(Product::EInvoice, "2172").unwrap();
        assert_eq!((found.class, found.owner), (ErrorClass::Validation, Owner::Taxpayer));
        assert!(explain(Product::EWayBill, "2172").is_none());
        assert_eq!(explain(Product::EInvoice, "sys_5001").unwrap().code, "SYS_5001");
        assert!(explain(Product::EInvoice, "2304").is_none());
    }

    #[test]
    fn the_e_invoice_system_passes_on_numbers_of_the_e_way_bill_system() {
        let passed_on = explain(Product::EInvoice, "240").unwrap();
        assert_eq!(passed_on.product, Product::EWayBill);
        assert_eq!(explain(Product::EWayBill, "240"), Some(passed_on));
    }

    #[test]
    fn what_is_done_about_a_code_is_what_the_pipeline_does() {
        // The codes that the pipeline tells apart within their class.
        let told_apart = ["2148", "2154", "2278", "2283", "2295", "3028", "3029", "9999"];
        for entry in explanations() {
            assert_eq!(ErrorClass::of(entry.code), entry.class);
            let special = entry.handling() != entry.class.handling();
            match entry.product {
                Product::EInvoice => assert_eq!(special, told_apart.contains(&entry.code), "{}", entry.code),
                Product::EWayBill => assert_eq!(special, entry.class.is_a_plain_no(), "{}", entry.code),
            }
        }
    }

    #[test]
    fn nobody_waits_for_the_portal_where_the_document_is_wrong() {
        let waits = explanations()
            .filter(|entry| matches!(entry.class, ErrorClass::Validation | ErrorClass::Business | ErrorClass::Ewb))
            .filter(|entry| entry.owner == Owner::Portal)
            .map(|entry| entry.code);
        // The portal's own list of PIN codes has a gap.
        assert_eq!(waits.collect::<Vec<_>>(), ["3066"]);
    }

    /// The published lists, where they are at hand: code, and every text beside it.
    fn published(file: &str) -> Option<Vec<(String, Vec<String>)>> {
        let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec").join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: {} is not there", path.display());
            return None;
        };
        Some(text.lines().skip(1).map(fields).map(|mut fields| (fields.remove(0), fields)).collect())
    }

    /// The fields of a line, some of them in quotes.
    fn fields(line: &str) -> Vec<String> {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                other => fields.last_mut().unwrap().push(other),
            }
        }
        fields
    }

    /// A text without what a copyist would change: case, blanks, dots and the like.
    fn bare(text: &str) -> String {
        text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    #[test]
    fn every_code_of_the_published_lists_is_explained() {
        for (file, product) in [("irp-error-codes.csv", Product::EInvoice), ("ewb-error-codes.csv", Product::EWayBill)]
        {
            let Some(list) = published(file) else { continue };
            assert!(list.len() > 300, "{file} was read as {} codes", list.len());
            let missing: Vec<&str> =
                list.iter().map(|(code, _)| code.as_str()).filter(|code| explain(product, code).is_none()).collect();
            assert!(missing.is_empty(), "{file}: {missing:?}");
        }
    }

    #[test]
    fn no_sentence_is_a_copy_of_a_published_one() {
        for file in ["irp-error-codes.csv", "ewb-error-codes.csv"] {
            let Some(list) = published(file) else { continue };
            let texts: BTreeSet<String> = list.iter().flat_map(|(_, texts)| texts).map(|text| bare(text)).collect();
            for entry in explanations() {
                for text in [entry.meaning, entry.cause, entry.remedy] {
                    assert!(!texts.contains(&bare(text)), "{} of {file}: {text}", entry.code);
                }
            }
        }
    }

    #[test]
    fn what_the_lists_mark_as_not_confirmed_is_not_called_published() {
        let Some(list) = published("irp-error-codes.csv") else { return };
        for (code, texts) in &list {
            if texts.iter().any(|text| text.contains("not confirmed")) {
                let entry = explain(Product::EInvoice, code).unwrap();
                assert_eq!(entry.certainty, Certainty::OneSource, "{code}");
            }
        }
    }
}
