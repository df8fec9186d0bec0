//! One key at a time on the kernels of `countersign-lanes`: where the processor has the SHA extensions, they
//! keep a few compressions in flight. Many keys at a time are the matter of `countersign-batch`.

use countersign_lanes::{Hash, Kernel};
use zeroize::Zeroize;

/// Compresses the two blocks of a key, where a kernel does that better than the block functions do.
#[inline]
pub(crate) fn absorb<H: Hash>([inner, outer]: [&mut H::State; 2], blocks: &[H::Block; 2]) -> bool {
    let Some(kernel) = Kernel::few::<H>() else {
        return false;
    };
    let mut states = [*inner, *outer];
    kernel.compress::<H>(&mut states, blocks);
    [*inner, *outer] = states;
    states.iter_mut().for_each(Zeroize::zeroize);
    true
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
