//! JSON output: canonical names, table order, no blanks, nothing absent.

use std::fmt::{self, Write as _};

use super::member::Member;
use super::scanner::plain_run;

/// Appends a JSON string.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, [byte, after @ ..])) = rest.split_at_checked(plain_run(rest)) {
        out.extend_from_slice(plain);
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => display(&format_args!("\\u{control:04x}"), out),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends characters that need no escapes, in quotes.
#[inline]
pub(crate) fn word(characters: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(characters);
    out.push(b'"');
}

fn display(value: &impl fmt::Display, out: &mut Vec<u8>) {
    struct Bytes<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing to memory cannot fail, and no Display of this crate invents an error.
    let written = write!(Bytes(out), "{value}");
    debug_assert!(written.is_ok(), "a Display implementation reported an error");
}

/// Appends `"name":` with the comma before it, where one is due.
#[inline]
pub(crate) fn name(member: &Member, out: &mut Vec<u8>) {
    let Some((comma, name)) = member.key.as_bytes().split_first() else {
        return;
    };
    if out.last().is_some_and(|byte| *byte != b'{') {
        out.push(*comma);
    }
    out.extend_from_slice(name);
}

/// Appends a malformed value: as it stood where that is JSON, as a string where it is not.
pub(crate) fn raw(text: &str, out: &mut Vec<u8>) {
    let mut scanner = super::scanner::Scanner::new(text);
    if scanner.skip().is_ok() && scanner.finish().is_ok() {
        out.extend_from_slice(text.as_bytes());
    } else {
        string(text, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_written_as_the_json_string_that_means_it(text in any::<String>()) {
            let mut out = Vec::new();
            super::string(&text, &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
