//! A person at a terminal: reads what the program asks and types answers.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};

/// How long a person waits for the program to say something before giving it up as hung.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program at a pseudo-terminal of 80 columns.
pub(crate) struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    said: Receiver<Vec<u8>>,
    /// Everything that was shown.
    transcript: String,
    /// Up to where it was read, of the transcript in one line.
    read: usize,
}

impl Terminal {
    /// Starts the program in a folder, with these variables and none else of its own.
    pub(crate) fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(50, 80)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_einvoice")).args(arguments).current_dir(folder);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EINVOICE")) {
            command = command.env_remove(name);
        }
        let command = command.env("NO_COLOR", "1").envs(variables.iter().copied());
        let child = command.spawn(pts).unwrap();
        let pty = Arc::new(pty);
        let (sender, said) = channel();
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The other side is closed when the program has ended.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pty, child, said, transcript: String::new(), read: 0 }
    }

    /// Waits until a text is shown, after what was waited for before.
    pub(crate) fn expect(&mut self, text: &str) {
        loop {
            let shown = in_one_line(&self.transcript);
            if let Some(at) = shown.get(self.read..).and_then(|rest| rest.find(text)) {
                self.read += at + text.len();
                return;
            }
            match self.said.recv_timeout(PATIENCE) {
                Ok(bytes) => self.transcript.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("`{text}` was not shown ({error}):\n{}", self.transcript),
            }
        }
    }

    /// Types a line.
    pub(crate) fn say(&mut self, line: &str) {
        (&*self.pty).write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Waits for a question and answers it.
    pub(crate) fn answer(&mut self, question: &str, line: &str) {
        self.expect(question);
        self.say(line);
    }

    /// Types without ending the line.
    pub(crate) fn type_in(&mut self, text: &str) {
        (&*self.pty).write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a question whose answer is not shown, and answers it.
    pub(crate) fn answer_hidden(&mut self, question: &str, secret: &str) {
        self.expect(question);
        self.wait_until_hidden();
        self.say(secret);
    }

    /// Waits until what is typed is not shown any more: the program hides it only after it has asked.
    pub(crate) fn wait_until_hidden(&self) {
        assert!(self.wait_for(|modes| !modes.contains(LocalModes::ECHO)), "what is typed is still shown");
    }

    /// Waits until the terminal behaves as one should that a program has left; whether it does.
    pub(crate) fn shows_again(&self) -> bool {
        let usual = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        self.wait_for(|modes| modes.contains(usual))
    }

    /// Looks at the terminal until it is so, or a person would give up.
    fn wait_for(&self, is_so: impl Fn(LocalModes) -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if is_so(tcgetattr(&*self.pty).unwrap().local_modes) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &process]).status().unwrap();
        assert!(sent.success());
    }

    /// Presses a key together with Ctrl.
    pub(crate) fn control(&mut self, key: u8) {
        (&*self.pty).write_all(&[key & 0x1f]).unwrap();
    }

    /// Waits for the end: the exit code, nothing where a signal ended it, and everything that was shown.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while let Ok(bytes) = self.said.recv_timeout(PATIENCE) {
            self.transcript.push_str(&String::from_utf8_lossy(&bytes));
        }
        let code = self.child.wait().unwrap().code();
        (code, std::mem::take(&mut self.transcript))
    }
}

/// Long lines are wrapped at words: a text is found wherever that happened.
fn in_one_line(shown: &str) -> String {
    let mut line = String::with_capacity(shown.len());
    for letter in shown.chars() {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if letter != ' ' || !line.ends_with(' ') {
            line.push(letter);
        }
    }
    line
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
