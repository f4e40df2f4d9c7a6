//! An upstream that answers with exactly the bytes that a case names, and keeps every request that it gets.

use crate::wire::{Head, read_body, read_head};
use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// The header by which a request says whose case it is: it passes through everything between.
pub(crate) const CASE: &str = "x-case";

/// What the upstream does for a case, once it has the whole request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Waits until the gate opens.
    Wait(Gate),
    /// Sends back what comes, as frames of a WebSocket, until the other side closes.
    WebSocket,
    /// Says nothing more, until the other side ends the connection.
    Silence,
    /// Ends the connection.
    Close,
}

/// Something that the upstream waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets the upstream go on.
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let mut is_open = self.0.0.lock().unwrap();
        while !*is_open {
            is_open = self.0.1.wait(is_open).unwrap();
        }
    }
}

/// A request as the upstream got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its first line and headers.
    pub(crate) head: Head,
    /// Its body, without the chunks' frames.
    pub(crate) body: Vec<u8>,
}

/// A running upstream. Its threads end with the process.
#[derive(Debug)]
pub(crate) struct Upstream {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cases: Mutex<HashMap<String, Vec<Step>>>,
    seen: Mutex<HashMap<String, Vec<Seen>>>,
    silent: Mutex<HashMap<String, Silent>>,
}

/// Requests that are answered with silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silent {
    /// How many there were.
    pub(crate) all: usize,
    /// Of how many the other side has ended the connection.
    pub(crate) ended: usize,
}

impl Upstream {
    /// Starts on a free port of loopback.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&ours);
                // A client that goes away is no error of the upstream.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Prepares the answer to requests with this case's header.
    pub(crate) fn prepare(&self, case: &str, steps: Vec<Step>) {
        self.shared.cases.lock().unwrap().insert(case.to_owned(), steps);
    }

    /// The requests that came for this case so far.
    pub(crate) fn seen(&self, case: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().unwrap();
        seen.get(case).cloned().unwrap_or_default()
    }

    /// The requests of this case that were answered with silence so far.
    pub(crate) fn silent(&self, case: &str) -> Silent {
        let silent = self.shared.silent.lock().unwrap();
        silent.get(case).copied().unwrap_or_default()
    }
}

impl Shared {
    fn count(&self, case: &str, count: impl FnOnce(&mut Silent)) {
        count(self.silent.lock().unwrap().entry(case.to_owned()).or_default());
    }
}

/// Answers the requests of a connection, one after the other.
fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_head(&mut reader) {
        let (body, ended) = read_body(&mut reader, head.framing());
        if !ended.is_whole() {
            return None;
        }
        // Who sends no case is told apart by the path.
        let target = String::from_utf8_lossy(&head.line).into_owned();
        let path = target
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let case = head.text(CASE).unwrap_or(path);
        let closes = head
            .text("connection")
            .is_some_and(|value| value.contains("close"));
        let key = head.text("sec-websocket-key");
        let seen = Seen { head, body };
        shared
            .seen
            .lock()
            .unwrap()
            .entry(case.clone())
            .or_default()
            .push(seen);
        let steps = shared.cases.lock().unwrap().get(&case).cloned();
        let steps = steps.unwrap_or_else(|| vec![Step::Send(plain("200 OK", "", b"no case"))]);
        for step in steps {
            match step {
                Step::Send(bytes) => writer.write_all(&bytes).and_then(|()| writer.flush()).ok()?,
                Step::Wait(gate) => gate.wait(),
                Step::WebSocket => return crate::websocket::echo(&mut reader, &mut writer, &key?),
                Step::Silence => {
                    shared.count(&case, |silent| silent.all += 1);
                    // How it ends does not matter.
                    let _ = reader.read_to_end(&mut Vec::new());
                    shared.count(&case, |silent| silent.ended += 1);
                    return None;
                }
                Step::Close => return finish(&writer),
            }
        }
        if closes {
            return finish(&writer);
        }
    }
    None
}

/// Ends what is sent, and reads what still comes: else the other side could lose what it has not read yet.
fn finish(writer: &TcpStream) -> Option<()> {
    writer.shutdown(Shutdown::Write).ok()?;
    let mut rest = [0; 1_024];
    while writer.try_clone().ok()?.read(&mut rest).ok()? > 0 {}
    None
}

/// An answer with a length; `headers` are whole lines, each with its end.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    answer_with(status, headers.as_bytes(), body)
}

/// The same, with headers of any bytes.
pub(crate) fn answer_with(status: &str, headers: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    bytes.extend_from_slice(headers);
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Plain text.
pub(crate) fn plain(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    answer(status, &format!("Content-Type: text/plain\r\n{headers}"), body)
}

/// HTML.
pub(crate) fn html(headers: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("Content-Type: text/html\r\n{headers}"), body)
}

/// The frames of a chunked body, one for each part, without its end.
pub(crate) fn chunks(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
