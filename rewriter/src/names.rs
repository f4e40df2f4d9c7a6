//! What HTML's parsing rules say of the names of elements.

use std::rc::Rc;

/// What the rules say of a name: a set of the properties below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(u16);

impl Kind {
    /// Nothing is said.
    pub(crate) const NONE: Self = Self(0);
    /// Its start tag ends an open paragraph.
    pub(crate) const ENDS_PARAGRAPH: Self = Self(1);
    pub(crate) const HEADING: Self = Self(1 << 1);
    /// Other end tags supply its end tag where that is missing.
    pub(crate) const IMPLIED_END: Self = Self(1 << 2);
    /// The standard's "formatting" elements, which the browser opens again after a block cut them off.
    pub(crate) const FORMATTING: Self = Self(1 << 3);
    /// The standard's "special" elements: no end tag of an ordinary element reaches beyond one.
    pub(crate) const SPECIAL: Self = Self(1 << 4);
    /// Bounds the standard's "scope".
    pub(crate) const SCOPE: Self = Self(1 << 5);
    /// Bounds the standard's "table scope".
    pub(crate) const TABLE_SCOPE: Self = Self(1 << 6);
    /// A table's own structure.
    pub(crate) const TABLE_PART: Self = Self(1 << 7);
    pub(crate) const ROW_GROUP: Self = Self(1 << 8);
    /// May stand in the head.
    pub(crate) const HEAD: Self = Self(1 << 9);
    /// Has text and no elements.
    pub(crate) const TEXT: Self = Self(1 << 10);
    /// Has no content, and so no end tag.
    pub(crate) const VOID: Self = Self(1 << 11);
    /// Its start tag ends SVG and MathML that are open.
    pub(crate) const LEAVES_FOREIGN: Self = Self(1 << 12);
    /// HTML stands again within it, where it stands in SVG.
    pub(crate) const HTML_IN_SVG: Self = Self(1 << 13);
    /// HTML stands again within it, where it stands in MathML.
    pub(crate) const HTML_IN_MATH: Self = Self(1 << 14);
    /// Its start tag ends others that are open, headings and what is a part of a table aside.
    pub(crate) const ENDS_OTHERS: Self = Self(1 << 15);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether something of a set is said.
    pub(crate) const fn is(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }
}

/// The names of which something is said, and some that are in most pages.
const KNOWN: &[(&str, Kind)] = {
    use Kind as K;
    const BLOCK: K = K::ENDS_PARAGRAPH.and(K::SPECIAL);
    const HEADING: K = BLOCK.and(K::HEADING).and(K::LEAVES_FOREIGN);
    const VOID_IN_HEAD: K = K::VOID.and(K::HEAD);
    const CELL: K = K::SCOPE.and(K::SPECIAL).and(K::TABLE_PART);
    const GROUP: K = K::ROW_GROUP.and(K::SPECIAL).and(K::TABLE_PART);
    const TEXT: K = K::TEXT.and(K::SPECIAL);
    const RUBY: K = K::IMPLIED_END.and(K::ENDS_OTHERS);
    const FOREIGN_FORMATTING: K = K::FORMATTING.and(K::LEAVES_FOREIGN);
    &[
        ("a", K::FORMATTING.and(K::ENDS_OTHERS)),
        ("address", BLOCK),
        ("annotation-xml", K::NONE),
        ("applet", K::SCOPE.and(K::SPECIAL)),
        ("area", K::VOID),
        ("article", BLOCK),
        ("aside", BLOCK),
        ("b", FOREIGN_FORMATTING),
        ("base", VOID_IN_HEAD),
        ("basefont", VOID_IN_HEAD),
        ("bgsound", VOID_IN_HEAD),
        ("big", FOREIGN_FORMATTING),
        ("blockquote", BLOCK.and(K::LEAVES_FOREIGN)),
        ("body", K::SPECIAL.and(K::LEAVES_FOREIGN)),
        ("br", K::VOID.and(K::LEAVES_FOREIGN)),
        ("button", K::SPECIAL.and(K::ENDS_OTHERS)),
        ("caption", CELL),
        ("center", BLOCK.and(K::LEAVES_FOREIGN)),
        ("circle", K::NONE),
        ("code", FOREIGN_FORMATTING),
        ("col", K::VOID.and(K::TABLE_PART)),
        ("colgroup", K::SPECIAL.and(K::TABLE_PART)),
        (
            "dd",
            BLOCK
                .and(K::IMPLIED_END)
                .and(K::LEAVES_FOREIGN)
                .and(K::ENDS_OTHERS),
        ),
        ("defs", K::NONE),
        ("desc", K::HTML_IN_SVG),
        ("details", BLOCK),
        ("dialog", BLOCK),
        ("dir", BLOCK),
        ("div", BLOCK.and(K::LEAVES_FOREIGN)),
        ("dl", BLOCK.and(K::LEAVES_FOREIGN)),
        (
            "dt",
            BLOCK
                .and(K::IMPLIED_END)
                .and(K::LEAVES_FOREIGN)
                .and(K::ENDS_OTHERS),
        ),
        ("em", FOREIGN_FORMATTING),
        ("embed", K::VOID.and(K::LEAVES_FOREIGN)),
        ("fieldset", BLOCK),
        ("figcaption", BLOCK),
        ("figure", BLOCK),
        ("font", K::FORMATTING),
        ("footer", BLOCK),
        ("foreignobject", K::HTML_IN_SVG),
        ("form", BLOCK),
        ("frame", K::VOID),
        ("frameset", K::SPECIAL),
        ("g", K::NONE),
        ("h1", HEADING),
        ("h2", HEADING),
        ("h3", HEADING),
        ("h4", HEADING),
        ("h5", HEADING),
        ("h6", HEADING),
        ("head", K::SPECIAL.and(K::HEAD).and(K::LEAVES_FOREIGN)),
        ("header", BLOCK),
        ("hgroup", BLOCK),
        (
            "hr",
            BLOCK.and(K::VOID).and(K::LEAVES_FOREIGN).and(K::ENDS_OTHERS),
        ),
        ("html", K::TABLE_SCOPE.and(K::SCOPE).and(K::SPECIAL).and(K::HEAD)),
        ("i", FOREIGN_FORMATTING),
        ("iframe", TEXT),
        ("image", K::NONE),
        ("img", K::VOID.and(K::LEAVES_FOREIGN)),
        ("input", K::VOID),
        ("keygen", K::VOID),
        ("label", K::NONE),
        (
            "li",
            BLOCK
                .and(K::IMPLIED_END)
                .and(K::LEAVES_FOREIGN)
                .and(K::ENDS_OTHERS),
        ),
        ("line", K::NONE),
        ("link", VOID_IN_HEAD),
        ("listing", BLOCK.and(K::LEAVES_FOREIGN)),
        ("main", BLOCK),
        ("marquee", K::SCOPE.and(K::SPECIAL)),
        ("math", K::NONE),
        ("menu", BLOCK.and(K::LEAVES_FOREIGN)),
        ("meta", VOID_IN_HEAD.and(K::LEAVES_FOREIGN)),
        ("mi", K::HTML_IN_MATH),
        ("mn", K::HTML_IN_MATH),
        ("mo", K::HTML_IN_MATH),
        ("ms", K::HTML_IN_MATH),
        ("mtext", K::HTML_IN_MATH),
        ("nav", BLOCK),
        ("nobr", FOREIGN_FORMATTING.and(K::ENDS_OTHERS)),
        ("noembed", TEXT),
        ("noframes", TEXT.and(K::HEAD)),
        ("noscript", TEXT.and(K::HEAD)),
        ("object", K::SCOPE.and(K::SPECIAL)),
        ("ol", BLOCK.and(K::LEAVES_FOREIGN)),
        ("optgroup", K::IMPLIED_END.and(K::ENDS_OTHERS)),
        ("option", K::IMPLIED_END.and(K::ENDS_OTHERS)),
        ("p", BLOCK.and(K::IMPLIED_END).and(K::LEAVES_FOREIGN)),
        ("param", K::VOID),
        ("path", K::NONE),
        ("picture", K::NONE),
        ("plaintext", BLOCK.and(K::TEXT)),
        ("polygon", K::NONE),
        ("polyline", K::NONE),
        ("pre", BLOCK.and(K::LEAVES_FOREIGN)),
        ("rb", RUBY),
        ("rect", K::NONE),
        ("rp", RUBY),
        ("rt", RUBY),
        ("rtc", RUBY),
        ("ruby", K::LEAVES_FOREIGN),
        ("s", FOREIGN_FORMATTING),
        ("script", TEXT.and(K::HEAD)),
        ("search", BLOCK),
        ("section", BLOCK),
        ("select", K::SPECIAL),
        ("small", FOREIGN_FORMATTING),
        ("source", K::VOID),
        ("span", K::LEAVES_FOREIGN),
        ("stop", K::NONE),
        ("strike", FOREIGN_FORMATTING),
        ("strong", FOREIGN_FORMATTING),
        ("style", TEXT.and(K::HEAD)),
        ("sub", K::LEAVES_FOREIGN),
        ("summary", BLOCK),
        ("sup", K::LEAVES_FOREIGN),
        ("svg", K::NONE),
        ("symbol", K::NONE),
        (
            "table",
            K::TABLE_SCOPE
                .and(K::SCOPE)
                .and(K::SPECIAL)
                .and(K::LEAVES_FOREIGN)
                .and(K::ENDS_OTHERS),
        ),
        ("tbody", GROUP),
        ("td", CELL),
        (
            "template",
            K::TABLE_SCOPE.and(K::SCOPE).and(K::SPECIAL).and(K::HEAD),
        ),
        ("text", K::NONE),
        ("textarea", TEXT),
        ("tfoot", GROUP),
        ("th", CELL),
        ("thead", GROUP),
        ("time", K::NONE),
        ("title", TEXT.and(K::HEAD).and(K::HTML_IN_SVG)),
        ("tr", K::SPECIAL.and(K::TABLE_PART)),
        ("track", K::VOID),
        ("tspan", K::NONE),
        ("tt", FOREIGN_FORMATTING),
        ("u", FOREIGN_FORMATTING),
        ("ul", BLOCK.and(K::LEAVES_FOREIGN)),
        ("use", K::NONE),
        ("var", K::LEAVES_FOREIGN),
        ("video", K::NONE),
        ("wbr", K::VOID),
        ("xmp", BLOCK.and(K::TEXT)),
    ]
};

/// How many places the table of names has; a power of two, a few times as many as there are names.
const PLACES: usize = 512;
/// A place without a name.
const EMPTY: u8 = u8::MAX;

/// The known names' numbers, each at the first free place from its hash on.
static NUMBERS: [u8; PLACES] = {
    let mut numbers = [EMPTY; PLACES];
    let mut number = 0;
    while number < KNOWN.len() {
        let mut place = hash(packed(KNOWN[number].0.as_bytes()));
        while numbers[place] != EMPTY {
            place = (place + 1) % PLACES;
        }
        numbers[place] = number as u8;
        number += 1;
    }
    numbers
};

/// The known names, [`packed`].
static PACKED: [u128; KNOWN.len()] = {
    let mut all = [0; KNOWN.len()];
    let mut number = 0;
    while number < KNOWN.len() {
        all[number] = packed(KNOWN[number].0.as_bytes());
        number += 1;
    }
    all
};

/// The length of the longest known name, in bytes.
const LONGEST: usize = 14;

/// A name that is not too long, in lower case, as a number: comparing numbers takes less than comparing bytes.
const fn packed(name: &[u8]) -> u128 {
    // Before the first byte, so that names of other lengths are other numbers.
    let mut packed = 1;
    let mut at = 0;
    while at < name.len() && at < LONGEST {
        packed = packed << 8 | name[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    packed
}

/// The place where the search for a name begins: Fibonacci hashing, of both halves of the number.
const fn hash(packed: u128) -> usize {
    let mixed = (packed as u64 ^ ((packed >> 64) as u64).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 55) as usize
}

/// The number of a name, in whatever case it is written, if it is known.
fn number(name: &[u8]) -> Option<u8> {
    if name.len() > LONGEST {
        return None;
    }
    let packed = packed(name);
    let mut place = hash(packed);
    loop {
        let number = *NUMBERS.get(place)?;
        if *PACKED.get(usize::from(number))? == packed {
            return Some(number);
        }
        place = (place + 1) % PLACES;
    }
}

/// The name of an element, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// One of the table; its number there.
    Known(u8),
    Other(Rc<[u8]>),
}

impl Name {
    /// Some name of the table; the compiler looks it up, and fails where the table does not have it.
    pub(crate) const fn known(name: &str) -> Self {
        let mut number = 0;
        while !is_same(KNOWN[number].0.as_bytes(), name.as_bytes()) {
            number += 1;
        }
        Self::Known(number as u8)
    }

    /// A name as it is written.
    pub(crate) fn read(written: &[u8]) -> Self {
        if let Some(number) = number(written) {
            return Self::Known(number);
        }
        Self::Other(written.to_ascii_lowercase().into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Known(number) => KNOWN
                .get(usize::from(*number))
                .map_or(&[], |(name, _)| name.as_bytes()),
            Self::Other(name) => name,
        }
    }

    /// What the rules say of it.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Known(number) => KNOWN
                .get(usize::from(*number))
                .map_or(Kind::NONE, |(_, kind)| *kind),
            Self::Other(_) => Kind::NONE,
        }
    }

    /// Whether the rules say something of a set of it.
    pub(crate) fn is(&self, any: Kind) -> bool {
        self.kind().is(any)
    }
}

/// How many names the table has.
pub(crate) const KNOWN_NAMES: usize = KNOWN.len();

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut is_same = one.len() == other.len();
    let mut at = 0;
    while is_same && at < one.len() {
        is_same = one[at] == other[at];
        at += 1;
    }
    is_same
}

/// What the rules say of a name in lower case.
fn kind(name: &str) -> Kind {
    let known = number(name.as_bytes()).and_then(|number| KNOWN.get(usize::from(number)));
    known.map_or(Kind::NONE, |(_, kind)| *kind)
}

/// Whether an element's start tag ends an open paragraph.
pub(crate) fn ends_paragraph(name: &str) -> bool {
    kind(name).is(Kind::ENDS_PARAGRAPH)
}

/// Whether a start tag ends the open element before it, so that its end tag may be left out.
pub(crate) fn implies_end(start: &str, open: &Name) -> bool {
    let is_row_group = |name| kind(name).is(Kind::ROW_GROUP);
    match open.bytes() {
        b"p" => ends_paragraph(start),
        b"li" => start == "li",
        b"dt" | b"dd" => matches!(start, "dt" | "dd"),
        b"option" => matches!(start, "option" | "optgroup"),
        b"optgroup" => start == "optgroup",
        b"rb" | b"rp" | b"rt" => matches!(start, "rb" | "rp" | "rt" | "rtc"),
        b"rtc" => matches!(start, "rb" | "rtc"),
        b"td" | b"th" => matches!(start, "td" | "th" | "tr") || is_row_group(start),
        b"tr" => start == "tr" || is_row_group(start),
        b"tbody" | b"tfoot" | b"thead" => is_row_group(start),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_found() {
        for (place, (name, known)) in KNOWN.iter().enumerate() {
            assert_eq!(number(name.as_bytes()), Some(place as u8), "{name}");
            assert_eq!(kind(name), *known, "{name}");
            assert!(name.len() <= LONGEST, "{name}");
            let shouted = Name::read(name.to_ascii_uppercase().as_bytes());
            assert_eq!(shouted, Name::known(name));
            assert_eq!(shouted.bytes(), name.as_bytes());
        }
    }

    #[test]
    fn other_names_are_kept_as_they_are() {
        for name in ["x-card", "", "\0p", "p\0", "blockquotes", "annotation-xmlx", "é"] {
            assert_eq!(Name::read(name.as_bytes()), Name::Other(name.as_bytes().into()));
            assert!(!Name::read(name.as_bytes()).is(Kind(u16::MAX)));
        }
    }
}
