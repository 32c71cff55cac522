//! A source that hears of something to read is named by the pipeline, and nothing heard is lost.

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use einvoice_core::pipeline::SourcePart;
use einvoice_core::source::{
    Acknowledgement, Cursor, InvoiceSource, Mapped, RecordStream, SourceCapability, SourceError, SourceRecord,
};
use einvoice_testkit::documents::Recipe;
use einvoice_testkit::memory::ListSource;
use futures_util::FutureExt as _;
use support::World;
use tokio::sync::Notify;

/// A list that is told when it has grown.
#[derive(Debug)]
struct Told {
    list: ListSource,
    bell: Arc<Notify>,
}

#[async_trait]
impl InvoiceSource for Told {
    fn capability(&self) -> SourceCapability {
        self.list.capability()
    }

    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        self.list.fetch(cursor).await
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        self.list.map(record)
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        self.list.acknowledge(settled).await
    }

    async fn changed(&self) {
        self.bell.notified().await;
    }
}

#[tokio::test]
async fn the_source_that_heard_something_is_named_and_nobody_else_ever_returns() {
    let bell = Arc::new(Notify::new());
    let mut world = World::new([Recipe::numbered(1).json()]).await;
    let list = ListSource::of([Recipe::numbered(2).json()]);
    let source = Arc::new(Told { list, bell: Arc::clone(&bell) });
    world.further_sources = vec![SourcePart { name: "told".into(), source }];
    let pipeline = world.pipeline().await;
    assert_eq!(pipeline.changed().now_or_never(), None, "nobody has heard anything");
    // What is heard while nobody listens is told by the next call.
    bell.notify_one();
    assert_eq!(pipeline.changed().now_or_never().as_deref(), Some("told"));
    assert_eq!(pipeline.changed().now_or_never(), None, "it is told once");
}
