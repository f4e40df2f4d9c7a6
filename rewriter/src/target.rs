//! What an edit changes: an element while it streams, or one that a plan remembers.

use crate::edit::ContentEdits;
use lol_html::html_content::{ContentType, Element, EndTag, UserData};

/// What is done when an element's end tag is there.
pub(crate) type AtEnd = Box<dyn FnOnce(&mut dyn End)>;

/// An element at its start tag. What is put in is HTML; later content goes where lol_html would put it.
pub(crate) trait Target {
    /// The place of the start tag in the bytes that were parsed.
    fn place(&self) -> usize;
    /// The element's name, in lower case.
    fn name(&self) -> String;
    /// Whether the element is removed, replaced or unwrapped.
    fn is_removed(&self) -> bool;
    /// An attribute's value as it is written.
    fn attribute(&self, name: &str) -> Option<String>;
    /// Sets an attribute; a name that is none changes nothing.
    fn set_attribute(&mut self, name: &str, value: &str);
    fn remove_attribute(&mut self, name: &str);
    fn before(&mut self, html: &str);
    fn after(&mut self, html: &str);
    fn prepend(&mut self, html: &str);
    fn append(&mut self, html: &str);
    fn set_content(&mut self, html: &str);
    fn replace(&mut self, html: &str);
    fn remove(&mut self);
    /// Takes the tags away; the content stays.
    fn unwrap(&mut self);
    /// What edits have done to the content.
    fn content_edits(&mut self) -> Option<&mut ContentEdits>;
    /// Takes note of what is to be done at the end tag; gives it back if the element has none.
    fn at_end(&mut self, action: AtEnd) -> Result<(), AtEnd>;
}

/// An end tag.
pub(crate) trait End {
    /// The place of the end tag in the bytes that were parsed.
    fn place(&self) -> usize;
    fn is_removed(&self) -> bool;
    fn before(&mut self, html: &str);
    fn after(&mut self, html: &str);
    fn remove(&mut self);
}

impl Target for Element<'_, '_> {
    fn place(&self) -> usize {
        self.source_location().bytes().start
    }

    fn name(&self) -> String {
        self.tag_name()
    }

    fn is_removed(&self) -> bool {
        self.removed()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.get_attribute(name)
    }

    fn set_attribute(&mut self, name: &str, value: &str) {
        // The compiler lets only valid names pass.
        let _ = self.set_attribute(name, value);
    }

    fn remove_attribute(&mut self, name: &str) {
        self.remove_attribute(name);
    }

    fn before(&mut self, html: &str) {
        self.before(html, ContentType::Html);
    }

    fn after(&mut self, html: &str) {
        self.after(html, ContentType::Html);
    }

    fn prepend(&mut self, html: &str) {
        self.prepend(html, ContentType::Html);
    }

    fn append(&mut self, html: &str) {
        self.append(html, ContentType::Html);
    }

    fn set_content(&mut self, html: &str) {
        self.set_inner_content(html, ContentType::Html);
    }

    fn replace(&mut self, html: &str) {
        self.replace(html, ContentType::Html);
    }

    fn remove(&mut self) {
        self.remove();
    }

    fn unwrap(&mut self) {
        self.remove_and_keep_content();
    }

    fn content_edits(&mut self) -> Option<&mut ContentEdits> {
        if !self.user_data().is::<ContentEdits>() {
            self.set_user_data(ContentEdits::default());
        }
        self.user_data_mut().downcast_mut()
    }

    fn at_end(&mut self, action: AtEnd) -> Result<(), AtEnd> {
        let Some(handlers) = self.end_tag_handlers() else {
            return Err(action);
        };
        handlers.push(Box::new(move |end: &mut EndTag<'_>| {
            action(end);
            Ok(())
        }));
        Ok(())
    }
}

impl End for EndTag<'_> {
    fn place(&self) -> usize {
        self.source_location().bytes().start
    }

    fn is_removed(&self) -> bool {
        self.removed()
    }

    fn before(&mut self, html: &str) {
        self.before(html, ContentType::Html);
    }

    fn after(&mut self, html: &str) {
        self.after(html, ContentType::Html);
    }

    fn remove(&mut self) {
        self.remove();
    }
}
