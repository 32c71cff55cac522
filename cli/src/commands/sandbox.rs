//! `sandbox serve`: the portal emulator over HTTP.

use crate::arguments::Sandbox;
use crate::error::CliError;
use crate::output::Output;

#[cfg(feature = "sandbox")]
pub(super) fn run(arguments: &Sandbox, output: &mut Output) -> Result<u8, CliError> {
    match arguments {
        Sandbox::Serve(serve) => super::block_on(served::serve(serve, output)),
    }
}

#[cfg(not(feature = "sandbox"))]
pub(super) fn run(_arguments: &Sandbox, _output: &mut Output) -> Result<u8, CliError> {
    Err(CliError::Usage("this program was built without the emulator: build with feature `sandbox`".to_owned()))
}

#[cfg(feature = "sandbox")]
mod served {
    use einvoice_core::clock::SystemClock;
    use einvoice_core::entropy::SystemEntropy;

    use crate::arguments::SandboxServe;
    use crate::error::{CliError, with_causes};
    use crate::exit_code;
    use crate::output::Output;
    use crate::plugins::emulator::{CONNECTION_FILE, ServeOptions, serve as start};
    use crate::stop::Interrupts;

    /// Serves until it is interrupted. The address is printed once requests are answered, so that a
    /// script may wait for that line.
    pub(super) async fn serve(arguments: &SandboxServe, output: &mut Output) -> Result<u8, CliError> {
        let mut interrupts = Interrupts::listen()?;
        let mut options = ServeOptions::new(arguments.listen, &arguments.data);
        options.gstins.clone_from(&arguments.gstins);
        options.empty = arguments.empty;
        let server = start(options, SystemClock::shared(), SystemEntropy::shared())
            .await
            .map_err(|error| CliError::Usage(with_causes(error.to_string(), &error)))?;
        let connection = arguments.data.join(CONNECTION_FILE);
        let portal = server.sandbox().connection(&server.base_url()).portal_url;
        if output.is_json() {
            output.object(&serde_json::json!({
                "address": server.address().to_string(),
                "base_url": server.base_url(),
                "connection": connection.display().to_string(),
                "portal_url": portal,
            }))?;
        } else {
            output.line(format!("the emulator listens on {}", server.base_url()))?;
            output.line(format!("pages for sign-up, IP listing and API users are at {portal}"))?;
            output.line(format!("addresses, worthless credentials and keys are in {}", connection.display()))?;
        }
        output.flush()?;
        output.remark("press Ctrl-C to stop");
        interrupts.next().await;
        server.stop().await;
        Ok(exit_code::ALL_WELL)
    }
}
