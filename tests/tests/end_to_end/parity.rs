//! The same in a real browser.
