//! The engine over the memory store: the journeys of a person, and races with real threads.

mod journey;
mod races;
mod support;
