//! What leads from an event to the cells that it can touch, so that the cost of an event follows what it can
//! change and not all there is.

use crate::cell::spec::{CellKind, Matcher, Scope};
use crate::condition::{Node, event_attribute};
use crate::event::{Event, EventKind};
use crate::hash::fnv1a_32;
use crate::program::Program;
use crate::readers::Readers;
use crate::sort::sort_by;
use crate::value::Value;

/// The cells of a program, by what an event must be to touch them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    /// By kind and name, sorted.
    classes: Vec<(Class, Vec<Bucket>)>,
    /// The cells that end with the session.
    pub(crate) of_session: Vec<u16>,
    /// The cells that watch an attribute.
    pub(crate) held: Vec<u16>,
    /// By the keys of their definitions, sorted.
    keys: Vec<(u32, u16)>,
    /// The paths of attributes that have a slot.
    pub(crate) slots: Vec<Vec<String>>,
    /// What leads on from the cells.
    pub(crate) readers: Readers,
}

/// The kind of event, and the hash of its name; either may be any.
type Class = (Option<EventKind>, Option<u32>);

/// The cells of a class that ask for the same property to be one of several texts; or for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bucket {
    path: Vec<String>,
    /// By the hash of the text, sorted; all 0 where nothing is asked for.
    cells: Vec<(u32, u16)>,
}

impl Index {
    pub(crate) fn new(program: &Program) -> Self {
        let mut index = Self {
            readers: Readers::new(program),
            ..Self::default()
        };
        for (cell, spec) in (0_u16..).zip(&program.cells) {
            index.keys.push((spec.key, cell));
            if spec.scope == Scope::Session {
                index.of_session.push(cell);
            }
            if matches!(spec.kind, CellKind::Held(..)) {
                index.held.push(cell);
            }
            for matcher in &spec.matchers {
                index.add(matcher, cell);
            }
        }
        for (_, buckets) in &mut index.classes {
            for bucket in buckets {
                sort_by(&mut bucket.cells, |a, b| a < b);
                bucket.cells.dedup();
            }
        }
        sort_by(&mut index.keys, |a, b| a < b);
        index
    }

    /// The place of the cell whose definition has this key.
    pub(crate) fn cell(&self, key: u32) -> Option<usize> {
        let place = self.keys.binary_search_by_key(&key, |(known, _)| *known).ok()?;
        self.keys.get(place).map(|(_, cell)| usize::from(*cell))
    }

    fn add(&mut self, matcher: &Matcher, cell: u16) {
        let name = matcher.name.as_ref().map(|name| fnv1a_32(name.as_bytes()));
        let class = (matcher.kind, name);
        let place = match self.classes.binary_search_by(|(known, _)| known.cmp(&class)) {
            Ok(place) => place,
            Err(place) => {
                self.classes.insert(place, (class, Vec::new()));
                place
            }
        };
        let Some((_, buckets)) = self.classes.get_mut(place) else {
            return;
        };
        let (path, hash) = constant(matcher).unwrap_or((&[], 0));
        match buckets.iter_mut().find(|bucket| bucket.path == path) {
            Some(bucket) => bucket.cells.push((hash, cell)),
            None => buckets.push(Bucket {
                path: path.to_vec(),
                cells: vec![(hash, cell)],
            }),
        }
    }

    /// Appends the places of the cells that the event can touch, each once, in their order.
    pub(crate) fn cells(&self, event: &Event, cells: &mut Vec<u16>) {
        let start = cells.len();
        let name = fnv1a_32(event.name.as_bytes());
        for class in [
            (None, None),
            (None, Some(name)),
            (Some(event.kind), None),
            (Some(event.kind), Some(name)),
        ] {
            let Ok(place) = self.classes.binary_search_by(|(known, _)| known.cmp(&class)) else {
                continue;
            };
            let buckets = self.classes.get(place).map_or(&[][..], |(_, buckets)| buckets);
            for bucket in buckets {
                bucket.find(event, cells);
            }
        }
        sort_new(cells, start);
    }
}

/// Sorts what was added from a place on, each once; what was there before stays.
fn sort_new(cells: &mut Vec<u16>, start: usize) {
    let Some(new) = cells.get_mut(start..) else { return };
    sort_by(new, |a, b| a < b);
    let mut kept = 0;
    for at in 0..new.len() {
        if at == 0 || new[at] != new[kept - 1] {
            new[kept] = new[at];
            kept += 1;
        }
    }
    cells.truncate(start + kept);
}

impl Bucket {
    fn find(&self, event: &Event, cells: &mut Vec<u16>) {
        let all = self.cells.iter().map(|(_, cell)| *cell);
        if self.path.is_empty() {
            return cells.extend(all);
        }
        // Nothing but a text is one of the texts.
        if let Some(Value::String(text)) = event_attribute(event, &self.path).as_deref() {
            let hash = fnv1a_32(text.as_bytes());
            let first = self.cells.partition_point(|(known, _)| *known < hash);
            let same = self.cells[first..].iter().take_while(|(known, _)| *known == hash);
            cells.extend(same.map(|(_, cell)| *cell));
        }
    }
}

/// A property that must be a certain text for the matcher to match.
fn constant(matcher: &Matcher) -> Option<(&[String], u32)> {
    let condition = matcher.condition.as_ref()?;
    let nodes = condition.nodes();
    let node = |id: u16| nodes.get(usize::from(id));
    let text = |needed: &'_ Node| {
        let Node::Attribute(_, id) = needed else {
            return None;
        };
        match node(*id)? {
            Node::Is(Value::String(text)) | Node::Equal(Value::String(text)) => {
                Some(fnv1a_32(text.as_bytes()))
            }
            _ => None,
        }
    };
    let root = nodes.last()?;
    let needed = match root {
        Node::All(all) => all
            .iter()
            .filter_map(|id| node(*id))
            .find(|needed| text(needed).is_some())?,
        root => root,
    };
    match needed {
        Node::Attribute(path, _) => text(needed).map(|hash| (&path[..], hash)),
        _ => None,
    }
}
