//! JSON Logic, natively: the community's suites, what they leave open, what holds of every
//! expression, and the page on them.

mod page;
mod properties;
mod semantics;
mod suites;
