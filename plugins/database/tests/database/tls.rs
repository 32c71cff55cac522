//! TLS as people set it up: a server with a certificate of an authority of one's own.
//!
//! Aim: `sslmode=verify-full` talks to the server whose certificate the authority signed, and to no other. Method: a
//! cluster of `PostgreSQL` of the test's own, on a free port of the loopback, made by `initdb` and stopped at the end.
//! Skipped with a word where `initdb` or `openssl` is not installed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use einvoice_core::source::InvoiceSource as _;
use serde_json::json;
use tempfile::TempDir;

use crate::place::{Place, SQLITE, skipped};
use crate::reading::read;

/// A cluster of its own, stopped when dropped.
struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// Nobody may run the server as root.
    as_user: Option<&'static str>,
    port: u16,
}

impl Cluster {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skipped("EINVOICE_TEST_TLS_REQUIRED", "initdb of PostgreSQL, which is not installed");
            return None;
        };
        if !succeeds(Command::new("openssl").arg("version")) {
            skipped("EINVOICE_TEST_TLS_REQUIRED", "openssl, which is not installed");
            return None;
        }
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let is_root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { folder, programs, as_user: is_root.then_some("postgres"), port };
        cluster.certificates();
        let data = cluster.path("data");
        std::fs::create_dir(&data).unwrap();
        if let Some(user) = cluster.as_user {
            assert!(succeeds(Command::new("chown").arg("-R").arg(user).arg(cluster.folder.path())));
        }
        let data = data.to_str().unwrap();
        cluster.run("initdb", &["-D", data, "-A", "trust", "-U", "einvoice", "--no-sync"]);
        let of = |name: &str| cluster.path(name).display().to_string();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nssl = on\n\
             ssl_cert_file = '{}'\nssl_key_file = '{}'\n",
            of("server.pem"),
            of("server.key")
        );
        std::fs::write(cluster.path("data/postgresql.auto.conf"), settings).unwrap();
        std::fs::write(cluster.path("data/pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n").unwrap();
        let log = of("log");
        cluster.run("pg_ctl", &["-D", data, "-l", &log, "-w", "-t", "60", "start"]);
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program of the server as a user who may.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = self.programs.join(program);
        let mut command = match self.as_user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program, arguments).status().unwrap().success(), "{program} {arguments:?}");
    }

    /// Two authorities, and a certificate for `localhost` of the first.
    fn certificates(&self) {
        for authority in ["own", "other"] {
            self.openssl(&format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.pem"
            ));
        }
        std::fs::write(self.path("name"), "subjectAltName=DNS:localhost\n").unwrap();
        self.openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
        self.openssl(
            "x509 -req -in server.csr -CA own.pem -CAkey own.key -CAcreateserial -days 2 -extfile name -out server.pem",
        );
        std::fs::set_permissions(self.path("server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        assert!(succeeds(command.args(arguments.split(' ')).current_dir(self.folder.path())), "openssl {arguments}");
    }

    fn url(&self, host: &str, mode: &str, authority: &str) -> String {
        let file = self.path(authority).display().to_string();
        format!("postgres://einvoice@{host}:{}/postgres?sslmode={mode}&sslrootcert={file}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.path("data").display().to_string();
        let _stopped = self.command("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]).status();
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Where the programs of the server are: Debian keeps them beside each version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin"));
    debian.chain([PathBuf::from("/usr/bin"), PathBuf::from("/usr/local/bin")]).find(|bin| is_there(&bin.join("initdb")))
}

fn is_there(path: &Path) -> bool {
    path.is_file()
}

#[tokio::test]
async fn a_server_is_believed_by_the_authority_and_the_name_in_its_certificate_alone() {
    let Some(cluster) = Cluster::start() else { return };
    let place = Place::empty(SQLITE).unwrap();
    // What the server itself says about the connection this is asked over.
    let query = "SELECT '1' AS doc_key, CASE WHEN ssl THEN 'T/1' END AS doc_no, 1 AS sl_no, '8481' AS hsn_cd \
                 FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let source = |url: String| place.source_with(json!({"url": url, "query": query, "mapping": {"complete": false}}));

    let trusted = source(cluster.url("localhost", "verify-full", "own.pem"));
    let found = read(&trusted).await;
    assert_eq!((found.error.as_deref(), found.records.len()), (None, 1));
    let encrypted = format!("{:?}", trusted.map(&found.records[0]));
    assert!(encrypted.contains("T/1"), "the server says that it is encrypted: {encrypted}");

    let foreign = read(&source(cluster.url("localhost", "verify-full", "other.pem"))).await.error.unwrap();
    assert!(foreign.contains("check the server's certificate and the TLS settings"), "{foreign}");
    let other_name = read(&source(cluster.url("127.0.0.1", "verify-full", "own.pem"))).await.error.unwrap();
    assert!(other_name.contains("check the server's certificate and the TLS settings"), "{other_name}");
    // The server itself wants encryption.
    let plain = read(&source(cluster.url("localhost", "disable", "own.pem"))).await.error.unwrap();
    assert!(plain.contains("no encryption") && plain.contains("check user, password and database"), "{plain}");
}
