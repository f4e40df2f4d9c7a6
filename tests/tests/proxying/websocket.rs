//! WebSockets through the edge, frame by frame.

use crate::client::{Request, connect};
use crate::rig::{Way, rig};
use crate::upstream::{Step, html};
use crate::wire::read_head;
use base64::Engine as _;
use sha1::{Digest, Sha1};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A message, put together from its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    kind: u8,
    content: Vec<u8>,
}

fn read_message(reader: &mut impl BufRead) -> Option<Message> {
    let mut message: Option<Message> = None;
    loop {
        let mut head = [0; 2];
        reader.read_exact(&mut head).ok()?;
        let (is_last, kind, is_masked) = (head[0] & 0x80 != 0, head[0] & 0x0f, head[1] & 0x80 != 0);
        let mut long = [0; 8];
        let length = match head[1] & 0x7f {
            126 => {
                reader.read_exact(&mut long[6..]).ok()?;
                u64::from_be_bytes(long)
            }
            127 => {
                reader.read_exact(&mut long).ok()?;
                u64::from_be_bytes(long)
            }
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        if is_masked {
            reader.read_exact(&mut mask).ok()?;
        }
        let mut content = vec![0; usize::try_from(length).unwrap()];
        reader.read_exact(&mut content).ok()?;
        content
            .iter_mut()
            .enumerate()
            .for_each(|(place, byte)| *byte ^= mask[place % 4]);
        let whole = message.get_or_insert(Message {
            kind,
            content: Vec::new(),
        });
        whole.content.extend(content);
        if is_last {
            return message;
        }
    }
}

fn write_message(writer: &mut impl Write, message: &Message, mask: Option<[u8; 4]>) -> std::io::Result<()> {
    let length = message.content.len();
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![0x80 | message.kind];
    match length {
        0..=125 => frame.push(bit | u8::try_from(length).unwrap()),
        126..=0xffff => {
            frame.push(bit | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(bit | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    frame.extend(
        message
            .content
            .iter()
            .enumerate()
            .map(|(place, byte)| byte ^ mask[place % 4]),
    );
    writer.write_all(&frame)
}

/// What an upgrade's answer says, for the key of its request (RFC 6455, 4.2.2).
fn accept(key: &str) -> String {
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    base64::engine::general_purpose::STANDARD.encode(digest)
}

/// What makes the upstream end the conversation.
const GO_AWAY: &[u8] = b"go away";

fn closing(code: u16, reason: &str) -> Message {
    Message {
        kind: CLOSE,
        content: [&code.to_be_bytes(), reason.as_bytes()].concat(),
    }
}

/// The upstream's part: greets, and sends each message back.
pub(crate) fn echo(reader: &mut impl BufRead, writer: &mut TcpStream, key: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat\r\nX-Own: 1\r\nSet-Cookie: a=1\r\n\r\n",
        accept(key)
    );
    writer.write_all(head.as_bytes()).ok()?;
    write_message(
        writer,
        &Message {
            kind: TEXT,
            content: b"welcome".to_vec(),
        },
        None,
    )
    .ok()?;
    loop {
        let mut message = read_message(reader)?;
        if message.kind == PING {
            message.kind = PONG;
        }
        if message.content == GO_AWAY {
            message = closing(4_002, "gone");
        }
        write_message(writer, &message, None).ok()?;
        if message.kind == CLOSE {
            return None;
        }
    }
}

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn upgrade() -> Request {
    Request::new("GET", "/socket?a=1")
        .with("Connection: Upgrade")
        .with("Upgrade: websocket")
        .with("Sec-WebSocket-Version: 13")
        .with(format!("Sec-WebSocket-Key: {KEY}"))
        .with("Sec-WebSocket-Protocol: chat, other")
        .with("Origin: http://shop.example")
        .with("Cookie: a=1; ns_id=x")
}

#[test]
fn messages_go_both_ways() {
    let case = rig().case(&[Step::WebSocket]);
    let mut stream = connect(rig().port(Way::Edge));
    stream.write_all(&upgrade().bytes(&case)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let head = read_head(&mut reader).expect("there is an answer");
    assert_eq!(head.status(), 101, "{head:?}");
    assert_eq!(
        head.text("sec-websocket-accept").as_deref(),
        Some(accept(KEY).as_str())
    );
    assert_eq!(head.text("sec-websocket-protocol").as_deref(), Some("chat"));
    assert_eq!(head.text("x-own").as_deref(), Some("1"));
    assert_eq!(head.text("set-cookie").as_deref(), Some("a=1"));
    let seen = &rig().upstream.seen(&case)[0].head;
    assert_eq!(seen.line, b"GET /socket?a=1 HTTP/1.1");
    assert_eq!(seen.text("cookie").as_deref(), Some("a=1"));
    assert_eq!(
        seen.text("sec-websocket-protocol").as_deref(),
        Some("chat, other")
    );
    assert_eq!(seen.text("x-forwarded-host").as_deref(), Some("shop.example"));

    let text = |content: &str| Message {
        kind: TEXT,
        content: content.as_bytes().to_vec(),
    };
    assert_eq!(
        read_message(&mut reader),
        Some(text("welcome")),
        "the upstream speaks first"
    );
    let binary = |length: usize| Message {
        kind: BINARY,
        content: (0..length).map(|place| (place * 7 % 251) as u8).collect(),
    };
    let messages = [
        text("Grüße"),
        text(""),
        binary(1),
        binary(200),
        binary(70_000),
        text(&"日".repeat(1_000)),
    ];
    for message in &messages {
        write_message(&mut stream, message, Some([1, 2, 3, 4])).unwrap();
        assert_eq!(read_message(&mut reader).as_ref(), Some(message));
    }
    // Many at once keep their order.
    for message in &messages {
        write_message(&mut stream, message, Some([9, 0, 255, 7])).unwrap();
    }
    for message in &messages {
        assert_eq!(read_message(&mut reader).as_ref(), Some(message));
    }
    let close = closing(4_001, "bye");
    write_message(&mut stream, &close, Some([5, 5, 5, 5])).unwrap();
    assert_eq!(
        read_message(&mut reader),
        Some(close),
        "its code and reason come back"
    );
}

#[test]
fn the_upstream_may_end_it() {
    let case = rig().case(&[Step::WebSocket]);
    let mut stream = connect(rig().port(Way::Edge));
    stream.write_all(&upgrade().bytes(&case)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    assert_eq!(read_head(&mut reader).expect("there is an answer").status(), 101);
    assert_eq!(read_message(&mut reader).unwrap().content, b"welcome");
    let last = Message {
        kind: TEXT,
        content: GO_AWAY.to_vec(),
    };
    write_message(&mut stream, &last, Some([1, 1, 1, 1])).unwrap();
    assert_eq!(read_message(&mut reader), Some(closing(4_002, "gone")));
}

#[test]
fn an_upgrade_that_is_refused() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "426 Upgrade Required",
        "200 OK",
    ] {
        let case = rig().case(&[
            Step::Send(crate::upstream::answer(
                status,
                "Content-Type: text/html\r\nConnection: close\r\n",
                b"<h1>no</h1>",
            )),
            Step::Close,
        ]);
        let answer = crate::client::ask(rig().port(Way::Edge), &upgrade(), &case);
        assert_eq!(format!("{}", answer.status()), status[..3]);
        assert_eq!(answer.text(), "<h1>no</h1>");
    }
}

#[test]
fn other_upgrades_are_no_concern_of_a_page() {
    let page = html("", b"<!DOCTYPE html><h1>x</h1>");
    let asked = Request::page("/")
        .with("Connection: Upgrade, HTTP2-Settings, close")
        .with("Upgrade: h2c")
        .with("HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA");
    let got = crate::rig::through_edge(&asked, &page);
    assert_eq!(got.answer.status(), 200);
    assert!(!got.only().head.has("upgrade") && !got.only().head.has("http2-settings"));
}

#[test]
fn a_101_that_nobody_asked_for() {
    let bytes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n";
    for asked in [Request::page("/"), Request::new("POST", "/").with_body(b"x")] {
        let [pass, edge] = [Way::PassThrough, Way::Edge].map(|way| {
            rig()
                .exchange(way, &asked, &[Step::Send(bytes.to_vec()), Step::Close])
                .answer
        });
        assert!(
            edge.status() == 502 || edge.head == pass.head,
            "{edge:?} {pass:?}"
        );
    }
}
