//! A stand-in that speaks the part of Vault's HTTP API that is used here: KV version 2 with check-and-set, metadata and
//! lists, tokens, `AppRole`, sealing. It is written from Vault's API documentation and knows nothing of the plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const ROOT: &str = "hvs.root-of-the-stand-in";
pub(crate) const ROLE: (&str, &str) = ("einvoice-workers", "secret-id-Ht55Wq");

/// A secret: its versions, of which the last counts; a deleted one is nothing.
type Versions = Vec<Option<Value>>;

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) secrets: BTreeMap<String, Versions>,
    pub(crate) tokens: BTreeSet<String>,
    pub(crate) sealed: bool,
    pub(crate) logins: u32,
    pub(crate) namespaces: BTreeSet<String>,
    /// Data paths that tokens may only read.
    pub(crate) read_only: Option<String>,
}

pub(crate) struct StandIn {
    pub(crate) address: String,
    books: Arc<Mutex<Books>>,
    server: JoinHandle<()>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        books.lock().unwrap().tokens.insert(ROOT.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&books));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, books, server }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn errors(status: u16, errors: &[&str]) -> Response {
    (StatusCode::from_u16(status).unwrap(), json!({"errors": errors}).to_string()).into_response()
}

/// Every answer has all of these members.
fn answer_of(data: &Value, auth: &Value) -> String {
    json!({"request_id": "r", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": null,
        "warnings": null, "auth": auth})
    .to_string()
}

fn data(data: &Value) -> Response {
    (StatusCode::OK, answer_of(data, &Value::Null)).into_response()
}

fn metadata(version: usize, deleted: bool) -> Value {
    json!({"created_time": "2026-11-05T12:00:00Z", "custom_metadata": null, "destroyed": false, "version": version,
        "deletion_time": if deleted { "2026-11-05T13:00:00Z" } else { "" }})
}

async fn answer(
    State(books): State<Arc<Mutex<Books>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut books = books.lock().unwrap();
    if books.sealed {
        return errors(503, &["Vault is sealed"]);
    }
    if let Some(namespace) = headers.get("X-Vault-Namespace") {
        books.namespaces.insert(namespace.to_str().unwrap().to_owned());
    }
    let path = uri.path().trim_start_matches("/v1/").to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if path == "auth/approle/login" {
        return log_in(&mut books, &body);
    }
    let token = headers.get("X-Vault-Token").and_then(|token| token.to_str().ok()).unwrap_or_default();
    if !books.tokens.contains(token) {
        return errors(403, &["permission denied", "invalid token"]);
    }
    let lists = method.as_str() == "LIST" || uri.query().is_some_and(|query| query.contains("list=true"));
    if let Some(name) = path.strip_prefix("secret/data/") {
        if books.read_only.as_ref().is_some_and(|folder| name.starts_with(folder)) && method != Method::GET {
            return errors(403, &["1 error occurred:\n\t* permission denied\n\n"]);
        }
        match method {
            Method::GET => read(&books, name),
            Method::POST | Method::PUT => write(&mut books, name, &body),
            _ => errors(405, &["unsupported operation"]),
        }
    } else if let Some(name) = path.strip_prefix("secret/metadata/") {
        if lists {
            return list(&books, name);
        }
        match method {
            Method::DELETE => {
                books.secrets.remove(name);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => known(&books, name),
        }
    } else {
        errors(404, &[&format!("no handler for route \"{path}\". route entry not found.")])
    }
}

fn log_in(books: &mut Books, body: &Value) -> Response {
    if (body["role_id"].as_str(), body["secret_id"].as_str()) != (Some(ROLE.0), Some(ROLE.1)) {
        return errors(400, &["invalid role or secret ID"]);
    }
    books.logins += 1;
    let token = format!("hvs.by-role-{}", books.logins);
    books.tokens.insert(token.clone());
    let auth = json!({"client_token": token, "accessor": "a", "policies": ["default"], "token_policies": ["default"],
        "metadata": {}, "lease_duration": 1200, "renewable": true, "entity_id": "e", "token_type": "service",
        "orphan": true});
    (StatusCode::OK, answer_of(&Value::Null, &auth)).into_response()
}

fn read(books: &Books, name: &str) -> Response {
    let Some(versions) = books.secrets.get(name) else { return errors(404, &[]) };
    if let Some(value) = versions.last().unwrap() {
        return data(&json!({"data": value, "metadata": metadata(versions.len(), false)}));
    }
    let body = json!({"data": {"data": null, "metadata": metadata(versions.len(), true)}});
    (StatusCode::NOT_FOUND, body.to_string()).into_response()
}

fn write(books: &mut Books, name: &str, body: &Value) -> Response {
    let versions = books.secrets.entry(name.to_owned()).or_default();
    if let Some(cas) = body["options"]["cas"].as_u64()
        && cas != u64::try_from(versions.len()).unwrap()
    {
        if versions.is_empty() {
            books.secrets.remove(name);
        }
        return errors(400, &["check-and-set parameter did not match the current version"]);
    }
    versions.push(Some(body["data"].clone()));
    let version = versions.len();
    data(&metadata(version, false))
}

fn list(books: &Books, folder: &str) -> Response {
    let folder = format!("{}/", folder.trim_end_matches('/'));
    let keys: Vec<&str> = books.secrets.keys().filter_map(|name| name.strip_prefix(&folder)).collect();
    if keys.is_empty() { errors(404, &[]) } else { data(&json!({"keys": keys})) }
}

fn known(books: &Books, name: &str) -> Response {
    let Some(versions) = books.secrets.get(name) else { return errors(404, &[]) };
    let each: serde_json::Map<String, Value> = versions
        .iter()
        .enumerate()
        .map(|(at, value)| ((at + 1).to_string(), metadata(at + 1, value.is_none())))
        .collect();
    data(&json!({"cas_required": false, "created_time": "t", "current_version": versions.len(),
        "delete_version_after": "0s", "max_versions": 0, "oldest_version": 0, "updated_time": "t",
        "custom_metadata": null, "versions": each}))
}
