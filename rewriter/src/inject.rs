//! Puts the SDK into the page's head.

use crate::declared_policies::{DeclaredPolicies, Fit};
use lol_html::html_content::{ContentType, Element, EndTag};
use lol_html::{ElementContentHandlers, Selector, Settings};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Adds the handlers that put `html` once into the page: at the end of the head; where the head has no end
/// tag, before the body; and in a document with neither, at its end. What has no doctype, head or body is a
/// fragment that some script fetches, and stays as it is.
///
/// `is_document` says whether the page has a document type. `fit` makes it fit the policies that the page has declared before. `done` says whether it is there; whoever sets it keeps
/// the page from getting it.
pub(crate) fn inject(
    mut settings: Settings<'static, 'static>,
    html: &str,
    fit: Option<Fit>,
    is_document: Rc<Cell<bool>>,
    done: Rc<Cell<bool>>,
) -> Option<Settings<'static, 'static>> {
    let pending = Pending {
        html: Rc::from(html),
        policies: fit.map(|fit| (Rc::default(), fit)),
        done,
    };
    if let Some((policies, _)) = &pending.policies {
        let meta: Selector = "meta[http-equiv]".parse().ok()?;
        let policies = Rc::clone(policies);
        let note = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
            policies.borrow_mut().note(element);
            Ok(())
        });
        settings = settings.append_element_content_handler((Cow::Owned(meta), note));
    }
    let head: Selector = "head".parse().ok()?;
    let body: Selector = "body".parse().ok()?;
    let (at_head, at_body, at_end) = (pending.clone(), pending.clone(), pending);
    Some(
        settings
            .append_element_content_handler((
                Cow::Owned(head),
                ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                    let pending = at_head.clone();
                    if let Some(handlers) = element.end_tag_handlers() {
                        handlers.push(Box::new(move |end: &mut EndTag<'_>| {
                            if let Some(html) = pending.take() {
                                end.before(&html, ContentType::Html);
                            }
                            Ok(())
                        }));
                    }
                    Ok(())
                }),
            ))
            .append_element_content_handler((
                Cow::Owned(body),
                ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                    if let Some(html) = at_body.take() {
                        element.before(&html, ContentType::Html);
                    }
                    Ok(())
                }),
            ))
            .append_document_content_handler(lol_html::end!(move |end| {
                if is_document.get()
                    && let Some(html) = at_end.take()
                {
                    end.append(&html, ContentType::Html);
                }
                Ok(())
            })),
    )
}

#[derive(Clone)]
struct Pending {
    html: Rc<str>,
    policies: Option<(Rc<RefCell<DeclaredPolicies>>, Fit)>,
    done: Rc<Cell<bool>>,
}

impl Pending {
    fn take(&self) -> Option<Rc<str>> {
        if self.done.replace(true) {
            return None;
        }
        let fitted = self
            .policies
            .as_ref()
            .and_then(|(policies, fit)| policies.borrow().fitted(&self.html, *fit));
        Some(fitted.map_or_else(|| Rc::clone(&self.html), Rc::from))
    }
}
