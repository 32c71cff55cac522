//! How a record lies in a keyring: a head with its first piece, and further pieces where one entry is too small.
//!
//! Windows takes 2,560 bytes an entry, and some keyrings take text only, so each piece is base64 below a line that says
//! whose it is. Further pieces lie in one of two slots. A write fills the slot that the head does not name, then replaces
//! the head, which is one entry and changes as a whole, and sweeps the other slot last: whoever reads, at any moment and
//! after any crash, finds the old record or the new one. A piece counts only if it has the generation of the head, a random
//! number of each write, so that what an interrupted write left behind is never taken for a part of a record.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::keyring::Keyring;

/// The layout that this program writes.
const LAYOUT: &str = "1";
/// What an entry holds at most on Windows (`CRED_MAX_CREDENTIAL_BLOB_SIZE`).
const ENTRY_BYTES_MAX: usize = 2_560;
/// Bytes of a record in one piece: 2,000 characters of base64, which leave room for the line above them.
const PIECE_BYTES: usize = 1_500;
/// Most pieces beside the head: a record of 1.5 MB, which is a list of thirty thousand names.
const PIECES_MAX: usize = 1_000;
/// How often a read starts again because the record changed while it was read.
const TRIES: usize = 16;

/// A record and the number of its last change.
pub(crate) struct Record {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) generation: u64,
}

#[derive(Clone, Copy)]
enum Slot {
    A,
    B,
}

impl Slot {
    const fn letter(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

struct Head {
    generation: u64,
    slot: Slot,
    pieces: usize,
    /// The record's name as it was written: some keyrings find it by another spelling.
    name: String,
    first: Zeroizing<Vec<u8>>,
}

/// The record of a name; nothing when there is none.
pub(crate) fn read(keyring: &Keyring, name: &str) -> Result<Option<Record>, Fault> {
    let mut torn = None;
    for _ in 0..TRIES {
        let Some(head) = head(keyring, name)?.filter(|head| head.name == name) else { return Ok(None) };
        let generation = head.generation;
        if let Some(bytes) = whole(keyring, name, head)? {
            return Ok(Some(Record { bytes, generation }));
        }
        if torn.replace(generation) == Some(generation) {
            return Err(Fault::Damaged(format!(
                "a piece of {name} is missing or another's, as somebody changed the keyring by hand: remove it and add it \
                 again"
            )));
        }
    }
    Err(Fault::Failed(format!("{name} was changed by others all the time, {TRIES} times in a row; try again")))
}

/// The number of the last change of a name, for a writer; nothing when it has no record.
pub(crate) fn generation(keyring: &Keyring, name: &str) -> Result<Option<u64>, Fault> {
    Ok(own_head(keyring, name)?.map(|head| head.generation))
}

/// Writes a record. One writer at a time, or slots get mixed.
pub(crate) fn write(keyring: &Keyring, name: &str, bytes: &[u8], generation: u64) -> Result<(), Fault> {
    let slot = own_head(keyring, name)?.map_or(Slot::A, |head| head.slot.other());
    let mut pieces = bytes.chunks(PIECE_BYTES);
    let first = pieces.next().unwrap_or_default();
    let further = pieces.len();
    if further > PIECES_MAX {
        return Err(Fault::Told(format!("{name} has {} bytes, which is more than a keyring is for", bytes.len())));
    }
    for (number, piece) in (1..).zip(pieces) {
        keyring.set(&piece_name(name, slot, number), &text(&piece_line(generation, number), piece))?;
    }
    let line = format!("einvoice {LAYOUT} {generation:016x} {} {further} {name}", slot.letter());
    keyring.set(name, &text(&line, first))?;
    // From here on the new record is there, whatever becomes of the old pieces.
    for (slot, from) in [(slot, further + 1), (slot.other(), 1)] {
        if let Err(fault) = sweep(keyring, name, slot, from) {
            tracing::debug!(?fault, "pieces of an older record stayed in the keyring; the next write removes them");
        }
    }
    Ok(())
}

/// Removes a record, and all that interrupted writes left of it; false when there was none.
pub(crate) fn delete(keyring: &Keyring, name: &str) -> Result<bool, Fault> {
    // A head that cannot be read must be removable, too.
    let is_twin = matches!(head(keyring, name), Ok(Some(head)) if head.name != name);
    if is_twin {
        return Ok(false);
    }
    let was_there = keyring.delete(name)?;
    for slot in [Slot::A, Slot::B] {
        sweep(keyring, name, slot, 1)?;
    }
    Ok(was_there)
}

fn piece_name(name: &str, slot: Slot, number: usize) -> String {
    format!("{name}/{}/{number}", slot.letter())
}

fn piece_line(generation: u64, number: usize) -> String {
    format!("einvoice {LAYOUT} {generation:016x} {number}")
}

/// Removes the pieces of a slot from a number on, the last first: so those that are there always follow each other, and
/// the first that is missing ends them.
fn sweep(keyring: &Keyring, name: &str, slot: Slot, from: usize) -> Result<(), Fault> {
    let mut end = from;
    while keyring.get(&piece_name(name, slot, end))?.is_some() {
        end += 1;
    }
    for number in (from..end).rev() {
        keyring.delete(&piece_name(name, slot, number))?;
    }
    Ok(())
}

/// What an entry holds: a line, and base64 below it.
fn text(line: &str, piece: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(String::with_capacity(ENTRY_BYTES_MAX));
    out.push_str(line);
    out.push('\n');
    BASE64_STANDARD.encode_string(piece, &mut out);
    Zeroizing::new(std::mem::take(&mut *out).into_bytes())
}

fn parts(text: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(text).ok()?.split_once('\n')
}

fn bytes(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(ENTRY_BYTES_MAX));
    BASE64_STANDARD.decode_vec(base64.trim_end(), &mut out).ok()?;
    Some(out)
}

fn head(keyring: &Keyring, name: &str) -> Result<Option<Head>, Fault> {
    let Some(found) = keyring.get(name)? else { return Ok(None) };
    let foreign = || {
        Fault::Damaged(format!("what it holds as {name} was not written by this program: remove it and add it again"))
    };
    let (line, first) = parts(&found).ok_or_else(foreign)?;
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["einvoice", LAYOUT, generation, slot, pieces, name] => {
            let slot = match *slot {
                "a" => Slot::A,
                "b" => Slot::B,
                _ => return Err(foreign()),
            };
            let (Ok(generation), Ok(pieces), Some(first)) =
                (u64::from_str_radix(generation, 16), pieces.parse(), bytes(first))
            else {
                return Err(foreign());
            };
            Ok(Some(Head { generation, slot, pieces, name: (*name).to_owned(), first }))
        }
        ["einvoice", layout, ..] if *layout != LAYOUT => Err(Fault::Damaged(format!(
            "{name} has layout {layout} and this program knows layout {LAYOUT}; use the program that wrote it"
        ))),
        _ => Err(foreign()),
    }
}

/// The head that a writer replaces; refused where it is that of another name.
fn own_head(keyring: &Keyring, name: &str) -> Result<Option<Head>, Fault> {
    match head(keyring, name)? {
        Some(twin) if twin.name != name => Err(Fault::Told(format!(
            "{name} differs from {} in upper and lower case only, which this keyring does not tell apart: give one of the \
             routes or accounts another name",
            twin.name
        ))),
        head => Ok(head),
    }
}

/// The record of a head; nothing when a piece is not there, or of another generation.
fn whole(keyring: &Keyring, name: &str, head: Head) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let mut out = head.first;
    for number in 1..=head.pieces {
        let Some(found) = keyring.get(&piece_name(name, head.slot, number))? else { return Ok(None) };
        let piece = parts(&found).filter(|(line, _)| *line == piece_line(head.generation, number));
        let Some(piece) = piece.and_then(|(_, piece)| bytes(piece)) else { return Ok(None) };
        // Growing in place would leave copies behind.
        let mut longer = Zeroizing::new(Vec::with_capacity(out.len() + piece.len()));
        longer.extend_from_slice(&out);
        longer.extend_from_slice(&piece);
        out = longer;
    }
    Ok(Some(out))
}
