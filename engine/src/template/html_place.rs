//! Finds where in an author's HTML a placeholder stands.
//!
//! This follows the states of the HTML standard's tokenizer as far as an author's fragment needs them.

use super::Place;
use crate::mutation::is_url_attribute;

/// Elements whose content is no HTML text: no escaping makes a value safe there.
const RAW: [&str; 9] = [
    "script", "style", "iframe", "noscript", "textarea", "title", "xmp", "noembed", "noframes",
];

#[derive(Clone, Debug, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    TagOpen,
    TagName(String),
    InTag,
    AttributeName(String),
    AfterName(String),
    BeforeValue(String),
    Quoted {
        name: String,
        quote: char,
        started: bool,
    },
    Unquoted,
    Comment(String),
    Raw {
        tag: String,
        recent: String,
    },
}

/// Reads an author's HTML and knows where it is.
#[derive(Debug, Default)]
pub(super) struct HtmlPlace {
    state: State,
    tag: String,
}

impl HtmlPlace {
    /// Reads on.
    pub(super) fn read(&mut self, html: &str) {
        for character in html.chars() {
            let state = std::mem::take(&mut self.state);
            self.state = self.step(state, character);
        }
    }

    /// The place where the reader is.
    ///
    /// # Errors
    /// With a sentence when no value may stand there.
    pub(super) fn place(&self) -> Result<Place, String> {
        match &self.state {
            State::Text => Ok(Place::Html),
            State::Quoted { name, started, .. } => {
                if name.starts_with("on") || name == "srcdoc" || name == "style" || name == "srcset" {
                    return Err(format!("a placeholder may not stand in the attribute `{name}`"));
                }
                Ok(match (is_url_attribute(name), started) {
                    (true, false) => Place::HtmlUrlStart,
                    (true, true) => Place::HtmlUrlPart,
                    (false, _) => Place::Html,
                })
            }
            State::Raw { tag, .. } => Err(format!("a placeholder may not stand inside `<{tag}>`")),
            State::Unquoted | State::BeforeValue(_) => {
                Err("a placeholder in an attribute must stand in quotes".to_owned())
            }
            State::Comment(_) => Err("a placeholder may not stand inside a comment".to_owned()),
            _ => Err("a placeholder may not stand inside a tag".to_owned()),
        }
    }

    fn step(&mut self, state: State, character: char) -> State {
        let lower = character.to_ascii_lowercase();
        match state {
            State::Text if character == '<' => State::TagOpen,
            State::Text => State::Text,
            State::TagOpen if character.is_ascii_alphabetic() => State::TagName(lower.to_string()),
            State::TagOpen if character == '/' => State::TagName("/".to_owned()),
            State::TagOpen if matches!(character, '!' | '?') => State::Comment(character.to_string()),
            State::TagOpen if character == '<' => State::TagOpen,
            State::TagOpen => State::Text,
            State::TagName(name) => {
                if character == '>' {
                    self.tag = name;
                    self.end_of_tag()
                } else if character.is_whitespace() || character == '/' {
                    self.tag = name;
                    State::InTag
                } else {
                    State::TagName(name + lower.encode_utf8(&mut [0; 4]))
                }
            }
            State::InTag => match character {
                '>' => self.end_of_tag(),
                _ if character.is_whitespace() || character == '/' => State::InTag,
                _ => State::AttributeName(lower.to_string()),
            },
            State::AttributeName(name) => match character {
                '>' => self.end_of_tag(),
                '=' => State::BeforeValue(name),
                '/' => State::InTag,
                _ if character.is_whitespace() => State::AfterName(name),
                _ => State::AttributeName(name + lower.encode_utf8(&mut [0; 4])),
            },
            State::AfterName(name) => match character {
                '>' => self.end_of_tag(),
                '=' => State::BeforeValue(name),
                '/' => State::InTag,
                _ if character.is_whitespace() => State::AfterName(name),
                _ => State::AttributeName(lower.to_string()),
            },
            State::BeforeValue(name) => match character {
                '"' | '\'' => State::Quoted {
                    name,
                    quote: character,
                    started: false,
                },
                '>' => self.end_of_tag(),
                _ if character.is_whitespace() => State::BeforeValue(name),
                _ => State::Unquoted,
            },
            State::Quoted { name, quote, .. } => {
                if character == quote {
                    State::InTag
                } else {
                    State::Quoted {
                        name,
                        quote,
                        started: true,
                    }
                }
            }
            State::Unquoted => match character {
                '>' => self.end_of_tag(),
                _ if character.is_whitespace() => State::InTag,
                _ => State::Unquoted,
            },
            State::Comment(mut seen) => {
                seen.push(character);
                let is_comment = seen.starts_with("!--");
                let ends = if is_comment {
                    // Browsers end a comment at these as well.
                    matches!(seen.as_str(), "!-->" | "!--->")
                        || seen.len() > 5 && (seen.ends_with("-->") || seen.ends_with("--!>"))
                } else {
                    character == '>'
                };
                // Only the start and the last characters matter.
                if seen.len() > 16 && seen.is_ascii() {
                    seen.drain(5..seen.len() - 5);
                }
                if ends && !(seen == "!-" || seen == "!--") {
                    State::Text
                } else {
                    State::Comment(seen)
                }
            }
            State::Raw { tag, mut recent } => {
                recent.push(lower);
                let closes = (character == '>' || character == '/' || character.is_whitespace())
                    && recent.strip_suffix(lower).is_some_and(|recent| {
                        recent
                            .strip_suffix(tag.as_str())
                            .is_some_and(|recent| recent.ends_with("</"))
                    });
                if closes {
                    return self.step(State::TagName(format!("/{tag}")), character);
                }
                if recent.chars().count() > 16 {
                    recent = recent.chars().skip(1).collect();
                }
                State::Raw { tag, recent }
            }
        }
    }

    fn end_of_tag(&mut self) -> State {
        let tag = std::mem::take(&mut self.tag);
        if RAW.contains(&tag.as_str()) {
            State::Raw {
                tag,
                recent: String::new(),
            }
        } else {
            State::Text
        }
    }
}
