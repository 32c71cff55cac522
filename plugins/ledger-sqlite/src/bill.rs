//! E-way bills: kept by number, joined to documents, and shown by them.

use std::collections::{BTreeSet, HashMap, HashSet};

use einvoice_core::environment::RouteName;
use einvoice_core::ewb::{Birth, EwbDocument, EwbNumber, Standing as BillStanding};
use einvoice_core::identifier::Gstin;
use einvoice_core::job::Bill;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::DocumentId;
use einvoice_core::operation::{EwayBill, Registration};
use einvoice_core::state::EwbState;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::codec;
use crate::fault::Fault;
use crate::rows::Rows;
use crate::standing::{Event, Standing, Standings};

/// Columns of a bill; the bill itself is `b`.
pub(crate) const BILL: &str = "SELECT b.document_id, b.standing, b.route, b.site, b.changed_at FROM eway_bill b ";

const PUT: &str = "WITH given (v) AS MATERIALIZED (SELECT value FROM json_each($1)) \
     INSERT INTO eway_bill (number, document_id, doc_no, state, standing, route, site, changed_at) \
     SELECT v ->> '$.standing.number', v ->> 'document', v ->> 'doc_no', v ->> '$.standing.state', v -> 'standing', \
     v ->> 'route', v ->> 'site', v ->> 'at' FROM given WHERE true \
     ON CONFLICT (number) DO UPDATE SET document_id = excluded.document_id, doc_no = excluded.doc_no, \
     state = excluded.state, standing = excluded.standing, route = excluded.route, site = excluded.site, \
     changed_at = excluded.changed_at";

#[derive(Serialize)]
struct BillRow<'a> {
    standing: &'a BillStanding,
    document: Option<DocumentId>,
    doc_no: Option<String>,
    route: Option<&'a str>,
    site: Option<&'a str>,
    at: i64,
}

fn push(rows: &mut Rows, bill: &Bill, now: Timestamp) -> Result<(), Fault> {
    rows.push(&BillRow {
        standing: &bill.standing,
        document: bill.document,
        doc_no: bill.standing.document.as_ref().map(|document| document.number.to_uppercase()),
        route: bill.route.as_ref().map(RouteName::as_str),
        site: bill.site.as_deref(),
        at: codec::micros(now),
    })
}

/// A row that [`BILL`] gave.
pub(crate) fn of_row(row: &SqliteRow) -> Result<Bill, Fault> {
    let route: Option<String> = row.try_get("route")?;
    Ok(Bill {
        standing: codec::from_json("an e-way bill", row.try_get("standing")?)?,
        document: row.try_get::<Option<i64>, _>("document_id")?.map(DocumentId),
        route: route.map(RouteName::new),
        site: row.try_get("site")?,
        changed_at: codec::moment(row.try_get("changed_at")?)?,
    })
}

/// Whether a bill can still change.
pub(crate) const fn is_open(state: EwbState) -> bool {
    matches!(state, EwbState::PartA | EwbState::Active | EwbState::Unknown)
}

/// Bills that one call changes, with the documents that show them.
#[derive(Debug)]
pub(crate) struct Bills {
    now: Timestamp,
    by_number: HashMap<EwbNumber, Bill>,
    changed: Vec<EwbNumber>,
    /// Those of which the books can show what changed.
    news: HashSet<EwbNumber>,
}

impl Bills {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, by_number: HashMap::new(), changed: Vec::new(), news: HashSet::new() }
    }

    /// The bill as it stands in the file, or after what was put.
    pub(crate) async fn of(
        &mut self,
        connection: &mut SqliteConnection,
        number: EwbNumber,
    ) -> Result<Option<Bill>, Fault> {
        if let Some(known) = self.by_number.get(&number) {
            return Ok(Some(known.clone()));
        }
        let sql = sqlx::AssertSqlSafe(format!("{BILL} WHERE b.number = ?1"));
        let row = sqlx::query(sql).bind(number.to_string()).fetch_optional(connection).await?;
        let known = row.as_ref().map(of_row).transpose()?;
        if let Some(known) = &known {
            self.by_number.insert(number, known.clone());
        }
        Ok(known)
    }

    /// Puts what is known of a bill. It stays with the document it was joined to, and where `bill` does not say
    /// where it was made, what was known of that stays.
    pub(crate) async fn put(&mut self, connection: &mut SqliteConnection, mut bill: Bill) -> Result<(), Fault> {
        let number = bill.standing.number;
        if matches!(bill.standing.state, EwbState::None | EwbState::Failed) {
            return Err(Fault::Misuse(format!(
                "e-way bill {number} has a number and cannot be `{}`; a fault of the program, please report it",
                bill.standing.state
            )));
        }
        let known = self.of(connection, number).await?;
        if let Some(known) = &known {
            bill.document = known.document.or(bill.document);
            bill.route = bill.route.or_else(|| known.route.clone());
            bill.site = bill.site.or_else(|| known.site.clone());
        }
        let shown = known.as_ref().map(|known| (&known.standing, known.document));
        if shown != Some((&bill.standing, bill.document)) {
            self.news.insert(number);
        }
        let same = known.is_some_and(|known| Bill { changed_at: known.changed_at, ..bill.clone() } == known);
        if !same {
            self.by_number.insert(number, bill);
            if !self.changed.contains(&number) {
                self.changed.push(number);
            }
        }
        Ok(())
    }

    /// The documents whose bills changed.
    pub(crate) fn documents(&self) -> BTreeSet<i64> {
        self.changes().filter_map(|bill| bill.document).map(|document| document.0).collect()
    }

    fn changes(&self) -> impl Iterator<Item = &Bill> {
        self.changed.iter().filter_map(|number| self.by_number.get(number))
    }

    /// Shows the changes on the documents, with a line in the audit trail of each but `quiet`, which gets one
    /// from the caller.
    pub(crate) fn show(&self, standings: &mut Standings, quiet: Option<i64>) -> Result<(), Fault> {
        for bill in self.changes() {
            let Some(document) = bill.document else { continue };
            let mut standing = standings.of(document.0)?;
            let shown = show(&mut standing, bill.standing.number, bill.standing.state);
            standing.bill_changed |= shown && self.news.contains(&bill.standing.number);
            if quiet != Some(document.0) {
                let text = format!("e-way bill {} is {}", bill.standing.number, bill.standing.state);
                let details = Some(codec::to_json(&bill.standing)?);
                standing.store(self.now, Event { text: &text, details, reply: None })?;
            }
            standings.keep(standing);
        }
        Ok(())
    }

    /// Writes the changes, before the documents that show them.
    pub(crate) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        let mut rows = Rows::default();
        for bill in self.changes() {
            push(&mut rows, bill, self.now)?;
        }
        rows.execute(connection, PUT).await
    }
}

/// A document shows its latest bill: one that is over takes no other's place. Answers whether it shows this one.
fn show(document: &mut Standing, number: EwbNumber, state: EwbState) -> bool {
    let number = number.to_string();
    let present = document.ewb_number.as_ref();
    let shows = present.is_none_or(|present| *present == number) || is_open(state);
    if shows {
        document.ewb_number = Some(number);
        document.ewb_state = state;
    }
    shows
}

/// Bills that came with registrations, to be written together.
#[derive(Debug)]
pub(crate) struct Births {
    now: Timestamp,
    /// Those that the ledger has already: a list or a read told of them before the registration did.
    known: HashMap<EwbNumber, Bill>,
    owners: HashMap<EwbNumber, i64>,
    bills: Vec<(i64, EwbNumber, EwayBill, Option<String>)>,
}

/// What a bill is told of its document, for the ids in the list `$1`.
const PARENTS: &str = "SELECT d.id, d.supplier, d.document_key, a.route, a.site \
     FROM json_each($1) j CROSS JOIN document d ON d.id = j.value LEFT JOIN attempt a ON a.id = d.last_attempt";

impl Births {
    /// Makes ready for the bills of these registrations.
    pub(crate) async fn load(
        connection: &mut SqliteConnection,
        registrations: impl Iterator<Item = &Registration> + Send,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let bills = registrations.filter_map(|registration| registration.ewb.as_ref());
        let numbers: BTreeSet<&str> = bills.map(|bill| bill.number.as_str()).collect();
        let mut known = HashMap::new();
        if !numbers.is_empty() {
            let sql = sqlx::AssertSqlSafe(format!("{BILL} WHERE b.number IN (SELECT value FROM json_each(?1))"));
            for row in &sqlx::query(sql).bind(codec::to_json(&numbers)?).fetch_all(connection).await? {
                let bill = of_row(row)?;
                known.insert(bill.standing.number, bill);
            }
        }
        let owner = |bill: &Bill| Some((bill.standing.number, bill.document?.0));
        let owners = known.values().filter_map(owner).collect();
        Ok(Self { now, known, owners, bills: Vec::new() })
    }

    /// Shows on the document what its registration says of an e-way bill. One that says nothing of a bill takes
    /// none away, and a bill that belongs to another document stays there.
    pub(crate) fn add(&mut self, document: &mut Standing, registration: &Registration) {
        let told = codec::ewb_of(registration);
        // A number of another form is kept with the registration and cannot be worked on.
        let named = registration.ewb.as_ref().and_then(|bill| Some((EwbNumber::parse(&bill.number).ok()?, bill)));
        let Some((number, bill)) = named else {
            if document.ewb_number.is_none() {
                document.ewb_state = told;
            }
            return;
        };
        if *self.owners.entry(number).or_insert(document.id) != document.id {
            return;
        }
        let state = self.known.get(&number).map_or(told, |known| state_after(known.standing.state, told));
        show(document, number, state);
        self.bills.push((document.id, number, bill.clone(), registration.site.clone()));
    }

    /// Writes them, before the documents that show them.
    pub(crate) async fn write(self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        if self.bills.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<i64> = self.bills.iter().map(|(id, ..)| *id).collect();
        let found = sqlx::query(PARENTS).bind(codec::to_json(&ids)?).fetch_all(&mut *connection).await?;
        let mut parents = HashMap::with_capacity(found.len());
        for row in &found {
            parents.insert(row.try_get::<i64, _>("id")?, row);
        }
        // A statement inserts a number once; the last one to bring it counts.
        let mut latest = HashMap::with_capacity(self.bills.len());
        for (id, number, bill, site) in self.bills {
            let row = parents.get(&id).ok_or_else(|| Fault::Unreadable(format!("document {id} is missing")))?;
            let born = born(row, id, number, &bill, site, self.now)?;
            let bill = match self.known.get(&number) {
                Some(known) => joined(known.clone(), born),
                None => born,
            };
            latest.insert(number, bill);
        }
        let mut rows = Rows::default();
        for bill in latest.values() {
            push(&mut rows, bill, self.now)?;
        }
        rows.execute(connection, PUT).await
    }
}

fn born(
    row: &SqliteRow,
    id: i64,
    number: EwbNumber,
    bill: &EwayBill,
    site: Option<String>,
    now: Timestamp,
) -> Result<Bill, Fault> {
    let supplier: Option<String> = row.try_get("supplier")?;
    let key: Option<DocumentKey> = codec::key(row.try_get("document_key")?)?;
    let supplier = supplier.unwrap_or_default();
    let supplier = Gstin::parse(&supplier)
        .map_err(|error| Fault::Unreadable(format!("the supplier of document {id}, `{supplier}`: {error}")))?;
    let state = if bill.valid_till.is_some() { EwbState::Active } else { EwbState::PartA };
    let route: Option<String> = row.try_get("route")?;
    let attempt_site: Option<String> = row.try_get("site")?;
    Ok(Bill {
        standing: BillStanding {
            made_at: bill.date,
            valid_till: bill.valid_till,
            document: key.map(|key| EwbDocument {
                doc_type: key.doc_type.to_string(),
                number: key.number.to_string(),
                date: None,
            }),
            ..BillStanding::new(number, Birth::Irn, supplier, state)
        },
        document: Some(DocumentId(id)),
        route: route.map(RouteName::new),
        site: site.or(attempt_site),
        changed_at: now,
    })
}

/// Where a bill stands after its registration told of it: what is over stays over, and a validity that was told
/// is no longer missing.
const fn state_after(known: EwbState, told: EwbState) -> EwbState {
    if is_open(known) && matches!(told, EwbState::Active) { told } else { known }
}

/// A bill that was known before, with what only its registration tells.
fn joined(known: Bill, born: Bill) -> Bill {
    let Bill { standing: told, document, route, site, changed_at } = born;
    let standing = known.standing;
    Bill {
        standing: BillStanding {
            birth: told.birth,
            state: state_after(standing.state, told.state),
            document: standing.document.or(told.document),
            made_at: standing.made_at.or(told.made_at),
            // It may have been extended since.
            valid_till: standing.valid_till.max(told.valid_till),
            ..standing
        },
        document,
        route: known.route.or(route),
        site: known.site.or(site),
        changed_at,
    }
}
