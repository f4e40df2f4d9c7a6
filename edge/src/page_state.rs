//! What the page carries for the SDK.

use crate::json;
use crate::preview::Preview;
use crate::programs::Loaded;
use crate::visit::Visit;
use nearside_engine::decide::{Context, Decisions};
use nearside_engine::facts::edits;
use nearside_engine::mutation::Edit;
use nearside_engine::program::Program;
use nearside_engine::time::Timestamp;
use nearside_engine::value::Object;
use nearside_engine::wire::{AppliedDecision, PageState, PageView, STATE_ELEMENT};

/// The edits for the edge, and note of what was applied and what is left to the browser.
pub(crate) fn edits_of<'p>(
    program: &'p Program,
    visit: &Visit,
    context: &Context<'_>,
    decisions: &Decisions,
    now: Timestamp,
) -> (Vec<Edit<'p>>, Vec<AppliedDecision>) {
    let (mut all, mut applied) = (Vec::new(), Vec::new());
    for (index, (experience, decision)) in program.experiences.iter().zip(&decisions.decisions).enumerate() {
        let Some(place) = decision.variant.map(usize::from) else {
            continue;
        };
        let Some(variant) = experience.variants.get(place) else {
            continue;
        };
        let mut left = Vec::new();
        for (place, edit) in edits(program, &visit.state, context, index, place, now)
            .into_iter()
            .enumerate()
        {
            let host = nearside_rewriter::host(edit.operation, edit.selector, &edit.content);
            if host.has_browser() {
                left.extend(u16::try_from(place).ok());
            }
            if host.has_edge() {
                all.push(edit);
            }
        }
        applied.push(AppliedDecision {
            experience: experience.id.clone(),
            variant: variant.id.clone(),
            left,
        });
    }
    (all, applied)
}

/// The state of a page.
pub(crate) fn page_state(
    loaded: &Loaded,
    visit: &Visit,
    request: Object,
    applied: Vec<AppliedDecision>,
    preview: &Preview,
    page_view: Option<PageView>,
    now: Timestamp,
) -> PageState {
    let program = &loaded.program;
    PageState {
        visitor_id: visit.visitor_id.clone(),
        now,
        program_id: loaded.id.clone(),
        state: visit.state.to_bytes(program),
        request,
        applied,
        forced: preview.forced_ids(program),
        features: Object::new(),
        page_view,
        confirmed: visit.confirmed.clone(),
    }
}

/// The beginning of the loader's tag.
pub(crate) const LOADER_TAG: &str = "<script async";

/// The HTML that is put into a page's head; the nonce is one that the page's policy names.
pub(crate) fn html(state: &PageState, nonce: Option<&str>) -> String {
    let json = json::write_for_script(&state.to_value());
    let nonce = nonce
        .map(|nonce| format!(" nonce=\"{nonce}\""))
        .unwrap_or_default();
    format!(
        "<script type=\"application/json\" id=\"{STATE_ELEMENT}\">{json}</script>\
         {LOADER_TAG}{nonce} src=\"/_ns/sdk.js\"></script>"
    )
}
