//! Measures reading: fills the staging tables of an empty database with documents and reads them all.
//!
//! ```sh
//! cargo run --release -p einvoice-database --example read_tables -- 1000000 postgres://postgres@127.0.0.1/empty
//! cargo run --release -p einvoice-database --example read_tables -- 1000000 sqlite
//! ```
//!
//! Prints documents a second and the most memory that was in use (from `/proc`, so on Linux only). The database must be
//! one that may be filled; nothing is removed from it.

#![expect(clippy::print_stdout, reason = "a measuring program for people")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{InvoiceSource, Mapped, SourceItem};
use einvoice_database::{DatabaseSource, Dialect, tables};
use einvoice_testkit::usage::peak;
use futures_util::StreamExt as _;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// Documents in one statement.
const AT_ONCE: u64 = 1_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn statements(dialect: Dialect, count: u64) -> impl Iterator<Item = String> {
    let date = if dialect == Dialect::Sqlite { "05/11/2026" } else { "2026-11-05" };
    (0..count.div_ceil(AT_ONCE)).map(move |page| {
        let numbers = page * AT_ONCE..((page + 1) * AT_ONCE).min(count);
        let head = |number: u64| {
            format!("('K{number:08}', 'B2B', 'INV', 'T/{number}', '{date}', '29AAACI1234E1Z2', 'Invented Valves', '1 Road', 'Bengaluru', 560058, '27AAACI1234E1Z6', 'Invented Traders', '27', '2 Road', 'Pune', 411001)")
        };
        let heads: Vec<String> = numbers.clone().map(head).collect();
        let line = |number: u64, line: u64| {
            format!("('K{number:08}', {line}, 'Valve', '84818030', '2.5', 'NOS', '113.20', '18')")
        };
        let lines: Vec<String> = numbers.flat_map(|number| (1..=2).map(move |at| line(number, at))).collect();
        format!(
            "INSERT INTO einv_item (doc_key, sl_no, prd_desc, hsn_cd, qty, unit, unit_price, gst_rt) VALUES {};
             INSERT INTO einv_header (doc_key, sup_typ, doc_typ, doc_no, doc_dt, seller_gstin, seller_lgl_nm, seller_addr1,
             seller_loc, seller_pin, buyer_gstin, buyer_lgl_nm, buyer_pos, buyer_addr1, buyer_loc, buyer_pin) VALUES {};",
            lines.join(", "),
            heads.join(", ")
        )
    })
}

async fn fill(url: &str, dialect: Dialect, count: u64) -> Result<()> {
    let all = std::iter::once(tables(dialect)).chain(statements(dialect, count));
    match dialect {
        Dialect::Postgres => {
            let mut connection = sqlx::PgConnection::connect(url).await?;
            for sql in all {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            }
        }
        Dialect::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await?;
            for sql in all {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            }
        }
        _ => {
            let mut connection = sqlx::MySqlConnection::connect(url).await?;
            for sql in all {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            }
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "give the number of documents, and the address of an empty database or `sqlite`";
    let count: u64 = arguments.next().ok_or(usage)?.parse()?;
    let url = arguments.next().ok_or(usage)?;
    let folder = tempfile::TempDir::new()?;
    let url = if url == "sqlite" { format!("sqlite:{}", folder.path().join("books.db").display()) } else { url };
    let dialect = Dialect::from_name(url.split(':').next().unwrap_or_default()).ok_or(usage)?;
    fill(&url, dialect, count).await?;
    println!("filled; {}", peak());

    let context = BuildContext::new("measure", folder.path(), Arc::new(SystemClock), SystemEntropy::shared());
    let source = DatabaseSource::new(&context, read_settings(&context, json!({ "url": url, "claim_max": count }))?)?;
    let (started, mut documents, mut others) = (Instant::now(), 0_u64, 0_u64);
    let mut stream = source.fetch(None).await?;
    while let Some(item) = stream.next().await {
        match item? {
            SourceItem::Record(record) => match source.map(&record) {
                Mapped::Document(_) => documents += 1,
                _ => others += 1,
            },
            _ => others += 1,
        }
        if documents.is_multiple_of(100_000) {
            println!("{documents} documents after {:.1} s; {}", started.elapsed().as_secs_f64(), peak());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{documents} documents and {others} others in {seconds:.1} s; {}", peak());
    Ok(())
}
