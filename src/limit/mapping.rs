//! Memory from the kernel, seen as lines of atomics: the limiter's only unsafe code.
//!
//! What it buys: counts that processes share, which safe Rust cannot express; for a table of one process, pages that
//! cost nothing until they are used, and large ones (a table of a million keys has 30,000 small pages, and
//! each hit would wait for two of their addresses). And lines that are fetched before they are read.

#![expect(unsafe_code, reason = "shared memory is the kernel's; see each block")]

use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

use super::layout::Line;

/// A mapping that is a whole number of lines, readable and writable, as long as it lives.
pub(super) struct Mapping {
    lines: NonNull<Line>,
    count: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread; it is unmapped once, by whoever owns it.
unsafe impl Send for Mapping {}
// SAFETY: all access is through `&[Line]`, which is atomics and nothing else.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// New memory, all zero: `shared` with the processes that are forked from this one, or its own.
    pub(super) fn anonymous(count: usize, shared: bool) -> io::Result<Self> {
        let flags = if shared { MapFlags::SHARED } else { MapFlags::PRIVATE };
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), bytes(count)?, access, flags) }?;
        let mapping = Self::at(start, count)?;
        // SAFETY: the range is the mapping that was just made. A hint: where it is refused, small pages do.
        let _ = unsafe { madvise(start, bytes(count)?, Advice::LinuxHugepage) };
        Ok(mapping)
    }

    /// New memory of this process, all zero, and all zero again in those that are forked from it.
    pub(super) fn wiped_by_forks(count: usize) -> io::Result<Self> {
        let mapping = Self::anonymous(count, false)?;
        let start = mapping.lines.as_ptr().cast();
        // SAFETY: the range is the mapping that was just made. In this process nothing changes.
        unsafe { madvise(start, bytes(count)?, Advice::LinuxWipeOnFork) }?;
        Ok(mapping)
    }

    /// The first lines of a file, shared with everybody who has it. The file must be that long, with all its blocks
    /// allocated: touching what is not there kills the process.
    pub(super) fn of_file(file: &File, count: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let length = bytes(count)?;
        // SAFETY: as above. That others write to it is what it is for: it is only ever seen as atomics.
        let start = unsafe { mmap(ptr::null_mut(), length, access, MapFlags::SHARED, file, 0) }?;
        Self::at(start, count)
    }

    fn at(start: *mut std::ffi::c_void, count: usize) -> io::Result<Self> {
        // Pages are aligned to more than a line is.
        let lines = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { lines, count })
    }

    /// All of it.
    #[inline]
    pub(super) fn lines(&self) -> &[Line] {
        // SAFETY: the mapping holds `count` lines until it is dropped; every pattern of bits is a line; whoever else
        // writes them, in this process or another, does so through the same atomics.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr(), self.count) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped with this length, and no reference into it outlives `self`. There is nothing to do about an
        // error, and none that these arguments can cause.
        let _ = unsafe { munmap(self.lines.as_ptr().cast(), self.count * size_of::<Line>()) };
    }
}

/// Begins to bring a line into the processor's cache, and does not wait for it.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(super) fn fetch(line: &Line) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86-64 processor has it; it changes nothing that a program can see, wherever it points to.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr::from_ref(line).cast()) };
}

/// Nothing: stable Rust cannot say it for this processor, and who reads the line waits for it.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub(super) fn fetch(_line: &Line) {}

fn bytes(count: usize) -> io::Result<usize> {
    count.checked_mul(size_of::<Line>()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}
