//! `new staging`: the tables into which an accounting system writes its documents, for a database of a dialect.

use clap::Args;
use einvoice_core::registry::{Scaffold, nearest};
use serde_json::json;

use crate::error::CliError;
use crate::exit_code;
use crate::output::Output;

/// The name under which the tables are registered.
const STAGING: &str = "staging";

/// Arguments of `new staging`.
#[derive(Debug, Args)]
pub struct NewStaging {
    /// For which database: postgres, mysql (MariaDB too) or sqlite
    #[arg(long, value_name = "DIALECT")]
    pub dialect: String,
}

pub(super) fn run(arguments: &NewStaging, output: &mut Output) -> Result<u8, CliError> {
    let Some(scaffold) = Scaffold::linked(STAGING) else {
        return Err(CliError::Usage(
            "this program was built without staging tables: build with feature `database`".to_owned(),
        ));
    };
    let dialect = arguments.dialect.to_ascii_lowercase();
    let Some(text) = (scaffold.text)(&dialect) else {
        let near = nearest(&dialect, scaffold.variants.iter().copied());
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let known = scaffold.variants.join(", ");
        return Err(CliError::Usage(format!("there is no dialect `{}`{near} There are: {known}", arguments.dialect)));
    };
    if output.is_json() {
        output.object(&json!({ "dialect": dialect, "sql": text }))?;
    } else {
        output.bytes(text.as_bytes())?;
    }
    Ok(exit_code::ALL_WELL)
}
