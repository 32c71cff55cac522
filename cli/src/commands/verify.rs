//! `verify`: proves the portal's signature over invoices and QR codes, offline.

mod content;

use std::path::Path;

use einvoice_core::document::Invoice;
use einvoice_core::identifier::DocumentNumber;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::verify::{SignedContent, TokenVerdict, TokenVerifier};
use einvoice_protocol::claims::Claims;
use einvoice_protocol::key_set::KeySet;
use serde::Serialize;

use crate::arguments::{Common, Verify};
use crate::assemble::{KeyFile, key_set};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{Output, Style, counted, printable};
use crate::progress::Progress;
use crate::settings::{self, DEFAULT_FILE};
pub(super) use content::Found;
use content::tokens;

/// A signed text as `--json` shows it: the stable contract, and beside it the file it came from and
/// the reason of a bad verdict. Nothing of a forged text is shown as if it were known.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    file: &'a str,
    verdict: &'static str,
    kind: Option<&'static str>,
    kid: Option<String>,
    issuer: Option<String>,
    irn: Option<String>,
    irn_matches: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) fn run(arguments: &Verify, common: &Common, output: &mut Output) -> Result<u8, CliError> {
    let keys = keys(arguments, common)?;
    let mut code = exit_code::ALL_WELL;
    let mut well = 0_u64;
    let progress = Progress::new(output.shows_progress(), u64::try_from(arguments.files.len()).ok(), "files");
    for file in &arguments.files {
        progress.message(printable(&file.display().to_string()).into_owned());
        let found = tokens(file);
        let told = progress.aside(|| {
            let told = show_all(file, found, &keys, output)?;
            output.show_now().map(|()| told)
        });
        let told = told?;
        well += u64::from(told == exit_code::ALL_WELL);
        code = exit_code::most_urgent([code, told]);
        progress.advance(1);
    }
    progress.finish();
    let files = u64::try_from(arguments.files.len()).unwrap_or(u64::MAX);
    if files > 1 && !output.is_json() {
        output.line(format!("{}: {well} in order, {} not", counted(files, "file"), files.saturating_sub(well)))?;
    }
    Ok(code)
}

fn show_all(
    file: &Path,
    found: Result<Vec<Found>, CliError>,
    keys: &KeySet,
    output: &mut Output,
) -> Result<u8, CliError> {
    match found {
        Ok(found) => found.iter().try_fold(exit_code::ALL_WELL, |code, one| {
            Ok(exit_code::most_urgent([code, show(file, one, keys, output)?]))
        }),
        Err(error) => {
            // One file that cannot be read does not keep the others from being judged.
            output.flush()?;
            output.remark(format!("error: {}", error.message()));
            if output.is_json() {
                output.object(&error.report())?;
            }
            Ok(error.exit_code())
        }
    }
}

/// The keys of the command line; without any, those of the configuration, where there is one.
fn keys(arguments: &Verify, common: &Common) -> Result<KeySet, CliError> {
    if !arguments.keys.is_empty() {
        let files: Vec<KeyFile> = arguments.keys.iter().map(|text| KeyFile::from_argument(text)).collect();
        return key_set(&files);
    }
    if common.config.is_none() && !Path::new(DEFAULT_FILE).is_file() {
        return Ok(KeySet::new());
    }
    let loaded = settings::load(common)?;
    key_set(&KeyFile::matching(&loaded.settings.verify.keys, &loaded.directory)?)
}

fn show(file: &Path, found: &Found, keys: &KeySet, output: &mut Output) -> Result<u8, CliError> {
    let shown = file.display().to_string();
    let line = judge(&shown, found, keys);
    let code = if line.is_in_order() { exit_code::ALL_WELL } else { exit_code::NEEDS_PERSON };
    if output.is_json() {
        output.object(&line)?;
        return Ok(code);
    }
    let style = match line.verdict {
        GENUINE => Style::Good,
        UNVERIFIABLE => Style::Attention,
        _ => Style::Bad,
    };
    let heading = format!(
        "{}: {} {}",
        printable(&shown),
        line.kind.map_or("signed text", |kind| if kind == "signed_qr" { "signed QR" } else { "signed invoice" }),
        output.styled(style, line.verdict)
    );
    output.line(heading)?;
    let matches = line.irn_matches.map(|matches| if matches { "yes" } else { "no" }.to_owned());
    let facts = [
        ("reason", &line.reason),
        ("key", &line.kid),
        ("issuer", &line.issuer),
        ("IRN", &line.irn),
        ("IRN fits", &matches),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output.line(format!("  {name:<9} {}", printable(value)))?;
        }
    }
    Ok(code)
}

impl Line<'_> {
    /// Whether a known key signed it and its IRN is that of the document in it.
    pub(super) fn is_in_order(&self) -> bool {
        self.verdict == GENUINE && self.irn_matches != Some(false)
    }

    /// Verdict and reason, for people.
    pub(super) fn told(&self) -> String {
        let key = self.kid.as_ref().map(|kid| format!(", key {kid}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}{key}{reason}", self.verdict)
    }
}

const GENUINE: &str = "genuine";
const FORGED: &str = "forged";
const UNVERIFIABLE: &str = "unverifiable";

pub(super) fn judge<'a>(file: &'a str, found: &Found, keys: &dyn TokenVerifier) -> Line<'a> {
    match keys.verify(&found.token) {
        TokenVerdict::Genuine(content) => described(file, GENUINE, &content, found, None),
        TokenVerdict::Unverifiable(content) => {
            let reason = format!("no key {} was given: pass it with --key", content.kid);
            described(file, UNVERIFIABLE, &content, found, Some(reason))
        }
        TokenVerdict::Forged { reason } => Line {
            file,
            verdict: FORGED,
            kind: None,
            kid: None,
            issuer: None,
            irn: None,
            irn_matches: None,
            reason: Some(reason),
        },
    }
}

fn described<'a>(
    file: &'a str,
    verdict: &'static str,
    content: &SignedContent,
    found: &Found,
    reason: Option<String>,
) -> Line<'a> {
    let claims = Claims::read(&content.data).ok();
    let irn = claims.as_ref().map(Claims::irn);
    // The IRN beside a signed text is not signed, so it has to be the one inside.
    let fits_reply = found.irn.as_deref().is_none_or(|stated| Irn::parse(stated).ok() == irn);
    let other = || format!("the reply names another IRN beside it: {}", found.irn.as_deref().unwrap_or_default());
    let reason = reason.or_else(|| (!fits_reply).then(other));
    Line {
        file,
        verdict,
        kind: claims.as_ref().map(Claims::kind),
        kid: Some(content.kid.clone()).filter(|kid| !kid.is_empty()),
        issuer: Some(content.issuer.clone()).filter(|issuer| !issuer.is_empty()),
        irn: irn.as_ref().map(ToString::to_string),
        irn_matches: claims.and_then(|claims| irn_matches(&claims, &content.data)).map(|fits| fits && fits_reply),
        reason,
    }
}

/// Whether the IRN is the hash of the document it stands in; nothing when the key cannot be read.
///
/// The day of registration decides how the number was hashed; where it is not known, and around the
/// change of the rule, both forms count.
fn irn_matches(claims: &Claims, data: &str) -> Option<bool> {
    let (key, registered) = match claims {
        Claims::Qr(claims) => {
            let key = DocumentKey {
                supplier: claims.seller_gstin,
                year: claims.doc_dt.financial_year(),
                doc_type: claims.doc_typ,
                number: DocumentNumber::parse(&claims.doc_no).ok()?,
            };
            (key, claims.irn_dt)
        }
        Claims::Invoice(claims) => (Invoice::from_json(data).ok()?.invoice.document_key()?, Some(claims.ack_dt)),
    };
    let by = |rule| Irn::compute(&key, rule) == claims.irn();
    let as_written = registered.is_none_or(|moment| IrnRule::on(moment.date()) == IrnRule::AsWritten);
    Some(by(IrnRule::UpperCase) || (as_written && by(IrnRule::AsWritten)))
}
