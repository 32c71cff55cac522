//! Empty files for people to fill: what a plugin reads, made to be typed into.

use std::fmt;

use super::{LeftOut, RegistryError, nearest};
use crate::BoxError;

/// An empty file of a form that a plugin reads. Registered by [`register_template!`](crate::register_template).
pub struct Template {
    /// The plugin that reads it.
    pub plugin: &'static str,
    /// Which of its templates: `compact`, `full`. The first in the alphabet is made where none is asked for.
    pub variant: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// Name of the file where none is asked for.
    pub file_name: &'static str,
    /// The package that registered it.
    pub krate: &'static str,
    /// Makes the content of the file.
    pub make: fn() -> Result<Vec<u8>, BoxError>,
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Template")
            .field("plugin", &self.plugin)
            .field("variant", &self.variant)
            .finish_non_exhaustive()
    }
}

inventory::collect!(Template);

/// All templates, sorted by plugin and variant.
#[derive(Debug)]
pub struct Templates(Vec<&'static Template>);

impl Templates {
    /// Collects templates.
    ///
    /// # Errors
    /// [`RegistryError::DuplicateTemplate`] when two have one plugin and variant.
    pub fn collect(templates: impl IntoIterator<Item = &'static Template>) -> Result<Self, RegistryError> {
        let mut all: Vec<_> = templates.into_iter().collect();
        // The linker decides which comes first, so that a message sorts by crate too.
        all.sort_by_key(|template| (template.plugin, template.variant, template.krate));
        for pair in all.windows(2) {
            if let [one, other] = pair
                && (one.plugin, one.variant) == (other.plugin, other.variant)
            {
                return Err(RegistryError::DuplicateTemplate {
                    plugin: one.plugin,
                    variant: one.variant,
                    first: one.krate,
                    second: other.krate,
                });
            }
        }
        Ok(Self(all))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static Template> + '_ {
        self.0.iter().copied()
    }

    /// The template of a plugin: the one asked for, or its first.
    ///
    /// # Errors
    /// [`RegistryError::NoTemplate`] with what there is.
    pub fn find(
        &self,
        plugin: &str,
        variant: Option<&str>,
        left_out: &[LeftOut],
    ) -> Result<&'static Template, RegistryError> {
        let own: Vec<&'static Template> = self.iter().filter(|template| template.plugin == plugin).collect();
        let found = own.iter().find(|template| variant.is_none_or(|variant| template.variant == variant));
        if let Some(found) = found {
            return Ok(found);
        }
        let (wanted, known): (&str, Vec<&str>) = match variant {
            Some(variant) if !own.is_empty() => (variant, own.iter().map(|template| template.variant).collect()),
            _ => {
                let mut plugins: Vec<&str> = self.iter().map(|template| template.plugin).collect();
                plugins.dedup();
                (plugin, plugins)
            }
        };
        let hint = if let Some(missing) = left_out.iter().find(|missing| missing.name == wanted) {
            format!("this program was built without it: build with feature `{}`", missing.feature)
        } else if known.is_empty() {
            "no plugin of this program has one".to_owned()
        } else {
            let there = known.join(", ");
            match nearest(wanted, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? There are: {there}"),
                None => format!("there are: {there}"),
            }
        };
        Err(RegistryError::NoTemplate { name: wanted.to_owned(), hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "a template may fail to be made")]
    fn make() -> Result<Vec<u8>, BoxError> {
        Ok(Vec::new())
    }

    const fn template(variant: &'static str, krate: &'static str) -> Template {
        Template { plugin: "spreadsheet", variant, summary: "s", file_name: "x.xlsx", krate, make }
    }

    static FULL: Template = template("full", "a");
    static COMPACT: Template = template("compact", "a");
    static OTHER: Template = template("compact", "b");

    #[test]
    fn the_first_variant_is_found_where_none_is_asked_for() {
        let templates = Templates::collect([&FULL, &COMPACT]).unwrap();
        assert_eq!(templates.find("spreadsheet", None, &[]).unwrap().variant, "compact");
        assert_eq!(templates.find("spreadsheet", Some("full"), &[]).unwrap().variant, "full");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_there_is() {
        let templates = Templates::collect([&FULL, &COMPACT]).unwrap();
        let error = |plugin, variant| templates.find(plugin, variant, &[]).unwrap_err().to_string();
        assert_eq!(
            error("spreadsheet", Some("ful")),
            "there is no template `ful`; did you mean `full`? There are: compact, full"
        );
        assert_eq!(error("tally", None), "there is no template `tally`; there are: spreadsheet");
        let left_out = [LeftOut { name: "tally", feature: "tally" }];
        assert!(templates.find("tally", None, &left_out).unwrap_err().to_string().contains("feature `tally`"));
        let none = Templates::collect([]).unwrap().find("x", None, &[]).unwrap_err().to_string();
        assert_eq!(none, "there is no template `x`; no plugin of this program has one");
    }

    #[test]
    fn two_templates_of_one_name_are_refused_by_crates_in_alphabetical_order() {
        let error = Templates::collect([&OTHER, &FULL, &COMPACT]).unwrap_err().to_string();
        assert_eq!(error, "two crates register the template `compact` of `spreadsheet`: a and b");
    }
}
