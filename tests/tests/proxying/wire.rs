//! HTTP/1.1 by its bytes: what a client and an upstream must know, and nothing that they would gloss over.

use std::fmt;
use std::io::{BufRead, Read};

/// A first line and headers, as they came.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The request's or status line, without its end.
    pub(crate) line: Vec<u8>,
    /// Names in lower case, values without the blanks around them, in the order in which they came.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.line.escape_ascii())?;
        let mut headers = self.headers.iter();
        headers.try_for_each(|(name, value)| writeln!(formatter, "{name}: {}", value.escape_ascii()))
    }
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(usize),
    Chunked,
    /// Until the connection ends.
    Close,
}

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As its framing said, with these trailers.
    Whole(Vec<(String, Vec<u8>)>),
    /// Too early, or with something that is no chunk.
    Early,
    /// With the connection, which says nothing of whether it is whole.
    WithConnection,
}

impl Ended {
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

impl Head {
    /// The values of a header.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    /// A header's values as text, joined as HTTP allows.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self
            .all(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let line = String::from_utf8_lossy(&self.line);
        line.split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_default()
    }

    /// The framing of a request's body.
    pub(crate) fn framing(&self) -> Framing {
        self.declared().unwrap_or(Framing::None)
    }

    fn declared(&self) -> Option<Framing> {
        if self
            .text("transfer-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"))
        {
            return Some(Framing::Chunked);
        }
        self.text("content-length")?.parse().ok().map(Framing::Length)
    }

    /// The framing of an answer's body.
    pub(crate) fn framing_of_answer(&self, method: &str) -> Framing {
        match self.status() {
            _ if method == "HEAD" => Framing::None,
            100..=199 | 204 | 304 => Framing::None,
            _ => self.declared().unwrap_or(Framing::Close),
        }
    }
}

/// Reads up to the empty line; `None` if the connection ends before.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Option<Head> {
    let line = read_line(reader)?;
    Some(Head {
        line,
        headers: read_fields(reader)?,
    })
}

fn read_fields(reader: &mut impl BufRead) -> Option<Vec<(String, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Some(fields);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    line.pop_if(|last| *last == b'\n')?;
    line.pop_if(|last| *last == b'\r');
    Some(line)
}

/// Reads a body, without its frames.
pub(crate) fn read_body(reader: &mut impl BufRead, framing: Framing) -> (Vec<u8>, Ended) {
    let mut body = Vec::new();
    match framing {
        Framing::None => (body, Ended::Whole(Vec::new())),
        Framing::Length(length) => {
            let read = reader.take(length as u64).read_to_end(&mut body);
            let is_whole = read.is_ok() && body.len() == length;
            (
                body,
                if is_whole {
                    Ended::Whole(Vec::new())
                } else {
                    Ended::Early
                },
            )
        }
        Framing::Chunked => match read_chunks(reader, &mut body) {
            Some(trailers) => (body, Ended::Whole(trailers)),
            None => (body, Ended::Early),
        },
        Framing::Close => match reader.read_to_end(&mut body) {
            Ok(_) => (body, Ended::WithConnection),
            Err(_) => (body, Ended::Early),
        },
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Option<Vec<(String, Vec<u8>)>> {
    loop {
        let line = read_line(reader)?;
        let size = String::from_utf8(line).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return read_fields(reader);
        }
        let before = body.len();
        reader.take(size as u64).read_to_end(body).ok()?;
        if body.len() < before + size || !read_line(reader)?.is_empty() {
            return None;
        }
    }
}
