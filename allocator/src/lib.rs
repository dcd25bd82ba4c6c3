//! Small blocks of memory, for a program with one thread: a dozen are taken and given back for each step of a job.
//!
//! A block that was given back is kept for the next of its size, and new ones are cut from large pieces, without the
//! header that an allocator of blocks of any size puts before each. These are segregated free lists (Knuth, The Art of
//! Computer Programming, volume 1, section 2.5). Larger blocks, and the pieces, are another allocator's.
//!
//! What it relies on: there is one thread, so nothing else reads or writes its lists while it does; and whoever gives a
//! block back says how large it is, as [`GlobalAlloc`] demands.
//!
//! ```
//! use std::alloc::{GlobalAlloc, Layout, System};
//! use jobwright_allocator::SmallBlocks;
//!
//! let blocks = SmallBlocks::before(System);
//! let layout = Layout::new::<[u64; 3]>();
//! // SAFETY: the layout has a size, and the block is given back once, with the same.
//! unsafe {
//!     let block = blocks.alloc(layout);
//!     blocks.dealloc(block, layout);
//!     assert_eq!(blocks.alloc(layout), block);
//! }
//! ```
#![deny(clippy::undocumented_unsafe_blocks)]

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr,
};

/// Sizes are rounded up to this many bytes: what 64-bit numbers are aligned to, and room for a pointer.
const UNIT: usize = 8;
/// How many sizes there are: up to a kilobyte, which what the engine keeps of a job is below.
const SIZES: usize = 128;
/// How many bytes are taken at a time.
const PIECE: usize = 16 * 1024;

/// Keeps blocks of up to a kilobyte by their size, in front of an allocator that has the others.
pub struct SmallBlocks<A> {
    large: A,
    lists: UnsafeCell<Lists>,
}

struct Lists {
    /// The first free block of each size; each holds the pointer to the next.
    free: [*mut u8; SIZES],
    /// What is left of the latest piece.
    rest: *mut u8,
    left: usize,
}

// SAFETY: a static has to be `Sync`, and where a module has no threads nobody shares it.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<A> Sync for SmallBlocks<A> {}

impl<A: GlobalAlloc> SmallBlocks<A> {
    /// Takes pieces and large blocks from `large`.
    pub const fn before(large: A) -> Self {
        let free = [ptr::null_mut(); SIZES];
        SmallBlocks { large, lists: UnsafeCell::new(Lists { free, rest: ptr::null_mut(), left: 0 }) }
    }

    /// A block of a size of which none is free; null where there is no memory.
    #[cold]
    fn cut(&self, size: usize) -> *mut u8 {
        let bytes = (size + 1) * UNIT;
        // SAFETY: see the front page; a piece has a size and an alignment that is a power of two. Of `left` bytes at
        // `rest`, all units, none was given to anybody.
        unsafe {
            let lists = &mut *self.lists.get();
            if lists.left < bytes {
                let piece = self.large.alloc(Layout::from_size_align_unchecked(PIECE, UNIT));
                if piece.is_null() {
                    return piece;
                }
                if lists.left > 0 {
                    lists.put(lists.left / UNIT - 1, lists.rest);
                }
                (lists.rest, lists.left) = (piece, PIECE);
            }
            let block = lists.rest;
            lists.rest = block.add(bytes);
            lists.left -= bytes;
            block
        }
    }
}

impl Lists {
    /// # Safety
    /// The block is nobody's, and of this size.
    unsafe fn put(&mut self, size: usize, block: *mut u8) {
        // SAFETY: each block has room for a pointer, and is aligned for it.
        unsafe { block.cast::<*mut u8>().write(self.free[size]) };
        self.free[size] = block;
    }
}

/// Which list blocks of a layout stand in, where they are small.
fn size_of(layout: Layout) -> Option<usize> {
    let size = layout.size().wrapping_sub(1) / UNIT;
    (size < SIZES && layout.align() <= UNIT).then_some(size)
}

// SAFETY: blocks are cut one behind the other, from pieces of `large` that are never given back, in units that are
// aligned for whatever is aligned to no more; one that is given back stands in one list, and leaves it when it is given
// again. All others are from `large`, and go back there.
unsafe impl<A: GlobalAlloc> GlobalAlloc for SmallBlocks<A> {
    // Not where it is called: that is in hundreds of places.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(size) = size_of(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { self.large.alloc(layout) };
        };
        // SAFETY: see the front page; a block in a list holds the pointer to the next.
        unsafe {
            let first = &mut (*self.lists.get()).free[size];
            let block = *first;
            if block.is_null() {
                return self.cut(size);
            }
            *first = block.cast::<*mut u8>().read();
            block
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: see the front page; the block is no longer the caller's, and of this layout.
        unsafe {
            match size_of(layout) {
                Some(size) => (*self.lists.get()).put(size, block),
                None => self.large.dealloc(block, layout),
            }
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as the caller promises, the new layout is valid too.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(bytes, layout.align());
            match (size_of(layout), size_of(wanted)) {
                (None, None) => self.large.realloc(block, layout, bytes),
                (now, then) if now == then => block,
                _ => {
                    let moved = self.alloc(wanted);
                    if !moved.is_null() {
                        ptr::copy_nonoverlapping(block, moved, layout.size().min(bytes));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}
