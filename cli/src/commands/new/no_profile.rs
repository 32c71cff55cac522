//! `new gsp-profile`, in a program without providers.

use crate::arguments::NewGspProfile;
use crate::error::CliError;
use crate::output::Output;

/// Says what is missing.
pub(super) fn run(_profile: &NewGspProfile, _output: &mut Output) -> Result<u8, CliError> {
    Err(CliError::Usage("this program was built without providers: build with features `gsp` and `sandbox`".to_owned()))
}
