//! Visitors: plain sockets that are kept open, so that asking costs little beside answering.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{usage, wire};

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
    /// How long the first byte of its body took after the request.
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
        let visitor = Self::try_new(port).unwrap_or_else(|| panic!("nothing listens at port {port}"));
        Self { remembers, ..visitor }
    }

    /// Somebody new, if anything listens at this port of loopback.
    pub fn try_new(port: u16) -> Option<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        Some(Self {
            stream,
            port,
            cookies: Vec::new(),
            remembers: true,
            headers: "",
            buffer: Vec::new(),
        })
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
        self.get_telling(path, || {})
    }

    /// The same, and tells when the first byte of the body is there.
    ///
    /// # Errors
    /// When the connection breaks off or the answer is none.
    pub fn get_telling(&mut self, path: &str, is_there: impl FnOnce()) -> std::io::Result<Answer<'_>> {
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
        let mut answer = wire::Reading::new(&mut self.stream, &mut self.buffer);
        let head = answer.head()?;
        answer.first_of_body(&head)?;
        let first_byte = asked.elapsed();
        is_there();
        let body = answer.body(&head)?;
        let head = head.length;
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

    /// Each asks once, as if their headers were any visitor's.
    ///
    /// # Panics
    /// When an answer does not come.
    pub fn ask_once(&mut self, path: &str) {
        for visitor in &mut self.visitors {
            let headers = std::mem::take(&mut visitor.headers);
            visitor
                .get(path)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            visitor.headers = headers;
        }
    }

    /// How many they are.
    pub fn size(&self) -> usize {
        self.visitors.len()
    }

    /// All ask for the page again and again, for so long; `check` looks at each answer.
    ///
    /// # Panics
    /// When an answer does not come, or when `check` panics.
    pub fn ask(&mut self, path: &str, time: Duration, check: impl Fn(&Answer<'_>) + Sync) -> Met {
        // Idle connections were closed by the other side.
        for visitor in &mut self.visitors {
            visitor.stream = Visitor::new(visitor.port, true).stream;
        }
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
