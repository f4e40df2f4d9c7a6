//! How many pages came to which end, since the origin was told last.
//!
//! Counts wait in the isolate's memory and go to the origin in the background, which shows them to whoever watches
//! the service. An isolate that ends takes what it has not told with it.

use crate::background;
use crate::json;
use crate::origin::{Origin, PATIENT};
use nearside_engine::value::{Object, Value};
use std::cell::RefCell;
use worker::{Context, Result, console_log};

/// In the order of the names; there are some dozen of them, for which a list is enough.
type Counts = Vec<((&'static str, &'static str), u32)>;

thread_local! {
    static COUNTS: RefCell<Counts> = const { RefCell::new(Vec::new()) };
}

/// Counts a page: what happened to it, and where the upstream's page was from.
pub(crate) fn count(outcome: &'static str, source: &'static str) {
    add((outcome, source), 1);
}

fn add(name: (&'static str, &'static str), more: u32) {
    COUNTS.with_borrow_mut(
        |counts| match counts.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(place) => {
                if let Some((_, count)) = counts.get_mut(place) {
                    *count = count.saturating_add(more);
                }
            }
            Err(place) => counts.insert(place, (name, more)),
        },
    );
}

/// Tells the origin, in the background.
pub(crate) fn tell(origin: &Origin, context: &Context) {
    let counts = COUNTS.take();
    if counts.is_empty() {
        return;
    }
    let origin = origin.clone();
    background::go_on(context, async move {
        if let Err(error) = post(&origin, &counts).await {
            console_log!("nearside: the origin does not count pages now: {error}");
            for (name, more) in counts {
                add(name, more);
            }
        }
    });
}

async fn post(origin: &Origin, counts: &Counts) -> Result<()> {
    let body = json::write(&to_value(counts));
    let response = origin.post("/v1/edge/counts", &body, PATIENT).await?;
    match response.status_code() {
        200..=299 => Ok(()),
        status => Err(format!("it answered {status}").into()),
    }
}

fn to_value(counts: &Counts) -> Value {
    let pages = counts.iter().map(|((outcome, source), count)| {
        let mut page = Object::new();
        page.insert("outcome", *outcome);
        page.insert("source", *source);
        page.insert("count", f64::from(*count));
        Value::Object(page)
    });
    let mut all = Object::new();
    all.insert("pages", Value::Array(pages.collect()));
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_by_their_end_and_source() {
        count("personalised", "hit");
        count("personalised", "hit");
        count("limit", "miss");
        let written = json::write(&to_value(&COUNTS.take()));
        let expected = r#"{"pages":[{"count":1,"outcome":"limit","source":"miss"},{"count":2,"outcome":"personalised","source":"hit"}]}"#;
        assert_eq!(written, expected);
    }
}
