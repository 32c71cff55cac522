//! Bills of Munim, an imaginary program: a text file, `B|...` begins a bill and `I|...` is one of its lines.

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, MappingConfig, Names, TableRecord};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordStream, Skip, SourceCapability, SourceError, SourceItem,
    SourceProblem, SourceRecord, SourceRef, place, stream_from_blocking,
};

/// Settings of the source `munim`.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MunimConfig {
    /// The file that is read. Required.
    pub path: String,
    /// Rules of the user, which go before those of this adapter. Default: none.
    #[serde(default)]
    pub mapping: MappingConfig,
}

/// Reads bills of Munim.
#[derive(Debug)]
pub struct MunimSource(std::path::PathBuf, Mapping);

einvoice_core::register_source! {
    name: "munim",
    summary: "Bills of Munim",
    config: MunimConfig,
    example: include_str!("../examples/source.toml"),
    build: build,
}

/// Makes the source from its settings.
///
/// # Errors
/// When a rule of the mapping cannot be used.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub async fn build(context: BuildContext, config: MunimConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let wrong = |reason: String| BuildError::new("munim, key `mapping`", reason);
    let ours = toml::from_str(include_str!("rules.toml")).map_err(|error| wrong(error.to_string()))?;
    let mapping = Mapping::new(&ours, &config.mapping, Names::Folded).map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(MunimSource(context.path(config.path), mapping)))
}

#[async_trait]
impl InvoiceSource for MunimSource {
    fn capability(&self) -> SourceCapability {
        SourceCapability::new(false, false)
    }

    async fn fetch(&self, _: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let location = self.0.display().to_string();
        let read = std::fs::read_to_string(&self.0);
        let text = read.map_err(|error| SourceError::new(&location, "it cannot be read").because(error))?;
        Ok(stream_from_blocking(move |sender| {
            let _all = format!("\n{text}").split("\nB|").skip(1).all(|bill| sender.send(Ok(item(&location, bill))));
        }))
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let label = record.reference.to_string();
        match TableRecord::parse(&record.content).map(|bill| self.1.map(&bill)) {
            Ok(Ok(mut mapped)) => {
                place(&mut mapped.findings, &record.reference, &mapped.provenance);
                Mapped::Document(Box::new(mapped))
            }
            Ok(Err(skip)) => Mapped::Skipped(Skip { label, ..skip }),
            Err(error) => {
                Mapped::Unmappable { label, findings: vec![Finding::error("munim.record", "", error.to_string())] }
            }
        }
    }

    async fn acknowledge(&self, _: &[Acknowledgement]) -> Result<(), SourceError> {
        Ok(())
    }
}

/// A bill as a record with named fields; its number tells it from the others.
fn item(location: &str, bill: &str) -> SourceItem {
    let named = |line: &str, names: &str| {
        names.split(' ').zip(line.split('|')).map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
    };
    let mut record = TableRecord::default();
    record.head = named(bill.lines().next().unwrap_or_default(), "number date kind gstin buyer street town pin");
    let lines = bill.lines().filter_map(|line| line.strip_prefix("I|"));
    record.lines = lines.map(|line| named(line, "item hsn qty unit price rate")).collect();
    let number = record.head.get("number").cloned().unwrap_or_default();
    let reference = SourceRef { location: location.to_owned(), position: format!("bill {number}"), record_id: number };
    if record.lines.is_empty() {
        let findings = vec![Finding::error("munim.no_lines", "ItemList", "the bill has no lines")];
        return SourceItem::Problem(SourceProblem { label: reference.to_string(), reference, findings });
    }
    SourceItem::Record(SourceRecord { content: record.to_content(), reference, context: None })
}
