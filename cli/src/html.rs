//! Text of documents inside a page: never taken for markup, never endless.

use std::fmt;

use crate::output::printable;

/// Characters of one text. What is longer is no sentence.
const CHARACTERS_MAX: usize = 1_000;

/// A text as it is written into a page, between tags or inside a quoted attribute.
#[derive(Debug)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kept, cut) = within_limit(self.0);
        let shown = printable(kept);
        let mut rest = shown.as_ref();
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, marked) = rest.split_at(at);
            formatter.write_str(plain)?;
            let mut characters = marked.chars();
            formatter.write_str(match characters.next() {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = characters.as_str();
        }
        formatter.write_str(rest)?;
        formatter.write_str(if cut { "…" } else { "" })
    }
}

/// A copy of a text that is kept until the end, no longer than it is shown.
pub(crate) fn short(text: &str) -> String {
    match within_limit(text) {
        (kept, true) => format!("{kept}…"),
        (kept, false) => kept.to_owned(),
    }
}

fn within_limit(text: &str) -> (&str, bool) {
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_markup() {
        assert_eq!(
            Text("<script>alert('x')</script> & \"Söhne\"").to_string(),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;Söhne&quot;"
        );
        assert_eq!(Text("a\u{202e}b\u{0}c\r\nd").to_string(), "a\u{fffd}b␀c␍␊d");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(CHARACTERS_MAX + 1);
        assert_eq!(Text(&long).to_string().chars().count(), CHARACTERS_MAX + 1);
        assert!(short(&long).ends_with("é…"));
        assert_eq!(short("é"), "é");
    }
}
