//! The nearest known key beside an unknown one.

use einvoice_core::registry::nearest;

/// Adds "did you mean" to serde's message about an unknown field or variant, which names the unknown
/// one first and then every known one, each in backquotes. Any other message stays as it is.
pub(crate) fn with_suggestion(message: &str) -> String {
    let Some(start) = message.find("unknown field `").or_else(|| message.find("unknown variant `")) else {
        return message.to_owned();
    };
    let mut words = message.get(start..).unwrap_or_default().split('`').skip(1).step_by(2);
    let Some(unknown) = words.next() else { return message.to_owned() };
    nearest(unknown, words).map_or_else(|| message.to_owned(), |near| format!("{message}; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_key_is_suggested() {
        let message = "run: unknown field `concurency`, expected one of `concurrency`, `lease_seconds`";
        assert_eq!(with_suggestion(message), format!("{message}; did you mean `concurrency`?"));
        assert_eq!(with_suggestion("unknown field `zzz`, expected `path`"), "unknown field `zzz`, expected `path`");
        assert_eq!(with_suggestion("missing field `path`"), "missing field `path`");
    }
}
