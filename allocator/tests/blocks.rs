//! Random programs that take, resize and give back blocks: what is written in one stays there until it is given back.
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    rc::Rc,
};

use jobwright_allocator::SmallBlocks;
use proptest::{collection::vec, prelude::*};

#[derive(Clone, Debug)]
enum Act {
    Take { bytes: usize, align: usize },
    Resize { which: usize, bytes: usize },
    GiveBack { which: usize },
}

fn bytes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1..200_usize, 2 => 1_000..1_050_usize, 1 => 1..20_000_usize]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (bytes(), 0..6_u32).prop_map(|(bytes, align)| Act::Take { bytes, align: 1 << align }),
        2 => (any::<usize>(), bytes()).prop_map(|(which, bytes)| Act::Resize { which, bytes }),
        3 => any::<usize>().prop_map(|which| Act::GiveBack { which }),
    ]
}

/// One that was taken, and the byte that it is full of.
struct Block {
    at: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Block {
    fn fill(&self) {
        unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
    }

    fn holds(&self, bytes: usize) -> bool {
        let kept = unsafe { std::slice::from_raw_parts(self.at, bytes) };
        kept.iter().all(|byte| *byte == self.mark)
    }
}

proptest! {
    #[test]
    fn what_is_written_in_a_block_stays(acts in vec(act(), 1..400)) {
        let blocks = SmallBlocks::before(System);
        let mut taken: Vec<Block> = Vec::new();
        for (turn, act) in acts.into_iter().enumerate() {
            let mark = turn as u8;
            match act {
                Act::Take { bytes, align } => {
                    let layout = Layout::from_size_align(bytes, align).unwrap();
                    let block = Block { at: unsafe { blocks.alloc(layout) }, layout, mark };
                    prop_assert_eq!(block.at as usize % align, 0);
                    block.fill();
                    taken.push(block);
                }
                Act::Resize { which, bytes } if !taken.is_empty() => {
                    let which = which % taken.len();
                    let block = &mut taken[which];
                    let kept = bytes.min(block.layout.size());
                    block.at = unsafe { blocks.realloc(block.at, block.layout, bytes) };
                    block.layout = Layout::from_size_align(bytes, block.layout.align()).unwrap();
                    prop_assert_eq!(block.at as usize % block.layout.align(), 0);
                    prop_assert!(block.holds(kept));
                    block.mark = mark;
                    block.fill();
                }
                Act::GiveBack { which } if !taken.is_empty() => {
                    let block = taken.swap_remove(which % taken.len());
                    unsafe { blocks.dealloc(block.at, block.layout) };
                }
                Act::Resize { .. } | Act::GiveBack { .. } => {}
            }
            prop_assert!(taken.iter().all(|block| block.holds(block.layout.size())));
        }
    }
}

/// Counts what is taken from it, and has only so much.
#[derive(Clone, Default)]
struct Counting {
    taken: Rc<Cell<usize>>,
    most: Rc<Cell<usize>>,
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.taken.get() + layout.size() > self.most.get() {
            return std::ptr::null_mut();
        }
        self.taken.set(self.taken.get() + layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.taken.set(self.taken.get() - layout.size());
        unsafe { System.dealloc(block, layout) };
    }
}

fn counting(most: usize) -> (SmallBlocks<Counting>, Counting) {
    let counting = Counting::default();
    counting.most.set(most);
    (SmallBlocks::before(counting.clone()), counting)
}

#[test]
fn a_thousand_blocks_of_three_words_take_no_more_than_their_bytes() {
    let (blocks, counting) = counting(usize::MAX);
    let layout = Layout::from_size_align(24, 8).unwrap();
    let taken: Vec<_> = (0..1_000).map(|_| unsafe { blocks.alloc(layout) }).collect();
    assert!(counting.taken.get() < 24_000 + 16 * 1024, "{}", counting.taken.get());
    let before = counting.taken.get();
    for block in taken {
        unsafe { blocks.dealloc(block, layout) };
    }
    for _ in 0..1_000 {
        unsafe { blocks.alloc(layout) };
    }
    assert_eq!(counting.taken.get(), before);
}

#[test]
fn what_is_left_of_a_piece_is_not_lost() {
    let (blocks, counting) = counting(32 * 1024);
    let kilobyte = Layout::from_size_align(1_000, 8).unwrap();
    // Sixteen of them leave 384 bytes of the first piece; the next begins the second.
    for _ in 0..17 {
        unsafe { blocks.alloc(kilobyte) };
    }
    assert_eq!(counting.taken.get(), 32 * 1024);
    let rest = Layout::from_size_align(384, 8).unwrap();
    let before = unsafe { blocks.alloc(kilobyte) };
    let block = unsafe { blocks.alloc(rest) };
    assert!(!block.is_null());
    assert!((block as usize).abs_diff(before as usize) > 1_000, "it is of the piece before");
}

#[test]
fn where_there_is_no_memory_it_says_so_and_goes_on() {
    let (blocks, counting) = counting(0);
    let layout = Layout::from_size_align(24, 8).unwrap();
    assert!(unsafe { blocks.alloc(layout) }.is_null());
    counting.most.set(usize::MAX);
    assert!(!unsafe { blocks.alloc(layout) }.is_null());
}

#[test]
fn large_blocks_go_back() {
    let (blocks, counting) = counting(usize::MAX);
    let layout = Layout::from_size_align(100_000, 8).unwrap();
    let block = unsafe { blocks.alloc(layout) };
    assert_eq!(counting.taken.get(), 100_000);
    let block = unsafe { blocks.realloc(block, layout, 200_000) };
    assert_eq!(counting.taken.get(), 200_000);
    unsafe { blocks.dealloc(block, Layout::from_size_align(200_000, 8).unwrap()) };
    assert_eq!(counting.taken.get(), 0);
}
