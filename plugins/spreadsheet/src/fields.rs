//! Which columns a mapping reads, and what for: of the document, of its items, its number, its dates.

use std::collections::{BTreeMap, HashMap, HashSet};

use einvoice_core::document::{Form, MemberPath, Pattern};
use einvoice_core::mapping::{Mapping, MappingConfig, MappingError, Names, Rule};
use einvoice_core::spelling;

/// The columns of a mapping by their folded names.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Columns of the document, each with the first member it goes to.
    head: HashMap<String, String>,
    /// Columns of the items likewise.
    items: HashMap<String, String>,
    /// Columns whose numbers are days.
    dates: HashSet<String>,
    /// Columns that say which number the document has.
    pub(crate) number: Vec<String>,
    /// The same as the mapping spells them.
    pub(crate) number_spelt: Vec<String>,
    /// Columns that tell documents of one number apart: the supplier and the type.
    pub(crate) series: Vec<String>,
    /// Columns that say which goods or services a row has.
    pub(crate) hsn: Vec<String>,
    /// Columns of items whose values nobody sums: a row that has one of them is no row of totals.
    signs: HashSet<String>,
    /// Columns of amounts and quantities of items.
    amounts: HashSet<String>,
    /// Columns that formulas and tables read, which take a number as the cell holds it.
    computed: HashSet<String>,
    /// Of `series`, the columns in which a blank means what the mapping gives by default.
    pub(crate) defaults: Vec<String>,
    /// Columns of cess rates, of which every number may be one.
    cess_rates: HashSet<String>,
}

/// Members of an item that stand in prepared rows which are still empty, too.
const PREPARED: [&str; 2] = ["SlNo", "IsServc"];

impl Fields {
    /// Looks at every rule of a mapping.
    pub(crate) fn of(builtin: &MappingConfig, own: &MappingConfig) -> Result<Self, MappingError> {
        let mut fields = Self::default();
        let mut paths = BTreeMap::new();
        for path in builtin.set.keys().chain(own.set.keys()) {
            // A path that is none is the mapping's own error.
            if let Ok(member) = MemberPath::parse(path) {
                paths.insert(member.as_str().to_owned(), member);
            }
        }
        for (name, path) in paths {
            let spelt = read_by(&name, builtin, own)?;
            let mut columns: Vec<String> = spelt.iter().map(|name| spelling::fold(name)).collect();
            columns.sort_unstable();
            columns.dedup();
            match name.as_str() {
                "DocDtls.No" => {
                    fields.number.clone_from(&columns);
                    fields.number_spelt = spelt;
                }
                "DocDtls.Typ" | "SellerDtls.Gstin" => {
                    fields.series.extend(columns.iter().cloned());
                    if rule_of(&name, builtin, own).is_some_and(has_default) {
                        fields.defaults.extend(columns.iter().cloned());
                    }
                }
                "ItemList.HsnCd" => fields.hsn.clone_from(&columns),
                _ => {}
            }
            if matches!(path.member().form, Form::Text { pattern: Pattern::Date, .. }) {
                fields.dates.extend(columns.iter().cloned());
            }
            let member = path.member();
            let is_rate = member.name.ends_with("Rt");
            if rule_of(&name, builtin, own).is_some_and(computes) {
                fields.computed.extend(columns.iter().cloned());
            }
            if path.is_of_item() {
                let is_text = matches!(member.form, Form::Text { .. }) && !PREPARED.contains(&member.name);
                if is_text || is_rate || member.name == "UnitPrice" {
                    fields.signs.extend(columns.iter().cloned());
                }
                if matches!(member.form, Form::Number { .. }) && !is_rate {
                    fields.amounts.extend(columns.iter().cloned());
                }
                if is_rate && member.name != "GstRt" {
                    fields.cess_rates.extend(columns.iter().cloned());
                }
            }
            let of = if path.is_of_item() { &mut fields.items } else { &mut fields.head };
            for column in columns {
                of.entry(column).or_insert_with(|| name.clone());
            }
        }
        for rule in builtin.skip.iter().chain(&own.skip) {
            fields.head.entry(spelling::fold(&rule.field)).or_default();
        }
        Ok(fields)
    }

    /// Whether any rule reads the column.
    pub(crate) fn knows(&self, column: &str) -> bool {
        self.is_of_head(column) || self.is_of_item(column)
    }

    /// Whether a rule of the document reads it.
    pub(crate) fn is_of_head(&self, column: &str) -> bool {
        self.head.contains_key(column)
    }

    /// Whether a rule of the items reads it.
    pub(crate) fn is_of_item(&self, column: &str) -> bool {
        self.items.contains_key(column)
    }

    /// Whether a row that has a value in it has an item.
    pub(crate) fn is_sign(&self, column: &str) -> bool {
        self.signs.contains(column)
    }

    /// Whether its numbers are amounts or quantities of items.
    pub(crate) fn is_amount(&self, column: &str) -> bool {
        self.amounts.contains(column)
    }

    /// Whether a formula or a table reads it.
    pub(crate) fn is_computed_with(&self, column: &str) -> bool {
        self.computed.contains(column)
    }

    /// Whether its numbers are rates of a cess.
    pub(crate) fn is_cess_rate(&self, column: &str) -> bool {
        self.cess_rates.contains(column)
    }

    /// Whether its numbers are days.
    pub(crate) fn is_date(&self, column: &str) -> bool {
        self.dates.contains(column)
    }

    /// The member that a column goes to, with the number of the item where it is one of an item.
    pub(crate) fn path(&self, column: &str, item: Option<usize>) -> String {
        match (item, self.items.get(column), self.head.get(column)) {
            (Some(item), Some(path), _) => {
                path.strip_prefix("ItemList.").map_or_else(|| path.clone(), |rest| format!("ItemList[{item}].{rest}"))
            }
            (_, _, Some(path)) | (None, Some(path), None) => path.clone(),
            _ => String::new(),
        }
    }
}

/// The columns that the rule of one member reads, as it spells them.
fn read_by(path: &str, builtin: &MappingConfig, own: &MappingConfig) -> Result<Vec<String>, MappingError> {
    let only = |config: &MappingConfig| {
        let mut one = MappingConfig::default();
        one.tables.clone_from(&config.tables);
        let rules = config.set.iter().filter(|(name, _)| name.eq_ignore_ascii_case(path));
        one.set = rules.map(|(name, rule)| (name.clone(), rule.clone())).collect();
        one
    };
    let mapping = Mapping::new(&only(builtin), &only(own), Names::Folded)?;
    Ok(mapping.fields().map(str::to_owned).collect())
}

/// The rule of a member: one's own goes before what is built in.
fn rule_of<'r>(path: &str, builtin: &'r MappingConfig, own: &'r MappingConfig) -> Option<&'r Rule> {
    let of = |config: &'r MappingConfig| config.set.iter().find(|(name, _)| name.eq_ignore_ascii_case(path));
    of(own).or_else(|| of(builtin)).map(|(_, rule)| rule)
}

fn has_default(rule: &Rule) -> bool {
    match rule {
        Rule::Field(_) => false,
        Rule::First(rules) => rules.iter().any(has_default),
        Rule::Table(table) => table.default.is_some() || table.from.as_ref().is_some_and(has_default),
    }
}

/// Whether a rule takes numbers as cells hold them: one that computes, or looks them up in a table of one's own.
fn computes(rule: &Rule) -> bool {
    match rule {
        Rule::Field(_) => false,
        Rule::First(rules) => rules.iter().any(computes),
        Rule::Table(table) => {
            table.formula.is_some() || table.table.is_some() || table.from.as_ref().is_some_and(computes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_what_they_are_for() {
        let own: MappingConfig = serde_json::from_value(serde_json::json!({
            "set": {"DocDtls.No": {"join": ["Series", "Bill No"], "with": "/"}, "DocDtls.Typ": {"value": "INV"}},
            "skip": [{"field": "Kind", "in": ["Estimate"], "reason": "estimate"}],
        }))
        .unwrap();
        let fields = Fields::of(&crate::builtin::mapping(), &own).unwrap();
        assert_eq!(fields.number, ["billno", "series"]);
        assert_eq!(fields.series, ["sellergstin", "suppliergstin"]);
        assert!(fields.knows("kind") && fields.is_of_head("kind") && !fields.knows("documentnumber"));
        assert!(fields.is_date("warrantydt") && fields.is_of_item("warrantydt") && !fields.is_date("quantity"));
        assert_eq!(fields.path("hsncode", Some(2)), "ItemList[2].HsnCd");
        assert_eq!(fields.path("buyerpos", None), "BuyerDtls.Pos");
        assert_eq!(fields.path("kind", None), "");
    }
}
