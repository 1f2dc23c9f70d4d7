//! Room on the stack for whatever follows the depth of a value or of a schema.

/// Left over when a new part of the stack is made: more than one step needs, in a debug build too.
const RED_ZONE: usize = 64 << 10;
/// The size of a new part. At half, deep values switch twice as often; at double, a thread that judges one deep
/// value maps twice as much.
const PART: usize = 1 << 20;

/// Room to compile in: a schema may be hundreds of levels deep, and the crate takes some kilobytes for each of them, and for
/// each reference. At half, long chains of references could overflow it; at double, more is mapped, and never touched.
const COMPILING: usize = 64 << 20;

/// Compiles on a stack of its own.
pub(super) fn compiling<T>(work: impl FnOnce() -> T) -> T {
    with_bytes(COMPILING, work)
}

/// Takes one step down. Parts of the stack are added on the heap as they are needed, so that no depth can
/// overflow it, however small the thread's own is.
pub(super) fn deeper<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, PART, step)
}

/// Runs what is known to need at most so many bytes, on a stack of its own if the thread's has less left.
pub(super) fn with_bytes<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let bytes = bytes.max(RED_ZONE);
    stacker::maybe_grow(bytes, bytes.saturating_add(RED_ZONE), work)
}
