//! The kernels: what each hash does with lanes, and how on each instruction set.
//!
//! The rounds are written once, as macros (`rounds`). `plain` runs them over plain words, lane by lane;
//! `avx2` and `avx512` over vectors, with `wide` around them; `sha_ni` has instructions for whole rounds
//! and so rounds of its own. All of it is safe code: what needs `unsafe` is to enter a function compiled
//! for an instruction set, and that is done in [`kernel`](crate::kernel) alone.

#![allow(
    clippy::needless_range_loop,
    clippy::modulo_one,
    reason = "registers go side by side by their number, also where there is one"
)]

pub(crate) mod constants;
#[macro_use]
mod rounds;
#[macro_use]
mod plain;
#[cfg(target_arch = "x86_64")]
#[macro_use]
mod wide;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod lanes;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha_ni;
