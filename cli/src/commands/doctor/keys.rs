//! Keys on this machine: of which kind, how large, until when.

use std::path::{Path, PathBuf};

use einvoice_core::config::RouteTable;
use einvoice_core::date::ist_date;
use einvoice_protocol::public_key::RsaPublicKey;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::report::Line;
use crate::assemble::{Assembly, KeyFile};
use crate::commands::onboard::check;

/// How long before its end a certificate is warned about.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The keys by which signatures are proven.
pub(super) fn signing(assembly: &Assembly, now: Timestamp) -> Vec<Line> {
    const CHECK: &str = "signing keys";
    const FIX: &str = "Download the portal's certificates from its pages and name them under [verify] keys.";
    let patterns = &assembly.settings().verify.keys;
    if patterns.is_empty() {
        return vec![Line::warn(CHECK, "none is configured, so every signature stays unproven", FIX)];
    }
    let files = match KeyFile::matching(patterns, assembly.directory()) {
        Ok(files) => files,
        Err(error) => return vec![Line::fail(CHECK, error.to_string(), FIX)],
    };
    files
        .iter()
        .map(|file| match read(&file.path) {
            Ok(key) => about(CHECK, &file.path, &key, now),
            Err(reason) => Line::fail(CHECK, reason, FIX),
        })
        .collect()
}

/// The keys by which logins are sealed, of one route.
pub(super) fn login(assembly: &Assembly, table: &RouteTable, now: Timestamp) -> Vec<Line> {
    const CHECK: &str = "login key";
    let patterns = &assembly.settings().verify.keys;
    let signing: Vec<RsaPublicKey> = KeyFile::matching(patterns, assembly.directory())
        .unwrap_or_default()
        .iter()
        .filter_map(|file| read(&file.path).ok())
        .collect();
    files(&table.part.settings)
        .into_iter()
        .map(|file| {
            match check::login_key(&file, assembly.directory()).map(|found| found.key) {
                Ok(key) if signing.iter().any(|other| other.is_same_key(&key)) => Line::warn(
                    CHECK,
                    format!("{} is a signing key, too (see [verify] keys)", file.display()),
                    "The portals use different keys for logins and for signatures: compare both files with what the \
                     portal hands out.",
                ),
                Ok(key) => about(CHECK, &file, &key, now),
                Err(reason) => {
                    Line::fail(CHECK, reason, "Download the key again from the portal's page of the API users.")
                }
            }
            .on(table)
        })
        .collect()
}

/// Files of public keys for logins among the settings of a route.
fn files(settings: &Value) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (key, value) in settings.as_object().into_iter().flatten() {
        match value {
            Value::String(file) if key.ends_with("auth_public_key_file") => found.push(PathBuf::from(file)),
            Value::Object(_) => found.extend(files(value)),
            _ => {}
        }
    }
    found
}

fn read(path: &Path) -> Result<RsaPublicKey, String> {
    let text = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    RsaPublicKey::from_pem(&String::from_utf8_lossy(&text)).map_err(|error| format!("{}: {error}", path.display()))
}

/// A key, and a warning where its certificate ends.
fn about(check: &str, path: &Path, key: &RsaPublicKey, now: Timestamp) -> Line {
    let file = path.display();
    let bits = key.bits();
    let Some(until) = key.not_after() else {
        return Line::ok(check, format!("{file}: RSA, {bits} bits; a bare key says nothing of its end"));
    };
    let day = ist_date(until);
    let fix = "Look on the portal's pages whether it uses a newer one by now, and add that beside it: what was signed \
               before is still proven by the old one.";
    if until < now {
        return Line::warn(check, format!("{file}: its certificate ended on {day}"), fix);
    }
    if until.duration_since(now) < SOON {
        return Line::warn(check, format!("{file}: its certificate ends on {day}"), fix);
    }
    Line::ok(check, format!("{file}: RSA, {bits} bits, in a certificate until {day}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_files_are_found_at_any_depth_of_a_routes_settings() {
        let settings = json!({
            "auth_public_key_file": "a.pem", "base_url": "https://x", "ewb": {"auth_public_key_file": "b.pem"},
            "ewb_auth_public_key_file": "c.pem", "root_certificate_file": "d.pem",
        });
        let mut found = files(&settings);
        found.sort();
        assert_eq!(found, [PathBuf::from("a.pem"), PathBuf::from("b.pem"), PathBuf::from("c.pem")]);
    }
}
