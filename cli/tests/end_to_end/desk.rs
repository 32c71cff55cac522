//! A folder to begin in, with the portal's keys as they were downloaded, and a person before it.

use std::fs;
use std::path::Path;

use einvoice_core::identifier::Gstin;
use einvoice_testkit::documents::Recipe;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Emulator;
use crate::terminal::Terminal;

/// The address that the emulator takes loopback callers for.
pub(crate) const LISTED: &str = "117.200.1.10";

/// The passphrase of the credentials file.
pub(crate) const VARIABLES: [(&str, &str); 1] = [("EINVOICE_PASSPHRASE", "a long passphrase of a test")];

/// A folder to begin in.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new(emulator: &Emulator) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        let key = emulator.connection()["auth_public_key"].as_str().unwrap();
        fs::write(folder.path().join("keys/login.pem"), key).unwrap();
        fs::copy(emulator.file("signing-public.pem"), folder.path().join("keys/signing.pem")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn onboard(&self) -> Terminal {
        self.onboard_with(&[])
    }

    pub(crate) fn onboard_with(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.path(), &[&["onboard"], arguments].concat(), &VARIABLES)
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> (i32, String) {
        self.call_with(arguments, &[])
    }

    pub(crate) fn call_with(&self, arguments: &[&str], variables: &[(&str, String)]) -> (i32, String) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_einvoice"));
        let command = command.args(arguments).current_dir(self.path()).stdin(std::process::Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EINVOICE")) {
            command.env_remove(name);
        }
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str())).chain(VARIABLES);
        let output = command.envs(variables).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), text)
    }

    /// The checklist: the state of each step.
    pub(crate) fn steps(&self) -> Vec<(String, String)> {
        let (_, text) = self.call(&["onboard", "--status", "--json"]);
        let list: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        list["steps"].as_array().unwrap().iter().map(|step| (text(step, "step"), text(step, "state"))).collect()
    }

    pub(crate) fn state_of(&self, step: &str) -> String {
        self.steps().into_iter().find(|(name, _)| name == step).unwrap().1
    }

    /// Drops one invoice and registers it.
    pub(crate) fn register_one(&self, emulator: &Emulator, supplier: Gstin) {
        let invoice = Recipe::numbered(1).by(supplier).json();
        fs::write(self.path().join("inbox/invoice.json"), invoice).unwrap();
        let (code, text) =
            self.call(&["run", "--once", "--set", "source.0.settle_ms=0", "--set", "rules.turnover_crore=4"]);
        assert_eq!(code, 0, "{text}");
        let books = emulator.books();
        assert_eq!(books.len(), 1, "{text}");
        assert_eq!(books[0]["registrations"], 1);
        let (_, status) = self.call(&["status", "--json"]);
        assert!(status.contains(books[0]["irn"].as_str().unwrap()), "{status}");
    }

    /// Nothing that was typed without being shown stands in any file in clear, nor was it shown.
    pub(crate) fn keeps(&self, secrets: &[&str], shown: &str) {
        for secret in secrets {
            assert!(!shown.contains(secret), "a secret was shown");
            for entry in fs::read_dir(self.path()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
                let bytes = fs::read(entry.path()).unwrap();
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "a secret stands in {}", entry.path().display());
            }
        }
    }
}

/// A person of the emulator's own, and a file of answers about it.
pub(crate) fn answered(desk: &Desk, emulator: &Emulator) -> Vec<(&'static str, String)> {
    let connection = emulator.connection();
    let user = &connection["users"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let supplier = text(&user["gstin"]);
    let answers = format!(
        r#"
pan = "{}"
gstins = ["{supplier}"]
way = "direct"
environment = "sandbox"
base_url = "{}"
login_key_file = "keys/login.pem"
signing_keys = ["keys/signing.pem"]
[client]
id = "{}"
secret = {{ env = "TEST_CLIENT_SECRET" }}
[[user]]
gstin = "{supplier}"
name = "{}"
password = {{ file = "keys/password.txt" }}
"#,
        &supplier[2..12],
        text(&connection["base_url"]),
        text(&user["client_id"]),
        text(&user["username"]),
    );
    fs::write(desk.path().join("answers.toml"), answers).unwrap();
    fs::write(desk.path().join("keys/password.txt"), text(&user["password"])).unwrap();
    vec![("TEST_CLIENT_SECRET", text(&user["client_secret"]))]
}
