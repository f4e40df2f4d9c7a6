//! Visitors: plain sockets that are kept open, so that asking costs little beside answering.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::usage;

/// Nothing that is measured here takes that long.
const LIMIT: Duration = Duration::from_secs(30);

/// A visitor with a connection of their own, who comes again and again.
#[derive(Debug)]
pub struct Visitor {
    stream: TcpStream,
    port: u16,
    cookies: Vec<(String, String)>,
    remembers: bool,
    headers: &'static str,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Its status line and headers.
    pub head: &'a str,
    /// Its body.
    pub body: &'a [u8],
    /// How long its first byte took after the request.
    pub first_byte: Duration,
    /// How long its last byte took.
    pub last_byte: Duration,
}

impl Answer<'_> {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or_default()
    }

    /// What `Server-Timing` says that Nearside did.
    pub fn outcome(&self) -> Option<&str> {
        self.head
            .split_once("nearside;")?
            .1
            .split_once("desc=\"")?
            .1
            .split('"')
            .next()
    }
}

impl Visitor {
    /// Somebody new, at this port of loopback. Who does not `remember` is somebody new each time.
    ///
    /// # Panics
    /// When nothing listens there.
    pub fn new(port: u16, remembers: bool) -> Self {
        Self {
            stream: connect(port),
            port,
            cookies: Vec::new(),
            remembers,
            headers: "",
            buffer: Vec::new(),
        }
    }

    /// Sends these lines with each request, each with its end.
    #[must_use]
    pub fn with_headers(mut self, headers: &'static str) -> Self {
        self.headers = headers;
        self
    }

    /// Asks for a page, and keeps its cookies.
    ///
    /// # Errors
    /// When the connection breaks off or the answer is none.
    pub fn get(&mut self, path: &str) -> std::io::Result<Answer<'_>> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookie = if cookies.is_empty() {
            String::new()
        } else {
            format!("cookie: {}\r\n", cookies.join("; "))
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: text/html,application/xhtml+xml,*/*;q=0.8\r\naccept-language: de-AT,de;q=0.8,en;q=0.5\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n{cookie}{}\r\n",
            self.port, self.headers
        );
        let asked = Instant::now();
        self.stream.write_all(request.as_bytes())?;
        let (head, body, first_byte) = read_answer(&mut self.stream, &mut self.buffer, asked)?;
        let head = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())
            .map_err(std::io::Error::other)?;
        if self.remembers {
            for line in head.lines() {
                let is_cookie = line
                    .get(..11)
                    .is_some_and(|name| name.eq_ignore_ascii_case("set-cookie:"));
                let pair = line
                    .get(11..)
                    .filter(|_| is_cookie)
                    .and_then(|value| value.split(';').next()?.trim().split_once('='));
                if let Some((name, value)) = pair {
                    self.cookies.retain(|(known, _)| known != name);
                    self.cookies.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        Ok(Answer {
            head,
            body: self.buffer.get(body).unwrap_or_default(),
            first_byte,
            last_byte: asked.elapsed(),
        })
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Reads an answer into the buffer: its head, and then its body without what chunks put between. Gives the head's
/// length, the body's place, and when the first byte came.
fn read_answer(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    asked: Instant,
) -> std::io::Result<(usize, std::ops::Range<usize>, Duration)> {
    buffer.clear();
    let mut more = |buffer: &mut Vec<u8>| -> std::io::Result<()> {
        let filled = buffer.len();
        buffer.resize(filled + (64 << 10), 0);
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default());
        buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    };
    let find = |buffer: &[u8], from: usize, what: &[u8]| {
        buffer
            .get(from..)?
            .windows(what.len())
            .position(|window| window == what)
            .map(|place| from + place)
    };
    more(buffer)?;
    let first_byte = asked.elapsed();
    let head = loop {
        match find(buffer, 0, b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => more(buffer)?,
        }
    };
    let headers = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
    let header = |name: &str| {
        headers
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    if let Some(length) = header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        while buffer.len() < head + length {
            more(buffer)?;
        }
        return Ok((head, head..head + length, first_byte));
    }
    if header("transfer-encoding") != Some("chunked") {
        return Ok((head, head..head, first_byte));
    }
    let (mut next, mut end) = (head, head);
    loop {
        let line = loop {
            match find(buffer, next, b"\r\n") {
                Some(line) => break line,
                None => more(buffer)?,
            }
        };
        let size = buffer
            .get(next..line)
            .and_then(|size| usize::from_str_radix(std::str::from_utf8(size).ok()?.trim(), 16).ok());
        let size = size.ok_or(std::io::ErrorKind::InvalidData)?;
        while buffer.len() < line + 2 + size + 2 {
            more(buffer)?;
        }
        buffer.copy_within(line + 2..line + 2 + size, end);
        (next, end) = (line + 2 + size + 2, end + size);
        if size == 0 {
            return Ok((head, head..end, first_byte));
        }
    }
}

/// What a crowd met.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// How many answers.
    pub answers: usize,
    /// For how long.
    pub time: Duration,
    /// What the process computed in that time.
    pub cpu: Duration,
    /// How long each answer took to its last byte.
    pub last_bytes: Vec<Duration>,
}

impl Met {
    /// Milliseconds of computing for each answer.
    pub fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1_000.0 / self.answers as f64
    }

    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.time.as_secs_f64()
    }
}

/// Visitors at the same worker, all at the same time.
#[derive(Debug)]
pub struct Crowd {
    visitors: Vec<Visitor>,
    pid: u32,
}

impl Crowd {
    /// So many visitors of a worker that the process `pid` runs.
    pub fn new(pid: u32, visitors: Vec<Visitor>) -> Self {
        Self { visitors, pid }
    }

    /// All ask for the page again and again, for so long; `check` looks at each answer.
    ///
    /// # Panics
    /// When an answer does not come, or when `check` panics.
    pub fn ask(&mut self, path: &str, time: Duration, check: impl Fn(&Answer<'_>) + Sync) -> Met {
        let (started, before) = (Instant::now(), usage::cpu(self.pid));
        let check = &check;
        let times: Vec<Vec<Duration>> = thread::scope(|scope| {
            let threads: Vec<_> = self
                .visitors
                .iter_mut()
                .map(|visitor| {
                    scope.spawn(move || {
                        let mut times = Vec::new();
                        while started.elapsed() < time {
                            let answer = visitor
                                .get(path)
                                .unwrap_or_else(|error| panic!("{path}: {error}"));
                            check(&answer);
                            times.push(answer.last_byte);
                        }
                        times
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let last_bytes: Vec<Duration> = times.into_iter().flatten().collect();
        Met {
            answers: last_bytes.len(),
            time: started.elapsed(),
            cpu: usage::cpu(self.pid) - before,
            last_bytes,
        }
    }
}
