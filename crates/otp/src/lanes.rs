//! One key at a time on the kernels of `countersign-lanes`: where the processor has the SHA extensions, they
//! keep a few compressions in flight. Many keys at a time are the matter of `countersign-batch`.

use countersign_lanes::{Hash, Kernel};

/// The chaining values after a key's block under each pad, where a kernel computes them better than the block
/// functions do.
#[inline]
pub(crate) fn absorb<H: Hash>(
    initial: &H::State,
    block: &H::Block,
    pads: [u8; 2],
) -> Option<[H::State; 2]> {
    Some(Kernel::few::<H>()?.compress_masked::<H>(initial, block, pads))
}

/// The truncated HMAC of each counter, where a kernel computes that better than the block functions do.
#[inline]
pub(crate) fn truncated<H: Hash, const N: usize>(
    inner: &H::State,
    outer: &H::State,
    counters: [u64; N],
) -> Option<[u32; N]> {
    let kernel = Kernel::few::<H>()?;
    Some(kernel.nested_few::<H, N>(inner, outer, counters))
}
