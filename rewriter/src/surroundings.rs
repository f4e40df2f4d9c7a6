//! What an element stands in, as far as edits ask.

use crate::names::holds_html;
use lol_html::html_content::{Element, EndTag};
use lol_html::{ElementContentHandlers, Selector, Settings};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// How many elements are open that change what others are.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    templates: Cell<usize>,
    /// SVG and MathML.
    foreign: Cell<usize>,
}

impl Surroundings {
    /// Whether the parser is within a template, which is no part of the page.
    pub(crate) fn are_template(&self) -> bool {
        self.templates.get() > 0
    }

    /// Whether an element is one of SVG or MathML. Of those in which HTML stands again the parser says that they are
    /// HTML themselves.
    pub(crate) fn make_foreign(&self, element: &Element<'_, '_>) -> bool {
        is_foreign(element) || (self.foreign.get() > 0 && holds_html(&element.tag_name()))
    }
}

/// Whether an element's content is of SVG or MathML.
pub(crate) fn is_foreign(element: &Element<'_, '_>) -> bool {
    element.namespace_uri() != "http://www.w3.org/1999/xhtml"
}

/// Adds the handlers that look around. They come after those that ask, which take an element's own tag for a part of
/// what is around it.
pub(crate) fn look_around(
    settings: Settings<'static, 'static>,
    around: &Rc<Surroundings>,
) -> Option<Settings<'static, 'static>> {
    let count = |selector: &str, of: fn(&Surroundings) -> &Cell<usize>| {
        let selector: Selector = selector.parse().ok()?;
        let around = Rc::clone(around);
        let handlers = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
            let at_end = Rc::clone(&around);
            if let Some(handlers) = element.end_tag_handlers() {
                let open = of(&around);
                open.set(open.get() + 1);
                handlers.push(Box::new(move |_: &mut EndTag<'_>| {
                    let open = of(&at_end);
                    open.set(open.get().saturating_sub(1));
                    Ok(())
                }));
            }
            Ok(())
        });
        Some((Cow::Owned(selector), handlers))
    };
    Some(
        settings
            .append_element_content_handler(count("template", |around| &around.templates)?)
            .append_element_content_handler(count("svg, math", |around| &around.foreign)?),
    )
}
