//! What stands in a `<template>` is no part of the page.

use crate::target::is_foreign;
use lol_html::html_content::{Element, EndTag};
use lol_html::{ElementContentHandlers, Selector, Settings};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// How many templates are open.
#[derive(Debug, Default)]
pub(crate) struct Templates(Cell<usize>);

impl Templates {
    /// Whether the parser is within a template.
    pub(crate) fn are_open(&self) -> bool {
        self.0.get() > 0
    }
}

/// Adds the handler that counts open templates. It comes after those that ask, which take a template's own tag for
/// the page's.
pub(crate) fn heed_templates(
    settings: Settings<'static, 'static>,
    templates: &Rc<Templates>,
) -> Option<Settings<'static, 'static>> {
    let template: Selector = "template".parse().ok()?;
    let templates = Rc::clone(templates);
    let count = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
        if is_foreign(element) {
            return Ok(());
        }
        let open = Rc::clone(&templates);
        if let Some(handlers) = element.end_tag_handlers() {
            open.0.set(open.0.get() + 1);
            handlers.push(Box::new(move |_: &mut EndTag<'_>| {
                open.0.set(open.0.get().saturating_sub(1));
                Ok(())
            }));
        }
        Ok(())
    });
    Some(settings.append_element_content_handler((Cow::Owned(template), count)))
}
