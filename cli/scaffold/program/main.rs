//! The program `einvoice` with the adapter for @name@.

// The link list: one line for each adapter. An adapter that is not named here is not in the program.
use @crate@ as _;

fn main() {
    std::process::exit(einvoice_cli::program(std::env::args_os()).into());
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_adapter_is_in_the_program() {
        let registry = einvoice_cli::plugins::registry().expect("no two adapters of one name");
        assert!(registry.overview().iter().any(|plugin| plugin.name == "@name@"));
    }
}
