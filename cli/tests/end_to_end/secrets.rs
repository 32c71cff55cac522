//! No secret is ever shown or written: the real program works at trace level, its calls good and bad, and everything it
//! printed and every file it wrote is searched for every secret it used, in every form in which one could hide.
//!
//! The emulator's own folder is not searched: a portal knows the secrets it gave out. The encrypted store is: what stands
//! in it must not be readable.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{CredentialStore as _, UserScope};
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::secret::Secret;
use einvoice_credentials_file::{FileStore, Unlock};
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::process::{Emulator, Installation};

const PASSPHRASE: &str = "a passphrase, 47 Jhelum boats";
const WRONG: &str = "Wr0ng-pass-Tx81";
/// Cheap, as the test opens the file many times.
const WORK_FACTOR: u8 = 14;

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// Everything secret that was used, by what it is.
#[derive(Default)]
struct Secrets(BTreeMap<String, Vec<u8>>);

impl Secrets {
    fn add(&mut self, what: impl Into<String>, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        assert!(value.len() >= 8, "too short to be told from chance");
        self.0.insert(what.into(), value.to_vec());
    }

    /// Every form of every secret: as it is, in base64 of four kinds, in hexadecimal, as in a URL, as a list of numbers.
    fn forms(&self) -> Vec<(String, Vec<u8>)> {
        let mut forms = Vec::new();
        for (what, value) in &self.0 {
            let lower = hex(value);
            let numbers: Vec<String> = value.iter().map(u8::to_string).collect();
            let mut url = String::new();
            for byte in value {
                match char::from(*byte) {
                    letter if letter.is_ascii_alphanumeric() || "-_.~".contains(letter) => url.push(letter),
                    _ => url.extend(["%", &hex(&[*byte]).to_uppercase()]),
                }
            }
            let texts = [
                STANDARD.encode(value),
                STANDARD_NO_PAD.encode(value),
                URL_SAFE.encode(value),
                URL_SAFE_NO_PAD.encode(value),
                lower.to_uppercase(),
                lower,
                url,
                numbers.join(", "),
                numbers.join(","),
            ];
            forms.push((what.clone(), value.clone()));
            forms.extend(texts.into_iter().map(|text| (what.clone(), text.into_bytes())));
        }
        forms
    }

    /// What of it stands in a text.
    fn found_in<'a>(forms: &'a [(String, Vec<u8>)], text: &[u8]) -> Vec<&'a str> {
        let stands = |form: &[u8]| memchr::memmem::find(text, form).is_some();
        forms.iter().filter(|(_, form)| stands(form)).map(|(what, _)| what.as_str()).collect()
    }
}

/// Files below a folder but those that hold a secret by intent.
fn files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.file_name().is_none_or(|name| name != "passphrase") {
            into.push(path);
        }
    }
}

struct Story {
    installation: Installation,
    secrets: Secrets,
    printed: Vec<(String, Vec<u8>)>,
}

impl Story {
    /// Calls the program with something on its standard input; gives its exit code.
    fn call(&mut self, arguments: &[&str], input: &str) -> i32 {
        let mut command = self.installation.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that asks for nothing may have ended by now.
        let _written = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let code = output.status.code().unwrap();
        self.printed.push((format!("{} (exit code {code})", arguments.join(" ")), text));
        code
    }

    /// Calls the program and expects that all is well.
    fn well(&mut self, arguments: &[&str], input: &str) {
        let code = self.call(arguments, input);
        let (what, text) = self.printed.last().unwrap();
        assert_eq!(code, 0, "{what}\n{}", String::from_utf8_lossy(text));
    }

    /// Takes the session out of the store, past the program: its token and keys are secrets by now.
    fn learn_session(&mut self, scope: &UserScope) {
        let store = FileStore::new(
            self.installation.path("credentials.json"),
            Unlock::passphrase(Secret::from(PASSPHRASE)),
            WORK_FACTOR,
            SystemClock::shared(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let session = runtime.block_on(store.session(scope)).unwrap().unwrap();
        let of = scope.product;
        let short = session.token.expose().chars().take(6).collect::<String>();
        let provider = session.provider.as_ref().map_or("", |provider| provider.token.expose());
        // Behind a provider some of them are empty: it keeps what it needs itself.
        for (what, value) in [
            ("token", session.token.expose().as_bytes()),
            ("SEK", session.sek.expose()),
            ("AppKey", session.app_key.expose()),
            ("token of the account", provider.as_bytes()),
        ] {
            if !value.is_empty() {
                self.secrets.add(format!("{what}, with token {short} of {of}"), value);
            }
        }
    }
}

/// Every place where a secret stands.
fn leaks(secrets: &Secrets, printed: &[(String, Vec<u8>)], folder: &Path) -> Vec<String> {
    let forms = secrets.forms();
    let mut leaks = Vec::new();
    for (what, text) in printed {
        leaks.extend(Secrets::found_in(&forms, text).iter().map(|secret| format!("{secret}: printed by {what}")));
    }
    let mut paths = Vec::new();
    files(folder, &mut paths);
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        leaks.extend(Secrets::found_in(&forms, &bytes).iter().map(|secret| format!("{secret}: in {name}")));
    }
    leaks
}

fn private(path: &Path) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    #[cfg(not(unix))]
    let _inherited = path;
}

/// An installation whose secrets lie in the encrypted store, and what they are.
fn begun(emulator: &Emulator) -> (Story, Gstin) {
    begun_over(emulator, Installation::direct(emulator).with_bills(emulator))
}

fn begun_over(emulator: &Emulator, installation: Installation) -> (Story, Gstin) {
    let store = format!(
        "[credentials]\nplugin = \"credentials-file\"\npath = \"credentials.json\"\npassphrase_file = \"passphrase\"\n\
         work_factor = {WORK_FACTOR}\n"
    );
    let installation = installation.over_store(&store).with_variable("EINVOICE_LOG", "trace");
    installation.write("passphrase", PASSPHRASE);
    private(&installation.path("passphrase"));
    let supplier = Gstin::parse(&emulator.suppliers()[0]).unwrap();
    let documents: Vec<String> = (1..=3).map(|number| Recipe::numbered(number).by(supplier).json()).collect();
    installation.write("in/invoices.jsonl", &documents.join("\n"));
    let mut secrets = Secrets::default();
    secrets.add("passphrase", PASSPHRASE);
    secrets.add("wrong password", WRONG);
    (Story { installation, secrets, printed: Vec::new() }, supplier)
}

#[test]
fn a_whole_life_at_trace_level_shows_no_secret() {
    let emulator = Emulator::start();
    let (mut story, supplier) = begun(&emulator);
    let gstin = supplier.to_string();
    let connection = emulator.connection();
    let users = |table: &serde_json::Value| {
        let users = table["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["gstin"] == gstin.as_str()).unwrap();
        let text = |name: &str| user[name].as_str().unwrap().to_owned();
        (text("username"), text("password"), text("client_id"), text("client_secret"))
    };
    let (name, password, client_id, client_secret) = users(connection);
    let (bill_name, bill_password, ..) = users(&connection["ewb"]);
    story.secrets.add("password", &password);
    story.secrets.add("password of the e-way bill user", &bill_password);
    story.secrets.add("client secret", &client_secret);

    let of = ["--gstin", &gstin, "--route", "emulator"];
    let with = |words: &[&'static str]| [words, &of[..]].concat();
    let bill = ["--product", "e-way-bill"];
    story.well(&with(&["credentials", "add", "client"]), &format!("{client_id}\n{client_secret}\n"));
    story.well(&with(&["credentials", "add", "user"]), &format!("{name}\n{WRONG}\n"));
    story.well(
        &[&with(&["credentials", "add", "user"])[..], &bill].concat(),
        &format!("{bill_name}\n{bill_password}\n"),
    );
    let login = ["credentials", "test", "--gstin", &gstin];
    assert_eq!(story.call(&login, ""), 2, "a wrong password was accepted");
    assert_eq!(story.call(&["run", "--once", "--json"], ""), 2);
    story.well(&with(&["credentials", "add", "user"]), &format!("{name}\n{password}\n"));
    let addresses = ["credentials", "addresses", "8.8.8.8", "--gstin", &gstin, "--route", "emulator"];
    story.well(&addresses, "");
    assert_eq!(story.call(&with(&["credentials", "rotate", "user"]), &format!("{WRONG}\n")), 2);
    story.well(&login, "");
    let scope = |product| UserScope {
        gstin: supplier,
        product,
        environment: Environment::Sandbox,
        route: RouteName::new("emulator"),
    };
    story.learn_session(&scope(Product::EInvoice));
    story.well(&with(&["credentials", "rotate", "user"]), &format!("{password}\n"));
    story.well(&with(&["credentials", "rotate", "client"]), &format!("{client_secret}\n"));
    story.well(&[&login[..], &bill].concat(), "");
    story.learn_session(&scope(Product::EWayBill));

    story.well(&["run", "--once"], "");
    story.well(&["run", "--once", "--json"], "");
    let books = emulator.books();
    let (key, irn) = (books[0]["key"].as_str().unwrap(), books[0]["irn"].as_str().unwrap());
    story.well(&["status", "--json"], "");
    story.well(&["status", key], "");
    story.call(&["lookup", "irn", irn, "--gstin", &gstin], "");
    story.call(&["lookup", "gstin", &gstin, "--gstin", &gstin], "");
    story.well(&["cancel", "--reason", "duplicate", "--remark", "entered twice", "--yes", key], "");
    story.call(&["cancel", "--reason", "duplicate", "--remark", "once more", "--yes", key], "");
    // The portal forgets the token, and answers with a page.
    emulator.advance_clock(3_700);
    emulator.fault("auth", &json!({"kind": "html", "status": 502}), 1);
    story.call(&["lookup", "irn", irn, "--gstin", &gstin], "");
    story.well(&login, "");
    story.learn_session(&scope(Product::EInvoice));
    story.well(&["plugins"], "");
    story.well(&["plugins", "credentials-file"], "");
    story.well(&["config", "check"], "");
    story.well(&["credentials", "list"], "");
    story.well(&["credentials", "list", "--json"], "");
    story.well(&with(&["credentials", "remove", "user", "--yes"]), "");
    assert_eq!(story.call(&login, ""), 2, "a removed user logged in");
    story.well(&["status"], "");
    // A file that is damaged in the middle is an error about it, and shows nothing of it.
    let file = story.installation.path("credentials.json");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(story.call(&["credentials", "list"], ""), 2);
    fs::write(&file, whole).unwrap();
    story.installation.write("passphrase", "another passphrase, 47 boats");
    private(&story.installation.path("passphrase"));
    assert_eq!(story.call(&["credentials", "list"], ""), 2, "a wrong passphrase opened the file");
    story.call(&["run", "--once"], "");

    let traced = story.printed.iter().any(|(_, text)| String::from_utf8_lossy(text).contains("TRACE"));
    assert!(traced, "nothing was logged at trace level, so that the search proves nothing");
    assert_eq!(story.secrets.0.len(), 5 + 9, "secrets of three sessions: {:?}", story.secrets.0.keys());
    assert_eq!(leaks(&story.secrets, &story.printed, &story.installation.path("")), Vec::<String>::new());
    assert_the_search_finds(&story.secrets);
}

/// Providers have secrets in other places: in headers of every call, in the address, in logins of their own.
#[test]
fn a_life_through_providers_at_trace_level_shows_no_secret() {
    for (provider, learnt) in [("adaequare", 2), ("mastergst", 1), ("sandbox-co-in", 2), ("taxpro-pass-through", 3)] {
        let emulator = Emulator::start_with_providers(&[provider]);
        let (mut story, supplier) = begun_over(&emulator, Installation::through_providers(&emulator));
        let gstin = supplier.to_string();
        let told = &emulator.connection()["gsp"][0];
        let user = told["users"].as_array().unwrap().iter().find(|user| user["gstin"] == gstin.as_str()).unwrap();
        let text = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap().to_owned();
        let (pair, login) = ((text(told, "client_id"), text(told, "client_secret")), text(user, "username"));
        let password = text(user, "password");
        story.secrets.add("client secret of the account", &pair.1);
        story.secrets.add("password", &password);

        let of = ["--gstin", &gstin, "--route", provider];
        let with = |words: &[&'static str]| [words, &of[..]].concat();
        let one_a_system = told["ewb"].is_object();
        let split: &[&str] = if one_a_system { &["--product", "e-invoice"] } else { &[] };
        let add = ["credentials", "add", "client", "--route", provider];
        story.well(&[&add[..], split].concat(), &format!("{}\n{WRONG}\n", pair.0));
        story.well(&with(&["credentials", "add", "user"]), &format!("{login}\n{password}\n"));
        assert_ne!(story.call(&["run", "--once"], ""), 0, "a wrong secret of the account was accepted");
        story.well(&[&add[..], split].concat(), &format!("{}\n{}\n", pair.0, pair.1));
        story.well(&with(&["credentials", "add", "user"]), &format!("{login}\n{WRONG}\n"));
        story.call(&with(&["credentials", "test"]), "");
        story.well(&with(&["credentials", "add", "user"]), &format!("{login}\n{password}\n"));
        story.well(&with(&["credentials", "test"]), "");
        let (product, environment) = (Product::EInvoice, Environment::Sandbox);
        story.learn_session(&UserScope { gstin: supplier, product, environment, route: RouteName::new(provider) });
        story.well(&["run", "--once"], "");
        let books = emulator.books();
        let (key, irn) = (books[0]["key"].as_str().unwrap(), books[0]["irn"].as_str().unwrap());
        for fault in [json!("html"), json!("nested"), json!({"says": "reauth_taxpayer"}), json!({"says": "quota"})] {
            emulator.provider_fault(provider, &fault, 1);
            story.call(&["lookup", "irn", irn, "--gstin", &gstin], "");
        }
        story.call(&["cancel", "--reason", "duplicate", "--remark", "entered twice", "--yes", key], "");
        story.well(&["credentials", "list", "--json"], "");
        story.well(&["status", "--json"], "");
        story.call(&["doctor"], "");
        story.call(&["quota", "--json"], "");

        let traced = story.printed.iter().any(|(_, text)| String::from_utf8_lossy(text).contains("TRACE"));
        assert!(traced, "{provider}: nothing was logged at trace level");
        assert_eq!(story.secrets.0.len(), 4 + learnt, "{provider}: {:?}", story.secrets.0.keys());
        let leaks = leaks(&story.secrets, &story.printed, &story.installation.path(""));
        assert_eq!(leaks, Vec::<String>::new(), "{provider}");
    }
}

/// The search itself is tried: each form of each secret, planted in a file and in what was printed, is found.
fn assert_the_search_finds(secrets: &Secrets) {
    for (what, form) in secrets.forms() {
        let planted = [b"before ".as_slice(), &form, b" after"].concat();
        let folder = tempfile::TempDir::new().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/planted.bin"), &planted).unwrap();
        let leaks = leaks(secrets, &[("the test".to_owned(), planted)], folder.path());
        assert!(leaks.contains(&format!("{what}: printed by the test")), "{what} was not found: {leaks:?}");
        assert!(leaks.contains(&format!("{what}: in planted.bin")), "{what} was not found: {leaks:?}");
    }
}

/// What other users of the machine can see of a process: its command line, and for the same user its environment.
#[cfg(target_os = "linux")]
#[test]
fn neither_the_command_line_nor_the_environment_of_a_run_holds_a_secret() {
    let emulator = Emulator::start();
    let (mut story, supplier) = begun(&emulator);
    let gstin = supplier.to_string();
    let connection = emulator.connection();
    let user = connection["users"].as_array().unwrap().iter().find(|user| user["gstin"] == gstin.as_str()).unwrap();
    let text = |name: &str| user[name].as_str().unwrap().to_owned();
    story.secrets.add("password", text("password"));
    story.secrets.add("client secret", text("client_secret"));
    let of = ["--gstin", &gstin, "--route", "emulator"];
    let client = [&["credentials", "add", "client"][..], &of].concat();
    story.well(&client, &format!("{}\n{}\n", text("client_id"), text("client_secret")));
    let add = [&["credentials", "add", "user"][..], &of].concat();
    story.well(&add, &format!("{}\n{}\n", text("username"), text("password")));
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 1_500}), 1);
    let run = story.installation.start_with(&["run.concurrency=1"]);
    emulator.wait_for_calls("generate_irn", 1);
    let forms = story.secrets.forms();
    let seen = |name: &str| fs::read(format!("/proc/{}/{name}", run.id())).unwrap();
    let (command_line, environment) = (seen("cmdline"), seen("environ"));
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&command_line).contains("run\0--once"), "it was looked at too late");
    assert_eq!(Secrets::found_in(&forms, &command_line), Vec::<&str>::new());
    assert_eq!(Secrets::found_in(&forms, &environment), Vec::<&str>::new());
    let planted = [command_line, text("password").into_bytes()].concat();
    assert_eq!(Secrets::found_in(&forms, &planted).first(), Some(&"password"));
}
