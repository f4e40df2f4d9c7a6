//! Which selectors match an element, told at its start tag.
//!
//! Each compound selector is a state, numbered along its complex selector; a state holds at an element if the element is
//! what the compound asks for and the state before it holds at the parent (a child) or at some ancestor (a descendant). The
//! states that hold are sets of bits, so that those which can hold at all at an element are found by a few operations,
//! and most elements need no more: the machine is Baeza-Yates' and Gonnet's Shift-And
//! (<https://doi.org/10.1145/135239.135243>), with a stack.

use crate::attributes::{Attribute, Attributes, MAX_ATTRIBUTES};
use crate::encode::Spelling;
use crate::names::{KNOWN_NAMES, Name};
use crate::selector::{
    AttributeTest, Case, Combinator, Compound, Condition, Operator, Selector, Siblings, Tag, bit,
};
use memchr::memchr;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::mem;
use std::rc::Rc;

/// Of the children of all open elements, so many names are counted.
const MAX_TYPES: usize = 20_000;

/// How many states a word of a set has.
const BITS: usize = u64::BITS as usize;

pub(crate) struct Matcher {
    selectors: Vec<Rc<Selector>>,
    states: Vec<State>,
    /// How many words a set of states has.
    words: usize,
    /// The states that need nothing around their element.
    first: Vec<u64>,
    child: Vec<u64>,
    descendant: Vec<u64>,
    /// The states of elements whatever their names are.
    unnamed: Vec<u64>,
    /// The states of elements of certain names.
    named: Named,
    counts_types: bool,
    /// How many names are counted at the moment.
    types: usize,
    /// For each open element, and the page around them, the states that hold at it, and those that do at it or around it.
    open: Vec<u64>,
    children: Vec<Children>,
    /// Whether the page is a document without a document type, or with an old one.
    pub(crate) is_of_old_document: bool,
    /// What was found at the last start tag, in ascending order.
    found: Vec<u32>,
    attributes: Vec<Attribute>,
    /// What the attributes of the last start tag say, where they say it with character references.
    said: Vec<OnceCell<Box<[u8]>>>,
    /// The states that hold at the last start tag.
    here: Vec<u64>,
}

struct State {
    /// Where its compound is among the selectors'.
    selector: u32,
    alternative: u32,
    compound: u32,
    /// Whether its compound is the last one: the selector matches.
    is_last: bool,
    /// What an element must have in its [`Tag::traits`] to be what the compound asks for.
    needed: u64,
}

/// How many children an element has so far.
#[derive(Default)]
struct Children {
    count: u32,
    of_type: Option<HashMap<Name, u32>>,
}

/// Sets of states by elements' names.
struct Named {
    sets: Vec<Vec<u64>>,
    /// The set of each name of the table, counted from one; zero if it has none.
    of_known: [u16; KNOWN_NAMES],
    of_other: HashMap<Name, u16>,
}

impl Named {
    fn new() -> Self {
        Self {
            sets: Vec::new(),
            of_known: [0; KNOWN_NAMES],
            of_other: HashMap::new(),
        }
    }

    fn number(&self, name: &Name) -> usize {
        let number = match name {
            Name::Known(known) => self.of_known.get(usize::from(*known)),
            // Most programs ask for none.
            Name::Other(_) if self.of_other.is_empty() => None,
            other => self.of_other.get(other),
        };
        number.copied().map_or(0, usize::from)
    }

    fn of(&self, name: &Name) -> Option<&[u64]> {
        let place = self.number(name).checked_sub(1)?;
        self.sets.get(place).map(Vec::as_slice)
    }

    fn of_mut(&mut self, name: &Name, words: usize) -> &mut [u64] {
        let mut number = self.number(name);
        if number == 0 {
            self.sets.push(vec![0; words]);
            number = self.sets.len();
            match name {
                Name::Known(known) => {
                    if let Some(entry) = self.of_known.get_mut(usize::from(*known)) {
                        *entry = number as u16;
                    }
                }
                other => {
                    self.of_other.insert(other.clone(), number as u16);
                }
            }
        }
        self.sets
            .get_mut(number - 1)
            .map(Vec::as_mut_slice)
            .unwrap_or_default()
    }
}

impl Matcher {
    pub(crate) fn new(selectors: Vec<Rc<Selector>>) -> Self {
        let count: usize = selectors
            .iter()
            .map(|selector| selector.compounds().count())
            .sum();
        let words = count.div_ceil(BITS);
        let mut matcher = Self {
            states: Vec::with_capacity(count),
            words,
            first: vec![0; words],
            child: vec![0; words],
            descendant: vec![0; words],
            unnamed: vec![0; words],
            named: Named::new(),
            counts_types: false,
            types: 0,
            open: vec![0; 2 * words],
            children: vec![Children::default()],
            is_of_old_document: false,
            found: Vec::new(),
            attributes: Vec::new(),
            said: Vec::new(),
            here: vec![0; words],
            selectors: Vec::new(),
        };
        for (place, selector) in selectors.iter().enumerate() {
            matcher.add(place, selector);
        }
        matcher.selectors = selectors;
        matcher
    }

    fn add(&mut self, place: usize, selector: &Selector) {
        for (alternative, complex) in selector.alternatives.iter().enumerate() {
            for (at, (combinator, compound)) in complex.compounds.iter().enumerate() {
                let number = self.states.len();
                let bits = match (at, combinator) {
                    (0, _) => &mut self.first,
                    (_, Combinator::Child) => &mut self.child,
                    (_, Combinator::Descendant) => &mut self.descendant,
                };
                set(bits, number);
                match &compound.name {
                    Some(name) => {
                        let words = self.words;
                        set(self.named.of_mut(name, words), number);
                    }
                    None => set(&mut self.unnamed, number),
                }
                self.states.push(State {
                    selector: place as u32,
                    alternative: alternative as u32,
                    compound: at as u32,
                    is_last: at + 1 == complex.compounds.len(),
                    needed: needed(compound),
                });
            }
        }
        self.counts_types |= selector.any(&|compound| {
            let asks = |condition: &Condition| matches!(condition, Condition::OfType(_));
            compound.conditions.iter().any(asks)
        });
    }

    /// How many bytes an open element takes.
    pub(crate) const fn bytes_of_an_element(&self) -> usize {
        2 * self.words * size_of::<u64>() + size_of::<Children>()
    }

    /// Forgets the elements that are over; so many are open.
    pub(crate) fn keep(&mut self, open: usize) {
        self.open.truncate((open + 1) * 2 * self.words);
        if self.counts_types {
            let over = self.children.get(open + 1..).unwrap_or_default();
            let counted = over.iter().filter_map(|children| children.of_type.as_ref());
            self.types -= counted.map(HashMap::len).sum::<usize>();
        }
        self.children.truncate(open + 1);
    }

    /// Takes note of an element in the last one that is open; gives the selectors that match it, in ascending order.
    /// `attributes` are those of the tag, if they are known; else they are read when somebody has to know them.
    pub(crate) fn start(
        &mut self,
        name: &Name,
        is_html: bool,
        written: &[u8],
        attributes: Option<&[Attribute]>,
        spelling: Spelling,
    ) -> &[u32] {
        self.found.clear();
        let siblings = self.count(name);
        let parent = self.open.len() - 2 * self.words;
        let named = self.named.of(name);
        let (mut child_carry, mut descendant_carry) = (0, 0);
        let mut any = 0;
        for (word, here) in self.here.iter_mut().enumerate() {
            let at_parent = self.open.get(parent + word).copied().unwrap_or_default();
            let around = self
                .open
                .get(parent + self.words + word)
                .copied()
                .unwrap_or_default();
            let of = |set: &[u64]| set.get(word).copied().unwrap_or_default();
            let bound = (of(&self.child) & (at_parent << 1 | child_carry))
                | (of(&self.descendant) & (around << 1 | descendant_carry));
            (child_carry, descendant_carry) = (at_parent >> (BITS - 1), around >> (BITS - 1));
            let of_name = of(&self.unnamed) | named.map_or(0, of);
            *here = (of(&self.first) | bound) & of_name;
            any |= *here;
        }
        if any == 0 {
            return &self.found;
        }
        // Reading the attributes takes the longest, so it waits until one must know them.
        let attributes = attributes.unwrap_or_else(|| {
            self.attributes.clear();
            self.attributes
                .extend(Attributes::of(written).take(MAX_ATTRIBUTES));
            &self.attributes
        });
        self.said.clear();
        if memchr(b'&', written).is_some() {
            self.said.resize_with(attributes.len(), OnceCell::new);
        }
        let tag = Tag {
            name,
            is_html,
            written,
            attributes,
            said: &self.said,
            spelling,
            is_of_old_document: self.is_of_old_document,
            siblings,
        };
        let has = tag.traits();
        for (word, here) in self.here.iter_mut().enumerate() {
            let mut candidates = mem::take(here);
            while candidates != 0 {
                let bit = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                let Some(state) = self.states.get(word * BITS + bit) else {
                    continue;
                };
                if state.needed & !has != 0 {
                    continue;
                }
                let is_matched =
                    compound(&self.selectors, state).is_some_and(|compound| compound.matches(&tag));
                if is_matched {
                    *here |= 1 << bit;
                    if state.is_last && self.found.last() != Some(&state.selector) {
                        self.found.push(state.selector);
                    }
                }
            }
        }
        &self.found
    }

    /// Takes note that the element of the last start tag is open.
    pub(crate) fn open(&mut self) {
        let around = self.open.len() - self.words;
        self.open.extend_from_slice(&self.here);
        for word in 0..self.words {
            let around = self.open.get(around + word).copied().unwrap_or_default();
            let here = self.here.get(word).copied().unwrap_or_default();
            self.open.push(around | here);
        }
        self.children.push(Children::default());
    }

    fn count(&mut self, name: &Name) -> Siblings {
        let Some(children) = self.children.last_mut() else {
            return Siblings::default();
        };
        children.count = children.count.saturating_add(1);
        let of_type = match self.counts_types {
            true => {
                let counts = children.of_type.get_or_insert_default();
                let is_new = !counts.contains_key(name);
                if self.types < MAX_TYPES || !is_new {
                    self.types += usize::from(is_new);
                    let count = counts.entry(name.clone()).or_default();
                    *count = count.saturating_add(1);
                    *count
                } else {
                    // What is not counted is none of those that are asked for.
                    0
                }
            }
            false => 0,
        };
        Siblings {
            place: children.count,
            of_type,
        }
    }
}

fn compound<'s>(selectors: &'s [Rc<Selector>], state: &State) -> Option<&'s Compound> {
    let selector = selectors.get(state.selector as usize)?;
    let complex = selector.alternatives.get(state.alternative as usize)?;
    Some(&complex.compounds.get(state.compound as usize)?.1)
}

fn set(bits: &mut [u64], number: usize) {
    if let Some(word) = bits.get_mut(number / BITS) {
        *word |= 1 << (number % BITS);
    }
}

/// What a compound selector needs of an element's traits.
fn needed(compound: &Compound) -> u64 {
    compound.attribute_tests().fold(0, |needed, test| {
        needed
            | match (&*test.name, test) {
                (
                    "id" | "class",
                    AttributeTest {
                        operator: Operator::Equals | Operator::Includes,
                        case: Case::Sensitive | Case::OfDocument,
                        value,
                        ..
                    },
                ) if value.is_ascii()
                    && (test.operator == Operator::Includes) == (&*test.name == "class") =>
                {
                    bit(value.as_bytes())
                }
                (name, _) => bit(name.as_bytes()),
            }
    })
}
