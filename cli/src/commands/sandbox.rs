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
    use std::path::Path;
    use std::sync::Arc;

    use einvoice_core::clock::SystemClock;
    use einvoice_core::entropy::SystemEntropy;

    use crate::arguments::SandboxServe;
    use crate::error::{CliError, with_causes};
    use crate::exit_code;
    use crate::output::Output;
    use crate::plugins::emulator::{CONNECTION_FILE, Front, ServeOptions, serve as start};
    use crate::stop::Interrupts;

    /// Serves until it is interrupted. The address is printed once requests are answered, so that a
    /// script may wait for that line.
    pub(super) async fn serve(arguments: &SandboxServe, output: &mut Output) -> Result<u8, CliError> {
        let mut interrupts = Interrupts::listen()?;
        let mut options = ServeOptions::new(arguments.listen, &arguments.data);
        options.gstins.clone_from(&arguments.gstins);
        options.empty = arguments.empty;
        for name in &arguments.providers {
            let front = front(name, &arguments.data)?;
            if options.fronts.iter().any(|(prefix, _)| *prefix == front.0) {
                return Err(CliError::Usage(format!("--gsp {name}: another one with the same id is given already")));
            }
            options.fronts.push(front);
        }
        let names: Vec<String> = options.fronts.iter().map(|(prefix, _)| prefix.clone()).collect();
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
                "gsp": names.iter().map(|prefix| format!("{}{prefix}", server.base_url())).collect::<Vec<_>>(),
            }))?;
        } else {
            output.line(format!("the emulator listens on {}", server.base_url()))?;
            output.line(format!("pages for sign-up, IP listing and API users are at {portal}"))?;
            for prefix in &names {
                output.line(format!("a provider answers below {}{prefix}", server.base_url()))?;
            }
            output.line(format!("addresses, worthless credentials and keys are in {}", connection.display()))?;
        }
        output.flush()?;
        output.remark("press Ctrl-C to stop");
        interrupts.next().await;
        server.stop().await;
        Ok(exit_code::ALL_WELL)
    }

    /// A provider, and the path that it answers below.
    #[cfg(feature = "gsp")]
    fn front(name: &str, data: &Path) -> Result<(String, Arc<dyn Front>), CliError> {
        use crate::plugins::providers::emulator::{Provider, Served};
        use crate::plugins::providers::profile::{is_file_name, read_profile};

        let failed =
            |error: &dyn std::error::Error| CliError::Usage(with_causes(format!("--gsp {name}: {error}"), error));
        let profile = read_profile(name, Path::new("")).map_err(|error| failed(&error))?;
        let known_as = if is_file_name(name) {
            std::path::absolute(name).map_err(|error| failed(&error))?.display().to_string()
        } else {
            name.to_owned()
        };
        let served = Served { profile: known_as, data: data.to_owned() };
        let provider = Provider::served(profile, served, &SystemEntropy::shared()).map_err(|error| failed(&error))?;
        Ok((provider.prefix(), Arc::new(provider)))
    }

    #[cfg(not(feature = "gsp"))]
    fn front(name: &str, _data: &Path) -> Result<(String, Arc<dyn Front>), CliError> {
        Err(CliError::Usage(format!(
            "--gsp {name}: this program was built without providers: build with feature `gsp`"
        )))
    }
}
