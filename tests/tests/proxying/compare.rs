//! The same request by all three ways, held against each other.

use crate::client::{Answer, Request};
use crate::rig::{Exchange, Way, rig};
use crate::upstream::{CASE, Seen, Step};
use crate::wire::{Ended, Head};
use std::collections::BTreeSet;
use std::fmt;

/// What a case must be the same as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Like {
    /// What the upstream itself gives and gets.
    Direct,
    /// What the pass-through worker gives and gets, because the runtime changes it; and it does: the test fails
    /// when it does so no longer.
    PassThrough,
}

/// Headers of an answer that are about one connection, or that the edge adds.
const OWN: [&str; 5] = [
    "connection",
    "keep-alive",
    "transfer-encoding",
    "date",
    "server-timing",
];
/// Headers of a request that are about one connection, or about the way that it came.
const WAY: [&str; 7] = [
    "host",
    "connection",
    "transfer-encoding",
    "content-length",
    "x-forwarded-host",
    "x-forwarded-proto",
    CASE,
];

/// The headers without some: for each name its values in their order, joined as HTTP allows; cookies one by one.
fn kept(head: &Head, without: &[&str]) -> Vec<String> {
    let is_kept = |name: &&String| !without.contains(&name.as_str());
    let names: BTreeSet<&String> = head
        .headers
        .iter()
        .map(|(name, _)| name)
        .filter(is_kept)
        .collect();
    let line = |name: &String| {
        let values: Vec<String> = head.all(name).map(shown).collect();
        let separator = if name == "set-cookie" { "\n" } else { ", " };
        format!("{name}: {}", values.join(separator))
    };
    names.into_iter().map(line).collect()
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// A body, which is not shown whole where it differs.
#[derive(PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.get(..300).unwrap_or(&self.0);
        write!(formatter, "{} bytes: {}", self.0.len(), shown(start))
    }
}

/// What counts of a message: its lines, its body, and how that ended.
type Message = (Vec<String>, Bytes, Option<Ended>);

fn of_answer(answer: &Answer) -> Message {
    let heads = answer.interim.iter().chain(&answer.head);
    let lines = heads.flat_map(|head| {
        let line = [shown(&head.line)];
        line.into_iter().chain(kept(head, &OWN))
    });
    (lines.collect(), Bytes(answer.body.clone()), answer.ended.clone())
}

fn of_request(exchange: &Exchange) -> Vec<Message> {
    let message = |seen: &Seen| {
        let lines = [shown(&seen.head.line)].into_iter().chain(kept(&seen.head, &WAY));
        (lines.collect(), Bytes(seen.body.clone()), None)
    };
    exchange.seen.iter().map(message).collect()
}

/// Checks that what the visitor gets is `like` the named, and that the upstream is asked once, for the same.
#[track_caller]
pub(crate) fn untouched(name: &str, request: &Request, steps: &[Step], like: Like) -> Exchange {
    let [direct, pass, edge] =
        [Way::Direct, Way::PassThrough, Way::Edge].map(|way| rig().exchange(way, request, steps));
    let got = of_answer(&edge.answer);
    match like {
        Like::Direct => {
            assert_eq!(
                got,
                of_answer(&direct.answer),
                "{name}: the edge, against the upstream itself"
            );
            assert_eq!(
                of_request(&edge),
                of_request(&direct),
                "{name}: the request, against the visitor's"
            );
        }
        Like::PassThrough => {
            assert_eq!(
                got,
                of_answer(&pass.answer),
                "{name}: the edge, against a pass-through"
            );
            assert_eq!(
                of_request(&edge),
                of_request(&pass),
                "{name}: the request, against a pass-through's"
            );
            let is_changed = of_answer(&pass.answer) != of_answer(&direct.answer)
                || of_request(&pass) != of_request(&direct);
            assert!(
                is_changed,
                "{name}: the runtime changes nothing here: compare with the upstream itself"
            );
        }
    }
    assert!(edge.seen.len() <= 1, "{name}: the upstream is asked once");
    edge
}

/// The same for an answer of these bytes.
#[track_caller]
pub(crate) fn passes(name: &str, request: &Request, answer: &[u8], like: Like) -> Exchange {
    untouched(name, request, &[Step::Send(answer.to_vec())], like)
}
