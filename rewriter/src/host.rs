//! Who makes a change to the page: the edge while the page streams, or the browser.

use lol_html::Selector;
use lol_html::errors::SelectorError;
use nearside_engine::mutation::Operation;

/// Who makes a change to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// The edge does.
    Edge,
    /// The edge does where it can, and the browser looks once more.
    Both(&'static str),
    /// The browser does, for this reason.
    Browser(String),
}

impl Host {
    /// Whether the edge has a part in it.
    pub const fn has_edge(&self) -> bool {
        matches!(self, Host::Edge | Host::Both(_))
    }

    /// Whether the browser has a part in it.
    pub const fn has_browser(&self) -> bool {
        matches!(self, Host::Browser(_) | Host::Both(_))
    }
}

/// Who applies an operation to what a selector finds.
pub fn host(operation: Operation, selector: &str) -> Host {
    match operation {
        Operation::Move => Host::Browser(
            "where an element goes may have left before the element comes: it is moved when both are there"
                .to_owned(),
        ),
        Operation::Title | Operation::Meta => {
            Host::Both("in a page without `</head>` and `<body>`, the browser adds what the head has not")
        }
        _ => match supports(selector) {
            Ok(()) => Host::Edge,
            Err(why) => Host::Browser(why),
        },
    }
}

/// Whether a selector can be matched while a page streams.
///
/// # Errors
/// With a sentence that says why not.
pub fn supports(selector: &str) -> Result<(), String> {
    match selector.parse::<Selector>() {
        Ok(_) => Ok(()),
        Err(error) => Err(reason(&error)),
    }
}

/// Why the browser alone knows what a selector finds.
fn reason(error: &SelectorError) -> String {
    error.to_string()
}
