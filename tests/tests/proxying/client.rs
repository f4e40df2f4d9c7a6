//! A client that sends exactly the bytes that a case names, and reads what comes by its bytes.

use crate::upstream::CASE;
use crate::wire::{Ended, Head, read_body, read_head};
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    /// Whole lines, each with its end.
    pub(crate) headers: Vec<u8>,
    /// The bytes behind the head, as they are sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// For a target, without a header that says what is wanted.
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// For a page, as browsers ask for one.
    pub(crate) fn page(target: &str) -> Self {
        Self::new("GET", target).with("Accept: text/html,application/xhtml+xml,*/*;q=0.8")
    }

    /// With one more header line.
    pub(crate) fn with(mut self, line: impl AsRef<[u8]>) -> Self {
        self.headers.extend_from_slice(line.as_ref());
        self.headers.extend_from_slice(b"\r\n");
        self
    }

    /// With a body of a known length.
    pub(crate) fn with_body(self, body: &[u8]) -> Self {
        let mut request = self.with(format!("Content-Length: {}", body.len()));
        request.body = body.to_vec();
        request
    }

    /// With a body in chunks; `frames` are the bytes on the wire.
    pub(crate) fn with_chunks(self, frames: Vec<u8>) -> Self {
        let mut request = self.with("Transfer-Encoding: chunked");
        request.body = frames;
        request
    }

    /// The bytes, for a case.
    pub(crate) fn bytes(&self, case: &str) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(format!(" HTTP/1.1\r\nHost: {HOST}\r\n{CASE}: {case}\r\n").as_bytes());
        bytes.extend_from_slice(&self.headers);
        let names = String::from_utf8_lossy(&self.headers).to_ascii_lowercase();
        if !names.contains("connection:") {
            bytes.extend_from_slice(b"Connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The site's name, as the visitor's browser knows it.
pub(crate) const HOST: &str = "shop.example";

/// An answer, whole or as much as came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 1xx before the answer.
    pub(crate) interim: Vec<Head>,
    /// `None` if the connection ended without an answer.
    pub(crate) head: Option<Head>,
    pub(crate) body: Vec<u8>,
    /// How the body ended; `None` without an answer.
    pub(crate) ended: Option<Ended>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.as_ref().map(Head::status).unwrap_or_default()
    }

    /// The final head.
    #[track_caller]
    pub(crate) fn head(&self) -> &Head {
        self.head.as_ref().expect("there is an answer")
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.ended.as_ref().is_some_and(Ended::is_whole)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What `Server-Timing` says that Nearside did.
    pub(crate) fn outcome(&self) -> Option<String> {
        let timing = self.head.as_ref()?.text("server-timing")?;
        let (_, rest) = timing.split_once("nearside;")?;
        Some(rest.split_once("desc=\"")?.1.split('"').next()?.to_owned())
    }
}

/// A connection to somebody on loopback.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request on a connection of its own, and reads its answer.
pub(crate) fn ask(port: u16, request: &Request, case: &str) -> Answer {
    let stream = connect(port);
    // Who answers before it has the whole request may end the connection meanwhile.
    let _ = (&stream).write_all(&request.bytes(case));
    read(&mut BufReader::new(stream), &request.method)
}

/// Reads an answer.
pub(crate) fn read(reader: &mut BufReader<TcpStream>, method: &str) -> Answer {
    let mut answer = Answer::default();
    while let Some(head) = read_head(reader) {
        if matches!(head.status(), 100 | 102..=199) {
            answer.interim.push(head);
            continue;
        }
        let (body, ended) = read_body(reader, head.framing_of_answer(method));
        return Answer {
            head: Some(head),
            body,
            ended: Some(ended),
            ..answer
        };
    }
    answer
}
