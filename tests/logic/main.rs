//! JSON Logic, natively: the community's suites, what they leave open, and what holds of every expression.

mod properties;
mod semantics;
mod suites;
