//! What a request for a page asks for: what is looked at more than once is taken out of the runtime once.

use worker::{Headers, web_sys};

pub(crate) struct Asked {
    pub(crate) url: String,
    method: String,
    accept: String,
    /// What a browser says that it needs the answer for.
    destination: String,
}

impl Asked {
    pub(crate) fn read(request: &web_sys::Request, headers: &Headers) -> Self {
        let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
        Self {
            url: request.url(),
            method: request.method(),
            accept: header("accept"),
            destination: header("sec-fetch-dest"),
        }
    }

    /// Whether it may be for a page.
    pub(crate) fn may_be_page(&self, headers: &Headers) -> bool {
        let accepts =
            self.accept.is_empty() || self.accept.contains("text/html") || self.accept.contains("*/*");
        // Browsers say what a request is for; of these none is for a page.
        let is_part = matches!(
            self.destination.as_str(),
            "image" | "script" | "style" | "font" | "audio" | "video" | "track" | "manifest"
        );
        (self.is_get() || self.is_head())
            && accepts
            && !is_part
            && !headers.has("upgrade").unwrap_or_default()
    }

    /// Whether the visitor asks for a page by name, as browsers do when they go to one.
    pub(crate) fn accepts_html(&self) -> bool {
        self.accept.contains("text/html")
    }

    /// Whether the answer is shown as a document, as far as is known.
    pub(crate) fn is_for_a_document(&self) -> bool {
        self.destination.is_empty() || self.destination == "document"
    }

    pub(crate) fn is_get(&self) -> bool {
        self.method == "GET"
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.url.starts_with("https:")
    }
}
