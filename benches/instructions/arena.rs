//! The allocator of the scenarios: one that costs the same whatever happened before.
//!
//! What libc's allocator costs depends on the holes in its heap, and so on the hash seeds of whatever was compiled while
//! a scenario was prepared: a small one moved by two percent from run to run. Here a block is a power of two, taken
//! from the list of free ones or from the end of one large piece of memory. Every call pays a toll on top, so that
//! allocating is as dear here as it is in earnest.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all scenarios need, many times over; only what is written to is ever given memory.
const ROOM: usize = 1 << 30;
/// Turns of a loop of a few instructions: libc takes some eighty for what it has at hand, and more for what it has not.
const TOLL: u32 = 12;
const CLASSES: usize = 40;
/// A page: where a block starts in its page is then the same in every build.
const PAGE: usize = 4096;

/// Blocks of one large piece of memory.
pub(crate) struct Arena {
    held: AtomicBool,
    state: std::cell::UnsafeCell<State>,
}

struct State {
    next: usize,
    end: usize,
    /// The first free block of each class; a free block's first word is the address of the next one.
    free: [usize; CLASSES],
}

#[expect(unsafe_code, reason = "an allocator")]
// SAFETY: the state is touched only by whoever has set `held`.
unsafe impl Sync for Arena {}

impl Arena {
    pub(crate) const fn new() -> Self {
        let state = State { next: 0, end: 0, free: [0; CLASSES] };
        Self { held: AtomicBool::new(false), state: std::cell::UnsafeCell::new(state) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Acquire: sees what the last holder wrote before its Release, below.
        while self.held.swap(true, Ordering::Acquire) {
            hint::spin_loop();
        }
        #[expect(unsafe_code, reason = "an allocator")]
        // SAFETY: `held` was not set, and is now: nobody else has a reference.
        let done = work(unsafe { &mut *self.state.get() });
        // Release: pairs with the Acquire above.
        self.held.store(false, Ordering::Release);
        for turn in 0..TOLL {
            hint::black_box(turn);
        }
        done
    }
}

/// The size of the block for a layout, and its class.
fn block(layout: Layout) -> (usize, usize) {
    let size = layout.size().max(layout.align()).max(16).next_power_of_two();
    (size, usize::try_from(size.trailing_zeros()).unwrap_or(0))
}

#[expect(unsafe_code, reason = "an allocator")]
// SAFETY: a block is as large and as aligned as was asked for (a power of two at a multiple of itself), and belongs to
// one owner from `alloc` to `dealloc`. `realloc` and `alloc_zeroed` are the trait's own.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, class) = block(layout);
        self.with(|state| {
            let Some(free) = state.free.get_mut(class) else { return ptr::null_mut() };
            if *free != 0 {
                let found: *mut usize = ptr::with_exposed_provenance_mut(*free);
                // SAFETY: `dealloc` wrote it, and nobody has owned the block since.
                *free = unsafe { *found };
                return found.cast();
            }
            if state.end == 0 {
                let room = Layout::from_size_align(ROOM, PAGE).unwrap_or(Layout::new::<u8>());
                // SAFETY: its size is not zero.
                state.next = unsafe { System.alloc(room) }.expose_provenance();
                state.end = state.next + room.size();
            }
            let start = state.next.next_multiple_of(size.min(PAGE));
            if size > PAGE && layout.align() > PAGE || start + size > state.end {
                return ptr::null_mut();
            }
            state.next = start + size;
            ptr::with_exposed_provenance_mut(start)
        })
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let (_, class) = block(layout);
        self.with(|state| {
            if let Some(free) = state.free.get_mut(class) {
                let word: *mut usize = at.cast();
                // SAFETY: the block has 16 bytes at least, is aligned to them, and its owner has given it up.
                unsafe { *word = *free };
                *free = word.expose_provenance();
            }
        });
    }
}
