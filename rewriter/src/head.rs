//! The title and the `<meta>`s that edits add to a head without them.
//!
//! They go to the end of the head, where that can be seen while the page streams: at its end tag, or where the
//! body begins. In a page with neither, the browser adds them.

use crate::edit::OwnedEdit;
use crate::encode::Spelling;
use nearside_engine::mutation::{Operation, meta_name};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a page's head must have in the end.
#[derive(Default)]
pub(crate) struct HeadEdits {
    wanted: Vec<Rc<Wanted>>,
}

/// A title or `<meta>` that edits are about.
pub(crate) struct Wanted {
    operation: Operation,
    name: String,
    content: RefCell<String>,
    /// Whether the page has it, or has got it.
    pub(crate) is_there: Cell<bool>,
    /// Which of the page's elements it is.
    pub(crate) order: Cell<usize>,
}

impl HeadEdits {
    /// What these edits want.
    pub(crate) fn new<'e>(edits: impl Iterator<Item = &'e mut OwnedEdit>) -> Self {
        let mut head = Self::default();
        for edit in edits {
            if !matches!(edit.operation, Operation::Title | Operation::Meta) {
                continue;
            }
            let is_same = |wanted: &&Rc<Wanted>| {
                wanted.operation == edit.operation && wanted.name.eq_ignore_ascii_case(&edit.name)
            };
            let wanted = match head.wanted.iter().find(is_same) {
                Some(wanted) => Rc::clone(wanted),
                None => {
                    let wanted = Rc::new(Wanted {
                        operation: edit.operation,
                        name: edit.name.clone(),
                        content: RefCell::default(),
                        is_there: Cell::new(false),
                        order: Cell::new(usize::MAX),
                    });
                    head.wanted.push(Rc::clone(&wanted));
                    wanted
                }
            };
            // Of several edits the last one counts.
            edit.content.clone_into(&mut wanted.content.borrow_mut());
            edit.wanted = Some(wanted);
        }
        head
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// The HTML for the end of the head; empty if the page has all, or has got it.
    pub(crate) fn addition(&self, spelling: Spelling) -> String {
        let missing = self.wanted.iter().filter(|wanted| !wanted.is_there.replace(true));
        missing.map(|wanted| wanted.html(spelling)).collect()
    }
}

impl Wanted {
    fn html(&self, spelling: Spelling) -> String {
        let content = self.content.borrow();
        match (self.operation, meta_name(&self.name)) {
            (Operation::Meta, Some((attribute, name))) => format!(
                "<meta {attribute}=\"{name}\" content=\"{}\">",
                spelling.value(&content).replace('"', "&quot;")
            ),
            _ => format!("<title>{}</title>", spelling.text(&content)),
        }
    }
}
