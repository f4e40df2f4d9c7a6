//! The parsers that a page goes through.

use crate::declared_policies::Fit;
use crate::edit::OwnedEdit;
use crate::encode::{Declaration, Spelling, declaration};
use crate::head::{HeadEdits, add_to_head};
use crate::inject::inject;
use crate::marks::Marks;
use crate::page::{RewriteError, failure};
use crate::prologue::Prologue;
use crate::splice::Splicer;
use crate::surroundings::{Surroundings, look_around};
use lol_html::errors::RewritingError;
use lol_html::html_content::{Element, EndTag};
use lol_html::{
    AsciiCompatibleEncoding, ElementContentHandlers, HtmlRewriter, MemorySettings, Selector, Settings,
};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What is to be done to a page.
pub(crate) struct Plan {
    pub(crate) edits: Vec<(Selector, OwnedEdit)>,
    /// Whether the edits need every end tag of the page, also those that its author left out.
    pub(crate) needs_every_end_tag: bool,
    pub(crate) inject: Option<String>,
    pub(crate) fit: Option<Fit>,
    /// A number that nobody knows who could write it into the page.
    pub(crate) secret: u64,
    /// The page's encoding, if it is known before the page begins.
    pub(crate) encoding: Option<AsciiCompatibleEncoding>,
    pub(crate) max_memory: usize,
    pub(crate) max_page: usize,
    pub(crate) max_edits: usize,
}

/// Where the parser's output goes.
pub(crate) type Sink = Box<dyn FnMut(&[u8])>;
type Handlers = ElementContentHandlers<'static>;

pub(crate) struct Pipeline {
    prologue: Option<Prologue>,
    /// Most pages need none.
    splicer: Option<Splicer>,
    editor: HtmlRewriter<'static, Sink>,
    shared: Shared,
    /// Whether there is nothing to do besides the injection.
    only_injects: bool,
}

/// What the handlers of the editing parser share with the pipeline.
#[derive(Clone, Default)]
struct Shared {
    marks: Rc<Marks>,
    output: Rc<RefCell<Vec<u8>>>,
    is_injected: Rc<Cell<bool>>,
    has_encoding: Rc<Cell<bool>>,
    refusal: Rc<Cell<Option<RewriteError>>>,
}

impl Pipeline {
    pub(crate) fn new(mut plan: Plan) -> Option<Self> {
        let shared = Shared::default();
        let splicer = if plan.needs_every_end_tag {
            Some(Splicer::new(
                plan.max_memory,
                Rc::clone(&shared.marks),
                plan.secret,
            ))
        } else {
            None
        };
        let mut settings = Settings::new()
            // A page that the parser is in doubt about is still a page: the visitor's values are escaped
            // for every way in which it could be read.
            .with_strict(false)
            .with_graceful_bail_out_on_content_handler_error(true)
            .with_memory_settings(
                MemorySettings::new()
                    .with_max_allowed_memory_usage(plan.max_memory)
                    .with_graceful_bail_out_on_memory_limit_exceeded(true),
            );
        settings = match plan.encoding {
            Some(encoding) => {
                shared.has_encoding.set(Spelling::writes(encoding.into()));
                settings.with_encoding(encoding)
            }
            None => heed_declaration(settings.with_adjust_charset_on_meta_tag(true), &shared)?,
        };
        let around = Rc::<Surroundings>::default();
        let head = Rc::new(HeadEdits::new(plan.edits.iter_mut().map(|(_, edit)| edit)));
        let has_edits = !plan.edits.is_empty();
        let edited: Vec<Selector> = match plan.needs_every_end_tag {
            true => plan.edits.iter().map(|(selector, _)| selector.clone()).collect(),
            false => Vec::new(),
        };
        shared.is_injected.set(plan.inject.is_none());
        let left = Rc::new(Cell::new(plan.max_edits));
        for (selector, edit) in plan.edits {
            let (around, left, refusal) = (Rc::clone(&around), Rc::clone(&left), Rc::clone(&shared.refusal));
            let (marks, has_encoding) = (Rc::clone(&shared.marks), Rc::clone(&shared.has_encoding));
            let apply = Handlers::default().element(move |element: &mut Element<'_, '_>| {
                if !around.are_template() {
                    if let Some(limit) = past_a_limit(element, &left, plan.max_page) {
                        refusal.set(Some(limit));
                        return Err(limit.into());
                    }
                    let is_foreign = around.make_foreign(element);
                    edit.apply(element, is_foreign, &marks, spelling(&has_encoding));
                }
                Ok(())
            });
            settings = settings.append_element_content_handler((Cow::Owned(selector), apply));
        }
        if has_edits {
            settings = look_around(settings, &around)?;
        }
        if !head.is_empty() {
            settings = add_to_head(settings, head, &shared.has_encoding)?;
        }
        let mut prologue = None;
        if let Some(html) = plan.inject {
            let is_document = Rc::<Cell<bool>>::default();
            prologue = Some(Prologue::new(Rc::clone(&is_document)));
            let done = Rc::clone(&shared.is_injected);
            settings = inject(settings, &html, plan.fit, is_document, done)?;
        }
        for selector in edited {
            settings = settle_ends(settings, selector, &shared.marks);
        }
        let output = Rc::clone(&shared.output);
        let sink: Sink = Box::new(move |bytes| output.borrow_mut().extend_from_slice(bytes));
        Some(Self {
            prologue,
            splicer,
            editor: HtmlRewriter::new(settings, sink),
            shared,
            only_injects: !has_edits,
        })
    }

    /// Takes the next bytes of the page; gives those that can leave, and the pipeline if it can go on.
    pub(crate) fn write(mut self: Box<Self>, chunk: &[u8]) -> (Vec<u8>, Result<Box<Self>, RewriteError>) {
        if let Some(prologue) = &mut self.prologue {
            prologue.read(chunk);
        }
        let (mut spliced, mut result) = (Vec::new(), Ok(()));
        let bytes = match &mut self.splicer {
            Some(splicer) => {
                result = splicer.write(chunk, &mut spliced);
                &spliced
            }
            None => chunk,
        };
        // Most of what comes leaves again.
        self.shared.output.borrow_mut().reserve(bytes.len());
        if let Err(error) = self.editor.write(bytes) {
            return self.fail(&error);
        }
        match result {
            Ok(()) => (self.output(), Ok(self)),
            Err(error) => {
                self.shared.is_injected.set(true);
                let rest = self.rest();
                let (mut output, _) = self.end_editor();
                output.extend(rest);
                (output, Err(error))
            }
        }
    }

    /// Whether nothing is left to do: the rest of the page can pass.
    pub(crate) fn is_done(&self) -> bool {
        self.only_injects && self.shared.is_injected.get()
    }

    /// Takes note of the page's end; gives the last bytes.
    pub(crate) fn end(mut self: Box<Self>) -> (Vec<u8>, Option<RewriteError>) {
        let mut spliced = Vec::new();
        let result = match &mut self.splicer {
            Some(splicer) => splicer.end(&mut spliced),
            None => Ok(()),
        };
        if let Err(error) = self.editor.write(&spliced) {
            let (output, result) = self.fail(&error);
            return (output, result.err());
        }
        if result.is_err() {
            self.shared.is_injected.set(true);
        }
        let rest = self.rest();
        let (mut output, failure) = self.end_editor();
        output.extend(rest);
        (output, result.err().or(failure))
    }

    /// Ends the editing parser; gives its last bytes.
    fn end_editor(self) -> (Vec<u8>, Option<RewriteError>) {
        let error = self.editor.end().err();
        let failure = error.map(|error| self.shared.refusal.get().unwrap_or(failure(&error)));
        let output = self.shared.output.take();
        match &self.splicer {
            Some(splicer) => (splicer.take_back(output), failure),
            None => (output, failure),
        }
    }

    /// What can leave, without what was changed for the parser alone.
    fn output(&self) -> Vec<u8> {
        let output = self.shared.output.take();
        match &self.splicer {
            Some(splicer) => splicer.take_back(output),
            None => output,
        }
    }

    fn rest(&mut self) -> Vec<u8> {
        self.splicer.as_mut().map(Splicer::rest).unwrap_or_default()
    }

    fn fail(mut self: Box<Self>, error: &RewritingError) -> (Vec<u8>, Result<Box<Self>, RewriteError>) {
        let mut output = self.output();
        output.extend(self.rest());
        let failure = self.shared.refusal.get().unwrap_or(failure(error));
        (output, Err(failure))
    }
}

/// How what is put in is written.
pub(crate) fn spelling(has_encoding: &Cell<bool>) -> Spelling {
    match has_encoding.get() {
        true => Spelling::Encoded,
        false => Spelling::References,
    }
}

/// Whether an element must not be edited any more; if it may, that is counted.
fn past_a_limit(element: &Element<'_, '_>, left: &Cell<usize>, max_page: usize) -> Option<RewriteError> {
    if element.source_location().bytes().start >= max_page {
        return Some(RewriteError::Length);
    }
    match left.get().checked_sub(1) {
        None => Some(RewriteError::Edits),
        Some(fewer) => {
            left.set(fewer);
            None
        }
    }
}

/// Adds the handler that learns the page's encoding from the page.
fn heed_declaration(
    settings: Settings<'static, 'static>,
    shared: &Shared,
) -> Option<Settings<'static, 'static>> {
    let meta: Selector = "meta".parse().ok()?;
    let (has_encoding, refusal) = (Rc::clone(&shared.has_encoding), Rc::clone(&shared.refusal));
    let mut is_settled = false;
    let heed = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        if is_settled {
            return Ok(());
        }
        let Some((_, declaration)) = declaration(element) else {
            return Ok(());
        };
        is_settled = true;
        match declaration {
            Declaration::Known => has_encoding.set(true),
            Declaration::Perhaps => {}
            Declaration::Impossible => {
                refusal.set(Some(RewriteError::Encoding));
                return Err(RewriteError::Encoding.into());
            }
        }
        Ok(())
    });
    Some(settings.append_element_content_handler((Cow::Owned(meta), heed)))
}

/// Adds the handler that settles which of the end tags that were not there leave. It comes after all others, since an
/// edit may need one; of several for one element the first one does it.
fn settle_ends(
    settings: Settings<'static, 'static>,
    edited: Selector,
    marks: &Rc<Marks>,
) -> Settings<'static, 'static> {
    let marks = Rc::clone(marks);
    let settle = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        let marks = Rc::clone(&marks);
        if let Some(handlers) = element.end_tag_handlers() {
            handlers.push(Box::new(move |end: &mut EndTag<'_>| {
                let start = end.source_location().bytes().start;
                let Some(length) = marks.supplied.borrow_mut().remove(&start) else {
                    return Ok(());
                };
                if end.removed()
                    && let Some(implied) = marks.implied_by.borrow_mut().get_mut(&(start + length))
                {
                    // The element is not there any more, so nothing has to end it.
                    implied.names.pop();
                }
                if marks.needed.take() == Some(start) {
                    // Without the signature it leaves.
                    end.set_name(end.name());
                }
                Ok(())
            }));
        }
        Ok(())
    });
    settings.append_element_content_handler((Cow::Owned(edited), settle))
}
