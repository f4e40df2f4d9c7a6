//! How many pages came to which end, since the origin was told last.
//!
//! Counts wait in the isolate's memory and go to the origin in the background, which shows them to whoever watches
//! the service. An isolate that ends takes what it has not told with it.

use crate::background;
use crate::json;
use crate::origin::{Origin, PATIENT};
use nearside_engine::value::{Object, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use worker::{Context, Result, console_log};

type Counts = BTreeMap<(&'static str, &'static str), u32>;

thread_local! {
    static COUNTS: RefCell<Counts> = const { RefCell::new(BTreeMap::new()) };
}

/// Counts a page: what happened to it, and where the upstream's page was from.
pub(crate) fn count(outcome: &'static str, source: &'static str) {
    COUNTS.with_borrow_mut(|counts| {
        let count = counts.entry((outcome, source)).or_default();
        *count = count.saturating_add(1);
    });
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
                COUNTS.with_borrow_mut(|counts| {
                    let count = counts.entry(name).or_default();
                    *count = count.saturating_add(more);
                });
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
