//! Rows to documents.

use einvoice_core::mapping::TableRecord;

use super::*;

fn all(text: &[u8], config: &CsvConfig) -> Vec<(u64, Result<TableRecord, Vec<String>>)> {
    let known = ["docdtlsno", "a"].iter().map(|name| (*name).to_owned()).collect();
    let mut found = Vec::new();
    read(|| Ok(text), "f.csv", config, &known, &mut |document| {
        let content = document.content.map(|text| TableRecord::parse(&text).unwrap());
        found.push((
            document.line,
            content.map_err(|faults| faults.iter().map(|fault| fault.rule.to_string()).collect()),
        ));
        true
    })
    .unwrap();
    found
}

fn items(found: &[(u64, Result<TableRecord, Vec<String>>)]) -> Vec<Result<usize, &str>> {
    found
        .iter()
        .map(|(_, content)| content.as_ref().map(|record| record.lines.len()).map_err(|rules| rules[0].as_str()))
        .collect()
}

#[test]
fn rows_of_one_number_are_one_document_whatever_the_separator() {
    for separator in [",", ";", "|", "\t"] {
        let text = "DocDtls.No,ItemList.PrdDesc\r\nA/1,\"two\nlines, \"\"quoted\"\"\"\r\nA/1,b\r\n\r\nA/2,c\r\n";
        let text = text.replace("lines,", "lines~").replace(',', separator).replace('~', ",");
        let found = all(text.as_bytes(), &CsvConfig::default());
        assert_eq!(items(&found), [Ok(2), Ok(1)], "{separator}");
        let first = found[0].1.as_ref().unwrap();
        assert_eq!(first.lines[0]["itemlistprddesc"], "two\nlines, \"quoted\"");
        assert_eq!((first.lines_at.as_slice(), found[1].0), (&["line 2".to_owned(), "line 4".to_owned()][..], 6));
    }
}

#[test]
fn head_and_item_rows_are_put_together_with_and_without_a_heading_line() {
    let text = "KIND,DocDtls.No,a\nH,A/1,\nI,,x\nI,,y\nH,A/2,\nI,,z\n";
    let config = CsvConfig { kind_column: Some("Kind".into()), ..CsvConfig::default() };
    assert_eq!(items(&all(text.as_bytes(), &config)), [Ok(2), Ok(1)]);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let config = CsvConfig {
        head_columns: words(&["kind", "DocDtls.No", "DocDtls.Dt"]),
        item_columns: words(&["kind", "a"]),
        ..CsvConfig::default()
    };
    let found = all(b"I;x\nH;A/1;05.11.2026\nI;x\nX;y\n", &config);
    assert_eq!(items(&found), [Err("csv.row"), Err("csv.row")]);
    assert_eq!(items(&all(b"H;A/1;05.11.2026\nI;x\nI;y\n", &config)), [Ok(2)]);
}

#[test]
fn a_row_that_cannot_be_trusted_spoils_its_document_and_where_that_is_unknown_both_neighbours() {
    let text = "DocDtls.No,a,b\nA/1,x,1\nA/2,broken\nover lines,2\nA/3,y,3\nA/4,z,4\n";
    assert_eq!(items(&all(text.as_bytes(), &CsvConfig::default())), [Err("csv.row"), Err("csv.row"), Ok(1)]);
    let text = b"DocDtls.No,a\nA/1,x\nA/2,J\xf6rg\nA/3,y\n";
    assert_eq!(items(&all(text, &CsvConfig::default())), [Ok(1), Err("csv.encoding"), Ok(1)]);
}

#[test]
fn rows_of_one_document_at_two_places_are_refused() {
    let text = b"DocDtls.No,a\nA/1,x\nA/2,y\nA/1,z\n";
    assert_eq!(items(&all(text, &CsvConfig::default())), [Err("csv.interleaved"), Ok(1), Err("csv.interleaved")]);
}

#[test]
fn a_wrong_separator_an_unknown_heading_and_an_open_quote_are_said() {
    let wrong = CsvConfig { separator: Some(';'), ..CsvConfig::default() };
    for (text, config) in [
        ("DocDtls.No,a\nA/1,x\n".to_owned(), &wrong),
        ("one,two\nA/1,x\n".to_owned(), &CsvConfig::default()),
        ("a,b\nA/1,x\n".to_owned(), &CsvConfig::default()),
        (String::new(), &CsvConfig::default()),
    ] {
        assert_eq!(items(&all(text.as_bytes(), config)), [Err("csv.structure")], "{text}");
    }
    let open = format!("DocDtls.No,a\nA/1,x\nA/2,\"{}", "y\n".repeat(600_000));
    let found = all(open.as_bytes(), &CsvConfig::default());
    assert_eq!(items(&found), [Err("csv.structure"), Err("csv.structure")]);
    let missing = CsvConfig { group_by: vec!["X".into()], ..CsvConfig::default() };
    assert_eq!(items(&all(b"DocDtls.No,a\n1,2\n", &missing)), [Err("csv.structure")]);
}
