//! Benches of Countersign's one-time passwords and the peers that they are measured against, and of the
//! whole answer.
//!
//! Every figure is a ratio of two times of one run: all cases are sampled in turn, again and again, on one
//! core, so that what the machine does beside hits all of them alike (`sampling`). The method and the
//! figures are in `docs/benchmarks.md`.

#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]
#![allow(clippy::missing_panics_doc, reason = "a bench whose figures are wrong had better stop")]

#[cfg(feature = "answers")]
pub mod answer;
#[cfg(feature = "codes")]
pub mod oath;
#[cfg(feature = "codes")]
pub mod ours;
#[cfg(feature = "codes")]
pub mod peers;
#[cfg(feature = "codes")]
pub mod sampling;
