//! Processes for the crash test: the emulator, an installation, and moments to kill at.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_einvoice");

/// Moments from a seed.
pub(crate) struct Moments {
    state: u64,
}

impl Moments {
    /// From `EINVOICE_CRASH_SEED`, or a fixed seed; prints which.
    pub(crate) fn from_environment() -> Self {
        let seed = std::env::var("EINVOICE_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
        println!("EINVOICE_CRASH_SEED={seed}");
        Self { state: seed }
    }

    pub(crate) fn next_within(&mut self, most: Duration) -> Duration {
        // Knuth's MMIX generator; its high bits are good enough to pick moments.
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let most = u64::try_from(most.as_micros()).unwrap();
        Duration::from_micros((self.state >> 33) % most)
    }
}

/// `einvoice sandbox serve`, ended when dropped.
pub(crate) struct Emulator {
    child: Child,
    folder: TempDir,
    address: String,
    connection: Value,
}

impl Emulator {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "serve", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        let connection = fs::read_to_string(folder.path().join("connection.json")).unwrap();
        Self {
            child,
            address: started["address"].as_str().unwrap().to_owned(),
            connection: serde_json::from_str(&connection).unwrap(),
            folder,
        }
    }

    /// GSTINs with an API user whose documents the generator can make.
    pub(crate) fn suppliers(&self) -> Vec<String> {
        let users = self.connection["users"].as_array().unwrap();
        let gstins = users.iter().map(|user| user["gstin"].as_str().unwrap().to_owned());
        gstins.filter(|gstin| ["29", "33", "07"].contains(&&gstin[..2])).collect()
    }

    /// What the portal holds.
    pub(crate) fn books(&self) -> Vec<Value> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET /sandbox/invoices HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        let start = body.find('[').unwrap();
        let end = body.rfind(']').unwrap();
        serde_json::from_str(&body[start..=end]).unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A folder with a configuration that goes to the emulator over HTTP.
pub(crate) struct Installation {
    folder: TempDir,
    environment: Vec<(String, String)>,
    output: RefCell<String>,
}

impl Installation {
    pub(crate) fn direct(emulator: &Emulator) -> Self {
        let folder = TempDir::new().unwrap();
        let installation = Self { folder, environment: credentials(&emulator.connection), output: RefCell::default() };
        let key = |name: &str| emulator.connection[name].as_str().unwrap().to_owned();
        installation.write("auth.pem", &key("auth_public_key"));
        let signing = emulator.folder.path().join("signing-public.pem");
        installation.write("signing.pem", &fs::read_to_string(signing).unwrap());
        installation.write(
            "einvoice.toml",
            &format!(
                r#"
[ledger]
plugin = "ledger-sqlite"
path = "einvoice.db"
settle_wait_seconds = 1
[credentials]
plugin = "credentials-env"
[run]
settle_wait_seconds = 1
[verify]
keys = ["signing.pem"]
[[route]]
name = "emulator"
plugin = "direct"
environment = "sandbox"
base_url = "{}"
auth_public_key_file = "auth.pem"
[[source]]
name = "drop"
plugin = "json-file"
path = "in/*.jsonl"
settle_ms = 0
move_files = false
[[write_back]]
name = "answers"
plugin = "json-file"
"#,
                emulator.connection["base_url"].as_str().unwrap()
            ),
        );
        installation
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs to the end; the exit code.
    pub(crate) fn run(&self) -> i32 {
        let output = self.command(&["run", "--once"]).output().unwrap();
        *self.output.borrow_mut() =
            format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        output.status.code().unwrap()
    }

    pub(crate) fn last_output(&self) -> String {
        self.output.borrow().clone()
    }

    /// Starts a run and kills it after a while. `false` when it had ended by itself.
    pub(crate) fn run_and_kill(&self, after: Duration) -> bool {
        let mut child = self.command(&["run", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A kill at a random moment is the point of this test; nothing waits for a condition here.
        std::thread::sleep(after);
        let was_running = child.try_wait().unwrap().is_none();
        let _killed = child.kill();
        child.wait().unwrap();
        was_running
    }

    /// Starts a run and asks it to stop after a while, as Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn run_and_interrupt(&self, after: Duration) {
        let mut child = self.command(&["run", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(asked.success() || child.try_wait().unwrap().is_some());
        child.wait().unwrap();
    }

    /// One object a document.
    pub(crate) fn status(&self) -> Vec<Value> {
        let output = self.command(&["status", "--json"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.folder.path()).envs(self.environment.iter().cloned());
        command
    }
}

fn credentials(connection: &Value) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for user in connection["users"].as_array().unwrap() {
        let text = |name: &str| user[name].as_str().unwrap().to_owned();
        let gstin = text("gstin");
        variables.push((format!("EINVOICE_USER__{gstin}__SANDBOX"), text("username")));
        variables.push((format!("EINVOICE_PASSWORD__{gstin}__SANDBOX"), text("password")));
    }
    let text = |name: &str| connection[name].as_str().unwrap().to_owned();
    variables.push(("EINVOICE_CLIENT_ID__SANDBOX".to_owned(), text("client_id")));
    variables.push(("EINVOICE_CLIENT_SECRET__SANDBOX".to_owned(), text("client_secret")));
    variables
}
