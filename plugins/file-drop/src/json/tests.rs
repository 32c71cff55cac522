//! Shapes, faults and limits of the splitter.

use proptest::prelude::*;

use super::*;

fn pieces(bytes: &[u8], lines: bool) -> Vec<Piece> {
    Splitter::new(bytes, lines).map(Result::unwrap).collect()
}

/// Texts of the good elements, and the fault at the end if there is one.
fn split(text: &str) -> (Vec<String>, Vec<Fault>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for piece in pieces(text.as_bytes(), false) {
        match piece.content {
            Ok(bytes) => good.push(String::from_utf8(bytes).unwrap()),
            Err(fault) => bad.push(fault),
        }
    }
    (good, bad)
}

#[test]
fn one_object_a_list_and_objects_in_sequence_are_split() {
    assert_eq!(split(r#" {"a":[1,{}]} "#), (vec![r#"{"a":[1,{}]}"#.to_owned()], vec![]));
    assert_eq!(split("[{\"a\":\"]},\"}, 12 ,\n\"x\",null,[1]]").0, ["{\"a\":\"]},\"}", "12", "\"x\"", "null", "[1]"]);
    assert_eq!(split("{}\n{ }\r\n\n{}").0, ["{}", "{ }", "{}"]);
    assert_eq!(split(r#"[{"a":"\"]\\"}]"#).0, [r#"{"a":"\"]\\"}"#]);
    assert_eq!(split(" [ ] "), (vec![], vec![]));
}

#[test]
fn the_place_of_each_element_is_known_in_lines_and_characters() {
    let places: Vec<_> = pieces("[\n  {\"é\":\n1}, {}]".as_bytes(), false)
        .into_iter()
        .map(|piece| (piece.number, piece.line, piece.column))
        .collect();
    assert_eq!(places, [(1, 2, 3), (2, 3, 5)]);
}

#[test]
fn a_truncated_file_gives_the_elements_before_and_says_so() {
    assert_eq!(split("[{},{\"a\":1"), (vec!["{}".to_owned()], vec![Fault::Truncated]));
    assert_eq!(split("[{},{\"a"), (vec!["{}".to_owned()], vec![Fault::Truncated]));
    assert_eq!(split("[{}"), (vec!["{}".to_owned()], vec![Fault::Unclosed]));
    assert_eq!(split("[{},"), (vec!["{}".to_owned()], vec![Fault::Unclosed]));
    assert_eq!(split("["), (vec![], vec![Fault::Unclosed]));
}

#[test]
fn faults_of_structure_end_the_reading_once() {
    for (text, good, fault) in [
        ("", 0, Fault::Empty),
        (" \n", 0, Fault::Empty),
        ("<xml/>", 0, Fault::NotJson),
        ("]", 0, Fault::NotJson),
        ("[,{}]", 0, Fault::Comma),
        ("[{},,{}]", 1, Fault::Comma),
        ("[{},]", 1, Fault::Comma),
        ("[{} {}]", 1, Fault::Comma),
        ("[{}] x", 1, Fault::TrailingText),
        ("{} x", 1, Fault::TrailingText),
        ("[{\"a\":[}]", 0, Fault::Mismatch),
        ("[}", 0, Fault::Mismatch),
    ] {
        let (found, faults) = split(text);
        assert_eq!((found.len(), faults.as_slice()), (good, [fault].as_slice()), "{text}");
    }
}

#[test]
fn deep_and_large_elements_are_refused_and_the_next_one_is_read() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let limit = MAX_DEPTH + WRAPPER_LEVELS;
    let (good, bad) = split(&format!("[{},{},{{}}]", deep(limit), deep(limit + 1)));
    assert_eq!((good.len(), bad), (2, vec![Fault::TooDeep]));
    let (good, bad) = split(&format!("[{},{{}}]", deep(100_000)));
    assert_eq!((good.len(), bad), (1, vec![Fault::TooDeep]));
    let large = format!("[\"{}\",{{}},\"{}\"]", "x".repeat(MAX_BYTES), "y".repeat(MAX_BYTES - 2));
    let (good, bad) = split(&large);
    assert_eq!((good.len(), bad), (2, vec![Fault::TooLarge]));
}

#[test]
fn in_a_file_of_lines_a_broken_line_costs_itself_alone() {
    let found = pieces(b"{\"a\":1\n\n  {} \r\nnonsense\n{}", true);
    let texts: Vec<_> = found.iter().map(|piece| String::from_utf8_lossy(piece.content.as_ref().unwrap())).collect();
    assert_eq!(texts, ["{\"a\":1", "{} \r", "nonsense", "{}"]);
    assert_eq!(found.iter().map(|piece| piece.line).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(pieces(b"[{},{}]", true).len(), 2, "a list stays a list");
}

proptest! {
    #[test]
    fn any_bytes_are_split_without_panic_and_come_to_an_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), lines in any::<bool>()
    ) {
        let count = Splitter::new(bytes.as_slice(), lines).count();
        prop_assert!(count <= bytes.len() + 1);
    }

    #[test]
    fn anything_like_json_comes_to_an_end(text in r#"[\[\]{},:"\\a0 \n]{0,60}"#) {
        let found = pieces(text.as_bytes(), false);
        prop_assert!(found.len() <= text.len() + 1);
        prop_assert!(found.iter().all(|piece| piece.content.as_ref().map_or(true, |bytes| !bytes.is_empty())));
    }

    #[test]
    fn a_list_is_split_as_an_independent_parser_splits_it(
        values in proptest::collection::vec(r#"[a-z\[\]{},:\\" ]{0,12}"#, 0..8)
    ) {
        let list: Vec<_> = values.iter().map(|value| serde_json::json!({ "k": [value, { "m": value }] })).collect();
        let (good, bad) = split(&serde_json::to_string_pretty(&list).unwrap());
        prop_assert!(bad.is_empty());
        let back: Vec<serde_json::Value> = good.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(back, list);
    }
}
