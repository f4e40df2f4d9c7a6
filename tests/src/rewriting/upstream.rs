//! The site: a small HTTP/1.1 server of this process, so that what it costs is not the workers'.
//!
//! `/cached/PAGE/…` may be kept for an hour and has an entity tag; `/streamed/PAGE/…` and whatever else ends in a
//! page's name and one more part may not be kept. Of `/slow/PAGE/…` and `/slow-cached/PAGE/…` the first bytes come at
//! once, and the rest when it is released. What is posted is read and thanked for, as a queue does.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::pages::Page;

/// What a queue answers, as the runtime reads it.
const QUEUED: &[u8] =
    b"{\"metadata\":{\"metrics\":{\"backlogCount\":0,\"backlogBytes\":0,\"oldestMessageTimestamp\":0}}}";
/// How much of a slow page comes at once.
pub const FIRST_BYTES: usize = 4 << 10;
/// A slow page that nobody releases breaks off.
const RELEASED_WITHIN: Duration = Duration::from_secs(20);

/// The running site. It takes no more connections when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Where a queue hands its messages on.
#[derive(Clone, Debug)]
pub struct Next {
    /// The address that they are posted to.
    pub url: String,
    /// What they are posted with.
    pub bearer: String,
}

#[derive(Debug)]
struct Shared {
    pages: HashMap<&'static str, Vec<u8>>,
    asked: AtomicU64,
    posted: AtomicU64,
    /// Where what is posted goes on to.
    next: Mutex<Option<Next>>,
    /// How many slow pages may go on.
    released: Mutex<u64>,
    release: Condvar,
    is_over: AtomicBool,
}

impl Upstream {
    /// Serves these pages on a free port.
    ///
    /// # Panics
    /// When there is no port.
    pub fn start(pages: &[Page]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared {
            pages: pages.iter().map(|page| (page.name, page.bytes.clone())).collect(),
            asked: AtomicU64::new(0),
            posted: AtomicU64::new(0),
            next: Mutex::new(None),
            released: Mutex::new(0),
            release: Condvar::new(),
            is_over: AtomicBool::new(false),
        });
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&serving)) else {
                    continue;
                };
                // A connection that breaks off is the other side's business.
                thread::spawn(move || shared.serve(&stream).ok());
            }
        });
        Self { address, shared }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many pages it was asked for so far.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Hands on what is posted from now on, or keeps it back. A post is answered when the next one has it.
    ///
    /// # Panics
    /// When a connection's thread has failed.
    pub fn hand_on(&self, next: Option<Next>) {
        *self.shared.next.lock().unwrap() = next;
    }

    /// Lets one slow page go on.
    ///
    /// # Panics
    /// When a connection's thread has failed.
    pub fn release(&self) {
        *self.shared.released.lock().unwrap() += 1;
        self.shared.release.notify_one();
    }

    /// How many events were posted to it so far.
    pub fn posted(&self) -> u64 {
        self.shared.posted.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Answers the requests of a connection, one after the other.
    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        while let Some(request) = read_request(&mut reader)? {
            let answer = self.answer(&request);
            if !request.path.starts_with("/slow") {
                writer.write_all(&answer)?;
                continue;
            }
            let head = answer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
                .unwrap_or_default()
                + 4;
            let (first, rest) = answer.split_at((head + FIRST_BYTES).min(answer.len()));
            writer.write_all(first)?;
            if !self.is_released() {
                return Ok(());
            }
            writer.write_all(rest)?;
        }
        Ok(())
    }

    /// Waits for a release, and takes it.
    fn is_released(&self) -> bool {
        let released = self.released.lock().unwrap();
        let waited = self
            .release
            .wait_timeout_while(released, RELEASED_WITHIN, |released| *released == 0);
        let (mut released, waited) = waited.unwrap();
        if !waited.timed_out() {
            *released -= 1;
        }
        !waited.timed_out()
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        if request.method == "POST" {
            let next = self.next.lock().unwrap().clone();
            if let Some(next) = next {
                let post = ureq::post(&next.url).header("authorization", format!("Bearer {}", next.bearer));
                let post = post
                    .header("content-type", "application/json")
                    .send(&request.body[..]);
                post.unwrap_or_else(|error| panic!("{}: {error}", next.url));
            }
            // A message may hold several events.
            let events = String::from_utf8_lossy(&request.body)
                .matches("\"messageId\"")
                .count();
            self.posted.fetch_add(events as u64, Ordering::Relaxed);
            return whole("200 OK", "content-type: application/json\r\n", QUEUED);
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut parts = request.path.trim_start_matches('/').split('/');
        let (way, page) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(body) = self.pages.get(page) else {
            return whole(
                "404 Not Found",
                "content-type: text/plain\r\n",
                b"There is no such page.",
            );
        };
        let tag = format!("\"{page}\"");
        let caching = match way {
            "cached" | "slow-cached" => "public, max-age=3600",
            _ => "private, no-cache",
        };
        let headers =
            format!("content-type: text/html; charset=utf-8\r\ncache-control: {caching}\r\netag: {tag}\r\n");
        match request.known.as_deref() == Some(&tag) {
            true => format!("HTTP/1.1 304 Not Modified\r\n{headers}\r\n").into_bytes(),
            false => whole("200 OK", &headers, body),
        }
    }
}

/// An answer, in one piece.
fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

struct Request {
    method: String,
    path: String,
    /// The entity tag that the other side knows.
    known: Option<String>,
    body: Vec<u8>,
}

/// Reads a request with its body; `None` at the end of the connection.
fn read_request(reader: &mut impl BufRead) -> Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let mut request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        known: None,
        body: Vec::new(),
    };
    let (mut length, mut is_chunked) = (0_u64, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "if-none-match" => request.known = Some(value.to_owned()),
            "content-length" => length = value.parse().unwrap_or_default(),
            "transfer-encoding" => is_chunked = true,
            _ => {}
        }
    }
    if !is_chunked {
        reader.take(length).read_to_end(&mut request.body)?;
        return Ok(Some(request));
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or_default();
        reader.take(size).read_to_end(&mut request.body)?;
        reader.read_line(&mut line)?;
        if size == 0 {
            return Ok(Some(request));
        }
    }
}
