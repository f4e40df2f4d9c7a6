//! What a document type says of how a browser shows the page.

/// What public identifiers of old kinds of HTML begin with. Of those who made up their own, nobody has made up another since.
const OLD: [&str; 20] = [
    "+//silmaril//",
    "-//advasoft ltd//",
    "-//as//",
    "-//ietf//dtd html",
    "-//metrius//",
    "-//microsoft//",
    "-//netscape comm. corp.//",
    "-//o'reilly and associates//",
    "-//softquad",
    "-//spyglass//",
    "-//sq//",
    "-//sun microsystems corp.//",
    "-//w3c//dtd html 3",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental",
    "-//w3c//dtd w3 html//",
    "-//w3o//",
    "-//webtechs//",
    "-/w3c/dtd html 4.0 transitional/en",
];
const OLD_WITHOUT_SYSTEM: [&str; 2] = [
    "-//w3c//dtd html 4.01 frameset//",
    "-//w3c//dtd html 4.01 transitional//",
];
const OLD_SYSTEM: &str = "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd";

/// What a document type names.
struct Names<'t> {
    public: Option<&'t str>,
    system: Option<&'t str>,
}

/// Whether a browser shows a page of this document type in its quirks mode
/// (<https://html.spec.whatwg.org/multipage/parsing.html#the-initial-insertion-mode>).
pub(crate) fn is_quirky(doctype: &[u8]) -> bool {
    let text = String::from_utf8_lossy(doctype).to_ascii_lowercase();
    // What is written wrongly is quirky, too.
    let Some(Names { public, system }) = names(&text) else {
        return true;
    };
    let public = public.unwrap_or_default();
    let begins = |old: &[&str]| old.iter().any(|old| public.starts_with(old));
    public == "html"
        || begins(&OLD)
        || system == Some(OLD_SYSTEM)
        || (system.is_none() && begins(&OLD_WITHOUT_SYSTEM))
}

/// Reads a document type in lower case; `None` if it is not one of HTML, or breaks off.
fn names(text: &str) -> Option<Names<'_>> {
    let text = text.strip_prefix("<!doctype")?.strip_suffix('>')?.trim_ascii();
    let (name, text) = text
        .split_once(|character: char| character.is_ascii_whitespace())
        .unwrap_or((text, ""));
    if name != "html" {
        return None;
    }
    let text = text.trim_ascii_start();
    if text.is_empty() {
        return Some(Names {
            public: None,
            system: None,
        });
    }
    if let Some(text) = text.strip_prefix("system") {
        let (system, _) = quoted(text)?;
        return Some(Names {
            public: None,
            system: Some(system),
        });
    }
    let (public, text) = quoted(text.strip_prefix("public")?)?;
    let system = match text.trim_ascii() {
        "" => None,
        text => Some(quoted(text)?.0),
    };
    Some(Names {
        public: Some(public),
        system,
    })
}

/// What stands in quotes at the beginning of a text, and what follows; `None` if nothing does.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    text.get(1..)?.split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_document_types_are_quirky() {
        for quirky in [
            "<!doctype>",
            "<!DOCTYPE htm>",
            "<!doctype html public \"-//W3C//DTD HTML 3.2 Final//EN\">",
            "<!doctype html PUBLIC '-//IETF//DTD HTML//EN'>",
            "<!doctype html public \"-//W3C//DTD HTML 4.01 Transitional//EN\">",
            "<!doctype html public \"html\">",
            "<!doctype html lang=\"en\">",
            "<!doctype html public>",
            "<!DOCTYPE html SYSTEM >",
            "<!doctype html system \"about:legacy-compat>",
            "<!doctype html public \"-//W3C//DTD HTML 4.01//EN\" x>",
            "<!doctype html public \"-//W3C//DTD HTML 4.0 Transitional//EN\" \"http://www.w3.org/TR/REC-html40/loose.dtd\">",
            "<!doctype html public \"-//Netscape Comm. Corp.//DTD HTML//EN\">",
            "<!doctype html system \"http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd\">",
        ] {
            assert!(is_quirky(quirky.as_bytes()), "{quirky}");
        }
    }

    #[test]
    fn others_are_not() {
        for plain in [
            "<!doctype html>",
            "<!DOCTYPE  HTML >",
            "<!doctypehtml>",
            "<!doctype html SYSTEM \"about:legacy-compat\">",
            "<!doctype html SYSTEM'about:legacy-compat' x>",
            "<!doctype html public \"-//W3C//DTD HTML 4.0//EN\">",
            "<!doctype html public\"-//W3C//DTD HTML 4.01//EN\"'http://www.w3.org/TR/html4/strict.dtd'>",
            "<!doctype html public \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">",
            "<!doctype html public \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">",
        ] {
            assert!(!is_quirky(plain.as_bytes()), "{plain}");
        }
    }
}
