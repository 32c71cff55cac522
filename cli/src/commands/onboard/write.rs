//! The configuration: a new file, or a route added to the one that is there, which otherwise stays as it was.

use std::io::Write as _;
use std::path::Path;

use einvoice_core::config::Settings;
use einvoice_core::environment::Product;
use einvoice_core::registry::Registry;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::answers::{Answers, Portal, Way};
use super::{apart, emulator};
use crate::commands::init;
use crate::commands::new::form;
use crate::error::CliError;

/// What would become of the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It says already what it should.
    None,
    /// A new file, or one with additions: its text.
    Write(String),
    /// It has a route of this name that leads elsewhere: its text with that route replaced.
    Replace(String),
}

/// What the answers make of a configuration file; `present` is its text, where there is one.
///
/// # Errors
/// [`CliError::Usage`] where the file cannot be added to.
pub(super) fn change(
    answers: &Answers,
    present: Option<&str>,
    file: &Path,
    registry: &Registry,
) -> Result<Change, CliError> {
    let wrong = |reason: String| CliError::Usage(format!("{}: {reason}", file.display()));
    let route = route(answers);
    let keys = answers.signing_keys.clone().unwrap_or_default();
    let Some(present) = present else {
        let mut document = DocumentMut::new();
        let mut routes = ArrayOfTables::new();
        routes.push(route);
        document.insert("route", Item::ArrayOfTables(routes));
        let source = answers.source.as_deref().unwrap_or("json-file");
        let store = answers.store.as_deref().unwrap_or("credentials-file");
        let text = init::with_route(registry, source, store, &document.to_string(), &keys)?;
        let text = with_ledger_of(file, text).map_err(wrong)?;
        return checked(&text).map(|()| Change::Write(text)).map_err(wrong);
    };
    let mut document: DocumentMut =
        present.parse().map_err(|error: toml_edit::TomlError| wrong(error.to_string().trim_end().to_owned()))?;
    let before = document.to_string();
    if let Some(store) = &answers.store {
        emulator::make_room(&mut document, store);
    }
    if !document.contains_key("credentials")
        && let Some(store) = &answers.store
    {
        let mut table = Table::new();
        table.insert("plugin", value(store));
        table.decor_mut().set_prefix("\n");
        document.insert("credentials", Item::Table(table));
    }
    drop_keys(&mut document, &answers.done.written_keys, &keys);
    add_keys(&mut document, &keys).map_err(wrong)?;
    let replaced = put_route(&mut document, route).map_err(wrong)?;
    let text = document.to_string();
    checked(&text).map_err(wrong)?;
    Ok(match (text == before, replaced) {
        (true, _) => Change::None,
        (false, true) => Change::Replace(text),
        (false, false) => Change::Write(text),
    })
}

/// Writes the file; it is the old one or the new one, whatever happens.
///
/// # Errors
/// [`CliError::File`].
pub(super) fn write(file: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "write", error };
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // No secret is in it, and a service under another account has to read it.
    let mut written = form::for_others().tempfile_in(folder).map_err(failed)?;
    written.write_all(text.as_bytes()).and_then(|()| written.as_file().sync_all()).map_err(failed)?;
    if let Ok(metadata) = std::fs::metadata(file) {
        written.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    }
    written.persist(file).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The new configuration with a ledger of its own, where it is not the default file.
fn with_ledger_of(file: &Path, text: String) -> Result<String, String> {
    let Some(path) = apart::ledger_of(file) else { return Ok(text) };
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    if let Some(ledger) = document.get_mut("ledger").and_then(Item::as_table_mut) {
        ledger.insert("path", value(path));
    }
    Ok(document.to_string())
}

/// Whether the text is a configuration.
fn checked(text: &str) -> Result<(), String> {
    let read: serde_json::Value = toml::from_str(text).map_err(|error| error.to_string())?;
    Settings::from_value(read).map(drop).map_err(|error| error.to_string())
}

/// The table of the route that the answers describe.
fn route(answers: &Answers) -> Table {
    let mut table = Table::new();
    let direct = answers.way == Some(Way::Direct);
    table.insert("name", value(answers.route.clone().unwrap_or_default()));
    table.insert("plugin", value(if direct { "direct" } else { "gsp" }));
    if let Some(environment) = answers.environment {
        table.insert("environment", value(environment.to_string()));
    }
    if direct {
        if let Some(portal) = &answers.portal {
            table.insert("base_url", value(&portal.base_url));
            table.insert("auth_public_key_file", key_file(portal));
        }
        if let Some(ewb) = answers.ewb.as_ref().filter(|_| answers.with_ewb == Some(true)) {
            let mut inner = Table::new();
            inner.insert("base_url", value(&ewb.base_url));
            inner.insert("auth_public_key_file", key_file(ewb));
            table.insert("ewb", Item::Table(inner));
        }
        return table;
    }
    let Some(provider) = &answers.provider else { return table };
    if let Some(account) = &provider.account {
        table.insert("client_account", value(account));
    }
    table.insert("profile", value(&provider.profile));
    for (product, file) in &provider.login_key_files {
        let key = if *product == Product::EInvoice { "auth_public_key_file" } else { "ewb_auth_public_key_file" };
        table.insert(key, value(shown(file)));
    }
    if let Some(environment) = provider.client_pair_is_of.filter(|_| provider.other_hosts != Some(true)) {
        table.insert("client_pair_is_of", value(environment.to_string()));
    }
    let hosts = Some(&provider.hosts).filter(|_| provider.other_hosts == Some(true));
    for (key, values) in [("settings", Some(&provider.settings)), ("hosts", hosts)] {
        let values = values.filter(|values| !values.is_empty());
        let inline: Option<InlineTable> = values.map(|values| values.iter().collect());
        if let Some(inline) = inline {
            table.insert(key, value(inline));
        }
    }
    table
}

fn key_file(portal: &Portal) -> Item {
    value(portal.login_key_file.as_deref().map(shown).unwrap_or_default())
}

/// A path as a configuration has it on every system.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// What a route of ours says; what else stands in one of the same plugin is the person's own.
const OURS: [&str; 12] = [
    "name",
    "plugin",
    "environment",
    "base_url",
    "auth_public_key_file",
    "ewb",
    "client_account",
    "profile",
    "ewb_auth_public_key_file",
    "settings",
    "hosts",
    "client_pair_is_of",
];

/// Puts the route behind the others, or in the place of the one with its name; whether it replaced another.
fn put_route(document: &mut DocumentMut, mut route: Table) -> Result<bool, String> {
    let routes = document.entry("route").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(routes) = routes.as_array_of_tables_mut() else {
        return Err("`route` is written as one line; write each route as a table of its own, [[route]]".to_owned());
    };
    let name_of = |table: &Table| {
        let text = |key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
        text("name").or_else(|| text("plugin"))
    };
    let wanted = name_of(&route);
    let Some(known) = routes.iter_mut().find(|table| name_of(table) == wanted) else {
        route.decor_mut().set_prefix("\n");
        routes.push(route);
        return Ok(false);
    };
    if says(known, &route) {
        return Ok(false);
    }
    let is_same = |key: &str| known.get(key).and_then(Item::as_str) == route.get(key).and_then(Item::as_str);
    if is_same("plugin") {
        let own: Vec<(String, Item)> = known
            .iter()
            .filter(|(key, _)| !OURS.contains(key))
            .map(|(key, item)| (key.to_owned(), item.clone()))
            .collect();
        route.extend(own);
    }
    let (decor, position) = (known.decor().clone(), known.position());
    *known = route;
    *known.decor_mut() = decor;
    known.set_position(position);
    Ok(true)
}

/// Whether a table of the file says all that ours does; more is the person's own.
fn says(theirs: &Table, ours: &Table) -> bool {
    let data = |table: &Table| toml::from_str::<toml::Table>(&table.to_string()).unwrap_or_default();
    let theirs = data(theirs);
    data(ours).iter().all(|(key, value)| theirs.get(key) == Some(value))
}

/// Takes out the patterns of signing keys that an earlier answer put in, and that are wanted no more.
fn drop_keys(document: &mut DocumentMut, written: &[String], wanted: &[String]) {
    let known = document.get_mut("verify").and_then(Item::as_table_like_mut).and_then(|verify| verify.get_mut("keys"));
    if let Some(known) = known.and_then(Item::as_array_mut) {
        let is_dropped = |key: &Value| {
            key.as_str().is_some_and(|key| written.iter().any(|it| it == key) && !wanted.iter().any(|it| it == key))
        };
        known.retain(|key| !is_dropped(key));
    }
}

/// Adds the patterns of signing keys that are not there yet.
fn add_keys(document: &mut DocumentMut, keys: &[String]) -> Result<(), String> {
    if keys.is_empty() {
        return Ok(());
    }
    let verify = document.entry("verify").or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        Item::Table(table)
    });
    let Some(verify) = verify.as_table_like_mut() else { return Err("`verify` is no table".to_owned()) };
    let known = verify.entry("keys").or_insert_with(|| value(Array::new()));
    let Some(known) = known.as_array_mut() else { return Err("`verify.keys` is no list".to_owned()) };
    for key in keys {
        if !known.iter().filter_map(Value::as_str).any(|known| known == key) {
            known.push(key);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use einvoice_core::environment::Environment;

    use super::*;
    use crate::plugins;

    fn answers() -> Answers {
        let mut answers = Answers::default();
        answers.way = Some(Way::Direct);
        answers.environment = Some(Environment::Sandbox);
        answers.route = Some("nic".to_owned());
        let login_key_file = Some(PathBuf::from("keys/auth.pem"));
        answers.portal = Some(Portal { base_url: "https://portal.example".to_owned(), login_key_file });
        answers.signing_keys = Some(vec!["keys/sign.pem".to_owned()]);
        answers
    }

    fn changed(answers: &Answers, present: Option<&str>) -> Change {
        change(answers, present, Path::new("einvoice.toml"), &plugins::registry().unwrap()).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_configuration_can_be_read_by_others_as_any_file_and_keeps_the_permissions_it_was_given() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (file, any) = (folder.path().join("einvoice.toml"), folder.path().join("any"));
        let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        std::fs::write(&any, "").unwrap();
        write(&file, "").unwrap();
        assert_eq!(mode(&file), mode(&any));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        write(&file, "").unwrap();
        assert_eq!(mode(&file), 0o640);
    }

    #[cfg(all(feature = "direct", feature = "json-file", feature = "credentials-file"))]
    #[test]
    fn a_new_file_has_all_that_a_run_needs_and_a_second_time_there_is_nothing_to_do() {
        let Change::Write(text) = changed(&answers(), None) else { panic!() };
        let settings = Settings::from_value(toml::from_str(&text).unwrap()).unwrap();
        assert_eq!(settings.routes.first().unwrap().part.plugin, "direct");
        assert_eq!(settings.verify.keys, ["keys/sign.pem"]);
        assert_eq!(settings.credentials.plugin, "credentials-file");
        assert_eq!(settings.sources.len(), 1);
        assert_eq!(changed(&answers(), Some(&text)), Change::None);
    }

    #[test]
    fn a_route_is_added_to_a_file_that_keeps_its_comments_and_its_other_routes() {
        let present = "# ours\n[[route]]\nname = \"old\" # the first\nplugin = \"direct\"\nenvironment = \"production\"\n\
                       base_url = \"https://old.example\"\n\n[run]\nconcurrency = 2\n";
        let Change::Write(text) = changed(&answers(), Some(present)) else { panic!() };
        assert!(text.starts_with("# ours\n[[route]]\nname = \"old\" # the first\n"), "{text}");
        let settings = Settings::from_value(toml::from_str(&text).unwrap()).unwrap();
        let names: Vec<&str> = settings.routes.iter().map(|route| route.part.name.as_str()).collect();
        assert_eq!((names, settings.run.concurrency), (vec!["old", "nic"], 2));
    }

    #[test]
    fn a_route_of_the_same_name_that_leads_elsewhere_is_replaced_only_by_its_own_change() {
        let present = "[[route]]\nname = \"nic\"\nplugin = \"direct\"\nenvironment = \"sandbox\"\n\
                       base_url = \"https://elsewhere.example\"\nauth_public_key_file = \"keys/auth.pem\"\n";
        let Change::Replace(text) = changed(&answers(), Some(present)) else { panic!() };
        assert!(text.contains("https://portal.example") && !text.contains("elsewhere"), "{text}");
        let more = present.replace("elsewhere", "portal") + "site = \"NIC2\"\n[verify]\nkeys = [\"keys/sign.pem\"]\n";
        assert_eq!(changed(&answers(), Some(&more)), Change::None, "what a person added is no difference");
    }
}
