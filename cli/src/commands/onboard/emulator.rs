//! A configuration that was made for the emulator inside this program: its route, its invented accounts and its key make
//! room for what is real.

use toml_edit::{DocumentMut, Item, Table, value};

use crate::assemble::EMULATOR;

/// Whether the credentials of a configuration are those that the emulator makes up.
pub(super) fn is_of_emulator(text: &str) -> bool {
    text.parse().is_ok_and(|document: DocumentMut| has_invented_accounts(&document))
}

fn has_invented_accounts(document: &DocumentMut) -> bool {
    let credentials = document.get("credentials").and_then(Item::as_table_like);
    credentials.and_then(|table| table.get("plugin")).and_then(Item::as_str) == Some(EMULATOR)
}

/// Takes the emulator out, and names a store for real credentials. Everything else stays as it is.
pub(super) fn make_room(document: &mut DocumentMut, store: &str) {
    if !has_invented_accounts(document) {
        return;
    }
    let mut folders: Vec<String> = Vec::new();
    let mut note = |data: Option<&Item>| folders.extend(data.and_then(Item::as_str).map(|data| format!("{data}/")));
    if let Some(credentials) = document.get_mut("credentials") {
        note(credentials.get("data"));
        let mut table = Table::new();
        table.insert("plugin", value(store));
        // Comments before the table stay where they are.
        if let Some(old) = credentials.as_table() {
            *table.decor_mut() = old.decor().clone();
            table.set_position(old.position());
        }
        *credentials = Item::Table(table);
    }
    if let Some(routes) = document.get_mut("route").and_then(Item::as_array_of_tables_mut) {
        let is_emulator = |table: &Table| table.get("plugin").and_then(Item::as_str) == Some(EMULATOR);
        routes.iter().filter(|route| is_emulator(route)).for_each(|route| note(route.get("data")));
        routes.retain(|route| !is_emulator(route));
    }
    let keys = document.get_mut("verify").and_then(Item::as_table_like_mut).and_then(|verify| verify.get_mut("keys"));
    if let Some(keys) = keys.and_then(Item::as_array_mut) {
        keys.retain(|key| !key.as_str().is_some_and(|key| folders.iter().any(|folder| key.starts_with(folder))));
    }
}
