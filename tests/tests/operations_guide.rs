//! The table of operations in the guide names every operation, and tests that there are.

use std::path::Path;

use einvoice_core::environment::Product;
use einvoice_core::operation::OperationKind;

const GUIDE: &str = include_str!("../../core/src/guide/operations.md");

/// The rows of the table, cell by cell.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = GUIDE.lines().filter(|line| line.starts_with("| `"));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn bare(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn every_operation_has_its_row_with_its_system_and_effect() {
    let rows = rows();
    assert_eq!(rows.len(), OperationKind::ALL.len(), "one row for each operation");
    for (kind, row) in OperationKind::ALL.iter().zip(&rows) {
        let [name, system, _, changes, ..] = row.as_slice() else { unreachable!("{row:?}") };
        let expected = if kind.product() == Product::EInvoice { "e-invoice" } else { "e-way bill" };
        assert_eq!((bare(name), *system), (format!("{kind:?}").as_str(), expected));
        assert_eq!(*changes, if kind.changes_books() { "yes" } else { "no" }, "{kind:?}");
    }
}

#[test]
fn every_test_that_the_table_names_exists_and_runs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for row in rows() {
        let [name, .., test] = row.as_slice() else { unreachable!("{row:?}") };
        let (file, function) = bare(test).split_once("::").unwrap();
        let source = std::fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap();
        let expected = format!("#[tokio::test]\nasync fn {function}() {{");
        assert!(source.replace('\r', "").contains(&expected), "{name}: {file}.rs has no test `{function}`");
    }
}
