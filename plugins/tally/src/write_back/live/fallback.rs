//! Where a registration goes when Tally takes an alteration and does not store the e-invoice fields:
//! releases older than e-invoicing, and users who may not change them.
//!
//! Whatever stands in the voucher is read back like the fields themselves; only files cannot be.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::receipt::Receipt;
use einvoice_core::registry::BuildError;
use einvoice_core::write_back::{Delivery, WriteBack as _, WriteBackWay};

use super::super::TallyWriteBack;
use super::super::alteration::{Alteration, UserField};
use super::super::shown::{Shown, read_back_name};
use crate::config::{Fallback, TallyWriteBackConfig, UserFieldsConfig};

pub(crate) const NOWHERE: WriteBackWay = WriteBackWay {
    settings: "url",
    note: "in the voucher itself, over HTTP, by the smallest alteration, read back field by field; what Tally does not store fails the delivery",
};
pub(crate) const NARRATION: WriteBackWay = WriteBackWay {
    settings: "url, fallback = \"narration\"",
    note: "in the voucher itself, over HTTP, read back field by field; where Tally does not store the fields, IRN, acknowledgement number and date go behind the narration",
};
pub(crate) const USER_FIELDS: WriteBackWay = WriteBackWay {
    settings: "url, fallback = \"user_fields\"",
    note: "in the voucher itself, over HTTP, read back field by field; where Tally does not store the fields, in the user fields that `user_fields` names, read back too",
};
pub(crate) const FILES: WriteBackWay = WriteBackWay {
    settings: "url, fallback = \"file\"",
    note: "in the voucher itself, over HTTP, read back field by field; where Tally does not store the fields, by a file that somebody imports, with a CSV list",
};

/// A fallback, ready for use.
#[derive(Debug)]
pub(super) enum Resort {
    /// None: the delivery fails and names the fields.
    Nowhere,
    /// Behind the narration, in words.
    Narration,
    /// User fields, each with the tag of the field whose value it holds.
    UserFields(Vec<(&'static str, UserField)>),
    /// Files that somebody imports.
    Files(Box<TallyWriteBack>),
}

impl Resort {
    /// From the configuration of a target; files go into a folder below `directory`.
    ///
    /// # Errors
    /// [`BuildError`] that names the key.
    pub(super) fn new(directory: &Path, config: &TallyWriteBackConfig) -> Result<Self, BuildError> {
        let refused = |key: &str, reason: &str| BuildError::new(format!("tally, key `{key}`"), reason);
        let kind = config.fallback.unwrap_or_default();
        let folder = config.fallback_folder.as_deref().map(str::trim).filter(|folder| !folder.is_empty());
        if folder.is_some() && kind != Fallback::File {
            return Err(refused("fallback_folder", "belongs to `fallback = \"file\"`"));
        }
        if config.user_fields.is_some() && kind != Fallback::UserFields {
            return Err(refused("user_fields", "belongs to `fallback = \"user_fields\"`"));
        }
        match kind {
            Fallback::None => Ok(Self::Nowhere),
            Fallback::Narration => Ok(Self::Narration),
            Fallback::UserFields => {
                let named = config.user_fields.as_ref().ok_or_else(|| {
                    let reason = "is missing; `fallback = \"user_fields\"` needs the names of the fields";
                    refused("user_fields", reason)
                })?;
                user_fields(named).map(Self::UserFields).map_err(|reason| refused("user_fields", &reason))
            }
            Fallback::File => {
                let folder = folder.ok_or_else(|| {
                    refused("fallback_folder", "is missing; `fallback = \"file\"` needs a folder for its files")
                })?;
                let files = TallyWriteBack::new(directory.join(folder), &file_mode(config))?;
                Ok(Self::Files(Box::new(files)))
            }
        }
    }

    /// How results reach the books, for the capability.
    pub(super) const fn way(&self) -> WriteBackWay {
        match self {
            Self::Nowhere => NOWHERE,
            Self::Narration => NARRATION,
            Self::UserFields(_) => USER_FIELDS,
            Self::Files(_) => FILES,
        }
    }

    /// Whether the voucher shows a registration here already.
    pub(super) fn shows(&self, shown: &Shown<'_>, alteration: &Alteration) -> bool {
        match self {
            Self::Nowhere | Self::Files(_) => false,
            Self::Narration => shown.narrates(alteration),
            Self::UserFields(fields) => shown.missing(&in_user_fields(fields, alteration)).is_empty(),
        }
    }

    /// Whether the voucher names an IRN here: then its last change was ours.
    pub(super) fn names_irn(&self, shown: &Shown<'_>, irn: &str) -> bool {
        let Self::UserFields(fields) = self else { return shown.narrated_irn() == Some(irn) };
        fields.iter().any(|(tag, field)| *tag == "IRN" && shown.user_field(field) == irn)
    }

    /// What can be read back of a voucher, what stands here included.
    pub(super) fn by_name(&self, shown: &Shown<'_>) -> BTreeMap<String, String> {
        let mut all = shown.by_name();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        };
        match self {
            Self::Nowhere | Self::Files(_) => {}
            Self::Narration => add("irn", shown.narrated_irn().unwrap_or_default()),
            Self::UserFields(fields) => {
                for (tag, field) in fields {
                    add(read_back_name(tag).unwrap_or(tag), shown.user_field(field));
                }
            }
        }
        all
    }

    /// The alteration that puts a registration here; `None` where it does not go into the voucher.
    pub(super) fn in_voucher(&self, shown: &Shown<'_>, alteration: &Alteration) -> Option<Alteration> {
        match self {
            Self::Nowhere | Self::Files(_) => None,
            Self::Narration => Some(alteration.having(vec![("NARRATION", shown.narration_with(alteration))], None)),
            Self::UserFields(fields) => Some(in_user_fields(fields, alteration)),
        }
    }

    /// Puts a registration into files.
    ///
    /// # Errors
    /// Why it is not there; empty where no files are configured.
    pub(super) async fn to_files(&self, receipt: &Receipt) -> Result<(), String> {
        let Self::Files(files) = self else { return Err(String::new()) };
        match files.deliver(std::slice::from_ref(receipt)).await.as_deref() {
            Ok([Delivery::Done]) => Ok(()),
            Ok([Delivery::Failed { reason }, ..]) => Err(reason.clone()),
            Ok(_) => Err(String::new()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What to look at where the fallback did not stick either.
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::UserFields(_) => {
                "the user fields were not stored either; load the TDL that defines them as texts of a voucher, and check their names"
            }
            _ => "the narration was not stored either",
        }
    }
}

fn in_user_fields(fields: &[(&'static str, UserField)], alteration: &Alteration) -> Alteration {
    let pair = |(tag, field): &(&'static str, UserField)| Some((field.clone(), alteration.value(tag)?.to_owned()));
    alteration.having_user(fields.iter().filter_map(pair).collect())
}

/// The fields of a configuration, each a name of its own.
fn user_fields(named: &UserFieldsConfig) -> Result<Vec<(&'static str, UserField)>, String> {
    let all = [
        ("IRN", Some(&named.irn)),
        ("IRNACKNO", named.ack_no.as_ref()),
        ("IRNACKDATE", named.ack_date.as_ref()),
        ("IRNQRCODE", named.signed_qr.as_ref()),
        ("IRNCANCELLED", named.cancelled.as_ref()),
        ("BILLNUMBER", named.ewb_no.as_ref()),
    ];
    let mut fields: Vec<(&'static str, UserField)> = Vec::new();
    for (tag, name) in all {
        let Some(name) = name else { continue };
        let field = UserField::new(name)
            .ok_or_else(|| format!("`{name}` is no name of a user field: it takes letters, digits and blanks"))?;
        if fields.iter().any(|(_, other)| other.list() == field.list()) {
            return Err(format!("`{name}` stands twice; each value needs a field of its own"));
        }
        fields.push((tag, field));
    }
    Ok(fields)
}

/// The settings of the files that the fallback writes.
fn file_mode(config: &TallyWriteBackConfig) -> TallyWriteBackConfig {
    TallyWriteBackConfig {
        folder: "fallback".to_owned(),
        qr: config.qr,
        vouchers_max: config.vouchers_max,
        ..TallyWriteBackConfig::default()
    }
}
