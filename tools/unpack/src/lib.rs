//! Puts the wasm module together from the text it is inlined as, which `tools/pack` writes.
//!
//! It runs once, when the package is loaded where it can't read the module's file, and so before an engine has found time
//! to optimize it; JavaScript would still be interpreted, and take several times as long. There are no slices here,
//! because the checks at each access would make it half as large again: what it reads was written, unpacked and compared
//! by the build.

#![cfg(target_arch = "wasm32")]
#![no_std]

pub mod history;
pub mod model;
pub mod module;

use history::History;
use model::{Bits, STREAMS};
use module::{Module, Source};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// An interval that is smaller is refined by another bit of the text.
pub const SMALL: u32 = 1 << 31;
/// Letters that stand for six bits; the others stand for seven. gzip gives each as many, and so costs nothing.
pub const SHORT: u32 = 35;

/// # Safety
///
/// The text is a packed module; there is room for the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack(text: *const u8, module: *mut u8) {
    unsafe {
        model::prepare();
        let mut letters = Letters { at: text, bits: EMPTY, within: 0, interval: 0 };
        for _ in 0..32 {
            letters.refine();
        }
        letters.interval = u32::MAX;
        for stream in 0..STREAMS {
            model::code(&mut letters, stream);
        }
        let before = letters.number();
        let after = letters.number();
        let source = Unpacked { letters, history: History::NOTHING };
        Module { source, at: module }.whole(before, after);
    }
}

/// What is left of a letter when its bits are read.
const EMPTY: u32 = 1 << 31;

/// Arithmetic coding: the text names a point within the interval, each bit takes the part of it that is its own.
struct Letters {
    at: *const u8,
    /// Those of the last letter that are not read yet, the next one on top, and a 1 behind them.
    bits: u32,
    /// Where in the interval the point is.
    within: u32,
    interval: u32,
}

impl Letters {
    /// 93 letters stand for themselves in a JavaScript text: those from the space to `~`, but for `'` and the backslash.
    unsafe fn refine(&mut self) {
        unsafe {
            if self.bits == EMPTY {
                let letter = u32::from(*self.at);
                self.at = self.at.add(1);
                let place = letter - 32 - u32::from(letter > 39) - u32::from(letter > 92);
                self.bits =
                    if place < SHORT { place << 26 | 1 << 25 } else { (place + SHORT) << 25 | 1 << 24 };
            }
            self.interval <<= 1;
            self.within = self.within << 1 | self.bits >> 31;
            self.bits <<= 1;
        }
    }

    unsafe fn number(&mut self) -> usize {
        let mut number = 0;
        for _ in 0..24 {
            number = number << 1 | unsafe { self.bit(1 << 15, 0) } as usize;
        }
        number
    }
}

impl Bits for Letters {
    #[inline(always)]
    unsafe fn bit(&mut self, probability: u32, _: u32) -> u32 {
        let part = (self.interval >> 16) * probability;
        let bit = u32::from(self.within < part);
        if bit == 1 {
            self.interval = part;
        } else {
            self.within -= part;
            self.interval -= part;
        }
        while self.interval < SMALL {
            unsafe { self.refine() };
        }
        bit
    }
}

struct Unpacked {
    letters: Letters,
    history: History,
}

impl Source for Unpacked {
    unsafe fn byte(&mut self, stream: usize) -> u8 {
        unsafe {
            let contexts = self.history.contexts(stream);
            let byte = model::byte(&mut self.letters, stream, &contexts, 0);
            self.history.note(stream, byte);
            byte
        }
    }
}
