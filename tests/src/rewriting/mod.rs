//! What comparisons of rewriters share: real pages with edits that match in them, a site that serves them, the
//! workers that make the edits, visitors that ask for them, and what that costs the process.

pub mod load;
pub mod pages;
pub mod peers;
pub mod upstream;
pub mod usage;
mod wire;
