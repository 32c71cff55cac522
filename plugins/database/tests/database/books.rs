//! Documents of the testkit as rows of the staging tables.

use einvoice_core::document::{Invoice, MemberPath};
use einvoice_database::{Dialect, columns};
use einvoice_testkit::documents::Recipe;

/// The statements that insert a document with a key; items first, as a careful program does it.
pub(crate) fn insert(dialect: Dialect, key: &str, invoice: &Invoice) -> String {
    let mut sql = String::new();
    let (header, items) = columns();
    for line in 0..invoice.item_list.len() {
        sql.push_str(&row(dialect, "einv_item", key, items, invoice, line));
    }
    sql.push_str(&row(dialect, "einv_header", key, header, invoice, 0));
    sql
}

/// The documents of recipes 1 to `count`, under keys `K00001` and so on.
pub(crate) fn numbered(dialect: Dialect, count: u32) -> String {
    (1..=count).map(|number| insert(dialect, &format!("K{number:05}"), &Recipe::numbered(number).invoice())).collect()
}

fn row(dialect: Dialect, table: &str, key: &str, columns: &[(&str, &str)], invoice: &Invoice, line: usize) -> String {
    let mut names = vec!["doc_key"];
    let mut values = vec![quoted(key)];
    for (column, path) in columns {
        let path = MemberPath::parse(path).unwrap();
        if let Some(text) = invoice.shown(&path, line) {
            names.push(column);
            values.push(quoted(&date(dialect, column, &text)));
        }
    }
    format!("INSERT INTO {table} ({}) VALUES ({});\n", names.join(", "), values.join(", "))
}

fn date(dialect: Dialect, column: &str, text: &str) -> String {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [day, month, year] if column.ends_with("_dt") && dialect != Dialect::Sqlite => format!("{year}-{month}-{day}"),
        _ => text.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
