//! Rules of the configuration over what this plugin maps itself: `[source.mapping]`.
//!
//! Fields are named as the origins of values are shown: `V/NARRATION` is an element of the voucher, `I/BATCHNAME` one of
//! the line that became the item, and `V/EXPORTDETAILS.LIST/PORTCODE` one inside a list, of which the first that has a
//! value counts.

use std::borrow::Cow;

use einvoice_core::mapping::{Mapping, MappingConfig, MappingError, Names, Record};
use einvoice_core::source::{MappedDocument, Provenance, Skip};

use crate::lexical;
use crate::xml::Element;

/// The rules of a configuration; nothing where it has none.
///
/// # Errors
/// When a rule cannot be used, or has no meaning here.
pub(crate) fn rules(config: &MappingConfig) -> Result<Option<Mapping>, MappingError> {
    if *config == MappingConfig::default() {
        return Ok(None);
    }
    let refused = |at: &str, reason: &str| Err(MappingError { at: at.to_owned(), reason: reason.to_owned() });
    if !config.seller.is_empty() {
        return refused("seller", "supplier details have a table of their own here: [[source.seller]]");
    }
    if config.complete.is_some() {
        return refused("complete", "line values, taxes and totals are always those of the voucher here");
    }
    Mapping::new(&MappingConfig::default(), config, Names::Exact).map(Some)
}

/// A voucher as a record: its own elements are the head, those of the lines that became items are the lines.
pub(crate) struct VoucherRecord<'r> {
    pub(crate) voucher: &'r Element<'r>,
    pub(crate) lines: &'r [&'r Element<'r>],
}

impl Record for VoucherRecord<'_> {
    fn lines(&self) -> usize {
        self.lines.len()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        let found = match line {
            None => find(self.voucher, name.strip_prefix("V/")?),
            Some(line) => find(self.lines.get(line)?, name.strip_prefix("I/")?),
        };
        found.map(Cow::Borrowed)
    }

    fn origin(&self, _: Option<usize>, name: &str) -> String {
        name.to_owned()
    }
}

/// The first value at the end of a path.
fn find<'e>(element: &'e Element<'_>, path: &str) -> Option<&'e str> {
    let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let mut named = element.children().iter().filter(|child| child.name() == name);
    match rest {
        Some(rest) => named.find_map(|child| find(child, rest)),
        None => named.map(Element::raw_text).find_map(lexical::value),
    }
}

/// Applies rules to a document. What a rule sets is no longer a matter of what the voucher lacked, so that what was said
/// about that member before is taken back.
///
/// # Errors
/// Why a rule passes the voucher over.
pub(crate) fn apply(rules: &Mapping, record: &VoucherRecord<'_>, mapped: &mut MappedDocument) -> Result<(), Skip> {
    rules.skipped(record)?;
    let findings = std::mem::take(&mut mapped.findings);
    let mut provenance: Provenance = std::mem::take(&mut mapped.provenance);
    rules.apply(record, mapped);
    let set = std::mem::take(&mut mapped.provenance);
    let mut kept = findings;
    kept.retain(|finding| !set.contains_key(&finding.path));
    kept.append(&mut mapped.findings);
    mapped.findings = kept;
    provenance.extend(set);
    mapped.provenance = provenance;
    Ok(())
}
