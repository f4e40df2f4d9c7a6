//! A page and edits: lines of `operation`, selector, name and content with tabs between them, an empty line, and
//! the page. What is spliced is what streams, and a page without edits is left as it is.

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PagePlan, PageRewriter, Settings, joined};

const MAX_EDITS: usize = 8;

pub(crate) fn run(data: &[u8]) -> bool {
    let Some(end) = data.windows(2).position(|pair| pair == b"\n\n") else {
        return false;
    };
    let (Ok(head), Some(page)) = (std::str::from_utf8(&data[..end]), data.get(end + 2..)) else {
        return false;
    };
    let edits: Vec<Edit<'_>> = head.lines().take(MAX_EDITS).filter_map(edit).collect();
    if edits.is_empty() {
        return false;
    }
    let settings = Settings {
        inject: head.starts_with('\n').then_some("<script>'state'</script>"),
        charset: (head.len() % 2 == 0).then_some("utf-8"),
        ..Settings::default()
    };
    // However the page is split, the same comes out.
    let chunk = 1 + head.len() % 29;
    let streamed = streamed(page, &edits, settings, chunk);
    if let (Ok(small), Ok(whole)) = (
        &streamed,
        self::streamed(page, &edits, settings, page.len().max(1)),
    ) {
        assert_eq!(text(small), text(&whole), "in chunks of {chunk}");
    }
    let untouched = self::streamed(
        page,
        &[],
        Settings {
            inject: None,
            ..settings
        },
        chunk,
    );
    let (Ok(untouched) | Err(untouched)) = untouched;
    assert_eq!(text(&untouched), text(page), "without edits");
    leaves_what_does_not_wait(page, settings.charset, chunk);
    let selectors: Vec<&str> = edits.iter().map(|edit| edit.selector).collect();
    let Ok(plan) = PagePlan::new(page, &selectors, settings) else {
        return false;
    };
    let Some(pieces) = plan.splice(page, &edits, settings.inject) else {
        return false;
    };
    if let Ok(streamed) = streamed {
        assert_eq!(
            text(&joined(page, &pieces)),
            text(&streamed),
            "spliced and streamed"
        );
    }
    true
}

/// At any place of a page, what has left and what waits are all that has come. The edit is of no element, whatever the
/// page has.
fn leaves_what_does_not_wait(page: &[u8], charset: Option<&str>, chunk: usize) {
    let of_nothing = Edit {
        operation: Operation::Remove,
        selector: "p:not(p)",
        name: "",
        content: String::new(),
    };
    let settings = Settings {
        charset,
        ..Settings::default()
    };
    let Ok(mut rewriter) = PageRewriter::new(&[of_nothing], settings) else {
        return;
    };
    let (mut left, mut come) = (0, 0);
    for chunk in page.chunks(chunk) {
        let bytes = rewriter.write(chunk);
        assert_eq!(text(&bytes), text(&page[left..left + bytes.len()]));
        left += bytes.len();
        come += chunk.len();
        assert_eq!(left + rewriter.waiting(), come);
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn edit(line: &str) -> Option<Edit<'_>> {
    let mut parts = line.splitn(4, '\t');
    Some(Edit {
        operation: Operation::parse(parts.next()?)?,
        selector: parts.next()?,
        name: parts.next()?,
        content: parts.next()?.to_owned(),
    })
}

/// The page as it streams; as an error, if its rest passed as it came.
fn streamed(
    page: &[u8],
    edits: &[Edit<'_>],
    settings: Settings<'_>,
    chunk: usize,
) -> Result<Vec<u8>, Vec<u8>> {
    let mut rewriter = PageRewriter::new(edits, settings).map_err(|_| page.to_vec())?;
    let mut output = Vec::new();
    for chunk in page.chunks(chunk) {
        output.extend(rewriter.write(chunk));
    }
    output.extend(rewriter.end());
    match rewriter.failure() {
        None => Ok(output),
        Some(_) => Err(output),
    }
}
