//! Hearing of new rows: `LISTEN`, which `PostgreSQL` alone has. It only makes a run begin sooner; what is due is found
//! by reading, as ever.

use sqlx::postgres::PgListener;
use tokio::sync::Mutex;

use crate::pool::Database;

/// Listens to a channel, where there is one.
#[derive(Debug)]
pub(crate) struct Ear {
    channel: String,
    listener: Mutex<Option<PgListener>>,
}

impl Ear {
    pub(crate) fn new(channel: &str) -> Self {
        Self { channel: channel.to_owned(), listener: Mutex::new(None) }
    }

    /// Begins to listen, unless it does already.
    pub(crate) async fn open(&self, database: &Database) {
        let Some(pool) = database.listener_pool().filter(|_| !self.channel.is_empty()) else { return };
        let mut listener = self.listener.lock().await;
        if listener.is_some() {
            return;
        }
        let begun = async {
            let mut begun = PgListener::connect_with(pool).await?;
            begun.listen(&self.channel).await?;
            Ok::<_, sqlx::Error>(begun)
        };
        match begun.await {
            Ok(begun) => *listener = Some(begun),
            // The schedule goes on as it is.
            Err(error) => {
                tracing::warn!(channel = self.channel, reason = %error, "new rows are found by the schedule only");
            }
        }
    }

    /// Returns when something was heard; never where nobody listens.
    pub(crate) async fn heard(&self) {
        let mut listener = self.listener.lock().await;
        if let Some(open) = listener.as_mut() {
            // A connection that broke may have missed something, so that is told too.
            match open.try_recv().await {
                Ok(_) => {
                    // One run finds all that many rows have told of.
                    while open.next_buffered().is_some() {}
                    return;
                }
                Err(error) => {
                    tracing::warn!(channel = self.channel, reason = %error, "new rows are found by the schedule only");
                    *listener = None;
                }
            }
        }
        drop(listener);
        std::future::pending::<()>().await;
    }
}
