//! The kernels: what each hash does with lanes, and how on each instruction set.
//!
//! [`rounds`](self) are written once as macros; [`plain`] runs them over plain words, in loops that the
//! compiler vectorises; `avx512` and `sha_ni` run SHA-1 (and SHA-256) in intrinsics, where the
//! compiler's own code loses more than a tenth. All of it is safe code: what needs `unsafe` is to enter
//! a function compiled for a set, and that is done in [`kernel`](crate::kernel) alone.

pub(crate) mod constants;
#[macro_use]
mod rounds;
#[macro_use]
mod plain;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod lanes;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha_ni;

pub(crate) use lanes::Op;
