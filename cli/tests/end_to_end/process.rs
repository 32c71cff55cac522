//! Processes for these tests: the emulator, an installation, and moments to kill at.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::terminal::Terminal;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_einvoice");
/// A run is killed no later after its start, to begin with: on an idle machine one of some fifty documents ends then.
const LATEST_KILL: Duration = Duration::from_millis(900);
/// The same for the fastest and for the busiest machine.
const LATEST_KILL_EVER: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(6);

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
        Self::start_for(&[])
    }

    /// With these taxpayers instead of its own.
    pub(crate) fn start_for(gstins: &[&str]) -> Self {
        Self::start_with(&gstins.iter().flat_map(|gstin| ["--gstin", gstin]).collect::<Vec<_>>())
    }

    /// With these providers before it.
    pub(crate) fn start_with_providers(profiles: &[&str]) -> Self {
        Self::start_with(&profiles.iter().flat_map(|profile| ["--gsp", profile]).collect::<Vec<_>>())
    }

    /// With these arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", "serve", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(folder.path())
            .args(arguments)
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

    /// Host and port that it listens on.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What `connection.json` says: all that a client needs to know, secrets included.
    pub(crate) const fn connection(&self) -> &Value {
        &self.connection
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// GSTINs with an API user whose documents the generator can make.
    pub(crate) fn suppliers(&self) -> Vec<String> {
        let users = self.connection["users"].as_array().unwrap();
        let gstins = users.iter().map(|user| user["gstin"].as_str().unwrap().to_owned());
        gstins.filter(|gstin| ["29", "33", "07"].contains(&&gstin[..2])).collect()
    }

    /// What the portal holds.
    pub(crate) fn books(&self) -> Vec<Value> {
        self.control("GET", "/sandbox/invoices", "").as_array().unwrap().clone()
    }

    /// IRN by document number, as the portal holds it; each was registered once.
    pub(crate) fn registered(&self) -> BTreeMap<String, String> {
        let books = self.books();
        assert!(books.iter().all(|line| line["registrations"] == 1), "{books:?}");
        let line = |line: &Value| {
            // GSTIN, year and type stand before the number, which may hold slashes itself.
            let number = line["key"].as_str().unwrap().splitn(4, '/').nth(3).unwrap();
            (number.to_owned(), line["irn"].as_str().unwrap().to_owned())
        };
        books.iter().map(line).collect()
    }

    /// How often an operation was called, calls without an answer included.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.control("GET", "/sandbox/calls", "")[operation].as_u64().unwrap_or_default()
    }

    /// Returns once an operation has been called so often. Each look is a request of its own, so this
    /// does not spin; a test that waits for nothing is ended by the run that it watches.
    pub(crate) fn wait_for_calls(&self, operation: &str, count: u64) {
        while self.calls(operation) < count {}
    }

    /// Has the next calls of an operation go wrong.
    pub(crate) fn fault(&self, operation: &str, fault: &Value, times: u32) {
        let body = json!({"operation": operation, "fault": fault, "times": times});
        self.control("POST", "/sandbox/faults", &body.to_string());
    }

    /// Has the next calls to a provider go wrong.
    pub(crate) fn provider_fault(&self, id: &str, fault: &Value, times: u32) {
        let body = json!({"fault": fault, "times": times});
        self.control("POST", &format!("/sandbox/gsp/{id}/faults"), &body.to_string());
    }

    /// Every secret of `connection.json`.
    pub(crate) fn secrets(&self) -> Vec<String> {
        fn collect(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
                    Some(text) if ["client_id", "client_secret", "username", "password"].contains(&name.as_str()) => {
                        found.push(text.to_owned());
                    }
                    _ => collect(value, found),
                }),
                Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        collect(&self.connection, &mut found);
        found
    }

    /// Everything goes right again.
    pub(crate) fn clear_faults(&self) {
        self.control("DELETE", "/sandbox/faults", "");
    }

    /// The registration of a taxpayer has ended.
    pub(crate) fn end_registration(&self, gstin: &str) {
        let mut settings = self.control("GET", "/sandbox/settings", "");
        settings["taxpayers"].as_array_mut().unwrap().push(json!({"gstin": gstin, "status": "CNL"}));
        self.control("PUT", "/sandbox/settings", &settings.to_string());
    }

    /// Moves the portal's clock on.
    pub(crate) fn advance_clock(&self, seconds: u64) {
        self.control("POST", "/sandbox/clock", &json!({"advance_seconds": seconds}).to_string());
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 ") || head.contains(" 204 "), "{method} {path}: {answer}");
        let start = body.find(['[', '{']);
        let end = body.rfind([']', '}']);
        start.zip(end).map_or(Value::Null, |(start, end)| serde_json::from_str(&body[start..=end]).unwrap())
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
    environment: BTreeMap<String, String>,
}

/// What a run answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    /// What a person sees: standard output, then standard error.
    pub(crate) text: String,
}

impl Installation {
    pub(crate) fn direct(emulator: &Emulator) -> Self {
        let folder = TempDir::new().unwrap();
        let installation = Self { folder, environment: credentials(&emulator.connection) };
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
[rules]
turnover_crore = 4
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

    /// Through every provider before the emulator, each by the route that `connection.json` has for it.
    pub(crate) fn through_providers(emulator: &Emulator) -> Self {
        let mut installation = Self::direct(emulator);
        let config = fs::read_to_string(installation.path("einvoice.toml")).unwrap();
        let (head, rest) = config.split_once("[[route]]").unwrap();
        let (_, tail) = rest.split_once("[[source]]").unwrap();
        let providers = emulator.connection["gsp"].as_array().unwrap();
        let routes: String = providers.iter().map(|told| told["route"].as_str().unwrap()).collect();
        installation.write("einvoice.toml", &format!("{head}{routes}[[source]]{tail}"));
        for told in providers {
            let account = told["id"].as_str().unwrap().to_uppercase().replace('-', "_");
            for (of, product) in [(told, "E_INVOICE"), (&told["ewb"], "E_WAY_BILL")] {
                for (key, variable) in [("client_id", "CLIENT_ID"), ("client_secret", "CLIENT_SECRET")] {
                    if let Some(value) = of[key].as_str() {
                        let name = |part: &str| format!("EINVOICE_{variable}__PROVIDER_GSP_{account}{part}__SANDBOX");
                        installation.environment.insert(name(&format!("__{product}")), value.to_owned());
                        if of == told {
                            installation.environment.insert(name(""), value.to_owned());
                        }
                    }
                }
            }
        }
        installation
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same with a running Tally as source and target.
    pub(crate) fn over_tally(self, emulator: &Emulator, url: &str, company: &str, from: &str) -> Self {
        let link = format!("plugin = \"tally\"\nurl = \"{url}\"\ncompany = \"{company}\"\n");
        self.over(emulator, &format!("{link}from = \"{from}\"\n"), &link)
    }

    /// The same with a folder of files that Tally exported, and one for the files that it imports.
    pub(crate) fn over_tally_files(self, emulator: &Emulator) -> Self {
        fs::create_dir(self.path("exports")).unwrap();
        let source = "plugin = \"tally\"\npath = \"exports/*\"\nsettle_ms = 0\n";
        self.over(emulator, source, "plugin = \"tally\"\nfolder = \"results\"\n")
    }

    /// The same with a folder that SAP writes to, and one for its answers.
    pub(crate) fn over_sap(self, emulator: &Emulator, inbox: &Path, answers: &Path) -> Self {
        let path = |path: &Path| json!(path.to_str().unwrap());
        let source =
            format!("plugin = \"sap-file\"\npath = {}\nsettle_ms = 0\ndefinitions = [\"segments.csv\"]\n", path(inbox));
        let target = format!(
            "plugin = \"sap-file\"\nfolder = {}\nresults = [\"response\", \"invrefnum_csv\", \"status\"]\n",
            path(answers)
        );
        self.write("segments.csv", einvoice_testkit::idocs::DEFINITIONS);
        self.over(emulator, &source, &target)
    }

    /// The same with another source and target, and the client pair of each taxpayer's PAN.
    fn over(mut self, emulator: &Emulator, source: &str, target: &str) -> Self {
        for user in emulator.connection["users"].as_array().unwrap() {
            let text = |name: &str| user[name].as_str().unwrap().to_owned();
            let pan = text("gstin")[2..12].to_owned();
            self.environment.insert(format!("EINVOICE_CLIENT_ID__{pan}__SANDBOX"), text("client_id"));
            self.environment.insert(format!("EINVOICE_CLIENT_SECRET__{pan}__SANDBOX"), text("client_secret"));
        }
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        let (head, _) = config.split_once("[[source]]").unwrap();
        let parts = format!("[[source]]\nname = \"source\"\n{source}[[write_back]]\nname = \"books\"\n{target}");
        self.write("einvoice.toml", &format!("{head}{parts}"));
        self
    }

    /// The same with workbooks as source and target.
    pub(crate) fn over_workbooks(self) -> Self {
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        let (head, _) = config.split_once("[[source]]").unwrap();
        let parts = "[[source]]\nname = \"sales\"\nplugin = \"spreadsheet\"\npath = \"inbox\"\nsettle_ms = 0\n\
                     [[write_back]]\nname = \"results\"\nplugin = \"spreadsheet\"\n";
        self.write("einvoice.toml", &format!("{head}{parts}"));
        fs::create_dir(self.path("inbox")).unwrap();
        self
    }

    /// The same with the staging tables of a database as source and target.
    pub(crate) fn over_database(self, url: &str) -> Self {
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        let (head, _) = config.split_once("[[source]]").unwrap();
        let link = format!("plugin = \"database\"\nurl = '{url}'\nenvironment = \"sandbox\"\n");
        let parts =
            format!("[[source]]\nname = \"erp\"\n{link}page_rows = 7\n[[write_back]]\nname = \"results\"\n{link}");
        self.write("einvoice.toml", &format!("{head}{parts}"));
        self
    }

    /// The same with the e-way bill system.
    pub(crate) fn with_bills(self, emulator: &Emulator) -> Self {
        let bills = &emulator.connection["ewb"];
        self.write("ewb.pem", bills["auth_public_key"].as_str().unwrap());
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        let table = format!(
            "auth_public_key_file = \"auth.pem\"\n[route.ewb]\nbase_url = \"{}\"\nauth_public_key_file = \"ewb.pem\"\n",
            bills["base_url"].as_str().unwrap()
        );
        self.write("einvoice.toml", &config.replacen("auth_public_key_file = \"auth.pem\"\n", &table, 1));
        self
    }

    /// The same with a store of its own kind in place of the environment, which then holds no credential.
    pub(crate) fn over_store(mut self, table: &str) -> Self {
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        let changed = config.replacen("[credentials]\nplugin = \"credentials-env\"\n", table, 1);
        assert_ne!(config, changed);
        self.write("einvoice.toml", &changed);
        self.environment.clear();
        self
    }

    /// The same with the environment in place of this store.
    pub(crate) fn over_environment(self, table: &str) -> Self {
        let config = fs::read_to_string(self.path("einvoice.toml")).unwrap();
        self.write("einvoice.toml", &config.replacen(table, "[credentials]\nplugin = \"credentials-env\"\n", 1));
        self
    }

    /// Sets a variable for every call.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Changes every credential whose variable begins like this.
    pub(crate) fn with_wrong(mut self, prefix: &str) -> Self {
        let wrong = self.environment.iter_mut().filter(|(name, _)| name.starts_with(prefix));
        wrong.for_each(|(_, value)| value.push_str("-wrong"));
        self
    }

    /// Forgets every credential whose variable begins like this.
    pub(crate) fn without(mut self, prefix: &str) -> Self {
        self.environment.retain(|name, _| !name.starts_with(prefix));
        self
    }

    /// The credentials as the portal knows them.
    pub(crate) fn with_right_credentials(mut self, emulator: &Emulator) -> Self {
        self.environment = credentials(&emulator.connection);
        self
    }

    /// Runs to the end.
    pub(crate) fn run(&self) -> Answer {
        self.run_with(&[])
    }

    /// Runs to the end with keys set over the configuration.
    pub(crate) fn run_with(&self, settings: &[&str]) -> Answer {
        answer(&mut self.once(settings))
    }

    /// Calls the program.
    pub(crate) fn call(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.command(arguments))
    }

    /// Starts a run whose standard error can be read.
    pub(crate) fn start_with(&self, settings: &[&str]) -> Child {
        self.once(settings).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn once(&self, settings: &[&str]) -> Command {
        let mut command = self.command(&["run", "--once"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        command
    }

    /// Starts a run and kills it after a while. `false` when it had ended by itself.
    pub(crate) fn run_and_kill(&self, after: Duration) -> bool {
        kill(self.once(&[]), after)
    }

    /// Starts so many runs over an emulator and kills each at a moment of the seed. Gives how many had not ended by
    /// themselves, and fails where none had not.
    ///
    /// The time that moments are drawn from follows the machine: on one that is busy with other things every run would be
    /// killed before it did anything, and on a fast one none.
    pub(crate) fn kill_runs(&self, emulator: &Emulator, moments: &mut Moments, runs: u32) -> usize {
        let (mut killed, mut latest, mut registered) = (0, LATEST_KILL, 0);
        for _ in 0..runs {
            let was_killed = self.run_and_kill(moments.next_within(latest));
            killed += usize::from(was_killed);
            let now = emulator.books().iter().filter(|line| line["registrations"] == 1).count();
            if !was_killed {
                latest = (latest / 2).max(*LATEST_KILL_EVER.start());
            } else if now == registered {
                latest = (latest * 2).min(*LATEST_KILL_EVER.end());
            }
            registered = now;
        }
        println!(
            "{killed} of {runs} runs were killed before they ended; {registered} documents were registered by then"
        );
        assert!(killed > 0, "no run was killed: the moments are drawn too late");
        killed
    }

    /// Runs to the end, and again where an outcome was not known; ends with this code.
    pub(crate) fn finish(&self, code: i32) {
        let mut answer = self.run();
        if answer.code == 4 {
            answer = self.run();
        }
        assert_eq!(answer.code, code, "{}", answer.text);
    }

    /// Starts a command and kills it after a while. `false` when it had ended by itself.
    pub(crate) fn call_and_kill(&self, arguments: &[&str], after: Duration) -> bool {
        kill(self.command(arguments), after)
    }

    /// One object a document.
    pub(crate) fn status(&self) -> Vec<Value> {
        self.objects(&["status", "--json"])
    }

    /// What a command says to programs, one object a line.
    pub(crate) fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}{err}")))
            .collect()
    }

    /// How many documents are in which state.
    pub(crate) fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for line in self.status() {
            *states.entry(line["state"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        states
    }

    /// A person who calls the program at a terminal in this folder.
    pub(crate) fn at_terminal(&self, arguments: &[&str]) -> Terminal {
        let variables = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Terminal::start(self.folder.path(), arguments, &variables.collect::<Vec<_>>())
    }

    /// A call of the program in this folder, with the credentials in its environment and nothing else of ours.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EINVOICE")) {
            command.env_remove(name);
        }
        command.envs(&self.environment);
        command
    }
}

/// Whether a file is one that was being written when its writer was killed: it has no name yet that anybody reads, and the
/// program removes it a day later.
pub(crate) fn is_begun(name: &str) -> bool {
    let file = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    file.strip_prefix(".einvoice-").is_some_and(|rest| rest.strip_suffix(".tmp").is_some())
}

fn kill(mut command: Command, after: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // A kill at a random moment is the point of these tests; nothing waits for a condition here.
    std::thread::sleep(after);
    let was_running = child.try_wait().unwrap().is_none();
    let _killed = child.kill();
    child.wait().unwrap();
    was_running
}

fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Answer { code: output.status.code().unwrap(), text }
}

fn credentials(connection: &Value) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (users, product) in [(&connection["users"], ""), (&connection["ewb"]["users"], "__E_WAY_BILL")] {
        for user in users.as_array().unwrap() {
            let text = |name: &str| user[name].as_str().unwrap().to_owned();
            let gstin = text("gstin");
            variables.insert(format!("EINVOICE_USER__{gstin}{product}__SANDBOX"), text("username"));
            variables.insert(format!("EINVOICE_PASSWORD__{gstin}{product}__SANDBOX"), text("password"));
        }
    }
    let text = |name: &str| connection[name].as_str().unwrap().to_owned();
    variables.insert("EINVOICE_CLIENT_ID__SANDBOX".to_owned(), text("client_id"));
    variables.insert("EINVOICE_CLIENT_SECRET__SANDBOX".to_owned(), text("client_secret"));
    variables
}
