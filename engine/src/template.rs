//! Content with placeholders: `Hello, {{profile.traits.firstName|there}}`.
//!
//! The author's text is taken as it is; a placeholder's value comes from visitors and is escaped for the
//! place that it lands in. The place is found when the template is compiled; where no escaping would be
//! safe (inside a script, a style sheet, a tag's name…) the placeholder is refused.

mod html_place;

use crate::condition::Attributes;
use crate::redirect::{check_target, may_hold_value};
use html_place::HtmlPlace;
use serde::{Deserialize, Serialize};

/// The longest value that is put in the place of a placeholder, in characters.
const MAX_VALUE: usize = 1_000;

/// Where a placeholder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In plain text, which is escaped as a whole by whoever puts it into the page.
    Plain,
    /// In the text or in a quoted attribute value of HTML.
    Html,
    /// At the start of an address in a quoted attribute of HTML.
    HtmlUrlStart,
    /// Further inside an address in a quoted attribute of HTML.
    HtmlUrlPart,
    /// In the value of a style property.
    Style,
    /// At the start of an address, which is escaped as a whole by whoever puts it into the page.
    AddressStart,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Part {
    Literal(String),
    Value {
        path: Vec<String>,
        default: String,
        place: Place,
    },
}

/// Compiled content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Template {
    parts: Vec<Part>,
}

/// What kind of content a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// Text, or an attribute's value: escaped as a whole later.
    Plain,
    /// HTML.
    Html,
    /// The value of a style property.
    Style,
    /// The address of a redirect.
    Url,
    /// An address that an element leads to or shows.
    Address,
}

impl Template {
    /// Compiles content.
    ///
    /// # Errors
    /// With a sentence that says what is wrong.
    pub fn parse(content: &str, kind: ContentKind) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut html = HtmlPlace::default();
        let mut rest = content;
        while let Some(open) = rest.find("{{") {
            let (literal, after) = rest.split_at(open);
            html.read(literal);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let close = after.find("}}").ok_or("`{{` without `}}`")?;
            let (path, default) = match after[2..close].split_once('|') {
                Some((path, default)) => (path, default),
                None => (&after[2..close], ""),
            };
            let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
            if path.iter().any(String::is_empty) {
                return Err(format!(
                    "`{}` has no path: write {{{{path|default}}}}",
                    &after[..close + 2]
                ));
            }
            let place = match kind {
                ContentKind::Plain => Place::Plain,
                ContentKind::Style => Place::Style,
                ContentKind::Address if parts.is_empty() => Place::AddressStart,
                ContentKind::Url | ContentKind::Address => Place::HtmlUrlPart,
                ContentKind::Html => html.place()?,
            };
            html.read("x");
            parts.push(Part::Value {
                path,
                default: default.trim().to_owned(),
                place,
            });
            rest = &after[close + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        let template = Self { parts };
        match kind {
            ContentKind::Url => template.check_url()?,
            ContentKind::Address => template.check_scheme()?,
            _ => {}
        }
        Ok(template)
    }

    /// Whether an address may be redirected to, whatever stands in the places of the placeholders.
    fn check_url(&self) -> Result<(), String> {
        check_target(&skeleton(&self.parts))?;
        for (index, part) in self.parts.iter().enumerate() {
            let (before, after) = (&self.parts[..index], &self.parts[index + 1..]);
            if matches!(part, Part::Value { .. }) && !may_hold_value(&skeleton(before), &skeleton(after)) {
                return Err(
                    "a placeholder may not stand in the scheme or the host of an address: \
                     anybody could send the site's visitors anywhere"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    /// An address may have any scheme but those that are scripts; a value's scheme is looked at when it is there.
    fn check_scheme(&self) -> Result<(), String> {
        let address = skeleton(&self.parts);
        let scheme: String = address
            .chars()
            .filter(|character| !character.is_control() && !character.is_whitespace())
            .take_while(|character| *character != ':')
            .collect();
        match ["javascript", "vbscript"]
            .iter()
            .find(|script| scheme.eq_ignore_ascii_case(script))
        {
            Some(script) => Err(format!("an address may not be a script (`{script}:`)")),
            None => Ok(()),
        }
    }

    /// Whether there are no placeholders.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// The paths of the placeholders.
    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value { path, .. } => Some(path.as_slice()),
            Part::Literal(_) => None,
        })
    }

    /// Fills in the placeholders.
    pub fn render(&self, attributes: &dyn Attributes) -> String {
        let mut output = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => output.push_str(literal),
                Part::Value { path, default, place } => {
                    let value = attributes.attribute(path);
                    let text = value.map(|value| value.to_text()).unwrap_or_default();
                    let text = if text.is_empty() {
                        default.as_str()
                    } else {
                        text.as_str()
                    };
                    let end = text
                        .char_indices()
                        .nth(MAX_VALUE)
                        .map_or(text.len(), |(index, _)| index);
                    place.escape(&text[..end], &mut output);
                }
            }
        }
        output
    }
}

/// The content as its author wrote it.
impl std::fmt::Display for Template {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => formatter.write_str(literal)?,
                Part::Value { path, default, .. } if default.is_empty() => {
                    write!(formatter, "{{{{{}}}}}", path.join("."))?;
                }
                Part::Value { path, default, .. } => {
                    write!(formatter, "{{{{{}|{default}}}}}", path.join("."))?;
                }
            }
        }
        Ok(())
    }
}

/// An address's text with a letter for each placeholder.
fn skeleton(parts: &[Part]) -> String {
    let texts = parts.iter().map(|part| match part {
        Part::Literal(literal) => literal.as_str(),
        Part::Value { .. } => "x",
    });
    texts.collect()
}

impl Place {
    fn escape(self, text: &str, output: &mut String) {
        match self {
            Place::Plain => output.push_str(text),
            Place::Html => escape_html(text, output),
            Place::HtmlUrlStart if is_safe_url(text) => escape_html(text, output),
            Place::AddressStart if is_safe_url(text) => output.push_str(text),
            Place::HtmlUrlStart | Place::AddressStart => output.push('#'),
            Place::HtmlUrlPart => escape_url_part(text, output),
            // A property's value has no use for anything else, and each of the other characters ends or
            // begins something.
            Place::Style => output.extend(
                text.chars()
                    .filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '#' | '%' | '.' | ',' | '-')),
            ),
        }
    }
}

/// Escapes text for HTML text and for quoted attribute values.
pub fn escape_html(text: &str, output: &mut String) {
    for character in text.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '"' => output.push_str("&quot;"),
            '\'' => output.push_str("&#39;"),
            other => output.push(other),
        }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn escape_url_part(text: &str, output: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            output.push(char::from(byte));
        } else {
            output.push('%');
            output.push(DIGITS[usize::from(byte >> 4)]);
            output.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

/// Whether an address is relative or has one of the schemes that a visitor's value may have: http, https,
/// mailto, tel. Browsers drop control characters and spaces before they read the scheme; so do we.
pub fn is_safe_url(url: &str) -> bool {
    let scheme: String = url
        .chars()
        .filter(|character| !character.is_control() && !character.is_whitespace())
        .take_while(|character| !matches!(character, '/' | '?' | '#'))
        .collect();
    match scheme.split_once(':') {
        None => true,
        Some((scheme, _)) => ["http", "https", "mailto", "tel"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known)),
    }
}

#[cfg(test)]
mod tests;
