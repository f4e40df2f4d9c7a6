//! Answers as they come over the wire.

use std::io::{Error, ErrorKind, Read, Result};
use std::net::TcpStream;
use std::ops::Range;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// An answer that is being read into a buffer.
pub(super) struct Reading<'a> {
    stream: &'a mut TcpStream,
    buffer: &'a mut Vec<u8>,
}

/// What the head says of the body.
pub(super) struct Head {
    /// Its bytes, to the empty line's end.
    pub(super) length: usize,
    body: Body,
}

enum Body {
    Length(usize),
    Chunked,
}

impl<'a> Reading<'a> {
    pub(super) fn new(stream: &'a mut TcpStream, buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        Self { stream, buffer }
    }

    /// Reads to the end of the head.
    pub(super) fn head(&mut self) -> Result<Head> {
        let end = self.find(0, b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(self.buffer.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let header = |name: &str| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim)
        };
        let body = match header("transfer-encoding") {
            Some("chunked") => Body::Chunked,
            _ => Body::Length(
                header("content-length")
                    .and_then(|length| length.parse().ok())
                    .unwrap_or(0),
            ),
        };
        Ok(Head { length: end, body })
    }

    /// Reads until some of the body is there, if there is one.
    pub(super) fn first_of_body(&mut self, head: &Head) -> Result<()> {
        match head.body {
            Body::Length(0) => Ok(()),
            _ => self.fill(head.length + 1),
        }
    }

    /// Reads to the end; the body is then in this part of the buffer, without what chunks put between.
    pub(super) fn body(&mut self, head: &Head) -> Result<Range<usize>> {
        if let Body::Length(length) = head.body {
            self.fill(head.length + length)?;
            return Ok(head.length..head.length + length);
        }
        let (mut next, mut end) = (head.length, head.length);
        loop {
            let line = self.find(next, b"\r\n")?;
            let size = self
                .buffer
                .get(next..line)
                .and_then(|size| std::str::from_utf8(size).ok());
            let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
            let chunk = line + 2..line + 2 + size;
            next = chunk.end + 2;
            self.fill(next)?;
            self.buffer.copy_within(chunk, end);
            end += size;
            if size == 0 {
                return Ok(head.length..end);
            }
        }
    }

    /// Where this stands first, from a place on.
    fn find(&mut self, from: usize, what: &[u8]) -> Result<usize> {
        loop {
            let rest = self.buffer.get(from..).unwrap_or_default();
            if let Some(place) = rest.windows(what.len()).position(|window| window == what) {
                return Ok(from + place);
            }
            self.fill(self.buffer.len() + 1)?;
        }
    }

    /// Reads until so many bytes are there.
    fn fill(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            let filled = self.buffer.len();
            self.buffer.resize(filled + PIECE, 0);
            let read = self
                .stream
                .read(self.buffer.get_mut(filled..).unwrap_or_default());
            self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
