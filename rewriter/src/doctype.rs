//! What a document type says of how a browser shows the page.

/// Whether a browser shows a page of this document type in its quirks mode, as far as that tells where paragraphs end
/// (<https://html.spec.whatwg.org/multipage/parsing.html#the-initial-insertion-mode>).
pub(crate) fn is_quirky(doctype: &[u8]) -> bool {
    let text = String::from_utf8_lossy(doctype).to_ascii_lowercase();
    let text = text
        .trim_start_matches("<!doctype")
        .trim_end_matches('>')
        .trim_ascii();
    let (name, identifiers) = text
        .split_once(|character: char| character.is_ascii_whitespace())
        .unwrap_or((text, ""));
    let identifiers = identifiers.trim_ascii_start();
    let (public, rest) = match identifiers.strip_prefix("public") {
        Some(public) => quoted(public),
        None => (None, identifiers),
    };
    let system = match rest.strip_prefix("system") {
        Some(system) if public.is_none() => quoted(system).0,
        _ => public.and_then(|_| quoted(rest).0),
    };
    let public = public.unwrap_or_default();
    let begins = |old: &[&str]| old.iter().any(|old| public.starts_with(old));
    name != "html"
        || begins(&[
            "-//w3c//dtd html 3",
            "-//w3c//dtd html 4.0 ",
            "-//ietf//dtd html",
            "html",
        ])
        || (system.is_none()
            && begins(&[
                "-//w3c//dtd html 4.01 frameset//",
                "-//w3c//dtd html 4.01 transitional//",
            ]))
}

/// What stands in quotes at the beginning of a text, and what follows.
fn quoted(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_ascii_start();
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return (None, text);
    };
    let content = text.get(1..).unwrap_or_default();
    match content.split_once(quote) {
        Some((content, rest)) => (Some(content), rest),
        None => (Some(content), ""),
    }
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
            "<!doctype html public \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">",
            "<!doctype html public \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">",
        ] {
            assert!(!is_quirky(plain.as_bytes()), "{plain}");
        }
    }
}
