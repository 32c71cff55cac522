//! What drivers report, by SQLSTATE and by the number of the database itself.

use odbc_api::Error;

use crate::fault::{Fault, Kind, by_code};

/// Says which driver is missing, and what a data source name stands for.
const NO_DRIVER: &str = "; install the driver and name it as `odbcinst -q -d` (Linux) or the ODBC administrator (Windows) \
                         lists it: the plugin's README says which";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (Error::Diagnostics { record, .. }
        | Error::InvalidRowArraySize { record, .. }
        | Error::UnableToRepresentNull(record)
        | Error::UnsupportedOdbcApiVersion(record)
        | Error::OracleOdbcDriverDoesNotSupport64Bit(record)) = &error
        else {
            return Self::new(Kind::Broken, one_line(&error.to_string()));
        };
        let text = record.to_string();
        let message = one_line(text.split_once("Message: ").map_or(text.as_str(), |(_, message)| message));
        let (state, number) = (record.state.as_str(), record.native_error);
        let kind = kind(state, number, &message);
        let fix = match kind {
            Kind::Setup if state.starts_with("IM") || message.contains("Can't open lib") => NO_DRIVER,
            Kind::Setup if is_login(state, number) => "; check user, password and database",
            Kind::Full => Fault::MAKE_ROOM,
            Kind::ReadOnly => Fault::MAY_NOT_WRITE,
            Kind::Setup => "; check the name and the privileges, which the plugin's README lists",
            Kind::Broken | Kind::Unreachable => "; the next run tries again",
            Kind::Busy => "; another program holds what is needed, and the next run tries again",
            Kind::Data | Kind::Other => "",
        };
        Self::new(kind, format!("{message} [{state}, {number}]{fix}"))
    }
}

impl Fault {
    /// The same, where it came of connecting: nobody who cannot be reached is asked again at once.
    pub(super) fn of_connecting(mut self) -> Self {
        if self.kind == Kind::Broken || self.kind == Kind::Other {
            self.kind = Kind::Unreachable;
        }
        self
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_login(state: &str, number: i32) -> bool {
    if state == "08001" {
        return true;
    }
    // 4060 is SQL Server's "cannot open database", 1017 Oracle's "invalid username/password".
    state.starts_with("28") || state == "3D000" || matches!(number, 18_456 | 4_060 | 1_017 | 1_044 | 1_045 | 1_049)
}

/// By the state where it says enough, else by what the database itself reports: numbers of SQL Server
/// (<https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/database-engine-events-and-errors>) and of
/// Oracle (<https://docs.oracle.com/error-help/db/>), result codes of SQLite.
fn kind(state: &str, number: i32, message: &str) -> Kind {
    // Some drivers call a refused login a server that cannot be reached.
    if ["Can't open lib", "authentication failed", "role \"", "Access denied"]
        .iter()
        .any(|words| message.contains(words))
    {
        return Kind::Setup;
    }
    match state {
        "IM002" | "IM003" | "IM004" | "IM006" => return Kind::Setup,
        "40001" | "40P01" | "HYT00" | "S1T00" => return Kind::Busy,
        "08001" | "08004" | "HYT01" => return Kind::Unreachable,
        _ => {}
    }
    match number {
        // Deadlock and lock time-out of SQL Server, of Oracle.
        1_205 | 1_222 | 54 | 60 => return Kind::Busy,
        // No room for the data, the log, a table space.
        1_101 | 1_105 | 9_002 | 1_653 | 1_654 | 1_688 => return Kind::Full,
        3_906 | 16_000 => return Kind::ReadOnly,
        // Too long, a conversion that fails, a value out of range, a key that is there.
        2_628 | 8_152 | 8_114 | 8_115 | 2_627 | 2_601 | 12_899 | 1_438 => return Kind::Data,
        942 | 904 | 1_031 | 208 | 207 | 229 | 230 | 18_456 | 4_060 | 1_017 => return Kind::Setup,
        _ => {}
    }
    // No such table or column, in the words of ODBC 3 and 2; what may not be done.
    if is_login(state, number) || ["42S02", "42S22", "S0002", "S0022", "42000", "37000"].contains(&state) {
        return Kind::Setup;
    }
    if state == "HY000" || state == "S1000" {
        // The driver of SQLite has its codes in the number, and its name before its words.
        let plain = message.rsplit_once(']').map_or(message, |(_, plain)| plain);
        return by_code(&number.to_string(), plain.trim_start());
    }
    by_code(state, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_numbers_say_whose_move_it_is() {
        for (state, number, message, expected) in [
            ("42S02", 208, "Invalid object name 'einv_header'.", Kind::Setup),
            ("42000", 1205, "Transaction was deadlocked", Kind::Busy),
            ("40001", 1205, "Transaction was deadlocked", Kind::Busy),
            ("42000", 229, "The SELECT permission was denied", Kind::Setup),
            ("28000", 18456, "Login failed for user 'einvoice'.", Kind::Setup),
            ("22001", 2628, "String or binary data would be truncated", Kind::Data),
            ("HY000", 942, "ORA-00942: table or view does not exist", Kind::Setup),
            ("HY000", 1653, "ORA-01653: unable to extend table", Kind::Full),
            ("08S01", 0, "Communication link failure", Kind::Broken),
            ("08001", 101, "could not connect to server", Kind::Unreachable),
            ("42P01", 1, "ERROR: relation does not exist", Kind::Setup),
            ("HY000", 1, "[SQLite]no such table: x (1)", Kind::Setup),
            ("HY000", 5, "[SQLite]database is locked (5)", Kind::Busy),
            ("IM002", 0, "Data source name not found", Kind::Setup),
            ("01000", 0, "[unixODBC][Driver Manager]Can't open lib 'x.so'", Kind::Setup),
        ] {
            assert_eq!(kind(state, number, message), expected, "{state} {number} {message}");
        }
    }
}
