//! Benches of Countersign's one-time passwords, and the peers that they are measured against.
//!
//! Every figure is a ratio of two times of one run: all cases are sampled in turn, again and again, on one
//! core, so that what the machine does beside hits all of them alike ([`sampling`]). The method and the
//! figures are in `docs/benchmarks.md`.

#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]
#![allow(clippy::missing_panics_doc, reason = "a bench whose figures are wrong had better stop")]

pub mod answer;
pub mod oath;
pub mod ours;
pub mod peers;
pub mod sampling;
