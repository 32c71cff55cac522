//! What a source asks its database: made of the settings and of the columns that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use einvoice_core::mapping::{Mapping, MappingConfig, MappingError, Names};
use einvoice_core::spelling::fold;

use crate::builtin::{self, HEADER_PREFIX};
use crate::claim::Claims;
use crate::config::SourceConfig;
use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::pool::{Database, Transact};
use crate::statement::Statement;
use crate::table::{Column, Relation};

/// The table that holds the items where nothing else is said.
const ITEM_TABLE: &str = "einv_item";

/// The name by which the relation goes in a statement.
const ALIAS: &str = "einv_rows";

/// The rules of a source, and which columns they read.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) mapping: Mapping,
    /// Folded names that members of the document are made of.
    head: BTreeSet<String>,
    /// Folded names that members of items are made of.
    items: BTreeSet<String>,
    pub(crate) flat: bool,
}

impl Rules {
    pub(crate) fn new(config: &SourceConfig) -> Result<Self, MappingError> {
        let flat = config.query.is_some() && config.item_query.is_none() && config.item_table.is_none();
        let builtin = builtin::mapping(flat);
        // Which columns belong to items is known by the members they become.
        let part = |of_items: bool| {
            let only = |config: &MappingConfig| {
                let mut part = config.clone();
                part.set.retain(|path, _| is_of_item(path) == of_items);
                if of_items {
                    part.skip.clear();
                }
                part
            };
            let mapping = Mapping::new(&only(&builtin), &only(&config.mapping), Names::Folded)?;
            Ok(mapping.fields().map(fold).collect())
        };
        let mapping = Mapping::new(&builtin, &config.mapping, Names::Folded)?;
        Ok(Self { mapping, head: part(false)?, items: part(true)?, flat })
    }
}

fn is_of_item(path: &str) -> bool {
    path.trim_start().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("ItemList"))
}

/// A column that is read, and the folded names under which its value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) column: Column,
    pub(crate) names: Vec<String>,
}

/// How a source reads.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dialect: Dialect,
    pub(crate) heads: Relation,
    /// Nothing where each row of `heads` is an item.
    pub(crate) items: Option<Relation>,
    pub(crate) claims: Option<Claims>,
    pub(crate) key: Column,
    pub(crate) head_columns: Vec<Selected>,
    pub(crate) item_columns: Vec<Selected>,
    pub(crate) rev: Option<Column>,
    pub(crate) item_count: Option<Column>,
    pub(crate) line: Option<Column>,
    /// Columns of binary fractions that amounts or quantities are made of.
    pub(crate) floats: Vec<String>,
    /// Names of columns as the database spells them, by folded name.
    pub(crate) headings: Arc<BTreeMap<String, String>>,
    pub(crate) page: usize,
}

impl Plan {
    pub(crate) async fn make(database: &Database, config: &SourceConfig, rules: &Rules) -> Result<Self, Fault> {
        let mut transaction = database.reading().await?;
        let plan = Self::within(&mut transaction, database.dialect, config, rules).await?;
        transaction.commit().await?;
        Ok(plan)
    }

    async fn within(
        transaction: &mut Transact,
        dialect: Dialect,
        config: &SourceConfig,
        rules: &Rules,
    ) -> Result<Self, Fault> {
        let heads = match &config.query {
            Some(sql) => Relation::query(transaction, "query", sql).await?,
            None => Relation::table(transaction, dialect, &config.header_table).await?,
        };
        let items = match (&config.item_query, &config.item_table) {
            (Some(sql), _) => Some(Relation::query(transaction, "item_query", sql).await?),
            (None, Some(name)) => Some(Relation::table(transaction, dialect, name).await?),
            (None, None) if rules.flat => None,
            (None, None) => Some(Relation::table(transaction, dialect, ITEM_TABLE).await?),
        };
        let claim_table = match (&config.claim_table, &config.query) {
            (Some(name), _) => Some(name),
            (None, Some(_)) => None,
            (None, None) => Some(&config.header_table),
        };
        let claims = match claim_table {
            Some(name) => Some(Claims::new(transaction, dialect, config, name).await?),
            None => None,
        };
        let key = heads.required(&config.key)?.clone();
        let names = &config.columns;
        let rev = heads.optional(names.rev.as_deref(), "rev")?.cloned();
        let item_count = heads.optional(names.item_count.as_deref(), "item_count")?.cloned();
        let lines = items.as_ref().unwrap_or(&heads);
        lines.required(&config.key)?;
        let line = lines.optional(config.line.as_deref(), "sl_no")?.cloned();
        let head_columns = heads.columns.iter().filter_map(|column| head_column(column, rules, items.as_ref()));
        let head_columns: Vec<Selected> = head_columns.collect();
        let item_columns = lines.columns.iter().filter_map(|column| {
            let name = fold(&column.name);
            rules.items.contains(&name).then(|| Selected { column: column.clone(), names: vec![name] })
        });
        let item_columns: Vec<Selected> = item_columns.collect();
        if head_columns.is_empty() || item_columns.is_empty() {
            let reason = "no column is one that the mapping reads: give `mapping.set`, or name columns as `einvoice new \
                          staging` does";
            return Err(Fault::new(Kind::Setup, reason));
        }
        let shown = |relation: &Relation, selected: &Selected| format!("{}.{}", relation.shown, selected.column.name);
        let is_float = |selected: &&Selected| dialect.is_float(&selected.column.kind);
        let mut floats: Vec<String> = head_columns.iter().filter(is_float).map(|found| shown(&heads, found)).collect();
        floats.extend(item_columns.iter().filter(is_float).map(|found| shown(lines, found)));
        let headings = head_columns
            .iter()
            .chain(&item_columns)
            .flat_map(|selected| selected.names.iter().map(|name| (name.clone(), selected.column.name.clone())));
        let headings = Arc::new(headings.collect());
        let page = usize::try_from(config.page_rows).unwrap_or(1).max(1);
        Ok(Self {
            dialect,
            heads,
            items,
            claims,
            key,
            head_columns,
            item_columns,
            rev,
            item_count,
            line,
            floats,
            headings,
            page,
        })
    }

    /// What people call the table a document stands in; a write-back knows its rows by it.
    pub(crate) fn place(&self) -> &str {
        self.claims.as_ref().map_or(&self.heads.shown, |claims| &claims.table.shown)
    }

    fn column(&self, column: &Column) -> String {
        let name = format!("{}.{}", self.dialect.quote(ALIAS), self.dialect.quote(&column.name));
        self.dialect.text(&name, &column.kind)
    }

    fn raw(&self, column: &Column) -> String {
        format!("{}.{}", self.dialect.quote(ALIAS), self.dialect.quote(&column.name))
    }

    fn from(&self, relation: &Relation) -> String {
        // Without `AS`, which Oracle does not take before the name of a table.
        format!(" FROM {} {}", relation.from, self.dialect.quote(ALIAS))
    }

    /// The rows of documents: key, revision, number of items, and the columns.
    pub(crate) fn head_rows(&self, keys: &[String]) -> Statement {
        let none = || "NULL".to_owned();
        let mut columns = vec![
            self.column(&self.key),
            self.rev.as_ref().map_or_else(none, |rev| self.column(rev)),
            self.item_count.as_ref().map_or_else(none, |count| self.column(count)),
        ];
        columns.extend(self.head_columns.iter().map(|selected| self.column(&selected.column)));
        let mut order = vec![self.raw(&self.key)];
        if self.items.is_none() {
            // The items follow in the same row.
            columns.push(self.line.as_ref().map_or_else(none, |line| self.column(line)));
            columns.extend(self.item_columns.iter().map(|selected| self.column(&selected.column)));
            order.extend(self.line.as_ref().map(|line| self.raw(line)));
        }
        self.rows_of(&self.heads, &columns, &order, &self.key, keys)
    }

    /// The rows of items: key, line and the columns. Nothing where they stand in the rows of documents.
    pub(crate) fn item_rows(&self, keys: &[String]) -> Option<Statement> {
        let items = self.items.as_ref()?;
        let key = items.column(&self.key.name)?;
        let mut columns =
            vec![self.column(key), self.line.as_ref().map_or_else(|| "NULL".to_owned(), |line| self.column(line))];
        columns.extend(self.item_columns.iter().map(|selected| self.column(&selected.column)));
        let mut order = vec![self.raw(key)];
        order.extend(self.line.as_ref().map(|line| self.raw(line)));
        Some(self.rows_of(items, &columns, &order, key, keys))
    }

    fn rows_of(
        &self,
        relation: &Relation,
        columns: &[String],
        order: &[String],
        key: &Column,
        keys: &[String],
    ) -> Statement {
        let sql = format!("SELECT {}{} WHERE {} IN ", columns.join(", "), self.from(relation), self.raw(key));
        // A page that is read again one by one is a page of one.
        let length = if keys.len() == 1 { 1 } else { self.page };
        Statement::new(self.dialect, sql).list(keys, length, &key.kind).sql(&format!(" ORDER BY {}", order.join(", ")))
    }

    /// The next keys, for rows that are not claimed.
    pub(crate) fn next_keys(&self, after: Option<&str>) -> Statement {
        let key = self.raw(&self.key);
        // Rows are in the order of the key and not of its text. One name twice is refused by some where rows are counted.
        let mut columns = self.column(&self.key);
        if columns != key {
            columns = format!("{columns}, {key}");
        }
        let sql = format!("SELECT DISTINCT {columns}{} WHERE {key} ", self.from(&self.heads));
        let statement = Statement::new(self.dialect, sql);
        let statement = match after {
            Some(after) => statement.sql("> ").value(Some(after), &self.key.kind),
            None => statement.sql("IS NOT NULL"),
        };
        statement.sql(&format!(" ORDER BY {key}{}", self.dialect.first(self.page)))
    }

    /// How many rows have no key, and so belong to no document.
    pub(crate) fn keyless(&self) -> Statement {
        let count = self.dialect.text("count(*)", "bigint");
        let sql = format!("SELECT {count}{} WHERE {} IS NULL", self.from(&self.heads), self.raw(&self.key));
        Statement::new(self.dialect, sql)
    }
}

/// A column of the document, if a rule reads it. One that an item may have too goes by its long name only, as a rule of
/// an item would take it for the item's where that is blank.
fn head_column(column: &Column, rules: &Rules, items: Option<&Relation>) -> Option<Selected> {
    let plain = fold(&column.name);
    let mut names = Vec::new();
    let shared = match items {
        None => false,
        Some(items) => {
            let long = fold(&format!("{HEADER_PREFIX}{}", column.name));
            if rules.head.contains(&long) || rules.items.contains(&long) {
                names.push(long);
            }
            items.column(&column.name).is_some() || builtin::in_both(&column.name.to_ascii_lowercase())
        }
    };
    if !shared && (rules.head.contains(&plain) || items.is_some() && rules.items.contains(&plain)) {
        names.push(plain);
    }
    (!names.is_empty()).then(|| Selected { column: column.clone(), names })
}
