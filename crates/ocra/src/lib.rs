#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod input;
mod ocra;
mod question;
mod response;
mod suite;

pub use input::{Input, InputError, Pin};
pub use ocra::{Ahead, Ocra, WindowError};
pub use question::{Mutual, Question, QuestionError};
pub use response::{Response, ResponseError};
pub use suite::{Challenge, Format, Length, Suite, SuiteError};
