//! A portal that does one scripted thing, on the loopback interface: what an emulator that behaves
//! cannot show is how a transport takes silence, half answers and pages of a gateway.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the portal does with each request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// Answers with this status and body, and keeps the connection.
    Reply {
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
    },
    /// Answers with this status and body, and closes the connection.
    Once {
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
    },
    /// Answers with something that names what the request asked for: here a refusal whose text is the
    /// path of the request, at a portal that behaves the answer itself.
    Echo,
    /// Answers with a redirect to itself.
    Redirect,
    /// Never answers, and keeps the connection open.
    Silence,
    /// Refuses further connections, for good.
    Refuse,
    /// Closes the connection instead of answering.
    Close,
    /// Announces a body and closes in its middle.
    Cut,
    /// Announces a body of one gigabyte.
    Announce,
    /// Sends a body without end.
    Endless,
}

impl Answer {
    /// A refusal with one error.
    #[must_use]
    pub fn refusal(code: &str, message: &str) -> Self {
        let body = format!(
            r#"{{"Status":0,"Data":null,"ErrorDetails":[{{"ErrorCode":"{code}","ErrorMessage":"{message}"}}],"InfoDtls":null}}"#
        );
        Self::Reply { status: 200, body }
    }
}

/// Puts an answer into other words: of the request, head and body, and of the answer that it was to get. Nothing leaves
/// the answer as it stands.
pub type Wording = Arc<dyn Fn(&str, &Answer) -> Option<Answer> + Send + Sync>;

/// What has happened at the portal so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: usize,
    /// Whole requests received.
    pub requests: usize,
    /// Connections that the other side closed.
    pub closed: usize,
}

impl Counts {
    /// Whether no count is below that of `other`.
    #[must_use]
    pub const fn reached(self, other: Self) -> bool {
        self.connections >= other.connections && self.requests >= other.requests && self.closed >= other.closed
    }
}

/// A portal that does one scripted thing. Stops when dropped.
#[derive(Debug)]
pub struct ScriptedPortal {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// Ends when the server and its listener are gone.
    gone: watch::Receiver<()>,
}

struct Shared {
    answer: Mutex<Answer>,
    wording: Option<Wording>,
    requests: Mutex<Vec<String>>,
    counts: watch::Sender<Counts>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl Shared {
    fn answer(&self, request: &str) -> Answer {
        let answer = lock(&self.answer).clone();
        self.wording.as_ref().and_then(|wording| wording(request, &answer)).unwrap_or(answer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScriptedPortal {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start(answer: Answer) -> Self {
        Self::started(answer, None).await
    }

    /// The same for somebody in front of the portal, who has words of his own.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn in_other_words(answer: Answer, wording: Wording) -> Self {
        Self::started(answer, Some(wording)).await
    }

    async fn started(answer: Answer, wording: Option<Wording>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a bound listener");
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            wording,
            requests: Mutex::default(),
            counts: watch::Sender::default(),
        });
        let (alive, gone) = watch::channel(());
        let server = tokio::spawn(accept(alive, listener, shared.clone()));
        Self { address, shared, server, gone }
    }

    /// Address to configure.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does something else from the next request on.
    pub fn set(&self, answer: Answer) {
        *lock(&self.shared.answer) = answer;
    }

    /// Stops; from here on connections are refused.
    pub async fn close(&self) {
        self.server.abort();
        // Fails once the sender is dropped, and that is what is waited for.
        let _gone = self.gone.clone().changed().await;
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// The requests received, head and body as they came.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shared.requests).clone()
    }

    /// Waits until something has happened.
    pub async fn wait_for(&self, happened: impl FnMut(&Counts) -> bool) {
        // The sender lives in `self`, so waiting cannot fail while this future is alive.
        let mut counts = self.shared.counts.subscribe();
        let _counts = counts.wait_for(happened).await;
    }
}

impl Drop for ScriptedPortal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An address at which nobody listens.
///
/// # Panics
/// When there is no free port.
pub async fn closed_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free loopback port");
    let address = listener.local_addr().expect("the address of a bound listener");
    format!("http://{address}")
}

/// `_alive` is the first parameter and so the last to be dropped: who waits for it finds the listener gone.
async fn accept(_alive: watch::Sender<()>, listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server, since the set owns their tasks.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.counts.send_modify(|counts| counts.connections += 1);
        connections.spawn(serve(stream, shared.clone()));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = read_request(&mut stream).await {
        lock(&shared.requests).push(request.clone());
        shared.counts.send_modify(|counts| counts.requests += 1);
        let answer = shared.answer(&request);
        let keep = matches!(answer, Answer::Reply { .. } | Answer::Echo | Answer::Redirect);
        if perform(&answer, &request, &mut stream).await.is_err() || !keep {
            break;
        }
    }
    shared.counts.send_modify(|counts| counts.closed += 1);
}

/// A whole request, or nothing once the other side has closed.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(content_length).unwrap_or(0);
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(buffer.get(..read)?);
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
}

async fn perform(answer: &Answer, request: &str, stream: &mut TcpStream) -> std::io::Result<()> {
    match answer {
        Answer::Reply { status, body } => respond(stream, *status, "", body).await,
        Answer::Once { status, body } => respond(stream, *status, "Connection: close\r\n", body).await,
        Answer::Echo => {
            let path = request.split_whitespace().nth(1).unwrap_or_default();
            let Answer::Reply { status, body } = Answer::refusal("2154", path) else { return Ok(()) };
            respond(stream, status, "", &body).await
        }
        Answer::Redirect => respond(stream, 302, "Location: /elsewhere\r\n", "").await,
        Answer::Close | Answer::Refuse => Ok(()),
        Answer::Silence => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(|_| ())
        }
        Answer::Cut => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{\"Status\":1,").await,
        Answer::Announce => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{\"Status\":1,").await?;
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(|_| ())
        }
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
    }
}

async fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await
}
